//! What a report states, gathered from the case, its proposals and changes, what was frozen, and what was measured.

mod coordination;

use serde_json::Value;
use takar_collector_core::{
    case::{Case, Dialogue, Kind, Origin, Outcome, StepRecord},
    inventory::{Link, LinkName},
    ledger::{Change, ProposalRecord},
    plan::{Move, Why},
    window::{Load, Reading},
};
use takar_report::model;
use takar_shared::{BitsPerSec, Direction, UnixMillis};
use takar_store::EvidenceRow;

use crate::{
    api::query::ApiError,
    engine::{Engine, answer},
};

/// Curves of a report: those that got something first.
const MOST_PLOTS: usize = 4;

impl Engine {
    pub(super) fn case_report(
        &self,
        case: &Case,
        number: &str,
        now: UnixMillis,
    ) -> Result<model::CaseReport, ApiError> {
        let failed = |error: takar_store::StoreError| ApiError::Failed(error.to_string());
        let calendar = self.calendar();
        let evidence = self.store.evidence_of(case.id).map_err(failed)?;
        let proposals: Vec<ProposalRecord> = case.proposals.iter().filter_map(|id| self.proposal_record(*id)).collect();
        let mut changes = Vec::new();
        for batch in proposals.iter().filter_map(|record| record.batch) {
            changes.extend(self.store.changes_of(batch).map_err(failed)?);
        }
        let carried = carried(case, &proposals);
        let steps: Vec<model::Step> = case.steps.iter().map(|record| self.step(record, &calendar, now)).collect();
        Ok(model::CaseReport {
            number: number.into(),
            case: case.id.0,
            kind: kind(case.kind),
            outcome: outcome(case),
            made_at: now.0,
            opened_at: case.opened_at.0,
            origin: self.origin(case),
            uplink: self.uplink(case, carried, now),
            direction: case.direction.as_str().into(),
            sites: self.sites(case, carried, &changes, now),
            unmoved: carried.map(unmoved).unwrap_or_default(),
            verification: verification(&evidence),
            coordination: self.coordination(case, proposals.last(), &evidence),
            worked_ms: steps.iter().map(|step| step.worked_ms).sum(),
            steps,
            commands: self.commands(&changes)?,
            plots: self.plots(case, carried, &changes),
            audit: model::AuditMark { size: self.audit.size(), root: self.audit.root().to_string() },
            remarks: case
                .remarks
                .iter()
                .map(|one| model::Remark { at: one.at.0, by: self.name_of(&one.by), text: one.text.clone() })
                .collect(),
            standard_minutes: self.config.procedure.standard.total_minutes().into(),
        })
    }

    pub(super) fn provider_request(
        &self,
        case: &Case,
        dialogue: &Dialogue,
        now: UnixMillis,
    ) -> Result<model::ProviderRequest, ApiError> {
        let (provider, _) = self.provider_of(case)?;
        let inventory = self.inventory.as_ref();
        let contract = inventory.and_then(|all| all.contract_on(&case.uplink, self.today(now)));
        let title = |link: &LinkName| {
            let link = inventory?.link(link)?;
            Some(inventory?.site(&link.site)?.title.clone())
        };
        let link = self.provider_link(case, dialogue, now);
        Ok(model::ProviderRequest {
            number: dialogue.number.clone(),
            case: case.id.0,
            kind: kind(case.kind),
            made_at: now.0,
            provider: provider.name.to_string(),
            provider_title: provider.title.clone(),
            provider_address: provider.address.clone(),
            contact: contract.and_then(|one| one.contact.clone()).or_else(|| provider.contact.clone()),
            contract: contract.map(|one| one.number.clone()),
            uplink: case.uplink.to_string(),
            direction: case.direction.as_str().into(),
            capacity_bps: dialogue.capacity.0,
            wanted_bps: dialogue.wanted.0,
            from: case.loan.as_ref().map(|loan| loan.from.0),
            until: case.loan.as_ref().map(|loan| loan.until.0),
            price_idr: dialogue.price_idr,
            reason: answer::origin(&case.origin),
            sites: case.links.iter().filter_map(title).collect(),
            link_expires_at: link.as_ref().map(|(_, expires)| expires.0),
            link: link.map(|(url, _)| url),
        })
    }

