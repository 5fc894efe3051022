//! The command line of `takar`. Every command but `init`, `check-config` and `serve` is a client of the daemon.
//!
//! Exit codes, also in `--help` and in docs/operate.md: 0 done; 1 failed, or refused by the daemon or a device;
//! 2 wrong use; 3 the daemon does not answer; 4 `audit verify` or `archive verify` found a fault. What `findings`, `proposals` or
//! `status` tell never shows in the exit code.

mod args;
mod cases;
mod maintenance;

use std::{
    io::IsTerminal as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser as _;

use crate::{
    admin::{
        self, Failure, Printer, accounts, audit, changes, check, device, findings, import, links, papers, proposals,
        status, watch,
    },
    api::client::ClientError,
    config::{self, BrokerKind, Config, Endpoint},
    init, run,
    view::{AccountBody, LinkModeBody, ProposeBody, SummaryBody},
};
use args::{Archive, Ask, Audit, Broker, Cli, Command, Device, Init, Inventory, Link, Propose};
use cases::Account;
use maintenance::Maintenance;

const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG_USE: u8 = 2;
const UNREACHABLE: u8 = 3;
const AUDIT_FAULT: u8 = 4;

const DEFAULT_CONFIG: &str = "/etc/takar/takar.toml";

pub fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => ExitCode::from(run_cli(cli)),
        Err(error) => {
            // Help and version are no errors; where nobody reads them nothing is to be done.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { WRONG_USE } else { DONE })
        }
    }
}

fn run_cli(cli: Cli) -> u8 {
    let mut stdout = admin::stdout(cli.json);
    let mut out = Printer::new(&mut stdout, cli.json, std::io::stdout().is_terminal());
    let done = carry_out(cli, &mut out);
    let flushed = out.flush().map_err(Failure::from);
    match done.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code,
        Err(failure) => {
            admin::complain(&failure);
            code_of(&failure)
        }
    }
}

fn code_of(failure: &Failure) -> u8 {
    match failure {
        Failure::Client(ClientError::NotRunning { .. }) => UNREACHABLE,
        _ => FAILED,
    }
}

fn carry_out(cli: Cli, out: &mut Printer<'_>) -> Result<u8, Failure> {
    let Cli { config, socket, command, .. } = cli;
    match command {
        Command::Init(asked) => make_network(&asked, config.as_deref(), out)?,
        Command::CheckConfig { inventory } => {
            let checked = sound(config.as_deref(), inventory.as_deref(), out);
            import::checked(checked.as_ref().err(), out)?;
            checked?;
        }
        Command::Serve { log_json } => serve(config.as_deref(), socket, log_json)?,
        Command::Ask(Ask::Import { file, template: true, .. }) => import::template(&file, out)?,
        Command::Ask(asked) => {
            let socket = match socket {
                Some(socket) => socket,
                None => socket_in(config.as_deref())?,
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_runtime)?;
            return runtime.block_on(ask(&socket, asked, out));
        }
    }
    Ok(DONE)
}

