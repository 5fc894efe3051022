//! The procedure on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{Timestamp, civil, tz::TimeZone};

use crate::{
    admin::rate,
    view::{AccountBody, BodBody, CaseActBody, OpenCaseBody},
};

#[derive(Args)]
pub struct Case {
    /// Its number.
    #[arg(value_name = "ID")]
    pub id: u64,
    #[command(subcommand)]
    pub act: Option<Act>,
}

/// What can be done to a case; without any it is shown.
#[derive(Subcommand)]
pub enum Act {
    /// Step 2: the shortage is real.
    Confirm(Reason),
    /// Step 2: nothing has to be re-allocated. The case ends.
    Dismiss(Reason),
    /// Approve the proposal that waits.
    Approve,
    /// Decline the proposal that waits; the case stays in step 3.
    Decline(Reason),
    /// Grant a loan of bandwidth.
    Grant,
    /// Have it planned again.
    Replan,
    /// Ask the provider for capacity: a letter is written, and sent where its address is on record.
    AskProvider {
        /// What the uplink should have afterwards.
        #[arg(long, value_name = "RATE", value_parser = rate::parse)]
        wanted: u64,
        /// Whole rupiah a month; by the contract unless given.
        #[arg(long, value_name = "IDR")]
        price: Option<u64>,
    },
    /// The letter went out by another way than Takar's.
    Sent {
        #[arg(long, value_name = "TEXT")]
        how: String,
    },
    /// What the provider said, where it said so otherwise than by its link.
    Answered {
        /// It refuses; without this it agrees.
        #[arg(long)]
        refused: bool,
        /// Who said so.
        #[arg(long, value_name = "NAME")]
        name: String,
        #[arg(long, value_name = "TEXT")]
        ticket: Option<String>,
        #[arg(long, value_name = "TIME", value_parser = time)]
        promised: Option<u64>,
        #[arg(long, value_name = "TEXT")]
        remark: Option<String>,
    },
    /// The new capacity is there and was measured: the register has it from now on.
    Accept {
        #[arg(long, value_name = "RATE", value_parser = rate::parse)]
        measured: u64,
    },
    /// Let it wait for capacity until a date; its clock stands still.
    Defer {
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: u64,
        #[command(flatten)]
        reason: Reason,
    },
    /// Go on with a case that was deferred.
    Resume,
    /// Nothing will be allocated: the report says why.
    Conclude(Reason),
    /// Take a loan back before its time.
    EndLoan(Reason),
    /// Step 6: receive the report, as the head of the team. The case is archived.
    Receive {
        #[arg(long, value_name = "TEXT")]
        remark: Option<String>,
    },
    /// Say something for the record.
    Remark {
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Say who answers for the present step.
    Assign {
        #[arg(value_name = "NAME")]
        to: String,
    },
}

#[derive(Args)]
pub struct Reason {
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// A case of a person's own.
#[derive(Args)]
pub struct OpenCase {
    /// Which link, and in which direction: sd-02:down.
    #[arg(long, value_name = "LINK:DIRECTION", value_parser = place)]
    pub link: (String, String),
    #[command(flatten)]
    pub reason: Reason,
}

/// Bandwidth on demand: a loan that comes back by itself.
#[derive(Args)]
pub struct Bod {
    /// Which link, in which direction, and the ceiling it should have meanwhile: sd-02:down:20M.
    #[arg(long = "to", value_name = "LINK:DIRECTION:RATE", value_parser = rate::parse_move)]
    pub to: crate::view::AskedMove,
    /// 2026-11-28T08:00, in local time unless it says a zone; now unless given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<u64>,
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: u64,
    /// Number of the letter that asks for it.
    #[arg(long, value_name = "TEXT")]
    pub letter: Option<String>,
    #[command(flatten)]
    pub reason: Reason,
}

#[derive(Subcommand)]
pub enum Account {
    /// Show accounts.
    List,
    /// Add one. The first must be an admin.
    Add {
        #[arg(value_name = "NAME")]
        name: String,
        /// member, head, provider, auditor or admin.
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// The person's full name.
        #[arg(long, value_name = "TEXT")]
        title: String,
        #[command(flatten)]
        set: AccountSet,
    },
    /// Change one.
    Set {
        #[arg(value_name = "NAME")]
        name: String,
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        #[command(flatten)]
        set: AccountSet,
        /// It may not log in any more; what it did stays on record.
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        #[arg(long)]
        enable: bool,
        /// Forget its one-time codes, of a telephone that was lost.
        #[arg(long)]
        reset_totp: bool,
    },
}

#[derive(Args)]
pub struct AccountSet {
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// id or en.
    #[arg(long, value_name = "LANG")]
    pub lang: Option<String>,
    /// The account of this machine that is the same person on the command line.
    #[arg(long, value_name = "USER")]
    pub os_user: Option<String>,
    /// Of the role provider: which one.
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// A file with the password, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl From<Act> for CaseActBody {
    fn from(act: Act) -> Self {
        match act {
            Act::Confirm(Reason { reason }) => Self::Confirm { reason },
            Act::Dismiss(Reason { reason }) => Self::Dismiss { reason },
            Act::Approve => Self::Approve,
            Act::Decline(Reason { reason }) => Self::Decline { reason },
            Act::Grant => Self::Grant,
            Act::Replan => Self::Replan,
            Act::AskProvider { wanted, price } => Self::AskProvider { wanted_bps: wanted, price_idr: price },
            Act::Sent { how } => Self::Sent { how },
            Act::Answered { refused, name, ticket, promised, remark } => {
                Self::Answered { agreed: !refused, name, ticket, promised, remark }
            }
            Act::Accept { measured } => Self::Accept { measured_bps: measured },
            Act::Defer { until, reason: Reason { reason } } => Self::Defer { until, reason },
            Act::Resume => Self::Resume,
            Act::Conclude(Reason { reason }) => Self::Conclude { reason },
            Act::EndLoan(Reason { reason }) => Self::EndLoan { reason },
            Act::Receive { remark } => Self::Receive { remark },
            Act::Remark { text } => Self::Remark { text },
            Act::Assign { to } => Self::Assign { to },
        }
    }
}

impl From<OpenCase> for OpenCaseBody {
    fn from(asked: OpenCase) -> Self {
        let (link, direction) = asked.link;
        Self { link, direction, reason: asked.reason.reason }
    }
}

impl From<Bod> for BodBody {
    fn from(asked: Bod) -> Self {
        Self {
            link: asked.to.link,
            direction: asked.to.direction,
            to_bps: asked.to.to_bps,
            from: asked.from,
            until: asked.until,
            reason: asked.reason.reason,
            letter: asked.letter,
        }
    }
}

impl AccountSet {
    /// What is set, over what the caller set already.
    pub fn into_body(self, body: AccountBody) -> Result<AccountBody, crate::admin::Failure> {
        let password = self.password_file.as_deref().map(crate::admin::accounts::password).transpose()?;
        Ok(AccountBody {
            email: self.email,
            lang: self.lang,
            os_user: self.os_user,
            provider: self.provider,
            password,
            ..body
        })
    }
}

fn place(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((link, direction)) if !link.is_empty() && matches!(direction, "down" | "up") => {
            Ok((link.into(), direction.into()))
        }
        _ => Err("expected LINK:DIRECTION, such as sd-02:down".into()),
    }
}

/// `2026-11-28T08:00` in this machine's zone, `2026-11-28` (its beginning), or with a zone `2026-11-28T08:00:00+07:00`.
pub fn time(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no time; expected 2026-11-28, 2026-11-28T08:00 or 2026-11-28T08:00:00+07:00");
    let local = |time: civil::DateTime| time.to_zoned(TimeZone::system()).map(|zoned| zoned.timestamp());
    let stamp = match (text.parse::<Timestamp>(), text.parse::<civil::DateTime>(), text.parse::<civil::Date>()) {
        (Ok(stamp), ..) => Ok(stamp),
        (_, Ok(time), _) => local(time),
        (_, _, Ok(date)) => local(date.at(0, 0, 0, 0)),
        _ => return Err(wrong()),
    };
    let millis = stamp.map_err(|_| wrong())?.as_millisecond();
    u64::try_from(millis).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(time("2026-01-31T22:05:09+07:00").unwrap(), 1_769_871_909_000);
        assert!(time("2026-11-28").is_ok() && time("2026-11-28T08:00").is_ok());
        for wrong in ["28-11-2026", "tomorrow", "", "2026-13-01", "1969-12-31T00:00:00Z"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn places_are_read() {
        assert_eq!(place("sd-02:down").unwrap(), ("sd-02".into(), "down".into()));
        for wrong in ["sd-02", ":down", "sd-02:left", ""] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
