//! What every page is drawn in: language, theme, who is signed in, what time it is.

use std::{fmt, str::FromStr};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    #[default]
    Id,
    En,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system is.
    #[default]
    Auto,
    Light,
    Dark,
}

/// Text that is not what a form may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub expected: &'static str,
}

/// Time of the office, which has no summer time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// `WIB`
    pub name: String,
    pub offset_minutes: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Of the account.
    pub name: String,
    /// The full name.
    pub title: String,
    /// member, head, provider, auditor, admin
    pub role: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    pub lang: Lang,
    pub theme: Theme,
    /// Absent: nobody is signed in, and the page has no navigation.
    pub user: Option<User>,
    /// In every form.
    pub csrf: String,
    /// What was asked for: where a change of language or theme leads back to.
    pub path: String,
    /// Unix milliseconds.
    pub now: u64,
    pub zone: Zone,
    /// Cases beyond their step's standard time.
    pub overdue: u32,
    /// The office, at the foot of the page.
    pub office: String,
    pub version: String,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Id, Self::En];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }

    /// In its own words.
    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Self::Id => "Indonesia",
            Self::En => "English",
        }
    }
}

impl FromStr for Lang {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == text).ok_or(Unknown { expected: "id or en" })
    }
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromStr for Theme {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).ok_or(Unknown { expected: "auto, light or dark" })
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl std::error::Error for Unknown {}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub href: &'static str,
    pub icon: &'static str,
    /// Key of its word.
    pub word: &'static str,
    pub current: bool,
    /// What is overdue; 0: no number.
    pub count: u32,
}

/// A button that asks for another language or theme.
pub(crate) struct Choice {
    pub value: &'static str,
    pub current: bool,
}

impl Shell {
    pub(crate) fn nav(&self) -> Vec<Entry> {
        let here = self.path.split(['?', '#']).next().unwrap_or_default();
        let entry = |href: &'static str, icon, word, count| Entry {
            href,
            icon,
            word,
            current: here == href || (href != "/" && here.strip_prefix(href).is_some_and(|rest| rest.starts_with('/'))),
            count,
        };
        let mut entries = vec![
            entry("/", "i-today", "nav-today", self.overdue),
            entry("/cases", "i-cases", "nav-cases", 0),
            entry("/reports", "i-doc", "nav-reports", 0),
        ];
        if self.user.as_ref().is_some_and(|user| user.role == "admin") {
            entries.push(entry("/accounts", "i-eyes", "nav-accounts", 0));
        }
        entries
    }

    pub(crate) fn themes(&self) -> Vec<Choice> {
        Theme::ALL.map(|theme| Choice { value: theme.as_str(), current: theme == self.theme }).into()
    }

    pub(crate) fn languages(&self) -> Vec<(&'static str, &'static str, bool)> {
        Lang::ALL.map(|lang| (lang.as_str(), lang.own_name(), lang == self.lang)).into()
    }

    /// Two letters in a circle.
    pub(crate) fn initials(&self) -> String {
        initials(self.user.as_ref().map_or("", |user| user.title.as_str()))
    }
}

pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric())).take(2).collect()
}
