//! A page each: what it shows as plain data, and how it is drawn.
//!
//! Codes (`state`, `kind`, `role`, …) are those of the API; a code without a word here shows as it is. Cases that are
//! overdue come first, whatever the order they are handed over in.

mod account;
mod accounts;
mod case;
mod cases;
mod login;
mod message;
mod papers;
mod provider;
mod receive;
mod row;
mod today;

pub use account::{Account, Totp};
pub use accounts::{AccountRow, Accounts, ROLES};
pub use case::{
    Answer, Case, Change, Check, Dialogue, Draft, Evidence, Move, Opening, Proposal, Remark, StepRow, TeamMember,
    Trail, Way,
};
pub use cases::{Cases, Filter, KINDS, STATES};
pub use login::{Login, Refusal};
pub use message::Message;
pub use papers::{Paper, PaperFile, Reports};
pub use provider::{Provider, Reply, Request, Standing};
pub use receive::Receive;
pub use row::CaseRow;
pub use today::{Deed, LinkRow, Today, UplinkRow};

/// Into a string nothing can fail.
fn draw(page: &impl askama::Template) -> String {
    page.render().unwrap_or_default()
}
