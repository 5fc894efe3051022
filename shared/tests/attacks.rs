//! One test per attack on an envelope, each against every kind of message, short and long.
//! Attacks on keysets are in `attacks/keyset.rs`.
#![allow(clippy::unwrap_used, clippy::type_complexity)] // a test may stop at the first surprise

mod by_hand;
#[path = "attacks/curve.rs"]
mod curve;
#[path = "attacks/keyset.rs"]
mod keyset;
#[allow(dead_code)] // the golden tests use what this file does not
#[path = "golden/v01.rs"]
mod v01;

use by_hand::{Forged, KEY_AT, KIND_AT, body_at, body_of, lengthen_varint};
use curve::{BASEPOINT, ORDER, small_order_points};
use ed25519_dalek::{Signature, SigningKey, Verifier as _, VerifyingKey};
use takar_shared::{
    AgentId, BitsPerSec, BootEpoch, Challenge, Digest, Direction, KeyId, MonoMillis, NetworkId, Seq,
    command::Command,
    envelope::{Kind, MAX_CONTROL, MAX_TELEMETRY, Message, Opened, Refused, Route, open, peek_kind, seal},
    facts::{Facts, MAX_INTERFACES},
    grant::Grant,
    keyset::PublicKey,
    queue::Setting,
    receipt::Receipt,
    telemetry::{Poll, PollOutcome, Reading, Telemetry},
};
use v01::values::{self, key, route};

#[test]
fn honest_messages_are_taken() {
    for (message, bytes) in sealed() {
        assert_eq!(attempt(&bytes).unwrap().message, message);
        // What the attacks below are built with says the same as the code under test.
        assert_eq!(honest(&message, body_of(&bytes)).signed_by(&key()), bytes);
        assert_eq!(attempt(&bytes).unwrap().body_digest, Digest::of(body_of(&bytes)));
    }
}

#[test]
fn flipped_bit() {
    for (message, bytes) in sealed() {
        let bits = bytes.len() * 8;
        // Every bit of a short message; an odd stride over a long one meets every position in a byte.
        let stride = if bytes.len() <= 1024 { 1 } else { (bits / 500) | 1 };
        for bit in (0..bits).step_by(stride) {
            let (at, mut flipped) = (bit / 8, bytes.clone());
            flipped[at] ^= 1 << (bit % 8);
            let refused = attempt(&flipped).unwrap_err();
            let context = format!("{:?}, bit {bit}: {refused}", message.kind());
            if at == 0 {
                assert!(matches!(refused, Refused::NewerVersion(_) | Refused::OlderVersion(0)), "{context}");
            } else if (KEY_AT..KEY_AT + 8).contains(&at) {
                assert!(matches!(refused, Refused::UnknownKey(_)), "{context}");
            } else if at >= body_at(&bytes) {
                assert_eq!(refused, Refused::BadSignature, "{context}");
            }
        }
    }
}

#[test]
fn truncated_at_every_length() {
    for (_, bytes) in sealed() {
        for length in 0..bytes.len() {
            assert_eq!(attempt(&bytes[..length]).unwrap_err(), Refused::Truncated, "at {length}");
        }
    }
}

#[test]
fn trailing_bytes() {
    for (_, bytes) in sealed() {
        for tail in [&[0][..], &[0xff], &[0; 64], &bytes[bytes.len() - 64..]] {
            let longer = [&bytes[..], tail].concat();
            assert_eq!(attempt(&longer).unwrap_err(), Refused::NotCanonical);
        }
    }
}

#[test]
fn trailing_bytes_inside_a_signed_body() {
    for (message, bytes) in sealed() {
        let body = [body_of(&bytes), &[0]].concat();
        assert_eq!(attempt(&honest(&message, &body).signed_by(&key())).unwrap_err(), Refused::NotCanonical);
    }
}

#[test]
fn truncated_signed_body() {
    for (message, bytes) in sealed() {
        let (_, body) = body_of(&bytes).split_last().unwrap();
        let refused = attempt(&honest(&message, body).signed_by(&key())).unwrap_err();
        assert_eq!(refused, Refused::BadBody(message.kind()));
    }
}

