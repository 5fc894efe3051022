//! The network's own certificate authority: who may speak TLS with the broker, and under which name (the common name
//! is the broker's user name). Agents' certificates are for keys that only the agents hold.
//!
//! Agents have Ed25519 keys. The CA and the rest have ECDSA P-256 keys, which more monitoring tools' TLS reads.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use takar_shared::{AgentId, NetworkId, UnixMillis};

use super::{file, read_file, read_private, user};
use crate::clock;

const CA_YEARS: u64 = 20;
const LEAF_YEARS: u64 = 2;
const DAY_S: u64 = 86_400;
/// 2026-01-01, before the first release: a clock behind it, or at 2200-01-01 or later, is set wrong.
const EARLIEST_S: u64 = 1_767_225_600;
const LATEST_S: u64 = 7_258_118_400;

/// A client certificate (PEM) for an agent's own key: common name = agent id, valid for two years.
///
/// Errors: the key is another agent's, the CA in the state folder does not read, the clock is set wrong.
pub fn agent_certificate(state: &Path, agent: AgentId, public_key: &[u8; 32]) -> anyhow::Result<String> {
    if AgentId::of_key(public_key) != agent {
        bail!("the public key is of agent {}; expected {agent}'s", AgentId::of_key(public_key));
    }
    Ca::load(state)?.client(&agent.to_string(), &AgentKey(public_key), clock::now())
}

/// What signs certificates.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
}

/// Both in PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Ca {
    pub(crate) fn make(network: NetworkId, now: UnixMillis) -> anyhow::Result<(Self, Issued)> {
        let key = draw()?;
        let mut params = params(&format!("Takar {network}"), Vec::new(), now, CA_YEARS)?;
        // It signs what speaks TLS, and no other authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).context("cannot sign the CA's certificate")?.pem();
        let issued = Issued { certificate, key: key.serialize_pem() };
        Ok((Self { issuer: Issuer::new(params, key) }, issued))
    }

    pub(crate) fn load(state: &Path) -> anyhow::Result<Self> {
        let key = Self::load_key(state)?;
        let path = state.join(file::CA);
        let shown = || format!("{} holds no certificate in PEM; expected one as takar init wrote it", path.display());
        // What the libraries say of a file that is cut short lists its bytes.
        let pem = String::from_utf8(read_file(&path)?).ok().with_context(shown)?;
        Ok(Self { issuer: Issuer::from_ca_cert_pem(&pem, key).ok().with_context(shown)? })
    }

    pub(crate) fn load_key(state: &Path) -> anyhow::Result<KeyPair> {
        let path = state.join(file::CA_KEY);
        let key = KeyPair::from_pem(&read_private(&path)?).ok();
        let shown = path.display();
        key.with_context(|| format!("{shown} holds no PKCS #8 key in PEM; expected one as takar init wrote it"))
    }

    /// For the broker. `names` are DNS names or addresses; one of them is what clients connect to.
    pub(crate) fn server(&self, names: Vec<String>, now: UnixMillis) -> anyhow::Result<Issued> {
        let key = draw()?;
        // Clients look at the names only, which may be longer than a common name.
        let params = params(user::BROKER, names, now, LEAF_YEARS)?;
        let certificate = self.sign(params, ExtendedKeyUsagePurpose::ServerAuth, &key)?;
        Ok(Issued { certificate, key: key.serialize_pem() })
    }

    /// For a client of the broker that is no agent.
    pub(crate) fn user(&self, name: &str, now: UnixMillis) -> anyhow::Result<Issued> {
        let key = draw()?;
        Ok(Issued { certificate: self.client(name, &key, now)?, key: key.serialize_pem() })
    }

    fn client(&self, name: &str, key: &impl PublicKeyData, now: UnixMillis) -> anyhow::Result<String> {
        self.sign(params(name, Vec::new(), now, LEAF_YEARS)?, ExtendedKeyUsagePurpose::ClientAuth, key)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
        key: &impl PublicKeyData,
    ) -> anyhow::Result<String> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer).context("cannot sign a certificate")?.pem())
    }
}

/// An Ed25519 public key whose private half is somewhere else.
struct AgentKey<'a>(&'a [u8; 32]);

impl PublicKeyData for AgentKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn draw() -> anyhow::Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot draw a key")
}

/// `1970-01-05`; where there is no such date, the seconds.
fn date(unix_s: u64) -> String {
    let second = i64::try_from(unix_s).ok().and_then(|unix_s| jiff::Timestamp::from_second(unix_s).ok());
    second.map_or_else(
        || format!("{unix_s} s since 1970"),
        |second| second.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
    )
}

fn params(name: &str, names: Vec<String>, now: UnixMillis, years: u64) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(names).context("a name of the certificate does not do")?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Positive and of full length (RFC 5280 §4.1.2.2). Random, since a key may be certified again.
    let mut serial = clock::random::<16>().context("cannot draw a serial number")?;
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let now_s = now.0 / 1000;
    if !(EARLIEST_S..LATEST_S).contains(&now_s) {
        bail!("the clock says {}; expected a date from 2026-01-01 to 2199-12-31", date(now_s));
    }
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // A day back: clocks differ.
    params.not_before = epoch + Duration::from_secs(now_s - DAY_S);
    params.not_after = epoch + Duration::from_secs(now_s + years * 365 * DAY_S);
    Ok(params)
}

#[cfg(test)]
mod tests;
