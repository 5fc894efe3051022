//! `/queue simple`: the list, its order and what each command does to it. Every command is all or nothing.

use std::collections::BTreeMap;

use crate::{
    pair::{BitsPerSec, Pair},
    refusal::Refusal,
    row::{Row, Stats},
};

/// Arguments of a command as they came, `=name=value`.
pub type Attributes = [(String, String)];

#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    last_id: u32,
}

impl Table {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The first enabled queue of that name, in file order.
    pub fn enabled_mut(&mut self, name: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.name == name && !row.disabled)
    }

    /// What each queue holds its traffic to, by name.
    pub fn in_force(&self) -> BTreeMap<String, Pair<BitsPerSec>> {
        self.rows.iter().map(|row| (row.name.clone(), row.in_force())).collect()
    }

    /// Appends a queue, or puts it before the one that `place-before` names. Returns the new `.id`.
    pub fn add(&mut self, attributes: &Attributes) -> Result<String, Refusal> {
        let id = self.last_id.saturating_add(1);
        let mut row = Row::new(id);
        let mut place = self.rows.len();
        for (argument, value) in attributes {
            match argument.as_str() {
                "place-before" => place = self.position(value)?,
                _ => row.assign(argument, value)?,
            }
        }
        row.validate()?;
        if self.rows.iter().any(|other| other.name == row.name) {
            return Err(Refusal::NameTaken);
        }
        self.rows.insert(place, row);
        self.last_id = id;
        Ok(format!("*{id:X}"))
    }

    /// Changes the named queues. Without `.id` or `numbers` it succeeds and changes nothing, as the router does.
    pub fn set(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let mut changed = self.clone();
        for at in self.selected(attributes)? {
            let Some(row) = changed.rows.get_mut(at) else { continue };
            for (argument, value) in attributes.iter().filter(|(argument, _)| !is_selector(argument)) {
                row.assign(argument, value)?;
            }
            row.validate()?;
            row.rest_if_disabled();
            let name = row.name.clone();
            if changed.rows.iter().filter(|other| other.name == name).count() > 1 {
                return Err(Refusal::NameTaken);
            }
        }
        *self = changed;
        Ok(())
    }

    pub fn remove(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let selected = self.selected_only(attributes)?;
        let mut at = 0;
        self.rows.retain(|_| {
            at += 1;
            !selected.contains(&(at - 1))
        });
        Ok(())
    }

    /// `enable` and `disable`.
    pub fn set_disabled(&mut self, attributes: &Attributes, disabled: bool) -> Result<(), Refusal> {
        for at in self.selected_only(attributes)? {
            if let Some(row) = self.rows.get_mut(at) {
                row.disabled = disabled;
                row.rest_if_disabled();
            }
        }
        Ok(())
    }

    /// As `selected`, for commands that take nothing but the selection.
    fn selected_only(&self, attributes: &Attributes) -> Result<Vec<usize>, Refusal> {
        match attributes.iter().find(|(argument, _)| !is_selector(argument)) {
            Some((argument, _)) => Err(Refusal::UnknownParameter(argument.clone())),
            None => self.selected(attributes),
        }
    }

    /// Positions of the queues that `.id` or `numbers` names: ids such as `*1`, or names, with commas between.
    fn selected(&self, attributes: &Attributes) -> Result<Vec<usize>, Refusal> {
        attributes
            .iter()
            .filter(|(argument, _)| is_selector(argument))
            .flat_map(|(_, value)| value.split(','))
            .filter(|item| !item.is_empty())
            .map(|item| self.position(item))
            .collect()
    }

    fn position(&self, item: &str) -> Result<usize, Refusal> {
        let id = item.strip_prefix('*').and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let named = |row: &Row| id == Some(row.id) || row.name == item;
        self.rows.iter().position(named).ok_or(Refusal::NoSuchItem)
    }
}

