//! A device that somebody logged in on before. It carries a cookie of that account, so that whoever hammers the account
//! from elsewhere is slowed down and its owner is not. It proves nothing else: the password is asked for all the same.

use data_encoding::BASE64URL_NOPAD;
use takar_shared::UnixMillis;

use super::ServerKey;

/// How long a device is known after a log-in: half a year.
pub const DEVICE_LIFETIME_MS: u64 = 180 * 86_400_000;

const PURPOSE: &str = "takar device 1";

/// Known to have logged in to the account that it was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    id: [u8; 16],
}

impl Device {
    /// The cookie's value, at a log-in that succeeded; `id` is random.
    pub fn issue(key: &ServerKey, account: &str, now: UnixMillis, id: [u8; 16]) -> String {
        let until = now.plus(DEVICE_LIFETIME_MS).0.to_be_bytes();
        let signature = key.sign(PURPOSE, &signed(&id, &until, account));
        BASE64URL_NOPAD.encode(&[&id[..], &until, &signature].concat())
    }

    /// `None` where the cookie is not ours, another account's, or too old.
    pub fn open(key: &ServerKey, account: &str, value: &str, now: UnixMillis) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
        let (&id, rest) = bytes.split_first_chunk::<16>()?;
        let (until, signature) = rest.split_first_chunk::<8>()?;
        let is_ours = key.signed(PURPOSE, &signed(&id, until, account), signature);
        (is_ours && now.0 < u64::from_be_bytes(*until)).then_some(Self { id })
    }
}

fn signed(id: &[u8; 16], until: &[u8; 8], account: &str) -> Vec<u8> {
    [&id[..], until, account.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_795_500_000_000);

    proptest! {
        #[test]
        fn it_is_known_for_its_account_and_its_time(id: [u8; 16], key: [u8; 32], later in 0..2 * DEVICE_LIFETIME_MS) {
            let key = ServerKey::new(key);
            let value = Device::issue(&key, "siti", NOW, id);
            let known = (later < DEVICE_LIFETIME_MS).then_some(Device { id });
            prop_assert_eq!(Device::open(&key, "siti", &value, NOW.plus(later)), known);
            prop_assert_eq!(Device::open(&key, "sit", &value, NOW), None);
            prop_assert_eq!(Device::open(&key, "budi", &value, NOW), None);
        }

        #[test]
        fn no_bit_of_it_may_be_another(id: [u8; 16], bit in 0usize..8 * 56) {
            let key = ServerKey::new([3; 32]);
            let mut bytes = BASE64URL_NOPAD.decode(Device::issue(&key, "siti", NOW, id).as_bytes()).unwrap();
            prop_assert_eq!(bytes.len(), 56);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Device::open(&key, "siti", &BASE64URL_NOPAD.encode(&bytes), NOW), None);
        }

        #[test]
        fn any_cookie_may_come(value in ".{0,90}|[A-Za-z0-9_-]{70,80}", now: u64) {
            prop_assert_eq!(Device::open(&ServerKey::new([3; 32]), "siti", &value, UnixMillis(now)), None);
        }
    }
}
