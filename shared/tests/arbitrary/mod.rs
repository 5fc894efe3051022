//! Strategies for every kind of message, small enough to stay within the limits of their kind.
//! Enums come from the lists of the golden tests, so that a new variant is generated as well.

use proptest::{array::uniform4, collection::vec, option, prelude::*, sample::select};
use takar_shared::{
    BatchId, BitsPerSec, BootEpoch, Challenge, ChangeId, Digest, Direction, MonoMillis, Name, Seq, Serial, UnixMillis,
    birth::{Birth, Bound, DeviceBirth, DeviceState, Meter, Pending, QueueSet},
    command::{Cancel, Command, Confirm},
    envelope::Message,
    facts::{Facts, InterfaceFacts, MAX_INTERFACES},
    grant::Grant,
    id,
    queue::{ClassId, QueueReading, Setting, Shaper},
    receipt::Receipt,
    telemetry::{Gap, Poll, Reading, Telemetry},
};

use crate::v01;

pub fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        birth().prop_map(Message::Birth),
        telemetry().prop_map(Message::Telemetry),
        gap().prop_map(Message::Gap),
        grant().prop_map(Message::Grant),
        command().prop_map(Message::Command),
        address().prop_map(|(change, device, serial)| Message::Confirm(Confirm { change, device, serial })),
        address().prop_map(|(change, device, serial)| Message::Cancel(Cancel { change, device, serial })),
        receipt().prop_map(Message::Receipt),
        facts().prop_map(Message::Facts),
    ]
}

/// When a Telemetry was made and polls that it can hold: none later, none older than 2³² ms.
pub fn polls() -> impl Strategy<Value = (MonoMillis, Vec<Poll>)> {
    any::<u64>().prop_flat_map(|made_at| (Just(MonoMillis(made_at)), vec(poll(made_at), 0..6)))
}

pub fn queue_reading() -> impl Strategy<Value = QueueReading> {
    (shaper(), direction(), option::of(rate()), rate(), rate(), any::<bool>()).prop_map(
        |(shaper, direction, cir, mir, burst, disabled)| QueueReading { shaper, direction, cir, mir, burst, disabled },
    )
}

pub fn class_id() -> impl Strategy<Value = ClassId> {
    (1..=u16::MAX, 1..=u16::MAX).prop_map(|(major, minor)| ClassId(u32::from(major) << 16 | u32::from(minor)))
}

/// Sixteen characters of up to four bytes: whatever fits 64 bytes, control characters included.
fn name() -> impl Strategy<Value = Name> {
    vec(any::<char>(), 0..=16).prop_map(|chars| id::name(&String::from_iter(chars)).unwrap())
}

fn rate() -> impl Strategy<Value = BitsPerSec> {
    any::<u64>().prop_map(BitsPerSec)
}

fn direction() -> impl Strategy<Value = Direction> {
    select(Direction::BOTH.to_vec())
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn challenge() -> impl Strategy<Value = Challenge> {
    any::<[u8; 16]>().prop_map(Challenge)
}

fn place() -> impl Strategy<Value = (BootEpoch, Seq)> {
    (any::<u32>(), any::<u64>()).prop_map(|(epoch, seq)| (BootEpoch(epoch), Seq(seq)))
}

/// What a Command, Confirm, Cancel and Receipt are about.
fn address() -> impl Strategy<Value = (ChangeId, Name, Serial)> {
    (any::<[u8; 16]>(), name(), any::<u64>())
        .prop_map(|(change, device, serial)| (ChangeId(change), device, Serial(serial)))
}

fn shaper() -> impl Strategy<Value = Shaper> {
    prop_oneof![
        name().prop_map(Shaper::Queue),
        (name(), any::<u32>()).prop_map(|(interface, id)| Shaper::Class { interface, classid: ClassId(id) }),
        name().prop_map(Shaper::Root),
    ]
}

fn meter() -> impl Strategy<Value = Meter> {
    prop_oneof![
        name().prop_map(Meter::Interface),
        (shaper(), direction()).prop_map(|(shaper, direction)| Meter::Shaper { shaper, direction }),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    queue_reading().prop_map(|reading| reading.setting())
}

fn queue_set() -> impl Strategy<Value = QueueSet> {
    (any::<u64>(), digest(), vec(queue_reading(), 0..4)).prop_map(|(read_at, digest, readings)| QueueSet {
        read_at: MonoMillis(read_at),
        digest,
        readings,
    })
}

fn pending() -> impl Strategy<Value = Pending> {
    (any::<[u8; 16]>(), any::<u64>(), select(v01::pending_phases())).prop_map(|(change, serial, phase)| Pending {
        change: ChangeId(change),
        serial: Serial(serial),
        phase,
    })
}

fn device_state() -> impl Strategy<Value = DeviceState> {
    (name(), any::<u64>(), option::of(pending()), digest(), option::of(queue_set()), any::<u32>()).prop_map(
        |(device, last_serial, pending, receipt_head, queues, keyset_version)| DeviceState {
            device,
            last_serial: Serial(last_serial),
            pending,
            receipt_head,
            queues,
            keyset_version,
        },
    )
}

pub fn bound() -> impl Strategy<Value = Bound> {
    (shaper(), direction(), rate(), rate()).prop_map(|(shaper, direction, floor, ceiling)| Bound {
        shaper,
        direction,
        floor,
        ceiling,
    })
}

fn device_birth() -> impl Strategy<Value = DeviceBirth> {
    (name(), vec(meter(), 0..4), vec(bound(), 0..3), any::<u16>(), device_state()).prop_map(
        |(device, meters, bounds, changes_per_hour, state)| DeviceBirth {
            device,
            meters,
            bounds,
            changes_per_hour,
            state,
        },
    )
}

fn birth() -> impl Strategy<Value = Birth> {
    let random = (any::<[u8; 16]>(), challenge());
    (any::<u32>(), random, any::<u64>(), name(), select(v01::modes()), place(), vec(device_birth(), 0..3)).prop_map(
        |(boot_epoch, (boot_nonce, challenge), now, software, mode, spooled_from, devices)| Birth {
            boot_epoch: BootEpoch(boot_epoch),
            boot_nonce,
            challenge,
            now: MonoMillis(now),
            software,
            mode,
            spooled_from,
            devices,
        },
    )
}

/// Few meters, so that the same one comes again, and counters at the ends of their range.
fn reading() -> impl Strategy<Value = Reading> {
    let counter = prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), Just(u64::from(u32::MAX))];
    let meter = prop_oneof![0..3_u16, any::<u16>()];
    (meter, any::<bool>(), uniform4(counter)).prop_map(|(meter, narrow, values)| Reading { meter, narrow, values })
}

