//! The certificate that browsers see, and its key.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use takar_shared::UnixMillis;

use crate::{
    clock,
    keys::{Ca, pem},
};

/// How old one of Takar's own becomes; it would be valid for two years.
const OWN_FOR_MS: u64 = 90 * 86_400_000;

/// Where it comes from.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// PEM files of somebody else's authority; the key's may be read by its owner only.
    Files { certificate: PathBuf, key: PathBuf },
    /// Of the network's own CA in the state folder, for a DNS name or an address. Its key is never on disk: each start
    /// has another.
    Own { state: PathBuf, host: String },
}

/// One certificate, with what leads to its authority, and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    loaded_at: UnixMillis,
}

impl Certificate {
    pub fn load(&self) -> anyhow::Result<Identity> {
        let loaded_at = clock::now();
        let (chain, key) = match self {
            Self::Files { certificate, key } => (pem::certificates(certificate)?, pem::private_key(key)?),
            Self::Own { state, host } => {
                let issued = Ca::load(state)?.server(vec![host.clone()], loaded_at)?;
                let chain = CertificateDer::from_pem_slice(issued.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes());
                let (Ok(chain), Ok(key)) = (chain, key) else {
                    bail!("the network's CA issued no certificate for {host} that reads");
                };
                (vec![chain], key)
            }
        };
        Ok(Identity { chain, key, loaded_at })
    }

    /// What there is instead of `old`: `None` while that is still the one.
    pub fn renewed(&self, old: &Identity) -> anyhow::Result<Option<Identity>> {
        if matches!(self, Self::Own { .. }) && clock::now().since(old.loaded_at) < OWN_FOR_MS {
            return Ok(None);
        }
        let new = self.load()?;
        Ok((new.chain != old.chain || new.key != old.key).then_some(new))
    }
}

impl Identity {
    pub fn config(&self) -> anyhow::Result<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .context("TLS")?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .ok()
            .context("the certificate for pages does not fit its key; expected the certificate of that key first")?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
