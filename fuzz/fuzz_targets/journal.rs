//! The journal as a disk gives it back: a prefix of it holds, that prefix is stable, can be appended to and folded
//! into a snapshot; or it is told as damaged. Never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use takar_agent_core::journal::{Recovered, frame, recover, snapshot};
use takar_agent_core::journal::Record;
use takar_shared::UnixMillis;

fuzz_target!(|data: &[u8]| {
    holds(data);
    // With good checksums, which no fuzzer guesses: `length u16 LE | entry`, one after the other.
    let journal: Vec<u8> = bodies(data).iter().flat_map(|body| framed(body)).collect();
    holds(&journal);
});

fn holds(journal: &[u8]) {
    let Ok(recovered) = recover(journal) else { return };
    assert_eq!(recovered.torn, recovered.good_bytes < journal.len());
    assert!(recovered.snapshot_bytes <= recovered.good_bytes);
    let good = &journal[..recovered.good_bytes];
    assert_eq!(recover(good), Ok(Recovered { torn: false, ..recovered.clone() }));
    let more = [Record::HighWater(UnixMillis(u64::MAX))];
    let appended = recover(&[good, &frame(&more).expect("small")].concat()).expect("whole");
    let mut expected = recovered.state.clone();
    expected.fold(&more[0]);
    assert_eq!((appended.torn, appended.state), (false, expected));
    // The next file begins with this. Numbers written longer than need be are shortened, so it fits.
    let next = snapshot(&recovered.state).expect("what was read fits");
    let again = recover(&next).expect("whole");
    assert_eq!((again.torn, again.snapshot_bytes, &again.state), (false, next.len(), &recovered.state));
}

fn bodies(mut data: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk() {
        let (body, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        bodies.push(body);
        data = rest;
    }
    bodies
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..], &crc32fast::hash(body).to_le_bytes(), body].concat()
}
