//! The `?` words of `print` (MikroTik API manual, "Queries"): a stack of truth values, evaluated for each item.
//!
//! The stack begins as if it held endlessly many `true`; an item is shown when no `false` is left at the end.

use crate::{refusal::Refusal, values::read_bool};

/// A parsed query; an empty one shows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<Step>);

impl Query {
    /// Takes the words that begin with `?`, in their order.
    pub fn parse<W: AsRef<str>>(words: &[W]) -> Result<Self, Refusal> {
        let mut steps = Vec::new();
        for word in words {
            let word = word.as_ref();
            let refused = || Refusal::BadQuery(word.to_owned());
            let rest = word.strip_prefix('?').ok_or_else(refused)?;
            match rest.strip_prefix('#') {
                Some(operations) => steps.extend(parse_operations(operations).ok_or_else(refused)?),
                None => steps.push(parse_test(rest).ok_or_else(refused)?),
            }
        }
        Ok(Self(steps))
    }

    /// Whether an item is shown, given the value of each of its properties.
    pub fn shows<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        let mut stack = Vec::new();
        for step in &self.0 {
            step.run(&mut stack, &value);
        }
        stack.into_iter().all(|held| held)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Has(String),
    Lacks(String),
    Equal(String, String),
    Less(String, String),
    Greater(String, String),
    Not,
    And,
    Or,
    /// Push a copy of the value at this index; 0 is the top.
    Copy(usize),
    /// Replace the whole stack by the value at this index.
    Keep(usize),
}

impl Step {
    fn run<'a>(&self, stack: &mut Vec<bool>, value: &impl Fn(&str) -> Option<&'a str>) {
        let result = match self {
            Self::Has(name) => value(name).is_some(),
            Self::Lacks(name) => value(name).is_none(),
            Self::Equal(name, wanted) => value(name).is_some_and(|held| is_equal(held, wanted)),
            Self::Less(name, bound) => value(name).is_some_and(|held| is_less(held, bound)),
            Self::Greater(name, bound) => value(name).is_some_and(|held| is_less(bound, held)),
            Self::Not => !pop(stack),
            Self::And => {
                let (right, left) = (pop(stack), pop(stack));
                left && right
            }
            Self::Or => {
                let (right, left) = (pop(stack), pop(stack));
                left || right
            }
            Self::Copy(index) => peek(stack, *index),
            Self::Keep(index) => {
                let kept = peek(stack, *index);
                stack.clear();
                kept
            }
        };
        stack.push(result);
    }
}

fn pop(stack: &mut Vec<bool>) -> bool {
    stack.pop().unwrap_or(true)
}

fn peek(stack: &[bool], index: usize) -> bool {
    stack.iter().rev().nth(index).copied().unwrap_or(true)
}

/// The router compares values, not text: `yes` is `true`.
fn is_equal(held: &str, wanted: &str) -> bool {
    match (read_bool(held), read_bool(wanted)) {
        (Some(held), Some(wanted)) => held == wanted,
        _ => held == wanted,
    }
}

fn is_less(left: &str, right: &str) -> bool {
    match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) => left < right,
        _ => left < right,
    }
}

/// `name`, `-name`, `name=x`, `=name=x`, `<name=x`, `>name=x`.
fn parse_test(text: &str) -> Option<Step> {
    let compared = |text: &str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let step = if let Some(text) = text.strip_prefix('=') {
        compared(text).map(|(name, value)| Step::Equal(name, value))?
    } else if let Some(text) = text.strip_prefix('<') {
        compared(text).map(|(name, value)| Step::Less(name, value))?
    } else if let Some(text) = text.strip_prefix('>') {
        compared(text).map(|(name, value)| Step::Greater(name, value))?
    } else if let Some(name) = text.strip_prefix('-') {
        Step::Lacks(name.to_owned())
    } else if let Some((name, value)) = compared(text) {
        Step::Equal(name, value)
    } else {
        Step::Has(text.to_owned())
    };
    Some(step)
}

/// `!`, `&`, `|`, an index, and `.`: after an index it does nothing more, elsewhere it copies the top value.
fn parse_operations(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at_checked(end)?;
            let index = digits.parse().ok()?;
            steps.push(if after.is_empty() { Step::Keep(index) } else { Step::Copy(index) });
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        steps.push(match next {
            '!' => Step::Not,
            '&' => Step::And,
            '|' => Step::Or,
            '.' => Step::Copy(0),
            _ => return None,
        });
        rest = rest.get(next.len_utf8()..)?;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(words: &[&str]) -> bool {
        let item = |name: &str| match name {
            "name" => Some("site"),
            "disabled" => Some("false"),
            "mtu" => Some("1500"),
            "comment" => Some(""),
            _ => None,
        };
        Query::parse(words).unwrap().shows(item)
    }

    #[test]
    fn no_words_show_everything() {
        assert!(shows(&[]));
    }

    #[test]
    fn both_clients_forms_of_equality_work() {
        assert!(shows(&["?name=site"]));
        assert!(shows(&["?=name=site"]));
        assert!(!shows(&["?name=other"]));
        assert!(!shows(&["?=absent=site"]));
        assert!(shows(&["?comment="]));
    }

    #[test]
    fn booleans_are_compared_as_such() {
        assert!(shows(&["?disabled=no"]));
        assert!(shows(&["?=disabled=false"]));
        assert!(!shows(&["?disabled=yes"]));
    }

    #[test]
    fn presence_and_absence() {
        assert!(shows(&["?name"]));
        assert!(!shows(&["?absent"]));
        assert!(shows(&["?-absent"]));
        assert!(!shows(&["?-name"]));
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(shows(&["?<mtu=9000"]));
        assert!(!shows(&["?>mtu=9000"]));
        assert!(shows(&["?>mtu=900"]));
        assert!(!shows(&["?<mtu=1500"]));
        assert!(!shows(&["?>mtu=1500"]));
    }

    #[test]
    fn operators_work_on_the_stack() {
        assert!(shows(&["?name=other", "?#!"]));
        assert!(shows(&["?name=other", "?name=site", "?#|"]));
        assert!(!shows(&["?name=other", "?name=site", "?#&"]));
        assert!(shows(&["?name=a", "?name=b", "?name=site", "?#|", "?#|"]));
        assert!(shows(&["?name=a", "?name=b", "?name=site", "?#||"]));
        assert!(shows(&["?name=a", "?name=site", "?#&!"]));
        // Two tests without an operator must both hold.
        assert!(!shows(&["?name=site", "?name=other"]));
        // Operators reach below the bottom, where everything is true.
        assert!(!shows(&["?#!"]));
        assert!(shows(&["?name=other", "?#|"]));
    }

    #[test]
    fn indices_copy_or_keep() {
        // (false, true): keep the top, or the one below it.
        assert!(shows(&["?name=other", "?name=site", "?#0"]));
        assert!(!shows(&["?name=other", "?name=site", "?#1"]));
        // Copy index 1 (false), negate, or: true; the two below still hold one false, so keep the top.
        assert!(shows(&["?name=other", "?name=site", "?#1!|", "?#0"]));
        assert!(!shows(&["?name=other", "?name=site", "?#1.&", "?#0"]));
        assert!(shows(&["?name=other", "?#.!", "?#0"]));
        assert!(shows(&["?name=site", "?#99"]));
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["?#x", "?#1é", "?<mtu", "?>mtu", "?=name", "name=site", "?#99999999999999999999999!"] {
            assert!(Query::parse(&[word]).is_err(), "{word}");
        }
    }
}
