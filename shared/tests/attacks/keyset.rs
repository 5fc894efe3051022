//! One test per attack on a signed keyset. Two of three root keys must agree.

use ed25519_dalek::SigningKey;
use takar_shared::{
    KeyId, NetworkId,
    envelope::Refused,
    keyset::{Keyset, MAX_KEYSET, Root, RootSignature, SignedKeyset},
    signing::{KeysetRefused, open_keyset, seal_keyset},
};

use crate::{by_hand::lengthen_varint, curve::small_order_points, v01::values};

/// Held by every agent here; [`keyset`] has the version after it.
const HAVE: u32 = 2;

#[test]
fn enough_roots_are_taken() {
    let [a, b, c] = roots();
    for signers in [&[&a, &b][..], &[&b, &c], &[&c, &a], &[&a, &b, &c]] {
        assert_eq!(attempt(&signed_by(signers)), Ok(keyset()));
    }
}

#[test]
fn one_key_signing_twice() {
    let [a, ..] = roots();
    assert_eq!(attempt(&signed_by(&[&a, &a])), too_few(1));
    assert_eq!(attempt(&signed_by(&[&a, &a, &a])), too_few(1));
}

/// Written twice in the root, a key still has one voice.
#[test]
fn one_key_listed_twice() {
    let [a, ..] = roots();
    let doubled = Root { keys: vec![public(&a), public(&a)], threshold: 2 };
    assert_eq!(open_keyset(&signed_by(&[&a, &a]), network(), &doubled, HAVE), too_few(1));
}

#[test]
fn no_signature() {
    assert_eq!(attempt(&signed_by(&[])), too_few(0));
    let careless = Root { threshold: 0, ..root() };
    let refused = KeysetRefused::Threshold { agreeing: 0, threshold: 1 };
    assert_eq!(open_keyset(&signed_by(&[]), network(), &careless, HAVE), Err(refused));
    assert_eq!(open_keyset(&signed_by(&[]), network(), &Root { keys: vec![], threshold: 0 }, HAVE), Err(refused));
}

#[test]
fn unknown_signer() {
    let [a, ..] = roots();
    assert_eq!(attempt(&signed_by(&[&a, &stranger()])), too_few(1));
    assert_eq!(attempt(&signed_by(&[&stranger()])), too_few(0));
}

#[test]
fn unknown_signer_with_the_id_of_a_root() {
    let [a, b, _] = roots();
    let bytes = tampered(&signed_by(&[&a, &stranger()]), |signed| {
        signed.signatures[1].key = KeyId::of_key(&public(&b));
    });
    assert_eq!(attempt(&bytes), too_few(1));
}

/// The successor root inside a keyset has no say about that keyset.
#[test]
fn successor_root_signing_for_itself() {
    let own = Keyset { root: Root { keys: vec![public(&stranger())], threshold: 1 }, ..keyset() };
    assert_eq!(attempt(&seal_keyset(&own, network(), &[&stranger()]).unwrap()), too_few(0));
}

#[test]
fn lower_or_same_version() {
    let [a, b, _] = roots();
    for version in [0, HAVE - 1, HAVE] {
        let old = seal_keyset(&Keyset { version, ..keyset() }, network(), &[&a, &b]).unwrap();
        assert_eq!(attempt(&old), Err(KeysetRefused::NotNewer { have: HAVE, got: version }));
    }
    let highest = seal_keyset(&Keyset { version: u32::MAX, ..keyset() }, network(), &[&a, &b]).unwrap();
    assert!(open_keyset(&highest, network(), &root(), u32::MAX).is_err());
}

#[test]
fn other_network() {
    let [a, b, _] = roots();
    let other = NetworkId([0x77; 16]);
    let foreign = seal_keyset(&keyset(), other, &[&a, &b]).unwrap();
    assert_eq!(attempt(&foreign), Err(KeysetRefused::OtherNetwork(other)));
    // Relabelled as ours, its signatures do not hold.
    assert_eq!(attempt(&tampered(&foreign, |signed| signed.network = network())), too_few(0));
}

#[test]
fn trailing_bytes() {
    let [a, b, _] = roots();
    let mut bytes = signed_by(&[&a, &b]);
    bytes.push(0);
    assert_eq!(attempt(&bytes), Err(Refused::NotCanonical.into()));
}

#[test]
fn trailing_bytes_inside_a_signed_body() {
    let mut body = postcard::to_allocvec(&keyset()).unwrap();
    body.push(0);
    assert_eq!(attempt(&signed_by_hand(body)), Err(Refused::NotCanonical.into()));
}

