//! Sessions: who is logged in. The browser has a random token, the collector only its hash, so nobody who reads the
//! collector's memory or a dump of it can be somebody else. They end with the process.

use std::{collections::HashMap, fmt, net::IpAddr};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use takar_shared::UnixMillis;

use super::{ServerKey, elapsed::Elapsed};

/// Of one account; one more closes the one that was quiet the longest.
const MOST_OF_AN_ACCOUNT: usize = 16;
const CSRF: &str = "csrf";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// It ends when nothing was asked for so long.
    pub idle_ms: u64,
    /// It ends so long after the log-in, whatever is asked.
    pub absolute_ms: u64,
}

impl Default for Lifetimes {
    /// A working day; a day.
    fn default() -> Self {
        Self { idle_ms: 8 * 3_600_000, absolute_ms: 24 * 3_600_000 }
    }
}

/// One log-in.
#[derive(Clone)]
pub struct Session {
    pub account: String,
    pub from: IpAddr,
    pub opened_at: UnixMillis,
    /// The token's hash, as a key.
    key: ServerKey,
    /// By [`Elapsed`].
    opened: u64,
    seen: u64,
}

impl Session {
    /// What every form of this session carries: another site cannot know it.
    pub fn csrf(&self) -> String {
        BASE64URL_NOPAD.encode(&self.key.sign(CSRF, &[]))
    }

    /// In constant time.
    pub fn csrf_holds(&self, text: &str) -> bool {
        BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|bytes| self.key.signed(CSRF, &[], &bytes))
    }

    fn is_over(&self, lifetimes: Lifetimes, at: u64) -> bool {
        at.saturating_sub(self.seen) >= lifetimes.idle_ms || at.saturating_sub(self.opened) >= lifetimes.absolute_ms
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("account", &self.account).field("from", &self.from).finish_non_exhaustive()
    }
}

/// By the hash of their token.
#[derive(Debug)]
pub struct Sessions {
    lifetimes: Lifetimes,
    elapsed: Elapsed,
    open: HashMap<[u8; 32], Session>,
}

impl Sessions {
    pub fn new(lifetimes: Lifetimes) -> Self {
        Self { lifetimes, elapsed: Elapsed::default(), open: HashMap::new() }
    }

    /// After a log-in: the cookie's value and the session. `token` is random.
    pub fn open(&mut self, now: UnixMillis, account: &str, from: IpAddr, token: [u8; 32]) -> (String, Session) {
        let at = self.elapsed.at(now);
        self.open.retain(|_, session| !session.is_over(self.lifetimes, at));
        self.make_room(account);
        let hash = hash(&token);
        let key = ServerKey::new(hash);
        let session = Session { account: account.to_owned(), from, opened_at: now, key, opened: at, seen: at };
        self.open.insert(hash, session.clone());
        (BASE64URL_NOPAD.encode(&token), session)
    }

    /// The session of a cookie, which this keeps from being idle.
    pub fn find(&mut self, now: UnixMillis, cookie: &str) -> Option<&Session> {
        let at = self.elapsed.at(now);
        let hash = of_cookie(cookie)?;
        if self.open.get(&hash)?.is_over(self.lifetimes, at) {
            self.open.remove(&hash);
            return None;
        }
        let session = self.open.get_mut(&hash)?;
        session.seen = at;
        Some(session)
    }

    /// At a log-out.
    pub fn close(&mut self, cookie: &str) {
        if let Some(hash) = of_cookie(cookie) {
            self.open.remove(&hash);
        }
    }

    /// When an account has another password, another role, or is disabled.
    pub fn close_all(&mut self, account: &str) {
        self.open.retain(|_, session| session.account != account);
    }

