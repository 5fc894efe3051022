//! One client's session: what each sentence answers. Sockets and framing are elsewhere.

use crate::{
    account::Policies,
    command::{Outcome, run},
    login::{Challenge, Step},
    refusal::Refusal,
    reply::{Answer, Reply},
    router::Router,
    row::Fields,
    words::Sentence,
};

#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What the user may do, once it has logged in.
    policies: Option<Policies>,
    challenge: Option<Challenge>,
}

impl Session {
    pub fn is_logged_in(&self) -> bool {
        self.policies.is_some()
    }

    pub fn answer(&mut self, router: &Router, sentence: &Sentence) -> Answer {
        let outcome = match (sentence.command.as_str(), self.policies) {
            ("/quit", _) => return closing("session terminated on request"),
            ("/login", _) => self.login(router, sentence),
            (_, None) => return closing("not logged in"),
            (_, Some(policies)) => run(router, policies, sentence),
        };
        let mut replies = match outcome {
            Ok(Outcome::Shown(items)) if items.is_empty() && router.version().says_empty() => {
                vec![Reply::of("!empty", Fields::new())]
            }
            Ok(Outcome::Shown(items)) => items.into_iter().map(|fields| Reply::of("!re", fields)).collect(),
            Ok(Outcome::Done(fields)) => {
                return Answer { replies: vec![Reply::of("!done", fields)], closes: false };
            }
            Err(refusal) => vec![Reply::trap(&refusal)],
        };
        replies.push(Reply::of("!done", Fields::new()));
        Answer { replies, closes: false }
    }

    /// A challenge is good for the next attempt only, and every attempt ends what was before.
    fn login(&mut self, router: &Router, sentence: &Sentence) -> Result<Outcome, Refusal> {
        let challenge = self.challenge.take();
        self.policies = None;
        match router.gate().judge(sentence, challenge)? {
            Step::Admitted(policies) => {
                self.policies = Some(policies);
                Ok(Outcome::Done(Fields::new()))
            }
            Step::Challenged(challenge) => {
                self.challenge = Some(challenge);
                Ok(Outcome::Done(vec![("ret", challenge.hex())]))
            }
        }
    }
}

fn closing(reason: &'static str) -> Answer {
    Answer { replies: vec![Reply::fatal(reason)], closes: true }
}

#[cfg(test)]
mod tests;
