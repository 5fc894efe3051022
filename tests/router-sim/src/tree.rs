//! `/queue tree`: what hangs from what, and which queues a packet passes. Every command is all or nothing.

use crate::{
    branch::{Branch, FIRST_ID, Parent},
    pair::{BitsPerSec, Direction},
    ports,
    refusal::Refusal,
    row::Fields,
    select::{Attributes, changes, names, position, remove_at, selected, selected_only},
    target::Subscriber,
};

/// The two places at which a tree can take packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Global,
    Interface,
}

#[derive(Clone, Debug, Default)]
pub struct QueueTree {
    rows: Vec<Branch>,
    /// How many there have ever been.
    made: u32,
}

impl QueueTree {
    pub fn rows(&self) -> &[Branch] {
        &self.rows
    }
    pub fn rows_mut(&mut self) -> &mut [Branch] {
        &mut self.rows
    }

    /// Every queue as `print` shows it.
    pub fn fields(&self) -> Vec<Fields> {
        self.rows.iter().map(|row| row.fields(self.parent_name(row.parent), self.is_invalid(row))).collect()
    }

    /// Returns the new `.id`.
    pub fn add(&mut self, attributes: &Attributes) -> Result<String, Refusal> {
        let mut row = Branch::new(FIRST_ID.saturating_add(self.made));
        let mut parent = None;
        for (argument, value) in attributes {
            match argument.as_str() {
                "parent" => parent = Some(self.read_parent(value)?),
                _ => row.assign(argument, value)?,
            }
        }
        row.parent = parent.ok_or(Refusal::NoMatch("parent"))?;
        row.validate()?;
        if self.rows.iter().any(|other| other.name == row.name) {
            return Err(Refusal::NameTaken);
        }
        self.made = self.made.saturating_add(1);
        let id = format!("*{:X}", row.id);
        self.rows.push(row);
        Ok(id)
    }

    /// Changes the named queues. Without `.id` or `numbers` it succeeds and changes nothing.
    pub fn set(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let mut changed = self.clone();
        for at in selected(&changed.rows, attributes)? {
            for (argument, value) in changes(attributes) {
                let parent = if argument == "parent" { Some(changed.read_parent(value)?) } else { None };
                let Some(row) = changed.rows.get_mut(at) else { continue };
                match parent {
                    Some(parent) => row.parent = parent,
                    None => row.assign(argument, value)?,
                }
            }
            let Some(row) = changed.rows.get(at) else { continue };
            row.validate()?;
            if names(attributes) && changed.rows.iter().filter(|other| other.name == row.name).count() > 1 {
                return Err(Refusal::NameTaken);
            }
            // That a queue cannot hang from itself is plain; RouterOS's words for it are not recorded.
            if changed.line(row).is_some_and(|line| line.len() > changed.rows.len()) {
                return Err(Refusal::NoMatch("parent"));
            }
        }
        changed.rest_idle();
        *self = changed;
        Ok(())
    }

    pub fn remove(&mut self, attributes: &Attributes) -> Result<(), Refusal> {
        let positions = selected_only(&self.rows, attributes)?;
        remove_at(&mut self.rows, &positions);
        self.rest_idle();
        Ok(())
    }

    /// `enable` and `disable`.
    pub fn set_disabled(&mut self, attributes: &Attributes, disabled: bool) -> Result<(), Refusal> {
        for at in selected_only(&self.rows, attributes)? {
            if let Some(row) = self.rows.get_mut(at) {
                row.disabled = disabled;
            }
        }
        self.rest_idle();
        Ok(())
    }

