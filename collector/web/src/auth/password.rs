//! Passwords, kept as Argon2id hashes (RFC 9106) in the PHC string format.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use serde::{Deserialize, Serialize};

/// In characters. Length is what makes a guess hard; no kinds of characters are asked for (NIST SP 800-63B).
pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 256;

/// What a guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// OWASP's recommendation for Argon2id.
    pub const STANDARD: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    #[cfg(test)]
    pub const CHEAP: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    fn argon2(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// The hash of a password that was taken.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hashed(String);

/// Stored text that is no hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an Argon2id hash in the PHC string format")]
pub struct NoHash;

/// Takes a new password for an account: all that is wrong with it, or its hash. `salt` is random and used once.
pub fn new(account: &str, password: &str, salt: [u8; 16], cost: Cost) -> Result<Hashed, Vec<String>> {
    let problems = problems(account, password);
    if !problems.is_empty() {
        return Err(problems);
    }
    let hash: Option<PasswordHash> =
        cost.argon2().and_then(|argon2| argon2.hash_password_with_salt(password.as_bytes(), &salt).ok());
    match hash {
        Some(hash) => Ok(Hashed(hash.to_string())),
        None => Err(vec![format!("password: cannot be hashed with {cost:?}; expected a cost that Argon2 knows")]),
    }
}

/// Whether it is the password. Where there is none, of an unknown account say, it takes as long to find that out.
///
/// Takes tens of milliseconds and 19 MiB: not for a task that others wait for.
pub fn verify(password: &str, stored: Option<&Hashed>, cost: Cost) -> bool {
    let Some(argon2) = cost.argon2() else { return false };
    match stored.and_then(|hashed| PasswordHash::new(&hashed.0).ok()) {
        // By the cost in the hash; the two are compared in constant time.
        Some(hash) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
        None => {
            let salt = [0; 16];
            let burnt: Option<PasswordHash> = argon2.hash_password_with_salt(password.as_bytes(), &salt).ok();
            std::hint::black_box(burnt);
            false
        }
    }
}

fn problems(account: &str, password: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        problems.push(format!("password: has {length} characters; expected {SHORTEST} to {LONGEST}"));
    }
    if password.to_lowercase() == account.to_lowercase() {
        problems.push("password: is the account's name; expected something that nobody else knows".into());
    }
    problems
}

impl TryFrom<String> for Hashed {
    type Error = NoHash;
    fn try_from(text: String) -> Result<Self, NoHash> {
        let is_ours = PasswordHash::new(&text).is_ok_and(|hash| {
            hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && Params::try_from(&hash).is_ok()
        });
        if is_ours { Ok(Self(text)) } else { Err(NoHash) }
    }
}

impl From<Hashed> for String {
    fn from(hashed: Hashed) -> Self {
        hashed.0
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standard_cost_is_what_the_hash_says() {
        let hashed = new("siti", "kuda laut di Selat Sunda", [7; 16], Cost::STANDARD).unwrap();
        assert!(hashed.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hashed.0);
        assert!(verify("kuda laut di Selat Sunda", Some(&hashed), Cost::CHEAP), "by its own cost");
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let problems = new("Siti", "siti", [7; 16], Cost::CHEAP).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(problems[0], "password: has 4 characters; expected 12 to 256");
        assert!(new("siti.rahma.dewi", "Siti.Rahma.Dewi", [7; 16], Cost::CHEAP).is_err());
        assert!(new("siti", &"é".repeat(257), [7; 16], Cost::CHEAP).is_err());
        assert!(new("siti", &"é".repeat(256), [7; 16], Cost::CHEAP).is_ok());
    }

    #[test]
    fn a_cost_that_is_none_is_told() {
        let none = Cost { memory_kib: 0, ..Cost::STANDARD };
        assert_eq!(new("siti", "kuda laut di Selat Sunda", [7; 16], none).unwrap_err().len(), 1);
    }

    #[test]
    fn what_is_stored_must_be_a_hash() {
        let hashed = new("siti", "kuda laut di Selat Sunda", [7; 16], Cost::CHEAP).unwrap();
        let text = String::from(hashed.clone());
        assert_eq!(Hashed::try_from(text.clone()), Ok(hashed));
        let cut = text.rsplit_once('$').map(|(head, _)| head.to_owned()).unwrap();
        for wrong in ["", "kuda laut di Selat Sunda", "$argon2id$", cut.as_str(), &text.replace("argon2id", "scrypt")] {
            assert_eq!(Hashed::try_from(wrong.to_owned()), Err(NoHash), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn only_the_password_itself_is_right(password in ".{12,40}", other in ".{0,40}", salt: [u8; 16]) {
            let hashed = new("siti", &password, salt, Cost::CHEAP).unwrap();
            prop_assert!(verify(&password, Some(&hashed), Cost::CHEAP));
            prop_assert_eq!(verify(&other, Some(&hashed), Cost::CHEAP), other == password);
            prop_assert!(!verify(&password, None, Cost::CHEAP));
            let shown = format!("{hashed:?}");
            prop_assert!(!shown.contains("argon2id"));
        }

        #[test]
        fn the_same_password_has_another_hash_with_another_salt(a: [u8; 16], b: [u8; 16]) {
            let [one, two] = [a, b].map(|salt| new("siti", "kuda laut di Selat Sunda", salt, Cost::CHEAP).unwrap());
            prop_assert_eq!(one == two, a == b);
        }

        #[test]
        fn any_stored_text_may_come(text in "(\\$[a-z0-9=,+/]{0,12}){0,6}|.{0,40}") {
            let _ = Hashed::try_from(text);
        }
    }
}
