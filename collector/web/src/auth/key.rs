//! The key behind what Takar hands out and must know again: links of providers, cookies of devices, tokens of forms.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// 32 random bytes of a file that only the collector reads.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA256. What is signed for one purpose holds for no other.
    pub(super) fn sign(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.mac(purpose, data).finalize().into_bytes().into()
    }

    /// In constant time.
    pub(super) fn signed(&self, purpose: &str, data: &[u8], signature: &[u8]) -> bool {
        self.mac(purpose, data).verify_slice(signature).is_ok()
    }

    fn mac(&self, purpose: &str, data: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a key with zeros up to a block itself (RFC 2104 §2).
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        // No purpose has a zero in it, so the two cannot run into each other.
        Hmac::<Sha256>::new(&block.into()).chain_update(purpose).chain_update([0u8]).chain_update(data)
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    /// From Python: `hmac.new(bytes(range(32)), b"test\0hello", "sha256").hexdigest()`.
    #[test]
    fn it_is_hmac_sha256() {
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().zip(0u8..) {
            *place = byte;
        }
        let signature = ServerKey::new(bytes).sign("test", b"hello");
        assert_eq!(HEXLOWER.encode(&signature), "d8b9bd66afa93e1bae4ef2d86fc3b35cdd3fd48e6de9d386c171f9b35f8ae199");
    }

    proptest! {
        #[test]
        fn only_what_was_signed_holds(key: [u8; 32], other: [u8; 32], data: Vec<u8>, flip in 0usize..256) {
            let key = ServerKey::new(key);
            let mut signature = key.sign("a", &data);
            prop_assert!(key.signed("a", &data, &signature));
            prop_assert!(!key.signed("b", &data, &signature));
            prop_assert!(!key.signed("a", &[&data[..], &[0]].concat(), &signature));
            prop_assert!(!key.signed("a", &data, &signature[..31]));
            prop_assert_eq!(ServerKey::new(other).signed("a", &data, &signature), other == key.0);
            signature[flip / 8] ^= 1 << (flip % 8);
            prop_assert!(!key.signed("a", &data, &signature));
        }
    }
}
