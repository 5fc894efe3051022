//! Mail by SMTP. What a server says decides what is tried again: a reply to the message itself counts as it stands; a
//! server that cannot be reached, or does not let us in, may be another tomorrow.

mod message;

use std::{fs, path::PathBuf, time::Duration};

use lettre::{
    message::Mailbox,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
        response::Response,
    },
};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    lang::Zone,
    post::{CannotSend, Outcome, chain},
    queue::Batch,
    secret,
    words::one_line,
};
use message::Ready;

/// The goodbye is a courtesy: the message is taken by then.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Who logs in, with the password in a file.
    pub login: Option<(String, PathBuf)>,
    /// PEM: the only authorities that may vouch for the server. `None`: those of this machine.
    pub ca_file: Option<PathBuf>,
    pub from: Mailbox,
    /// To be let in, and again for the message.
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Only to this machine.
    None,
    StartTls,
    Implicit,
}

pub struct Mailer {
    smtp: Smtp,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
}

impl Mailer {
    /// Reads the password and the certificates.
    pub fn new(smtp: Smtp) -> Result<Self, CannotSend> {
        let tls = match smtp.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => Some(tls(&smtp)?),
        };
        let login = match &smtp.login {
            Some((user, file)) => Some(Credentials::new(user.clone(), secret::read(file, 1)?)),
            None => None,
        };
        Ok(Self { smtp, tls, login })
    }

    pub async fn send(&self, to: &str, batch: &Batch, zone: &Zone) -> Outcome {
        // Attachments are read from disk, and encoded.
        let work = {
            let (from, to, batch, zone) = (self.smtp.from.clone(), to.to_owned(), batch.clone(), zone.clone());
            move || message::ready(from, &to, &batch, &zone)
        };
        match spawn_blocking(work).await {
            Ok(Ok(ready)) => self.deliver(&ready).await,
            Ok(Err(outcome)) => outcome,
            Err(error) => Outcome::Temporary(format!("the mail could not be written: {error}")),
        }
    }

    async fn deliver(&self, ready: &Ready) -> Outcome {
        let limit = self.smtp.timeout;
        let (host, port) = (&self.smtp.host, self.smtp.port);
        let mut connection = match timeout(limit, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Outcome::Temporary(format!("{host}:{port}: {}", said(&error))),
            Err(_) => return Outcome::Temporary(format!("{host}:{port} did not let us in within {limit:?}")),
        };
        let outcome = match timeout(limit, connection.send(&ready.envelope, &ready.bytes)).await {
            Ok(Ok(response)) => taken(&response),
            Ok(Err(error)) if error.is_transient() => Outcome::Temporary(said(&error)),
            // Refused by the server; or by us, as it lacks what the address needs.
            Ok(Err(error)) if error.is_permanent() || error.is_client() => Outcome::Permanent(said(&error)),
            Ok(Err(error)) => Outcome::Unclear(said(&error)),
            Err(_) => Outcome::Unclear(format!("{host}:{port} did not answer to the message within {limit:?}")),
        };
        if matches!(outcome, Outcome::Sent { .. }) {
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
        outcome
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let hello = ClientId::default();
        let implicit = self.tls.clone().filter(|_| self.smtp.tls == Tls::Implicit);
        let server = (self.smtp.host.as_str(), self.smtp.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.smtp.timeout), &hello, implicit, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.smtp.tls == Tls::StartTls) {
            // Fails where the server offers none: never a password in the clear.
            connection.starttls(tls, &hello).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}

/// 250 is the one reply that takes responsibility for a message (RFC 5321, 4.2.5). Another would be an answer to
/// something else, as after replies that somebody slipped in before TLS.
fn taken(response: &Response) -> Outcome {
    let text = response.message().collect::<Vec<_>>().join(" ");
    let reference = one_line(&format!("{} {text}", response.code()));
    if response.has_code(250) {
        Outcome::Sent { reference }
    } else {
        Outcome::Unclear(format!("unexpected reply {reference}"))
    }
}

fn said(error: &SmtpError) -> String {
    one_line(&chain(error))
}

fn tls(smtp: &Smtp) -> Result<TlsParameters, CannotSend> {
    let cannot = |source| CannotSend::Tls { host: smtp.host.clone(), source };
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca_file {
        let pem = fs::read(path).map_err(|source| CannotSend::Roots { path: path.clone(), source })?;
        if !pem.windows(BEGIN.len()).any(|part| part == BEGIN) {
            return Err(CannotSend::NoRoots { path: path.clone() });
        }
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(&pem).map_err(cannot)?);
    }
    builder.build().map_err(cannot)
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
