//! The moves.

use alloc::string::{String, ToString as _};
use takar_shared::UnixMillis;

use super::{
    Accepted, Act, Answer, By, Case, Dialogue, Kind, Outcome, Pause, Received, Refused, Remark, Role, Rules, State,
    Step, StepRecord, StepResult,
};
use crate::{
    inventory::LinkName,
    ledger::{Actor, ProposalId},
};

/// So often Takar plans by itself.
const MOST_ROUNDS: u16 = 3;

const TEAM: &str = "the team (member or head)";
const HEAD: &str = "the head of the team";
const TAKAR: &str = "Takar itself";

impl Case {
    /// The case after `act`.
    ///
    /// # Errors
    /// Why not: its state, who acts, or what was given.
    pub fn apply(&self, act: &Act, by: &By, rules: &Rules, now: UnixMillis) -> Result<Self, Refused> {
        if !self.is_open() {
            return Err(Refused::Over { word: self.word() });
        }
        let mut after = self.clone();
        after.act(act, by, rules, now)?;
        Ok(after)
    }

    fn act(&mut self, act: &Act, by: &By, rules: &Rules, now: UnixMillis) -> Result<(), Refused> {
        let gate = Gate { act, by };
        match act {
            Act::Check { evidence } => {
                gate.takar()?;
                self.want(act, Step::Check)?;
                self.here(|record| record.evidence.push(*evidence));
                self.advance(StepResult::Done, None, by, now);
            }
            Act::Verify { evidence, confirmed } => {
                gate.takar()?;
                self.want(act, Step::Identify)?;
                self.here(|record| record.evidence.push(*evidence));
                if *confirmed {
                    self.advance(StepResult::Done, None, by, now);
                }
            }
            Act::Confirm { reason } => {
                gate.team()?;
                self.want(act, Step::Identify)?;
                self.advance(StepResult::Done, Some(text(reason, "reason")?), by, now);
            }
            Act::Dismiss { reason } => self.dismiss(&gate, reason, now)?,
            Act::Join { finding, link } => {
                gate.takar()?;
                self.join(*finding, link);
            }
            Act::Weigh { evidence } => {
                gate.takar()?;
                self.want(act, Step::Coordinate)?;
                self.here(|record| record.evidence.push(*evidence));
            }
            Act::Propose { proposal } => self.propose(&gate, *proposal)?,
            Act::Supersede { proposal } => {
                gate.takar()?;
                self.want_proposal(*proposal)?;
                self.current = None;
            }
            Act::Decline { proposal, reason } => {
                gate.team()?;
                self.want(act, Step::Coordinate)?;
                self.want_proposal(*proposal)?;
                self.remark(by, text(reason, "reason")?, now);
                self.current = None;
                self.left_to_people = true;
            }
            Act::Approve { proposal } => {
                self.approver(&gate, rules, self.proposed_by.as_ref())?;
                self.want(act, Step::Coordinate)?;
                self.want_proposal(*proposal)?;
                self.wants_no_answer()?;
                self.advance(StepResult::Done, None, by, now);
            }
            Act::Grant => self.grant(&gate, rules, now)?,
            Act::FindNothing { evidence } => {
                gate.takar()?;
                self.want(act, Step::Coordinate)?;
                self.here(|record| record.evidence.push(*evidence));
                self.unplanned = true;
            }
            Act::Replan => {
                gate.team()?;
                self.want(act, Step::Coordinate)?;
                (self.left_to_people, self.unplanned) = (false, false);
            }
            Act::AskProvider { dialogue } => self.ask(&gate, dialogue)?,
            Act::Sent { how } => {
                gate.takar_or_team()?;
                let how = text(how, "how")?;
                self.dialogue()?.sent = Some((now, how));
            }
            Act::Remind => {
                gate.takar_or_team()?;
                let dialogue = self.dialogue()?;
                if dialogue.answer.is_some() {
                    return Err(Refused::Because("the provider has answered already"));
                }
                dialogue.reminded.push(now);
            }
            Act::Answered { answer } => self.answered(&gate, answer)?,
            Act::Accept { measured } => {
                gate.team()?;
                self.want(act, Step::Coordinate)?;
                let dialogue = self.dialogue()?;
                if !dialogue.answer.as_ref().is_some_and(|answer| answer.agreed) {
                    return Err(Refused::Because("the provider has not agreed to anything that could be accepted"));
                }
                if dialogue.accepted.is_some() {
                    return Err(Refused::Because("it was accepted already"));
                }
                dialogue.accepted = Some(Accepted { at: now, by: by.actor.clone(), measured: *measured });
                (self.left_to_people, self.unplanned) = (false, false);
            }
            Act::Defer { until, reason } => self.defer(&gate, *until, reason, now)?,
            Act::Resume => self.resume(&gate, now)?,
            Act::Conclude { reason } => self.conclude(&gate, reason, now)?,
            Act::Carry { proposal, evidence } => {
                gate.takar()?;
                self.want(act, Step::Allocate)?;
                self.want_proposal(*proposal)?;
                self.here(|record| record.evidence.push(*evidence));
                self.carried(*proposal, by, now);
            }
            Act::RollBack { proposal, why, evidence } => {
                gate.takar()?;
                self.want(act, Step::Allocate)?;
                self.want_proposal(*proposal)?;
                self.here(|record| record.evidence.push(*evidence));
                self.rolled_back(why, by, now);
            }
            Act::EndLoan { reason } => {
                gate.team()?;
                let State::Paused(Pause::OnLoan { .. }) = self.state else {
                    return Err(Refused::Because("nothing is lent at present"));
                };
                self.remark(by, text(reason, "reason")?, now);
                if let Some(loan) = &mut self.loan {
                    loan.until = now;
                }
                self.wake(now);
            }
            Act::Returned { reason } => {
                gate.takar()?;
                self.want(act, Step::Allocate)?;
                let is_lent = self.loan.as_ref().is_some_and(|loan| loan.lent.is_some());
                if !is_lent || self.current.is_some() {
                    return Err(Refused::Because("nothing is lent, or it is on its way back"));
                }
                let reason = text(reason, "reason")?;
                self.outcome = Some(Outcome::Returned);
                self.advance(StepResult::Done, Some(reason), by, now);
            }
            Act::Overdue => {
                gate.takar()?;
                self.running(act)?;
                if self.at().is_some_and(|record| record.overdue.is_some()) {
                    return Err(Refused::Because("that it is overdue was told already"));
                }
                self.here(|record| record.overdue = Some(now));
            }
            Act::Report { number, evidence } => {
                gate.takar()?;
                self.want(act, Step::Report)?;
                self.here(|record| record.evidence.push(*evidence));
                self.report = Some(text(number, "number")?);
                self.advance(StepResult::Done, None, by, now);
            }
            Act::Receive { remark } => {
                gate.head()?;
                self.want(act, Step::Receive)?;
                if self.report.is_none() {
                    return Err(Refused::Because("there is no report to receive"));
                }
                self.received = Some(Received { by: by.actor.clone(), at: now, remark: remark.clone() });
                self.here(|record| record.owner = by.actor.clone());
                self.end_step(StepResult::Done, None, now);
                self.state = State::Closed { at: now };
            }
            Act::Remark { text: said } => {
                gate.person()?;
                self.remark(by, text(said, "remark")?, now);
            }
            Act::Assign { to } => {
                gate.team()?;
                let to = text(to, "owner")?;
                self.here(|record| record.owner = Actor::Person(to));
            }
        }
        Ok(())
    }

