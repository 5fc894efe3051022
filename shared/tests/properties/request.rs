//! The enrolment request: its signature covers all of it but itself.

use proptest::{collection::vec, prelude::*};
use takar_shared::{
    AgentId, BitsPerSec, Digest, Direction,
    birth::Bound,
    bundle::{Request, RequestedDevice, request_preimage},
    id,
    queue::Shaper,
};

use crate::{arbitrary, config, v01::values::key};

proptest! {
    #![proptest_config(config())]

    /// Texts are short and of two letters, so that one that ends where another begins would be found.
    #[test]
    fn requests_that_differ_are_signed_differently(one in request(), other in request()) {
        let changed = [
            Request { takar_request: other.takar_request, ..one.clone() },
            Request { name: other.name.clone(), ..one.clone() },
            Request { name: other.name.clone(), public_key: other.public_key.clone(), ..one.clone() },
            Request { public_key: other.public_key.clone(), fingerprint: other.fingerprint.clone(), ..one.clone() },
            Request { fingerprint: other.fingerprint.clone(), ..one.clone() },
            Request { devices: other.devices.clone(), ..one.clone() },
            Request { signature: other.signature.clone(), ..one.clone() },
            other,
        ];
        for changed in changed {
            let same = Request { signature: one.signature.clone(), ..changed.clone() } == one;
            prop_assert_eq!(request_preimage(&changed) == request_preimage(&one), same, "{:?} and {:?}", changed, one);
        }
    }

    #[test]
    fn a_device_is_signed_in_all_its_parts(one in device(), other in device(), bound in arbitrary::bound()) {
        let more = [one.bounds.clone(), vec![bound]].concat();
        let changed = [
            RequestedDevice { device: other.device, ..one.clone() },
            RequestedDevice { changes_per_hour: other.changes_per_hour, ..one.clone() },
            RequestedDevice { bounds: other.bounds, ..one.clone() },
            RequestedDevice { bounds: more, ..one.clone() },
        ];
        let signed = |device: &RequestedDevice| request_preimage(&asking_for(vec![device.clone()]));
        for changed in changed {
            prop_assert_eq!(signed(&changed) == signed(&one), changed == one, "{:?} and {:?}", changed, one);
        }
    }
}

/// The worked example of docs/wire.md, put together by hand.
#[test]
fn request_preimage_of_the_specification() {
    let public = key().verifying_key().to_bytes();
    let shaper = Shaper::Queue(id::name("sd-02").unwrap());
    let (floor, ceiling) = (BitsPerSec(1_000_000), BitsPerSec(20_000_000));
    let bounds = vec![Bound { shaper, direction: Direction::Down, floor, ceiling }];
    let request = Request {
        name: "core-1".into(),
        public_key: Digest(public).to_string(),
        fingerprint: AgentId::of_key(&public).to_string(),
        ..asking_for(vec![RequestedDevice { device: "core-1".into(), changes_per_hour: 12, bounds }])
    };
    let expected: &[&[u8]] = &[
        b"takar/1\0request\0",
        b"\x01",
        b"\x06core-1",
        b"\x40ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
        b"\x20fe812c12f3ab4ce6ac5db69ac352f906",
        b"\x01",
        b"\x06core-1\x0c",
        b"\x01",
        b"\x00\x05sd-02\x00\xc0\x84\x3d\x80\xda\xc4\x09",
    ];
    let signed = request_preimage(&request);
    assert_eq!(signed, expected.concat());
    let digest = "b67b766a7f70ad412d0935d60582427af59694fe62916750ca9290963a3286b5";
    assert_eq!(Digest::of(&signed).to_string(), digest);
}

fn request() -> impl Strategy<Value = Request> {
    let text = || "[ab]{0,3}";
    (0..3_u32, text(), text(), text(), vec(device(), 0..3), text()).prop_map(
        |(takar_request, name, public_key, fingerprint, devices, signature)| Request {
            takar_request,
            name,
            public_key,
            fingerprint,
            devices,
            signature,
        },
    )
}

fn device() -> impl Strategy<Value = RequestedDevice> {
    ("[ab]{0,3}", 0..3_u16, vec(arbitrary::bound(), 0..3))
        .prop_map(|(device, changes_per_hour, bounds)| RequestedDevice { device, changes_per_hour, bounds })
}

fn asking_for(devices: Vec<RequestedDevice>) -> Request {
    let empty = String::new;
    let (name, public_key, fingerprint, signature) = (empty(), empty(), empty(), empty());
    Request { takar_request: 1, name, public_key, fingerprint, devices, signature }
}
