//! Commands and exit codes: 0 done, 1 failed, 2 wrong use, 3 (status) not running.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{
    config, enrol,
    probe::{self, Probe},
    run, status,
};

/// Polls a router and carries signed queue changes out.
#[derive(Parser)]
#[command(name = "takar-agent", version)]
struct Cli {
    /// The agent's config file.
    #[arg(long, global = true, default_value = "/etc/takar/agent.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run until told to stop.
    Run {
        /// Log as JSON lines.
        #[arg(long)]
        log_json: bool,
    },
    /// Enrol by file: write a request, or take the answer in.
    Enrol(Enrol),
    /// Show what the running agent last said of itself.
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Check the config and every file it names.
    CheckConfig {
        /// First give every secret that the config names the mode 0600, for where nobody else can (RouterOS's files).
        #[arg(long)]
        protect: bool,
    },
    /// Show what a device tells of itself, by SNMP and by the RouterOS API. Needs no config, changes nothing.
    Probe(Box<Probe>),
}

#[derive(Args)]
struct Enrol {
    /// Write an enrolment request here.
    #[arg(long, value_name = "FILE", required_unless_present = "bundle", conflicts_with = "bundle")]
    request: Option<PathBuf>,
    /// Take this bundle in.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// What the agent asks to be called; the host's name unless given.
    #[arg(long, requires = "request")]
    name: Option<String>,
}

pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match carry_out(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("takar-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Probe(arguments) = cli.command {
        return Ok(match runtime()?.block_on(probe::probe(*arguments))? {
            probe::Outcome::Told => ExitCode::SUCCESS,
            probe::Outcome::Misused => ExitCode::from(2),
        });
    }
    if let Command::CheckConfig { protect: true } = cli.command {
        config::protect(&cli.config)?;
    }
    let config = match config::load(&cli.config) {
        Ok(config) => config,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("takar-agent: {problem}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    match cli.command {
        Command::Run { log_json } => {
            log(log_json);
            runtime()?.block_on(run::run(config))?;
        }
        Command::Enrol(Enrol { request: Some(out), name, .. }) => {
            let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
            enrol::request(&config, &name.unwrap_or_else(host), &out)?;
        }
        Command::Enrol(Enrol { bundle: Some(path), .. }) => enrol::bundle(&config, &path)?,
        Command::Enrol(_) => anyhow::bail!("expected --request FILE or --bundle FILE"),
        Command::Status { json } => {
            let stale_after_ms = 10_000;
            let running = status::print(&config.spool_dir, json, stale_after_ms)?;
            return Ok(ExitCode::from(if running { 0 } else { 3 }));
        }
        // Was carried out above, for it needs no config.
        Command::Probe(_) => {}
        Command::CheckConfig { .. } => {
            let shapers: usize = config.devices.iter().map(|device| device.bounds.len()).sum();
            let mode = format!("{:?}", config.mode).to_lowercase();
            println!("{}: ok; {mode}, {} devices, {shapers} shapers", cli.config.display(), config.devices.len());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// `TAKAR_LOG`: a level, or `part=level,…`. Not the filter by regular expressions: that would be a tenth of the program.
fn log(json: bool) {
    let asked = std::env::var("TAKAR_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // Without colours: what a router logs is read in a file.
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    let registry = tracing_subscriber::registry().with(filter);
    if json { registry.with(lines.json()).init() } else { registry.with(lines).init() }
}
