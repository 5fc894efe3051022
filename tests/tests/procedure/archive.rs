//! The archive: what was altered is found.

use super::office;

#[test]
fn an_altered_paper_is_found() {
    let office = office("fair", "");
    let id = office.opened("kantor-a");
    office.act(id, &["confirm", "--reason", "benar"]);
    office.act(id, &["conclude", "--reason", "ditunda tahun depan"]);
    let case = office.wait_case(id, "receive");
    assert_eq!(office.lab.takar(&["archive", "verify"])["ok"], true);
    let index = std::fs::read_to_string(office.archive().join("index.jsonl")).unwrap();
    assert_eq!(index.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(index.lines().next().unwrap()).unwrap();
    assert_eq!((&line["number"], &line["case"]), (&case["papers"][0]["number"], &id.into()));

    let path = office.archive().join(line["files"][0]["path"].as_str().unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.push(b' ');
    std::fs::write(&path, bytes).unwrap();
    let mut command = std::process::Command::new(office.lab.programs.join("takar"));
    command.arg("--config").arg(office.lab.dir.join("takar.toml")).args(["archive", "verify"]);
    let verify = command.output().unwrap();
    assert_eq!(verify.status.code(), Some(4), "{}", String::from_utf8_lossy(&verify.stdout));
    assert!(String::from_utf8_lossy(&verify.stdout).contains("was altered since it was written"));
}