#[test]
fn long_varint_inside_a_signed_body() {
    let mut body = postcard::to_allocvec(&keyset()).unwrap();
    lengthen_varint(&mut body, 0);
    assert_eq!(attempt(&signed_by_hand(body)), Err(Refused::NotCanonical.into()));
}

#[test]
fn tampered_body() {
    let [a, b, _] = roots();
    let smuggled = Keyset { command_keys: vec![public(&stranger())], ..keyset() };
    let body = postcard::to_allocvec(&smuggled).unwrap();
    assert_eq!(attempt(&tampered(&signed_by(&[&a, &b]), |signed| signed.body = body)), too_few(0));
}

#[test]
fn flipped_bit() {
    let [a, b, _] = roots();
    let bytes = signed_by(&[&a, &b]);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(attempt(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn truncated_at_every_length() {
    let [a, b, _] = roots();
    let bytes = signed_by(&[&a, &b]);
    for length in 0..bytes.len() {
        assert_eq!(attempt(&bytes[..length]), Err(Refused::Truncated.into()), "at {length}");
    }
}

#[test]
fn zero_signature() {
    let [a, b, _] = roots();
    let bytes = tampered(&signed_by(&[&a, &b]), |signed| signed.signatures[0].signature = [0; 64]);
    assert_eq!(attempt(&bytes), too_few(1));
}

/// A root of small order signs anything without a secret: R = identity, S = 0.
#[test]
fn small_order_root() {
    let mut signature = [0; 64];
    signature[0] = 1;
    let [a, ..] = roots();
    for weak in small_order_points() {
        let bytes = tampered(&signed_by(&[&a]), |signed| {
            signed.signatures.push(RootSignature { key: KeyId::of_key(&weak), signature });
        });
        let root = Root { keys: vec![public(&a), weak], threshold: 2 };
        assert_eq!(open_keyset(&bytes, network(), &root, HAVE), too_few(1));
    }
}

#[test]
fn other_version_of_the_wire() {
    let [a, b, _] = roots();
    let mut bytes = signed_by(&[&a, &b]);
    let versions = [(2, Refused::NewerVersion(2)), (255, Refused::NewerVersion(255)), (0, Refused::OlderVersion(0))];
    for (version, refused) in versions {
        bytes[0] = version;
        assert_eq!(attempt(&bytes), Err(refused.into()));
    }
}

#[test]
fn oversize() {
    let [a, b, _] = roots();
    let swollen = Keyset { next_ca: Some(vec![0; MAX_KEYSET]), ..keyset() };
    assert_eq!(seal_keyset(&swollen, network(), &[&a, &b]), None);
    let bytes = signed_by_hand(postcard::to_allocvec(&swollen).unwrap());
    assert_eq!(attempt(&bytes), Err(Refused::Oversize { limit: MAX_KEYSET }.into()));
}

fn roots() -> [SigningKey; 3] {
    [[1; 32], [2; 32], [3; 32]].map(|seed| SigningKey::from_bytes(&seed))
}

fn stranger() -> SigningKey {
    SigningKey::from_bytes(&[0x66; 32])
}

fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

fn network() -> NetworkId {
    values::route().network
}

fn root() -> Root {
    Root { keys: roots().iter().map(public).collect(), threshold: 2 }
}

fn keyset() -> Keyset {
    Keyset { version: HAVE + 1, root: root(), ..values::keyset() }
}

fn signed_by(signers: &[&SigningKey]) -> Vec<u8> {
    seal_keyset(&keyset(), network(), signers).unwrap()
}

/// Any body, signed by two honest roots over the preimage that docs/wire.md gives.
fn signed_by_hand(body: Vec<u8>) -> Vec<u8> {
    let preimage = [&b"takar/1\0keyset\0\x01"[..], &network().0, &body].concat();
    let [a, b, _] = roots();
    let signatures = [a, b]
        .iter()
        .map(|root| RootSignature {
            key: KeyId::of_key(&public(root)),
            signature: takar_shared::signing::sign(root, &preimage),
        })
        .collect();
    postcard::to_allocvec(&SignedKeyset { version: 1, network: network(), body, signatures }).unwrap()
}

fn tampered(bytes: &[u8], how: impl FnOnce(&mut SignedKeyset)) -> Vec<u8> {
    let mut signed: SignedKeyset = postcard::from_bytes(bytes).unwrap();
    how(&mut signed);
    postcard::to_allocvec(&signed).unwrap()
}

fn attempt(bytes: &[u8]) -> Result<Keyset, KeysetRefused> {
    open_keyset(bytes, network(), &root(), HAVE)
}

fn too_few(agreeing: usize) -> Result<Keyset, KeysetRefused> {
    Err(KeysetRefused::Threshold { agreeing, threshold: 2 })
}
