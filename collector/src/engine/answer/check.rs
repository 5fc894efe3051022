//! `takar check`: step 1 in one table.

use takar_collector_core::{
    assess::FindingKind,
    check::{Known, Measured, Verdict, check},
    inventory::{Link, UplinkName},
};
use takar_shared::{BitsPerSec, Direction, UnixMillis};

use crate::{engine::Engine, view::CheckView};

impl Engine {
    /// A row for each link and direction, the gravest first; or those of one uplink in one direction.
    pub(in crate::engine) fn check_rows(
        &self,
        of: Option<(&UplinkName, Direction)>,
        now: UnixMillis,
    ) -> Vec<CheckView> {
        let links = self.inventory.iter().flat_map(|inventory| inventory.links());
        let wanted = links.flat_map(|link| Direction::BOTH.map(|direction| (link, direction)));
        let wanted = wanted
            .filter(|(link, direction)| of.is_none_or(|(uplink, one)| link.uplink == *uplink && *direction == one));
        let mut rows: Vec<(Verdict, CheckView)> =
            wanted.filter_map(|(link, direction)| self.check_row(link, direction, now)).collect();
        rows.sort_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.link.cmp(&b.link)));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn check_row(&self, link: &Link, direction: Direction, now: UnixMillis) -> Option<(Verdict, CheckView)> {
        let inventory = self.inventory.as_ref()?;
        let uplink = inventory.uplink(&link.uplink)?;
        let watch = self.watches.get(&link.name, direction);
        let demand = watch.map(|watch| watch.demand());
        let served = demand.and_then(|demand| demand.served);
        let today = self.today(now);
        let members = inventory.members(&link.uplink);
        let promised: BitsPerSec = members.map(|member| self.recorded(member, direction)).sum();
        let known = Known {
            link: link.name.clone(),
            direction,
            recorded: self.recorded(link, direction),
            observed: self.observed(&link.name, direction),
            promised,
            budget: uplink.mir_budget(direction),
            need: self.need_of(link, direction, now),
            needs_are_kept: !inventory.needs().is_empty(),
            is_valid: link.valid_from.is_none_or(|from| from <= today) && link.valid_to.is_none_or(|to| today <= to),
            measured: self.measured(link, direction),
        };
        let checked = check(&known);
        let contract = inventory.contract_on(&link.uplink, today);
        let row = CheckView {
            site: link.site.to_string(),
            site_title: inventory.site(&link.site).map_or_else(String::new, |site| site.title.clone()),
            link: link.name.to_string(),
            uplink: link.uplink.to_string(),
            direction: direction.as_str().into(),
            recorded_bps: known.recorded.0,
            observed_bps: known.observed.map(|rate| rate.0),
            cir_bps: link.side(direction).cir.map(|cir| cir.0),
            contract_bps: contract.map(|contract| contract.rate(direction).0),
            promised_bps: known.promised.0,
            budget_bps: known.budget.0,
            need_bps: known.need.map(|rate| rate.0),
            p95_bps: served.map(|load| load.p95.0),
            peak_bps: served.map(|load| load.peak.0),
            unserved_bps: demand.and_then(|demand| demand.unserved).map(|rate| rate.0),
            verdict: checked.verdict.to_string(),
            why: checked.why,
        };
        Some((checked.verdict, row))
    }

    /// All needs in force today that are this link's, or its site's where the link is its first.
    pub(in crate::engine) fn need_of(&self, link: &Link, direction: Direction, now: UnixMillis) -> Option<BitsPerSec> {
        let inventory = self.inventory.as_ref()?;
        let today = self.today(now);
        let own = inventory.needs().iter().filter(|need| need.in_force(today) && need.site == link.site);
        let own = own.filter(|need| match &need.link {
            Some(named) => *named == link.name,
            None => inventory.links().iter().find(|other| other.site == link.site).is_some_and(|first| first == link),
        });
        let rates: Vec<BitsPerSec> = own.filter_map(|need| need.rate(direction)).collect();
        (!rates.is_empty()).then(|| rates.into_iter().sum())
    }

    fn measured(&self, link: &Link, direction: Direction) -> Measured {
        let Some(watch) = self.watches.get(&link.name, direction) else { return Measured::Not };
        let p95 = watch.demand().served.map(|load| load.p95);
        let found = watch.finding.and_then(|id| self.findings.get(&id)).map(|record| &record.finding);
        match found.map(|finding| (finding.kind, finding.size)) {
            // It was raised, and stands until readings under the new ceiling end it.
            Some((FindingKind::Shortage, BitsPerSec::ZERO)) => Measured::Fits { p95 },
            Some((FindingKind::Shortage, lacking)) => Measured::Short { p95, lacking },
            Some((FindingKind::Surplus, unused)) => Measured::Idle { p95, unused },
            Some((FindingKind::NotMeasured, _)) => Measured::Not,
            None if p95.is_none() => Measured::Not,
            None => Measured::Fits { p95 },
        }
    }
}
