//! Watches: one per link and direction, with its readings and what is found in them.

mod rest;
mod watch;

use std::collections::HashMap;

use takar_collector_core::{
    assess::{Assessor, Finding, FindingKind, NoFinding, Verdict},
    inventory::{Inventory, Link, LinkMeter, LinkName},
    rate::RateLimits,
    window::{Window, WindowSettings},
};
use takar_shared::{
    BitsPerSec, Direction, Name, UnixMillis,
    birth::Meter,
    queue::{QueueReading, Shaper},
};
use takar_store::{FindingRecord, MeterId, SampleRow, Write};

pub use watch::Watch;

use super::{Allocation, Engine};
use crate::config::{Config, Readings};

/// Every watch, and which meter feeds which.
#[derive(Default)]
pub struct Watches {
    all: HashMap<(LinkName, Direction), Watch>,
    fed_by: Feeds,
    shaped_by: HashMap<(Name, Shaper, Direction), (LinkName, Direction)>,
    /// When they were last looked at. A clock behind it was set back.
    looked_at: UnixMillis,
    /// Built of what is stored, and not judged since.
    unjudged: bool,
}

/// Per meter: the watches it feeds, and as what.
type Feeds = HashMap<MeterId, Vec<(LinkName, Direction, Role)>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The traffic itself: this value of the meter, in octets.
    Octets { value: usize },
    /// Drops, overlimits and backlog of the shaper.
    Queue,
}

impl Watches {
    pub fn get(&self, link: &LinkName, direction: Direction) -> Option<&Watch> {
        self.all.get(&(link.clone(), direction))
    }

    /// One sample, from the broker or (after a restart) from the store.
    pub fn feed(&mut self, row: &SampleRow) {
        let Some(roles) = self.fed_by.get(&row.meter) else { return };
        for (link, direction, role) in roles {
            let Some(watch) = self.all.get_mut(&(link.clone(), *direction)) else { continue };
            match role {
                Role::Octets { value } => watch.feed_octets(row, *value),
                Role::Queue => watch.feed_queue(row),
            }
        }
    }

    /// True where it was not known before what the device has.
    pub fn set_ceiling(&mut self, device: &Name, reading: &QueueReading, at: UnixMillis) -> bool {
        let key = (device.clone(), reading.shaper.clone(), reading.direction);
        let Some(watch) = self.shaped_by.get(&key).and_then(|key| self.all.get_mut(key)) else { return false };
        watch.window.set_ceiling(at, rest::ceiling(reading));
        watch.observed.replace(reading.clone()).is_none()
    }

    /// A device whose queues cannot be read: one may be gone, and what it shaped unlimited. Its links are held, and the
    /// whole uplink is reserved for each, until they are read again.
    pub fn forget_ceilings(&mut self, device: &Name) {
        for ((of, ..), key) in &self.shaped_by {
            if of == device
                && let Some(watch) = self.all.get_mut(key)
            {
                watch.observed = None;
            }
        }
    }
}

/// Which of an interface's octet counters is this direction: `Down` comes in from the uplink, `Up`
/// goes out to it. The only place that says so.
fn interface_value(direction: Direction) -> usize {
    match direction {
        Direction::Down => 0,
        Direction::Up => 1,
    }
}

impl Engine {
    /// Builds the watches of the present inventory; keeps those that still fit, replays the rest.
    pub(super) fn watch_links(&mut self, now: UnixMillis) -> anyhow::Result<()> {
        let Some(inventory) = self.inventory.clone() else { return Ok(()) };
        let settings = window_settings(&self.config.readings);
        let replayed = self.store.samples_of_all(reach(&self.config, now), now)?;
        // What lies before the first sample was not missed: nobody measured yet.
        let from = replayed.first().map_or(now, |row| row.at);
        let mut watches = Watches::default();
        for link in inventory.links() {
            // The reading that maintenance ended in is not looked at either.
            let rested = self.maintenances.rested_until(link, now);
            let from = rested.map_or(from, |at| from.max(at.plus(settings.reading_ms.saturating_sub(1))));
            for direction in Direction::BOTH {
                let side = link.side(direction);
                let key = (link.name.clone(), direction);
                watches.shaped_by.insert((link.device.clone(), side.shaper.clone(), direction), key.clone());
                let watch = self.watch(&inventory, link, direction, settings, from)?;
                watches.all.insert(key.clone(), watch);
                self.allocation.entry(key).or_insert(Allocation { mir: side.mir, changed_at: None });
            }
        }
        watches.fed_by = self.meters_that_feed(&inventory)?;
        // Ceilings first: a reading needs to know what it is measured against.
        for row in self.store.ceilings(UnixMillis(0))? {
            let reading = QueueReading {
                shaper: row.shaper,
                direction: row.direction,
                cir: row.cir,
                mir: row.mir,
                burst: BitsPerSec::ZERO,
                disabled: row.disabled,
            };
            // Written under a clock that was ahead, it stands all the same.
            watches.set_ceiling(&row.device, &reading, row.at.min(now).max(from));
        }
        for row in &replayed {
            watches.feed(row);
        }
        for watch in watches.all.values_mut() {
            watch.window.close_until(UnixMillis(now.0.saturating_sub(lag_ms(&self.config.readings))));
            // Seen on the devices before this start; not what stands there now.
            watch.observed = None;
        }
        watches.looked_at = now;
        watches.unjudged = true;
        self.watches = watches;
        Ok(())
    }