#[test]
fn sent_to_another_agent() {
    let elsewhere = Route { agent: AgentId([0x77; 16]), ..route() };
    for (_, bytes) in sealed() {
        assert_eq!(open(&bytes, elsewhere, only(public())).unwrap_err(), Refused::BadSignature);
    }
}

#[test]
fn sent_to_another_network() {
    let elsewhere = Route { network: NetworkId([0x77; 16]), ..route() };
    for (_, bytes) in sealed() {
        assert_eq!(open(&bytes, elsewhere, only(public())).unwrap_err(), Refused::BadSignature);
    }
}

#[test]
fn network_and_agent_exchanged() {
    let exchanged = Route { network: NetworkId(route().agent.0), agent: AgentId(route().network.0) };
    for (_, bytes) in sealed() {
        assert_eq!(open(&bytes, exchanged, only(public())).unwrap_err(), Refused::BadSignature);
    }
}

#[test]
fn relabelled_as_another_kind() {
    for (message, mut bytes) in sealed() {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != message.kind()) {
            bytes[KIND_AT] = kind.number();
            let expected = match bytes.len() > kind.limit() {
                true => Refused::Oversize { limit: kind.limit() },
                false => Refused::BadSignature,
            };
            assert_eq!(attempt(&bytes).unwrap_err(), expected, "{:?} as {kind:?}", message.kind());
        }
        for number in (0..=u8::MAX).filter(|number| Kind::from_number(*number).is_none()) {
            bytes[KIND_AT] = number;
            assert_eq!(attempt(&bytes).unwrap_err(), Refused::UnknownKind(number));
            assert_eq!(peek_kind(&bytes).unwrap_err(), Refused::UnknownKind(number));
        }
    }
}

#[test]
fn key_not_allowed() {
    for (message, bytes) in sealed() {
        let id = KeyId::of_key(&public());
        assert_eq!(open(&bytes, route(), |_, _| None).unwrap_err(), Refused::UnknownKey(id));
        // A key of another role: it may sign everything but this.
        let role = |kind: Kind, _: KeyId| (kind != message.kind()).then(public);
        assert_eq!(open(&bytes, route(), role).unwrap_err(), Refused::UnknownKey(id));
    }
}

#[test]
fn other_key_with_the_same_id_claim() {
    let thief = SigningKey::from_bytes(&[0x66; 32]);
    for (message, bytes) in sealed() {
        let forged = honest(&message, body_of(&bytes)).signed_by(&thief);
        assert_eq!(attempt(&forged).unwrap_err(), Refused::BadSignature);
    }
}

/// Key ids are 8 bytes: two keys may share one. The id is signed over and the key decides.
#[test]
fn allowed_key_under_another_id() {
    for (message, bytes) in sealed() {
        let forged = Forged { claims: KeyId([0x66; 8]), ..honest(&message, body_of(&bytes)) }.signed_by(&key());
        assert_eq!(attempt(&forged).unwrap_err(), Refused::UnknownKey(KeyId([0x66; 8])));
        let mut relabelled = bytes.clone();
        relabelled[KEY_AT..KEY_AT + 8].copy_from_slice(&[0x66; 8]);
        assert_eq!(open(&relabelled, route(), |_, _| Some(public())).unwrap_err(), Refused::BadSignature);
    }
}

#[test]
fn newer_version_is_reported_as_newer() {
    for (message, mut bytes) in sealed() {
        for version in 2..=u8::MAX {
            let properly_signed = Forged { version, ..honest(&message, body_of(&bytes)) }.signed_by(&key());
            assert_eq!(attempt(&properly_signed).unwrap_err(), Refused::NewerVersion(version));
        }
        // Neither its kind nor anything after it needs to make sense to this version.
        bytes[0] = 2;
        bytes[KIND_AT] = 0xee;
        bytes.truncate(12);
        assert_eq!(attempt(&bytes).unwrap_err(), Refused::NewerVersion(2));
    }
}

#[test]
fn older_version_is_reported_as_older() {
    for (message, bytes) in sealed() {
        let forged = Forged { version: 0, ..honest(&message, body_of(&bytes)) }.signed_by(&key());
        assert_eq!(attempt(&forged).unwrap_err(), Refused::OlderVersion(0));
    }
}