fn poll(made_at: u64) -> impl Strategy<Value = Poll> {
    (any::<u8>(), any::<u32>(), select(v01::poll_outcomes()), any::<bool>(), vec(reading(), 0..6)).prop_map(
        move |(device, age, outcome, discontinuity, readings)| Poll {
            device,
            at: MonoMillis(made_at.saturating_sub(u64::from(age))),
            outcome,
            discontinuity,
            readings,
        },
    )
}

fn telemetry() -> impl Strategy<Value = Telemetry> {
    (place(), challenge(), polls(), vec(device_state(), 0..3), any::<u32>()).prop_map(
        |((boot_epoch, seq), challenge, (made_at, polls), states, alarms)| {
            let mut telemetry = Telemetry::new(boot_epoch, seq, challenge, made_at, &polls);
            (telemetry.states, telemetry.alarms) = (states, alarms);
            telemetry
        },
    )
}

fn gap() -> impl Strategy<Value = Gap> {
    (place(), any::<u64>(), any::<u64>()).prop_map(|((boot_epoch, seq), first, samples)| Gap {
        boot_epoch,
        first: Seq(first),
        seq,
        samples,
    })
}

fn grant() -> impl Strategy<Value = Grant> {
    (challenge(), any::<u32>(), any::<u64>(), place(), vec((name(), digest()), 0..6), any::<u32>(), any::<bool>())
        .prop_map(|(challenge, valid_s, server_time, stored_up_to, receipts_stored, keyset_min, tell_states)| Grant {
            challenge,
            valid_s,
            server_time: UnixMillis(server_time),
            stored_up_to,
            receipts_stored,
            keyset_min,
            tell_states,
        })
}

fn command() -> impl Strategy<Value = Command> {
    let within = (any::<[u8; 16]>(), any::<u16>(), any::<u16>());
    (address(), any::<u64>(), within, digest(), vec(setting(), 0..6), any::<u32>()).prop_map(
        |((change, device, serial), expires_at, (batch, step, steps), expects, set, confirm_within_s)| Command {
            change,
            device,
            serial,
            expires_at: UnixMillis(expires_at),
            batch: BatchId(batch),
            step,
            steps,
            expects,
            set,
            confirm_within_s,
        },
    )
}

fn receipt() -> impl Strategy<Value = Receipt> {
    (address(), select(v01::phases()), option::of(queue_set()), any::<u32>(), digest()).prop_map(
        |((change, device, serial), phase, observed, boot_epoch, previous)| Receipt {
            change,
            device,
            serial,
            phase,
            observed,
            boot_epoch: BootEpoch(boot_epoch),
            previous,
        },
    )
}

/// Up to as many interfaces as a message may hold.
fn facts() -> impl Strategy<Value = Facts> {
    let interfaces = prop_oneof![vec(interface_facts(), 0..4), vec(interface_facts(), MAX_INTERFACES)];
    (any::<u32>(), any::<u64>(), any::<u8>(), interfaces).prop_map(|(boot_epoch, read_at, device, interfaces)| Facts {
        boot_epoch: BootEpoch(boot_epoch),
        read_at: MonoMillis(read_at),
        device,
        interfaces,
    })
}

fn interface_facts() -> impl Strategy<Value = InterfaceFacts> {
    let status = (select(v01::switches()), select(v01::switches()), select(v01::duplexes()));
    (name(), status, option::of(any::<u32>()), option::of(any::<u64>()), uniform4(any::<u32>())).prop_map(
        |(name, (admin, oper, duplex), high_speed_mbps, unchanged_for_ms, packets)| {
            let [in_errors, out_errors, in_discards, out_discards] = packets;
            InterfaceFacts {
                name,
                admin,
                oper,
                high_speed_mbps,
                duplex,
                unchanged_for_ms,
                in_errors,
                out_errors,
                in_discards,
                out_discards,
            }
        },
    )
}
