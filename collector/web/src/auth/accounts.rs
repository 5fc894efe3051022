//! The rules of accounts: what an edit makes of them, or everything that is wrong with it.

mod field;

use super::{Account, Act, Role, may, password::Hashed, totp::Seed};

/// One account added or changed. What is `None` stays as it is; an empty text takes away what may be absent.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    pub name: String,
    /// A new one; else there must be one of that name.
    pub add: bool,
    pub title: Option<String>,
    /// As people write it.
    pub role: Option<String>,
    pub email: Option<String>,
    pub lang: Option<String>,
    pub os_user: Option<String>,
    pub provider: Option<String>,
    pub password: Option<Hashed>,
    pub codes: Codes,
    pub disabled: Option<bool>,
}

/// One-time codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codes {
    #[default]
    Keep,
    /// From now on, by a seed whose first code was right, in that step.
    Use { seed: Seed, step: u64 },
    /// No longer: of a telephone that was lost.
    Forget,
}

/// The accounts that changed, as they are now; nothing is done unless all of it may be.
///
/// `by` is absent where no account asks: whoever may open the socket, before there is an account that could, or root.
///
/// # Errors
/// All problems, one line each.
pub fn change(all: &[Account], edit: Edit, by: Option<&Account>, now: u64) -> Result<Vec<Account>, Vec<String>> {
    let mut problems = Vec::new();
    rights(&edit, by, &mut problems);
    let old = find(all, &edit, &mut problems);
    let mut account = old.cloned().unwrap_or_else(|| field::blank(&edit.name, now));
    account.changed_at = now;
    field::apply(edit, &mut account, &mut problems);

    let others: Vec<&Account> = all.iter().filter(|other| other.name != account.name).collect();
    if let Some(user) = &account.os_user
        && let Some(other) = others.iter().find(|other| other.os_user.as_ref() == Some(user))
    {
        problems.push(format!("os_user: {user} is {}'s; expected one that is no other account's", other.name));
    }
    if all.is_empty() && !account.is_enabled_admin() {
        problems
            .push("role: expected admin for the first account, enabled, since nobody else could add another".into());
    } else if !account.is_enabled_admin() && !others.iter().any(|other| other.is_enabled_admin()) {
        problems.push(format!("{}: is the last enabled admin; expected to leave at least one", account.name));
    }
    if problems.is_empty() { Ok(vec![account]) } else { Err(problems) }
}

impl Edit {
    /// For the audit log: which fields, never what is in them.
    pub fn what(&self) -> String {
        let fields = [
            (self.add, "added"),
            (self.title.is_some(), "name"),
            (self.role.is_some(), "role"),
            (self.email.is_some(), "e-mail"),
            (self.lang.is_some(), "language"),
            (self.os_user.is_some(), "os user"),
            (self.provider.is_some(), "provider"),
            (self.password.is_some(), "password"),
            (matches!(self.codes, Codes::Use { .. }), "one-time codes"),
            (self.codes == Codes::Forget, "one-time codes forgotten"),
            (self.disabled == Some(true), "disabled"),
            (self.disabled == Some(false), "enabled"),
        ];
        let named: Vec<&str> = fields.into_iter().filter_map(|(is_there, name)| is_there.then_some(name)).collect();
        named.join(", ")
    }

    /// What everybody may change of themselves: password, language, and the seed of their codes.
    pub fn is_personal(&self) -> bool {
        let others = [&self.title, &self.role, &self.email, &self.os_user, &self.provider];
        !self.add
            && self.disabled.is_none()
            && self.codes != Codes::Forget
            && others.iter().all(|field| field.is_none())
    }
}

fn rights(edit: &Edit, by: Option<&Account>, problems: &mut Vec<String>) {
    let Some(by) = by else { return };
    let is_own = by.name == edit.name;
    if by.disabled {
        problems.push(format!("account {} is disabled", by.name));
    } else if !(may(by.role, Act::ManageAccounts) || is_own && edit.is_personal()) {
        let (name, role) = (&by.name, by.role);
        problems.push(format!(
            "{name} has the role {role}; expected an admin, or {name}'s own password, language or one-time codes"
        ));
    }
    if is_own && edit.role.as_deref().is_some_and(|role| role.parse::<Role>() != Ok(by.role)) {
        problems.push("role: expected another admin to change it: nobody changes their own".into());
    }
    if is_own && edit.disabled == Some(true) {
        problems.push("disabled: expected another admin to do that: nobody disables themselves".into());
    }
}

/// The account that is changed.
fn find<'a>(all: &'a [Account], edit: &Edit, problems: &mut Vec<String>) -> Option<&'a Account> {
    let name = &edit.name;
    if !edit.add {
        let old = all.iter().find(|account| account.name == *name);
        if old.is_none() {
            problems.push(format!("name: there is no account {name:?}; expected one that takar account list shows"));
        }
        return old;
    }
    if let Err(error) = takar_shared::id::plain_name(name) {
        problems.push(format!("name: {error}"));
    }
    // On paper, Siti and siti would be one person.
    if let Some(other) = all.iter().find(|account| account.name.eq_ignore_ascii_case(name)) {
        problems.push(format!("name: there is an account {} already; expected another name", other.name));
    }
    None
}

#[cfg(test)]
mod tests;