impl Row {
    /// A disabled queue holds nothing and moves nothing; its totals stay.
    fn rest_if_disabled(&mut self) {
        if self.disabled {
            let rest = |stats: Stats| Stats { served: stats.served, dropped: stats.dropped, ..Stats::default() };
            self.stats = Pair { up: rest(self.stats.up), down: rest(self.stats.down) };
        }
    }
}

fn is_selector(argument: &str) -> bool {
    matches!(argument, ".id" | "numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(argument, value)| ((*argument).to_owned(), (*value).to_owned())).collect()
    }

    fn two_queues() -> Table {
        let mut table = Table::default();
        assert_eq!(table.add(&attributes(&[("name", "site"), ("max-limit", "5M/20M")])), Ok("*1".to_owned()));
        assert_eq!(table.add(&attributes(&[("name", "guests")])), Ok("*2".to_owned()));
        table
    }

    fn max_limit(table: &Table, name: &str) -> String {
        table.rows().iter().find(|row| row.name == name).unwrap().max_limit.to_string()
    }

    #[test]
    fn set_takes_an_id_or_a_name_and_leaves_the_others_alone() {
        let mut table = two_queues();
        table.set(&attributes(&[(".id", "*1"), ("max-limit", "6M/10000000")])).unwrap();
        assert_eq!(max_limit(&table, "site"), "6000000/10000000");
        table.set(&attributes(&[("numbers", "site"), ("max-limit", "7M/7M")])).unwrap();
        assert_eq!(max_limit(&table, "site"), "7000000/7000000");
        assert_eq!(max_limit(&table, "guests"), "0/0");
    }

    #[test]
    fn set_without_an_id_succeeds_and_changes_nothing() {
        let mut table = two_queues();
        assert_eq!(table.set(&attributes(&[("max-limit", "1M/1M")])), Ok(()));
        assert_eq!(max_limit(&table, "site"), "5000000/20000000");
    }

    #[test]
    fn a_refused_set_changes_no_queue_at_all() {
        let mut table = two_queues();
        let refused = table.set(&attributes(&[(".id", "*1,*9"), ("max-limit", "1M/1M")]));
        assert_eq!(refused, Err(Refusal::NoSuchItem));
        let refused = table.set(&attributes(&[(".id", "*1"), ("max-limit", "1M/1M"), ("limit-at", "2M/1M")]));
        assert_eq!(refused.unwrap_err().to_string(), "failure: upload-max-limit less than upload-limit");
        let refused = table.set(&attributes(&[(".id", "*2"), ("max-limit", "1M/1M"), ("name", "site")]));
        assert_eq!(refused, Err(Refusal::NameTaken));
        assert_eq!(max_limit(&table, "site"), "5000000/20000000");
        assert_eq!(max_limit(&table, "guests"), "0/0");
    }

    #[test]
    fn add_refuses_a_name_that_is_taken_and_never_reuses_an_id() {
        let mut table = two_queues();
        assert_eq!(table.add(&attributes(&[("name", "site")])), Err(Refusal::NameTaken));
        table.remove(&attributes(&[(".id", "*2")])).unwrap();
        assert_eq!(table.remove(&attributes(&[(".id", "*2")])), Err(Refusal::NoSuchItem));
        let first = attributes(&[("name", "first"), ("place-before", "site")]);
        assert_eq!(table.add(&first), Ok("*3".to_owned()));
        let order: Vec<&str> = table.rows().iter().map(|row| row.name.as_str()).collect();
        assert_eq!(order, ["first", "site"]);
    }

    #[test]
    fn a_disabled_queue_is_unlimited_and_found_no_more() {
        let mut table = two_queues();
        table.set_disabled(&attributes(&[("numbers", "site")]), true).unwrap();
        assert!(table.enabled_mut("site").is_none());
        assert_eq!(table.in_force().get("site"), Some(&Pair::default()));
        table.set_disabled(&attributes(&[("numbers", "site")]), false).unwrap();
        assert_eq!(table.in_force().get("site").unwrap().to_string(), "5000000/20000000");
    }
}
