//! Stretches of maintenance: kept, told, and ended by the clock or by a person. What they do to links is `links/rest.rs`.

use std::collections::{BTreeMap, BTreeSet};

use takar_collector_core::{
    audit::AuditEvent,
    inventory::{Link, LinkName, SiteName, UplinkName},
    ledger::Actor,
    maintenance::{Maintenance, MaintenanceId, Scope, problems},
};
use takar_shared::UnixMillis;
use takar_store::{Store, StoreError, Write};

use super::Engine;
use crate::{
    api::query::ApiError,
    view::{MaintenanceBody, MaintenanceView},
};

/// Rows a listing of those that are over holds at most.
const LISTED: u32 = 500;

#[derive(Default)]
pub struct Maintenances {
    /// Those that are not over, and those over so lately that readings still reach back to them.
    known: BTreeMap<MaintenanceId, Maintenance>,
    next: u64,
    /// The links that rest, as of the last look, and for which one; of several the one that ends last.
    resting: BTreeMap<LinkName, MaintenanceId>,
}

impl Maintenances {
    /// `since`: how far readings reach back.
    pub fn load(store: &dyn Store, since: UnixMillis) -> Result<Self, StoreError> {
        let known = store.maintenances_since(since)?.into_iter().map(|one| (one.id, one)).collect();
        Ok(Self { known, next: store.next_maintenance_id()?.0, resting: BTreeMap::new() })
    }

    pub fn rests(&self, link: &LinkName) -> bool {
        self.resting.contains_key(link)
    }

    /// What a link rests for.
    pub fn of(&self, link: &LinkName) -> Option<&Maintenance> {
        self.known.get(self.resting.get(link)?)
    }

    /// When a link came out of maintenance last, as far as is known.
    pub fn rested_until(&self, link: &Link, now: UnixMillis) -> Option<UnixMillis> {
        let over = self.known.values().filter(|one| one.scope.covers(link) && one.is_over(now));
        over.filter(|one| one.from < one.ends_at()).map(Maintenance::ends_at).max()
    }

    pub fn on(&self, now: UnixMillis) -> impl Iterator<Item = &Maintenance> {
        self.known.values().filter(move |one| one.is_on(now))
    }
}

impl Engine {
    /// The links that began to rest and those that ceased to, since it was last asked; `None` where none did.
    pub(super) fn rest_changes(&mut self, now: UnixMillis) -> Option<(BTreeSet<LinkName>, BTreeSet<LinkName>)> {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        let resting = links.filter_map(|link| {
            let covering = self.maintenances.on(now).filter(|one| one.scope.covers(link));
            Some((link.name.clone(), covering.max_by_key(|one| one.ends_at())?.id))
        });
        let resting: BTreeMap<LinkName, MaintenanceId> = resting.collect();
        let before = std::mem::replace(&mut self.maintenances.resting, resting);
        let now_resting = &self.maintenances.resting;
        let began: BTreeSet<LinkName> =
            now_resting.keys().filter(|link| !before.contains_key(*link)).cloned().collect();
        let ended: BTreeSet<LinkName> = before.into_keys().filter(|link| !now_resting.contains_key(link)).collect();
        (!began.is_empty() || !ended.is_empty()).then_some((began, ended))
    }

    pub(super) fn add_maintenance(
        &mut self,
        body: &MaintenanceBody,
        by: Actor,
        now: UnixMillis,
    ) -> Result<MaintenanceView, ApiError> {
        let (from, until) = (UnixMillis(body.from.unwrap_or(now.0)), UnixMillis(body.until));
        let mut found = Vec::new();
        let scope = self.scope_of(body).map_err(|problem| found.push(problem)).ok();
        found.extend(problems(from, until, &body.reason, now));
        let Some(scope) = scope.filter(|_| found.is_empty()) else { return Err(ApiError::Invalid(found)) };
        let id = MaintenanceId(self.maintenances.next);
        let reason = body.reason.trim().to_owned();
        let event = AuditEvent::MaintenanceAdded {
            maintenance: id,
            scope: scope.to_string(),
            from,
            until,
            reason: reason.clone(),
        };
        let one = Maintenance { id, scope, from, until, reason, added_at: now, added_by: by.clone(), ended: None };
        self.decide(vec![Write::Maintenance(one.clone())], vec![(by, event)])?;
        self.maintenances.next += 1;
        tracing::info!(maintenance = %id, "maintenance of {}: {}", one.scope, one.reason);
        let view = self.maintenance_view(&one, now);
        self.publish_event("maintenance-added", serde_json::json!({"maintenance": &view}));
        self.maintenances.known.insert(id, one);
        self.tend_maintenance(now);
        Ok(view)
    }

