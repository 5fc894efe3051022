//! Binding the socket: never reachable by more than it should be, never twice, never in the way of the next start.
//!
//! The socket is made in a private folder beside its place and renamed into it when owner and mode are right, so the
//! process-wide umask is neither trusted nor touched. A lock on that folder keeps two daemons that start together apart.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _, chown},
    path::Path,
};

use anyhow::{Context as _, bail};
use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with},
};
use tokio::net::UnixListener;

use super::peer::gid_of;
use crate::config::LONGEST_SOCKET;

/// Short, since a socket's path may have 107 bytes only (unix(7)) and this one is bound too.
const NURSERY: &str = ".bind";

/// Mode 0660 with the group's gid where a group is given, else 0600. A socket that nobody answers on is replaced.
///
/// Errors: a daemon answers on `path`, something else than a socket is there, the group is unknown or may not be
/// given, the folder cannot be written. Needs a tokio runtime.
pub fn bind(path: &Path, group: Option<&str>) -> anyhow::Result<UnixListener> {
    let shown = path.display();
    let (Some(dir), Some(_)) = (path.parent(), path.file_name()) else {
        bail!("{shown} cannot be a socket; expected a path with a file name");
    };
    // By the detour it could be bound all the same.
    let length = path.as_os_str().len();
    if length > LONGEST_SOCKET {
        bail!("{shown} has {length} bytes; expected at most {LONGEST_SOCKET} bytes, or nobody can connect to it");
    }
    let gid = group.map(group_id).transpose()?;
    let nursery = dir.join(NURSERY);
    let lock = open_nursery(&nursery).with_context(|| {
        format!("cannot make a socket in {}; expected a folder that takar may write", dir.display())
    })?;
    lock.lock().with_context(|| format!("cannot lock {}", nursery.display()))?;
    clear_place(path)?;

    let made = nursery.join("s");
    // Of a daemon that died between bind and rename; the lock says that nobody is there now.
    remove_if_there(&made)?;
    let listener = UnixListener::bind(&made).with_context(|| format!("cannot bind {}", made.display()))?;
    let mode = match gid {
        Some(gid) => {
            chown(&made, None, Some(gid))
                .with_context(|| format!("cannot give {shown} to group {}", group.unwrap_or_default()))?;
            0o660
        }
        None => 0o600,
    };
    fs::set_permissions(&made, Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {shown}"))?;
    fs::rename(&made, path).with_context(|| format!("cannot move the socket to {shown}"))?;
    // Left behind it would do no harm, so this may fail.
    let _ = fs::remove_dir(&nursery);
    Ok(listener)
}

fn group_id(name: &str) -> anyhow::Result<u32> {
    let groups = fs::read_to_string("/etc/group").context("cannot read /etc/group")?;
    gid_of(&groups, name).with_context(|| format!("group \"{name}\" is not in /etc/group"))
}

fn open_nursery(path: &Path) -> std::io::Result<File> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    // Fails where it belongs to somebody else.
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    File::open(path)
}

/// Leaves `path` free, or says what is there.
fn clear_place(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| format!("cannot look at {shown}"))?,
    };
    if !meta.file_type().is_socket() {
        bail!("{shown} is there and is no socket; expected a free path, so move it away");
    }
    match try_connect(path) {
        Ok(()) | Err(Errno::AGAIN) => bail!("takar serve already runs on {shown}"),
        Err(Errno::CONNREFUSED) => remove_if_there(path),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => {
            Err(std::io::Error::from(error)).with_context(|| format!("cannot tell whether somebody answers on {shown}"))
        }
    }
}

/// Without waiting: a daemon that hangs with a full queue answers EAGAIN, and is there all the same.
fn try_connect(path: &Path) -> Result<(), Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the old {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[tokio::test]
    async fn without_a_group_the_socket_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        let _listener = bind(&path, None).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(!dir.path().join(NURSERY).exists());
    }

    #[tokio::test]
    async fn with_a_group_the_group_may_connect() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        // The group of a file that this process made: the one group that it may give for sure.
        let gid = fs::metadata(dir.path()).unwrap().gid();
        let groups = fs::read_to_string("/etc/group").unwrap();
        let name = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
            (number.parse::<u32>() == Ok(gid)).then_some(name)
        });
        let _listener = bind(&path, Some(name.expect("the process's group is in /etc/group"))).unwrap();
        assert_eq!(mode(&path), 0o660);
        assert_eq!(fs::metadata(&path).unwrap().gid(), gid);
    }

    #[tokio::test]
    async fn an_unknown_group_is_refused_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        let error = bind(&path, Some("no-such-group-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-group-here"), "{error}");
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        drop(bind(&path, None).unwrap());
        assert!(path.exists(), "a dead daemon leaves its socket");
        let _live = bind(&path, None).unwrap();
        let error = bind(&path, None).unwrap_err();
        assert!(error.to_string().contains("takar serve already runs on"), "{error}");
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok(), "the live one still answers");
    }

    #[tokio::test]
    async fn a_path_that_nobody_could_connect_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s".repeat(108));
        let error = bind(&path, None).unwrap_err().to_string();
        assert!(error.contains("expected at most 107 bytes") && !path.exists(), "{error}");
    }

    #[tokio::test]
    async fn a_file_is_not_taken_for_a_stale_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path, None).unwrap_err().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
