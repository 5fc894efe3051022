//! What the config names on this machine: is it there, is it sound? `takar serve` would find out too, one at a time.

use std::{
    fs,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::{Config, Problem};
use crate::{
    keys::{Ca, file, pem},
    signer::Signer,
};

/// All problems with the state folder, the keys and certificates in it, and the place of the socket. Nothing is
/// changed, and no daemon is needed or disturbed.
pub fn check_files(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |at: &str, text: String| problems.push(Problem { at: at.into(), text });
    let state = &config.state_dir;
    match folder(state) {
        // All that is in it would be missing too.
        Err(what) => say("state_dir", what),
        Ok(()) => {
            for error in Signer::problems(state).into_iter().chain(tls_problems(config)) {
                say("state_dir", format!("{error:#}"));
            }
        }
    }
    let place = config.socket.parent().unwrap_or(Path::new("/"));
    if place != state
        && let Err(what) = folder(place)
    {
        say("socket", what);
    }
    let there = fs::symlink_metadata(&config.socket).ok();
    if there.is_some_and(|there| !there.file_type().is_socket()) {
        let shown = config.socket.display();
        say("socket", format!("{shown} is there and is no socket; expected a free path, so move it away"));
    }
    if let Some(group) = &config.socket_group {
        if place.starts_with(state) {
            let text = "set, but nobody else may enter state_dir, where the socket is; expected a socket elsewhere, such as /run/takar/takar.sock";
            say("socket_group", text.into());
        }
        match fs::read_to_string("/etc/group") {
            Err(error) => say("socket_group", format!("cannot read /etc/group: {error}")),
            Ok(groups) if !groups.lines().any(|line| line.split(':').next() == Some(group.as_str())) => {
                say("socket_group", format!("group \"{group}\" is not in /etc/group"));
            }
            Ok(_) => {}
        }
    }
    for (at, text) in config.notice.iter().flat_map(takar_notice::config::Settings::check_files) {
        say(&at, text);
    }
    problems
}

/// A folder that this account may write.
fn folder(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|error| format!("cannot look at {shown}: {error}"))?;
    if !meta.is_dir() {
        return Err(format!("{shown} is no directory; expected a folder that takar may write"));
    }
    let may = access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK);
    may.map_err(|_| format!("{shown} may not be written by this account; expected a folder that takar may write"))
}

/// What the broker's connection needs, and what it takes to let an agent in.
fn tls_problems(config: &Config) -> Vec<anyhow::Error> {
    if !config.broker.tls {
        return Vec::new();
    }
    let at = |name: &str| -> PathBuf { config.state_dir.join(name) };
    let (ca, own, key) = (at(file::CA), at(file::COLLECTOR), at(file::COLLECTOR_KEY));
    let each = [
        pem::certificates(&ca).err(),
        pem::certificates(&own).err(),
        pem::private_key(&key).err(),
        Ca::load_key(&config.state_dir).err(),
    ];
    let problems: Vec<anyhow::Error> = each.into_iter().flatten().collect();
    if problems.is_empty() { pem::client(&ca, &own, &key).err().into_iter().collect() } else { problems }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::{
        config::{self, BrokerKind},
        init::init,
    };

    /// A network made by init: its folder and its config.
    fn network(kind: BrokerKind) -> (tempfile::TempDir, Config) {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        init(&at("state"), &at("takar.toml"), &at("root.key"), kind, "127.0.0.1", "127.0.0.1:1883").unwrap();
        let config = config::load(&at("takar.toml")).unwrap();
        (dir, config)
    }

    fn lines(config: &Config) -> Vec<String> {
        check_files(config).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_init_wrote_is_sound() {
        for kind in [BrokerKind::Embedded, BrokerKind::Mosquitto] {
            let (_dir, config) = network(kind);
            assert_eq!(lines(&config), Vec::<String>::new(), "{kind}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once_and_each_names_its_file() {
        let (_dir, config) = network(BrokerKind::Mosquitto);
        let at = |name: &str| config.state_dir.join(name);
        fs::set_permissions(at(file::COMMAND_KEY), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(at(file::GRANT_KEY), "00ff\n").unwrap();
        fs::remove_file(at(file::KEYSET)).unwrap();
        fs::write(at(file::CA), "").unwrap();
        fs::write(at(file::COLLECTOR), "hello\n").unwrap();
        fs::write(at(file::COLLECTOR_KEY), "hello\n").unwrap();
        fs::write(at(file::CA_KEY), "hello\n").unwrap();
        fs::write(&config.socket, "precious").unwrap();
        let config = Config { socket_group: Some("no-such-group-here".into()), ..config.clone() };
        let expected = [
            ("state_dir: cannot read", file::KEYSET),
            ("mode 0644; expected 0600", file::COMMAND_KEY),
            ("holds no Ed25519 seed", file::GRANT_KEY),
            ("holds no certificate in PEM", file::CA),
            ("holds no certificate in PEM", file::COLLECTOR),
            ("holds no private key in PEM", file::COLLECTOR_KEY),
            ("holds no PKCS #8 key in PEM", file::CA_KEY),
            ("socket: ", "is no socket"),
            ("socket_group: ", "nobody else may enter state_dir"),
            ("socket_group: ", "no-such-group-here"),
        ];
        let found = lines(&config);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (line, (what, where_)) in found.iter().zip(expected) {
            assert!(line.contains(what) && line.contains(where_) && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_one_problem() {
        let (dir, config) = network(BrokerKind::Embedded);
        let away = Config { state_dir: dir.path().join("away"), socket: dir.path().join("no/s"), ..config.clone() };
        let found = lines(&away);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("state_dir: cannot look at") && found[1].starts_with("socket: cannot look at"));
        let file = Config { state_dir: dir.path().join("takar.toml"), ..config };
        assert!(lines(&file)[0].contains("is no directory"));
    }

    #[test]
    fn a_key_that_is_not_in_the_keyset_is_told() {
        let (_dir, config) = network(BrokerKind::Embedded);
        fs::copy(config.state_dir.join(file::GRANT_KEY), config.state_dir.join(file::COMMAND_KEY)).unwrap();
        let found = lines(&config);
        assert!(found.len() == 1 && found[0].contains("command.key is not in keyset 1"), "{found:#?}");
    }
}
