//! API-SSL: the same API through TLS, under a certificate from files or one made at start (MikroTik manual, "Services",
//! api-ssl). RouterOS also talks without any certificate, by anonymous ciphers; rustls knows none.

use std::{
    io::{self, Write as _},
    net::{IpAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
};

/// A certificate, with what leads to its authority, and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// Of the first certificate: its own authority where it was made here.
    pub pem: String,
}

impl Identity {
    pub fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let pem =
            std::fs::read_to_string(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .with_context(|| format!("{} holds no certificate in PEM", certificate.display()))?;
        ensure!(!chain.is_empty(), "{} holds no certificate in PEM", certificate.display());
        let key = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("{} holds no private key in PEM", key.display()))?;
        Ok(Self { chain, key, pem })
    }

    /// Signed by itself, for this address and for `localhost`.
    pub fn make(router: &str, address: IpAddr) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), address.to_string()])?;
        params.distinguished_name.push(DnType::CommonName, router);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let pem = certificate.pem();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Self { chain: vec![certificate.der().clone()], key, pem })
    }

    pub fn config(self) -> anyhow::Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .context("TLS")?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)
            .context("the certificate does not fit its key")?;
        Ok(Arc::new(config))
    }
}

/// Talks through TLS and closes as TLS wants it, so that the peer can tell the end from a cut.
pub fn through<T>(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    talk: impl FnOnce(&mut StreamOwned<ServerConnection, TcpStream>) -> T,
) -> io::Result<T> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let outcome = talk(&mut stream);
    stream.conn.send_close_notify();
    // The peer may be gone already.
    let _ = stream.flush();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_made_certificate_serves_and_comes_back_from_its_files() {
        let made = Identity::make("r1", IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
        let dir = std::env::temp_dir().join(format!("router-sim-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| dir.join(name));
        let other = KeyPair::generate().unwrap();
        std::fs::write(&certificate, &made.pem).unwrap();
        std::fs::write(&key, other.serialize_pem()).unwrap();
        let read = Identity::read(&certificate, &key).unwrap();
        assert_eq!(read.chain, made.chain);
        assert!(read.config().unwrap_err().to_string().contains("does not fit its key"));
        assert!(made.config().is_ok());
        std::fs::write(&certificate, "no certificate").unwrap();
        assert!(Identity::read(&certificate, &key).err().unwrap().to_string().contains("no certificate in PEM"));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
