//! Maintenance on the command line.

use clap::{Args, Subcommand};

use super::cases::{Reason, time};
use crate::view::MaintenanceBody;

#[derive(Subcommand)]
pub enum Maintenance {
    /// Say that a link, a site or an uplink is worked on: meanwhile its links raise no findings and neither give nor get.
    Add(Add),
    /// Show what is worked on, or will be.
    List {
        /// What is over too.
        #[arg(long)]
        all: bool,
    },
    /// End it before its time, or call it off.
    End {
        #[arg(value_name = "ID")]
        id: u64,
    },
}

#[derive(Args)]
pub struct Add {
    #[command(flatten)]
    of: Of,
    /// 2026-11-28T08:00, in local time unless it says a zone; now unless given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<u64>,
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: u64,
    #[command(flatten)]
    reason: Reason,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Of {
    #[arg(long, value_name = "NAME")]
    link: Option<String>,
    /// All links of that site.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// All links on that uplink.
    #[arg(long, value_name = "NAME")]
    uplink: Option<String>,
}

impl From<Add> for MaintenanceBody {
    fn from(asked: Add) -> Self {
        let Of { link, site, uplink } = asked.of;
        Self { link, site, uplink, from: asked.from, until: asked.until, reason: asked.reason.reason }
    }
}
