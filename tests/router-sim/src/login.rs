//! How a client says who it is: by the password itself since RouterOS 6.43, by a challenge and MD5 before (MikroTik API
//! manual, "Initial login").

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
};

use clap::ValueEnum;
use md5::{Digest as _, Md5};

use crate::{
    account::{Account, Policies},
    refusal::Refusal,
    version::RosVersion,
    words::Sentence,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LoginStyle {
    /// Whatever comes first is answered by a challenge.
    Old,
    /// The password itself, in one sentence.
    New,
}

impl LoginStyle {
    pub fn of(version: RosVersion) -> Self {
        if version < RosVersion::V6_43 { Self::Old } else { Self::New }
    }
}

/// Sixteen bytes that no other connection gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge([u8; 16]);

impl Challenge {
    /// The standard library's hashers begin at random.
    pub fn draw() -> Self {
        let half = || RandomState::new().build_hasher().finish();
        Self((u128::from(half()) << 64 | u128::from(half())).to_be_bytes())
    }

    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// What a client must answer: `00` and the MD5 of a zero byte, the password and the challenge.
    pub fn response(&self, password: &[u8]) -> String {
        let digest = Md5::new().chain_update([0_u8]).chain_update(password).chain_update(self.0).finalize();
        format!("00{}", hex(&digest))
    }
}

/// What becomes of one `/login`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sent as `=ret=`; the client is expected to come again.
    Challenged(Challenge),
    Admitted(Policies),
}

/// How this router admits.
#[derive(Clone, Debug)]
pub struct Gate {
    pub style: LoginStyle,
    pub version: RosVersion,
    pub accounts: Vec<Account>,
}

impl Gate {
    /// Judges one `/login`, given the challenge that the connection got before.
    ///
    /// A bare `/login` still gets a challenge from 6.43 on, and its answer is taken as long as passwords were stored as
    /// they are, which ended with 6.45.1; later every answer is refused (6.47.6 recorded in BenMenking/routeros-api
    /// issue 52).
    pub fn judge(&self, sentence: &Sentence, challenge: Option<Challenge>) -> Result<Step, Refusal> {
        let knows_old = self.style == LoginStyle::Old || self.version < RosVersion::V6_45_1;
        let refusal = if self.style == LoginStyle::Old { Refusal::OldLogin } else { Refusal::Login };
        let name = sentence.attribute("name");
        if let (Some(name), Some(response)) = (name, sentence.attribute("response")) {
            let Some(challenge) = challenge.filter(|_| knows_old) else { return Err(refusal) };
            let answers =
                |account: &Account| challenge.response(account.password.bytes()).eq_ignore_ascii_case(response);
            return self.admit(name, answers).ok_or(refusal);
        }
        match (name, sentence.attribute("password")) {
            (Some(name), Some(password)) if self.style == LoginStyle::New => {
                self.admit(name, |account| account.password.bytes() == password.as_bytes()).ok_or(refusal)
            }
            _ => Ok(Step::Challenged(Challenge::draw())),
        }
    }

    /// An account whose group lacks `api` is refused as a wrong password is.
    fn admit(&self, name: &str, proves: impl Fn(&Account) -> bool) -> Option<Step> {
        let account = self.accounts.iter().find(|account| account.name == name)?;
        (account.policies.api && proves(account)).then_some(Step::Admitted(account.policies))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Secret;

    fn gate(style: LoginStyle, version: RosVersion) -> Gate {
        let account =
            |name: &str, policies| Account { name: name.to_owned(), password: Secret::new(b"secret"), policies };
        let accounts =
            vec![account("takar", Policies::FULL), account("web", Policies { api: false, ..Policies::FULL })];
        Gate { style, version, accounts }
    }

    fn login(list: &[&str]) -> Sentence {
        let words = ["/login"].iter().chain(list).map(|word| word.as_bytes().to_vec());
        Sentence::from_words(words.collect()).unwrap()
    }

    const PASSWORD: [&str; 2] = ["=name=takar", "=password=secret"];

    fn challenged(step: Result<Step, Refusal>) -> Challenge {
        match step {
            Ok(Step::Challenged(challenge)) => challenge,
            other => panic!("{other:?}, expected a challenge"),
        }
    }

    #[test]
    fn a_response_is_that_of_the_manual() {
        // Python: hashlib.md5(b"\0secret" + bytes(16)).hexdigest()
        assert_eq!(Challenge([0; 16]).response(b"secret"), "009d5d79fafa5627ae6d4435ffb6ad9b5f");
        assert_eq!(Challenge([0x0a; 16]).hex(), "0a".repeat(16));
        assert_ne!(Challenge::draw(), Challenge::draw());
    }

    #[test]
    fn an_old_router_challenges_whatever_comes_first() {
        let gate = gate(LoginStyle::Old, RosVersion::V7_18);
        let challenge = challenged(gate.judge(&login(&PASSWORD), None));
        challenged(gate.judge(&login(&[]), None));
        let response = format!("=response={}", challenge.response(b"secret"));
        let answer = login(&["=name=takar", &response]);
        assert_eq!(gate.judge(&answer, Some(challenge)), Ok(Step::Admitted(Policies::FULL)));
        assert_eq!(gate.judge(&answer, Some(Challenge::draw())), Err(Refusal::OldLogin));
        assert_eq!(gate.judge(&answer, None), Err(Refusal::OldLogin));
    }

    #[test]
    fn a_new_router_takes_the_password_and_refuses_the_answer_to_its_challenge() {
        for (version, knows_old) in
            [(RosVersion::V6_43, true), (RosVersion::V6_45_1, false), (RosVersion::V7_18, false)]
        {
            let gate = gate(LoginStyle::of(version), version);
            assert_eq!(gate.judge(&login(&PASSWORD), None), Ok(Step::Admitted(Policies::FULL)));
            let challenge = challenged(gate.judge(&login(&[]), None));
            let response = format!("=response={}", challenge.response(b"secret"));
            let judged = gate.judge(&login(&["=name=takar", &response]), Some(challenge));
            let expected = if knows_old { Ok(Step::Admitted(Policies::FULL)) } else { Err(Refusal::Login) };
            assert_eq!(judged, expected, "{version}");
        }
    }

    #[test]
    fn wrong_names_wrong_passwords_and_groups_without_api_are_refused_alike() {
        let gate = gate(LoginStyle::New, RosVersion::V7_16);
        for list in
            [["=name=takar", "=password=x"], ["=name=nobody", "=password=secret"], ["=name=web", "=password=secret"]]
        {
            assert_eq!(gate.judge(&login(&list), None), Err(Refusal::Login), "{list:?}");
        }
    }
}