async fn ask(socket: &Path, asked: Ask, out: &mut Printer<'_>) -> Result<u8, Failure> {
    match asked {
        Ask::Device(Device::Add { file }) => device::add(socket, &file, out).await?,
        Ask::Device(Device::List) => device::list(socket, out).await?,
        Ask::Device(Device::Approve { who, out: bundle }) => device::approve(socket, &who, &bundle, out).await?,
        Ask::Import { file, dry_run, .. } => import::import(socket, &file, dry_run, out).await?,
        Ask::Export { file, as_of } => import::export(socket, &file, as_of, out).await?,
        Ask::Check { into } => check::show(socket, into.as_deref(), out).await?,
        Ask::Cases { all } => admin::cases::list(socket, all, out).await?,
        Ask::Case(cases::Case { id, act: None }) => admin::cases::show(socket, id, out).await?,
        Ask::Case(cases::Case { id, act: Some(act) }) => admin::cases::act(socket, id, &act.into(), out).await?,
        Ask::OpenCase(asked) => admin::cases::open(socket, &asked.into(), out).await?,
        Ask::Bod(asked) => admin::cases::bod(socket, &asked.into(), out).await?,
        Ask::Papers => papers::list(socket, out).await?,
        Ask::Summary { year, month } => papers::summary(socket, &SummaryBody { year, month }, out).await?,
        Ask::Archive(Archive::Verify) => {
            if !papers::verify(socket, out).await? {
                return Ok(AUDIT_FAULT);
            }
        }
        Ask::Account(Account::List) => accounts::list(socket, out).await?,
        Ask::Account(Account::Add { name, role, title, set }) => {
            let body = AccountBody { name, add: true, role: Some(role), title: Some(title), ..AccountBody::default() };
            accounts::edit(socket, &set.into_body(body)?, out).await?;
        }
        Ask::Account(Account::Set { name, role, title, set, disable, enable, reset_totp }) => {
            let disabled = (disable || enable).then_some(disable);
            let body = AccountBody { name, role, title, disabled, reset_totp, ..AccountBody::default() };
            accounts::edit(socket, &set.into_body(body)?, out).await?;
        }
        Ask::Status => status::show(socket, out).await?,
        Ask::Links => links::show(socket, out).await?,
        Ask::Maintenance(Maintenance::Add(asked)) => admin::maintenance::add(socket, &asked.into(), out).await?,
        Ask::Maintenance(Maintenance::List { all }) => admin::maintenance::list(socket, all, out).await?,
        Ask::Maintenance(Maintenance::End { id }) => admin::maintenance::end(socket, id, out).await?,
        Ask::Inventory(Inventory::Draft { out: file, probe }) => {
            admin::draft::draft(socket, file.as_deref(), &probe, out).await?;
        }
        Ask::Link(Link::Mode { name, mode }) => links::mode(socket, &LinkModeBody { link: name, mode }, out).await?,
        Ask::Findings { all } => findings::show(socket, all, out).await?,
        Ask::Proposals => proposals::list(socket, out).await?,
        Ask::Propose(Propose { uplink, dry_run, moves, reason }) => {
            proposals::propose(socket, &ProposeBody { uplink, moves, reason, dry_run }, out).await?;
        }
        Ask::Approve { id, wait } => {
            proposals::approve(socket, id, wait, out).await?;
            if wait && !watch::until_ended(socket, id, out).await? {
                return Ok(FAILED);
            }
        }
        Ask::Decline { id, reason } => proposals::decline(socket, id, reason, out).await?,
        Ask::Changes => changes::show(socket, out).await?,
        Ask::Audit(Audit::List { from }) => audit::list(socket, from, out).await?,
        Ask::Audit(Audit::Verify) => {
            if !audit::verify(socket, out).await? {
                return Ok(AUDIT_FAULT);
            }
        }
    }
    Ok(DONE)
}

fn make_network(asked: &Init, config: Option<&Path>, out: &mut Printer<'_>) -> Result<(), Failure> {
    // As registered with IANA: MQTT, and MQTT over TLS.
    let (kind, port) = match asked.broker {
        Broker::Embedded => (BrokerKind::Embedded, 1883),
        Broker::Mosquitto => (BrokerKind::Mosquitto, 8883),
    };
    let named = asked.broker_name.as_deref().map(|name| Endpoint::with_port(name, port)).transpose();
    let named = named.map_err(|error| Failure::problem(format!("--broker-name: {error}")))?;
    let address = asked.address.clone().unwrap_or_else(|| Endpoint {
        host: Ipv4Addr::LOCALHOST.to_string(),
        port: named.as_ref().map_or(port, |named| named.port),
    });
    // A name without a port has the address's.
    let address = address.to_string();
    let name = asked.broker_name.as_deref().unwrap_or(&address);
    let report = init::init(&asked.state_dir, config_path(config), &asked.root_out, kind, name, &address);
    let report = report.map_err(|error| Failure::problem(format!("{error:#}")))?.to_string();
    if out.wants_json() {
        out.json(&serde_json::json!({ "report": report }))?;
        return Ok(());
    }
    for line in report.lines() {
        out.line(line)?;
    }
    Ok(())
}

/// Everything that is wrong with what was asked about, or that it is right.
fn sound(config: Option<&Path>, inventory: Option<&Path>, out: &mut Printer<'_>) -> Result<(), Failure> {
    let sound = (config.is_some() || inventory.is_none()).then(|| sound_config(config)).transpose();
    let valid = inventory.map(import::read_inventory).transpose();
    let (sound, valid) = match (sound, valid) {
        (Err(Failure::Problems(mut problems)), Err(Failure::Problems(more))) => {
            problems.extend(more);
            return Err(Failure::Problems(problems));
        }
        (sound, valid) => (sound?, valid?),
    };
    if let Some(sound) = sound {
        import::config_is_right(config_path(config), &sound, out)?;
    }
    if let (Some(file), Some(valid)) = (inventory, valid) {
        import::inventory_is_right(file, &valid, out)?;
    }
    Ok(())
}

/// The config, where it and every file it names are right.
fn sound_config(path: Option<&Path>) -> Result<Config, Failure> {
    let config = load(path)?;
    let shown = config_path(path).display();
    let problems: Vec<_> = config::check_files(&config).iter().map(|problem| format!("{shown}: {problem}")).collect();
    if problems.is_empty() { Ok(config) } else { Err(Failure::Problems(problems)) }
}

fn serve(config: Option<&Path>, socket: Option<PathBuf>, log_json: bool) -> Result<(), Failure> {
    let mut config = load(config)?;
    if let Some(socket) = socket {
        config.socket = socket;
    }
    log(log_json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(no_runtime)?;
    runtime.block_on(run::serve(config)).map_err(|error| Failure::problem(format!("{error:#}")))
}

fn log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TAKAR_LOG").unwrap_or_else(|_| "info,rumqttd=off".into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    if json { builder.json().init() } else { builder.with_ansi(std::io::stderr().is_terminal()).init() }
}

