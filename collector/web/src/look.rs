//! The states of the pages: each has a shape, a tone and a word. What is not known here has the shape of the unmeasured.

use crate::bar::Look;

/// Class and icon of a link's state, as `GET /v1/links` and `GET /v1/check` tell it.
pub(crate) fn of_link(state: &str) -> (&'static str, &'static str) {
    match state {
        "shortage" | "starved" => ("bad", "i-short"),
        "idle" => ("slack", "i-slack"),
        "fits" => ("", "i-fit"),
        "drifted" | "need-without-allocation" | "allocation-without-need" => ("warn", "i-drift"),
        "over-promised" => ("warn", "i-over"),
        "changing" => ("", "i-move"),
        "down" => ("bad", "i-down"),
        _ => ("", "i-none"),
    }
}

/// Nothing that a person has to look at.
pub(crate) fn is_trouble(state: &str) -> bool {
    !matches!(state, "fits" | "idle" | "changing")
}

pub(crate) fn bar_of(state: &str) -> Look {
    match state {
        "shortage" | "starved" => Look::Short,
        "not-measured" | "not-reported" | "down" => Look::Off,
        _ => Look::Plain,
    }
}

/// Of a check of step 2: passed, failed, unknown.
pub(crate) fn of_check(outcome: &str) -> (&'static str, &'static str) {
    match outcome {
        "passed" => ("ok", "i-fit"),
        "failed" => ("bad", "i-late"),
        _ => ("muted", "i-none"),
    }
}

/// Of a change or a proposal.
pub(crate) fn of_change(state: &str) -> (&'static str, &'static str) {
    match state {
        "confirmed" | "done" | "approved" => ("ok", "i-fit"),
        "rolled-back" | "refused" | "expired" | "failed" => ("bad", "i-late"),
        "partial" | "superseded" | "cancelled" | "withdrawn" => ("warn", "i-drift"),
        "declined" => ("", "i-down"),
        "applied" => ("", "i-device"),
        "dispatched" => ("", "i-send"),
        _ => ("", "i-clock"),
    }
}

/// What a case waits for, as an icon.
pub(crate) fn of_wait(waits_for: &str) -> &'static str {
    match waits_for {
        "verify" => "i-short",
        "provider" => "i-send",
        "approve" | "grant" => "i-move",
        "choose" => "i-eyes",
        "receive" => "i-inbox",
        _ => "i-clock",
    }
}
