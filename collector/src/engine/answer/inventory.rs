//! The inventory's import: checked as a whole, then on record from now on.

use serde_json::Value;
use takar_collector_core::{audit::AuditEvent, ledger::Actor};
use takar_shared::{Digest, Direction, UnixMillis};
use takar_store::Write;

use super::{failed, show};
use crate::{
    api::query::ApiError,
    engine::{Allocation, Engine},
    view::{ImportBody, ImportView},
};

impl Engine {
    pub(super) fn import(&mut self, body: &ImportBody, by: Actor, now: UnixMillis) -> Result<Value, ApiError> {
        let validated = crate::inventory_file::parse(&body.text).map_err(|problems| {
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
        let mut writes = vec![Write::Inventory { at: now, by: by.clone(), text: body.text.clone(), digest }];
        let mut allocations = Vec::new();
        for link in inventory.links() {
            for direction in Direction::BOTH {
                let side = link.side(direction);
                // What the file says is the record from now on: whoever imports has looked.
                let (link, cir, mir) = (link.name.clone(), side.cir, side.mir);
                writes.push(Write::Allocation { link: link.clone(), direction, cir, mir, at: now, change: None });
                allocations.push(((link, direction), Allocation { mir, changed_at: None }));
            }
        }
        let event =
            AuditEvent::InventoryImported { digest: digest.to_string(), uplinks: view.uplinks, links: view.links };
        self.decide(writes, vec![(by, event)])?;
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
        self.publish_inventory();
        show(&view)
    }
}
