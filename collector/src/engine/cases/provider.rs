//! The provider: asked by letter, reminded, and its answer recorded.

use takar_collector_core::{
    case::{Act, By, Case, CaseId, Dialogue, Step},
    inventory::Provider,
};
use takar_shared::{BitsPerSec, UnixMillis};
use takar_store::PaperKind;

use crate::{api::query::ApiError, engine::Engine, view::CaseActBody};

impl Engine {
    pub(super) fn ask_provider(
        &mut self,
        id: CaseId,
        body: &CaseActBody,
        by: &By,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let CaseActBody::AskProvider { wanted_bps, price_idr } = body else { return Ok(()) };
        let case = self.case(id)?;
        let (provider, capacity) = self.provider_of(&case)?;
        let wanted = BitsPerSec(*wanted_bps);
        if wanted <= capacity {
            let problem = format!("wanted: {} has {capacity} already; expected more", case.uplink);
            return Err(ApiError::Invalid(vec![problem]));
        }
        let more = wanted.saturating_sub(capacity).0.div_ceil(1_000_000);
        let by_contract = self.price_per_mbps(&case.uplink).map(|price| price.saturating_mul(more));
        let dialogue = Box::new(Dialogue {
            provider: provider.name.clone(),
            title: provider.title.clone(),
            number: self.next_letter(now)?,
            capacity,
            wanted,
            price_idr: price_idr.or(by_contract),
            asked_at: now,
            asked_by: by.actor.clone(),
            sent: None,
            reminded: Vec::new(),
            answer: None,
            accepted: None,
        });
        self.move_case(id, &Act::AskProvider { dialogue }, by, None, now)
    }

    /// The capacity is there: the register says so from now on, and the case can be planned.
    pub(super) fn accept(
        &mut self,
        id: CaseId,
        measured: BitsPerSec,
        by: &By,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let moved = self.prepare(id, &Act::Accept { measured }, by, None, now)?;
        let wanted = case.provider.as_ref().map_or(BitsPerSec::ZERO, |dialogue| dialogue.wanted);
        // A measurement reads a little less than what a line has: the headers of the frames.
        if measured < wanted.per_mille(900) {
            return Err(ApiError::Invalid(vec![format!(
                "measured: {measured} is less than nine tenths of {wanted}; expected an acceptance of what was asked for"
            )]));
        }
        self.is_free(&case.uplink, case.direction)?;
        let (inventory, write, event) = self.with_capacity(&case.uplink, case.direction, wanted, &by.actor, now)?;
        let mut writes = moved.writes.clone();
        writes.push(write);
        let mut events = vec![(by.actor.clone(), event)];
        events.extend(moved.events.clone());
        self.decide(writes, events)?;
        self.inventory = Some(inventory);
        self.publish_inventory();
        self.adopt(moved);
        Ok(())
    }

    pub(super) fn provider_of(&self, case: &Case) -> Result<(Provider, BitsPerSec), ApiError> {
        let found = self.inventory.as_ref().and_then(|inventory| {
            let uplink = inventory.uplink(&case.uplink)?;
            Some((inventory.provider(&uplink.provider)?.clone(), uplink.capacity(case.direction)))
        });
        found.ok_or_else(|| ApiError::Conflict(format!("uplink {} is not in the register any more", case.uplink)))
    }

    /// Numbers of letters that were asked for and not drawn yet are taken.
    fn next_letter(&self, now: UnixMillis) -> Result<String, ApiError> {
        let date = self.today(now);
        let year = u32::try_from(date.year()).unwrap_or_default();
        let next =
            self.store.next_paper(PaperKind::Letter, year).map_err(|error| ApiError::Failed(error.to_string()))?;
        let waiting = self.cases.all().filter(|case| self.wants_letter(case)).count();
        let count = next.saturating_add(u32::try_from(waiting).unwrap_or(u32::MAX));
        Ok(self.paper_number(PaperKind::Letter, count, date))
    }

    pub(super) fn wants_letter(&self, case: &Case) -> bool {
        let Some(dialogue) = &case.provider else { return false };
        let papers = self.store.papers_of(case.id).unwrap_or_default();
        !papers.iter().any(|paper| paper.kind == PaperKind::Letter && paper.number == dialogue.number)
    }

    /// One that does not answer is reminded, in working time.
    pub(super) fn remind_providers(&mut self, now: UnixMillis) {
        let Some(every) = self.config.procedure.remind_every_ms else { return };
        let calendar = self.calendar();
        let due: Vec<CaseId> = self
            .cases
            .all()
            .filter(|case| case.step() == Some(Step::Coordinate))
            .filter(|case| {
                case.provider.as_ref().is_some_and(|dialogue| {
                    let last = dialogue.reminded.last().copied().or(dialogue.sent.as_ref().map(|(at, _)| *at));
                    dialogue.answer.is_none() && last.is_some_and(|last| calendar.worked_ms(last, now) >= every)
                })
            })
            .map(|case| case.id)
            .collect();
        for id in due {
            self.tried(id, "a reminder", |engine| engine.move_case(id, &Act::Remind, &By::takar(), None, now));
        }
    }
}
