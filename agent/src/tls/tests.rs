use super::*;

/// By openssl: two CAs of one name, and a client's certificate by the first for the key below, 2026-11-24 to 2036.
const CA: &str = include_str!("testdata/ca.pem");
const OTHER_CA: &str = include_str!("testdata/other-ca.pem");
const OWN: &str = include_str!("testdata/agent.pem");
const MADE_AT: UnixMillis = UnixMillis(1_800_000_000_000);

fn fault(seed: u8, ca: &str, certificate: &str, made_at: UnixMillis) -> String {
    let checked = check(&SigningKey::from_bytes(&[seed; 32]), ca, certificate, made_at);
    checked.err().map(|error| format!("{error:#}")).unwrap_or_default()
}

#[test]
fn the_agents_own_certificate_by_the_bundles_ca_does() {
    assert_eq!(fault(1, CA, OWN, MADE_AT), "");
}

#[test]
fn each_fault_is_one_line_in_plain_words() {
    let half = &OWN[..OWN.len() / 2];
    let closed = format!("{half}\n-----END CERTIFICATE-----\n");
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let unreadable = |key: &str| format!("\"{key}\" holds no certificate that can be read; expected whole ones");
    let both = format!("{OWN}{half}");
    for (case, seed, ca, certificate, made_at, expected) in [
        ("nothing", 1, CA, "", MADE_AT, unreadable("certificate")),
        ("garbage", 1, CA, "hello", MADE_AT, unreadable("certificate")),
        ("cut short", 1, CA, half, MADE_AT, unreadable("certificate")),
        ("half", 1, CA, closed.as_str(), MADE_AT, unreadable("certificate")),
        ("hollow", 1, CA, hollow, MADE_AT, unreadable("certificate")),
        ("one and a half", 1, CA, both.as_str(), MADE_AT, unreadable("certificate")),
        ("no CA", 1, "", OWN, MADE_AT, unreadable("ca")),
        ("half a CA", 1, closed.as_str(), OWN, MADE_AT, unreadable("ca")),
        ("hollow CA", 1, hollow, OWN, MADE_AT, unreadable("ca")),
        ("another key", 2, CA, OWN, MADE_AT, "does not fit the agent's key; expected".to_owned()),
        ("another CA", 1, OTHER_CA, OWN, MADE_AT, "expected one that the bundle's \"ca\" issued".to_owned()),
        ("too early", 1, CA, OWN, UnixMillis(7), "expected one that was valid at the bundle's".to_owned()),
    ] {
        let said = fault(seed, ca, certificate, made_at);
        assert!(said.starts_with("bundle's key \"") && said.contains(&expected), "{case}: {said:?}");
        assert!(!said.contains('\n') && !said.contains("[45, 45"), "{case}: {said:?}");
    }
}
