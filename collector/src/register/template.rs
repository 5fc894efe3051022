//! Empty registers to begin with, explained in Indonesian and English. No example is a row: it would be imported.

use std::fmt::Write as _;

use takar_collector_core::inventory::RawInventory;

use super::{
    cell::Cell,
    csv,
    schema::{Kind, TABLES},
    workbook, write,
};

/// What explains the columns, in a workbook or in a folder. It is passed over when it is read.
pub const README: &str = "petunjuk";

pub fn xlsx() -> Result<Vec<u8>, String> {
    workbook::write(&RawInventory::default()).map_err(|error| error.to_string())
}

/// The file of the explanation, for a folder beside the tables' own.
pub fn readme_csv() -> Result<Vec<u8>, String> {
    csv::records(explained().into_iter().map(|row| row.map(str::to_owned).to_vec()))
}

/// Comments only: explanations behind `##`, examples behind a single `#`, to be taken off where a row is wanted.
pub fn toml() -> String {
    let mut text = String::from(
        "## Register Takar: hapus satu tanda # di depan baris yang dipakai.\n\
         ## Takar's register: take one # off each line that is to be used.\n",
    );
    for table in &TABLES {
        let _ = writeln!(text, "\n#[[{}]]", table.name);
        for column in table.columns {
            let needed = if column.needed { " (wajib, required)" } else { "" };
            let _ = writeln!(text, "## {}{needed}: {} / {}", column.key, column.indonesian, column.english);
            if !column.example.is_empty() {
                let _ = writeln!(text, "#{} = {}", column.key, example(column.kind, column.example));
            }
        }
    }
    text
}

/// A header, then a row each column: table, column, whether it must be there, what it holds, what it means, an example.
pub fn explained() -> Vec<[&'static str; 8]> {
    let mut rows = vec![[
        "tabel / table",
        "kolom / column",
        "wajib / required",
        "bentuk",
        "form",
        "keterangan",
        "meaning",
        "contoh / example",
    ]];
    for table in &TABLES {
        for column in table.columns {
            let (bentuk, form) = column.kind.words();
            let needed = if column.needed { "ya / yes" } else { "" };
            let (indonesian, english) = (column.indonesian, column.english);
            rows.push([table.name, column.key, needed, bentuk, form, indonesian, english, column.example]);
        }
    }
    rows
}

/// As TOML has it: rates and numbers without quotes.
fn example(kind: Kind, text: &str) -> String {
    match Cell::Text(text.to_owned()).value(kind) {
        Ok(value) => write::literal(&value),
        Err(_) => toml::Value::from(text).to_string(),
    }
}
