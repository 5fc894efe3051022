//! What is wrong with a template, one line each: file, line, column, what, and what may help.

use typst::{World as _, WorldExt as _, diag::SourceDiagnostic};

use crate::world::PaperWorld;

/// Problems that are told; what follows is mostly a consequence.
const MOST: usize = 20;

pub fn lines(world: &PaperWorld, errors: &[SourceDiagnostic]) -> Vec<String> {
    let mut lines: Vec<String> = errors.iter().take(MOST).map(|error| line(world, error)).collect();
    if errors.len() > MOST {
        lines.push(format!("and {} more", errors.len() - MOST));
    }
    lines
}

fn line(world: &PaperWorld, error: &SourceDiagnostic) -> String {
    let place = error.span.id().and_then(|id| {
        let source = world.source(id).ok()?;
        let at = world.range(error.span)?.start;
        let (line, column) = source.lines().byte_to_line_column(at)?;
        Some(format!("{}:{}:{}", id.get().vpath().get_without_slash(), line + 1, column + 1))
    });
    let place = place.unwrap_or_else(|| "template".into());
    let hints: Vec<&str> = error.hints.iter().map(|hint| hint.v.as_str()).collect();
    let hints = if hints.is_empty() { String::new() } else { format!(" ({})", hints.join("; ")) };
    format!("template {place}: {}{hints}", error.message)
}
