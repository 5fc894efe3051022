//! Certificates and private keys for TLS, in PEM. A problem is one line in our words: what the libraries say of a file
//! that is cut short lists its bytes.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::ParsedCertificate,
};

use super::{read_file, read_private};

/// At least one certificate, and nothing that is none.
pub(crate) fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let pem = read_file(path)?;
    let read: Option<Vec<_>> = CertificateDer::pem_slice_iter(&pem).map(Result::ok).collect();
    let sound = |all: &Vec<CertificateDer<'_>>| {
        !all.is_empty() && all.iter().all(|certificate| ParsedCertificate::try_from(certificate).is_ok())
    };
    match read.filter(sound) {
        Some(all) => Ok(all),
        None => bail!("{} holds no certificate in PEM; expected one as takar init wrote it", path.display()),
    }
}

/// From a file that only its owner may read.
pub(crate) fn private_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    let pem = read_private(path)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok();
    let key = key.filter(|key| ring::sign::any_supported_type(key).is_ok());
    key.with_context(|| format!("{} holds no private key in PEM; expected one as takar init wrote it", path.display()))
}

/// TLS 1.3 with whoever `ca` vouches for, as whom `own` and `key` say.
pub(crate) fn client(ca: &Path, own: &Path, key: &Path) -> anyhow::Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(ca)? {
        if roots.add(certificate).is_err() {
            bail!("{} holds no certificate of an authority; expected the network's CA", ca.display());
        }
    }
    let (certificate, secret) = (certificates(own)?, private_key(key)?);
    rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("TLS")?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificate, secret)
        .ok()
        .with_context(|| {
            let (own, key) = (own.display(), key.display());
            format!("{own} does not fit {key}; expected the certificate of that key")
        })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

    use takar_shared::NetworkId;

    use super::*;
    use crate::{clock, keys::Ca};

    struct Files {
        _dir: tempfile::TempDir,
        ca: PathBuf,
        own: PathBuf,
        key: PathBuf,
    }

    impl Files {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let [ca, own, key] = ["ca.crt", "own.crt", "own.key"].map(|name| dir.path().join(name));
            let (authority, issued) = Ca::make(NetworkId([7; 16]), clock::now()).unwrap();
            let user = authority.user("somebody", clock::now()).unwrap();
            for (path, text) in [(&ca, issued.certificate), (&own, user.certificate), (&key, user.key)] {
                fs::write(path, text).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
            }
            Self { _dir: dir, ca, own, key }
        }

        fn client(&self) -> anyhow::Result<rustls::ClientConfig> {
            client(&self.ca, &self.own, &self.key)
        }
    }

    #[test]
    fn what_was_issued_reads() {
        Files::new().client().unwrap();
    }

    /// Empty, garbage, cut anywhere, the base64 of something else: one line that names the file and lists no bytes.
    #[test]
    fn what_is_no_pem_is_named_in_one_line() {
        let files = Files::new();
        let kinds = [
            (&files.ca, "holds no certificate in PEM"),
            (&files.own, "holds no certificate in PEM"),
            (&files.key, "holds no private key in PEM"),
        ];
        for (path, what) in kinds {
            let good = fs::read_to_string(path).unwrap();
            let (head, tail) = (good.lines().next().unwrap(), good.lines().last().unwrap());
            let cuts = (0..good.trim_end().len()).step_by(7).map(|end| good[..end].to_owned());
            let others =
                ["hello\n".to_owned(), format!("{head}\naGVsbG8=\n{tail}\n"), format!("{head}\n***\n{tail}\n")];
            for bad in cuts.chain(others) {
                fs::write(path, &bad).unwrap();
                let error = files.client().err().map(|error| format!("{error:#}")).unwrap_or_default();
                let expected = format!("{} {what}; expected one as takar init wrote it", path.display());
                assert_eq!(error, expected, "{bad:?}");
            }
            fs::write(path, good).unwrap();
        }
        files.client().unwrap();
    }

    #[test]
    fn a_certificate_of_another_key_is_told() {
        let (mine, theirs) = (Files::new(), Files::new());
        let error = client(&mine.ca, &theirs.own, &mine.key).err().map(|error| format!("{error:#}"));
        let (own, key) = (theirs.own.display(), mine.key.display());
        assert_eq!(error, Some(format!("{own} does not fit {key}; expected the certificate of that key")));
    }
}