    /// Which stored meter feeds which watch, and as what.
    fn meters_that_feed(&self, inventory: &Inventory) -> anyhow::Result<Feeds> {
        let mut fed_by: Feeds = HashMap::new();
        for (id, key) in self.store.meters()? {
            for link in inventory.links_on(key.device.as_str()) {
                for direction in Direction::BOTH {
                    let shaper = Meter::Shaper { shaper: link.side(direction).shaper.clone(), direction };
                    let roles = fed_by.entry(id).or_default();
                    match (&link.meter, &key.meter) {
                        (LinkMeter::Interface(name), Meter::Interface(metered)) if name == metered => {
                            let value = interface_value(direction);
                            roles.push((link.name.clone(), direction, Role::Octets { value }));
                        }
                        (LinkMeter::Queues, metered) if *metered == shaper => {
                            roles.push((link.name.clone(), direction, Role::Octets { value: 0 }));
                        }
                        _ => {}
                    }
                    if key.meter == shaper {
                        roles.push((link.name.clone(), direction, Role::Queue));
                    }
                }
            }
        }
        Ok(fed_by)
    }

    /// A Birth may bring meters that were never heard of before.
    pub(super) fn map_meters(&mut self) -> anyhow::Result<()> {
        if let Some(inventory) = &self.inventory {
            self.watches.fed_by = self.meters_that_feed(inventory)?;
        }
        Ok(())
    }

    fn watch(
        &self,
        inventory: &Inventory,
        link: &Link,
        direction: Direction,
        settings: WindowSettings,
        from: UnixMillis,
    ) -> anyhow::Result<Watch> {
        let line = inventory.uplink(&link.uplink).map_or(BitsPerSec(u64::MAX), |uplink| uplink.capacity(direction));
        // A site's own line may be faster than the uplink it shares; a counter that claims four times that is wrong.
        let mut limits = RateLimits::for_line(BitsPerSec(line.0.saturating_mul(4)));
        limits.max_gap_ms = self.config.readings.max_gap_ms;
        limits.counter_step_ms = settings.counter_step_ms;
        let standing = self.findings.values().find(|record| {
            record.closed_at.is_none() && record.finding.link == link.name && record.finding.direction == direction
        });
        let assessor = match standing {
            Some(record) => Assessor::resume(record.finding.clone(), self.config.assess)?,
            None => Assessor::new(link.name.clone(), direction, self.config.assess)?,
        };
        let mut watch = Watch::new(Window::new(settings, from)?, assessor, limits);
        watch.finding = standing.map(|record| record.id);
        Ok(watch)
    }

    /// Closes readings that are complete and judges every link that has a new one: all that have any, after a start or
    /// an import.
    pub(super) fn look_at_readings(&mut self, now: UnixMillis) {
        if std::mem::replace(&mut self.watches.looked_at, now).since(now) > lag_ms(&self.config.readings) {
            self.begin_anew(now);
        }
        let until = UnixMillis(now.0.saturating_sub(lag_ms(&self.config.readings)));
        let unjudged = std::mem::take(&mut self.watches.unjudged);
        let (mut judged, mut resting) = (Vec::new(), Vec::new());
        for (key, watch) in &mut self.watches.all {
            let is_new = !watch.window.close_until(until).is_empty();
            if self.maintenances.rests(&key.0) {
                resting.extend(is_new.then(|| key.clone()));
                continue;
            }
            if is_new || unjudged && watch.window.newest().is_some() {
                judged.push((key.clone(), watch.assessor.update(now, &watch.window)));
            }
        }
        for (link, direction) in resting {
            self.publish_link(&link, direction);
        }
        if judged.is_empty() {
            return;
        }
        judged.sort_by(|one, other| one.0.cmp(&other.0));
        for ((link, direction), verdict) in judged {
            if let Err(error) = self.take_verdict(&link, direction, verdict, now) {
                tracing::error!(%link, %direction, ?error, "a finding could not be stored");
            }
            self.publish_link(&link, direction);
        }
        self.open_for_findings(now);
        self.plan_due = true;
    }

