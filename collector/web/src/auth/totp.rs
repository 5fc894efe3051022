//! One-time codes (RFC 6238) as every authenticator app has them: SHA-1, six digits, thirty seconds.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use takar_shared::UnixMillis;
use totp_rs::{Builder, Secret, Totp};

const ISSUER: &str = "Takar";

/// What the app and Takar both know: 20 random bytes, stored as base32.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seed([u8; 20]);

/// Text that is no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 characters of base32, A-Z 2-7")]
pub struct NoSeed;

impl Seed {
    pub fn new(random: [u8; 20]) -> Self {
        Self(random)
    }

    /// In base32, for people whose app cannot see the QR code.
    pub fn text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// What the QR code says. An account's name has no character that a URL would have to escape.
    pub fn url(&self, account: &str) -> String {
        let secret = self.text();
        format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30")
    }

    /// The step of a code that is right: of now, or of the one before or after, since clocks differ. Not of a step up
    /// to `last`, so that a code that was seen over a shoulder is worth nothing. Spaces in it are passed over.
    ///
    /// Where the clock was set back, no code is right until it is past `last` again, or the seed is another.
    pub fn check(&self, code: &str, now: UnixMillis, last: u64) -> Option<u64> {
        // Whatever somebody may have pasted there.
        let code: String = code.chars().filter(|c| !c.is_whitespace()).take(16).collect();
        self.totp().check(&code, now.0 / 1000).filter(|step| *step > last)
    }

    fn totp(&self) -> Totp {
        // Compliant all the same: the builder's own values are those of the RFC, and the seed is long enough.
        Builder::new().with_secret(Secret::new_stack(self.0)).build_noncompliant()
    }
}

impl TryFrom<String> for Seed {
    type Error = NoSeed;
    fn try_from(text: String) -> Result<Self, NoSeed> {
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| NoSeed)?;
        bytes.try_into().map(Self).map_err(|_| NoSeed)
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> Self {
        seed.text()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The seed of RFC 6238, appendix B; its codes there have two digits more in front.
    const RFC: Seed = Seed(*b"12345678901234567890");

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(seconds * 1000)
    }

    fn code(seed: &Seed, seconds: u64) -> String {
        seed.totp().generate(seconds).to_string()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, expected) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(RFC.check(expected, at(seconds), 0), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_early_or_late_and_once() {
        let (step, now) = (40_000_000, at(40_000_000 * 30));
        for near in step - 1..=step + 1 {
            let code = code(&RFC, near * 30);
            assert_eq!(RFC.check(&code, now, 0), Some(near));
            assert_eq!(RFC.check(&code, now, near), None, "used");
        }
        for far in [step - 2, step + 2] {
            assert_eq!(RFC.check(&code(&RFC, far * 30), now, 0), None);
        }
    }

    #[test]
    fn the_url_is_what_apps_read() {
        let url = RFC.url("siti");
        assert_eq!(
            url,
            "otpauth://totp/Takar:siti?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Takar&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn what_is_no_seed_is_told() {
        let text = RFC.text();
        for wrong in ["", "GEZDGNBV", &text.to_lowercase(), &format!("{text}A"), &text.replace('Z', "1")] {
            assert_eq!(Seed::try_from(wrong.to_owned()), Err(NoSeed), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_seed_reads_back_and_does_not_show(bytes: [u8; 20]) {
            let seed = Seed::new(bytes);
            prop_assert_eq!(Seed::try_from(seed.text()), Ok(seed));
            let shown = format!("{seed:?}");
            prop_assert!(!shown.contains(&seed.text()));
        }

        #[test]
        fn any_code_and_time_may_come(bytes: [u8; 20], code in "[0-9 +]{0,9}|.{0,30}", now: u64, last: u64) {
            if let Some(step) = Seed::new(bytes).check(&code, UnixMillis(now), last) {
                prop_assert!(step > last && step.abs_diff(now / 30_000) <= 1);
            }
        }

        #[test]
        fn spaces_do_not_matter(bytes: [u8; 20], seconds in 100u64..10_000_000_000) {
            let seed = Seed::new(bytes);
            let code = code(&seed, seconds);
            let (head, tail) = code.split_at(3);
            let spaced = format!(" {head} {tail}");
            prop_assert!(seed.check(&spaced, at(seconds), 0).is_some());
        }
    }
}
