//! A mail server, and the provider's link in what it took.

// A laboratory that cannot be set up is a failed test, said on the spot.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::process::{Process, wait_for};

/// A real mail server that keeps what it takes in a Maildir.
pub struct Post {
    _server: Process,
    folder: PathBuf,
}

impl Post {
    pub fn start(at: &Path, port: u16) -> Self {
        let folder = at.join("mail");
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"]);
        command.arg(&folder);
        let mut server = Process::start("aiosmtpd", command, &at.join("smtp.log")).unwrap();
        wait_for("aiosmtpd", Duration::from_secs(20), || {
            server.check()?;
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        })
        .unwrap();
        Self { _server: server, folder }
    }

    /// A mail to somebody, with its transfer encoding taken off.
    pub fn wait(&self, to: &str, holds: impl Fn(&str) -> bool) -> String {
        wait_for(&format!("a mail to {to}"), Duration::from_secs(40), || {
            let files = fs::read_dir(self.folder.join("new")).into_iter().flatten();
            let mut mails = files.filter_map(|file| fs::read(file.ok()?.path()).ok()).map(|bytes| plain(&bytes));
            Ok(mails.find(|mail| mail.contains(to) && holds(mail)))
        })
        .unwrap()
    }
}

/// Quoted-printable (RFC 2045) undone, as far as ASCII goes.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace("=\n", "");
    ["3D", "2D", "5F", "2E"].iter().fold(text, |text, code| {
        let byte = u8::from_str_radix(code, 16).unwrap();
        text.replace(&format!("={code}"), &char::from(byte).to_string())
    })
}

/// The path of the provider's link in a mail. `site` is the page's URL.
pub fn link_in(mail: &str, site: &str) -> String {
    let (_, rest) = mail.split_once(&format!("{site}/provider/")).unwrap();
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    format!("/provider/{token}")
}
