//! `takar device`: who asked to be let in, who is in, and letting in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;
use takar_shared::bundle::{Bundle, Request};

use super::{
    Failure, Printer, Tone,
    table::{Table, or_unknown, time_or_unknown},
};
use crate::{
    api::client::{self, ClientError},
    view::{DeviceBody, DeviceView},
};

// How `device approve` is meant. No doc comment: clap would take it for the about text of the command.
#[derive(Args)]
pub struct Approval {
    /// Where to write the bundle: a new file.
    #[arg(long, value_name = "BUNDLE")]
    pub out: PathBuf,
    /// Take the agent out that serves its devices now: it lost its state, was quarantined, or is gone.
    #[arg(long)]
    pub replace: bool,
}

pub async fn add(socket: &Path, file: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    let request = read_request(file)?;
    let (name, fingerprint) = (request.name.clone(), request.fingerprint.clone());
    let body = DeviceBody::Request { request, replace: false };
    let done = super::post::<Value>(socket, "/v1/devices", &body, out).await;
    if done.map_err(|failure| about(file, failure))?.is_some() {
        out.line(&format!("{name} asks to be let in; fingerprint {fingerprint}"))?;
        out.line(&format!(
            "next: compare the fingerprint with the one on the router, then takar device approve {name} --out BUNDLE"
        ))?;
    }
    Ok(())
}

pub async fn list(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(devices) = super::get::<Vec<DeviceView>>(socket, "/v1/devices", out).await? {
        print(devices, out)?;
    }
    Ok(())
}

/// The bundle's file is made before anything is approved, so that an approval is never lost for want of a place.
pub async fn approve(socket: &Path, who: &Path, approval: &Approval, out: &mut Printer<'_>) -> Result<(), Failure> {
    let body = who_is_meant(who, approval.replace)?;
    let bundle = approval.out.as_path();
    let mut file = new_file(bundle)?;
    let mut done = approve_into(socket, &body, bundle, &mut file, out).await;
    if matches!(body, DeviceBody::Request { .. }) {
        done = done.map_err(|failure| about(who, failure));
    }
    if done.is_err() {
        // Empty or half written: of no use to anybody, and in the way of the next try.
        let _ = fs::remove_file(bundle);
    }
    done
}

async fn approve_into(
    socket: &Path,
    body: &DeviceBody,
    path: &Path,
    file: &mut File,
    out: &mut Printer<'_>,
) -> Result<(), Failure> {
    let view = client::post(socket, "/v1/devices/approve", body).await?;
    let Bundle { name, agent, .. } = super::read(view.clone())?;
    write_bundle(file, &view)
        .map_err(|error| Failure::problem(format!("{} cannot be written: {error}", path.display())))?;
    if out.wants_json() {
        out.json(&view)?;
        return Ok(());
    }
    out.toned(Tone::Good, &format!("{name} ({agent}) approved; bundle written to {}", path.display()))?;
    out.line("next: carry it to the router, then takar-agent enrol --bundle FILE there")?;
    Ok(())
}

fn write_bundle(file: &mut File, bundle: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *file, bundle)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// 0600 from its first byte, and never over another file.
fn new_file(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| {
        let shown = path.display();
        Failure::problem(match error.kind() {
            ErrorKind::AlreadyExists => format!("{shown} is there already; expected a new file for the bundle"),
            _ => format!("{shown} cannot be made: {error}"),
        })
    })
}

/// What the daemon has against a request, with the file that it came from.
fn about(file: &Path, failure: Failure) -> Failure {
    let name = |line: &String| format!("{}: {line}", file.display());
    match failure {
        Failure::Client(ClientError::Refused(lines)) => Failure::Problems(lines.iter().map(name).collect()),
        Failure::Client(ClientError::Protocol(line)) => Failure::problem(name(&line)),
        // Of the output, or of the bundle's file, which they name.
        other => other,
    }
}

/// A request file where there is one; else the name or fingerprint of a request that was added.
fn who_is_meant(who: &Path, replace: bool) -> Result<DeviceBody, Failure> {
    if who.is_file() {
        return Ok(DeviceBody::Request { request: read_request(who)?, replace });
    }
    match who.to_str() {
        Some(added) if !added.contains('/') => Ok(DeviceBody::Added { added: added.to_owned(), replace }),
        _ => Err(Failure::problem(format!("{} is not there; expected a request file or a name", who.display()))),
    }
}

