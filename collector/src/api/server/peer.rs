//! Who is at the other end of a connection, as the kernel says (SO_PEERCRED, unix(7)).

use axum::{
    extract::{
        FromRequestParts,
        connect_info::{ConnectInfo, Connected},
    },
    http::{StatusCode, request::Parts},
    serve::IncomingStream,
};
use tokio::net::UnixListener;

use super::refusal::Refusal;
use crate::api::query::{Caller, Via};

/// Taken once, as the connection is accepted. `None`: the kernel would not say, so nothing is answered.
#[derive(Clone, Debug)]
pub struct Peer(Option<Caller>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| caller(peer.uid())))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        // Put there by this program itself, where somebody has logged in.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        match parts.extensions.get::<ConnectInfo<Peer>>() {
            Some(ConnectInfo(Peer(Some(caller)))) => Ok(caller.clone()),
            _ => Err(Refusal::new(StatusCode::FORBIDDEN, "the kernel does not say whose connection this is")),
        }
    }
}

fn caller(uid: u32) -> Caller {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(&accounts, uid).map_or_else(|| format!("uid {uid}"), str::to_owned);
    Caller { name, via: Via::Socket { uid } }
}

/// From passwd(5) lines, `name:password:uid:…`. An account of a directory service is not there.
fn name_of(accounts: &str, uid: u32) -> Option<&str> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, found) = (fields.next()?, fields.next()?, fields.next()?);
        (found.parse::<u32>() == Ok(uid) && !name.is_empty()).then_some(name)
    })
}

/// From group(5) lines, `name:password:gid:…`.
pub fn gid_of(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (found, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
        if found == name { gid.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\n\nsiti:x:1001:1001::/home/siti:/bin/sh\n";

    #[test]
    fn accounts_are_found_by_number() {
        assert_eq!(name_of(ACCOUNTS, 0), Some("root"));
        assert_eq!(name_of(ACCOUNTS, 1001), Some("siti"));
        assert_eq!(name_of(ACCOUNTS, 1), None);
        assert_eq!(name_of(":x:5::", 5), None);
    }

    #[test]
    fn an_account_that_is_nowhere_keeps_its_number() {
        let nobody_has_this = u32::MAX - 7;
        assert_eq!(caller(nobody_has_this).name, format!("uid {nobody_has_this}"));
    }

    #[test]
    fn groups_are_found_by_name() {
        let groups = "root:x:0:\ntakar:x:998:siti\nbad:x:many:\n";
        assert_eq!(gid_of(groups, "takar"), Some(998));
        assert_eq!(gid_of(groups, "bad"), None);
        assert_eq!(gid_of(groups, "taka"), None);
    }
}
