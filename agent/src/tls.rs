//! TLS 1.3 towards the broker, from the PEM texts of a bundle. What is wrong with them is said in words for whoever
//! carries the bundle: rustls' own are names of Rust and lists of bytes.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use ed25519_dalek::SigningKey;
use rustls::{
    ClientConfig, Error, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime, pem::PemObject as _},
};
use takar_shared::UnixMillis;

use crate::clock;

/// How the agent meets the broker: trusting `ca`, known by `certificate`, which is for `key`.
pub fn client_config(
    key: &SigningKey,
    ca: &str,
    certificate: &str,
    known_time: UnixMillis,
) -> anyhow::Result<ClientConfig> {
    ClientConfig::builder_with_details(provider(), Arc::new(KnownTime(known_time)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("TLS")?
        .with_root_certificates(roots(ca)?)
        .with_client_auth_cert(certificates("certificate", certificate)?, private_key(&key.to_bytes()))
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                anyhow!("bundle's key \"certificate\" does not fit the agent's key; expected this agent's own")
            }
            _ => unreadable("certificate"),
        })
}

/// All that [`client_config`] needs, and that the CA issued the certificate, as the broker will ask. That is judged at
/// the time the bundle was made: the agent's clock may be wrong, and an old bundle is no reason not to start.
pub fn check(key: &SigningKey, ca: &str, certificate: &str, made_at: UnixMillis) -> anyhow::Result<()> {
    client_config(key, ca, certificate, made_at)?;
    let roots = roots(ca)?;
    let chain = certificates("certificate", certificate)?;
    let (own, between) = chain.split_first().ok_or_else(|| unreadable("certificate"))?;
    let own = webpki::EndEntityCert::try_from(own).map_err(|_| unreadable("certificate"))?;
    let algorithms = provider().signature_verification_algorithms.all;
    let at = UnixTime::since_unix_epoch(Duration::from_millis(made_at.0));
    let usage = webpki::KeyUsage::client_auth();
    match own.verify_for_usage(algorithms, &roots.roots, between, at, usage, None, None) {
        Ok(_) => Ok(()),
        Err(webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }) => {
            bail!("bundle's key \"certificate\": expected one that was valid at the bundle's \"server_time\"")
        }
        Err(_) => bail!("bundle's key \"certificate\": expected one that the bundle's \"ca\" issued, for a client"),
    }
}

fn roots(ca: &str) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for der in certificates("ca", ca)? {
        roots.add(der).map_err(|_| unreadable("ca"))?;
    }
    Ok(roots)
}

/// At least one.
fn certificates(key: &str, pem: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.ok().filter(|found| !found.is_empty()).ok_or_else(|| unreadable(key))
}

fn unreadable(key: &str) -> anyhow::Error {
    anyhow!("bundle's key \"{key}\" holds no certificate that can be read; expected whole ones, X.509 in PEM")
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The agent's one key as rustls wants it: PKCS #8 around an Ed25519 seed (RFC 8410 §7).
fn private_key(seed: &[u8; 32]) -> PrivateKeyDer<'static> {
    const HEAD: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    PrivatePkcs8KeyDer::from([&HEAD[..], seed].concat()).into()
}

/// Routers boot in 1970: certificates are judged by what is certainly past.
#[derive(Debug)]
struct KnownTime(UnixMillis);

impl rustls::time_provider::TimeProvider for KnownTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(clock::at_least(self.0).0)))
    }
}