    fn dismiss(&mut self, gate: &Gate<'_>, reason: &str, now: UnixMillis) -> Result<(), Refused> {
        gate.takar_or_team()?;
        let reason = text(reason, "reason")?;
        self.running(gate.act)?;
        match self.step() {
            Some(Step::Check | Step::Identify) => {}
            Some(found) => {
                return Err(Refused::WrongStep { act: gate.act.as_str(), found, wanted: Step::Identify });
            }
            None => return Err(Refused::Over { word: self.word() }),
        }
        // The procedure's own no is step 2's: a case that was not even checked goes through step 1 first.
        if self.step() == Some(Step::Check) {
            self.advance(StepResult::NotNeeded, None, gate.by, now);
        }
        self.end_step(StepResult::NotNeeded, Some(reason.clone()), now);
        self.state = State::Dismissed { by: gate.by.actor.clone(), at: now, reason };
        Ok(())
    }

    fn join(&mut self, finding: u64, link: &LinkName) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        if !self.links.contains(link) {
            self.links.push(link.clone());
        }
    }

    /// In step 3; of a granted loan Takar proposes again in step 4, under what was granted.
    fn propose(&mut self, gate: &Gate<'_>, proposal: ProposalId) -> Result<(), Refused> {
        gate.takar_or_team()?;
        if self.loan.as_ref().is_some_and(|loan| loan.granted_by.is_some()) {
            gate.takar()?;
            self.want(gate.act, Step::Allocate)?;
        } else {
            self.want(gate.act, Step::Coordinate)?;
            if self.loan.is_some() {
                return Err(Refused::Because("a loan is granted first; its proposal is made as it begins"));
            }
        }
        if let Some(open) = self.current {
            return Err(Refused::OtherProposal { given: proposal, open: Some(open) });
        }
        self.proposals.push(proposal);
        self.current = Some(proposal);
        self.proposed_by = Some(gate.by.actor.clone());
        (self.left_to_people, self.unplanned) = (false, false);
        Ok(())
    }

    fn grant(&mut self, gate: &Gate<'_>, rules: &Rules, now: UnixMillis) -> Result<(), Refused> {
        let Some(loan) = &self.loan else {
            return Err(Refused::WrongKind { act: gate.act.as_str(), kind: self.kind });
        };
        let (asked_by, from) = (loan.asked_by.clone(), loan.from);
        self.approver(gate, rules, Some(&asked_by))?;
        self.want(gate.act, Step::Coordinate)?;
        self.wants_no_answer()?;
        if now >= loan.until {
            return Err(Refused::Because("the time of the loan is over"));
        }
        if let Some(loan) = &mut self.loan {
            loan.granted_by = Some(gate.by.actor.clone());
        }
        self.advance(StepResult::Done, None, gate.by, now);
        if from > now {
            self.pause(Pause::Scheduled { until: from }, now);
        }
        Ok(())
    }

    fn ask(&mut self, gate: &Gate<'_>, dialogue: &Dialogue) -> Result<(), Refused> {
        gate.takar_or_team()?;
        self.want(gate.act, Step::Coordinate)?;
        if self.provider.as_ref().is_some_and(|before| before.answer.is_none()) {
            return Err(Refused::Because("the provider was asked already and has not answered"));
        }
        if self.current.is_some() {
            return Err(Refused::Because("a proposal waits for a decision; decline it first"));
        }
        if self.loan.is_none() {
            self.kind = Kind::Addition;
        }
        self.provider = Some((*dialogue).clone());
        self.left_to_people = true;
        Ok(())
    }

    fn answered(&mut self, gate: &Gate<'_>, answer: &Answer) -> Result<(), Refused> {
        let provider = self.dialogue()?.provider.clone();
        match &gate.by.role {
            Role::Provider(name) if *name == provider => {}
            role if role.is_of_the_team() => {}
            _ => return Err(Refused::role(gate.act, gate.by, "the provider that was asked, or the team")),
        }
        text(&answer.by, "name")?;
        // Also while it is deferred: the answer comes when it comes.
        if self.step() != Some(Step::Coordinate) {
            return Err(Refused::Because("the case has gone on without the answer"));
        }
        let dialogue = self.dialogue()?;
        if dialogue.answer.is_some() {
            return Err(Refused::Because("the provider has answered already, and answers once"));
        }
        dialogue.answer = Some(answer.clone());
        Ok(())
    }

    fn defer(&mut self, gate: &Gate<'_>, until: UnixMillis, reason: &str, now: UnixMillis) -> Result<(), Refused> {
        gate.team()?;
        self.want(gate.act, Step::Coordinate)?;
        let reason = text(reason, "reason")?;
        if until <= now {
            return Err(Refused::Past { what: "until" });
        }
        if self.loan.is_some() {
            return Err(Refused::WrongKind { act: gate.act.as_str(), kind: self.kind });
        }
        if self.current.is_some() {
            return Err(Refused::Because("a proposal waits for a decision; decline it first"));
        }
        let was = core::mem::replace(&mut self.kind, Kind::Deferral);
        self.pause(Pause::Deferred { until, reason, was }, now);
        Ok(())
    }

    /// By its date, or earlier by a person where it was deferred.
    fn resume(&mut self, gate: &Gate<'_>, now: UnixMillis) -> Result<(), Refused> {
        gate.takar_or_team()?;
        let State::Paused(pause) = &self.state else { return Err(Refused::Because("the case does not wait")) };
        let early = now < pause.until();
        if early && !(matches!(pause, Pause::Deferred { .. }) && gate.by.role.is_of_the_team()) {
            return Err(Refused::Because("its time has not come; a loan is ended by end-loan"));
        }
        self.wake(now);
        Ok(())
    }

    /// From step 3, or of a loan that never began.
    fn conclude(&mut self, gate: &Gate<'_>, reason: &str, now: UnixMillis) -> Result<(), Refused> {
        gate.takar_or_team()?;
        let why = text(reason, "reason")?;
        if self.current.is_some() {
            return Err(Refused::Because("a proposal waits or is carried out; decline it first"));
        }
        let never_lent = self.loan.as_ref().is_some_and(|loan| loan.lent.is_none());
        if !(never_lent && self.is_in(Step::Allocate)) {
            self.want(gate.act, Step::Coordinate)?;
            self.advance(StepResult::NotNeeded, Some(why.clone()), gate.by, now);
        }
        self.advance(StepResult::NotNeeded, Some(why.clone()), gate.by, now);
        self.outcome = Some(Outcome::NotCarriedOut { why });
        Ok(())
    }

    fn carried(&mut self, proposal: ProposalId, by: &By, now: UnixMillis) {
        self.current = None;
        match &mut self.loan {
            Some(loan) if loan.lent.is_none() => {
                loan.lent = Some(proposal);
                let until = loan.until;
                self.pause(Pause::OnLoan { until }, now);
            }
            loan => {
                self.outcome = Some(if loan.is_some() { Outcome::Returned } else { Outcome::Allocated });
                self.advance(StepResult::Done, None, by, now);
            }
        }
    }

    /// Back to step 3; what is lent is given back by another proposal.
    fn rolled_back(&mut self, why: &str, by: &By, now: UnixMillis) {
        self.current = None;
        if self.loan.as_ref().is_some_and(|loan| loan.lent.is_some()) {
            self.remark(by, why.to_string(), now);
            return;
        }
        if let Some(loan) = &mut self.loan {
            loan.granted_by = None;
        }
        let round = self.at().map_or(1, |record| record.round).saturating_add(1);
        self.end_step(StepResult::RolledBack, Some(why.to_string()), now);
        self.steps.push(StepRecord::begun(Step::Coordinate, round, by.actor.clone(), now));
        // What failed three times will fail again: a person looks first.
        self.left_to_people = round > MOST_ROUNDS;
    }

    /// The head's decision, or the policy's; never of whoever asked where four eyes are asked for.
    fn approver(&self, gate: &Gate<'_>, rules: &Rules, asked_by: Option<&Actor>) -> Result<(), Refused> {
        if gate.by.role == Role::Policy {
            return Ok(());
        }
        gate.head()?;
        if rules.four_eyes && matches!(gate.by.actor, Actor::Person(_)) && asked_by == Some(&gate.by.actor) {
            return Err(Refused::FourEyes { who: gate.by.actor.to_string() });
        }
        Ok(())
    }

    fn wants_no_answer(&self) -> Result<(), Refused> {
        match &self.provider {
            Some(dialogue) if dialogue.answer.is_none() => {
                Err(Refused::Because("the provider was asked and has not answered yet"))
            }
            _ => Ok(()),
        }
    }

    fn dialogue(&mut self) -> Result<&mut Dialogue, Refused> {
        self.provider.as_mut().ok_or(Refused::Because("the provider was not asked anything in this case"))
    }

    fn running(&self, act: &Act) -> Result<(), Refused> {
        match &self.state {
            State::Paused(_) => Err(Refused::Waits { word: self.word(), act: act.as_str() }),
            _ => Ok(()),
        }
    }

    fn want(&self, act: &Act, wanted: Step) -> Result<(), Refused> {
        self.running(act)?;
        match self.step() {
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(Refused::WrongStep { act: act.as_str(), found, wanted }),
            None => Err(Refused::Over { word: self.word() }),
        }
    }

    fn want_proposal(&self, given: ProposalId) -> Result<(), Refused> {
        if self.current == Some(given) { Ok(()) } else { Err(Refused::OtherProposal { given, open: self.current }) }
    }

    fn here(&mut self, change: impl FnOnce(&mut StepRecord)) {
        if let Some(record) = self.steps.last_mut() {
            change(record);
        }
    }

    fn end_step(&mut self, result: StepResult, note: Option<String>, now: UnixMillis) {
        self.here(|record| {
            record.ended = Some(now);
            record.result = Some(result);
            record.note = note;
        });
    }

    /// This step is over and the next begins; the only way forward.
    fn advance(&mut self, result: StepResult, note: Option<String>, by: &By, now: UnixMillis) {
        let Some((step, round)) = self.at().map(|record| (record.step, record.round)) else { return };
        // Who did it answers for it.
        self.here(|record| record.owner = by.actor.clone());
        self.end_step(result, note, now);
        if let Some(next) = step.next() {
            self.steps.push(StepRecord::begun(next, round, Actor::Takar, now));
        }
    }

    fn pause(&mut self, pause: Pause, now: UnixMillis) {
        self.here(|record| record.paused.push((now, None)));
        self.state = State::Paused(pause);
    }

    fn wake(&mut self, now: UnixMillis) {
        self.here(|record| {
            if let Some((_, end @ None)) = record.paused.last_mut() {
                *end = Some(now);
            }
        });
        if let State::Paused(Pause::Deferred { was, .. }) = &self.state {
            self.kind = *was;
            (self.left_to_people, self.unplanned) = (false, false);
        }
        self.state = State::Open;
    }

    fn remark(&mut self, by: &By, text: String, now: UnixMillis) {
        self.remarks.push(Remark { at: now, by: by.actor.clone(), text });
    }
}

