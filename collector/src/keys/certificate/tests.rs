use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::*;

const NETWORK: NetworkId = NetworkId([7; 16]);

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn trusting(ca: &str) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(der(ca)).unwrap();
    Arc::new(roots)
}

fn agent() -> (SigningKey, AgentId) {
    let key = SigningKey::from_bytes(&[3; 32]);
    let id = AgentId::of_key(key.verifying_key().as_bytes());
    (key, id)
}

/// PKCS #8 around an Ed25519 seed (RFC 8410 §7).
fn pkcs8(key: &SigningKey) -> PrivateKeyDer<'static> {
    const HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    PrivatePkcs8KeyDer::from([&HEAD[..], &key.to_bytes()].concat()).into()
}

#[test]
fn an_agents_certificate_names_it_and_is_signed_by_the_ca() {
    let (ca, issued) = Ca::make(NETWORK, clock::now()).unwrap();
    let (key, id) = agent();
    let public = key.verifying_key().to_bytes();
    let pem = ca.client(&id.to_string(), &AgentKey(&public), clock::now()).unwrap();
    let (der, ca_der) = (der(&pem), der(&issued.certificate));
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let (_, authority) = X509Certificate::from_der(&ca_der).unwrap();

    assert_eq!(certificate.subject().to_string(), format!("CN={id}"));
    assert_eq!(certificate.public_key().subject_public_key.data.as_ref(), public);
    assert_eq!(certificate.issuer(), authority.subject());
    certificate.verify_signature(Some(authority.public_key())).unwrap();
    assert!(!certificate.is_ca() && authority.is_ca());
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);

    let (from, until) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    let now = i64::try_from(clock::now().0 / 1000).unwrap();
    assert!((now - 86_405..=now - 86_395).contains(&from), "a day back");
    assert_eq!(until - from, 86_400 * (2 * 365 + 1));
}

#[test]
fn the_same_key_is_certified_under_another_serial_number() {
    let (ca, _) = Ca::make(NETWORK, clock::now()).unwrap();
    let public = agent().0.verifying_key().to_bytes();
    let serial = || {
        let der = der(&ca.client("x", &AgentKey(&public), clock::now()).unwrap());
        X509Certificate::from_der(&der).unwrap().1.raw_serial().to_vec()
    };
    let (first, second) = (serial(), serial());
    assert_ne!(first, second);
    assert_eq!((first.len(), second.len()), (16, 16));
}

/// As broker and agent do: TLS 1.3, both sides with certificates. The name the broker learns, or what went wrong.
fn handshake(ca: &str, server: Issued, agent_ca: &Ca, name: &str) -> Result<String, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (key, id) = agent();
    let public = key.verifying_key().to_bytes();
    let certificate = agent_ca.client(&id.to_string(), &AgentKey(&public), clock::now()).unwrap();
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(trusting(ca))
        .with_client_auth_cert(vec![der(&certificate)], pkcs8(&key))
        .unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(trusting(ca), provider.clone()).build().unwrap();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![der(&server.certificate)], PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap())
        .unwrap();
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    let (_, peer) = X509Certificate::from_der(&server.peer_certificates().unwrap()[0]).unwrap();
    Ok(peer.subject().to_string())
}

#[test]
fn broker_and_agent_accept_each_other_and_nobody_else() {
    let (ca, issued) = Ca::make(NETWORK, clock::now()).unwrap();
    let server = || ca.server(vec!["broker.example".into(), "127.0.0.1".into()], clock::now()).unwrap();
    for name in ["broker.example", "127.0.0.1"] {
        assert_eq!(handshake(&issued.certificate, server(), &ca, name), Ok(format!("CN={}", agent().1)));
    }
    assert!(handshake(&issued.certificate, server(), &ca, "other.example").is_err(), "the broker of another name");
    // Another authority of the very same name.
    let (other, _) = Ca::make(NETWORK, clock::now()).unwrap();
    assert!(handshake(&issued.certificate, server(), &other, "127.0.0.1").is_err(), "an agent of another network");
}

#[test]
fn a_clock_set_wrong_is_said() {
    let second = |second: u64| UnixMillis(second * 1000);
    let wrong = [
        (UnixMillis(0), "1970-01-01"),
        (second(4 * DAY_S), "1970-01-05"),
        (second(EARLIEST_S - 1), "2025-12-31"),
        (second(LATEST_S), "2200-01-01"),
        (UnixMillis(u64::MAX), "18446744073709551 s since 1970"),
    ];
    for (now, shown) in wrong {
        let error = Ca::make(NETWORK, now).err().map(|error| error.to_string()).unwrap_or_default();
        let expected = format!("the clock says {shown}; expected a date from 2026-01-01 to 2199-12-31");
        assert_eq!(error, expected);
    }
    for right in [second(EARLIEST_S), second(LATEST_S - 1)] {
        assert!(Ca::make(NETWORK, right).is_ok(), "{right:?}");
    }
}
