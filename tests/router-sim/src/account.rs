//! Who may use the router, and for what.

use std::{fmt, fs, path::Path, str::FromStr};

use anyhow::{Context as _, ensure};

/// What a secret file holds; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The file's content without the line end that editors put there.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut secret = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            secret.pop();
        }
        ensure!(!secret.is_empty(), "{} is empty, expected a secret", path.display());
        Ok(Self(secret))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What the group of an account allows, as far as the API asks for it (MikroTik manual, "User", policies).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// To log in by the API at all.
    pub api: bool,
    /// To print.
    pub read: bool,
    /// To change.
    pub write: bool,
}

impl Policies {
    pub const FULL: Self = Self { api: true, read: true, write: true };
}

/// Text that is no list of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPolicy(String);

impl fmt::Display for NotAPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no policy of RouterOS: expected a list such as api,read,write", self.0)
    }
}
impl std::error::Error for NotAPolicy {}

impl FromStr for Policies {
    type Err = NotAPolicy;

    /// With commas between. A `!` before a word denies it, which a word that is not there is too.
    fn from_str(text: &str) -> Result<Self, NotAPolicy> {
        let mut policies = Self::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (name, allowed) = word.strip_prefix('!').map_or((word, true), |name| (name, false));
            match name {
                "api" => policies.api = allowed,
                "read" => policies.read = allowed,
                "write" => policies.write = allowed,
                _ if OTHERS.contains(&name) => {}
                _ => return Err(NotAPolicy(word.to_owned())),
            }
        }
        Ok(policies)
    }
}

/// Those that decide nothing here.
const OTHERS: [&str; 16] = [
    "local",
    "telnet",
    "ssh",
    "ftp",
    "reboot",
    "policy",
    "test",
    "winbox",
    "password",
    "web",
    "sniff",
    "sensitive",
    "romon",
    "rest-api",
    "dude",
    "tikapp",
];

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub password: Secret,
    pub policies: Policies,
}

/// A further user as the command line describes it: `NAME:FILE:POLICIES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    name: String,
    password_file: String,
    policies: Policies,
}

impl Described {
    pub fn read(self) -> anyhow::Result<Account> {
        let password = Secret::read(Path::new(&self.password_file))?;
        Ok(Account { name: self.name, password, policies: self.policies })
    }
}

impl FromStr for Described {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [name, password_file, policies] = parts.as_slice() else {
            anyhow::bail!("{text:?} is no user: expected NAME:FILE:POLICIES, such as watcher:password:api,read");
        };
        ensure!(!name.is_empty(), "{text:?} has no user name before the first colon");
        let policies = policies.parse::<Policies>()?;
        Ok(Self { name: (*name).to_owned(), password_file: (*password_file).to_owned(), policies })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_the_router_exports_them() {
        let policies: Policies = "read,api,!write,!policy,test".parse().unwrap();
        assert_eq!(policies, Policies { api: true, read: true, write: false });
        assert_eq!("".parse::<Policies>(), Ok(Policies::default()));
        assert_eq!("read,admin".parse::<Policies>(), Err(NotAPolicy("admin".to_owned())));
    }

    #[test]
    fn a_further_user_needs_its_three_parts() {
        let watcher: Described = "watcher:/run/password:api,read".parse().unwrap();
        assert_eq!(watcher.policies, Policies { write: false, ..Policies::FULL });
        assert!("watcher".parse::<Described>().unwrap_err().to_string().contains("NAME:FILE:POLICIES"));
        assert!(":file:api".parse::<Described>().unwrap_err().to_string().contains("no user name"));
        assert!("a:b:admin".parse::<Described>().unwrap_err().to_string().contains("no policy"));
    }
}
