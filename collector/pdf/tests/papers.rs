//! The program as it is used: papers in, PDF out; what is wrong with a template is told, and nothing half-done.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use takar_report::{Lang, Zone, document, sample};

fn given(document: &impl serde::Serialize, model: &impl serde::Serialize) -> String {
    json!({"document": document, "model": model}).to_string()
}

fn report(lang: Lang) -> String {
    let model = sample::case_report();
    given(&document::case_report(&model, &sample::office(), &Zone::WIB, lang), &model)
}

fn draw(template: &str, templates: Option<&Path>, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_takar-pdf"));
    command.args(["--template", template]);
    if let Some(folder) = templates {
        command.arg("--templates").arg(folder);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses does not read all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn drawn(template: &str, input: &str) -> Vec<u8> {
    let output = draw(template, None, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(output.stdout.starts_with(b"%PDF-1."), "{said}");
    output.stdout
}

/// One line each, and nothing on standard output.
fn refused(template: &str, templates: &Path, input: &str) -> String {
    let output = draw(template, Some(templates), input);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_paper_is_drawn_in_both_languages() {
    for lang in Lang::ALL {
        drawn("report", &report(lang));
        let model = sample::refused();
        drawn("report", &given(&document::case_report(&model, &sample::office(), &Zone::WIB, lang), &model));
        let model = sample::provider_request();
        drawn("letter", &given(&document::letter(&model, &sample::office(), &Zone::WIB, lang), &model));
        let model = sample::summary(60);
        drawn("summary", &given(&document::summary(&model, &sample::office(), &Zone::WIB, lang), &model));
    }
}

#[test]
fn the_same_paper_is_the_same_file() {
    let input = report(Lang::Id);
    assert_eq!(drawn("report", &input), drawn("report", &input));
}

#[test]
fn what_people_wrote_is_text() {
    let mut model = sample::case_report();
    model.remarks[0].text = "#panic(\"x\") $x$ *b* \\ #let".into();
    // One that no font has, too.
    model.sites[0].site_title = "#read(\"/etc/passwd\") \u{1f680}".into();
    drawn("report", &given(&document::case_report(&model, &sample::office(), &Zone::WIB, Lang::En), &model));
}

#[test]
fn a_template_that_does_not_compile_is_told_by_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("report.typ"), "#let a = 1\n#nothing(a)\n").unwrap();
    let said = refused("report", folder.path(), &report(Lang::Id));
    assert_eq!(said.trim(), "template report.typ:2:2: unknown variable: nothing");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_template_sees_its_folder_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("/etc/hostname", at("outside.txt")).unwrap();
    let input = report(Lang::Id);
    for wrong in [
        "#read(\"../secret\")",
        "#read(\"outside.txt\")",
        "#read(\"/etc/passwd\")",
        "#import \"@preview/tablex:0.0.9\": tablex",
    ] {
        std::fs::write(at("report.typ"), wrong).unwrap();
        assert!(!refused("report", folder.path(), &input).is_empty(), "{wrong}");
    }
    // Its own things it has.
    std::fs::write(at("note.txt"), "of the office").unwrap();
    std::fs::write(at("report.typ"), "#read(\"note.txt\") #json(\"document.json\").number").unwrap();
    assert!(draw("report", Some(folder.path()), &input).status.success());
}

#[test]
fn a_template_without_an_end_ends() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("report.typ"), "#let f(n) = f(n + 1)\n#f(0)\n").unwrap();
    assert!(refused("report", folder.path(), &report(Lang::Id)).contains("maximum function call depth exceeded"));
}

#[test]
fn wrong_use_and_wrong_input_are_told() {
    let refused = |input: &str| {
        let output = draw("report", None, input);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{input}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("").contains("expected {\"document\""));
    assert!(refused("{\"document\": {}}").contains("missing field `model`"));
    assert!(!refused(&json!({"document": {}, "model": Value::Null}).to_string()).is_empty());
    let wrong = draw("../report", None, "");
    assert_eq!(wrong.status.code(), Some(2));
}
