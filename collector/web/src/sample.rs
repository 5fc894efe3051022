//! Every page in every state, with invented names and numbers: for tests, and to look at (`examples/pages.rs`).

mod case;
mod lists;
mod papers;

use crate::{
    pages::{Account, Login, Message, Receive, Refusal, Totp},
    shell::{Lang, Shell, Theme, User, Zone},
};

/// Tuesday, 24 November 2026, 09.12 WIB.
pub const NOW: u64 = 1_795_486_320_000;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MBPS: u64 = 1_000_000;

/// Where texts come from: a mark is added to each, so that a test can see where it ends up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Behind everything that people or devices write.
    pub mark: String,
    /// Behind every code as well, which makes it one that is not known.
    pub code_mark: String,
}

impl Sample {
    /// A page of its name, drawn: every page in every state.
    pub fn pages(&self, shell: &Shell) -> Vec<(&'static str, String)> {
        let nobody = Shell { user: None, ..shell.clone() };
        let mut pages = vec![
            ("login", self.login(None).render(&nobody)),
            ("login-wrong", self.login(Some(Refusal::Wrong)).render(&nobody)),
            ("login-wait", self.login(Some(Refusal::Wait { seconds: 90 })).render(&nobody)),
            ("login-expired", self.login(Some(Refusal::Expired)).render(&nobody)),
            ("today", self.today().render(shell)),
            ("today-quiet", crate::pages::Today::default().render(shell)),
            ("cases", self.cases().render(shell)),
            ("cases-none", self.no_cases().render(shell)),
            ("case-verify", self.case_to_verify().render(shell)),
            ("case-approve", self.case_to_approve().render(shell)),
            ("case-provider", self.case_at_provider().render(shell)),
            ("case-done", self.case_done().render(shell)),
            ("receive", self.receive().render(shell)),
            ("provider", self.provider().render(&nobody)),
            ("provider-used", self.provider_used().render(&nobody)),
            ("provider-expired", self.provider_expired().render(&nobody)),
            ("reports", self.reports().render(shell)),
            ("reports-none", crate::pages::Reports::default().render(shell)),
            ("accounts", self.accounts().render(shell)),
            ("account", self.account(Totp::Off).render(shell)),
            ("account-enrolling", self.account(self.enrolling()).render(shell)),
            ("account-on", self.account(Totp::On).render(shell)),
        ];
        let messages = [
            ("error-403", 403),
            ("error-404", 404),
            ("error-409", 409),
            ("error-422", 422),
            ("error-429", 429),
            ("error-500", 500),
        ];
        pages.extend(messages.map(|(name, status)| (name, self.message(status).render(shell))));
        pages
    }

    pub fn shell(&self, lang: Lang) -> Shell {
        Shell {
            lang,
            theme: Theme::Auto,
            user: Some(User {
                name: self.free("bagus"),
                title: self.free("Bagus Pramudito"),
                role: self.code("admin"),
            }),
            csrf: self.free("Yk3sJ1vT8dLwXh5nQe2b"),
            path: self.free("/cases/116"),
            now: NOW,
            zone: Zone { name: self.free("WIB"), offset_minutes: 420 },
            overdue: 2,
            office: self.free("Dinas Komunikasi Kabupaten Arunika"),
            version: self.free("0.2.0"),
        }
    }

    fn free(&self, text: &str) -> String {
        format!("{text}{}", self.mark)
    }

    fn code(&self, text: &str) -> String {
        format!("{text}{}", self.code_mark)
    }

    fn login(&self, refusal: Option<Refusal>) -> Login {
        Login { name: self.free("sekar"), next: self.free("/cases/116"), refusal }
    }

    fn message(&self, status: u16) -> Message {
        Message {
            status,
            details: vec![self.free("proposal 214 was superseded at 09.38")],
            back: self.free("/cases/116"),
        }
    }

    fn receive(&self) -> Receive {
        Receive {
            case: self.row_to_receive(),
            report: self.report(),
            worked_ms: 48 * MINUTE,
            standard_minutes: 210,
            remark: self.free("Sudah dibaca."),
            problems: vec![self.free("the remark is longer than 2000 characters")],
        }
    }

    fn account(&self, totp: Totp) -> Account {
        Account {
            lang: Lang::Id,
            email: Some(self.free("bagus@arunika.example")),
            totp,
            problems: vec![self.free("the present password does not match")],
            done: Some(self.code("language")),
        }
    }

    fn enrolling(&self) -> Totp {
        let url = "otpauth://totp/Takar:bagus?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Takar";
        Totp::Enrolling { secret: self.free("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), url: self.free(url) }
    }
}
