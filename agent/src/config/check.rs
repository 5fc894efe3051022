//! From the raw config to the one the agent runs with, or to everything that is wrong with it.

mod access;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use takar_shared::{
    BitsPerSec, Name,
    birth::{Bound, Mode},
    bundle::{MAX_CHANGES_PER_HOUR, MAX_DEVICES, MAX_METERS},
    id,
    queue::{ClassId, Shaper},
};

use super::{
    Config, DeviceConfig, Problem, QueuesConfig,
    raw::{RawConfig, RawDevice, RawShaper},
};

pub(super) fn config(raw: RawConfig) -> Result<Config, Vec<Problem>> {
    let mut check = Check { problems: Vec::new() };
    let config = check.config(raw);
    if check.problems.is_empty() { Ok(config) } else { Err(check.problems) }
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn say(&mut self, at: impl Into<String>, text: impl Into<String>) {
        self.problems.push(Problem { at: at.into(), text: text.into() });
    }

    /// What it returns besides a problem is never used: [`config()`] throws it away.
    fn config(&mut self, raw: RawConfig) -> Config {
        let mode = match raw.mode.as_deref() {
            None | Some("observe") => Mode::Observe,
            Some("live") => Mode::Live,
            Some(other) => {
                self.say("mode", format!("{other:?} is unknown; expected \"observe\" or \"live\""));
                Mode::Observe
            }
        };
        for (key, dir) in [("state_dir", &raw.state_dir), ("spool_dir", &raw.spool_dir)] {
            if !dir.is_absolute() {
                self.say(key, format!("\"{}\" is relative; expected an absolute path", dir.display()));
            }
        }
        self.range("spool_max_bytes", raw.spool_max_bytes, 128 * 1024, 1 << 30);
        self.range("poll_every_ms", raw.poll_every_ms, 200, 3_600_000);
        self.range("polls_per_message", raw.polls_per_message.into(), 1, 100);
        if raw.device.is_empty() {
            self.say("device", "no device; expected at least one [[device]] table");
        }
        let mut names = HashSet::new();
        let devices: Vec<_> =
            raw.device.into_iter().enumerate().map(|(at, device)| self.device(at, device, &mut names)).collect();
        let meters: usize = devices.iter().map(|device| device.meters().len()).sum();
        if devices.len() > MAX_DEVICES || meters > MAX_METERS {
            let found = format!("{} devices and {meters} meters", devices.len());
            self.say("device", format!("{found}; expected at most {MAX_DEVICES} and {MAX_METERS} an agent"));
        }
        Config {
            mode,
            state_dir: raw.state_dir,
            spool_dir: raw.spool_dir,
            spool_max_bytes: usize::try_from(raw.spool_max_bytes).unwrap_or(usize::MAX),
            poll_every: Duration::from_millis(raw.poll_every_ms),
            polls_per_message: raw.polls_per_message,
            devices,
        }
    }

    fn device(&mut self, at: usize, raw: RawDevice, names: &mut HashSet<String>) -> DeviceConfig {
        let at = format!("device[{at}]");
        // As the collector will have it at enrolment.
        let name = id::plain_name(&raw.name).unwrap_or_else(|error| {
            self.say(format!("{at}.name"), format!("{:?} does not do; {error}", raw.name));
            Name::new()
        });
        if !names.insert(raw.name.clone()) {
            self.say(format!("{at}.name"), format!("{:?} is there twice; expected a name of its own", raw.name));
        }
        self.range(&format!("{at}.changes_per_hour"), raw.changes_per_hour.into(), 1, MAX_CHANGES_PER_HOUR.into());
        // What is there but wrong is told once, not once more as missing.
        let (has_snmp, has_queues) =
            (raw.snmp.is_some(), raw.queues.as_ref().is_some_and(|queues| queues.backend != "none"));
        let kernel = raw.kernel.map(|kernel| self.interfaces(&format!("{at}.kernel.interfaces"), &kernel.interfaces));
        if has_snmp && kernel.is_some() {
            self.say(&at, "counted by [device.snmp] and by [device.kernel]; expected one of them");
        }
        let snmp = raw.snmp.and_then(|snmp| self.snmp(&format!("{at}.snmp"), snmp));
        let queues = match raw.queues {
            Some(queues) => self.queues(&format!("{at}.queues"), queues),
            None => QueuesConfig::None,
        };
        if !has_queues && !raw.shaper.is_empty() {
            self.say(
                format!("{at}.shaper"),
                "there are shapers but no [device.queues]; expected a backend that reads them",
            );
        }
        if !has_snmp && kernel.is_none() && !has_queues {
            self.say(&at, "nothing to read; expected [device.snmp], [device.kernel] or [device.queues]");
        }
        let mut bounds: Vec<Bound> = Vec::new();
        let mut trees = BTreeSet::new();
        for (row, shaper) in raw.shaper.into_iter().enumerate() {
            let at = format!("{at}.shaper[{row}]");
            let is_tree = shaper.tree.is_some();
            if let Some(bound) = self.bound(&at, shaper, &queues) {
                if let Shaper::Queue(name) = &bound.shaper {
                    let of_name: Vec<&Bound> = bounds.iter().filter(|other| other.shaper == bound.shaper).collect();
                    if is_tree && !of_name.is_empty() {
                        self.say(&at, format!("tree queue {name:?} is there twice; it shapes one direction"));
                    } else if trees.contains(name) {
                        self.say(&at, format!("{name:?} is a tree queue above; expected queues of different names"));
                    }
                    if is_tree {
                        trees.insert(name.clone());
                    }
                }
                if bounds.iter().any(|other| other.shaper == bound.shaper && other.direction == bound.direction) {
                    self.say(&at, format!("{} {} is there twice", shown(&bound.shaper), bound.direction));
                }
                let turned = |other: &Bound| other.shaper == bound.shaper && other.direction != bound.direction;
                if matches!(bound.shaper, Shaper::Root(_)) && bounds.iter().any(turned) {
                    let text = format!("{} is there for both directions; expected one", shown(&bound.shaper));
                    self.say(&at, text);
                }
                bounds.push(bound);
            }
        }
        DeviceConfig { name, changes_per_hour: raw.changes_per_hour, snmp, kernel, queues, bounds, trees }
    }

    fn bound(&mut self, at: &str, raw: RawShaper, queues: &QueuesConfig) -> Option<Bound> {
        let shaper = match (raw.queue, raw.tree, raw.class, raw.interface) {
            (Some(queue), None, None, None) => Shaper::Queue(self.name(&format!("{at}.queue"), &queue)),
            (None, Some(tree), None, None) => Shaper::Queue(self.name(&format!("{at}.tree"), &tree)),
            (None, None, Some(class), Some(interface)) => {
                let Some(classid) = ClassId::parse(&class) else {
                    self.say(
                        format!("{at}.class"),
                        format!("{class:?} is no tc class; expected hexadecimal such as \"1:10\""),
                    );
                    return None;
                };
                Shaper::Class { interface: self.name(&format!("{at}.interface"), &interface), classid }
            }
            (None, None, None, Some(interface)) => Shaper::Root(self.name(&format!("{at}.interface"), &interface)),
            _ => {
                let text = "expected one of queue = \"…\", tree = \"…\", class = \"1:10\" with interface = \"…\", or only \
                            interface = \"…\"";
                self.say(at, text);
                return None;
            }
        };
        let fits = match queues {
            QueuesConfig::RouterOs(_) => matches!(shaper, Shaper::Queue(_)),
            QueuesConfig::Cake | QueuesConfig::Sqm { .. } => matches!(shaper, Shaper::Root(_)),
            QueuesConfig::Htb => matches!(shaper, Shaper::Class { .. }),
            QueuesConfig::None => true,
        };
        if !fits {
            self.say(at, format!("a {} does not fit the device's backend", shown(&shaper)));
        }
        if raw.floor_bps > raw.ceiling_bps || raw.ceiling_bps == 0 {
            let text = format!(
                "floor {} and ceiling {}; expected 0 ≤ floor ≤ ceiling and a ceiling above 0",
                raw.floor_bps, raw.ceiling_bps
            );
            self.say(format!("{at}.floor_bps"), text);
        }
        let (floor, ceiling) = (BitsPerSec(raw.floor_bps), BitsPerSec(raw.ceiling_bps));
        Some(Bound { shaper, direction: raw.direction, floor, ceiling })
    }

    fn name(&mut self, at: &str, text: &str) -> Name {
        match id::name(text) {
            Some(name) if !name.is_empty() => name,
            Some(empty) => {
                self.say(at, "empty; expected a name");
                empty
            }
            None => {
                self.say(at, format!("{text:?} is longer than 64 bytes"));
                Name::new()
            }
        }
    }

    fn range(&mut self, at: &str, value: u64, low: u64, high: u64) {
        if !(low..=high).contains(&value) {
            self.say(at, format!("{value} is out of range; expected {low} to {high}"));
        }
    }
}

/// On one line, whatever the config calls its queues.
fn shown(shaper: &Shaper) -> String {
    shaper.to_string().escape_debug().to_string()
}
