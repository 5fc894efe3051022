//! What holds for every value: round trips, no panic from outside bytes, digests that tell apart.
#![allow(clippy::unwrap_used, clippy::type_complexity)] // a test may stop at the first surprise

mod arbitrary;
#[allow(dead_code)] // the attacks use what this file does not
mod by_hand;
#[path = "properties/digest.rs"]
mod digest;
#[path = "properties/names.rs"]
mod names;
#[path = "properties/request.rs"]
mod request;
#[allow(dead_code)] // the golden tests use what this file does not
#[path = "golden/v01.rs"]
mod v01;

use ed25519_dalek::SigningKey;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::FileFailurePersistence,
};
use takar_shared::{
    AgentId, BitsPerSec, BootEpoch, Challenge, Digest, Direction, KeyId, NetworkId, Seq,
    envelope::{Kind, Message, Refused, Route, open, peek_kind, seal},
    keyset::{Keyset, Root},
    queue::{QueueReading, queue_digest},
    signing::{open_keyset, seal_keyset},
    telemetry::Telemetry,
};
use v01::values::{self, key, route};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_sealed_opens_as_it_was(
        message in arbitrary::message(),
        network in any::<[u8; 16]>(),
        agent in any::<[u8; 16]>(),
        seed in any::<[u8; 32]>(),
    ) {
        let route = Route { network: NetworkId(network), agent: AgentId(agent) };
        let key = SigningKey::from_bytes(&seed);
        let public = key.verifying_key().to_bytes();
        let bytes = seal(&message, route, &key).unwrap();
        prop_assert!(bytes.len() <= message.kind().limit());
        prop_assert_eq!(peek_kind(&bytes), Ok(message.kind()));
        let mut asked = None;
        let opened = open(&bytes, route, |kind, id| {
            asked = Some((kind, id));
            Some(public)
        })
        .unwrap();
        prop_assert_eq!(asked, Some((message.kind(), KeyId::of_key(&public))));
        prop_assert_eq!(opened.key, KeyId::of_key(&public));
        prop_assert_eq!(opened.body_digest, Digest::of(by_hand::body_of(&bytes)));
        prop_assert_eq!(opened.message, message);
    }

    #[test]
    fn open_never_panics_on_bytes(bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(open(&bytes, route(), |_, _| Some(public())).is_err());
    }

    #[test]
    fn open_never_panics_behind_a_good_header(kind in select(Kind::ALL.to_vec()), bytes in vec(any::<u8>(), 0..400)) {
        let bytes = [&[1, kind.number()][..], &bytes].concat();
        prop_assert!(open(&bytes, route(), |_, _| Some(public())).is_err());
    }

    /// A key holder who writes garbage: it decodes to a message with just these bytes, or is refused.
    #[test]
    fn open_never_panics_on_a_signed_body(kind in select(Kind::ALL.to_vec()), body in vec(any::<u8>(), 0..400)) {
        signed_body_is_canonical_or_refused(kind, &body)?;
    }

    #[test]
    fn open_never_panics_on_a_damaged_signed_body(
        message in arbitrary::message(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = by_hand::body_of(&seal(&message, route(), &key()).unwrap()).to_vec();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        signed_body_is_canonical_or_refused(message.kind(), &body)?;
    }

    #[test]
    fn keyset_round_trip(
        version in 1..=u32::MAX,
        command_keys in vec(any::<[u8; 32]>(), 0..5),
        grant_keys in vec(any::<[u8; 32]>(), 0..5),
        next_ca in proptest::option::of(vec(any::<u8>(), 0..600)),
        keys in vec(any::<[u8; 32]>(), 0..5),
        threshold in any::<u8>(),
    ) {
        let keyset = Keyset { version, command_keys, grant_keys, next_ca, root: Root { keys, threshold } };
        let [first, second] = values::roots();
        let bytes = seal_keyset(&keyset, route().network, &[&second, &first]).unwrap();
        prop_assert_eq!(open_keyset(&bytes, route().network, &values::root_of_trust(), version - 1), Ok(keyset));
    }

    #[test]
    fn open_keyset_never_panics(bytes in vec(any::<u8>(), 0..400)) {
        let behind_a_good_version = [&[1_u8][..], &bytes].concat();
        prop_assert!(open_keyset(&bytes, route().network, &values::root_of_trust(), 0).is_err());
        prop_assert!(open_keyset(&behind_a_good_version, route().network, &values::root_of_trust(), 0).is_err());
    }

    #[test]
    fn telemetry_unpacks_to_the_polls_it_was_packed_from((made_at, polls) in arbitrary::polls()) {
        let telemetry = Telemetry::new(BootEpoch(1), Seq(1), Challenge([0; 16]), made_at, &polls);
        prop_assert_eq!(telemetry.samples(), polls.iter().map(|poll| poll.readings.len() * 4).sum::<usize>());
        prop_assert_eq!(telemetry.polls(), polls);
    }

    #[test]
    fn queue_digest_is_independent_of_order(
        (readings, shuffled) in vec(arbitrary::queue_reading(), 0..8)
            .prop_flat_map(|readings| (Just(readings.clone()), Just(readings).prop_shuffle())),
    ) {
        prop_assert_eq!(queue_digest(&readings), queue_digest(&shuffled));
    }

    #[test]
    fn queue_digest_changes_with_each_field(
        one in arbitrary::queue_reading(),
        other in arbitrary::queue_reading(),
        beside in vec(arbitrary::queue_reading(), 0..4),
    ) {
        let digest = |reading: &QueueReading| {
            let mut all = beside.clone();
            all.push(reading.clone());
            queue_digest(&all)
        };
        let opposite = match one.direction {
            Direction::Down => Direction::Up,
            Direction::Up => Direction::Down,
        };
        let changed = [
            QueueReading { shaper: other.shaper.clone(), ..one.clone() },
            QueueReading { direction: opposite, ..one.clone() },
            QueueReading { cir: other.cir, ..one.clone() },
            QueueReading { cir: one.cir.xor(Some(BitsPerSec(0))), ..one.clone() },
            QueueReading { mir: other.mir, ..one.clone() },
            QueueReading { burst: other.burst, ..one.clone() },
            QueueReading { disabled: !one.disabled, ..one.clone() },
        ];
        for reading in changed {
            prop_assert_eq!(digest(&reading) == digest(&one), reading == one, "{:?} and {:?}", reading, one);
        }
        prop_assert_ne!(digest(&one), queue_digest(&beside));
    }

    #[test]
    fn a_rate_is_always_readable(rate in prop_oneof![any::<u64>(), 0..2_000_000_000_u64]) {
        let text = BitsPerSec(rate).to_string();
        let (number, unit) = text.split_once(' ').unwrap();
        let scale = [("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)];
        let (_, scale) = scale.into_iter().find(|(name, _)| *name == unit).unwrap();
        // Two decimals, rounded down; the sum is one of f64, hence the small allowance.
        let lost = rate as f64 - number.parse::<f64>().unwrap() * scale;
        prop_assert!(lost >= -1e-6 * rate as f64 && lost <= scale / 100.0 + 1e-6 * rate as f64, "{} of {}", text, rate);
    }
}

/// The worked example of docs/wire.md, as `printf … | sha256sum` gives it.
#[test]
fn queue_digest_of_the_specification() {
    let expected = "7b16afb05962ef410e67d141a32671e4b359a154e2387d49702447dd681041f6";
    assert_eq!(queue_digest(&values::readings()).to_string(), expected);
    assert_eq!(queue_digest(&[]), Digest::of(b""));
}

fn signed_body_is_canonical_or_refused(kind: Kind, body: &[u8]) -> Result<(), TestCaseError> {
    let claims = KeyId::of_key(&public());
    let bytes = by_hand::Forged { version: 1, kind: kind.number(), claims, body, route: route() }.signed_by(&key());
    match open(&bytes, route(), |_, _| Some(public())) {
        Ok(opened) => {
            if let Message::Telemetry(telemetry) = &opened.message {
                prop_assert_eq!(
                    telemetry.samples(),
                    telemetry.polls().iter().map(|poll| poll.readings.len() * 4).sum::<usize>()
                );
            }
            prop_assert_eq!(seal(&opened.message, route(), &key()), Some(bytes));
        }
        Err(refused) => prop_assert!(matches!(refused, Refused::BadBody(_) | Refused::NotCanonical), "{}", refused),
    }
    Ok(())
}

fn public() -> [u8; 32] {
    key().verifying_key().to_bytes()
}

/// Keeps failing cases beside this file: the default looks for a `lib.rs` above it, and there is none.
fn config() -> ProptestConfig {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.regressions");
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(file))),
        ..ProptestConfig::default()
    }
}
