//! Wire version 1: one golden entry per published value.
//!
//! [`every!`] lists the values of an enum beside a match without a wildcard, so a variant added
//! without a value here does not compile, and a value added here without golden bytes does not pass.

#[path = "v01/values.rs"]
pub mod values;

use serde::{Serialize, de::DeserializeOwned};
use takar_shared::{
    birth::{Meter, Mode, PendingPhase},
    envelope::{Kind, Message, open, seal},
    facts::{Duplex, Switch},
    queue::Shaper,
    receipt::{Phase, Receipt, Refusal, RollbackCause},
    signing::{open_keyset, seal_keyset},
    telemetry::PollOutcome,
};

/// A published value: its bytes as this build writes them, and whether other bytes decode to it.
pub struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
    /// `Err` tells what the bytes gave instead.
    pub decode: Box<dyn Fn(&[u8]) -> Result<(), String>>,
}

pub fn entries() -> Vec<Entry> {
    let mut all = vec![
        raw("birth", values::birth()),
        raw("telemetry", values::telemetry()),
        raw("gap", values::gap()),
        raw("grant", values::grant()),
        raw("command", values::command()),
        raw("confirm", values::confirm()),
        raw("cancel", values::cancel()),
        raw("facts", values::facts()),
        raw("device-state", values::device_state()),
        raw("keyset", values::keyset()),
        signed_keyset(),
    ];
    all.extend(messages().into_iter().map(sealed));
    all.extend(phases().into_iter().map(|phase| {
        let receipt = Receipt { phase, ..values::receipt() };
        raw(&format!("receipt-{}", kebab(&phase)), receipt)
    }));
    all.extend(poll_outcomes().into_iter().map(|outcome| raw(&format!("poll-outcome-{}", kebab(&outcome)), outcome)));
    all.extend(modes().into_iter().map(|mode| raw(&format!("mode-{}", kebab(&mode)), mode)));
    all.extend(pending_phases().into_iter().map(|phase| raw(&format!("pending-phase-{}", kebab(&phase)), phase)));
    all.extend(switches().into_iter().map(|switch| raw(&format!("switch-{}", kebab(&switch)), switch)));
    all.extend(duplexes().into_iter().map(|duplex| raw(&format!("duplex-{}", kebab(&duplex)), duplex)));
    all.extend(named("shaper", &["queue", "class", "root"], shapers()));
    all.extend(named("meter", &["interface", "shaper"], meters()));
    all
}

macro_rules! every {
    ($name:ident -> $type:ty { $($pattern:pat => $values:expr),+ $(,)? }) => {
        pub fn $name() -> Vec<$type> {
            // Never called: it only has to compile, which it does not while a variant is missing.
            let _exhaustive: fn(&$type) = |value| match value { $($pattern => {}),+ };
            let mut all: Vec<$type> = Vec::new();
            $(all.extend($values);)+
            all
        }
    };
}

every!(kinds -> Kind {
    Kind::Birth => [Kind::Birth],
    Kind::Telemetry => [Kind::Telemetry],
    Kind::Gap => [Kind::Gap],
    Kind::Grant => [Kind::Grant],
    Kind::Command => [Kind::Command],
    Kind::Confirm => [Kind::Confirm],
    Kind::Cancel => [Kind::Cancel],
    Kind::Receipt => [Kind::Receipt],
    Kind::Facts => [Kind::Facts],
});

every!(messages -> Message {
    Message::Birth(_) => [Message::Birth(values::birth())],
    Message::Telemetry(_) => [Message::Telemetry(values::telemetry())],
    Message::Gap(_) => [Message::Gap(values::gap())],
    Message::Grant(_) => [Message::Grant(values::grant())],
    Message::Command(_) => [Message::Command(values::command())],
    Message::Confirm(_) => [Message::Confirm(values::confirm())],
    Message::Cancel(_) => [Message::Cancel(values::cancel())],
    Message::Receipt(_) => [Message::Receipt(values::receipt())],
    Message::Facts(_) => [Message::Facts(values::facts())],
});

every!(phases -> Phase {
    Phase::Refused(_) => refusals().into_iter().map(Phase::Refused),
    Phase::Applied => [Phase::Applied],
    Phase::Confirmed => [Phase::Confirmed],
    Phase::RolledBack(_) => rollback_causes().into_iter().map(Phase::RolledBack),
    Phase::Cancelled => [Phase::Cancelled],
});

every!(refusals -> Refusal {
    Refusal::Observing => [Refusal::Observing],
    Refusal::NoGrant => [Refusal::NoGrant],
    Refusal::KeysetTooOld => [Refusal::KeysetTooOld],
    Refusal::Expired => [Refusal::Expired],
    Refusal::UnexpectedQueues => [Refusal::UnexpectedQueues],
    Refusal::ShaperNotAllowed => [Refusal::ShaperNotAllowed],
    Refusal::BelowFloor => [Refusal::BelowFloor],
    Refusal::AboveCeiling => [Refusal::AboveCeiling],
    Refusal::BadCir => [Refusal::BadCir],
    Refusal::TooManyChanges => [Refusal::TooManyChanges],
    Refusal::Busy => [Refusal::Busy],
    Refusal::QueuesUnreadable => [Refusal::QueuesUnreadable],
    Refusal::Malformed => [Refusal::Malformed],
    Refusal::SerialAhead => [Refusal::SerialAhead],
    Refusal::Ineffective => [Refusal::Ineffective],
});