#[test]
fn oversize() {
    for message in v01::messages() {
        let limit = message.kind().limit();
        let length_bytes = if limit > 16_383 { 3 } else { 2 };
        let around = 2 + 8 + length_bytes + 64;
        let largest = honest(&message, &vec![0; limit - around]).signed_by(&key());
        assert_eq!(largest.len(), limit);
        // The largest is looked at and found to be no message; one byte more is not looked at.
        assert!(matches!(attempt(&largest).unwrap_err(), Refused::NotCanonical | Refused::BadBody(_)));
        let larger = honest(&message, &vec![0; limit - around + 1]).signed_by(&key());
        assert_eq!(attempt(&larger).unwrap_err(), Refused::Oversize { limit });
        assert_eq!(peek_kind(&larger).unwrap_err(), Refused::Oversize { limit });
    }
}

#[test]
fn a_message_over_its_limit_is_not_sealed() {
    let setting = || Setting { shaper: values::queue(), direction: Direction::Up, cir: None, mir: BitsPerSec(1) };
    let mut observed = values::queue_set();
    observed.readings = observed.readings.iter().cycle().take(MAX_CONTROL / 16).cloned().collect();
    let mut birth = values::birth();
    birth.devices = birth.devices.iter().cycle().take(MAX_TELEMETRY / 64).cloned().collect();
    let too_large = [
        Message::Birth(birth),
        Message::Telemetry(long_telemetry(MAX_TELEMETRY / 256)),
        Message::Grant(Grant {
            receipts_stored: vec![(values::text("gw"), Digest([0; 32])); MAX_CONTROL / 32],
            ..values::grant()
        }),
        Message::Command(Command { set: vec![setting(); MAX_CONTROL / 8], ..values::command() }),
        Message::Receipt(Receipt { observed: Some(observed), ..values::receipt() }),
        Message::Facts(facts_of(MAX_INTERFACES + 1)),
    ];
    for message in too_large {
        assert_eq!(seal(&message, route(), &key()), None, "{:?}", message.kind());
    }
}

/// Far below the limit in bytes: what is counted is counted.
#[test]
fn more_interfaces_than_a_message_may_hold() {
    let full = facts_of(MAX_INTERFACES);
    let message = Message::Facts(full.clone());
    let sealed = seal(&message, route(), &key()).unwrap();
    assert_eq!(attempt(&sealed).unwrap().message, message);
    // The count follows the epoch (one byte), the time (three) and the device (one).
    let mut body = body_of(&sealed).to_vec();
    assert_eq!(usize::from(body[5]), MAX_INTERFACES);
    body[5] += 1;
    body.extend(postcard::to_allocvec(&full.interfaces[0]).unwrap());
    assert_eq!(attempt(&honest(&message, &body).signed_by(&key())).unwrap_err(), Refused::BadBody(Kind::Facts));
}

/// The length of the body is not signed over: another way to write it would make two messages of one.
#[test]
fn long_varint_as_body_length() {
    for (_, mut bytes) in sealed() {
        lengthen_varint(&mut bytes, by_hand::LENGTH_AT);
        assert_eq!(attempt(&bytes).unwrap_err(), Refused::NotCanonical);
    }
}

#[test]
fn long_varint_inside_a_signed_body() {
    for (message, bytes) in sealed() {
        let mut body = body_of(&bytes).to_vec();
        // The first number: the epoch, or what follows 16 random bytes.
        let number_at = match message.kind() {
            Kind::Birth | Kind::Telemetry | Kind::Gap | Kind::Facts => 0,
            Kind::Grant | Kind::Command | Kind::Confirm | Kind::Cancel | Kind::Receipt => 16,
        };
        lengthen_varint(&mut body, number_at);
        assert_eq!(attempt(&honest(&message, &body).signed_by(&key())).unwrap_err(), Refused::NotCanonical);
    }
}

#[test]
fn zero_signature() {
    for (message, bytes) in sealed() {
        let forged = honest(&message, body_of(&bytes)).with_signature(&[0; 64]);
        assert_eq!(attempt(&forged).unwrap_err(), Refused::BadSignature);
    }
}

