//! The fields of an account, one by one.

use takar_shared::id;

use super::{Codes, Edit};
use crate::auth::{Account, Role};

const LONGEST_TITLE: usize = 120;
const LONGEST_OS_USER: usize = 64;
/// RFC 5321 §4.5.3.1.3, without the brackets.
const LONGEST_EMAIL: usize = 254;

/// With the least that an account can be; what must be given is asked for by [`apply`].
pub fn blank(name: &str, now: u64) -> Account {
    Account {
        name: name.to_owned(),
        title: String::new(),
        role: Role::Auditor,
        email: None,
        lang: "id".into(),
        os_user: None,
        provider: None,
        password: None,
        totp: None,
        totp_last: 0,
        disabled: false,
        created_at: now,
        changed_at: now,
    }
}

/// Every field that the edit has, and that those which an account must have are there.
pub fn apply(edit: Edit, account: &mut Account, problems: &mut Vec<String>) {
    let add = edit.add;
    let mut say = |problem: String| problems.push(problem);
    match edit.title {
        Some(title) if is_line(&title, LONGEST_TITLE) => account.title = title,
        Some(_) => say(format!("title: expected the person's full name, 1 to {LONGEST_TITLE} characters in a line")),
        None if add => say("title: is missing; expected the person's full name".into()),
        None => {}
    }
    match edit.role.map(|role| role.parse::<Role>()) {
        Some(Ok(role)) => account.role = role,
        Some(Err(error)) => say(format!("role: {error}")),
        None if add => say("role: is missing; expected member, head, provider, auditor or admin".into()),
        None => {}
    }
    match edit.lang.as_deref() {
        Some(lang @ ("id" | "en")) => account.lang = lang.to_owned(),
        Some(_) => say("lang: expected id or en".into()),
        None => {}
    }
    if let Some(email) = edit.email {
        if !email.is_empty() && !is_address(&email) {
            say(format!("email: expected an address such as name@office.example, at most {LONGEST_EMAIL} bytes"));
        }
        account.email = given(email);
    }
    if let Some(user) = edit.os_user {
        if !user.is_empty() && (!is_line(&user, LONGEST_OS_USER) || user.contains([' ', ':', '/'])) {
            say(format!(
                "os_user: expected the name of an account of this machine, at most {LONGEST_OS_USER} characters"
            ));
        }
        account.os_user = given(user);
    }
    apply_provider(edit.provider, account, &mut say);
    if let Some(password) = edit.password {
        account.password = Some(password);
    }
    match edit.codes {
        Codes::Keep => {}
        Codes::Use { seed, step } => (account.totp, account.totp_last) = (Some(seed), step),
        Codes::Forget => (account.totp, account.totp_last) = (None, 0),
    }
    if let Some(disabled) = edit.disabled {
        account.disabled = disabled;
    }
}

/// The role provider has one, and no other role has; one that is no longer the role's goes without being asked.
fn apply_provider(given: Option<String>, account: &mut Account, say: &mut impl FnMut(String)) {
    let is_role = account.role == Role::Provider;
    match given.filter(|provider| !provider.is_empty()) {
        Some(_) if !is_role => say("provider: expected only with the role provider".into()),
        Some(provider) => {
            if let Err(error) = id::plain_name(&provider) {
                say(format!("provider: {error}, as in the register"));
            }
            account.provider = Some(provider);
        }
        None if is_role && account.provider.is_none() => {
            say("provider: is missing; expected its name in the register, since the role is provider".into());
        }
        None => {}
    }
    if !is_role {
        account.provider = None;
    }
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Something to read, without what could begin another line on paper or in a mail's header.
fn is_line(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

/// Enough to catch a slip and to be safe in a header; whether mail gets there, only a mail can tell.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '\\');
    text.len() <= LONGEST_EMAIL && text.chars().all(is_plain) && parts.is_some_and(|(_, domain)| !domain.contains('@'))
}
