//! What `takar` prints: the only room that does.
//!
//! For people: tables and sentences, problems first, in colour on a terminal unless NO_COLOR is set. For programs
//! (`--json`): the API's own JSON. Whatever a router or a file may have put into a name, no control character of it
//! reaches the terminal. A reader that went away (`takar links | head`) is no error.

pub mod accounts;
pub mod audit;
pub mod cases;
pub mod changes;
pub mod check;
pub mod device;
pub mod draft;
pub mod findings;
pub mod import;
pub mod links;
pub mod maintenance;
pub mod papers;
pub mod proposals;
pub mod rate;
pub mod status;
mod table;
pub mod watch;

use std::{
    borrow::Cow,
    error::Error as _,
    fmt,
    io::{self, ErrorKind, IsTerminal as _, StdoutLock, Write},
    path::Path,
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::api::client::{self, ClientError};

/// Why a command did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot write the output")]
    Print(#[from] io::Error),
    /// One line a problem.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

impl Failure {
    pub fn problem(text: impl Into<String>) -> Self {
        Self::Problems(vec![text.into()])
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Heading,
    Good,
    Warn,
    Bad,
    Quiet,
}

/// Where a command's answer goes.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    json: bool,
    pretty: bool,
    /// The reader went away: the command goes on, unseen.
    closed: bool,
}

impl<'a> Printer<'a> {
    /// `json`: views as they are, `pretty` or on one line.
    pub fn new(out: &'a mut dyn Write, json: bool, pretty: bool) -> Self {
        Self { out, json, pretty, closed: false }
    }

    pub fn wants_json(&self) -> bool {
        self.json
    }

    pub fn json(&mut self, view: &impl Serialize) -> io::Result<()> {
        let text = if self.pretty { serde_json::to_string_pretty(view)? } else { serde_json::to_string(view)? };
        self.write(format_args!("{text}"))
    }

    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.toned(Tone::Plain, text)
    }

    pub fn toned(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let (style, text) = (tone.style(), clean(text));
        self.write(format_args!("{style}{text}{style:#}"))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.unless_closed(flushed)
    }

    fn write(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = writeln!(self.out, "{line}");
        self.unless_closed(written)
    }

    fn unless_closed(&mut self, done: io::Result<()>) -> io::Result<()> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }
}

/// Standard output, locked. JSON passes as it is; text keeps its colours on a terminal only, and without NO_COLOR.
pub fn stdout(json: bool) -> AutoStream<StdoutLock<'static>> {
    let coloured = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let choice = match (json, coloured) {
        (true, _) => ColorChoice::AlwaysAnsi,
        (false, true) => ColorChoice::Auto,
        (false, false) => ColorChoice::Never,
    };
    AutoStream::new(io::stdout().lock(), choice)
}

/// Errors go to standard error, one line a problem. Nothing can be done where even that cannot be written.
pub fn complain(failure: &Failure) {
    let causes = std::iter::successors(failure.source(), |cause| (**cause).source());
    let text = causes.fold(failure.to_string(), |text, cause| format!("{text}: {cause}"));
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(stderr, "takar: {}", clean(line));
    }
}

/// Shows `GET path` as JSON where that is wanted; else hands it over to be told in words.
async fn get<T: DeserializeOwned>(socket: &Path, path: &str, out: &mut Printer<'_>) -> Result<Option<T>, Failure> {
    told(client::get(socket, path).await?, out)
}

/// As [`get`], by `POST`.
async fn post<T: DeserializeOwned>(
    socket: &Path,
    path: &str,
    body: &impl Serialize,
    out: &mut Printer<'_>,
) -> Result<Option<T>, Failure> {
    told(client::post(socket, path, body).await?, out)
}

fn told<T: DeserializeOwned>(view: Value, out: &mut Printer<'_>) -> Result<Option<T>, Failure> {
    if out.wants_json() {
        out.json(&view)?;
        return Ok(None);
    }
    read(view).map(Some)
}

fn read<T: DeserializeOwned>(view: Value) -> Result<T, Failure> {
    serde_json::from_value(view).map_err(|error| {
        let text =
            format!("takar serve answered in another shape ({error}); is it of another version than this takar?");
        Failure::Client(ClientError::Protocol(text))
    })
}

/// Without control characters (ECMA-48 sequences begin with one) and without marks that turn the reading direction.
fn clean(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(bad) { Cow::Owned(text.replace(bad, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Quiet => Style::new().dimmed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What `print` writes, without colour.
    pub fn printed(print: impl FnOnce(&mut Printer<'_>) -> io::Result<()>) -> String {
        let mut bytes = AutoStream::never(Vec::new());
        print(&mut Printer::new(&mut bytes, false, false)).unwrap();
        String::from_utf8(bytes.into_inner()).unwrap()
    }

    struct Closed(usize);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_is_not_written_to_again() {
        let mut closed = Closed(0);
        let mut out = Printer::new(&mut closed, false, false);
        out.line("one").unwrap();
        out.line("two").unwrap();
        out.json(&json!({})).unwrap();
        out.flush().unwrap();
        assert_eq!(closed.0, 1);
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        assert!(Printer::new(&mut Full, false, false).line("one").is_err());
    }

    #[test]
    fn names_cannot_write_to_the_terminal() {
        assert_eq!(clean("ether2"), "ether2");
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e");
        assert_eq!(printed(|out| out.line("x\u{7}y")), "x\u{fffd}y\n");
    }

    #[test]
    fn colours_are_around_the_line() {
        let mut bytes = Vec::new();
        Printer::new(&mut bytes, false, false).toned(Tone::Bad, "lost").unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "\u{1b}[31mlost\u{1b}[0m\n");
        assert_eq!(printed(|out| out.toned(Tone::Bad, "lost")), "lost\n");
    }

    #[test]
    fn json_is_passed_on_unchanged() {
        let view = json!({ "b": 1, "a": "\u{1b}" });
        let mut bytes = Vec::new();
        let told: Option<Value> = told(view.clone(), &mut Printer::new(&mut bytes, true, false)).unwrap();
        assert!(told.is_none());
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), view);
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
