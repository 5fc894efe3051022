//! The config and access list of the Mosquitto (2.0 or later) that serves a network.

use std::fs;

use takar_shared::topic::ROOT;

use crate::{
    broker::MAX_PACKET,
    config::Endpoint,
    keys::{file, user},
};

/// Below the state folder.
pub(super) const CONF: &str = "mosquitto/mosquitto.conf";
pub(super) const ACL: &str = "mosquitto/acl";
/// Folder of the broker's retained messages.
pub(super) const DATA: &str = "mosquitto/data";

/// The account that runs this, whose files only it may read; `None` where it has no name.
pub(super) fn account() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    // name:password:uid:… (passwd(5))
    fs::read_to_string("/etc/passwd").ok()?.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// `state` is absolute. See mosquitto.conf(5).
pub(super) fn conf(state: &str, name: &Endpoint, address: &Endpoint, account: Option<&str>) -> String {
    // Only where nobody comes from elsewhere may it listen on this machine alone.
    let bind = if name.is_loopback() && address.is_loopback() { format!(" {}", address.host) } else { String::new() };
    let port = address.port;
    let user = account.map_or_else(|| "# user NAME".to_owned(), |name| format!("user {name}"));
    let (ca, server, server_key) = (file::CA, file::SERVER, file::SERVER_KEY);
    format!(
        "\
# Written by takar init. Run by: mosquitto -c {state}/{CONF}

# A Mosquitto that root starts becomes this account before it reads its key, and without this line the account
# \"mosquitto\", which may not read what takar init wrote. Started by anybody else it ignores this line. To run it under
# an account of its own, copy this folder and the three files of {state}/tls that are named below to where
# that account may read them; then change the paths and this line.
{user}

per_listener_settings true

# Retained messages (agents' state, the keyset, what monitoring tools read) outlive a restart. Nothing else has to:
# sessions start clean, and both sides send again what the other side did not store.
persistence true
persistence_location {state}/{DATA}/
autosave_interval 60

# A collector that stands still is kept about a minute's telemetry of 2000 agents, as long as memory allows. What is
# dropped beyond comes again from the agents' spools.
max_queued_messages 10000
max_queued_bytes 67108864
# The largest envelope has 64 KiB; topic and properties come on top. Less than clients read, or one large message would
# end the connection of whoever is sent it.
max_packet_size {MAX_PACKET}
# Without it a small message may wait 40 ms for the acknowledgement of the one before.
set_tcp_nodelay true

log_dest stderr
log_type error
log_type warning
log_type notice

listener {port}{bind}
cafile {state}/{ca}
certfile {state}/{server}
keyfile {state}/{server_key}
# Client certificates, which name the agents, travel encrypted from 1.3 on.
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
# Else whoever has a certificate could throw another client out by connecting under its id. It also means one
# connection a certificate at a time.
use_username_as_clientid true
allow_anonymous false
acl_file {state}/{ACL}
"
    )
}

/// Who may write and read what. `%u` is the common name of the client's certificate: an agent's id.
pub(super) fn acl() -> String {
    let (collector, monitor) = (user::COLLECTOR, user::MONITOR);
    format!(
        "\
# Written by takar init. An agent reaches its own topics only.
pattern write {ROOT}/agent/%u/up/#
pattern read {ROOT}/agent/%u/down/#

user {collector}
topic read {ROOT}/agent/+/up/#
topic write {ROOT}/agent/+/down/#
topic readwrite {ROOT}/out/#

# Dashboards and alarms: they look on.
user {monitor}
topic read {ROOT}/out/#
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &str, address: &str) -> String {
        let conf = conf("/s", &name.parse().unwrap(), &address.parse().unwrap(), Some("takar"));
        conf.lines().find(|line| line.starts_with("listener")).unwrap().to_owned()
    }

    #[test]
    fn it_listens_to_others_where_there_are_any() {
        assert_eq!(listener("broker.example:8883", "127.0.0.1:8883"), "listener 8883");
        assert_eq!(listener("127.0.0.1:8883", "127.0.0.1:8883"), "listener 8883 127.0.0.1");
    }

    /// Of every listener setting: one before `listener` would be of the default listener, and without effect.
    #[test]
    fn what_guards_the_listener_comes_after_it() {
        let conf = conf("/s", &"a:1".parse().unwrap(), &"a:1".parse().unwrap(), None);
        let (before, after) = conf.split_once("\nlistener ").unwrap();
        for guard in
            ["require_certificate true", "use_identity_as_username true", "allow_anonymous false", "acl_file /s/"]
        {
            assert!(after.contains(&format!("\n{guard}")) && !before.contains(&format!("\n{guard}")), "{guard}");
        }
        assert!(before.contains("\n# user NAME\n") && !conf.contains('{'), "{conf}");
    }

    #[test]
    fn a_packet_may_be_as_large_as_with_the_embedded_broker() {
        let conf = conf("/s", &"a:1".parse().unwrap(), &"a:1".parse().unwrap(), None);
        assert!(conf.lines().any(|line| line == "max_packet_size 66048"), "{conf}");
    }

    #[test]
    fn the_account_that_runs_the_tests_is_found_where_it_has_a_name() {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let uid = rustix::process::getuid().as_raw();
        let named = passwd.lines().any(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()));
        assert_eq!(account().is_some(), named);
    }
}