every!(rollback_causes -> RollbackCause {
    RollbackCause::NotConfirmed => [RollbackCause::NotConfirmed],
    RollbackCause::ApplyFailed => [RollbackCause::ApplyFailed],
    RollbackCause::ReadBackDiffers => [RollbackCause::ReadBackDiffers],
    RollbackCause::Restarted => [RollbackCause::Restarted],
    RollbackCause::KeyDropped => [RollbackCause::KeyDropped],
    RollbackCause::Cancelled => [RollbackCause::Cancelled],
    RollbackCause::Ineffective => [RollbackCause::Ineffective],
});

every!(poll_outcomes -> PollOutcome {
    PollOutcome::Ok => [PollOutcome::Ok],
    PollOutcome::Timeout => [PollOutcome::Timeout],
    PollOutcome::Authentication => [PollOutcome::Authentication],
    PollOutcome::Partial => [PollOutcome::Partial],
    PollOutcome::Unreachable => [PollOutcome::Unreachable],
    PollOutcome::Garbage => [PollOutcome::Garbage],
    PollOutcome::QueuesUnreadable => [PollOutcome::QueuesUnreadable],
});

every!(modes -> Mode {
    Mode::Observe => [Mode::Observe],
    Mode::Live => [Mode::Live],
});

every!(pending_phases -> PendingPhase {
    PendingPhase::Accepted => [PendingPhase::Accepted],
    PendingPhase::Applied => [PendingPhase::Applied],
    PendingPhase::Confirming => [PendingPhase::Confirming],
    PendingPhase::Reverting => [PendingPhase::Reverting],
});

every!(switches -> Switch {
    Switch::Up => [Switch::Up],
    Switch::Down => [Switch::Down],
    Switch::Other => [Switch::Other],
    Switch::Unknown => [Switch::Unknown],
});

every!(duplexes -> Duplex {
    Duplex::Unknown => [Duplex::Unknown],
    Duplex::Half => [Duplex::Half],
    Duplex::Full => [Duplex::Full],
});

every!(shapers -> Shaper {
    Shaper::Queue(_) => [values::queue()],
    Shaper::Class { .. } => [values::class()],
    Shaper::Root(_) => [values::root()],
});

every!(meters -> Meter {
    Meter::Interface(_) => [Meter::Interface(values::text("ether2"))],
    Meter::Shaper { .. } => [values::shaper_meter()],
});

fn raw<T>(name: &str, value: T) -> Entry
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static,
{
    let bytes = postcard::to_allocvec(&value).unwrap();
    let decode = move |bytes: &[u8]| match postcard::take_from_bytes::<T>(bytes) {
        Ok((got, [])) if got == value => Ok(()),
        other => Err(format!("{other:?} instead of {value:?}")),
    };
    Entry { name: name.into(), bytes, decode: Box::new(decode) }
}

fn sealed(message: Message) -> Entry {
    let bytes = seal(&message, values::route(), &values::key()).unwrap();
    let name = format!("envelope-{}", kebab(&message.kind()));
    let public = values::key().verifying_key().to_bytes();
    let decode = move |bytes: &[u8]| match open(bytes, values::route(), |_, _| Some(public)) {
        Ok(opened) if opened.message == message => Ok(()),
        other => Err(format!("{other:?} instead of {message:?}")),
    };
    Entry { name, bytes, decode: Box::new(decode) }
}

fn signed_keyset() -> Entry {
    let [first, second] = values::roots();
    let network = values::route().network;
    let bytes = seal_keyset(&values::keyset(), network, &[&first, &second]).unwrap();
    let decode = move |bytes: &[u8]| match open_keyset(bytes, network, &values::root_of_trust(), 0) {
        Ok(keyset) if keyset == values::keyset() => Ok(()),
        other => Err(format!("{other:?}")),
    };
    Entry { name: "signed-keyset".into(), bytes, decode: Box::new(decode) }
}

fn named<T>(prefix: &str, names: &[&str], values: Vec<T>) -> Vec<Entry>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static,
{
    assert_eq!(names.len(), values.len(), "a {prefix} has no name");
    names.iter().zip(values).map(|(name, value)| raw(&format!("{prefix}-{name}"), value)).collect()
}

/// `Refused(NoGrant)` becomes `refused-no-grant`.
fn kebab(value: &dyn std::fmt::Debug) -> String {
    let mut name = String::new();
    for c in format!("{value:?}").chars().filter(|c| c.is_ascii_alphanumeric()) {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
