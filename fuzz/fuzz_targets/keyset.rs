//! Keysets: unsigned bytes are never one; a signed body that opens is sealed to the very bytes, and has a higher
//! version than what the reader had.
#![no_main]

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use takar_shared::{
    KeyId, NetworkId,
    envelope::Refused,
    keyset::{MAX_KEYSET, Root, RootSignature, SignedKeyset},
    signing::{KeysetRefused, open_keyset, seal_keyset, sign},
    version,
};

fuzz_target!(|data: &[u8]| {
    let network = NetworkId([0x10; 16]);
    // It signed none of the seeds.
    let key = SigningKey::from_bytes(&[0x55; 32]);
    let public = key.verifying_key().to_bytes();
    let root = Root { keys: vec![public], threshold: 1 };
    assert!(open_keyset(data, network, &root, 0).is_err());

    let signed = [&b"takar/1\0keyset\0"[..], &[version::CURRENT], &network.0, data].concat();
    let signature = RootSignature { key: KeyId::of_key(&public), signature: sign(&key, &signed) };
    let whole = SignedKeyset { version: version::CURRENT, network, body: data.to_vec(), signatures: vec![signature] };
    let bytes = postcard::to_allocvec(&whole).expect("a keyset in memory encodes");
    match open_keyset(&bytes, network, &root, 0) {
        Ok(keyset) => {
            assert!(keyset.version > 0);
            assert_eq!(open_keyset(&bytes, network, &root, u32::MAX).ok(), None, "no version is above the last");
            assert_eq!(seal_keyset(&keyset, network, &[&key]), Some(bytes), "{keyset:?}");
        }
        Err(KeysetRefused::Bytes(Refused::NotCanonical) | KeysetRefused::NotNewer { have: 0, got: 0 }) => {}
        Err(KeysetRefused::Bytes(Refused::Oversize { .. })) => assert!(bytes.len() > MAX_KEYSET),
        Err(other) => panic!("it is soundly signed, yet {other}"),
    }
});
