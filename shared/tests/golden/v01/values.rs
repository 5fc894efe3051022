//! The published values. They are part of the promise: changed values mean other bytes.
//! Runs of rising bytes make every identifier recognisable in a hex dump.

use ed25519_dalek::SigningKey;
use takar_shared::{
    AgentId, BatchId, BitsPerSec, BootEpoch, Challenge, ChangeId, Digest, Direction, MonoMillis, Name, NetworkId, Seq,
    Serial, UnixMillis,
    birth::{Birth, Bound, DeviceBirth, DeviceState, Meter, Mode, Pending, PendingPhase, QueueSet},
    command::{Cancel, Command, Confirm},
    envelope::Route,
    facts::{Duplex, Facts, InterfaceFacts, Switch},
    grant::Grant,
    id,
    keyset::{Keyset, Root},
    queue::{ClassId, QueueReading, Setting, Shaper, queue_digest},
    receipt::{Phase, Receipt},
    telemetry::{Gap, Poll, PollOutcome, Reading, Telemetry},
};

/// `first`, `first + 1`, …
pub fn run<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|at| first.wrapping_add(at as u8))
}

pub fn text(text: &str) -> Name {
    id::name(text).unwrap()
}

pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub fn route() -> Route {
    Route { network: NetworkId(run(0x10)), agent: AgentId(run(0x20)) }
}

pub fn roots() -> [SigningKey; 2] {
    [SigningKey::from_bytes(&[8; 32]), SigningKey::from_bytes(&[9; 32])]
}

pub fn root_of_trust() -> Root {
    Root { keys: roots().iter().map(|root| root.verifying_key().to_bytes()).collect(), threshold: 2 }
}

pub fn queue() -> Shaper {
    Shaper::Queue(text("satker-012"))
}

pub fn class() -> Shaper {
    Shaper::Class { interface: text("wan"), classid: ClassId(0x0001_0010) }
}

pub fn root() -> Shaper {
    Shaper::Root(text("eth1"))
}

pub fn shaper_meter() -> Meter {
    Meter::Shaper { shaper: queue(), direction: Direction::Down }
}

/// Not in sorted order, so that the digest shows that it sorts.
pub fn readings() -> Vec<QueueReading> {
    vec![
        QueueReading {
            shaper: root(),
            direction: Direction::Down,
            cir: None,
            mir: BitsPerSec(30_000_000),
            burst: BitsPerSec(0),
            disabled: true,
        },
        QueueReading {
            shaper: class(),
            direction: Direction::Up,
            cir: Some(BitsPerSec(5_000_000)),
            mir: BitsPerSec(20_000_000),
            burst: BitsPerSec(0),
            disabled: false,
        },
        QueueReading {
            shaper: queue(),
            direction: Direction::Down,
            cir: Some(BitsPerSec(10_000_000)),
            mir: BitsPerSec(50_000_000),
            burst: BitsPerSec(60_000_000),
            disabled: false,
        },
    ]
}

pub fn queue_set() -> QueueSet {
    QueueSet { read_at: MonoMillis(119_500), digest: queue_digest(&readings()), readings: readings() }
}

pub fn device_state() -> DeviceState {
    DeviceState {
        device: text("gw-012"),
        last_serial: Serial(42),
        pending: Some(Pending { change: ChangeId(run(0x30)), serial: Serial(42), phase: PendingPhase::Applied }),
        receipt_head: Digest(run(0x80)),
        queues: Some(queue_set()),
        keyset_version: 3,
    }
}

pub fn birth() -> Birth {
    let bounded = DeviceBirth {
        device: text("gw-012"),
        meters: vec![Meter::Interface(text("ether2")), shaper_meter()],
        bounds: vec![Bound {
            shaper: queue(),
            direction: Direction::Down,
            floor: BitsPerSec(2_000_000),
            ceiling: BitsPerSec(100_000_000),
        }],
        changes_per_hour: 12,
        state: device_state(),
    };
    // A device that was never changed and whose queues could not be read.
    let unread = DeviceBirth {
        device: text("ap-gedung-b"),
        meters: vec![Meter::Interface(text("wlan0"))],
        bounds: vec![],
        changes_per_hour: 0,
        state: DeviceState {
            device: text("ap-gedung-b"),
            last_serial: Serial(0),
            pending: None,
            receipt_head: Digest([0; 32]),
            queues: None,
            keyset_version: 3,
        },
    };
    Birth {
        boot_epoch: BootEpoch(7),
        boot_nonce: run(0x60),
        challenge: Challenge(run(0x50)),
        now: MonoMillis(4_200),
        software: text("takar-agent 0.1.0"),
        mode: Mode::Live,
        spooled_from: (BootEpoch(6), Seq(1_201)),
        devices: vec![bounded, unread],
    }
}

