//! The inventory's import: checked as a whole, then on record from now on.

use serde_json::Value;
use takar_collector_core::{
    audit::AuditEvent,
    inventory::{Inventory, Row, UplinkName},
    ledger::Actor,
};
use takar_shared::{BitsPerSec, Digest, Direction, UnixMillis};
use takar_store::Write;

use super::{failed, show};
use crate::{
    api::query::ApiError,
    engine::{Allocation, Engine},
    view::{ImportBody, ImportView, RegisterView},
};

impl Engine {
    /// The register's text as it is, or as it was on record then.
    pub(super) fn register(&self, as_of: Option<UnixMillis>) -> Result<Value, ApiError> {
        let stored = match as_of {
            Some(at) => self.store.inventory_at(at),
            None => self.store.inventory(),
        };
        let Some(stored) = stored.map_err(failed)? else {
            return Err(ApiError::NotFound("there was no register then; import one first".into()));
        };
        show(&RegisterView { at: stored.at.0, by: stored.by.to_string(), text: stored.text })
    }

    /// The register with another capacity of an uplink, and of its contract: what is to be written for it.
    pub(in crate::engine) fn with_capacity(
        &self,
        uplink: &UplinkName,
        direction: Direction,
        capacity: BitsPerSec,
        by: &Actor,
        now: UnixMillis,
    ) -> Result<(Inventory, Write, AuditEvent), ApiError> {
        let stored = self.store.inventory().map_err(failed)?;
        let text = stored.map(|stored| stored.text).unwrap_or_default();
        let mut raw = crate::register::rows(&text).map_err(ApiError::Invalid)?;
        for row in &mut raw.uplinks {
            if let Row::Read(row) = row
                && row.name == uplink.as_str()
            {
                *rate_of(direction, &mut row.down_bps, &mut row.up_bps) = capacity.0;
            }
        }
        // Of contracts that are over nothing changes.
        let today = self.today(now);
        let in_force = self.inventory.as_ref().and_then(|inventory| inventory.contract_on(uplink, today));
        let in_force = in_force.map(|contract| contract.name.to_string());
        for row in &mut raw.contracts {
            if let Row::Read(row) = row
                && Some(&row.name) == in_force.as_ref()
            {
                *rate_of(direction, &mut row.down_bps, &mut row.up_bps) = capacity.0;
            }
        }
        let text = crate::register::write_toml(&raw);
        let validated = crate::register::parse(&text).map_err(ApiError::Invalid)?;
        let inventory = validated.inventory;
        let digest = Digest::of(text.as_bytes());
        let (uplinks, links) = (inventory.uplinks().len(), inventory.links().len());
        let event = AuditEvent::InventoryImported { digest: digest.to_string(), uplinks, links };
        Ok((inventory, Write::Inventory { at: now, by: by.clone(), text, digest }, event))
    }

    pub(super) fn import(&mut self, body: &ImportBody, by: Actor, now: UnixMillis) -> Result<Value, ApiError> {
        let validated = crate::register::parse(&body.text).map_err(|problems| {
            ApiError::Invalid(problems.into_iter().map(|problem| format!("{}: {problem}", body.file)).collect())
        })?;
        let inventory = validated.inventory;
        let digest = Digest::of(body.text.as_bytes());
        let changed = self.store.inventory().map_err(failed)?.is_none_or(|stored| stored.digest != digest);
        let view = ImportView {
            uplinks: inventory.uplinks().len(),
            sites: inventory.sites().len(),
            links: inventory.links().len(),
            changed,
            notices: validated.notices.iter().map(ToString::to_string).collect(),
        };
        if body.dry_run || !changed {
            return show(&view);
        }
        if self.open_changes().next().is_some() {
            return Err(ApiError::Conflict("changes are under way; import when they have ended".into()));
        }
        let modes = self.modes_in(&inventory);
        let (mode_writes, mode_events) = self.mode_writes(&modes, &by, now);
        let mut writes = vec![Write::Inventory { at: now, by: by.clone(), text: body.text.clone(), digest }];
        writes.extend(mode_writes);
        let mut allocations = Vec::new();
        let before = self.inventory.as_ref();
        for link in inventory.links() {
            for direction in Direction::BOTH {
                let side = link.side(direction);
                let key = (link.name.clone(), direction);
                let old = before.and_then(|before| before.link(&link.name)).map(|old| old.side(direction));
                // What the file says anew is the record from now on: whoever imports has looked. What it says as it did
                // before says nothing about what was moved since.
                if old.is_some_and(|old| (old.mir, old.cir) == (side.mir, side.cir))
                    && let Some(moved) = self.allocation.get(&key)
                {
                    allocations.push((key, *moved));
                    continue;
                }
                let (link, cir, mir) = (link.name.clone(), side.cir, side.mir);
                writes.push(Write::Allocation { link: link.clone(), direction, cir, mir, at: now, change: None });
                allocations.push(((link, direction), Allocation { mir, changed_at: None }));
            }
        }
        let event =
            AuditEvent::InventoryImported { digest: digest.to_string(), uplinks: view.uplinks, links: view.links };
        let mut events = vec![(by, event)];
        events.extend(mode_events);
        self.decide(writes, events)?;
        let observed: Vec<_> = self
            .agents
            .values()
            .flat_map(|agent| {
                agent.devices.iter().filter_map(|device| Some((device.name.clone(), device.state.clone()?.queues?)))
            })
            .collect();
        self.inventory = Some(inventory);
        self.allocation = allocations.into_iter().collect();
        self.commit_pending();
        self.watch_links(now).map_err(|error| ApiError::Failed(format!("{error:#}")))?;
        for (device, queues) in observed {
            for reading in &queues.readings {
                self.watches.set_ceiling(&device, reading, now);
            }
        }
        self.took_modes(&modes, now);
        self.tend_maintenance(now);
        self.publish_inventory();
        show(&view)
    }
}

fn rate_of<'a>(direction: Direction, down: &'a mut u64, up: &'a mut u64) -> &'a mut u64 {
    match direction {
        Direction::Down => down,
        Direction::Up => up,
    }
}
