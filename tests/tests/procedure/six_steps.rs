//! A link starves: found, verified, proposed, approved by policy, applied, confirmed, reported; the head receives.

use std::time::Duration;

use takar_e2e::process::wait_for;

use super::{evidence, office, read, steps};

#[test]
fn a_starving_link_goes_through_all_six_steps_by_itself() {
    let office = office(
        "skewed",
        "[policy]\napprove = true\nmax_gain_per_mille = 1000\n[plan]\nhold_down_s = 5\n\
         [assess]\nwindow = 4\nsaturated_count = 3\nlook_back = 6\n",
    );
    let first = wait_for("a case", Duration::from_secs(90), || {
        let cases = office.lab.takar(&["cases"]);
        Ok(cases.as_array().and_then(|all| all.iter().filter_map(|case| case["id"].as_u64()).min()))
    });
    let id = first.unwrap_or_else(|error| panic!("{error}\n{}", office.log()));
    let case = office.wait_case(id, "receive");

    assert_eq!(steps(&case), ["check", "identify", "coordinate", "allocate", "report", "receive"]);
    assert!(case["origin"].as_str().unwrap().starts_with("finding "), "{case:#}");
    let verification = evidence(&case, "verification");
    assert_eq!(verification["verdict"], "confirmed", "{verification:#}");
    for check in verification["checks"].as_array().unwrap() {
        assert_ne!(check["outcome"], "failed", "{verification:#}");
        assert!(!check["told"].as_str().unwrap().is_empty());
    }
    let told = |what: &str| {
        let checks = verification["checks"].as_array().unwrap();
        checks.iter().find(|check| check["what"] == what).unwrap()["outcome"].clone()
    };
    // The simulator tells its interface's duplex and status: agents carry it here.
    assert_eq!(
        (told("duplex"), told("device-up"), told("sustained")),
        ("passed".into(), "passed".into(), "passed".into())
    );
    assert!(!evidence(&case, "check").as_array().unwrap().is_empty());
    assert_eq!(evidence(&case, "options")[0]["way"], "within-contract");
    assert_eq!(case["proposals"].as_array().unwrap().last().unwrap()["decided_by"], "policy");
    let changes = evidence(&case, "allocation")["changes"].as_array().unwrap().clone();
    assert!(changes.iter().all(|change| change["state"] == "confirmed" && !change["receipts"][0].is_null()));

    // Within seconds of Confirmed the report is there, in both languages.
    let began = |step: &str| {
        let all = case["steps"].as_array().unwrap();
        all.iter().find(|one| one["step"] == step).unwrap()["began_at"].as_u64().unwrap()
    };
    let wrote_ms = began("receive") - began("report");
    assert!(wrote_ms < 30_000, "the report took {wrote_ms} ms");
    let files = case["papers"][0]["files"].as_array().unwrap();
    for ending in [".id.html", ".en.html", ".id.xlsx", ".en.xlsx", ".json"] {
        let file = files.iter().find(|file| file["path"].as_str().unwrap().ends_with(ending));
        let path = office
            .archive()
            .join(file.unwrap_or_else(|| panic!("no {ending} in {files:#?}"))["path"].as_str().unwrap());
        assert_eq!(read(&path).len() as u64, file.unwrap()["bytes"].as_u64().unwrap());
    }

    let case = office.act(id, &["receive", "--remark", "Diterima dengan baik"]);
    assert_eq!(case["state"], "archived");
    let refused = office.refused(&["case", &id.to_string(), "remark", "late"]);
    assert!(refused.contains("the case is archived"), "{refused}");
    let total_ms = case["case"]["received"]["at"].as_u64().unwrap() - case["opened_at"].as_u64().unwrap();
    println!("from the case's opening to its archive {:.1} s, where the procedure has 3.5 h", total_ms as f64 / 1000.0);
    assert_eq!(office.lab.takar(&["audit", "verify"])["ok"], true);
    assert_eq!(office.lab.takar(&["archive", "verify"])["ok"], true);
}
