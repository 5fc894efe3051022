//! The one who carries a batch out: by mail or by webhook, as its channel says.

use std::{io, path::PathBuf};

use takar_shared::UnixMillis;
use thiserror::Error;

use crate::{
    config::Settings,
    lang::Zone,
    mail::Mailer,
    queue::{Batch, Channel},
    secret::SecretError,
    webhook::Poster,
};

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it; what it said.
    Sent { reference: String },
    /// It certainly did not arrive, and may the next time.
    Temporary(String),
    /// Nobody knows whether it arrived.
    Unclear(String),
    /// It never will arrive as it is.
    Permanent(String),
}

/// The config cannot be carried out on this machine.
#[derive(Debug, Error)]
pub enum CannotSend {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("cannot read {}", .path.display())]
    Roots { path: PathBuf, source: io::Error },
    #[error("{} holds no certificate in PEM", .path.display())]
    NoRoots { path: PathBuf },
    #[error("TLS with {host} cannot be set up")]
    Tls { host: String, source: lettre::transport::smtp::Error },
}

pub struct Post {
    mail: Option<Mailer>,
    webhook: Option<Poster>,
    zone: Zone,
}

impl Post {
    /// Reads secrets and certificates.
    pub fn new(settings: &Settings, zone: Zone) -> Result<Self, CannotSend> {
        let mail = settings.mail.clone().map(Mailer::new).transpose()?;
        let webhook = settings.webhook.as_ref().map(Poster::new).transpose()?;
        Ok(Self { mail, webhook, zone })
    }

    /// Takes no longer than the timeouts of the config allow. `now` is signed where signatures have a time.
    pub async fn send(&self, batch: &Batch, now: UnixMillis) -> Outcome {
        match (&batch.channel, &self.mail, &self.webhook) {
            (Channel::Mail { to }, Some(mail), _) => mail.send(to, batch, &self.zone).await,
            (Channel::Webhook { url }, _, Some(webhook)) => webhook.send(url, batch, &self.zone, now).await,
            (Channel::Mail { .. }, None, _) => Outcome::Temporary("there is no [notice.mail] in the config".into()),
            (Channel::Webhook { .. }, _, None) => {
                Outcome::Temporary("there is no [notice.webhook] in the config".into())
            }
        }
    }
}

/// An error with what it came from, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        // Some libraries repeat their source.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = source.source();
    }
    text
}
