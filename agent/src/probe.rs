//! `takar-agent probe`: what a device that nobody has configured yet tells of itself. It writes nothing, anywhere.

mod arguments;
mod shown;

use anyhow::Context as _;
use serde::Serialize;

use self::arguments::Checked;
pub use self::arguments::Probe;
use crate::{
    queue::routeros::survey::{PrintedQueue, survey},
    snmp::{
        Target,
        survey::{Identity, Interface, MibQueue},
    },
};

/// As `--json` prints it.
#[derive(Debug, Default, Serialize)]
struct Report {
    target: Option<String>,
    api: Option<String>,
    identity: Identity,
    router: Option<Router>,
    interfaces: Vec<Interface>,
    /// By the API.
    queues: Vec<PrintedQueue>,
    /// By MIKROTIK-MIB: names and counters, no rates.
    mib_queues: Vec<MibQueue>,
    oddities: Vec<String>,
}

/// What RouterOS says of itself.
#[derive(Debug, Serialize)]
struct Router {
    name: Option<String>,
    version: Option<String>,
    board: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Told,
    /// The arguments were wrong; all that is wrong with them was told.
    Misused,
}

pub async fn probe(arguments: Probe) -> anyhow::Result<Outcome> {
    let json = arguments.json;
    let checked = match arguments.check() {
        Ok(checked) => checked,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("takar-agent probe: {problem}"));
            return Ok(Outcome::Misused);
        }
    };
    let report = ask(checked).await?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", shown::text(&report));
    }
    Ok(Outcome::Told)
}

async fn ask(Checked { target, api }: Checked) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if let Some(target) = target {
        report.target = Some(target.address.clone());
        let survey = Target::new(target).survey().await.map_err(anyhow::Error::msg)?;
        report.identity = survey.identity;
        report.interfaces = survey.interfaces;
        report.mib_queues = survey.queues;
        report.oddities = survey.oddities;
    }
    if let Some(access) = api {
        report.api = Some(access.address.clone());
        let survey = survey(access).await.context("queues cannot be read")?;
        report.router = Some(Router { name: survey.name, version: survey.version, board: survey.board });
        report.queues = survey.queues;
        report.oddities.extend(survey.oddities);
    }
    Ok(report)
}