    fn step(
        &self,
        record: &StepRecord,
        calendar: &takar_collector_core::calendar::Calendar,
        now: UnixMillis,
    ) -> model::Step {
        let standard = &self.config.procedure.standard;
        model::Step {
            number: record.step.number(),
            round: record.round,
            owner: self.name_of(&record.owner),
            began_at: record.began.0,
            ended_at: record.ended.map(|at| at.0),
            standard_minutes: standard.minutes(record.step).into(),
            worked_ms: record.worked_ms(calendar, now),
            overdue: record.is_overdue(calendar, standard, now),
            result: record.result.map_or("running", |result| result.as_str()).into(),
            note: record.note.clone(),
        }
    }

    fn origin(&self, case: &Case) -> model::Origin {
        match &case.origin {
            Origin::Finding { id, sentence, lacking } => model::Origin::Finding {
                id: *id,
                sentence: sentence.clone(),
                link: case.links.first().map_or_else(String::new, ToString::to_string),
                lacking_bps: lacking.0,
            },
            Origin::Need { name, letter } => {
                let inventory = self.inventory.as_ref();
                let need = inventory.and_then(|all| all.needs().iter().find(|need| need.name.to_string() == *name));
                let site = need.map_or_else(String::new, |need| need.site.to_string());
                model::Origin::Need { name: name.clone(), site, letter: letter.clone() }
            }
            Origin::Person { name, reason } => {
                model::Origin::Person { name: self.full_name(name), reason: reason.clone() }
            }
            Origin::Request { name, reason, letter } => {
                model::Origin::Request { name: self.full_name(name), reason: reason.clone(), letter: letter.clone() }
            }
        }
    }

    fn uplink(&self, case: &Case, carried: Option<&ProposalRecord>, now: UnixMillis) -> model::Uplink {
        let inventory = self.inventory.as_ref();
        let uplink = inventory.and_then(|all| all.uplink(&case.uplink));
        let provider = uplink.and_then(|uplink| inventory?.provider(&uplink.provider));
        let contract = inventory.and_then(|all| all.contract_on(&case.uplink, self.today(now)));
        let budget = uplink.map_or(BitsPerSec::ZERO, |uplink| uplink.mir_budget(case.direction));
        let members = inventory.into_iter().flat_map(|all| all.members(&case.uplink));
        let sum: BitsPerSec = members.map(|link| self.recorded(link, case.direction)).sum();
        model::Uplink {
            name: case.uplink.to_string(),
            provider: provider.map_or_else(String::new, |one| one.name.to_string()),
            provider_title: provider.map_or_else(String::new, |one| one.title.clone()),
            capacity_bps: uplink.map_or(0, |uplink| uplink.capacity(case.direction).0),
            sum_before_bps: carried.map_or(sum, |record| record.proposal.sum_before).0,
            sum_after_bps: carried.map_or(sum, |record| record.proposal.sum_after).0,
            budget_bps: carried.map_or(budget, |record| record.proposal.budget).0,
            contract: contract.map(|one| one.number.clone()),
        }
    }

    fn sites(
        &self,
        case: &Case,
        carried: Option<&ProposalRecord>,
        changes: &[Change],
        now: UnixMillis,
    ) -> Vec<model::SiteChange> {
        let Some(record) = carried else { return self.sites_as_they_are(case, now) };
        let changed_at = changes.iter().filter_map(|change| change.times.applied).min();
        let moved = record.proposal.moves.iter().filter_map(|one| {
            let link = self.inventory.as_ref()?.link(&one.link)?;
            let why = why(one, case.kind);
            Some(self.site(link, (one.from, one.to), why, (case.direction, changed_at), now))
        });
        moved.collect()
    }

