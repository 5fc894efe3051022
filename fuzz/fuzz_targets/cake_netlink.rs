//! A CAKE that was read and whose rate is set to what it is: what is sent reads back as the same rate of the same root,
//! with the size table that could be read.
#![no_main]

#[path = "../rooms/cake.rs"]
mod cake;

use libfuzzer_sys::fuzz_target;
use takar_agent::queue; // where qdisc.rs looks for it

use cake::qdisc::{Qdisc, Root, SizeTable};
use queue::netlink::message::messages;

fuzz_target!(|data: &[u8]| {
    for message in messages(data).flatten() {
        a_cake_is_sent_as_read(message.payload);
    }
    a_cake_is_sent_as_read(data);
});

fn a_cake_is_sent_as_read(payload: &[u8]) {
    let Ok(Some(Root { if_index, qdisc: Qdisc::Cake(cake) })) = Root::parse(payload) else { return };
    let sent = cake.change(cake.rate, 7);
    let message = messages(&sent).next().expect("one message").expect("a sound one");
    let read = Root::parse(message.payload).expect("our own root").expect("a root");
    let Qdisc::Cake(again) = read.qdisc else { panic!("our own cake") };
    assert_eq!((read.if_index, again.handle, again.rate), (if_index, cake.handle, cake.rate));
    if cake.size_table != SizeTable::Hidden {
        assert_eq!(again.size_table, cake.size_table);
    }
}
