//! A UCI file: sections of options and lists.

use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub kind: String,
    pub name: Option<String>,
    pub entries: Vec<Entry>,
}

/// An option, or one value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub is_list: bool,
    pub option: String,
    pub value: String,
}

impl Package {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sections: Vec<Section> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let words = words(line).map_err(|fault| format!("line {number}: {fault}"))?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let ["config", kind, name @ ..] = &words[..]
                && name.len() <= 1
            {
                sections.push(Section::new(kind, name.first().copied()));
                continue;
            }
            match (&words[..], sections.last_mut()) {
                ([], _) => {}
                (["option", option, value], Some(section)) => section.set(option, value),
                (["list", option, value], Some(section)) => {
                    section.entries.push(Entry { is_list: true, option: (*option).into(), value: (*value).into() });
                }
                _ => return Err(format!("line {number}: expected config, option or list")),
            }
        }
        Ok(Self { sections })
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.as_deref() == Some(name))
    }

    pub fn section_mut(&mut self, name: &str) -> Option<&mut Section> {
        self.sections.iter_mut().find(|section| section.name.as_deref() == Some(name))
    }
}

impl Section {
    fn new(kind: &str, name: Option<&str>) -> Self {
        Self { kind: kind.into(), name: name.map(str::to_owned), entries: Vec::new() }
    }

    pub fn get(&self, option: &str) -> Option<&str> {
        self.entries.iter().find(|entry| entry.option == option).map(|entry| entry.value.as_str())
    }

    pub fn set(&mut self, option: &str, value: &str) {
        match self.entries.iter_mut().find(|entry| entry.option == option) {
            Some(entry) => value.clone_into(&mut entry.value),
            None => self.entries.push(Entry { is_list: false, option: option.into(), value: value.into() }),
        }
    }

    /// Each with its values, of which a list may have several.
    pub fn options(&self) -> Vec<(&str, Vec<&str>)> {
        let mut options: Vec<(&str, Vec<&str>)> = Vec::new();
        for entry in &self.entries {
            match options.iter_mut().find(|(option, _)| *option == entry.option) {
                Some((_, values)) => values.push(entry.value.as_str()),
                None => options.push((entry.option.as_str(), vec![entry.value.as_str()])),
            }
        }
        options
    }
}

/// As uci writes it.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            write!(f, "\nconfig {}", section.kind)?;
            if let Some(name) = &section.name {
                write!(f, " {}", quoted(name))?;
            }
            writeln!(f)?;
            for Entry { is_list, option, value } in &section.entries {
                let word = if *is_list { "list" } else { "option" };
                writeln!(f, "\t{word} {option} {}", quoted(value))?;
            }
        }
        writeln!(f)
    }
}

pub fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The words of a line: quoted either way, escaped by a backslash, or plain; a comment ends them.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err("a quotation does not end".into());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn words_are_split_as_uci_splits_them() {
        for (line, expected) in [
            ("\toption x 'a b'", vec!["option", "x", "a b"]),
            (r"option x 'it'\''s'", vec!["option", "x", "it's"]),
            (r#"option x "a \"b\"" # c"#, vec!["option", "x", "a \"b\""]),
            ("config queue # none", vec!["config", "queue"]),
            ("option x a#b", vec!["option", "x", "a#b"]),
            ("option x ''", vec!["option", "x", ""]),
            ("  # only", vec![]),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
        words("option x 'a").unwrap_err();
    }

    #[test]
    fn what_is_written_reads_as_it_was() {
        let text = "config queue 'wan'\n option a \"it's\"\n list b 1\n list b '2 3'\n\nconfig queue\n\toption c 4\n";
        let package = Package::parse(text).unwrap();
        assert_eq!(package.section("wan").unwrap().options(), [("a", vec!["it's"]), ("b", vec!["1", "2 3"])]);
        assert_eq!(Package::parse(&package.to_string()), Ok(package));
        assert!(Package::parse("option a 1\n").unwrap_err().starts_with("line 1: "));
    }

    /// Files of others, where they are at hand beside this checkout.
    #[test]
    fn files_of_routers_are_read_and_written_back() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fixtures/openwrt_uci");
        let Ok(files) = fs::read_dir(&folder) else {
            // `tests/run` counts it as skipped.
            eprintln!("{} is not there: no UCI file of a real router was read", folder.display());
            return;
        };
        for file in files.map(|file| file.unwrap().path()) {
            let text = fs::read_to_string(&file).unwrap();
            if !text.trim_start().starts_with("config ") {
                continue;
            }
            let package = Package::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
            assert!(package.sections.iter().any(|section| section.get("interface").or(section.get("dl_if")).is_some()));
            assert_eq!(Package::parse(&package.to_string()), Ok(package));
        }
    }
}