    /// Of a case in which nothing moved: what it was about.
    fn sites_as_they_are(&self, case: &Case, now: UnixMillis) -> Vec<model::SiteChange> {
        let links = case.links.iter().filter_map(|link| self.inventory.as_ref()?.link(link));
        links
            .map(|link| {
                let has = self.recorded(link, case.direction);
                self.site(link, (has, has), model::Why::Unchanged, (case.direction, None), now)
            })
            .collect()
    }

    fn site(
        &self,
        link: &Link,
        (before, after): (BitsPerSec, BitsPerSec),
        why: model::Why,
        (direction, changed_at): (Direction, Option<UnixMillis>),
        now: UnixMillis,
    ) -> model::SiteChange {
        let readings = self.readings(&link.name, direction);
        let (old, new): (Vec<Reading>, Vec<Reading>) =
            readings.into_iter().partition(|reading| changed_at.is_none_or(|at| reading.end() <= at));
        let title = self.inventory.as_ref().and_then(|all| all.site(&link.site)).map(|site| site.title.clone());
        model::SiteChange {
            site: link.site.to_string(),
            site_title: title.unwrap_or_else(|| link.site.to_string()),
            link: link.name.to_string(),
            before_bps: before.0,
            after_bps: after.0,
            device_bps: self.observed(&link.name, direction).map(|rate| rate.0),
            cir_bps: link.side(direction).cir.map(|cir| cir.0),
            need_bps: self.need_of(link, direction, now).map(|rate| rate.0),
            utilisation_before: utilisation(&old),
            utilisation_after: utilisation(&new),
            why,
        }
    }

    pub(super) fn readings(&self, link: &LinkName, direction: Direction) -> Vec<Reading> {
        let watch = self.watches.get(link, direction);
        watch.map(|watch| watch.window.readings().copied().collect()).unwrap_or_default()
    }

    fn commands(&self, changes: &[Change]) -> Result<Vec<model::Command>, ApiError> {
        let command = |change: &Change| {
            let receipts = self.store.receipts_of(change.id).map_err(|error| ApiError::Failed(error.to_string()))?;
            let view = answer::change_view(change);
            let read_back = change.moves.iter().filter_map(|one| {
                let seen = self.observed(&one.link, one.set.direction)?;
                Some(format!("{} {seen}", one.link))
            });
            Ok(model::Command {
                change: view.id,
                device: view.device,
                serial: view.serial,
                step: view.step,
                steps: view.steps,
                state: view.state,
                sentence: view.sentence,
                links: change.moves.iter().map(|one| one.link.to_string()).collect(),
                dispatched_at: view.dispatched_at,
                applied_at: view.applied_at,
                ended_at: view.ended_at,
                receipts: receipts.iter().map(|row| row.digest.to_string()).collect(),
                read_back: read_back.collect(),
            })
        };
        changes.iter().map(command).collect()
    }

    fn plots(&self, case: &Case, carried: Option<&ProposalRecord>, changes: &[Change]) -> Vec<model::Plot> {
        let mut links: Vec<LinkName> = match carried {
            Some(record) => record.proposal.moves.iter().rev().map(|one| one.link.clone()).collect(),
            None => case.links.clone(),
        };
        links.dedup();
        let plot = |link: &LinkName| {
            let readings = self.readings(link, case.direction);
            let points: Vec<model::Point> = readings.iter().filter_map(point).collect();
            let (first, last) = (readings.first()?, readings.last()?);
            let applied = changes.iter().filter(|change| change.moves.iter().any(|one| one.link == *link));
            Some(model::Plot {
                link: link.to_string(),
                direction: case.direction.as_str().into(),
                from: first.start.0,
                to: last.end().0,
                points,
                changes: applied.filter_map(|change| change.times.applied).map(|at| at.0).collect(),
            })
        };
        links.iter().take(MOST_PLOTS).filter_map(plot).collect()
    }
}

/// What was carried out: of a loan, what was lent.
fn carried<'a>(case: &Case, proposals: &'a [ProposalRecord]) -> Option<&'a ProposalRecord> {
    match (&case.outcome, &case.loan) {
        (Some(Outcome::NotCarriedOut { .. }) | None, _) => None,
        (_, Some(loan)) => proposals.iter().find(|record| Some(record.id) == loan.lent),
        _ => proposals.last(),
    }
}