    /// The queues that a packet of the subscriber passes at this place, the one that takes it first. Only a queue
    /// without children takes packets; what its parents count and hold is what their children pass (MikroTik manual,
    /// "HTB"). Of several that fit it is the first in the list.
    pub fn passage(&self, place: Place, subscriber: &Subscriber, direction: Direction) -> Vec<usize> {
        let fits = |row: &Branch| -> Option<Vec<usize>> {
            let line = self.line(row)?;
            let root = self.rows.get(*line.last()?)?.parent;
            let hangs = match place {
                Place::Global => root == Parent::Global,
                Place::Interface => root.direction() == Some(direction),
            };
            let takes = hangs && self.is_active(row) && self.is_leaf(row);
            (takes && subscriber.is_marked(direction, &row.packet_mark)).then_some(line)
        };
        self.rows.iter().find_map(fits).unwrap_or_default()
    }

    /// What the queue holds up and down to: zero, which means unlimited, where it has no say.
    pub fn in_force(&self, row: &Branch, direction: Direction) -> BitsPerSec {
        let root = self.line(row).and_then(|line| self.rows.get(*line.last()?)).map(|root| root.parent);
        let ways = root.map_or(Some(direction), Parent::direction);
        let has_say = self.is_active(row) && ways.is_none_or(|way| way == direction);
        if has_say { row.max_limit } else { BitsPerSec(0) }
    }

    /// Not disabled, and hung from something that can carry it.
    pub fn is_active(&self, row: &Branch) -> bool {
        !row.disabled && !self.is_invalid(row)
    }

    /// A queue is invalid once its parent is gone. That it is also invalid under a disabled or an invalid parent is an
    /// assumption: the kernel's class has nothing to hang from then either.
    fn is_invalid(&self, row: &Branch) -> bool {
        match self.line(row) {
            None => true,
            Some(line) => line.iter().skip(1).any(|at| self.rows.get(*at).is_none_or(|above| above.disabled)),
        }
    }

    /// Only enabled children make a parent of a queue.
    fn is_leaf(&self, row: &Branch) -> bool {
        !self.rows.iter().any(|other| other.parent == Parent::Queue(row.id) && !other.disabled)
    }

    /// The queue and what is above it, up to the one that hangs from no other; `None` where one is gone. A ring is
    /// longer than the list.
    fn line(&self, row: &Branch) -> Option<Vec<usize>> {
        let mut line = vec![self.at(row.id)?];
        let mut parent = row.parent;
        while let Parent::Queue(id) = parent {
            let at = self.at(id)?;
            line.push(at);
            if line.len() > self.rows.len() {
                break;
            }
            parent = self.rows.get(at)?.parent;
        }
        Some(line)
    }

    fn at(&self, id: u32) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    fn read_parent(&self, text: &str) -> Result<Parent, Refusal> {
        if text == GLOBAL {
            return Ok(Parent::Global);
        }
        let interface = [ports::WAN, ports::LAN].into_iter().find(|name| *name == text);
        if let Some(name) = interface {
            return Ok(Parent::Interface(name));
        }
        let found = position(&self.rows, text).ok().and_then(|at| self.rows.get(at));
        found.map(|row| Parent::Queue(row.id)).ok_or(Refusal::NoMatch("parent"))
    }

    /// RouterOS shows a reference to what is gone by its number.
    fn parent_name(&self, parent: Parent) -> String {
        match parent {
            Parent::Global => GLOBAL.to_owned(),
            Parent::Interface(name) => name.to_owned(),
            Parent::Queue(id) => match self.at(id).and_then(|at| self.rows.get(at)) {
                Some(row) => row.name.clone(),
                None => format!("*{id:X}"),
            },
        }
    }

    /// A queue that nothing passes moves nothing; its totals stay.
    fn rest_idle(&mut self) {
        let idle: Vec<bool> = self.rows.iter().map(|row| !self.is_active(row)).collect();
        for (row, _) in self.rows.iter_mut().zip(idle).filter(|(_, idle)| *idle) {
            row.stats.rest();
        }
    }
}

/// The one parent that is neither interface nor queue since RouterOS 6 (MikroTik manual, "Queue Tree").
const GLOBAL: &str = "global";

#[cfg(test)]
mod tests;
