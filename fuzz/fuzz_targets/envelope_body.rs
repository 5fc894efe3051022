//! What a key holder may sign: the first byte picks the kind, the rest is the body. If it opens, sealing the message
//! gives the very bytes; if not, the body is to blame and not the envelope around it.
#![no_main]

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use takar_shared::{
    AgentId, Digest, KeyId, NetworkId,
    envelope::{Kind, Refused, Route, open, seal},
    signing, version,
};

fuzz_target!(|data: &[u8]| {
    let Some((pick, body)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(*pick) % Kind::ALL.len()];
    let route = Route { network: NetworkId([0x10; 16]), agent: AgentId([0x20; 16]) };
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_bytes();
    let bytes = envelope(kind, KeyId::of_key(&public), body, route, &key);
    match open(&bytes, route, |_, _| Some(public)) {
        Ok(opened) => {
            assert_eq!((opened.message.kind(), opened.key), (kind, KeyId::of_key(&public)));
            assert_eq!(opened.body_digest, Digest::of(body));
            assert_eq!(seal(&opened.message, route, &key), Some(bytes), "{:?}", opened.message);
        }
        Err(Refused::BadBody(of)) => assert_eq!(of, kind),
        Err(Refused::NotCanonical) => {}
        Err(Refused::Oversize { limit }) => assert!(limit == kind.limit() && bytes.len() > limit),
        Err(other) => panic!("the envelope is sound, yet {other}"),
    }
});

/// Put together from docs/wire.md, without the code under test.
fn envelope(kind: Kind, id: KeyId, body: &[u8], route: Route, key: &SigningKey) -> Vec<u8> {
    let claims = [version::CURRENT, kind.number()];
    let signed = [&b"takar/1\0"[..], &claims, &route.network.0, &route.agent.0, &id.0, body].concat();
    [&claims[..], &id.0, &varint(body.len()), body, &signing::sign(key, &signed)].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