fn config_path(config: Option<&Path>) -> &Path {
    config.unwrap_or(Path::new(DEFAULT_CONFIG))
}

fn load(config: Option<&Path>) -> Result<Config, Failure> {
    config::load(config_path(config))
        .map_err(|problems| Failure::Problems(problems.iter().map(ToString::to_string).collect()))
}

fn socket_in(config: Option<&Path>) -> Result<PathBuf, Failure> {
    match load(config) {
        Ok(config) => Ok(config.socket),
        Err(Failure::Problems(mut problems)) => {
            problems.push("no socket without a config; expected --config FILE or --socket PATH".into());
            Err(Failure::Problems(problems))
        }
        Err(other) => Err(other),
    }
}

fn no_runtime(error: std::io::Error) -> Failure {
    Failure::problem(format!("cannot start: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_fit_together_and_help_tells_the_exit_codes() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        for code in [DONE, FAILED, WRONG_USE, UNREACHABLE, AUDIT_FAULT] {
            assert!(help.contains(&format!("\n  {code}  ")), "{code} is not in\n{help}");
        }
    }

    #[test]
    fn global_options_may_come_after_the_command() {
        let cli = parsed("takar links --json --socket /run/t.sock --config /etc/t.toml").ok().unwrap();
        assert!(cli.json);
        assert_eq!(cli.socket.as_deref(), Some(Path::new("/run/t.sock")));
        assert_eq!(config_path(cli.config.as_deref()), Path::new("/etc/t.toml"));
        assert!(matches!(cli.command, Command::Ask(Ask::Links)));
    }

    #[test]
    fn moves_are_read_with_their_units() {
        let cli = parsed("takar propose --move sd-02:down:20M --move sd-03:down:2.5M --dry-run").ok().unwrap();
        let Command::Ask(Ask::Propose(propose)) = cli.command else { panic!("not propose") };
        let rates: Vec<_> = propose.moves.iter().map(|one| (one.link.as_str(), one.to_bps)).collect();
        assert_eq!(rates, [("sd-02", 20_000_000), ("sd-03", 2_500_000)]);
        assert!(propose.dry_run);
    }

    #[test]
    fn wrong_use_is_refused() {
        let lines = [
            "takar",
            "takar nothing",
            "takar approve seven",
            "takar link mode sd-02",
            "takar maintenance add --until 2026-11-28 --reason x",
            "takar maintenance add --link a --site b --until 2026-11-28 --reason x",
            "takar maintenance add --link a --until tomorrow --reason x",
            "takar maintenance end first",
            "takar link mode sd-02 off",
            "takar decline 7",
            "takar propose --move sd-02:down:20Mbit",
            "takar device approve core-1",
            "takar init",
            "takar init --root-out /r --broker mosquitto",
            "takar init --root-out /r --broker nats",
            "takar init --root-out /r --address broker.example",
            "takar audit list --from -1",
        ];
        for line in lines {
            assert!(parsed(line).err().is_some_and(|error| error.use_stderr()), "{line}");
        }
        assert!(parsed("takar maintenance add --site b --from 2026-11-27T08:00 --until 2026-11-28 --reason x").is_ok());
        let draft = parsed("takar inventory draft --probe a.json b.json --out draft.toml").ok().unwrap();
        let Command::Ask(Ask::Inventory(Inventory::Draft { probe, .. })) = draft.command else { panic!("no draft") };
        assert_eq!(probe.len(), 2);
        assert!(parsed("takar --help").err().is_some_and(|error| !error.use_stderr()));
        assert!(parsed("takar init --root-out /r").is_ok());
        assert!(parsed("takar init --root-out /r --broker mosquitto --broker-name broker.example").is_ok());
    }

    #[test]
    fn a_daemon_that_does_not_answer_is_3_and_a_missing_config_1() {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("takar status --socket {}", dir.path().join("takar.sock").display());
        assert_eq!(run_cli(parsed(&line).ok().unwrap()), UNREACHABLE);
        let line = format!("takar status --config {}", dir.path().join("takar.toml").display());
        assert_eq!(run_cli(parsed(&line).ok().unwrap()), FAILED);
    }

    #[test]
    fn only_a_daemon_that_is_not_there_is_unreachable() {
        let socket = PathBuf::from("/run/takar/takar.sock");
        assert_eq!(code_of(&ClientError::NotRunning { socket: socket.clone() }.into()), UNREACHABLE);
        assert_eq!(code_of(&ClientError::Denied { socket }.into()), FAILED);
        assert_eq!(code_of(&ClientError::Refused(vec!["declined already".into()]).into()), FAILED);
        assert_eq!(code_of(&Failure::problem("no")), FAILED);
    }
}
