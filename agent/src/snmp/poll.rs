//! The order of things in a poll: find the names, fetch the cells, judge them; retry what may heal.

use std::time::Duration;

use takar_shared::facts::InterfaceFacts;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    Outcome, Poll, TargetConfig, Ticks, facts,
    fault::{Fault, Remedy},
    fetch::{Fetch, Found},
    message::{Reply, Request},
    names::{Map, NameColumn, WalkPause},
    oid::{Column, IF_DESCR, IF_NAME, Oid},
    session::Session,
    table::{self, Judgement},
    usm::Keyring,
    walk::Walk,
};

/// One device, and what is known of it between polls.
pub struct Target {
    config: TargetConfig,
    session: Option<Session>,
    keyring: Keyring,
    map: Option<Map>,
    walk_pause: WalkPause,
    /// A walk found rows out of order.
    exact: bool,
    up_time: Option<Ticks>,
    /// As last read: a counter that an answer leaves out is as it was.
    facts: Vec<InterfaceFacts>,
}

/// Waits of a configuration outside of these are taken as these.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// All requests for facts together: the next poll waits no longer for them.
const FACTS_PATIENCE: Duration = Duration::from_secs(2);

/// A detail is one line for people: the first problems, and how many more.
const PROBLEMS_TOLD: usize = 3;

impl Target {
    pub fn new(config: TargetConfig) -> Self {
        Self {
            config,
            session: None,
            keyring: Keyring::default(),
            map: None,
            walk_pause: WalkPause::default(),
            exact: false,
            up_time: None,
            facts: Vec::new(),
        }
    }

    /// Reads the configured interfaces once. Takes as long as the device, the timeout and the retries allow; a poll
    /// that is dropped half-way costs only a new session.
    pub async fn poll(&mut self) -> Poll {
        match self.try_poll().await {
            Ok(judged) => self.tell(judged),
            Err(fault) => Poll {
                outcome: fault.outcome(),
                detail: Some(format!("{}: {}", self.config.address, fault.line())),
                up_time: None,
                engine_boots: None,
                interfaces: Vec::new(),
            },
        }
    }

    /// What the interfaces that the last poll found say of themselves besides their octets. `None` where none was found,
    /// or the device did not answer at the first try and in time: no poll is to suffer for facts.
    pub async fn facts(&mut self) -> Option<Vec<InterfaceFacts>> {
        let map = self.map.clone()?;
        let found = timeout(FACTS_PATIENCE, self.fetch(facts::cells(&map), 0)).await.ok()?.ok()?;
        self.facts = facts::judge(&map, &found, &self.facts);
        (!self.facts.is_empty()).then(|| self.facts.clone())
    }

    pub(super) fn address(&self) -> &str {
        &self.config.address
    }

    pub(super) fn engine_boots(&self) -> Option<u32> {
        self.session.as_ref().and_then(Session::engine_boots)
    }

    /// Where a walk found rows out of order, cells are asked for by GET from now on.
    pub(super) fn note_order(&mut self, walk: &Walk) {
        self.exact |= walk.out_of_order > 0;
    }

    /// One request, with the configured retries.
    pub(super) async fn ask(&mut self, request: &Request) -> Result<Reply, Fault> {
        self.request(request, self.config.retries).await
    }

    pub(super) async fn fetch_all(&mut self, cells: Vec<Oid>) -> Result<Found, Fault> {
        self.fetch(cells, self.config.retries).await
    }

    async fn try_poll(&mut self) -> Result<Judgement, Fault> {
        let missing = self.map.as_ref().is_some_and(|map| !map.is_complete());
        if missing && self.walk_pause.is_over() {
            self.map = None;
        }
        let (mut map, mut walked) = match self.map.clone() {
            Some(map) => (map, false),
            None => (self.find_names().await?, true),
        };
        let retries = self.config.retries;
        loop {
            let mut found = self.fetch(table::cells(&map), retries).await?;
            let narrow = table::narrow_cells(&mut map, &found);
            found.merge(self.fetch(narrow, retries).await?);
            let judged = table::judge(&map, &found);

            let restarted = judged.up_time.is_some_and(|now| self.up_time.is_some_and(|before| now < before));
            self.up_time = judged.up_time.or(self.up_time);
            let stale = judged.moved || restarted;
            if stale && !walked {
                map = self.find_names().await?;
                walked = true;
                continue;
            }
            // Rows that move while they are read: the next poll walks again.
            self.map = (!judged.moved).then_some(map);
            return Ok(judged);
        }
    }

