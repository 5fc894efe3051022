//! From the raw config to the one the daemon runs with, or to everything that is wrong with it.

use std::{
    collections::HashSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use takar_collector_core::{
    assess::AssessSettings, inventory::UplinkName, plan::PlanSettings, policy::Policy, window::STEPS_A_READING,
};
use takar_notice::config::RawNotice;
use takar_shared::BitsPerSec;

use super::{
    Broker, BrokerKind, ChangeRules, Config, Endpoint, LONGEST_SOCKET, Problem, Readings,
    papers::papers,
    procedure::procedure,
    raw::{RawAssess, RawBroker, RawChange, RawConfig, RawPlan, RawPolicy, RawReadings},
    web::web,
};

/// A day, in seconds.
const DAY_S: u64 = 86_400;

pub(super) fn config(raw: RawConfig) -> Result<Config, Vec<Problem>> {
    let mut check = Check { problems: Vec::new() };
    let config = check.config(raw);
    if check.problems.is_empty() { Ok(config) } else { Err(check.problems) }
}

pub(super) struct Check {
    problems: Vec<Problem>,
}

impl Check {
    pub(super) fn say(&mut self, at: impl Into<String>, text: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), text: text.into() });
    }

    /// What it returns besides a problem is never used: [`config()`] throws it away.
    fn config(&mut self, raw: RawConfig) -> Config {
        self.absolute("state_dir", &raw.state_dir);
        let socket: PathBuf = raw.socket.unwrap_or_else(|| raw.state_dir.join("takar.sock"));
        // Its default is relative only where state_dir is, which was said.
        if raw.state_dir.is_absolute() {
            self.absolute("socket", &socket);
        }
        let length = socket.as_os_str().len();
        if length > LONGEST_SOCKET {
            let text = format!("\"{}\" has {length} bytes; expected at most {LONGEST_SOCKET} bytes", socket.display());
            self.say("socket", text);
        }
        if raw.socket_group.as_deref() == Some("") {
            self.say("socket_group", "empty; expected a group's name");
        }
        let broker = self.broker(raw.broker);
        let grant_valid_s = self.small("grant.valid_s", raw.grant.valid_s, 300, 30..=DAY_S);
        let readings = self.readings(&raw.readings);
        let assess = self.assess(&raw.assess);
        if readings.keep < assess.look_back {
            let text = format!("{}; expected at least assess.look_back ({})", readings.keep, assess.look_back);
            self.say("readings.keep", text);
        }
        let plan = self.plan(&raw.plan);
        let hold_down_s = self.number("plan.hold_down_s", raw.plan.hold_down_s, 900, 0..=DAY_S);
        let policy = self.policy(raw.policy);
        let change = self.change(&raw.change);
        let procedure = procedure(raw.procedure, self);
        let papers = papers(raw.papers, raw.office, self);
        let web = raw.web.and_then(|raw| web(raw, self));
        let notice = self.notice(raw.notice);
        let every_ms = self.number("commit.every_ms", raw.commit.every_ms, 250, 10..=10_000);
        Config {
            state_dir: raw.state_dir,
            socket,
            socket_group: raw.socket_group,
            broker,
            grant_valid_s,
            readings,
            assess,
            plan,
            hold_down_ms: hold_down_s.saturating_mul(1000),
            policy,
            change,
            procedure,
            papers,
            web,
            notice,
            commit_every: Duration::from_millis(every_ms),
        }
    }

    fn broker(&mut self, raw: RawBroker) -> Broker {
        let kind = raw.kind.parse::<BrokerKind>().map_err(|error| self.say("broker.kind", error.to_string())).ok();
        let address = self.endpoint("broker.address", raw.address.parse());
        let name = match (&raw.name, &address) {
            (None, address) => address.clone(),
            (Some(name), Some(address)) => self.endpoint("broker.name", Endpoint::with_port(name, address.port)),
            // Its port may be the address's, which does not read.
            (Some(_), None) => None,
        };
        let tls = raw.tls.unwrap_or(kind == Some(BrokerKind::Mosquitto));
        if let (Some(kind), Some(address), Some(name)) = (kind, &address, &name) {
            self.fits(kind, address, name, tls);
        }
        let nowhere = Endpoint { host: String::new(), port: 0 };
        let address = address.unwrap_or(nowhere);
        let name = name.unwrap_or_else(|| address.clone());
        Broker { kind: kind.unwrap_or(BrokerKind::Mosquitto), address, name, tls }
    }

    fn fits(&mut self, kind: BrokerKind, address: &Endpoint, name: &Endpoint, tls: bool) {
        let why = match kind {
            BrokerKind::Embedded => "the embedded broker has no access control",
            BrokerKind::Mosquitto if !tls => "without TLS only loopback is accepted",
            BrokerKind::Mosquitto => return,
        };
        if kind == BrokerKind::Embedded && tls {
            self.say("broker.tls", "the embedded broker has no TLS; expected false, or kind = \"mosquitto\"");
        }
        for (key, endpoint) in [("broker.address", address), ("broker.name", name)] {
            if !endpoint.is_loopback() {
                let text = format!("\"{}\" is not this machine; expected a loopback address: {why}", endpoint.host);
                self.say(key, text);
            }
        }
    }

    fn readings(&mut self, raw: &RawReadings) -> Readings {
        let length_s = self.number("readings.length_s", raw.length_s, 300, 1..=3600);
        let keep = self.number("readings.keep", raw.keep, 288, 1..=10_000);
        let max_gap_s = self.number("readings.max_gap_s", raw.max_gap_s, length_s.saturating_mul(3), 1..=DAY_S);
        let length_ms = length_s.saturating_mul(1000);
        // A reading is wrong by as much as one step at each end.
        let most = length_ms / STEPS_A_READING;
        let step = self.number("readings.counter_step_ms", raw.counter_step_ms, most.min(3_000), 0..=most);
        Readings {
            length_ms,
            keep: usize::try_from(keep).unwrap_or(usize::MAX),
            max_gap_ms: max_gap_s.saturating_mul(1000),
            counter_step_ms: step,
        }
    }

    fn assess(&mut self, raw: &RawAssess) -> AssessSettings {
        let default = AssessSettings::default();
        let settings = AssessSettings {
            window: raw.window.unwrap_or(default.window),
            saturated_count: raw.saturated_count.unwrap_or(default.saturated_count),
            saturated_per_mille: raw.saturated_per_mille.unwrap_or(default.saturated_per_mille),
            peak_per_mille: raw.peak_per_mille.unwrap_or(default.peak_per_mille),
            implausible_per_mille: raw.implausible_per_mille.unwrap_or(default.implausible_per_mille),
            clear_count: raw.clear_count.unwrap_or(default.clear_count),
            clear_per_mille: raw.clear_per_mille.unwrap_or(default.clear_per_mille),
            idle_per_mille: raw.idle_per_mille.unwrap_or(default.idle_per_mille),
            look_back: raw.look_back.unwrap_or(default.look_back),
            require_queue_evidence: raw.require_queue_evidence.unwrap_or(default.require_queue_evidence),
        };
        if let Err(problems) = settings.validate() {
            for problem in problems.0 {
                let text = format!("{} does not do; expected {}", problem.found, problem.expected);
                self.say(format!("assess.{}", problem.key), text);
            }
        }
        settings
    }

    fn plan(&mut self, raw: &RawPlan) -> PlanSettings {
        const TBPS: u64 = 1_000_000_000_000;
        let default = PlanSettings::default();
        let headroom = default.headroom_per_mille.into();
        let (least, most) = (default.min_gain_per_mille.into(), default.max_gain_per_mille.into());
        let granule = self.number("plan.granule_bps", raw.granule_bps, default.granule.0, 8..=TBPS);
        if !granule.is_multiple_of(8) {
            // HTB keeps rates in bytes/s.
            self.say("plan.granule_bps", format!("{granule} is no whole number of bytes/s; expected a multiple of 8"));
        }
        PlanSettings {
            headroom_per_mille: self.small("plan.headroom_per_mille", raw.headroom_per_mille, headroom, 0..=10_000),
            min_gain_per_mille: self.small("plan.min_gain_per_mille", raw.min_gain_per_mille, least, 0..=1_000),
            min_gain: BitsPerSec(self.number("plan.min_gain_bps", raw.min_gain_bps, default.min_gain.0, 0..=TBPS)),
            granule: BitsPerSec(granule),
            max_gain_per_mille: self.small("plan.max_gain_per_mille", raw.max_gain_per_mille, most, 1..=10_000),
        }
    }

    fn notice(&mut self, raw: Option<RawNotice>) -> Option<takar_notice::config::Settings> {
        match raw?.validate() {
            Ok(settings) => Some(settings),
            Err(problems) => {
                problems.into_iter().for_each(|(at, text)| self.say(at, text));
                None
            }
        }
    }

    fn policy(&mut self, raw: RawPolicy) -> Policy {
        let max_gain_per_mille = self.small("policy.max_gain_per_mille", raw.max_gain_per_mille, 500, 1..=10_000);
        let uplinks = raw.uplinks.unwrap_or_default();
        let mut seen = HashSet::new();
        for (row, name) in uplinks.iter().enumerate() {
            let at = format!("policy.uplinks[{row}]");
            if let Err(bad) = name.parse::<UplinkName>() {
                self.say(at, bad.to_string());
            } else if !seen.insert(name) {
                self.say(at, format!("\"{name}\" is there twice"));
            }
        }
        Policy { approve: raw.approve.unwrap_or(false), max_gain_per_mille, uplinks }
    }

    fn change(&mut self, raw: &RawChange) -> ChangeRules {
        ChangeRules {
            confirm_within_s: self.small("change.confirm_within_s", raw.confirm_within_s, 60, 5..=3600),
            expires_in_s: self.small("change.expires_in_s", raw.expires_in_s, 120, 5..=3600),
            withhold_confirm: raw.withhold_confirm.unwrap_or(false),
        }
    }

    pub(super) fn absolute(&mut self, at: &str, path: &Path) {
        if !path.is_absolute() {
            self.say(at, format!("\"{}\" is relative; expected an absolute path", path.display()));
        }
    }

    pub(super) fn endpoint(&mut self, at: &str, read: Result<Endpoint, super::BadEndpoint>) -> Option<Endpoint> {
        read.map_err(|bad| self.say(at, bad.to_string())).ok()
    }

    pub(super) fn number(&mut self, at: &str, given: Option<u64>, default: u64, range: RangeInclusive<u64>) -> u64 {
        let value = given.unwrap_or(default);
        if !range.contains(&value) {
            self.say(at, format!("{value} is out of range; expected {} to {}", range.start(), range.end()));
        }
        value
    }

    /// As [`Check::number`], of a range that `u32` holds.
    pub(super) fn small(&mut self, at: &str, given: Option<u64>, default: u64, range: RangeInclusive<u64>) -> u32 {
        u32::try_from(self.number(at, given, default, range)).unwrap_or(u32::MAX)
    }
}