fn read_request(file: &Path) -> Result<Request, Failure> {
    let shown = file.display();
    let text =
        fs::read_to_string(file).map_err(|error| Failure::problem(format!("{shown} cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::problem(format!("{shown}: {error}; expected the file that takar-agent enrol --request wrote"))
    })
}

const HEADER: &[&str] = &[
    "name",
    "agent",
    "device",
    "enrolment",
    "online",
    "mode",
    "poll",
    "last heard",
    "serial",
    "boot",
    "shapers",
    "software",
];

fn print(mut devices: Vec<DeviceView>, out: &mut Printer<'_>) -> io::Result<()> {
    devices.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut table = Table::new(HEADER, &[8, 9, 10]);
    for one in devices {
        let tone = tone(&one);
        let cells = vec![
            one.name,
            one.agent,
            or_unknown(one.device),
            one.enrolment,
            if one.online { "yes" } else { "no" }.to_owned(),
            or_unknown(one.mode),
            or_unknown(one.poll),
            time_or_unknown(one.last_heard),
            or_unknown(one.last_serial.map(|serial| serial.to_string())),
            or_unknown(one.boot_epoch.map(|epoch| epoch.to_string())),
            one.shapers.to_string(),
            or_unknown(one.software),
        ];
        table.row(tone, cells);
    }
    table.print("no devices; takar-agent enrol --request FILE on a router begins", out)
}

fn key(one: &DeviceView) -> (u8, &str, Option<&str>) {
    let rank = match tone(one) {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Quiet => 3,
        _ => 2,
    };
    (rank, &one.name, one.device.as_deref())
}

/// Lost is bad; waiting to be let in, or a poll that fails, wants a look.
fn tone(one: &DeviceView) -> Tone {
    match one.enrolment.as_str() {
        "revoked" => Tone::Quiet,
        "quarantined" => Tone::Bad,
        "approved" if !one.online => Tone::Bad,
        "approved" if one.poll.as_deref().is_none_or(|poll| poll == "ok") => Tone::Plain,
        _ => Tone::Warn,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::admin::tests::printed;

    fn device(name: &str, enrolment: &str, online: bool, poll: Option<&str>) -> DeviceView {
        DeviceView {
            agent: "a0".into(),
            name: name.into(),
            device: None,
            enrolment: enrolment.into(),
            online,
            mode: None,
            software: None,
            poll: poll.map(Into::into),
            last_heard: None,
            last_serial: None,
            boot_epoch: None,
            shapers: 0,
        }
    }

    #[test]
    fn what_is_lost_comes_first_then_what_waits() {
        let devices = vec![
            device("revoked", "revoked", false, None),
            device("well", "approved", true, Some("ok")),
            device("deaf", "approved", true, Some("timeout")),
            device("asks", "pending", false, None),
            device("lost", "approved", false, Some("ok")),
        ];
        let text = printed(|out| print(devices, out));
        let names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["lost", "asks", "deaf", "well", "revoked"]);
    }

    #[test]
    fn a_bundle_is_0600_and_never_written_over_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("core-1.bundle");
        drop(new_file(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert!(new_file(&path).unwrap_err().to_string().contains("is there already"));
    }

    #[tokio::test]
    async fn an_approval_that_fails_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, path) = (dir.path().join("takar.sock"), dir.path().join("core-1.bundle"));
        let mut bytes = Vec::new();
        let mut out = Printer::new(&mut bytes, false, false);
        let approval = Approval { out: path.clone(), replace: false };
        let failed = approve(&socket, Path::new("core-1"), &approval, &mut out).await;
        assert!(matches!(failed, Err(Failure::Client(client::ClientError::NotRunning { .. }))));
        assert!(!path.exists());
    }

    #[test]
    fn a_name_is_no_file_and_a_path_is_no_name() {
        for replace in [false, true] {
            let meant = who_is_meant(Path::new("core-1"), replace);
            assert!(
                matches!(meant, Ok(DeviceBody::Added { added, replace: said }) if added == "core-1" && said == replace)
            );
        }
        assert!(who_is_meant(Path::new("/nowhere/core-1.request"), false).is_err());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("core-1.request");
        fs::write(&file, "{}").unwrap();
        assert!(who_is_meant(&file, false).unwrap_err().to_string().contains("missing field"));
    }
}
