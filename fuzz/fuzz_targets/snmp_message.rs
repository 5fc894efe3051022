//! SNMP datagrams, as anybody who can reach the agent's port may send them: v2c replies and v3 messages.
#![no_main]

#[path = "../rooms/snmp.rs"]
mod snmp;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

thread_local! {
    static DEVICE: RefCell<snmp::Device> = RefCell::new(snmp::Device::new());
}

fuzz_target!(|data: &[u8]| {
    snmp::v2c(data);
    DEVICE.with_borrow_mut(|device| snmp::v3(data, device));
});
