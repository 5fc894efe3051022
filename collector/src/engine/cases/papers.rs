//! Papers: what has to be written is handed to the desk that draws it; what comes back is made durable with its digests.

use takar_collector_core::{
    audit::AuditEvent,
    calendar::Date,
    case::{Act, By, CaseId, Step},
    ledger::Actor,
};
use takar_report::office;
use takar_shared::UnixMillis;
use takar_store::{PaperKind, PaperRow, Write};

use super::frozen;
use crate::{
    api::query::ApiError,
    engine::Engine,
    papers::{Content, Drawn, Job},
};

/// A paper that could not be drawn is tried again after so long.
const AGAIN_MS: u64 = 30_000;

/// What the desk is at.
pub(super) struct Drawing {
    pub kind: PaperKind,
    pub case: Option<CaseId>,
    pub number: String,
    year: u32,
    count: u32,
    /// What the paper states, in JSON.
    model: String,
}

impl Engine {
    /// One at a time: letters first, since somebody waits for them.
    pub(super) fn draw_papers(&mut self, now: UnixMillis) {
        if self.cases.drawing.is_some() || now < self.cases.draw_after {
            return;
        }
        let letter = self.cases.all().find(|case| self.wants_letter(case)).map(|case| case.id);
        let report = self.cases.all().find(|case| case.is_in(Step::Report)).map(|case| case.id);
        let drawn = match (letter, report) {
            (Some(id), _) => self.draw_letter(id, now),
            (None, Some(id)) => self.draw_report(id, now),
            (None, None) => return,
        };
        if let Err(error) = drawn {
            tracing::error!(?error, "a paper could not be drawn; it is tried again");
            self.cases.paper_trouble = Some(format!("a paper could not be drawn, and is tried again: {error}"));
            self.cases.draw_after = now.plus(AGAIN_MS);
        }
    }

    fn draw_report(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let (number, year, count) = self.numbered(PaperKind::Report, now)?;
        let content = Content::Report(Box::new(self.case_report(&case, &number, now)?));
        self.draw(PaperKind::Report, Some(id), (number, year, count), content)
    }

    fn draw_letter(&mut self, id: CaseId, now: UnixMillis) -> Result<(), ApiError> {
        let case = self.case(id)?;
        let Some(dialogue) = case.provider.clone() else { return Ok(()) };
        let (_, year, count) = self.numbered(PaperKind::Letter, now)?;
        let content = Content::Letter(Box::new(self.provider_request(&case, &dialogue, now)?));
        self.draw(PaperKind::Letter, Some(id), (dialogue.number, year, count), content)
    }

    pub(in crate::engine) fn draw(
        &mut self,
        kind: PaperKind,
        case: Option<CaseId>,
        (number, year, count): (String, u32, u32),
        content: Content,
    ) -> Result<(), ApiError> {
        if self.cases.drawing.is_some() {
            return Err(ApiError::Conflict("another paper is being drawn; ask again in a moment".into()));
        }
        let model = content.to_json().map_err(ApiError::Failed)?;
        let folder = format!("{year}/{}-{count:04}", kind.as_str());
        let job = Job { folder, content };
        let sent = self.desk.papers.try_send(job);
        sent.map_err(|_| ApiError::Failed("the desk that draws papers is gone or busy".into()))?;
        self.cases.drawing = Some(Drawing { kind, case, number, year, count, model });
        Ok(())
    }

    /// What the desk gives back.
    pub(in crate::engine) fn handle_drawn(&mut self, drawn: Drawn, now: UnixMillis) {
        let Some(drawing) = self.cases.drawing.take() else { return };
        let number = drawing.number.clone();
        let stored = match drawn {
            Drawn::Files { files, without_pdf } => {
                if let Some(why) = without_pdf {
                    tracing::warn!(number, "written without PDF: {why}");
                }
                self.store_paper(drawing, files, now)
            }
            Drawn::Failed(why) => Err(ApiError::Failed(why)),
        };
        if let Err(error) = stored {
            tracing::error!(number, ?error, "a paper was not written; it is tried again");
            self.cases.paper_trouble = Some(format!("{number} could not be written, and is tried again: {error}"));
            self.cases.draw_after = now.plus(AGAIN_MS);
        }
    }

