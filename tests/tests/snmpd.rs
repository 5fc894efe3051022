//! The agent's SNMP against Debian's snmpd: v2c, v3, and what each refusal looks like.

use std::{net::UdpSocket, process::Command, time::Duration};

use takar_agent::snmp::{Auth, Credentials, Outcome, Poll, Privacy, Target, TargetConfig};
use takar_e2e::{
    lab::snmpd::{self, AUTH_PASSWORD, COMMUNITY, PRIVACY_PASSWORD, USER},
    process::wait_for,
};
use takar_shared::id::name;

fn poll(address: &str, credentials: Credentials, interfaces: &[&str]) -> Poll {
    let interfaces = interfaces.iter().map(|text| name(text).unwrap()).collect();
    let timeout = Duration::from_millis(500);
    let config = TargetConfig { address: address.into(), credentials, timeout, retries: 1, interfaces };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Target::new(config).poll().await })
}

fn v2c(community: &str) -> Credentials {
    Credentials::V2c { community: community.into() }
}

fn v3(auth_password: &str) -> Credentials {
    Credentials::V3 {
        user: USER.into(),
        auth: Auth::Sha1,
        auth_password: auth_password.into(),
        privacy: Privacy::Aes128,
        privacy_password: PRIVACY_PASSWORD.into(),
    }
}

#[test]
fn snmpd_is_read_by_v2c_and_v3_and_every_refusal_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut daemon = snmpd::start(Command::new("snmpd"), dir.path(), &format!("udp:{address}")).unwrap();

    let first = wait_for("snmpd to answer", Duration::from_secs(10), || {
        daemon.check()?;
        let poll = poll(&address, v2c(COMMUNITY), &["lo"]);
        Ok((poll.outcome == Outcome::Ok).then_some(poll))
    });
    let first = first.unwrap();
    assert!(first.up_time.is_some());
    assert_eq!(first.interfaces.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>(), ["lo"]);

    let authenticated = poll(&address, v3(AUTH_PASSWORD), &["lo"]);
    assert_eq!(authenticated.outcome, Outcome::Ok, "{:?}", authenticated.detail);
    assert!(authenticated.engine_boots.is_some());
    assert_eq!(authenticated.interfaces.len(), 1);

    let wrong = poll(&address, v2c("wrong"), &["lo"]);
    assert_eq!(wrong.outcome, Outcome::Timeout, "{:?}", wrong.detail);

    let wrong = poll(&address, v3("wrongpass99"), &["lo"]);
    assert_eq!(wrong.outcome, Outcome::Authentication, "{:?}", wrong.detail);

    let partial = poll(&address, v2c(COMMUNITY), &["lo", "nowhere0"]);
    assert_eq!(partial.outcome, Outcome::Partial, "{:?}", partial.detail);
    assert!(partial.detail.as_deref().is_some_and(|detail| detail.contains("nowhere0")), "{:?}", partial.detail);
    assert_eq!(partial.interfaces.len(), 1);
}
