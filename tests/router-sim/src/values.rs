//! Forms of values that more than one menu reads.

/// `yes`/`no` as people write it, `true`/`false` as the router prints it.
pub fn read_bool(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// What a queue of either menu has unless told otherwise (terraform-provider-routeros, resource_queue_*.go).
pub const DEFAULT_QUEUE: &str = "default-small";

/// A name of `/queue type print` on a new router.
pub fn read_kind(text: &str) -> Option<String> {
    KINDS.contains(&text).then(|| text.to_owned())
}

pub fn read_priority(text: &str) -> Option<u8> {
    text.parse().ok().filter(|priority| (1..=8).contains(priority))
}

/// `8s` or `8`.
pub fn read_seconds(text: &str) -> Option<u32> {
    text.strip_suffix('s').unwrap_or(text).parse().ok()
}

/// bucket-size: how many seconds at max-limit the token bucket holds, 0 to 10 (MikroTik manual, "HTB, token bucket").
/// It is kept as it was written.
pub fn read_bucket(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse::<f64>().ok().filter(|seconds| plain && (0.0..=10.0).contains(seconds)).map(|_| text.to_owned())
}

pub const DEFAULT_BUCKET: &str = "0.1";

const KINDS: [&str; 8] = [
    "default",
    "ethernet-default",
    "wireless-default",
    "synchronous-default",
    "hotspot-default",
    "pcq-upload-default",
    "pcq-download-default",
    DEFAULT_QUEUE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_seconds_up_to_ten() {
        for text in ["0", "0.1", "10", "2.5"] {
            assert_eq!(read_bucket(text).as_deref(), Some(text));
        }
        for text in ["", "11", "-1", "1e1", "nan", "."] {
            assert_eq!(read_bucket(text), None, "{text}");
        }
    }
}