    /// The clock was set back: readings that ended in what is the future now would take nothing until it comes.
    fn begin_anew(&mut self, now: UnixMillis) {
        tracing::warn!("the clock was set back; readings begin anew");
        let seen = self.watches.all.iter_mut();
        let seen: Vec<_> = seen.filter_map(|(key, watch)| Some((key.clone(), watch.observed.take()?))).collect();
        if let Err(error) = self.watch_links(now) {
            tracing::error!(error = %format!("{error:#}"), "links are not measured until the clock has caught up");
        }
        for (key, reading) in seen {
            if let Some(watch) = self.watches.all.get_mut(&key) {
                watch.observed = Some(reading);
            }
        }
    }

    fn take_verdict(
        &mut self,
        link: &LinkName,
        direction: Direction,
        verdict: Verdict,
        now: UnixMillis,
    ) -> Result<(), crate::api::query::ApiError> {
        let key = (link.clone(), direction);
        match verdict {
            Verdict::Opened(finding) => {
                let id = self.next_finding;
                let record = FindingRecord { id, opened_at: now, closed_at: None, finding };
                self.decide(vec![Write::Finding(record.clone())], Vec::new())?;
                self.next_finding += 1;
                tracing::info!(id, "finding: {}", record.finding);
                self.publish_event(
                    "finding-opened",
                    serde_json::json!({"finding": super::answer::finding_view(&record)}),
                );
                self.findings.insert(id, record);
                self.note(&key, Some(id), None);
            }
            Verdict::Standing(finding) => {
                let id = self.watches.all.get(&key).and_then(|watch| watch.finding);
                if let Some(record) = id.and_then(|id| self.findings.get_mut(&id)) {
                    record.finding = finding;
                    self.pending.push(Write::Finding(record.clone()));
                }
                self.note(&key, id, None);
            }
            Verdict::Cleared(finding, ending) => {
                let id = self.watches.all.get(&key).and_then(|watch| watch.finding);
                if let Some(mut record) = id.and_then(|id| self.findings.remove(&id)) {
                    record.closed_at = Some(now);
                    record.finding = finding;
                    self.decide(vec![Write::Finding(record.clone())], Vec::new())?;
                    tracing::info!(id = record.id, "finding is over: {ending}");
                    self.publish_event(
                        "finding-closed",
                        serde_json::json!({"finding": super::answer::finding_view(&record), "why": ending.to_string()}),
                    );
                }
                self.note(&key, None, None);
            }
            Verdict::None(why) => self.note(&key, None, Some(why)),
        }
        Ok(())
    }

    fn note(&mut self, key: &(LinkName, Direction), finding: Option<u64>, no_finding: Option<NoFinding>) {
        if let Some(watch) = self.watches.all.get_mut(key) {
            watch.finding = finding;
            watch.no_finding = no_finding;
        }
    }

    /// The finding that stands for a link, if it is a shortage.
    pub(super) fn shortage(&self, link: &LinkName, direction: Direction) -> Option<(u64, &Finding)> {
        let id = self.watches.get(link, direction)?.finding?;
        let finding = &self.findings.get(&id)?.finding;
        (finding.kind == FindingKind::Shortage).then_some((id, finding))
    }
}

fn window_settings(readings: &Readings) -> WindowSettings {
    WindowSettings {
        reading_ms: readings.length_ms,
        keep: readings.keep,
        counter_step_ms: readings.counter_step_ms,
        ..WindowSettings::default()
    }
}

/// How far back readings are made of what is stored.
pub(super) fn reach(config: &Config, now: UnixMillis) -> UnixMillis {
    let readings = config.assess.look_back as u64 + 2;
    UnixMillis(now.0.saturating_sub(config.readings.length_ms.saturating_mul(readings)))
}

/// Readings are closed this much behind the clock: as long as telemetry may take.
pub(super) fn lag_ms(readings: &Readings) -> u64 {
    (readings.length_ms / 10).clamp(2_000, 30_000)
}
