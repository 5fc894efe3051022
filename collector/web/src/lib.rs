//! The pages of Takar: a view model in, an HTML string out. Nothing here asks for anything, so that whoever serves the
//! pages decides what may be seen, and a test can look at every page in both languages.
//!
//! The pages work by links and POST forms; there is no script. No markup carries a `style`: what has a length is an SVG
//! attribute, so the strict content security policy holds.
#![forbid(unsafe_code)]

pub mod assets;
pub mod auth;
mod bar;
mod clock;
mod figures;
mod look;
pub mod pages;
mod plot;
pub mod sample;
mod shell;
mod tongue;
mod words;

pub use bar::{Bar, Look, Share, Shares};
pub use clock::{Clock, Pace};
pub use plot::{Plot, Point};
pub use shell::{Lang, Shell, Theme, Unknown, User, Zone};