/// Who acts, and on what: the checks that look at nothing else.
struct Gate<'a> {
    act: &'a Act,
    by: &'a By,
}

impl Gate<'_> {
    fn only(&self, allowed: bool, wanted: &'static str) -> Result<(), Refused> {
        if allowed { Ok(()) } else { Err(Refused::role(self.act, self.by, wanted)) }
    }
    fn takar(&self) -> Result<(), Refused> {
        self.only(self.by.role == Role::Takar, TAKAR)
    }
    fn team(&self) -> Result<(), Refused> {
        self.only(self.by.role.is_of_the_team(), TEAM)
    }
    fn takar_or_team(&self) -> Result<(), Refused> {
        self.only(self.by.role == Role::Takar || self.by.role.is_of_the_team(), TEAM)
    }
    fn head(&self) -> Result<(), Refused> {
        self.only(self.by.role == Role::Head, HEAD)
    }
    fn person(&self) -> Result<(), Refused> {
        self.only(matches!(self.by.actor, Actor::Person(_)) && self.by.role != Role::Other, "people with a role")
    }
}

/// What a person wrote, if it is anything.
fn text(given: &str, what: &'static str) -> Result<String, Refused> {
    let text = given.trim();
    if text.is_empty() { Err(Refused::Empty { what }) } else { Ok(text.to_string()) }
}