    pub(super) fn end_maintenance(
        &mut self,
        id: MaintenanceId,
        by: Actor,
        now: UnixMillis,
    ) -> Result<MaintenanceView, ApiError> {
        let failed = |error: StoreError| ApiError::Failed(error.to_string());
        let stored = match self.maintenances.known.get(&id) {
            Some(known) => Some(known.clone()),
            None => self.store.maintenance(id).map_err(failed)?,
        };
        let mut one = stored.ok_or_else(|| ApiError::NotFound(format!("there is no maintenance {id}")))?;
        if one.is_over(now) {
            return Err(ApiError::Conflict(format!("maintenance {id} is {} already", one.state(now))));
        }
        one.ended = Some((now, by.clone()));
        let event = AuditEvent::MaintenanceEnded { maintenance: id, scope: one.scope.to_string() };
        self.decide(vec![Write::Maintenance(one.clone())], vec![(by, event)])?;
        let view = self.maintenance_view(&one, now);
        self.publish_event("maintenance-ended", serde_json::json!({"maintenance": &view}));
        self.maintenances.known.insert(id, one);
        self.tend_maintenance(now);
        Ok(view)
    }

    /// Those that are on come first, then those to come; with `all` also those that are over, the newest first.
    pub(super) fn maintenance_views(&self, all: bool, now: UnixMillis) -> Result<Vec<MaintenanceView>, ApiError> {
        let mut open: Vec<&Maintenance> = self.maintenances.known.values().filter(|one| !one.is_over(now)).collect();
        open.sort_by_key(|one| (!one.is_on(now), one.from, one.id));
        let mut views: Vec<MaintenanceView> = open.into_iter().map(|one| self.maintenance_view(one, now)).collect();
        if all {
            let stored = self.store.maintenances(LISTED).map_err(|error| ApiError::Failed(error.to_string()))?;
            let over = stored.iter().filter(|one| one.is_over(now));
            views.extend(over.map(|one| self.maintenance_view(one, now)));
        }
        Ok(views)
    }

    /// Until when and why, for `takar links` and `takar status`.
    pub(super) fn maintenance_told(&self, one: &Maintenance) -> String {
        let zone = self.config.procedure.zone;
        let end = zone.local(one.ends_at());
        let (id, reason) = (one.id, &one.reason);
        format!("until {} {:02}:{:02} {zone} (maintenance {id}): {reason}", end.date, end.hour, end.minute)
    }

    fn scope_of(&self, body: &MaintenanceBody) -> Result<Scope, String> {
        let register = self.inventory.as_ref();
        let unknown = |kind: &str, name: &str| format!("{kind}: \"{name}\" is not in the register");
        match (&body.link, &body.site, &body.uplink) {
            (Some(name), None, None) => {
                let found =
                    name.parse().ok().filter(|name: &LinkName| register.is_some_and(|all| all.link(name).is_some()));
                found.map(Scope::Link).ok_or_else(|| unknown("link", name))
            }
            (None, Some(name), None) => {
                let found =
                    name.parse().ok().filter(|name: &SiteName| register.is_some_and(|all| all.site(name).is_some()));
                found.map(Scope::Site).ok_or_else(|| unknown("site", name))
            }
            (None, None, Some(name)) => {
                let found = name
                    .parse()
                    .ok()
                    .filter(|name: &UplinkName| register.is_some_and(|all| all.uplink(name).is_some()));
                found.map(Scope::Uplink).ok_or_else(|| unknown("uplink", name))
            }
            _ => Err("expected exactly one of link, site and uplink".into()),
        }
    }

    fn maintenance_view(&self, one: &Maintenance, now: UnixMillis) -> MaintenanceView {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        MaintenanceView {
            id: one.id.0,
            of: one.scope.kind().into(),
            name: one.scope.name().into(),
            links: links.filter(|link| one.scope.covers(link)).map(|link| link.name.to_string()).collect(),
            from: one.from.0,
            until: one.until.0,
            reason: one.reason.clone(),
            state: one.state(now).into(),
            added_at: one.added_at.0,
            added_by: one.added_by.to_string(),
            ended_at: one.ended.as_ref().map(|(at, _)| at.0),
            ended_by: one.ended.as_ref().map(|(_, by)| by.to_string()),
        }
    }
}
