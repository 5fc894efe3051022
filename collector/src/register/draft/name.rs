//! Names that do as a level of a topic, made of whatever a device calls something.

use std::collections::BTreeSet;

/// Shorter than a name may be, so that there is room for a number behind it.
const LONGEST: usize = 56;

/// `PPPoE <sd 02>` becomes `PPPoE-sd-02`; what has nothing to make a name of becomes `otherwise`.
pub fn plain(text: &str, otherwise: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

/// A name of its own: the first of these that is not taken, else the last with a number, which is true as well.
pub fn of_its_own(wanted: &[String], taken: &mut BTreeSet<String>) -> (String, bool) {
    let free = wanted.iter().find(|name| !taken.contains(*name)).cloned();
    let numbered = free.is_none();
    let name = free.unwrap_or_else(|| {
        let last = wanted.last().map_or("link", String::as_str);
        let mut numbers = (2_u32..).map(|number| format!("{last}-{number}"));
        numbers.find(|name| !taken.contains(name)).unwrap_or_default()
    });
    taken.insert(name.clone());
    (name, numbered)
}

#[cfg(test)]
mod tests {
    use takar_shared::id;

    use super::*;

    #[test]
    fn whatever_a_device_says_a_name_comes_of_it() {
        for (text, name) in [("sd-02", "sd-02"), ("PPPoE <sd 02>", "PPPoE-sd-02"), ("..", "link"), ("é\n", "link")] {
            assert_eq!(plain(text, "link"), name);
            assert!(id::plain_name(name).is_ok());
        }
        assert!(id::plain_name(&plain(&"a/".repeat(90), "link")).is_ok());
    }

    #[test]
    fn a_name_is_given_once() {
        let mut taken = BTreeSet::new();
        let wanted = ["site".to_owned(), "core-1-site".to_owned()];
        let given: Vec<(String, bool)> = (0..4).map(|_| of_its_own(&wanted, &mut taken)).collect();
        let names: Vec<(&str, bool)> = given.iter().map(|(name, numbered)| (name.as_str(), *numbered)).collect();
        let expected = [("site", false), ("core-1-site", false), ("core-1-site-2", true), ("core-1-site-3", true)];
        assert_eq!(names, expected);
    }
}
