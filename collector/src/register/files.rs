//! Registers as files. Nothing that was there is ever written over: it may be what somebody is working on.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

use takar_collector_core::inventory::RawInventory;

use super::{csv, schema::TABLES, template, toml, workbook};

/// Largest file that is read, in bytes: far beyond any office's register.
const LARGEST: u64 = 32 * 1024 * 1024;

enum Form {
    Xlsx,
    Toml,
    Folder,
}

/// Writes a register, which is TOML, to a new file `.xlsx` or `.toml` (as it is) or a new folder of CSV files.
pub fn write_to(register: &str, path: &Path) -> Result<(), String> {
    let rows = || toml::rows(register).map_err(|problems| problems.join("\n"));
    match form_of(path)? {
        Form::Toml => new_file(path, register.as_bytes()),
        Form::Xlsx => new_file(path, &workbook::write(&rows()?).map_err(|error| failed(path, &error))?),
        Form::Folder => new_folder(&rows()?, path, None),
    }
}

/// Writes an empty register with explanations to such a place.
pub fn write_template(path: &Path) -> Result<(), String> {
    match form_of(path)? {
        Form::Toml => new_file(path, template::toml().as_bytes()),
        Form::Xlsx => new_file(path, &template::xlsx().map_err(|error| failed(path, &error))?),
        Form::Folder => {
            let readme = template::readme_csv().map_err(|error| failed(path, &error))?;
            new_folder(&RawInventory::default(), path, Some(readme))
        }
    }
}

/// Writes a text to a new file.
pub fn write_new(text: &str, path: &Path) -> Result<(), String> {
    new_file(path, text.as_bytes())
}

pub fn bytes_of(file: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    let length = fs::metadata(file).map_err(unreadable)?.len();
    if length > LARGEST {
        return Err(format!("{} has {length} bytes; expected at most {} MiB", file.display(), LARGEST >> 20));
    }
    fs::read(file).map_err(unreadable)
}

fn form_of(path: &Path) -> Result<Form, String> {
    match path.extension() {
        None => Ok(Form::Folder),
        Some(found) if found.eq_ignore_ascii_case("xlsx") => Ok(Form::Xlsx),
        Some(found) if found.eq_ignore_ascii_case("toml") => Ok(Form::Toml),
        Some(_) => Err(format!("{}: expected a name that ends with .xlsx or .toml, or a folder's", path.display())),
    }
}

fn new_folder(raw: &RawInventory, folder: &Path, readme: Option<Vec<u8>>) -> Result<(), String> {
    let mut files = Vec::new();
    for table in &TABLES {
        let bytes = csv::file(raw, table).map_err(|error| failed(folder, &error))?;
        files.push((format!("{}.csv", table.name), bytes));
    }
    files.extend(readme.map(|bytes| (format!("{}.csv", template::README), bytes)));
    fs::create_dir(folder).map_err(|error| not_new(folder, &error))?;
    files.iter().try_for_each(|(name, bytes)| new_file(&folder.join(name), bytes))
}

fn new_file(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let mut file = fs::File::create_new(path).map_err(|error| not_new(path, &error))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a register is worse than none.
        let _ = fs::remove_file(path);
        failed(path, &error)
    })
}

fn not_new(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists => format!("{} exists; expected what is not there yet", path.display()),
        _ => failed(path, error),
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} cannot be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join("register.toml"), dir.path().join("register"));
        for path in [&file, &folder] {
            write_template(path).unwrap();
            assert!(write_template(path).unwrap_err().ends_with("exists; expected what is not there yet"));
        }
        fs::write(&file, "mine").unwrap();
        assert!(write_to("", &file).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), TABLES.len() + 1);
    }

    #[test]
    fn other_names_are_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["register.ods", "link.csv", "register.xls"] {
            assert!(write_template(&dir.path().join(name)).unwrap_err().contains("expected a name that ends with"));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
