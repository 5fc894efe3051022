//! `/queue simple`: the list, its order and what each command does to it. Every command is all or nothing.

use std::collections::BTreeSet;

use crate::{
    refusal::Refusal,
    row::Row,
    select::{Attributes, Item, changes, names, position, remove_at, selected, selected_only},
};

#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
    last_id: u32,
}

impl Table {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
    pub fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    /// Appends a queue, or puts it before the one that `place-before` names. Returns the new `.id`.
    pub fn add(&mut self, attributes: &Attributes) -> Result<String, Refusal> {
        let (row, place) = self.read_new(attributes)?;
        if self.rows.iter().any(|other| other.name == row.name) {
            return Err(Refusal::NameTaken);
        }
        Ok(self.insert(row, place))
    }

    /// Adds what no client could: a queue made by a service of the router, one that is invalid, or one whose name is
    /// taken.
    pub fn force(&mut self, attributes: &Attributes, dynamic: bool, invalid: bool) -> Result<String, Refusal> {
        let (mut row, place) = self.read_new(attributes)?;
        (row.dynamic, row.invalid) = (dynamic, invalid);
        Ok(self.insert(row, place))
    }

    /// Changes the named queues. Without `.id` or `numbers` it succeeds and changes nothing, as the router does.
    pub fn set(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let mut changed = self.clone();
        for at in changed.selected_static(attributes, selected)? {
            let Some(row) = changed.rows.get_mut(at) else { continue };
            for (argument, value) in changes(attributes) {
                row.assign(argument, value)?;
            }
            row.validate()?;
            row.rest_if_idle();
            let name = row.name.clone();
            if names(attributes) && changed.rows.iter().filter(|other| other.name == name).count() > 1 {
                return Err(Refusal::NameTaken);
            }
        }
        *self = changed;
        Ok(())
    }

    pub fn remove(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let positions = self.selected_static(attributes, selected_only)?;
        remove_at(&mut self.rows, &positions);
        Ok(())
    }

    /// `enable` and `disable`.
    pub fn set_disabled(&mut self, attributes: &Attributes, disabled: bool) -> Result<(), Refusal> {
        for at in self.selected_static(attributes, selected_only)? {
            if let Some(row) = self.rows.get_mut(at) {
                row.disabled = disabled;
                row.rest_if_idle();
            }
        }
        Ok(())
    }

    /// `move`: puts the named queues, in their order, before the one that `destination` names, or last without one.
    pub fn shift(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let mut destination = None;
        for (argument, value) in changes(attributes) {
            match argument {
                "destination" => destination = Some(value),
                _ => return Err(Refusal::UnknownParameter(argument.to_owned())),
            }
        }
        let mut positions = selected(&self.rows, attributes)?;
        let mut seen = BTreeSet::new();
        positions.retain(|at| seen.insert(*at));
        let before = match destination {
            Some(item) => Some(position(&self.rows, item)?),
            None => None,
        };
        let moved: Vec<Row> = positions.iter().filter_map(|at| self.rows.get(*at).cloned()).collect();
        let place = before.unwrap_or(self.rows.len());
        let kept_before = (0..place).filter(|at| !positions.contains(at)).count();
        remove_at(&mut self.rows, &positions);
        for (offset, row) in moved.into_iter().enumerate() {
            self.rows.insert(kept_before + offset, row);
        }
        Ok(())
    }

    fn read_new(&self, attributes: &Attributes) -> Result<(Row, usize), Refusal> {
        let mut row = Row::new(self.last_id.saturating_add(1));
        let mut place = self.rows.len();
        for (argument, value) in attributes {
            match argument.as_str() {
                "place-before" => place = position(&self.rows, value)?,
                _ => row.assign(argument, value)?,
            }
        }
        row.validate()?;
        Ok((row, place))
    }

    fn insert(&mut self, row: Row, place: usize) -> String {
        self.last_id = row.id;
        let id = format!("*{:X}", row.id);
        self.rows.insert(place, row);
        id
    }

