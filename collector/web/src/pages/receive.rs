use askama::Template;

use super::{CaseRow, Paper, draw, papers::PaperView};
use crate::{shell::Shell, tongue::Tongue};

/// `GET /cases/{id}/receive`: step 6, the head receives the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    pub case: CaseRow,
    pub report: Paper,
    /// Working time of the whole procedure so far, and what it is allowed.
    pub worked_ms: u64,
    pub standard_minutes: u32,
    /// As typed before.
    pub remark: String,
    /// Why it could not be received.
    pub problems: Vec<String>,
}

#[derive(Template)]
#[template(path = "receive.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Receive,
    href: String,
    number: String,
    title: String,
    clock: String,
    whole: String,
    whole_over: bool,
    signer: String,
    paper: PaperView,
}

impl Receive {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let standard = u64::from(self.standard_minutes).saturating_mul(60_000);
        let signer = shell.user.as_ref().map_or("", |user| user.title.as_str());
        let page = Page {
            s: shell,
            p: self,
            href: self.case.href(),
            number: self.case.number(),
            title: self.case.title(&t),
            clock: self.case.clock.draw(&t),
            whole: t.say("whole-time", &[("worked", &t.span(self.worked_ms)), ("standard", &t.span(standard))]),
            whole_over: self.worked_ms > standard,
            signer: t.say("receive-as", &[("name", signer)]),
            paper: self.report.view(&t),
            t,
        };
        draw(&page)
    }
}
