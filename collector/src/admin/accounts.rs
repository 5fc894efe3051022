//! `takar account`: who may log in, and as what.

use std::{
    io::{IsTerminal as _, Read as _},
    path::Path,
};

use super::{
    Failure, Printer, Tone,
    table::{Table, or_unknown},
};
use crate::view::{AccountBody, AccountView};

pub async fn list(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(accounts) = super::get::<Vec<AccountView>>(socket, "/v1/accounts", out).await? {
        print(&accounts, out)?;
    }
    Ok(())
}

pub async fn edit(socket: &Path, body: &AccountBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(accounts) = super::post::<Vec<AccountView>>(socket, "/v1/accounts", body, out).await? {
        print(&accounts, out)?;
    }
    Ok(())
}

fn print(accounts: &[AccountView], out: &mut Printer<'_>) -> std::io::Result<()> {
    let mut table = Table::new(&["account", "role", "name", "e-mail", "os user", "logs in by", "state"], &[]);
    for account in accounts {
        let how = match (account.has_password, account.has_totp) {
            (true, true) => "password and code",
            (true, false) => "password",
            (false, _) => "–",
        };
        let cells = vec![
            account.name.clone(),
            account.role.clone(),
            account.title.clone(),
            or_unknown(account.email.clone()),
            or_unknown(account.os_user.clone()),
            how.into(),
            if account.disabled { "disabled".into() } else { "enabled".into() },
        ];
        table.row(if account.disabled { Tone::Quiet } else { Tone::Plain }, cells);
    }
    table.print("no accounts; whoever may open the socket may do everything until there is one", out)
}

/// From a file, or from standard input where that is `-`; never from the command line, where others could read it.
pub fn password(from: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    if from == Path::new("-") {
        if std::io::stdin().is_terminal() {
            return Err(Failure::problem("--password-file -: expected a password from a pipe, not from a terminal"));
        }
        std::io::stdin()
            .take(4096)
            .read_to_string(&mut text)
            .map_err(|error| Failure::problem(format!("standard input cannot be read: {error}")))?;
    } else {
        text = std::fs::read_to_string(from)
            .map_err(|error| Failure::problem(format!("{} cannot be read: {error}", from.display())))?;
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
