//! Queues as the command line describes them: `name=site,target=10.0.0.0/8,max-limit=5M/10M`.

use std::{fmt, str::FromStr};

use crate::{select::Attributes, values::read_bool};

/// Properties with their values. A key that comes again adds to its list: `target=10.0.0.1,target=10.0.0.2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec(Vec<(String, String)>);

impl Spec {
    pub fn attributes(&self) -> &Attributes {
        &self.0
    }

    /// Takes out a property that is yes or no, and that no command could set.
    pub fn take_flag(&mut self, key: &str) -> Result<bool, NotASpec> {
        let Some(at) = self.0.iter().position(|(held, _)| held == key) else { return Ok(false) };
        let (_, value) = self.0.remove(at);
        read_bool(&value).ok_or_else(|| NotASpec(format!("{key}={value}")))
    }
}

/// Text that describes no queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASpec(String);

impl fmt::Display for NotASpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} describes no property: expected property=value with commas between, such as name=site", self.0)
    }
}
impl std::error::Error for NotASpec {}

impl FromStr for Spec {
    type Err = NotASpec;

    fn from_str(text: &str) -> Result<Self, NotASpec> {
        let mut spec = Self::default();
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| NotASpec(part.to_owned()))?;
            match spec.0.iter_mut().find(|(held, _)| held == key) {
                Some((_, list)) => *list = format!("{list},{value}"),
                None => spec.0.push((key.to_owned(), value.to_owned())),
            }
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_again_adds_to_its_list() {
        let mut spec: Spec = "name=a,target=10.0.0.1,dynamic=yes,target=10.0.0.2".parse().unwrap();
        assert_eq!(spec.take_flag("dynamic"), Ok(true));
        assert_eq!(spec.take_flag("invalid"), Ok(false));
        let expected = [("name", "a"), ("target", "10.0.0.1,10.0.0.2")];
        assert_eq!(spec.attributes(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!("name=a,5M".parse::<Spec>().unwrap_err().to_string().contains("5M"));
        let mut odd: Spec = "dynamic=perhaps".parse().unwrap();
        assert!(odd.take_flag("dynamic").is_err());
    }
}
