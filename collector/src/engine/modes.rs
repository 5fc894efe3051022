//! Modes of links: how far Takar may go with each, set by people, one link at a time or by an import.

use takar_collector_core::{
    audit::AuditEvent,
    inventory::{Inventory, LinkMode, LinkName},
    ledger::{Actor, ProposalId},
};
use takar_shared::{Direction, UnixMillis};
use takar_store::{LinkModeRow, Write};

use super::Engine;
use crate::{
    api::query::ApiError,
    view::{LinkModeBody, LinkModeView},
};

impl Engine {
    pub(super) fn mode_of(&self, link: &LinkName) -> LinkMode {
        self.modes.get(link).copied().unwrap_or_default()
    }

    /// Why a link must not be moved at all, whatever was decided before.
    pub(super) fn kept_out(&self, link: &LinkName) -> Option<String> {
        if self.maintenances.rests(link) {
            return Some(format!("{link} is under maintenance now"));
        }
        (self.mode_of(link) == LinkMode::Observe).then(|| format!("{link} is only observed now, by its mode"))
    }

    pub(super) fn set_mode(
        &mut self,
        body: &LinkModeBody,
        by: Actor,
        now: UnixMillis,
    ) -> Result<LinkModeView, ApiError> {
        let known = |name: &LinkName| self.inventory.as_ref().is_some_and(|inventory| inventory.link(name).is_some());
        let (link, mode) = (body.link.parse().ok().filter(known), body.mode.parse::<LinkMode>());
        let mut problems = Vec::new();
        if link.is_none() {
            problems.push(format!("link: \"{}\" is not in the register", body.link));
        }
        if let Err(bad) = mode {
            problems.push(format!("mode: {bad}, found \"{}\"", body.mode));
        }
        let (Some(link), Ok(mode)) = (link, mode) else { return Err(ApiError::Invalid(problems)) };
        let was = self.mode_of(&link);
        let mut superseded = Vec::new();
        if mode != was {
            let row = LinkModeRow { link: link.clone(), mode, at: now, by: by.clone() };
            self.decide(vec![Write::LinkMode(row)], vec![(by, changed(&link, was, mode))])?;
            superseded = self.took_modes(&[(link.clone(), mode)], now);
        }
        Ok(LinkModeView {
            link: link.to_string(),
            mode: mode.to_string(),
            was: was.to_string(),
            superseded: superseded.into_iter().map(|id| id.0).collect(),
        })
    }

    /// What an import says anew of links' modes. What the register in force says already, or nothing, keeps what was set.
    pub(super) fn modes_in(&self, inventory: &Inventory) -> Vec<(LinkName, LinkMode)> {
        let said = |link: &LinkName| self.inventory.as_ref()?.link(link)?.mode;
        let links = inventory.links().iter();
        let anew = links.filter(|link| link.mode.is_some() && link.mode != said(&link.name));
        let named = anew.filter_map(|link| Some((link.name.clone(), link.mode?)));
        named.filter(|(link, mode)| self.mode_of(link) != *mode).collect()
    }

    /// To be written for them, with the audit log's records.
    pub(super) fn mode_writes(
        &self,
        modes: &[(LinkName, LinkMode)],
        by: &Actor,
        now: UnixMillis,
    ) -> (Vec<Write>, Vec<(Actor, AuditEvent)>) {
        let row = |(link, mode): &(LinkName, LinkMode)| {
            Write::LinkMode(LinkModeRow { link: link.clone(), mode: *mode, at: now, by: by.clone() })
        };
        let event = |(link, mode): &(LinkName, LinkMode)| (by.clone(), changed(link, self.mode_of(link), *mode));
        (modes.iter().map(row).collect(), modes.iter().map(event).collect())
    }

    /// After they were stored: open proposals that move such a link are not decided upon any more.
    pub(super) fn took_modes(&mut self, modes: &[(LinkName, LinkMode)], now: UnixMillis) -> Vec<ProposalId> {
        let mut superseded = Vec::new();
        for (link, mode) in modes {
            tracing::info!(%link, "mode: {mode}");
            self.modes.insert(link.clone(), *mode);
            self.publish_event("link-mode", serde_json::json!({"link": link, "mode": mode}));
            let moved =
                self.waiting_proposals().filter(|record| record.proposal.moves.iter().any(|one| one.link == *link));
            let open: Vec<ProposalId> = moved.map(|record| record.id).collect();
            let why = format!("the mode of {link} is {mode} now");
            superseded.extend(open.into_iter().filter(|id| self.supersede(*id, why.clone(), now)));
            for direction in Direction::BOTH {
                self.publish_link(link, direction);
            }
        }
        self.plan_due |= !modes.is_empty();
        superseded
    }
}

fn changed(link: &LinkName, from: LinkMode, to: LinkMode) -> AuditEvent {
    AuditEvent::LinkModeChanged { link: link.to_string(), from: from.to_string(), to: to.to_string() }
}
