//! Netlink: messages and attributes lie in the datagram one after the other, attributes are written as they were
//! read, and a class that was read and sent back is the same class.
#![no_main]

#[path = "../rooms/htb.rs"]
mod htb;

use libfuzzer_sys::fuzz_target;
use takar_agent::queue; // where class.rs looks for it

use htb::{
    bucket::TimerHz,
    class::HtbClass,
    message::{attribute, attributes, fuzz_parse, messages},
};

const HEADER: usize = 16;

fuzz_target!(|data: &[u8]| {
    fuzz_parse(data);
    let (mut end, mut ended) = (0, false);
    for found in messages(data) {
        assert!(!ended, "nothing follows a malformed message");
        let Ok(message) = found.map_err(|malformed| malformed.to_string()) else {
            ended = true;
            continue;
        };
        let begin = message.payload.as_ptr() as usize - data.as_ptr() as usize;
        assert!(begin >= end + HEADER, "messages do not overlap");
        end = begin + message.payload.len();
        assert!(end <= data.len());
        attributes_are_written_as_read(message.payload);
        a_class_is_sent_as_read(message.payload);
    }
    attributes_are_written_as_read(data);
    a_class_is_sent_as_read(data);
});

fn attributes_are_written_as_read(bytes: &[u8]) {
    let found: Vec<_> = attributes(bytes).map_while(Result::ok).collect();
    let written: Vec<u8> = found.iter().flat_map(|(kind, payload)| attribute(*kind, payload)).collect();
    assert!(written.len() <= bytes.len() + 3, "padding at the end may be missing, and nothing else");
    assert_eq!(attributes(&written).collect::<Result<Vec<_>, _>>(), Ok(found));
}

fn a_class_is_sent_as_read(payload: &[u8]) {
    let Ok(Some(class)) = HtbClass::parse(payload) else { return };
    let sent = class.change(7);
    let message = messages(&sent).next().expect("one message").expect("a sound one");
    let read = HtbClass::parse(message.payload).expect("our own class").expect("an htb class");
    assert_eq!((read.if_index, read.classid), (class.if_index, class.classid));
    assert_eq!((read.rate.rate, read.ceil.rate), (class.rate.rate, class.ceil.rate));
    assert_eq!((read.buffer, read.cbuffer), (class.buffer, class.cbuffer));
    // The rest of it, private as it is: only an unknown link layer is replaced, and that once.
    assert_eq!(read.change(7), sent);

    assert_eq!(class.with_rates(class.rate.rate, class.ceil.rate, TimerHz::SLOWEST), class);
    let swapped = class.with_rates(class.ceil.rate, class.rate.rate, TimerHz::SLOWEST);
    assert_eq!((swapped.rate.rate, swapped.ceil.rate), (class.ceil.rate, class.rate.rate));
}