    /// What is selected, if a client may change all of it.
    fn selected_static(&self, attributes: &Attributes, select: Select) -> Result<Vec<usize>, Refusal> {
        let positions = select(&self.rows, attributes)?;
        let dynamic = positions.iter().any(|at| self.rows.get(*at).is_some_and(|row| row.dynamic));
        if dynamic { Err(Refusal::Dynamic) } else { Ok(positions) }
    }
}

type Select = fn(&[Row], &Attributes) -> Result<Vec<usize>, Refusal>;

impl Item for Row {
    fn id(&self) -> u32 {
        self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::attributes;

    fn two_queues() -> Table {
        let mut table = Table::default();
        assert_eq!(table.add(&attributes(&[("name", "site"), ("max-limit", "5M/20M")])), Ok("*1".to_owned()));
        assert_eq!(table.add(&attributes(&[("name", "guests")])), Ok("*2".to_owned()));
        table
    }

    fn max_limit(table: &Table, name: &str) -> String {
        table.rows().iter().find(|row| row.name == name).unwrap().max_limit.to_string()
    }

    fn order(table: &Table) -> Vec<&str> {
        table.rows().iter().map(|row| row.name.as_str()).collect()
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
        assert_eq!(order(&table), ["first", "site"]);
    }

    #[test]
    fn queues_move_before_another_or_to_the_end() {
        let mut table = two_queues();
        table.add(&attributes(&[("name", "last")])).unwrap();
        let mut shift = |list: &[(&str, &str)]| {
            let outcome = table.shift(&attributes(list));
            (outcome, order(&table).join(" "))
        };
        assert_eq!(shift(&[("numbers", "*3"), ("destination", "*1")]), (Ok(()), "last site guests".to_owned()));
        assert_eq!(shift(&[("numbers", "last,site")]), (Ok(()), "guests last site".to_owned()));
        assert_eq!(shift(&[(".id", "*2"), ("destination", "site")]), (Ok(()), "last guests site".to_owned()));
        assert_eq!(shift(&[("numbers", "site"), ("destination", "site")]), (Ok(()), "last guests site".to_owned()));
        assert_eq!(shift(&[("numbers", "*9")]).0, Err(Refusal::NoSuchItem));
        assert_eq!(shift(&[("numbers", "*1"), ("destination", "*9")]).0, Err(Refusal::NoSuchItem));
    }

    #[test]
    fn what_the_router_made_itself_is_not_changed() {
        let mut table = two_queues();
        let session = attributes(&[("name", "<pppoe-anna>"), ("max-limit", "1M/2M")]);
        assert_eq!(table.force(&session, true, false), Ok("*3".to_owned()));
        let named = attributes(&[("numbers", "<pppoe-anna>")]);
        let faster = attributes(&[(".id", "*1,*3"), ("max-limit", "9M/9M")]);
        assert_eq!(table.set(&faster), Err(Refusal::Dynamic));
        assert_eq!(table.remove(&named), Err(Refusal::Dynamic));
        assert_eq!(table.set_disabled(&named, true), Err(Refusal::Dynamic));
        assert_eq!(
            (max_limit(&table, "site"), max_limit(&table, "<pppoe-anna>")),
            ("5000000/20000000".to_owned(), "1000000/2000000".to_owned())
        );
    }

    #[test]
    fn two_of_one_name_can_be_forced_and_each_still_be_set_by_its_id() {
        let mut table = two_queues();
        assert_eq!(table.force(&attributes(&[("name", "site")]), false, false), Ok("*3".to_owned()));
        table.set(&attributes(&[(".id", "*3"), ("max-limit", "1M/1M")])).unwrap();
        table.set(&attributes(&[("numbers", "site"), ("max-limit", "2M/2M")])).unwrap();
        let limits: Vec<String> = table.rows().iter().map(|row| row.max_limit.to_string()).collect();
        assert_eq!(limits, ["2000000/2000000", "0/0", "1000000/1000000"]);
        assert_eq!(table.set(&attributes(&[(".id", "*3"), ("name", "site")])), Err(Refusal::NameTaken));
    }
}