    fn store_paper(
        &mut self,
        drawing: Drawing,
        files: Vec<takar_store::PaperFile>,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let Drawing { kind, case, number, year, count, model } = drawing;
        let told = files.iter().map(|file| (file.path.clone(), file.digest.to_string())).collect();
        let event = AuditEvent::PaperWritten { number: number.clone(), kind: kind.as_str().into(), case, files: told };
        let paper = PaperRow { number: number.clone(), kind, year, count, case, at: now, files };
        let mut writes = vec![Write::Paper(paper.clone())];
        let mut events = vec![(Actor::Takar, event)];
        let moved = match (kind, case) {
            (PaperKind::Report, Some(id)) => {
                let value: serde_json::Value = serde_json::from_str(&model).unwrap_or_default();
                let evidence = frozen(id, "report", &value, now);
                let act = Act::Report { number: number.clone(), evidence: evidence.digest };
                Some(self.prepare(id, &act, &By::takar(), Some(evidence), now)?)
            }
            _ => None,
        };
        if let Some(moved) = &moved {
            writes.extend(moved.writes.clone());
            events.extend(moved.events.clone());
        }
        if let (PaperKind::Letter, Some(id)) = (kind, case) {
            writes.extend(self.letter_notices(&self.case(id)?, &paper, now));
        }
        self.decide(writes.clone(), events)?;
        self.took_deliveries(&writes);
        tracing::info!(number, kind = kind.as_str(), "written");
        self.cases.paper_trouble = None;
        self.desk.archive.note(&paper);
        self.publish_event("paper", serde_json::json!({"paper": crate::engine::answer::paper_view(&paper)}));
        moved.into_iter().for_each(|moved| self.adopt(moved));
        Ok(())
    }

    /// The next number of a kind, its year and its place in it.
    pub(in crate::engine) fn numbered(&self, kind: PaperKind, now: UnixMillis) -> Result<(String, u32, u32), ApiError> {
        let date = self.today(now);
        let year = u32::try_from(date.year()).unwrap_or_default();
        let count = self.store.next_paper(kind, year).map_err(|error| ApiError::Failed(error.to_string()))?;
        Ok((self.paper_number(kind, count, date), year, count))
    }

    pub(super) fn paper_number(&self, kind: PaperKind, count: u32, date: Date) -> String {
        let office = &self.config.papers.office;
        let pattern = match kind {
            PaperKind::Letter => office.letter_number.clone(),
            PaperKind::Report => office.report_number.clone(),
            // Summaries count by themselves.
            PaperKind::Summary => format!("R-{}", office.report_number),
        };
        office::numbered(&pattern, count.into(), date.year(), date.month())
    }

    /// Every file on disk against the store, and the store against the audit log.
    pub(in crate::engine) fn archive_verify(&self) -> Result<serde_json::Value, ApiError> {
        let papers = self.store.papers(u32::MAX).map_err(|error| ApiError::Failed(error.to_string()))?;
        let mut logged = std::collections::HashSet::new();
        let mut from = 0;
        loop {
            let leaves = self.store.leaves(from, 50_000).map_err(|error| ApiError::Failed(error.to_string()))?;
            let Some((last, _)) = leaves.last() else { break };
            from = last + 1;
            for (_, line) in &leaves {
                let record = serde_json::from_slice::<takar_collector_core::audit::AuditRecord>(line);
                if let Ok(takar_collector_core::audit::AuditRecord {
                    what: AuditEvent::PaperWritten { files, .. },
                    ..
                }) = record
                {
                    logged.extend(files);
                }
            }
        }
        let view = self.desk.archive.verify(&papers, &logged);
        serde_json::to_value(view).map_err(|error| ApiError::Failed(error.to_string()))
    }
}
