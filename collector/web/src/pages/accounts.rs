use askama::Template;

use super::draw;
use crate::{
    shell::{Lang, Shell},
    tongue::Tongue,
};

/// Roles that an account can have.
pub const ROLES: [&str; 5] = ["member", "head", "provider", "auditor", "admin"];

/// `GET /accounts`, for the administrator. Acts are `POST /accounts/add` and `POST /accounts/{name}/role`, `reset`,
/// `disable`, `enable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    pub rows: Vec<AccountRow>,
    /// Names of providers, of which one belongs to an account with that role.
    pub providers: Vec<String>,
    /// As typed before into the form for a new account; its password is never sent back.
    pub typed: AccountRow,
    pub problems: Vec<String>,
    /// What was done, by this account's name.
    pub done: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRow {
    pub name: String,
    pub title: String,
    /// One of [`ROLES`].
    pub role: String,
    pub email: Option<String>,
    /// id, en
    pub lang: String,
    pub os_user: Option<String>,
    pub provider: Option<String>,
    pub has_password: bool,
    pub has_totp: bool,
    pub disabled: bool,
    pub changed_at: u64,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct Page<'a> {
    s: &'a Shell,
    t: Tongue,
    p: &'a Accounts,
    lead: String,
    done: Option<String>,
    rows: Vec<Row>,
    roles: Vec<(String, String, bool)>,
    languages: Vec<(String, String, bool)>,
    providers: Vec<(String, String, bool)>,
    email: String,
    os_user: String,
}

struct Row {
    name: String,
    title: String,
    /// Short facts: e-mail, user of the machine, provider.
    line: String,
    role: String,
    class: &'static str,
    icon: &'static str,
    state: String,
    factors: String,
    changed: String,
    disabled: bool,
    own: bool,
    /// Value, text, chosen.
    roles: Vec<(String, String, bool)>,
    providers: Vec<(String, String, bool)>,
}

impl Accounts {
    pub fn render(&self, shell: &Shell) -> String {
        let t = Tongue::of(shell);
        let me = shell.user.as_ref().map_or("", |user| user.name.as_str());
        let page = Page {
            s: shell,
            p: self,
            lead: t.count("accounts-count", self.rows.len(), &[]),
            done: self.done.as_ref().map(|name| t.say("accounts-done", &[("name", name)])),
            rows: self.rows.iter().map(|row| self.view(&t, row, me)).collect(),
            roles: roles(&t, &self.typed.role),
            languages: Lang::ALL
                .map(|lang| (lang.as_str().to_owned(), lang.own_name().to_owned(), self.typed.lang == lang.as_str()))
                .into(),
            providers: self.providers_for(self.typed.provider.as_deref()),
            email: self.typed.email.clone().unwrap_or_default(),
            os_user: self.typed.os_user.clone().unwrap_or_default(),
            t,
        };
        draw(&page)
    }

    fn view(&self, t: &Tongue, row: &AccountRow, me: &str) -> Row {
        let mut line: Vec<String> = row.email.iter().cloned().collect();
        line.extend(row.os_user.as_ref().map(|user| t.say("account-os-user", &[("user", user)])));
        line.extend(row.provider.as_ref().map(|provider| t.say("account-provider", &[("provider", provider)])));
        let factors = match (row.has_password, row.has_totp) {
            (true, true) => "factors-both",
            (true, false) => "factors-password",
            (false, _) => "factors-none",
        };
        let (class, icon, state) = match row.disabled {
            true => ("warn", "i-down", "account-disabled"),
            false => ("", "i-fit", "account-enabled"),
        };
        Row {
            name: row.name.clone(),
            title: row.title.clone(),
            line: line.join(" · "),
            role: t.code("role", &row.role),
            class,
            icon,
            state: t.w(state),
            factors: t.w(factors),
            changed: t.moment(row.changed_at),
            disabled: row.disabled,
            own: row.name == me,
            roles: roles(t, &row.role),
            providers: self.providers_for(row.provider.as_deref()),
        }
    }

    fn providers_for(&self, chosen: Option<&str>) -> Vec<(String, String, bool)> {
        self.providers.iter().map(|name| (name.clone(), name.clone(), chosen == Some(name.as_str()))).collect()
    }
}

fn roles(t: &Tongue, chosen: &str) -> Vec<(String, String, bool)> {
    ROLES.map(|role| (role.to_owned(), t.code("role", role), role == chosen)).into()
}
