//! Enrolment by file: what an agent's request must be, and the bundle that answers it.

use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, anyhow};
use takar_shared::{
    AgentId, Digest, UnixMillis,
    birth::Bound,
    bundle::{Bundle, MAX_CHANGES_PER_HOUR, MAX_DEVICES, MAX_METERS, Request, request_preimage},
    id,
    queue::Shaper,
    signing,
};

use crate::{
    config::Config,
    keys::{self, Network, agent_certificate, file},
};

/// The agent that asks and its public key, or everything that is wrong with the request.
pub fn check_request(request: &Request) -> Result<(AgentId, [u8; 32]), Vec<String>> {
    let mut check = Check { problems: Vec::new() };
    if request.takar_request != 1 {
        check.say("takar_request", format_args!("version {}; expected 1", request.takar_request));
    }
    check.name("name", &request.name);
    let asked = check.key(request);
    check.devices(request);
    match asked {
        Some(asked) if check.problems.is_empty() => Ok(asked),
        _ => Err(check.problems),
    }
}

/// What `device approve` hands out. The same request gives the same agent another bundle.
///
/// Errors: the request does not do; keyset, CA or certificates in the state folder do not read.
pub fn bundle_for(state: &Path, config: &Config, request: &Request, now: UnixMillis) -> anyhow::Result<Bundle> {
    let (agent, public_key) =
        check_request(request).map_err(|problems| anyhow!("the request does not do: {}", problems.join("; ")))?;
    let network = Network::load(state)?;
    let (keyset, _) = network.load_keyset(state)?;
    let (ca, certificate) = if config.broker.tls {
        let path = state.join(file::CA);
        let ca = String::from_utf8(keys::read_file(&path)?).with_context(|| path.display().to_string())?;
        (Some(ca), Some(agent_certificate(state, agent, &public_key)?))
    } else {
        (None, None)
    };
    Ok(Bundle {
        takar_bundle: 1,
        network: network.id.to_string(),
        agent: agent.to_string(),
        name: request.name.clone(),
        server_time: now.0,
        root_keys: network.root.keys.iter().map(|key| keys::hex(key)).collect(),
        root_threshold: network.root.threshold,
        keyset: keys::hex(&keyset),
        broker: config.broker.url(),
        ca,
        certificate,
    })
}

struct Check {
    problems: Vec<String>,
}

impl Check {
    fn say(&mut self, at: &str, text: impl std::fmt::Display) {
        self.problems.push(format!("{at}: {text}"));
    }

    /// Key, fingerprint and the proof that whoever asks holds the key.
    fn key(&mut self, request: &Request) -> Option<(AgentId, [u8; 32])> {
        // A Digest has the length and the hex form of a public key.
        let key = request.public_key.parse::<Digest>().map_err(|error| self.say("public_key", error)).ok();
        let fingerprint = request.fingerprint.parse::<AgentId>().map_err(|error| self.say("fingerprint", error)).ok();
        let signature = keys::unhex(&request.signature).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        if signature.is_none() {
            self.say("signature", "expected 128 lower-case hexadecimal digits");
        }
        let Digest(key) = key?;
        let agent = AgentId::of_key(&key);
        if let Some(fingerprint) = fingerprint.filter(|fingerprint| *fingerprint != agent) {
            self.say("fingerprint", format_args!("{fingerprint} is not the key's, which is {agent}"));
        }
        if let Some(signature) = signature
            && !signing::verify(&key, &request_preimage(request), &signature)
        {
            self.say("signature", "does not hold; expected one by public_key over all other keys of the request");
        }
        Some((agent, key))
    }

    fn devices(&mut self, request: &Request) {
        if request.devices.is_empty() || request.devices.len() > MAX_DEVICES {
            self.say("devices", format_args!("{}; expected 1 to {MAX_DEVICES}", request.devices.len()));
        }
        let bounds: usize = request.devices.iter().map(|device| device.bounds.len()).sum();
        // Each bound is a meter too.
        if bounds > MAX_METERS {
            self.say("devices", format_args!("{bounds} bounds; expected at most {MAX_METERS} an agent"));
        }
        let mut seen = HashSet::new();
        for (row, device) in request.devices.iter().enumerate() {
            let at = format!("devices[{row}]");
            self.name(&format!("{at}.device"), &device.device);
            if !seen.insert(device.device.as_str()) {
                self.say(&format!("{at}.device"), format_args!("{:?} is there twice", device.device));
            }
            if !(1..=MAX_CHANGES_PER_HOUR).contains(&device.changes_per_hour) {
                let (found, most) = (device.changes_per_hour, MAX_CHANGES_PER_HOUR);
                self.say(&format!("{at}.changes_per_hour"), format_args!("{found}; expected 1 to {most}"));
            }
            self.bounds(&at, &device.bounds);
        }
    }

    fn bounds(&mut self, at: &str, bounds: &[Bound]) {
        let mut seen = HashSet::new();
        for (row, bound) in bounds.iter().enumerate() {
            let at = format!("{at}.bounds[{row}]");
            let (Shaper::Queue(name) | Shaper::Class { interface: name, .. } | Shaper::Root(name)) = &bound.shaper;
            if name.is_empty() {
                self.say(&at, "the name of its queue or interface is empty; expected one");
            }
            if bound.floor > bound.ceiling || bound.ceiling.0 == 0 {
                let (floor, ceiling) = (bound.floor, bound.ceiling);
                let expected = "expected 0 ≤ floor ≤ ceiling and a ceiling above 0";
                self.say(&at, format_args!("floor {floor} and ceiling {ceiling}; {expected}"));
            }
            if !seen.insert((&bound.shaper, bound.direction)) {
                // Any character may be in it, and whoever approves reads this in a terminal.
                let shaper = bound.shaper.to_string();
                self.say(&at, format_args!("{} {} is there twice", shaper.escape_debug(), bound.direction));
            }
        }
    }

    fn name(&mut self, at: &str, text: &str) {
        if let Err(error) = id::plain_name(text) {
            self.say(at, format_args!("{} does not do; {error}", id::Quoted(text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use takar_shared::{BitsPerSec, Direction, Name, queue::ClassId};

    use super::*;

    fn problems(shapers: Vec<Shaper>) -> Vec<String> {
        let (floor, ceiling) = (BitsPerSec(1), BitsPerSec(2));
        let of = |shaper| Bound { shaper, direction: Direction::Down, floor, ceiling };
        let bounds: Vec<_> = shapers.into_iter().map(of).collect();
        let mut check = Check { problems: Vec::new() };
        check.bounds("devices[0]", &bounds);
        check.problems
    }

    #[test]
    fn a_queue_without_a_name_is_refused() {
        let class = |interface: Name| Shaper::Class { interface, classid: ClassId(0x0001_0010) };
        let kinds: [fn(Name) -> Shaper; 3] = [Shaper::Queue, Shaper::Root, class];
        for of in kinds {
            assert_eq!(problems(vec![of(id::name("wan").unwrap())]), [""; 0]);
            let expected = "devices[0].bounds[0]: the name of its queue or interface is empty; expected one";
            assert_eq!(problems(vec![of(Name::new())]), [expected]);
        }
    }

    #[test]
    fn no_control_character_of_a_request_reaches_a_terminal() {
        let queue = Shaper::Queue(id::name("sd\u{1b}[2J\n").unwrap());
        let expected = r"devices[0].bounds[1]: queue sd\u{1b}[2J\n down is there twice";
        assert_eq!(problems(vec![queue.clone(), queue]), [expected]);
    }
}
