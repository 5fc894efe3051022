//! PDF by `takar-pdf`, a program of its own: the compiler of a template is large, and what goes wrong in it stays there.

use std::{
    io::ErrorKind,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use takar_report::document::Document;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use super::Given;
use crate::config::Papers;

/// Beside this program unless the config names another.
const PROGRAM: &str = "takar-pdf";
/// A paper of some thousand pages.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

pub enum NoPdf {
    /// The program is not installed: papers are written without.
    NotThere(String),
    Failed(String),
}

pub async fn draw(
    papers: &Papers,
    template: &str,
    document: &Document,
    model: &str,
    within: Duration,
) -> Result<Vec<u8>, NoPdf> {
    let failed = |why: String| NoPdf::Failed(why);
    let program = program(papers).map_err(NoPdf::NotThere)?;
    let model =
        serde_json::value::RawValue::from_string(model.to_owned()).map_err(|error| failed(error.to_string()))?;
    let given = Given { document, model: &model };
    let given = serde_json::to_vec(&given).map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(&program);
    command.arg("--template").arg(template).env_clear();
    // Each of its threads takes address space, of which it has a limit.
    command.env("RAYON_NUM_THREADS", "2");
    if let Some(templates) = &papers.templates {
        command.arg("--templates").arg(templates);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound && papers.pdf_program.is_none() => {
            return Err(NoPdf::NotThere(format!("{} is not there", program.display())));
        }
        Err(error) => return Err(failed(format!("{} cannot be started: {error}", program.display()))),
    };
    let finished = tokio::time::timeout(within, exchange(child, given)).await;
    match finished {
        Err(_) => Err(failed(format!("{template} was not drawn within {} s", within.as_secs()))),
        Ok(Err(error)) => Err(failed(format!("{}: {error}", program.display()))),
        Ok(Ok((status, pdf, _))) if status.success() && pdf.starts_with(b"%PDF") => Ok(pdf),
        Ok(Ok((status, _, said))) => {
            let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
            Err(failed(format!("{template} cannot be drawn ({status}): {said}")))
        }
    }
}

fn program(papers: &Papers) -> Result<PathBuf, String> {
    if let Some(program) = &papers.pdf_program {
        return Ok(program.clone());
    }
    let own = std::env::current_exe().map_err(|error| format!("where {PROGRAM} may lie is not known: {error}"))?;
    let beside = own.with_file_name(PROGRAM);
    if beside.exists() { Ok(beside) } else { Err(format!("{} is not there", beside.display())) }
}

/// All of it in, all of it out: both at once, since either side may wait for the other.
async fn exchange(mut child: tokio::process::Child, given: Vec<u8>) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async move {
        if let Some(mut stdin) = stdin {
            // A program that ends without reading says why on its other end.
            let _ = stdin.write_all(&given).await;
        }
    };
    let read = |pipe: Option<tokio::process::ChildStdout>| async move {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            pipe.take(MOST_BYTES).read_to_end(&mut bytes).await?;
        }
        std::io::Result::Ok(bytes)
    };
    let complain = async move {
        let mut bytes = Vec::new();
        if let Some(stderr) = stderr {
            stderr.take(16 * 1024).read_to_end(&mut bytes).await?;
        }
        std::io::Result::Ok(bytes)
    };
    let ((), pdf, said) = tokio::join!(write, read(stdout), complain);
    let status = child.wait().await?;
    Ok((status, pdf?, said?))
}
