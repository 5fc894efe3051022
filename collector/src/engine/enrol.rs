//! Enrolment by file: requests that wait, and their approval into agents with a bundle.

use std::{collections::BTreeSet, fs};

use takar_collector_core::{audit::AuditEvent, ledger::Actor};
use takar_shared::{
    AgentId, UnixMillis,
    bundle::{Bundle, Request},
};
use takar_store::{AgentRecord, Write};

use super::{Agent, Engine};
use crate::{api::query::ApiError, init, view::DeviceBody};

impl Engine {
    /// Keeps a request until somebody approves it.
    pub(super) fn device_add(&mut self, body: DeviceBody) -> Result<Request, ApiError> {
        let DeviceBody::Request { request, .. } = body else {
            return Err(ApiError::Invalid(vec![
                "expected a request file written by takar-agent enrol --request".into(),
            ]));
        };
        let (id, _) = init::check_request(&request).map_err(ApiError::Invalid)?;
        if self.enrolled().any(|agent| agent.record.id == id) {
            return Err(ApiError::Conflict(format!("agent {id} is enrolled already")));
        }
        let write = || -> anyhow::Result<()> {
            fs::create_dir_all(&self.requests_dir)?;
            fs::write(self.requests_dir.join(format!("{id}.json")), serde_json::to_vec_pretty(&request)?)?;
            Ok(())
        };
        write().map_err(|error| ApiError::Failed(format!("the request cannot be kept: {error:#}")))?;
        Ok(request)
    }

    /// Approving twice gives the same agent a new bundle: a lost file costs nothing. An agent that was taken out is
    /// enrolled again by it.
    pub(super) fn device_approve(&mut self, body: DeviceBody, by: Actor, now: UnixMillis) -> Result<Bundle, ApiError> {
        let (request, replace) = match body {
            DeviceBody::Request { request, replace } => (request, replace),
            DeviceBody::Added { added, replace } => (self.added(&added)?, replace),
        };
        let (id, public_key) = init::check_request(&request).map_err(ApiError::Invalid)?;
        let others = self.enrolled().filter(|agent| agent.record.id != id).map(Server::of);
        let replaced = replaced(&request, replace, others).map_err(ApiError::Invalid)?;
        let bundle = init::bundle_for(&self.config.state_dir, &self.config, &request, now)
            .map_err(|error| ApiError::Failed(format!("{error:#}")))?;
        let record = AgentRecord {
            id,
            name: request.name.clone(),
            public_key,
            approved_at: now,
            approved_by: by.clone(),
            revoked: false,
            devices: request.devices.clone(),
        };
        let (mut writes, mut events) = (Vec::new(), Vec::new());
        for out in replaced.iter().filter_map(|id| self.agents.get(id)) {
            let AgentRecord { id, name, .. } = &out.record;
            let event = AuditEvent::DeviceRevoked { agent: id.to_string(), name: name.clone() };
            writes.push(Write::Agent(AgentRecord { revoked: true, ..out.record.clone() }));
            events.push((by.clone(), event));
        }
        writes.push(Write::Agent(record.clone()));
        events.push((by, AuditEvent::DeviceApproved { agent: id.to_string(), name: request.name.clone() }));
        self.decide(writes, events)?;
        replaced.into_iter().for_each(|out| self.take_out(out));
        tracing::info!(agent = %id, name = %request.name, "agent approved");
        match self.agents.get_mut(&id) {
            Some(known) => known.record = record,
            None => self.load_agent(record).map_err(|error| ApiError::Failed(format!("{error:#}")))?,
        }
        self.publish_agent(id);
        // Approved: it waits no longer. A leftover file would only show it twice.
        let _ = fs::remove_file(self.requests_dir.join(format!("{id}.json")));
        Ok(bundle)
    }

    /// What is decided is told here: nothing more is heard of it, granted or sent. Its changes stay as they are, with
    /// their reservations, since nobody knows what is in force.
    fn take_out(&mut self, id: AgentId) {
        self.to_grant.remove(&id);
        let Some(agent) = self.agents.get_mut(&id) else { return };
        agent.record.revoked = true;
        agent.online = false;
        for device in &mut agent.devices {
            (device.state, device.outcome, device.polled_ok_at) = (None, None, None);
            self.watches.forget_ceilings(&device.name);
        }
        let name = agent.record.name.clone();
        tracing::warn!(agent = %id, %name, "agent taken out: another serves its devices");
        self.publish_event("revoked", serde_json::json!({"agent": id.to_string(), "name": name}));
    }

    /// Requests that nobody approved yet, as far as they read.
    pub(super) fn waiting_requests(&self) -> Vec<Request> {
        let entries = fs::read_dir(&self.requests_dir).into_iter().flatten().flatten();
        let mut requests: Vec<Request> =
            entries.filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()).collect();
        requests.sort_by(|one, other| one.name.cmp(&other.name));
        requests
    }

    fn added(&self, wanted: &str) -> Result<Request, ApiError> {
        let mut found: Vec<Request> = self
            .waiting_requests()
            .into_iter()
            .filter(|request| request.name == wanted || request.fingerprint == wanted)
            .collect();
        match (found.pop(), found.len()) {
            (Some(request), 0) => Ok(request),
            (Some(_), others) => Err(ApiError::Conflict(format!(
                "{} requests are named \"{wanted}\"; name one by its fingerprint",
                others + 1
            ))),
            (None, _) => Err(ApiError::NotFound(format!(
                "no request of \"{wanted}\" waits; takar device list shows those that do"
            ))),
        }
    }
}

