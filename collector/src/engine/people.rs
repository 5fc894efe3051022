//! People: who is behind a question, as what, and what they may ask for. The socket and the page are the same to it.

use std::collections::BTreeMap;

use takar_collector_core::{
    audit::AuditEvent,
    case::{By, Role, Rules},
    ledger::Actor,
};
use takar_shared::UnixMillis;
use takar_store::{AccountRow, Store, Write};
use takar_web::auth::{self, accounts::Codes};

use super::Engine;
use crate::{
    api::query::{ApiError, Caller, Via},
    clock,
    view::{AccountBody, AccountView},
};

/// By name.
pub type Accounts = BTreeMap<String, auth::Account>;

/// # Errors
/// A stored account that does not read.
pub fn load(store: &dyn Store) -> anyhow::Result<Accounts> {
    let rows = store.accounts()?;
    let read = |row: AccountRow| -> anyhow::Result<(String, auth::Account)> {
        let account = serde_json::from_str(&row.body)
            .map_err(|error| anyhow::anyhow!("account {} no longer reads: {error}", row.name))?;
        Ok((row.name, account))
    };
    rows.into_iter().map(read).collect()
}

/// Who asks, and what they are.
pub(in crate::engine) struct Person {
    pub by: By,
    role: Standing,
}

enum Standing {
    /// Nobody has an account yet: whoever may open the socket may do everything.
    Everything,
    /// By an account's role.
    Of(auth::Role),
    /// On the socket without an account: reads; root may make the first accounts and let devices in.
    Unmapped { root: bool },
}

impl Person {
    /// The page itself, before anybody has logged in.
    pub fn page() -> Self {
        Self { by: By { actor: Actor::Takar, role: Role::Other }, role: Standing::Everything }
    }

    pub fn may(&self, act: auth::Act) -> Result<(), ApiError> {
        let allowed = match &self.role {
            Standing::Everything => true,
            Standing::Of(role) => auth::may(*role, act),
            Standing::Unmapped { root } => match act {
                auth::Act::Read | auth::Act::Audit => true,
                auth::Act::ManageAccounts | auth::Act::Import | auth::Act::SetMode | auth::Act::Maintain => *root,
                _ => false,
            },
        };
        if allowed {
            return Ok(());
        }
        let who = match &self.role {
            Standing::Unmapped { .. } => {
                format!("{} has no account here; takar account add … --os-user gives one", self.by.actor)
            }
            _ => format!("{} has the role {}", self.by.actor, self.by.role),
        };
        Err(ApiError::Forbidden(format!("this needs the right to {}; {who}", act.as_str())))
    }
}

impl Engine {
    /// What somebody is called on paper: by the full name, where an account has one.
    pub(super) fn full_name(&self, name: &str) -> String {
        let account = self.accounts.get(name).filter(|account| !account.title.trim().is_empty());
        account.map_or_else(|| name.to_owned(), |account| account.title.clone())
    }

    /// Where nobody has an account, two people cannot be told apart: four eyes bind from the first account on.
    pub(in crate::engine) fn rules(&self) -> Rules {
        Rules { four_eyes: self.config.procedure.rules.four_eyes && !self.accounts.is_empty() }
    }

    pub(in crate::engine) fn person(&self, caller: &Caller) -> Result<Person, ApiError> {
        let account = match &caller.via {
            Via::Socket { .. } => {
                self.accounts.values().find(|one| one.os_user.as_deref() == Some(caller.name.as_str()))
            }
            Via::Page { .. } => self.accounts.get(&caller.name),
            Via::Link { .. } => {
                let provider = caller.name.parse().map_err(|_| ApiError::Forbidden("no such provider".into()))?;
                let by =
                    By { actor: Actor::Person(format!("provider:{}", caller.name)), role: Role::Provider(provider) };
                return Ok(Person { by, role: Standing::Of(auth::Role::Provider) });
            }
        };
        if let Some(account) = account {
            if account.disabled {
                return Err(ApiError::Forbidden(format!("account {} is disabled", account.name)));
            }
            let role = match account.role {
                auth::Role::Member => Role::Member,
                auth::Role::Head => Role::Head,
                auth::Role::Provider => {
                    let name = account.provider.as_deref().and_then(|name| name.parse().ok());
                    name.map_or(Role::Other, Role::Provider)
                }
                auth::Role::Auditor | auth::Role::Admin => Role::Other,
            };
            let by = By { actor: Actor::Person(account.name.clone()), role };
            return Ok(Person { by, role: Standing::Of(account.role) });
        }
        match &caller.via {
            Via::Socket { uid } if !self.accounts.is_empty() => Ok(Person {
                by: By { actor: Actor::Person(caller.name.clone()), role: Role::Other },
                role: Standing::Unmapped { root: *uid == 0 },
            }),
            Via::Socket { .. } => Ok(Person {
                by: By { actor: Actor::Person(caller.name.clone()), role: Role::Head },
                role: Standing::Everything,
            }),
            _ => Err(ApiError::Forbidden(format!("there is no account {}", caller.name))),
        }
    }

