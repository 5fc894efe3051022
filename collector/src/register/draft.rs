//! A register drafted from what is there already: devices as enrolled agents report them, and as they were probed. Queues
//! are adopted as they are, a link for each pair. What could not be known, or looks odd, is marked for a person.

mod links;
mod name;
mod probe;
mod seen;
mod text;
mod uplink;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::view::ReportedView;

pub use probe::{Probe, read as read_probes};

/// Rows with `# doubtful:` above them are counted.
#[derive(Debug)]
pub struct Draft {
    pub text: String,
    pub links: usize,
    pub doubtful: usize,
}

/// `None` where no device was seen.
pub fn draft(reported: &[ReportedView], probes: &[Probe]) -> Option<Draft> {
    let devices = seen::devices(reported, probes);
    if devices.is_empty() {
        return None;
    }
    let mut taken = BTreeSet::new();
    let mut drafted = Vec::new();
    for device in devices {
        let interface = uplink::interface(&device);
        let speed = interface.and_then(uplink::speed);
        let mut links = links::of(&device, interface.map(|found| found.name.as_str()), speed);
        links::name(&mut links, &device.name, &mut taken);
        let uplink = uplink::of(&device, interface, &links);
        drafted.push((device, uplink, links));
    }
    Some(text::write(&drafted))
}
