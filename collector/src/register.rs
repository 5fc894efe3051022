//! The register: the inventory as people keep it, with contracts, needs and holidays, in TOML, CSV or XLSX.
//!
//! Whatever it was read from, the same rows come of it and the same checks are made; problems carry the places of the
//! file that somebody has open. Over the API, and on record, it is TOML.

mod cell;
mod csv;
mod draft;
mod files;
mod place;
mod schema;
mod sheet;
mod tables;
mod template;
mod toml;
mod workbook;
mod write;

#[cfg(test)]
mod tests;

use std::{fs, path::Path};

use takar_collector_core::inventory::{self, RawInventory, Validated};

pub use self::{
    draft::{draft, read_probes},
    files::{write_new, write_template, write_to},
    toml::{parse, rows},
    write::toml as write_toml,
};
use place::Numbers;
use schema::{TABLES, Table};
use sheet::{Cells, Found, Sheet};

/// A register as it was read, checked row by row but not as a whole.
#[derive(Debug)]
pub struct RawTables {
    raw: RawInventory,
    /// What problems begin with.
    shown: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Complete by itself. Its problems are told by line, so its text is read again for them.
    Toml(String),
    Sheets {
        /// The number of each row in the spreadsheet, for the tables that were in it.
        numbers: Numbers,
        found: Vec<Found>,
    },
}

/// Reads `.csv` (one table, by the file's name), `.xlsx`, a folder of CSV files, or else TOML.
pub fn read(path: &Path) -> Result<RawTables, Vec<String>> {
    let shown = path.display().to_string();
    let told = |problems: Vec<String>| -> Vec<String> {
        problems.into_iter().map(|problem| format!("{shown}: {problem}")).collect()
    };
    let source: Vec<(&'static Table, Cells)> = if path.is_dir() {
        let mut tables = Vec::new();
        let mut problems = Vec::new();
        for (table, file) in csv::files(path)? {
            match cells_of(&file) {
                Ok(cells) => tables.push((table, cells)),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        tables
    } else if has_extension(path, "csv") {
        let table = csv::table_of(path)?;
        vec![(table, cells_of(path).map_err(|problem| vec![problem])?)]
    } else if has_extension(path, "xlsx") {
        let bytes = files::bytes_of(path).map_err(|problem| vec![problem])?;
        workbook::read(bytes).map_err(told)?
    } else {
        let text = fs::read_to_string(path).map_err(|error| vec![format!("{shown} cannot be read: {error}")])?;
        let raw = rows(&text).map_err(told)?;
        return Ok(RawTables { raw, shown, source: Source::Toml(text) });
    };
    let mut raw = RawInventory::default();
    let (mut numbers, mut found) = (Numbers::new(), Vec::new());
    for (table, cells) in source {
        let mut sheet = Sheet::read(table, &cells);
        numbers.insert(table.name, tables::fill(&mut raw, &mut sheet));
        found.append(&mut sheet.found);
    }
    Ok(RawTables { raw, shown, source: Source::Sheets { numbers, found } })
}

impl RawTables {
    /// The tables that the file does not have. TOML is complete by itself.
    pub fn absent(&self) -> Vec<&'static str> {
        match &self.source {
            Source::Toml(_) => Vec::new(),
            Source::Sheets { numbers, .. } => {
                TABLES.iter().map(|table| table.name).filter(|table| !numbers.contains_key(table)).collect()
            }
        }
    }

    /// The tables that are absent come from the register in force, which is TOML.
    pub fn over(mut self, base: &str) -> Result<Self, Vec<String>> {
        let absent = self.absent();
        if absent.is_empty() {
            return Ok(self);
        }
        let told = |problem: String| format!("the register in force: {problem}");
        let base = rows(base).map_err(|problems| problems.into_iter().map(told).collect::<Vec<_>>())?;
        for table in absent {
            tables::take(&mut self.raw, &base, table);
        }
        Ok(self)
    }

    pub fn raw(&self) -> &RawInventory {
        &self.raw
    }

    /// The inventory, or everything that is wrong, each in one line that begins with the file.
    pub fn check(&self) -> Result<Validated, Vec<String>> {
        let problems = match &self.source {
            Source::Toml(text) => match parse(text) {
                Ok(validated) => return Ok(validated),
                Err(problems) => problems,
            },
            Source::Sheets { numbers, found } => {
                let problems = match inventory::validate(&self.raw) {
                    Ok(validated) if found.is_empty() => return Ok(validated),
                    Ok(_) => Vec::new(),
                    Err(problems) => problems,
                };
                place::told(&self.raw, numbers, found, &problems)
            }
        };
        Err(problems.into_iter().map(|problem| format!("{}: {problem}", self.shown)).collect())
    }
}

/// Whether it is read as TOML: anything but a spreadsheet is.
pub fn is_toml(path: &Path) -> bool {
    !path.is_dir() && !has_extension(path, "csv") && !has_extension(path, "xlsx")
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// What explains a register is no table of it.
fn is_readme(name: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case(template::README) || name.eq_ignore_ascii_case("README")
}

fn cells_of(file: &Path) -> Result<Cells, String> {
    csv::cells(files::bytes_of(file)?).map_err(|problem| format!("{} cannot be read: {problem}", file.display()))
}
