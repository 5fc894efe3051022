//! Settings that cannot be worked with. A check collects every problem, so that one run tells them all.

use alloc::{string::String, vec::Vec};
use core::{error::Error, fmt};
use serde::{Deserialize, Serialize};

/// One setting that cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The field's name.
    pub key: String,
    /// What would do, to follow the word "expected".
    pub expected: String,
    pub found: u64,
}

/// Everything that is wrong with a group of settings; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.key, self.expected, self.found)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl Error for Problems {}

/// Collects problems; [`Checks::finish`] turns them into a result.
#[derive(Default)]
pub(crate) struct Checks(Vec<Problem>);

impl Checks {
    pub(crate) fn require(&mut self, holds: bool, key: &str, found: u64, expected: fmt::Arguments<'_>) {
        if !holds {
            self.0.push(Problem { key: key.into(), expected: alloc::fmt::format(expected), found });
        }
    }

    /// Both ends belong to the range.
    pub(crate) fn between(&mut self, key: &str, found: u64, least: u64, most: u64) {
        self.require((least..=most).contains(&found), key, found, format_args!("{least} to {most}"));
    }

    pub(crate) fn finish(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(Problems(self.0)) }
    }
}

/// For checks that compare counts with rates and times, which are u64.
pub(crate) fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_problem_is_told() {
        let mut checks = Checks::default();
        checks.between("keep", 0, 1, 10);
        checks.between("window", 10, 1, 10);
        checks.require(false, "reading_ms", 5, format_args!("at least {}", 1000));
        let problems = checks.finish().unwrap_err();
        assert_eq!(problems.0.len(), 2);
        assert_eq!(
            problems.to_string(),
            "keep: expected 1 to 10, found 0; reading_ms: expected at least 1000, found 5"
        );
    }

    #[test]
    fn nothing_wrong_is_no_problem() {
        let mut checks = Checks::default();
        checks.between("keep", 1, 1, 10);
        checks.between("keep", 10, 1, 10);
        assert_eq!(checks.finish(), Ok(()));
    }
}
