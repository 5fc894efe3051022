//! `takar-pdf`: draws a paper as PDF. What it is to draw comes on standard input, `{"document": …, "model": …}` in JSON;
//! the PDF goes to standard output.
//!
//! It is a program of its own: the typst compiler is large, so the daemon stays small without it; a template that goes
//! wrong, or never ends, takes nothing down with it; and whoever does not draw papers need not build it.
//!
//! Exit codes: 0 drawn; 1 it cannot be drawn, one line a problem on standard error; 2 wrong use.

mod complain;
mod world;

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;
use serde_json::value::RawValue;
use typst::{World as _, foundations::Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use world::{Files, PaperWorld};

/// Of what is read.
const MOST_INPUT: u64 = 64 * 1024 * 1024;
/// A paper of thousands of rows takes a third of it.
const MOST_MEMORY: u64 = 1024 * 1024 * 1024;
/// A template that computes for longer does not end.
const MOST_SECONDS: u64 = 60;

/// Draws a paper as PDF: {"document": …, "model": …} on standard input, the PDF on standard output.
///
/// It takes at most 1 GiB of memory and 60 s of a processor; nothing is fetched from anywhere.
#[derive(clap::Parser)]
#[command(name = "takar-pdf", version)]
struct Args {
    /// report, summary, letter, or another of the office's own.
    #[arg(long, value_name = "NAME", value_parser = template_name)]
    template: String,
    /// A folder with the office's own NAME.typ, its emblem, and fonts/; what is not there is Takar's own.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// What comes on standard input. Both are passed on as they are.
#[derive(Deserialize)]
struct Given {
    document: Box<RawValue>,
    model: Box<RawValue>,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match draw(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                let _ = writeln!(std::io::stderr(), "{}", problem.replace('\n', " "));
            }
            ExitCode::FAILURE
        }
    }
}

fn draw(args: &Args) -> Result<(), Vec<String>> {
    limit(Resource::As, MOST_MEMORY)?;
    limit(Resource::Cpu, MOST_SECONDS)?;
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(MOST_INPUT + 1).read_to_end(&mut input);
    read.map_err(|error| vec![format!("standard input cannot be read: {error}")])?;
    if input.len() as u64 > MOST_INPUT {
        return Err(vec![format!("more than {} MiB on standard input", MOST_INPUT >> 20)]);
    }
    let expected = "expected {\"document\": …, \"model\": …} on standard input";
    let given: Given = serde_json::from_slice(&input).map_err(|error| vec![format!("{expected}: {error}")])?;
    let files = Files::new(args.templates.clone(), given.document.get(), given.model.get());
    let world = PaperWorld::new(&args.template, files).map_err(|problem| vec![problem])?;
    let pdf = compile(&world).map_err(|errors| complain::lines(&world, &errors))?;
    let mut out = std::io::stdout().lock();
    let written = out.write_all(&pdf).and_then(|()| out.flush());
    written.map_err(|error| vec![format!("standard output cannot be written: {error}")])
}

fn compile(world: &PaperWorld) -> typst::diag::SourceResult<Vec<u8>> {
    let document: PagedDocument = typst::compile(world).output?;
    // For archives: every font inside, nothing from elsewhere (ISO 19005-2). A paper with a character that no font has
    // cannot be that, and is drawn all the same.
    let archived = PdfStandards::new(&[PdfStandard::A_2b]).unwrap_or_default();
    typst_pdf::pdf(&document, &options(world, archived))
        .or_else(|_| typst_pdf::pdf(&document, &options(world, PdfStandards::default())))
}

fn options(world: &PaperWorld, standards: PdfStandards) -> PdfOptions {
    // Of a template that sets no date: the paper's own, so that the same paper is the same file.
    let timestamp = world.today(None).map(Timestamp::new_utc);
    PdfOptions { ident: Smart::Custom(world.ident().into()), timestamp, standards, ..PdfOptions::default() }
}

/// Whatever is allowed already, never more.
fn limit(resource: Resource, most: u64) -> Result<(), Vec<String>> {
    let now = getrlimit(resource);
    let most = now.maximum.map_or(most, |maximum| maximum.min(most));
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|error| vec![format!("a limit cannot be set: {error}")])
}

/// One name, which leads nowhere else.
fn template_name(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_plain { Ok(text.to_owned()) } else { Err("expected a name of letters, digits, - and _".into()) }
}
