//! What is late and what is stuck: a step beyond its standard time, a template of the office's that does not compile.

use std::{fs, time::Duration};

use takar_e2e::process::wait_for;

use super::{office, office_with, steps};

/// The shortest standard time there is.
const A_MINUTE_EACH: &str = "standard_minutes = [1, 1, 1, 1, 1, 1]\n";

#[test]
fn a_step_beyond_its_standard_time_is_overdue_everywhere() {
    let office = office_with("fair", A_MINUTE_EACH, "");
    let slow = office.opened("kantor-b");
    assert_eq!(office.case(slow)["overdue"], false);
    let status = wait_for("the case to be overdue, and told", Duration::from_secs(120), || {
        let told = office.lab.takar(&["audit", "list"]);
        let told = told.as_array().into_iter().flatten().any(|one| one["record"]["what"]["act"] == "overdue");
        Ok(told.then(|| office.lab.takar(&["status"])))
    })
    .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", office.case(slow), office.log()));
    assert_eq!((&status["cases_open"], &status["cases_overdue"]), (&1.into(), &1.into()));
    let notices = status["notices"].as_array().unwrap();
    let said = format!("case {slow} is overdue in step 2 (identify)");
    assert!(notices.iter().any(|one| one.as_str().unwrap().starts_with(&said)), "{notices:?}");
    // On top of one that is not.
    let quick = office.lab.takar(&["open-case", "--link", "kantor-a:down", "--reason", "lambat"])["id"].as_u64();
    let cases = office.lab.takar(&["cases"]);
    let rows: Vec<_> =
        cases.as_array().unwrap().iter().map(|row| (row["id"].as_u64(), row["overdue"].as_bool())).collect();
    assert_eq!(rows, [(Some(slow), Some(true)), (quick, Some(false))]);
    // Late is late, also when it is done.
    let case = office.act(slow, &["dismiss", "--reason", "sudah normal"]);
    assert_eq!((&case["steps"][1]["overdue"], &case["overdue"]), (&true.into(), &false.into()));
}

/// An office that moves from Jakarta to Jayapura: what was worked was worked, and papers say the new hour.
#[test]
fn a_zone_that_changes_turns_no_clock_back() {
    let mut office = office_with("fair", "zone = \"WIB\"\n", "");
    let id = office.opened("kantor-a");
    let before = office.case(id);
    office._serve.end();
    let config = office.lab.dir.join("takar.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("zone = \"WIB\""));
    fs::write(&config, text.replace("zone = \"WIB\"", "zone = \"WIT\"")).unwrap();
    office._serve = office.lab.serve();
    let case = office.act(id, &["confirm", "--reason", "benar"]);
    let step = |case: &serde_json::Value| case["steps"][1].clone();
    assert_eq!(step(&case)["began_at"], step(&before)["began_at"]);
    assert_eq!(step(&case)["due_at"], step(&before)["due_at"]);
    assert!(step(&case)["worked_ms"].as_u64() >= step(&before)["worked_ms"].as_u64());
    office.act(id, &["conclude", "--reason", "cukup"]);
    let case = office.wait_case(id, "receive");
    assert_eq!(case["overdue"], false);
    let files = case["papers"][0]["files"].as_array().unwrap();
    let page = files.iter().filter_map(|file| file["path"].as_str()).find(|path| path.ends_with(".id.html")).unwrap();
    let page = fs::read_to_string(office.archive().join(page)).unwrap();
    assert!(page.contains(" WIT") && !page.contains(" WIB"), "{page}");
}

#[test]
fn a_template_that_does_not_compile_is_told_and_the_report_comes_when_it_does() {
    let templates = tempfile::tempdir().unwrap();
    let template = templates.path().join("report.typ");
    fs::write(&template, "#let broken = (\n").unwrap();
    let office = office("fair", &format!("[papers]\ntemplates = {:?}\n", templates.path()));
    assert!(
        office.lab.programs.join("takar-pdf").exists(),
        "expected takar-pdf beside takar: cargo build -p takar-pdf"
    );
    let id = office.opened("kantor-a");
    office.act(id, &["confirm", "--reason", "benar"]);
    office.act(id, &["conclude", "--reason", "cukup"]);
    let said = wait_for("the trouble to be told", Duration::from_secs(30), || {
        let status = office.lab.takar(&["status"]);
        let notices = status["notices"].as_array().unwrap();
        let said = notices.iter().filter_map(|one| one.as_str()).find(|one| one.contains("report cannot be drawn"));
        Ok(said.map(str::to_owned))
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", office.log()));
    assert!(said.contains("could not be written, and is tried again") && said.contains("report.typ:1"), "{said}");
    assert_eq!(steps(&office.case(id)).last(), Some(&"report"));
    assert_eq!(office.lab.takar(&["papers"]).as_array().unwrap().len(), 0, "no number is spent");

    fs::remove_file(&template).unwrap();
    let case = office.wait_case(id, "receive");
    let papers = office.lab.takar(&["papers"]);
    let files = papers[0]["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["path"].as_str().unwrap().ends_with(".id.pdf")), "{files:?}");
    assert_eq!(case["report"], papers[0]["number"]);
    let status = office.lab.takar(&["status"]);
    assert!(!status["notices"].to_string().contains("could not be written"), "{status:#}");
}