    fn tell(&self, judged: Judgement) -> Poll {
        let outcome = match (judged.problems.is_empty(), judged.is_garbage()) {
            (true, _) => Outcome::Ok,
            (false, true) => Outcome::Garbage,
            (false, false) => Outcome::Partial,
        };
        let detail = (!judged.problems.is_empty()).then(|| {
            let told: Vec<String> = judged.problems.iter().take(PROBLEMS_TOLD).map(ToString::to_string).collect();
            let more = match judged.problems.len().saturating_sub(PROBLEMS_TOLD) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("{}: {}{more}", self.config.address, told.join("; "))
        });
        Poll {
            outcome,
            detail,
            up_time: judged.up_time,
            engine_boots: self.engine_boots(),
            interfaces: judged.interfaces,
        }
    }

    async fn find_names(&mut self) -> Result<Map, Fault> {
        let mut names = NameColumn::IfName;
        let mut rows = self.walk(IF_NAME).await?;
        // Some switches have the column, with an empty name in every row.
        if rows.iter().all(|(_, name)| name.is_empty()) {
            names = NameColumn::IfDescr;
            rows = self.walk(IF_DESCR).await?;
        }
        let map = Map::new(names, &rows, &self.config.interfaces);
        self.walk_pause.on_walk(map.is_complete());
        Ok(map)
    }

    async fn walk(&mut self, column: Column) -> Result<Vec<(u32, Vec<u8>)>, Fault> {
        let mut walk = Walk::new(column);
        while let Some(request) = walk.request() {
            let reply = self.ask(&request).await?;
            walk.on_reply(reply)?;
        }
        self.note_order(&walk);
        Ok(walk.into_names())
    }

    async fn fetch(&mut self, cells: Vec<Oid>, retries: u8) -> Result<Found, Fault> {
        let mut fetch = if self.exact { Fetch::exact(cells) } else { Fetch::new(cells) };
        while let Some(request) = fetch.request() {
            let reply = self.request(&request, retries).await?;
            fetch.on_reply(reply)?;
        }
        Ok(fetch.into_found())
    }

    /// One request with its retries. Each try has twice the time of the one before, and a try that failed at once
    /// rests until its time is over, so that retries are spread whatever the fault.
    async fn request(&mut self, request: &Request, mut retries: u8) -> Result<Reply, Fault> {
        let mut may_rediscover = true;
        let mut wait = self.config.timeout.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        loop {
            let started = Instant::now();
            let fault = match self.attempt(request, wait).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => fault,
            };
            match fault.remedy() {
                Remedy::None => return Err(fault),
                Remedy::Rediscover if may_rediscover => may_rediscover = false,
                Remedy::Rediscover | Remedy::Again => {
                    retries = match retries.checked_sub(1) {
                        Some(left) => left,
                        None => return Err(fault),
                    };
                    sleep_until(started + wait).await;
                    wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// The session comes back only from a success; after a fault, or when dropped, the next attempt opens a new one.
    async fn attempt(&mut self, request: &Request, wait: Duration) -> Result<Reply, Fault> {
        let TargetConfig { address, credentials, .. } = &self.config;
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Session::open(address, credentials, &mut self.keyring, wait).await?,
        };
        let fault = match session.request(request, wait).await {
            Ok(reply) => {
                self.session = Some(session);
                return Ok(reply);
            }
            Err(fault) => fault,
        };
        if matches!(fault, Fault::Timeout(_)) && session.answers_without_privacy(credentials, wait).await {
            return Err(Fault::PrivacyPassword);
        }
        Err(fault)
    }
}

#[cfg(test)]
mod tests;