pub(super) fn kind(kind: Kind) -> model::CaseKind {
    match kind {
        Kind::Reallocation => model::CaseKind::Reallocation,
        Kind::Addition => model::CaseKind::Addition,
        Kind::Bod => model::CaseKind::Bod,
        Kind::Deferral => model::CaseKind::Deferral,
    }
}

pub(super) fn outcome(case: &Case) -> model::Outcome {
    match &case.outcome {
        Some(Outcome::Allocated) => model::Outcome::Allocated,
        Some(Outcome::Returned) => model::Outcome::Returned,
        Some(Outcome::NotCarriedOut { why }) => model::Outcome::NotCarriedOut { why: why.clone() },
        None => model::Outcome::NotCarriedOut { why: "The case has not ended.".into() },
    }
}

fn why(one: &Move, kind: Kind) -> model::Why {
    match (one.why, kind) {
        (_, Kind::Bod) if one.is_raise() => model::Why::Lent { wanted_bps: one.to.0 },
        (Why::Gives { spare }, _) => model::Why::Gives { spare_bps: spare.0 },
        (Why::Gets { wanted, served_at }, _) => model::Why::Gets { wanted_bps: wanted.0, served_bps: served_at.0 },
        (Why::Asked, _) => model::Why::Asked,
    }
}

fn unmoved(record: &ProposalRecord) -> Vec<model::Unmoved> {
    let other = |(link, why): &(LinkName, String)| model::Unmoved { link: link.to_string(), why: why.clone() };
    record.others.iter().map(other).collect()
}

pub(super) fn utilisation(readings: &[Reading]) -> Option<model::Utilisation> {
    let valid: Vec<&Reading> = readings.iter().filter(|reading| reading.valid).collect();
    let means: Vec<BitsPerSec> = valid.iter().filter_map(|reading| reading.mean()).collect();
    let load = Load::of(&means)?;
    let ceiling = valid.iter().rev().find_map(|reading| reading.ceiling).filter(|ceiling| *ceiling > BitsPerSec::ZERO);
    let share = |rate: BitsPerSec| {
        let share = ceiling.and_then(|ceiling| (u128::from(rate.0) * 1000).checked_div(u128::from(ceiling.0)));
        u32::try_from(share.unwrap_or_default()).unwrap_or(u32::MAX)
    };
    let gaps = readings.len().saturating_sub(valid.len());
    Some(model::Utilisation {
        from: readings.first()?.start.0,
        to: readings.last()?.end().0,
        mean_bps: load.mean.0,
        p95_bps: load.p95.0,
        peak_bps: load.peak.0,
        mean_per_mille: share(load.mean),
        p95_per_mille: share(load.p95),
        readings: u32::try_from(valid.len()).unwrap_or(u32::MAX),
        gaps: u32::try_from(gaps).unwrap_or(u32::MAX),
    })
}

fn point(reading: &Reading) -> Option<model::Point> {
    let mean = reading.mean().filter(|_| reading.valid)?;
    Some(model::Point {
        at: reading.start.0.saturating_add(reading.length_ms / 2),
        mean_bps: mean.0,
        ceiling_bps: reading.ceiling.map(|ceiling| ceiling.0),
    })
}

fn newest<'a>(evidence: &'a [EvidenceRow], kind: &str) -> Option<Value> {
    let row: &'a EvidenceRow = evidence.iter().rev().find(|row| row.kind == kind)?;
    serde_json::from_str::<Value>(&row.body).ok().map(|mut body| body["what"].take())
}

fn verification(evidence: &[EvidenceRow]) -> Vec<model::Check> {
    let found = newest(evidence, "verification");
    let checks = found.as_ref().and_then(|what| what["checks"].as_array().cloned()).unwrap_or_default();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    checks
        .iter()
        .map(|check| model::Check {
            what: text(check, "what"),
            outcome: text(check, "outcome"),
            evidence: text(check, "told"),
            numbers: check["numbers"].as_object().cloned().unwrap_or_default(),
        })
        .collect()
}
