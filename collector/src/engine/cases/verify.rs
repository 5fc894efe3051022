//! Steps 1 and 2 by Takar: what is compared is frozen, and everything that only looks like a shortage is ruled out.

use serde_json::{Value, json};
use takar_collector_core::{
    assess::Finding,
    case::{Act, By, Case, CaseId, Step},
    inventory::{Link, LinkMeter},
    verify::{DeviceSeen, Input, InterfaceSeen, Verdict, Verification, VerifySettings, verify},
};
use takar_shared::{UnixMillis, telemetry::PollOutcome};

use super::frozen;
use crate::{api::query::ApiError, engine::Engine};

impl Engine {
    pub(super) fn check_and_verify(&mut self, now: UnixMillis) {
        let ids: Vec<CaseId> = self.cases.all().map(|case| case.id).collect();
        for id in ids {
            self.tried(id, "a check", |engine| engine.check_case(id, now));
            self.tried(id, "a verification", |engine| engine.verify_case(id, now));
        }
    }

    /// Of a case that answers findings. A need, and what a person opened, a person verifies.
    fn verify_case(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let Ok(case) = self.case(id) else { return Ok(()) };
        if !case.is_in(Step::Identify) || case.findings.is_empty() {
            return Ok(());
        }
        let Some(finding) = self.standing(&case) else {
            let rests = case.links.iter().any(|link| self.maintenances.rests(link));
            let reason = if rests {
                "its link came under maintenance before it could be verified"
            } else {
                "it was over by itself before it could be verified"
            };
            let reason = reason.to_owned();
            return self.move_case(id, &Act::Dismiss { reason }, &By::takar(), None, now);
        };
        let Some(verification) = self.verification(&finding, now) else { return Ok(()) };
        let confirmed = verification.verdict == Verdict::Confirmed;
        let told = verification.verdict.to_string();
        if !confirmed && self.cases.verified.get(&id) == Some(&told) {
            return Ok(());
        }
        let evidence = frozen(id, "verification", &shown(&verification, &finding), now);
        let act = Act::Verify { evidence: evidence.digest, confirmed };
        self.move_case(id, &act, &By::takar(), Some(evidence), now)?;
        if !confirmed {
            tracing::info!(case = %id, "not verified: {told}");
            self.cases.verified.insert(id, told);
        }
        Ok(())
    }

    /// Its finding that still stands.
    fn standing(&self, case: &Case) -> Option<Finding> {
        let records = case.findings.iter().rev().filter_map(|id| self.findings.get(id));
        let mut open = records.filter(|record| record.closed_at.is_none());
        open.next().map(|record| record.finding.clone())
    }

    fn verification(&self, finding: &Finding, now: UnixMillis) -> Option<Verification> {
        let link = self.inventory.as_ref()?.link(&finding.link)?;
        let readings = self.readings(&finding.link, finding.direction);
        let seen = self.interface_of(link);
        let input = Input {
            finding,
            readings: &readings,
            device: self.device_seen(link),
            interface: seen.map(|seen| InterfaceSeen {
                at: seen.at,
                facts: &seen.facts,
                before: seen.before.as_ref().map(|(at, facts)| (*at, facts)),
                transitions: &seen.transitions,
            }),
            recorded: self.recorded(link, finding.direction),
            observed: self.observed(&link.name, finding.direction),
            now,
        };
        let assess = &self.config.assess;
        let settings = VerifySettings {
            least_readings: assess.saturated_count.min(3),
            least_saturated: assess.saturated_count,
            saturated_per_mille: assess.saturated_per_mille,
            most_above_per_mille: assess.implausible_per_mille,
            ..VerifySettings::default()
        };
        Some(verify(&input, &settings))
    }

    fn interface_of(&self, link: &Link) -> Option<&crate::engine::ingest::InterfaceState> {
        match &link.meter {
            LinkMeter::Interface(name) => self.interface(link.device.as_str(), name.as_str()),
            LinkMeter::Queues => None,
        }
    }

    fn device_seen(&self, link: &Link) -> DeviceSeen {
        match self.device(link.device.as_str()) {
            Some((agent, device)) => DeviceSeen {
                online: agent.online && agent.quarantine.is_none(),
                polled_ok: device.outcome == Some(PollOutcome::Ok),
                heard_at: agent.last_heard,
            },
            None => DeviceSeen { online: false, polled_ok: false, heard_at: None },
        }
    }
}

/// As frozen: the numbers, and the sentences of today.
fn shown(verification: &Verification, finding: &Finding) -> Value {
    let checks: Vec<Value> = verification
        .checks
        .iter()
        .map(|check| {
            let numbers = serde_json::to_value(&check.evidence).unwrap_or_default();
            json!({
                "what": check.what.as_str(), "outcome": check.outcome.as_str(),
                "told": check.evidence.to_string(), "numbers": numbers,
            })
        })
        .collect();
    json!({
        "at": verification.at, "verdict": verification.verdict, "told": verification.verdict.to_string(),
        "checks": checks, "finding": finding,
    })
}
