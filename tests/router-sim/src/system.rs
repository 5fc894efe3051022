//! What the router tells of itself: its interfaces and its resources.

use crate::{ports::Port, row::Fields, version::RosVersion};

/// `/interface print`.
pub fn interfaces(ports: &[Port]) -> Vec<Fields> {
    let zero = || "0".to_owned();
    let fields = ports.iter().map(|port| {
        let [a, b, c, d, e, f] = port.mac;
        vec![
            (".id", format!("*{:X}", port.index)),
            ("name", port.name.to_owned()),
            ("default-name", port.name.to_owned()),
            ("type", port.kind.to_owned()),
            ("mtu", "1500".to_owned()),
            ("actual-mtu", "1500".to_owned()),
            ("mac-address", format!("{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}")),
            ("link-downs", zero()),
            ("rx-byte", port.received.bytes().to_string()),
            ("tx-byte", port.sent.bytes().to_string()),
            ("rx-packet", port.received.0.to_string()),
            ("tx-packet", port.sent.0.to_string()),
            ("rx-drop", zero()),
            ("tx-drop", zero()),
            ("tx-queue-drop", port.out_dropped.0.to_string()),
            ("rx-error", zero()),
            ("tx-error", zero()),
            ("running", "true".to_owned()),
            ("disabled", "false".to_owned()),
        ]
    });
    fields.collect()
}

/// `/system resource print`, of a router in a virtual machine.
pub fn resource(version: RosVersion, uptime_ms: u64) -> Fields {
    vec![
        ("uptime", uptime(uptime_ms / 1000)),
        ("version", format!("{version} (stable)")),
        ("free-memory", "201326592".to_owned()),
        ("total-memory", "268435456".to_owned()),
        ("cpu", "QEMU".to_owned()),
        ("cpu-count", "1".to_owned()),
        ("cpu-frequency", "2400".to_owned()),
        ("cpu-load", "2".to_owned()),
        ("free-hdd-space", "67108864".to_owned()),
        ("total-hdd-space", "134217728".to_owned()),
        ("architecture-name", "x86_64".to_owned()),
        ("board-name", "CHR".to_owned()),
        ("platform", "MikroTik".to_owned()),
    ]
}

/// As the router writes time: `1w4d23h26m9s`, without the units that are zero.
fn uptime(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_leaves_out_what_is_zero() {
        assert_eq!(uptime(0), "0s");
        assert_eq!(uptime(61), "1m1s");
        assert_eq!(uptime(604_800 + 4 * 86_400 + 23 * 3_600 + 26 * 60 + 9), "1w4d23h26m9s");
    }
}