#[test]
fn signature_of_another_message() {
    let other = seal(&Message::Gap(values::gap()), Route { agent: AgentId([1; 16]), ..route() }, &key()).unwrap();
    let signature: [u8; 64] = other[other.len() - 64..].try_into().unwrap();
    for (message, bytes) in sealed() {
        let forged = honest(&message, body_of(&bytes)).with_signature(&signature);
        assert_eq!(attempt(&forged).unwrap_err(), Refused::BadSignature);
    }
}

/// S + order satisfies the same equation: without the range check one message would have two byte forms.
#[test]
fn malleated_signature() {
    for (_, mut bytes) in sealed() {
        let scalar_at = bytes.len() - 32;
        let mut carry = 0;
        for (byte, order) in bytes[scalar_at..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0);
        assert_eq!(attempt(&bytes).unwrap_err(), Refused::BadSignature);
    }
}

/// Under a key of small order a signature can be written without any secret.
#[test]
fn small_order_public_key() {
    let mut scalar_one = [0; 64];
    scalar_one[..32].copy_from_slice(&BASEPOINT);
    scalar_one[32] = 1;
    let mut identity_and_zero = [0; 64];
    identity_and_zero[0] = 1;
    for (message, bytes) in sealed() {
        for weak in small_order_points() {
            let forged = Forged { claims: KeyId::of_key(&weak), ..honest(&message, body_of(&bytes)) };
            for signature in [scalar_one, identity_and_zero] {
                let outcome = open(&forged.with_signature(&signature), route(), only(weak));
                assert_eq!(outcome.unwrap_err(), Refused::BadSignature);
                if weak == small_order_points()[0] {
                    // The attack is real: the check that is not strict takes it.
                    let lax = VerifyingKey::from_bytes(&weak).unwrap();
                    assert!(lax.verify(&forged.preimage(), &Signature::from_bytes(&signature)).is_ok());
                }
            }
        }
    }
}

/// One message of every kind, and long ones, sealed by the key that may.
fn sealed() -> Vec<(Message, Vec<u8>)> {
    let mut messages = v01::messages();
    let long_set = vec![values::command().set[0].clone(); 60];
    messages.push(Message::Command(Command { set: long_set, ..values::command() }));
    messages.push(Message::Telemetry(long_telemetry(6)));
    messages.push(Message::Facts(facts_of(MAX_INTERFACES)));
    messages
        .into_iter()
        .map(|message| {
            let bytes = seal(&message, route(), &key()).unwrap();
            (message, bytes)
        })
        .collect()
}

fn facts_of(interfaces: usize) -> Facts {
    let all = values::facts().interfaces.into_iter().cycle().take(interfaces);
    Facts { interfaces: all.collect(), ..values::facts() }
}

/// About one KiB a poll: 24 meters whose counters jump.
fn long_telemetry(polls: usize) -> Telemetry {
    let poll = |at: usize| Poll {
        device: 0,
        at: MonoMillis(1_000 * at as u64),
        outcome: PollOutcome::Ok,
        discontinuity: false,
        readings: (0..24)
            .map(|meter| {
                let jump = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(1 + at as u64 * 24 + u64::from(meter));
                Reading { meter, narrow: false, values: [jump, jump >> 7, !jump, jump.rotate_left(32)] }
            })
            .collect(),
    };
    let polls: Vec<Poll> = (0..polls).map(poll).collect();
    Telemetry::new(BootEpoch(1), Seq(1), Challenge([3; 16]), MonoMillis(1_000_000), &polls)
}

fn honest<'a>(message: &Message, body: &'a [u8]) -> Forged<'a> {
    let claims = KeyId::of_key(&public());
    Forged { version: 1, kind: message.kind().number(), claims, body, route: route() }
}

fn attempt(bytes: &[u8]) -> Result<Opened, Refused> {
    open(bytes, route(), only(public()))
}

fn public() -> PublicKey {
    key().verifying_key().to_bytes()
}

/// One key, asked for by its own id.
fn only(public: PublicKey) -> impl FnOnce(Kind, KeyId) -> Option<PublicKey> {
    move |_, id| (id == KeyId::of_key(&public)).then_some(public)
}