    fn make_room(&mut self, account: &str) {
        let of_account = |(_, session): &(&[u8; 32], &Session)| session.account == account;
        if self.open.iter().filter(of_account).count() < MOST_OF_AN_ACCOUNT {
            return;
        }
        let quietest = self.open.iter().filter(of_account).min_by_key(|(_, session)| session.seen);
        if let Some(hash) = quietest.map(|(hash, _)| *hash) {
            self.open.remove(&hash);
        }
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn of_cookie(cookie: &str) -> Option<[u8; 32]> {
    let token = BASE64URL_NOPAD.decode(cookie.as_bytes()).ok()?;
    (token.len() == 32).then(|| hash(&token))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use proptest::prelude::*;

    const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const SHORT: Lifetimes = Lifetimes { idle_ms: 100, absolute_ms: 1000 };

    fn opened(token: [u8; 32]) -> (Sessions, String) {
        let mut sessions = Sessions::new(SHORT);
        let (cookie, _) = sessions.open(UnixMillis(5000), "siti", FROM, token);
        (sessions, cookie)
    }

    #[test]
    fn it_ends_when_idle_and_when_old() {
        let (mut sessions, cookie) = opened([1; 32]);
        for ms in (5000..6000).step_by(99) {
            assert!(sessions.find(UnixMillis(ms), &cookie).is_some(), "{ms}");
        }
        assert!(sessions.find(UnixMillis(6000), &cookie).is_none(), "old");

        let (mut sessions, cookie) = opened([1; 32]);
        assert!(sessions.find(UnixMillis(5100), &cookie).is_none(), "idle");
        assert!(sessions.find(UnixMillis(5101), &cookie).is_none(), "and it stays so");
    }

    #[test]
    fn closing_closes_whose_it_should() {
        let (mut sessions, mine) = opened([1; 32]);
        let (also_mine, _) = sessions.open(UnixMillis(5000), "siti", FROM, [2; 32]);
        let (theirs, _) = sessions.open(UnixMillis(5000), "budi", FROM, [3; 32]);
        sessions.close(&mine);
        assert!(sessions.find(UnixMillis(5000), &mine).is_none());
        assert!(sessions.find(UnixMillis(5000), &also_mine).is_some());
        sessions.close_all("siti");
        assert!(sessions.find(UnixMillis(5000), &also_mine).is_none());
        assert_eq!(sessions.find(UnixMillis(5000), &theirs).map(|session| session.account.as_str()), Some("budi"));
    }

    #[test]
    fn an_account_has_only_so_many() {
        let (mut sessions, theirs) = opened([0; 32]);
        let cookies: Vec<String> =
            (1..=40u8).map(|n| sessions.open(UnixMillis(5000 + u64::from(n)), "budi", FROM, [n; 32]).0).collect();
        assert_eq!(sessions.open.len(), MOST_OF_AN_ACCOUNT + 1);
        let (gone, there) = cookies.split_at(40 - MOST_OF_AN_ACCOUNT);
        assert!(gone.iter().all(|cookie| sessions.find(UnixMillis(5050), cookie).is_none()));
        assert!(there.iter().all(|cookie| sessions.find(UnixMillis(5050), cookie).is_some()));
        assert!(sessions.find(UnixMillis(5050), &theirs).is_some());
    }

    #[test]
    fn what_is_over_takes_no_room() {
        let (mut sessions, _) = opened([1; 32]);
        sessions.open(UnixMillis(9000), "budi", FROM, [2; 32]);
        assert_eq!(sessions.open.len(), 1);
    }

    #[test]
    fn nothing_kept_or_shown_is_the_token() {
        let (sessions, cookie) = opened([9; 32]);
        assert!(!sessions.open.contains_key(&[9; 32]));
        let shown = format!("{sessions:?}");
        assert!(!shown.contains(&cookie) && shown.contains("siti"), "{shown}");
    }

    proptest! {
        /// However the clock is set: never over before its time has passed, and over once it has.
        #[test]
        fn a_clock_that_is_set_ends_nothing_early_and_keeps_nothing_for_ever(
            times in prop::collection::vec(4000u64..6000, 1..60),
        ) {
            let (mut sessions, cookie) = opened([1; 32]);
            let (mut last, mut idle, mut age, mut over) = (5000, 0, 0, false);
            for now in times {
                let passed = now.saturating_sub(last);
                (last, idle, age) = (now, idle + passed, age + passed);
                over |= idle >= SHORT.idle_ms || age >= SHORT.absolute_ms;
                prop_assert_eq!(sessions.find(UnixMillis(now), &cookie).is_none(), over);
                idle = 0;
            }
        }

        #[test]
        fn a_form_is_of_its_session_only(one: [u8; 32], two: [u8; 32]) {
            prop_assume!(one != two);
            let mut sessions = Sessions::new(SHORT);
            let [one, two] = [one, two].map(|token| sessions.open(UnixMillis(1), "siti", FROM, token).1);
            prop_assert!(one.csrf_holds(&one.csrf()));
            prop_assert!(!two.csrf_holds(&one.csrf()));
            prop_assert!(!one.csrf_holds(""));
        }

        #[test]
        fn any_cookie_may_come(cookie in ".{0,60}|[A-Za-z0-9_-]{43}", form in ".{0,60}") {
            let mut sessions = Sessions::new(SHORT);
            let (own, session) = sessions.open(UnixMillis(1), "siti", FROM, [1; 32]);
            prop_assume!(cookie != own);
            prop_assert!(sessions.find(UnixMillis(1), &cookie).is_none());
            prop_assert!(!session.csrf_holds(&form));
        }
    }
}