    pub(in crate::engine) fn account_views(&self) -> Vec<AccountView> {
        let view = |account: &auth::Account| AccountView {
            name: account.name.clone(),
            title: account.title.clone(),
            role: account.role.as_str().into(),
            email: account.email.clone(),
            lang: account.lang.clone(),
            os_user: account.os_user.clone(),
            provider: account.provider.clone(),
            has_password: account.password.is_some(),
            has_totp: account.totp.is_some(),
            disabled: account.disabled,
            created_at: account.created_at,
            changed_at: account.changed_at,
        };
        self.accounts.values().map(view).collect()
    }

    /// Added, changed, disabled: by the rules of [`auth::accounts`], all of which hold or nothing is done.
    pub(in crate::engine) fn edit_account(
        &mut self,
        body: &AccountBody,
        person: &Person,
        now: UnixMillis,
    ) -> Result<(), ApiError> {
        let all: Vec<auth::Account> = self.accounts.values().cloned().collect();
        let by = match &person.by.actor {
            Actor::Person(name) => self.accounts.get(name).cloned(),
            _ => None,
        };
        // Without an account one acts for all of them, or for none.
        if by.is_none() {
            person.may(auth::Act::ManageAccounts)?;
        }
        let edit = self.edit(body, now)?;
        let what = edit.what();
        let changed = auth::accounts::change(&all, edit, by.as_ref(), now.0).map_err(ApiError::Invalid)?;
        let mut writes = Vec::new();
        let mut events = Vec::new();
        for account in &changed {
            let text = serde_json::to_string(account).map_err(|error| ApiError::Failed(error.to_string()))?;
            writes.push(Write::Account(AccountRow { name: account.name.clone(), body: text }));
            let event = AuditEvent::AccountChanged { account: account.name.clone(), what: what.clone() };
            events.push((person.by.actor.clone(), event));
        }
        self.decide(writes, events)?;
        self.accounts.extend(changed.into_iter().map(|account| (account.name.clone(), account)));
        Ok(())
    }

    fn edit(&self, body: &AccountBody, now: UnixMillis) -> Result<auth::accounts::Edit, ApiError> {
        let password = body.password.as_deref().map(|password| {
            let salt = clock::random().map_err(|error| ApiError::Failed(format!("no random source: {error}")))?;
            auth::password::new(&body.name, password, salt, auth::password::Cost::STANDARD).map_err(ApiError::Invalid)
        });
        let codes = match (&body.totp_seed, body.reset_totp) {
            (None, false) => Codes::Keep,
            (None, true) => Codes::Forget,
            (Some(text), _) => {
                let seed: auth::totp::Seed = serde_json::from_value(text.clone().into())
                    .map_err(|_| ApiError::Invalid(vec!["totp_seed: expected the seed as it was shown".into()]))?;
                let code = body.totp_code.as_deref().unwrap_or_default();
                let step = seed.check(code, now, 0);
                let wrong = || ApiError::Invalid(vec!["totp_code: expected the code that the seed gives now".into()]);
                Codes::Use { seed, step: step.ok_or_else(wrong)? }
            }
        };
        Ok(auth::accounts::Edit {
            name: body.name.clone(),
            add: body.add,
            title: body.title.clone(),
            role: body.role.clone(),
            email: body.email.clone(),
            lang: body.lang.clone(),
            os_user: body.os_user.clone(),
            provider: body.provider.clone(),
            password: password.transpose()?,
            codes,
            disabled: body.disabled,
        })
    }

    /// Written down before the session counts: who logged in, and that its one-time code is used up.
    pub(in crate::engine) fn logged_in(
        &mut self,
        name: &str,
        totp_step: Option<u64>,
        _now: UnixMillis,
    ) -> Result<(), ApiError> {
        let Some(mut account) = self.accounts.get(name).cloned().filter(|account| !account.disabled) else {
            return Err(ApiError::Forbidden(format!("there is no account {name}")));
        };
        if let Some(step) = totp_step {
            if step <= account.totp_last {
                return Err(ApiError::Forbidden("this one-time code was used already".into()));
            }
            account.totp_last = step;
        }
        let text = serde_json::to_string(&account).map_err(|error| ApiError::Failed(error.to_string()))?;
        let write = Write::Account(AccountRow { name: account.name.clone(), body: text });
        let event = AuditEvent::LoggedIn { account: name.into() };
        self.decide(vec![write], vec![(Actor::Person(name.into()), event)])?;
        self.accounts.insert(account.name.clone(), account);
        Ok(())
    }
}
