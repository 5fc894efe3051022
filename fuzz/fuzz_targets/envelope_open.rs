//! What anybody may send: without a signature of the key that may sign, nothing is taken, and the claim that an
//! envelope makes about itself is all that is read before.
#![no_main]

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use takar_shared::{
    AgentId, NetworkId,
    envelope::{Kind, Refused, Route, open, peek_kind},
};

fuzz_target!(|data: &[u8]| {
    let route = Route { network: NetworkId([0x10; 16]), agent: AgentId([0x20; 16]) };
    // It signed none of the seeds, and nothing else.
    let public = SigningKey::from_bytes(&[0x55; 32]).verifying_key().to_bytes();
    let mut asked: Option<Kind> = None;
    let opened = open(data, route, |kind, _| {
        asked = Some(kind);
        Some(public)
    });
    let peeked = peek_kind(data);
    match asked {
        Some(kind) => {
            assert_eq!(peeked, Ok(kind));
            assert!(data.len() <= kind.limit());
            assert_eq!(opened, Err(Refused::BadSignature));
        }
        None => assert_eq!(opened, Err(peeked.expect_err("only a refused header needs no key"))),
    }
    let nobody = open(data, route, |_, _| None);
    assert!(nobody.is_err(), "no key, yet {nobody:?}");
});
