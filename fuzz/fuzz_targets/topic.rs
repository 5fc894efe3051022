//! Topics: what parses formats to itself, what formats parses to itself, and no text is both an `up` and a `down`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use takar_shared::{
    AgentId,
    topic::{Down, Up, down, parse_down, parse_up, up},
};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        let (as_up, as_down) = (parse_up(text), parse_down(text));
        assert!(as_up.is_none() || as_down.is_none(), "{text:?} is both");
        let again = as_up.map(|(agent, what)| up(agent, what));
        let again = again.or(as_down.map(|(agent, what)| down(agent, what)));
        if let Some(again) = again {
            assert_eq!(again, text);
            assert!(!text.contains(['+', '#', '\0']), "{text:?} holds a wildcard");
        }
    }
    let Some(id) = data.first_chunk() else { return };
    let agent = AgentId(*id);
    for what in [Up::Birth, Up::Telemetry, Up::Receipt, Up::Facts, Up::State] {
        let text = up(agent, what);
        assert_eq!((parse_up(&text), parse_down(&text)), (Some((agent, what)), None));
    }
    for what in [Down::Grant, Down::Command, Down::Keyset] {
        let text = down(agent, what);
        assert_eq!((parse_down(&text), parse_up(&text)), (Some((agent, what)), None));
    }
});
