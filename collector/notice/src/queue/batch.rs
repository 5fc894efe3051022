//! What goes in one message.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use takar_shared::UnixMillis;

use super::{Channel, Delivery};
use crate::{
    lang::Lang,
    notice::{Notice, Recipient},
};

/// One message, of one recipient's notices, the oldest first; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The lowest id of its deliveries.
    pub id: u64,
    /// Of this message and no other: the same notices always have the same. Becomes the Message-ID.
    pub key: String,
    pub channel: Channel,
    /// As the newest notice addresses them.
    pub to: Recipient,
    pub urgent: bool,
    pub deliveries: Vec<u64>,
    pub notices: Vec<Notice>,
}

impl Batch {
    /// `None` for no deliveries. They are in order of their ids.
    pub(super) fn of(deliveries: &[&Delivery], urgent: bool) -> Option<Self> {
        let (first, last) = (deliveries.first()?, deliveries.last()?);
        Some(Self {
            id: first.id,
            key: key(deliveries),
            channel: first.channel.clone(),
            to: last.notice.to.clone(),
            urgent,
            deliveries: deliveries.iter().map(|delivery| delivery.id).collect(),
            notices: deliveries.iter().map(|delivery| delivery.notice.clone()).collect(),
        })
    }

    pub fn lang(&self) -> Lang {
        self.to.lang
    }

    /// When its newest notice was made: the date of the message, whenever it is sent.
    pub fn made_at(&self) -> UnixMillis {
        self.notices.iter().map(|notice| notice.made_at).max().unwrap_or_default()
    }
}

/// Ids alone would be another collector's too; ids with times to the millisecond are not.
fn key(deliveries: &[&Delivery]) -> String {
    let mut hash = Sha256::new();
    for delivery in deliveries {
        for number in [delivery.id, delivery.notice.id, delivery.notice.made_at.0] {
            hash.update(number.to_be_bytes());
        }
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