/// The second poll shows a small difference, a wrapped 32-bit counter (a negative one) and no difference.
pub fn polls() -> Vec<Poll> {
    let wide = |values| Reading { meter: 0, narrow: false, values };
    let narrow = |values| Reading { meter: 2, narrow: true, values };
    vec![
        Poll {
            device: 0,
            at: MonoMillis(110_000),
            outcome: PollOutcome::Ok,
            discontinuity: true,
            readings: vec![wide([1_000_000_000_000, 5_000_000, 3, 0]), narrow([4_294_967_000, 17, 0, 0])],
        },
        Poll {
            device: 0,
            at: MonoMillis(120_000),
            outcome: PollOutcome::Partial,
            discontinuity: false,
            readings: vec![wide([1_000_062_500_000, 5_000_120, 3, 1]), narrow([1_204, 17, 0, 0])],
        },
    ]
}

pub fn telemetry() -> Telemetry {
    let challenge = Challenge(run(0x50));
    let mut telemetry = Telemetry::new(BootEpoch(7), Seq(12), challenge, MonoMillis(120_250), &polls());
    telemetry.states = vec![device_state()];
    telemetry.alarms = 2;
    telemetry
}

pub fn gap() -> Gap {
    Gap { boot_epoch: BootEpoch(7), first: Seq(3), seq: Seq(300), samples: 9_536 }
}

pub fn grant() -> Grant {
    Grant {
        challenge: Challenge(run(0x50)),
        valid_s: 120,
        server_time: UnixMillis(1_717_372_800_000),
        stored_up_to: (BootEpoch(7), Seq(11)),
        receipts_stored: vec![(text("gw-012"), Digest(run(0x80)))],
        keyset_min: 3,
        tell_states: true,
    }
}

pub fn command() -> Command {
    let set = |shaper, direction, cir, mir| Setting { shaper, direction, cir, mir: BitsPerSec(mir) };
    Command {
        change: ChangeId(run(0x30)),
        device: text("gw-012"),
        serial: Serial(42),
        expires_at: UnixMillis(1_717_372_860_000),
        batch: BatchId(run(0x40)),
        step: 1,
        steps: 2,
        expects: queue_digest(&readings()),
        set: vec![
            set(queue(), Direction::Down, Some(BitsPerSec(10_000_000)), 40_000_000),
            set(class(), Direction::Up, Some(BitsPerSec(5_000_000)), 15_000_000),
            set(root(), Direction::Down, None, 25_000_000),
        ],
        confirm_within_s: 90,
    }
}

pub fn confirm() -> Confirm {
    Confirm { change: ChangeId(run(0x30)), device: text("gw-012"), serial: Serial(42) }
}

pub fn cancel() -> Cancel {
    Cancel { change: ChangeId(run(0x30)), device: text("gw-012"), serial: Serial(42) }
}

pub fn receipt() -> Receipt {
    Receipt {
        change: ChangeId(run(0x30)),
        device: text("gw-012"),
        serial: Serial(42),
        phase: Phase::Applied,
        observed: Some(queue_set()),
        boot_epoch: BootEpoch(7),
        previous: Digest(run(0x80)),
    }
}

pub fn facts() -> Facts {
    let wan = InterfaceFacts {
        name: text("ether2"),
        admin: Switch::Up,
        oper: Switch::Down,
        high_speed_mbps: Some(1_000),
        duplex: Duplex::Full,
        unchanged_for_ms: Some(86_400_000),
        in_errors: 17,
        out_errors: 0,
        in_discards: u32::MAX,
        out_discards: 300,
    };
    // Of a radio that says little of itself.
    let radio = InterfaceFacts {
        name: text("wlan0"),
        admin: Switch::Unknown,
        oper: Switch::Other,
        high_speed_mbps: None,
        duplex: Duplex::Unknown,
        unchanged_for_ms: None,
        in_errors: 0,
        out_errors: 0,
        in_discards: 0,
        out_discards: 0,
    };
    Facts { boot_epoch: BootEpoch(7), read_at: MonoMillis(120_100), device: 0, interfaces: vec![wan, radio] }
}

pub fn keyset() -> Keyset {
    Keyset {
        version: 3,
        command_keys: vec![
            key().verifying_key().to_bytes(),
            SigningKey::from_bytes(&[10; 32]).verifying_key().to_bytes(),
        ],
        grant_keys: vec![SigningKey::from_bytes(&[11; 32]).verifying_key().to_bytes()],
        next_ca: Some(vec![0x30, 0x03, 0x02, 0x01, 0x00]),
        root: root_of_trust(),
    }
}
