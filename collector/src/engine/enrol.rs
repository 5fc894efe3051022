//! Enrolment by file: requests that wait, and their approval into agents with a bundle.

use std::fs;

use takar_collector_core::{audit::AuditEvent, ledger::Actor};
use takar_shared::{
    UnixMillis,
    bundle::{Bundle, Request},
};
use takar_store::{AgentRecord, Write};

use super::Engine;
use crate::{api::query::ApiError, init, view::DeviceBody};

impl Engine {
    /// Keeps a request until somebody approves it.
    pub(super) fn device_add(&mut self, body: DeviceBody) -> Result<Request, ApiError> {
        let DeviceBody::Request { request } = body else {
            return Err(ApiError::Invalid(vec![
                "expected a request file written by takar-agent enrol --request".into(),
            ]));
        };
        let (id, _) = init::check_request(&request).map_err(ApiError::Invalid)?;
        if self.agents.contains_key(&id) {
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

    /// Approving twice gives the same agent a new bundle: a lost file costs nothing.
    pub(super) fn device_approve(&mut self, body: DeviceBody, by: Actor, now: UnixMillis) -> Result<Bundle, ApiError> {
        let request = match body {
            DeviceBody::Request { request } => request,
            DeviceBody::Added { added } => self.added(&added)?,
        };
        let (id, public_key) = init::check_request(&request).map_err(ApiError::Invalid)?;
        let taken: Vec<String> = self
            .agents
            .values()
            .filter(|agent| agent.record.id != id)
            .flat_map(|agent| agent.record.devices.iter().map(move |device| (agent, device)))
            .filter(|(_, device)| request.devices.iter().any(|asked| asked.device == device.device))
            .map(|(agent, device)| {
                format!("device \"{}\" is served by agent {} already", device.device, agent.record.name)
            })
            .collect();
        if !taken.is_empty() {
            return Err(ApiError::Invalid(taken));
        }
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
        let event = AuditEvent::DeviceApproved { agent: id.to_string(), name: request.name.clone() };
        self.decide(vec![Write::Agent(record.clone())], vec![(by, event)])?;
        tracing::info!(agent = %id, name = %request.name, "agent approved");
        match self.agents.get_mut(&id) {
            Some(known) => known.record = record,
            None => self.load_agent(record).map_err(|error| ApiError::Failed(format!("{error:#}")))?,
        }
        // Approved: it waits no longer. A leftover file would only show it twice.
        let _ = fs::remove_file(self.requests_dir.join(format!("{id}.json")));
        Ok(bundle)
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
