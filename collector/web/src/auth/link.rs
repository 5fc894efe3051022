//! The link by which a provider answers one request: whoever has it may answer, once, until it expires. That it was
//! used is the case's to know.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use takar_shared::UnixMillis;

use super::ServerKey;

const PURPOSE: &str = "takar provider link";
const VERSION: u8 = 1;

/// What a link says, signed by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderToken {
    pub case: u64,
    /// The first half of SHA-256 of the request's number: a link of an earlier request opens no later one.
    pub request: [u8; 16],
    pub expires_at: UnixMillis,
    /// Random: no two links are alike.
    pub nonce: [u8; 16],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Ours, but too late.
    #[error("the link expired; expected a newer one")]
    Expired,
    /// Nobody signed it, or somebody changed it.
    #[error("the link is not Takar's; expected one as it was sent")]
    Forged,
    /// Cut short on its way, most likely.
    #[error("the link is not whole; expected all of it, as it was sent")]
    Malformed,
}

impl ProviderToken {
    pub fn new(case: u64, request: &str, expires_at: UnixMillis, nonce: [u8; 16]) -> Self {
        Self { case, request: hash(request), expires_at, nonce }
    }

    /// For the request of that number.
    pub fn is_for(&self, request: &str) -> bool {
        self.request == hash(request)
    }

    /// Text that a URL takes as it is.
    pub fn issue(&self, key: &ServerKey) -> String {
        let case = self.case.to_be_bytes();
        let expires_at = self.expires_at.0.to_be_bytes();
        let mut bytes = [&[VERSION][..], &case, &self.request, &expires_at, &self.nonce].concat();
        let signature = key.sign(PURPOSE, &bytes);
        bytes.extend_from_slice(&signature);
        BASE64URL_NOPAD.encode(&bytes)
    }

    pub fn open(key: &ServerKey, text: &str, now: UnixMillis) -> Result<Self, LinkError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| LinkError::Malformed)?;
        let (body, signature) = bytes.split_last_chunk::<32>().ok_or(LinkError::Malformed)?;
        let token = read(body).ok_or(LinkError::Malformed)?;
        if !key.signed(PURPOSE, body, signature) {
            return Err(LinkError::Forged);
        }
        if now >= token.expires_at { Err(LinkError::Expired) } else { Ok(token) }
    }
}

fn hash(request: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(request).into();
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(digest) {
        *to = from;
    }
    half
}

fn read(body: &[u8]) -> Option<ProviderToken> {
    let (&[VERSION], rest) = body.split_first_chunk::<1>()? else { return None };
    let (&case, rest) = rest.split_first_chunk::<8>()?;
    let (&request, rest) = rest.split_first_chunk::<16>()?;
    let (&expires_at, rest) = rest.split_first_chunk::<8>()?;
    let (&nonce, rest) = rest.split_first_chunk::<16>()?;
    let (case, expires_at) = (u64::from_be_bytes(case), UnixMillis(u64::from_be_bytes(expires_at)));
    rest.is_empty().then_some(ProviderToken { case, request, expires_at, nonce })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Version, case, request, expiry, nonce, signature.
    const LENGTH: usize = 1 + 8 + 16 + 8 + 16 + 32;

    fn key() -> ServerKey {
        ServerKey::new([5; 32])
    }

    prop_compose! {
        fn tokens()(case: u64, request: [u8; 16], expires_at: u64, nonce: [u8; 16]) -> ProviderToken {
            ProviderToken { case, request, expires_at: UnixMillis(expires_at), nonce }
        }
    }

    #[test]
    fn a_link_is_for_one_request() {
        let token = ProviderToken::new(12, "REQ-7/2026", UnixMillis(9), [1; 16]);
        assert!(token.is_for("REQ-7/2026") && !token.is_for("REQ-8/2026"));
    }

    proptest! {
        #[test]
        fn it_opens_until_it_expires(token in tokens(), now: u64) {
            let text = token.issue(&key());
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            let late = now >= token.expires_at.0;
            let expected = if late { Err(LinkError::Expired) } else { Ok(token) };
            prop_assert_eq!(ProviderToken::open(&key(), &text, UnixMillis(now)), expected);
        }

        #[test]
        fn another_server_did_not_sign_it(token in tokens()) {
            let text = token.issue(&ServerKey::new([6; 32]));
            prop_assert_eq!(ProviderToken::open(&key(), &text, UnixMillis(0)), Err(LinkError::Forged));
        }

        #[test]
        fn no_bit_of_it_may_be_another(token in tokens(), bit in 0..8 * LENGTH) {
            let mut bytes = BASE64URL_NOPAD.decode(token.issue(&key()).as_bytes()).unwrap();
            prop_assert_eq!(bytes.len(), LENGTH);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let expected = if bit < 8 { LinkError::Malformed } else { LinkError::Forged };
            let opened = ProviderToken::open(&key(), &BASE64URL_NOPAD.encode(&bytes), UnixMillis(0));
            prop_assert_eq!(opened, Err(expected));
        }

        #[test]
        fn no_character_of_it_may_be_another(token in tokens(), at in 0usize..108, other in "[A-Za-z0-9_=-]") {
            let text = token.issue(&key());
            prop_assert_eq!(text.len(), 108);
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            prop_assume!(changed != text);
            let opened = ProviderToken::open(&key(), &changed, UnixMillis(0));
            prop_assert!(matches!(opened, Err(LinkError::Forged | LinkError::Malformed)), "{opened:?}");
        }

        #[test]
        fn what_is_cut_short_is_told(token in tokens(), length in 0usize..108) {
            let text = token.issue(&key());
            let opened = ProviderToken::open(&key(), &text[..length], UnixMillis(0));
            prop_assert_eq!(opened, Err(LinkError::Malformed));
        }

        #[test]
        fn any_text_may_come(text in ".{0,120}|[A-Za-z0-9_-]{108}", now: u64) {
            let opened = ProviderToken::open(&key(), &text, UnixMillis(now));
            prop_assert!(matches!(opened, Err(LinkError::Forged | LinkError::Malformed)), "{opened:?}");
        }
    }
}
