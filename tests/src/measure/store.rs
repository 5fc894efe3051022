//! What storing costs the collector: everything that `takar serve` does with a sample, down to the fsync, with played
//! agents that always have more to send. The broker is a Mosquitto, so its time is not in it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use takar_shared::MonoMillis;
use tokio::{task::JoinSet, time::timeout};

use super::{
    args::Figure,
    cost::Cpu,
    player::{AHEAD, POLL_EVERY_MS, POLLS, Player, SAMPLES, interfaces},
    ports::INTERFACES,
    report::{Beside, Row, Spread},
    station::Station,
    tell,
};
use crate::netlab::Version;

const AGENTS: usize = 4;
/// The played agents' clock as the first round begins; all their polls lie before it.
const BEGIN: u64 = 10_000_000_000;
/// A round that takes longer has come to a stop.
const PATIENCE: Duration = Duration::from_secs(900);

/// One round: so many samples, from the first message to the last grant.
struct Round {
    samples: u64,
    cpu_s: f64,
    wall_s: f64,
    transactions: u64,
}

pub fn measure(place: &Path, quick: bool) -> anyhow::Result<Vec<Row>> {
    let (rounds, samples) = if quick { (2, 100_000) } else { (3, 1_000_000) };
    // Of each agent in each round.
    let messages = u64::div_ceil(samples, AGENTS as u64 * SAMPLES);
    let station = Station::start(place, None, "")?;
    let first_poll = MonoMillis(BEGIN - rounds * messages * POLLS * POLL_EVERY_MS);
    let mut players = Vec::new();
    for name in names() {
        players.push(Player::new(&station.enrol(&name, "", &snmp(place)?)?, first_poll)?);
    }
    import(&station)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let begin = Instant::now();
    let mut done = Vec::new();
    for number in 1..=rounds {
        tell(&format!("store: round {number} of {rounds}, {samples} samples"));
        let now = MonoMillis(BEGIN + u64::try_from(begin.elapsed().as_millis())?);
        let cpu = Cpu::of(station.serve_pid())?;
        let (cpu_before, stored_before, started) = (cpu.seconds()?, station.samples_stored()?, Instant::now());
        let played = play(players, station.port, messages, now);
        players = runtime.block_on(async { timeout(PATIENCE, played).await }).context("the round does not end")??;
        let (cpu_s, wall_s) = (cpu.seconds()? - cpu_before, started.elapsed().as_secs_f64());
        let samples = station.samples_stored()? - stored_before;
        let sent = messages * AGENTS as u64 * SAMPLES;
        ensure!(samples == sent, "{samples} samples were stored, of {sent} that were sent");
        // One grant answered the Birth.
        let transactions = players.iter().map(|player| player.grants.saturating_sub(1)).max().unwrap_or_default();
        done.push(Round { samples, cpu_s, wall_s, transactions });
    }
    Ok(vec![row(&done)])
}

async fn play(players: Vec<Player>, port: u16, messages: u64, now: MonoMillis) -> anyhow::Result<Vec<Player>> {
    let mut playing = JoinSet::new();
    for player in players {
        playing.spawn(player.play(port, messages, now));
    }
    let mut back = Vec::new();
    while let Some(ended) = playing.join_next().await {
        back.push(ended.context("a played agent")??);
    }
    Ok(back)
}

fn row(done: &[Round]) -> Row {
    let per_million = |cpu_s: f64, samples: u64| cpu_s / samples as f64 * 1e6;
    let (cpu_s, wall_s) = done.iter().fold((0.0, 0.0), |sum, round| (sum.0 + round.cpu_s, sum.1 + round.wall_s));
    let (samples, transactions) =
        done.iter().fold((0, 0), |sum, round| (sum.0 + round.samples, sum.1 + round.transactions));
    let each: Vec<f64> = done.iter().map(|round| per_million(round.cpu_s, round.samples)).collect();
    Row {
        figure: Figure::Store,
        case: "takar serve".into(),
        value: per_million(cpu_s, samples),
        unit: "CPU s per 1,000,000 samples",
        n: format!("{samples} samples"),
        spread: Spread::of(&each),
        beside: Some(Beside::one("Node + SQLite", 1.3)),
        note: format!(
            "{} messages of {SAMPLES} samples from {AGENTS} agents with at most {AHEAD} in flight each, in {wall_s:.1} s; \
             about {transactions} transactions (commit.every_ms = 250), {} samples each; inventory of {} links",
            samples / SAMPLES,
            samples / transactions.max(1),
            AGENTS * (INTERFACES - 1)
        ),
    }
}

fn names() -> impl Iterator<Item = String> {
    (1..=AGENTS).map(|number| format!("gw-{number}"))
}

/// Never asked: the agents are played. Their enrolment wants it.
fn snmp(place: &Path) -> anyhow::Result<String> {
    let interfaces: Vec<_> = interfaces().map(|name| format!("\"{name}\"")).collect();
    let access = Version::V2c.access(place)?;
    Ok(format!("[device.snmp]\naddress = \"127.0.0.1:161\"\ninterfaces = [{}]\n{access}", interfaces.join(", ")))
}

/// A link on each interface but the first of each router, so that readings are made and judged.
fn import(station: &Station) -> anyhow::Result<()> {
    let mut text = String::from(
        "[[provider]]\nname = \"isp\"\ntitle = \"ISP\"\n[[uplink]]\nname = \"utama\"\nprovider = \"isp\"\n\
         down_bps = 1000000000\nup_bps = 1000000000\n",
    );
    for device in names() {
        for interface in interfaces().skip(1) {
            let link = format!("{device}-{interface}");
            text += &format!(
                "[[site]]\nname = \"{link}\"\ntitle = \"{link}\"\n[[link]]\nname = \"{link}\"\nsite = \"{link}\"\n\
                 uplink = \"utama\"\ndevice = \"{device}\"\ninterface = \"{interface}\"\n"
            );
            for direction in ["down", "up"] {
                text +=
                    &format!("[link.{direction}]\nqueue = \"{interface}\"\ncir_bps = 1000000\nmir_bps = 20000000\n");
            }
        }
    }
    let file = station.place.join("inventory.toml");
    fs::write(&file, text).with_context(|| file.display().to_string())?;
    station.takar(&["import", &file.display().to_string()]).map(drop)
}
