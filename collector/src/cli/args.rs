//! What may be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    admin::{device::Approval, rate},
    config::Endpoint,
    view::AskedMove,
};

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, or refused by the daemon or a device
  2  wrong use
  3  takar serve does not answer
  4  audit verify or archive verify found a fault
What findings, proposals or status tell never shows in the exit code.";

/// Finds links that starve and moves bandwidth to them.
#[derive(Parser)]
#[command(name = "takar", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// The collector's config file; /etc/takar/takar.toml unless given.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The daemon's socket; the one in the config unless given.
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make a network: its keys, the state folder and the config.
    Init(Init),
    /// Check the config and every file it names, or an inventory, without the daemon.
    CheckConfig {
        /// Check this inventory; the config too only where --config says which.
        #[arg(long, value_name = "FILE")]
        inventory: Option<PathBuf>,
    },
    /// Run the collector until told to stop.
    Serve {
        /// Log as JSON lines.
        #[arg(long)]
        log_json: bool,
    },
    #[command(flatten)]
    Ask(Ask),
}

#[derive(Args)]
pub struct Init {
    /// Where the collector keeps its state.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/takar")]
    pub state_dir: PathBuf,
    /// Where to write the root key: outside the state folder, to be taken offline.
    #[arg(long, value_name = "FILE")]
    pub root_out: PathBuf,
    /// The broker: inside takar, on this machine only; or a Mosquitto that takar writes the config of.
    #[arg(long, value_enum, default_value_t = Broker::Embedded)]
    pub broker: Broker,
    /// What agents are told to connect to, a host or host:port; the broker's certificate names that host.
    #[arg(long, value_name = "NAME", required_if_eq("broker", "mosquitto"))]
    pub broker_name: Option<String>,
    /// Where the collector connects to and the broker listens; 127.0.0.1 and the port of --broker-name, or else 1883
    /// (8883 for mosquitto), unless given.
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<Endpoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Broker {
    Embedded,
    Mosquitto,
}

// What the daemon is asked. No doc comment: clap would take it for the about text of `takar` itself.
#[derive(Subcommand)]
pub enum Ask {
    /// Let agents in by file.
    #[command(subcommand)]
    Device(Device),
    /// Bring a register in: TOML, XLSX, a CSV file of one table, or a folder of CSV files.
    Import {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only say what is wrong with it.
        #[arg(long, conflicts_with = "template")]
        dry_run: bool,
        /// Write an empty register to fill in there, by its ending .xlsx or .toml, or as a folder of CSV files.
        #[arg(long)]
        template: bool,
    },
    /// Write the register out: by its ending .xlsx or .toml, as a folder of CSV files, or - for TOML on standard output.
    Export {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// As it was on record then.
        #[arg(long, value_name = "TIME", value_parser = super::cases::time)]
        as_of: Option<u64>,
    },
    /// Step 1 in one table: record, device, contract, need and measurement of every link.
    Check {
        /// Write it there, by its ending .csv or .xlsx.
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Show cases, those that are overdue on top.
    Cases {
        /// Those that are over too.
        #[arg(long)]
        all: bool,
    },
    /// Show a case, or do something to it.
    Case(super::cases::Case),
    /// Open a case of your own.
    OpenCase(super::cases::OpenCase),
    /// Ask for bandwidth on demand: a loan with a beginning and an end.
    Bod(super::cases::Bod),
    /// Show reports, letters and summaries.
    Papers,
    /// Write the summary of a month or a year.
    Summary {
        #[arg(long)]
        year: u32,
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=12))]
        month: Option<u8>,
    },
    /// Verify the archive of papers; exit with 4 where something was altered.
    #[command(subcommand)]
    Archive(Archive),
    /// Who may log in, and as what.
    #[command(subcommand)]
    Account(super::cases::Account),
    /// Show how the collector is.
    Status,
    /// Show every link, those in trouble on top.
    Links,
    /// Draft a register of what is there already.
    #[command(subcommand)]
    Inventory(Inventory),
    /// Say what is worked on, and until when.
    #[command(subcommand)]
    Maintenance(super::maintenance::Maintenance),
    /// Say how far Takar may go with a link.
    #[command(subcommand)]
    Link(Link),
    /// Show what was found.
    Findings {
        /// Closed ones too.
        #[arg(long)]
        all: bool,
    },
    /// Show proposals, those that wait for a decision on top.
    Proposals,
    /// Ask the planner for proposals, or propose by hand with --move.
    Propose(Propose),
    /// Approve a proposal: its changes are sent to the devices.
    Approve {
        #[arg(value_name = "ID")]
        id: u64,
        /// Tell each step until the changes have ended; exit with 1 unless all stand.
        #[arg(long)]
        wait: bool,
    },
    /// Decline a proposal.
    Decline {
        #[arg(value_name = "ID")]
        id: u64,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show changes, those under way on top.
    Changes,
    /// Show or verify the audit log.
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Subcommand)]
pub enum Inventory {
    /// Write a register of the devices that agents report, and of those that were probed: a link for each pair of
    /// queues, with what is in force on them. What a person must look at is marked.
    Draft {
        /// Write it there, which must not exist yet; standard output unless given.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// What takar-agent probe --json printed; several may be given.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        probe: Vec<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum Link {
    /// observe: it neither gives nor gets. propose: a person approves what moves it. live: policy may.
    Mode {
        #[arg(value_name = "NAME")]
        name: String,
        #[arg(value_name = "MODE", value_parser = ["observe", "propose", "live"])]
        mode: String,
    },
}

#[derive(Subcommand)]
pub enum Archive {
    /// Compare every file with what was stored, and that with the audit log.
    Verify,
}

#[derive(Subcommand)]
pub enum Device {
    /// Take a request in that takar-agent enrol --request wrote.
    Add {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show agents and devices, those in trouble on top.
    List,
    /// Let an agent in and write its bundle.
    Approve {
        /// A request file, or the name or fingerprint of a request that was added.
        #[arg(value_name = "FILE_OR_NAME")]
        who: PathBuf,
        #[command(flatten)]
        out: Approval,
    },
}

#[derive(Args)]
pub struct Propose {
    /// Of this uplink only.
    #[arg(long, value_name = "UPLINK")]
    pub uplink: Option<String>,
    /// Show what would be proposed; store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// A ceiling by hand, such as sd-02:down:20M; once for each link.
    #[arg(long = "move", value_name = "LINK:DIRECTION:RATE", value_parser = rate::parse_move)]
    pub moves: Vec<AskedMove>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Subcommand)]
pub enum Audit {
    /// Show the records.
    List {
        /// The first record to show, from 0.
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: u64,
    },
    /// Recompute the log's root and look every change up; exit with 4 on a fault.
    Verify,
}