/// Who serves which devices, by name.
struct Server<'a> {
    id: AgentId,
    name: &'a str,
    /// As it was approved for.
    approved: BTreeSet<&'a str>,
    /// As it reported them last, if it ever did: its config may have changed since it was approved.
    reported: Option<BTreeSet<&'a str>>,
}

impl<'a> Server<'a> {
    fn of(agent: &'a Agent) -> Self {
        let record = &agent.record;
        Self {
            id: record.id,
            name: &record.name,
            approved: record.devices.iter().map(|device| device.device.as_str()).collect(),
            reported: agent.birth.is_some().then(|| agent.devices.iter().map(|device| device.name.as_str()).collect()),
        }
    }
}

/// The agents that a request takes the devices of, which are to be taken out. Refused, with a line for each problem,
/// where nobody asked for that, and where a device would be left to nobody.
fn replaced<'a>(
    request: &Request,
    replace: bool,
    others: impl IntoIterator<Item = Server<'a>>,
) -> Result<Vec<AgentId>, Vec<String>> {
    let asked: BTreeSet<&str> = request.devices.iter().map(|device| device.device.as_str()).collect();
    let (mut replaced, mut problems) = (Vec::new(), Vec::new());
    for Server { id, name, approved, reported } in others {
        let taken: Vec<&str> = asked
            .iter()
            .filter(|device| approved.contains(*device) || reported.iter().any(|all| all.contains(*device)))
            .copied()
            .collect();
        if taken.is_empty() {
            continue;
        }
        if !replace {
            problems.extend(taken.iter().map(|device| {
                format!(
                    "device \"{device}\" is served by agent {name} already; expected --replace, which takes {name} out"
                )
            }));
        }
        let lost: Vec<String> =
            reported.unwrap_or(approved).difference(&asked).map(|device| format!("\"{device}\"")).collect();
        if !lost.is_empty() {
            problems.push(format!(
                "agent {name} also serves {}, which the request does not name and which nobody would serve if {name} \
                 were taken out",
                lost.join(", ")
            ));
        }
        replaced.push(id);
    }
    if problems.is_empty() { Ok(replaced) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use takar_shared::bundle::RequestedDevice;

    use super::*;

    fn request(devices: &[&str]) -> Request {
        let device = |name: &&str| RequestedDevice { device: (*name).into(), changes_per_hour: 12, bounds: vec![] };
        Request {
            takar_request: 1,
            name: "new".into(),
            public_key: String::new(),
            fingerprint: String::new(),
            devices: devices.iter().map(device).collect(),
            signature: String::new(),
        }
    }

    fn server(id: u8, approved: &[&'static str], reported: Option<&[&'static str]>) -> Server<'static> {
        Server {
            id: AgentId([id; 16]),
            name: if id == 1 { "one" } else { "two" },
            approved: approved.iter().copied().collect(),
            reported: reported.map(|devices| devices.iter().copied().collect()),
        }
    }

    #[test]
    fn nobody_is_taken_out_unasked() {
        let others = || [server(1, &["a"], None), server(2, &["b"], None)];
        let line = r#"device "b" is served by agent two already; expected --replace, which takes two out"#;
        assert_eq!(replaced(&request(&["b"]), false, others()), Err(vec![line.into()]));
        assert_eq!(replaced(&request(&["b"]), true, others()), Ok(vec![AgentId([2; 16])]));
        assert_eq!(replaced(&request(&["b", "a"]), true, others()), Ok(vec![AgentId([1; 16]), AgentId([2; 16])]));
        for replace in [false, true] {
            assert_eq!(replaced(&request(&["c"]), replace, others()), Ok(vec![]));
        }
    }

    #[test]
    fn no_device_is_left_to_nobody() {
        let others = || [server(1, &["a", "b", "c"], None)];
        let problems = replaced(&request(&["a"]), true, others()).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(r#"agent one also serves "b", "c", which the request"#), "{problems:?}");
        // Said at once, so that nobody tries --replace in vain.
        assert_eq!(replaced(&request(&["a"]), false, others()).unwrap_err().len(), 2);
        assert_eq!(replaced(&request(&["c", "a", "d", "b"]), true, others()), Ok(vec![AgentId([1; 16])]));
    }

    #[test]
    fn what_an_agent_reports_counts_too() {
        let others = || [server(1, &["a", "b"], Some(&["b", "c"]))];
        // Approved and dropped from its config since: it may come back, but nothing is lost.
        assert!(replaced(&request(&["a"]), false, others()).unwrap_err()[0].starts_with(r#"device "a" is served"#));
        assert_eq!(replaced(&request(&["b", "c"]), true, others()), Ok(vec![AgentId([1; 16])]));
        // New in its config since.
        assert!(replaced(&request(&["c"]), false, others()).unwrap_err()[0].starts_with(r#"device "c" is served"#));
        assert!(replaced(&request(&["b"]), true, others()).unwrap_err()[0].contains(r#"serves "c", which"#));
    }
}
