//! The provider, asked for real: a letter by e-mail over a real SMTP server (aiosmtpd), its link opened and answered on
//! the page over TLS, the capacity accepted, planned, allocated and reported. And what a browser may not do, and what
//! becomes of letters and notices while nobody takes them.
//!
//! Needs aiosmtpd (Debian: python3-aiosmtpd), so it runs only when it is asked for by name (`tests/run` does).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command, time::Duration};

use serde_json::Value;
use takar_e2e::{
    lab::{Lab, Site, Traffic},
    people::{Browser, me, token_in},
    post::{Post, link_in},
    process::{Process, free_port, wait_for},
};

const PASSWORD: &str = "kuda laut di Selat Sunda";

#[test]
fn a_provider_is_asked_by_mail_and_answers_once_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (smtp, web) = (free_port().unwrap(), free_port().unwrap());
    let (post, site) = (Post::start(folder.path(), smtp), format!("https://localhost:{web}"));
    let (lab, _serve, _sites) =
        begin(folder.path(), smtp, web, "email = \"noc@isp.example\"\ncontact = \"Tono\"\n", "");
    let add = |name: &str, role: &str, more: &[&str]| add_account(&lab, name, role, more);
    add("ratna", "admin", &[]);
    add("budi", "head", &["--email", "budi@office.example"]);
    // From here on the socket's caller is a member, and no admin.
    add("siti", "member", &["--os-user", &me(), "--email", "siti@office.example"]);

    // A member opens, verifies, and asks: a letter goes out by itself.
    let case = lab.takar(&["open-case", "--link", "kantor-a:up", "--reason", "kelas daring"]);
    let id = case["id"].to_string();
    lab.takar(&["case", &id, "confirm", "--reason", "benar"]);
    lab.takar(&["case", &id, "ask-provider", "--wanted", "24M", "--price", "2000000"]);
    let letter = post.wait("noc@isp.example", |mail| mail.contains("/provider/"));
    assert!(letter.contains("takar@office.example") && letter.contains("letter.id."), "{letter}");
    let sent = wait_for("the letter to be noted as sent", Duration::from_secs(20), || {
        let case = lab.takar(&["case", &id]);
        Ok(case["case"]["provider"]["sent"].is_array().then_some(case))
    })
    .unwrap();
    assert_eq!(sent["case"]["provider"]["sent"][1], "e-mail to noc@isp.example");

    // Looking decides nothing, however often: mail scanners open links.
    let browser = Browser::new(&site);
    let path = link_in(&letter, &site);
    for _ in 0..3 {
        let (status, page) = browser.get(&path);
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("20 → 24 Mbps") && page.contains("<form"), "{page}");
    }
    assert!(lab.takar(&["case", &id])["case"]["provider"]["answer"].is_null());
    let forged = format!("{}A", path.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    assert_eq!(browser.get(&forged).0, 404);
    assert_eq!(browser.post(&path, &[("answer", "agree")]).0, 200, "without a name it is asked again");
    let answer = [("answer", "agree"), ("name", "Tono Wijaya"), ("ticket", "T-77"), ("promised", "2030-01-02")];
    let (status, page) = browser.post(&path, &answer);
    assert_eq!(status, 200, "{page}");
    // Once.
    let (status, page) = browser.post(&path, &[("answer", "refuse"), ("name", "Mallory")]);
    assert_eq!(status, 409, "{page}");
    let case = lab.takar(&["case", &id]);
    let said = &case["case"]["provider"]["answer"];
    assert_eq!((&said["agreed"], &said["by"], &said["ticket"]), (&true.into(), &"Tono Wijaya".into(), &"T-77".into()));
    let trail = case["trail"].as_array().unwrap();
    let answered = trail.iter().find(|one| one["record"]["what"]["act"] == "answered").unwrap();
    assert_eq!(answered["who"], "provider:isp");
    assert!(answered["record"]["from"].as_str().unwrap().starts_with("link of case"), "{answered:#}");
    post.wait("siti@office.example", |mail| mail.contains("T-77"));

    // Accepted: the register has the capacity, and the case goes on with it.
    lab.takar(&["case", &id, "accept", "--measured", "23.6M"]);
    let plan = lab.takar(&["propose", "--move", "kantor-a:up:14M", "--reason", "kapasitas baru"]);
    assert_eq!(plan["proposals"][0]["budget_bps"], 24_000_000);
    // The head decides on the page, whoever is at the socket proposed it.
    let head = Browser::new(&site);
    assert_eq!(head.get("/").0, 303, "nobody looks without logging in");
    assert_eq!(head.log_in("budi", "wrong password!").0, 403);
    assert_eq!(head.log_in("budi", PASSWORD).0, 303);
    let (status, page) = head.get(&format!("/cases/{id}"));
    assert_eq!(status, 200);
    let proposal = plan["proposals"][0]["id"].to_string();
    let approve = format!("/cases/{id}/approve");
    assert_eq!(head.post(&approve, &[("proposal", &proposal)]).0, 403, "a form without its token");
    let csrf = token_in(&page);
    assert_eq!(head.post(&approve, &[("csrf", &csrf), ("proposal", "999")]).0, 409, "another proposal");
    assert_eq!(head.post(&approve, &[("csrf", &csrf), ("proposal", &proposal)]).0, 303);
    let case = wait_for("the report", Duration::from_secs(60), || {
        let case = lab.takar(&["case", &id]);
        Ok((case["state"] == "receive").then_some(case))
    })
    .unwrap_or_else(|error| panic!("{error}\n{:#}", lab.takar(&["case", &id])));
    assert_eq!(case["kind"], "addition");
    let file =
        case["papers"].as_array().unwrap().iter().find(|paper| paper["kind"] == "report").unwrap()["files"][0]["path"]
            .clone();
    let (status, _) = head.get(&format!("/papers/{}", file.as_str().unwrap()));
    assert_eq!(status, 200);
    assert_eq!(head.get("/papers/../takar.db").0, 404);
    post.wait("budi@office.example", |mail| mail.contains(case["report"].as_str().unwrap()));
    assert_eq!(head.post(&format!("/cases/{id}/receive"), &[("csrf", &csrf), ("remark", "baik")]).0, 303);
    assert_eq!(lab.takar(&["case", &id])["state"], "archived");
    // A member may look, and not approve; nobody without an account may anything.
    let member = Browser::new(&site);
    assert_eq!(member.log_in("siti", PASSWORD).0, 303);
    assert_eq!((member.get("/cases").0, member.get("/accounts").0, member.get("/v1/status").0), (200, 403, 200));
    assert_eq!(Browser::new(&site).get("/v1/status").0, 401);
    // A click in a mail leads to the case, and not to the log-in of somebody who has logged in.
    let sent_on = member.get_from_elsewhere(&format!("/cases/{id}")).unwrap();
    assert_eq!((sent_on.as_str(), member.get(&sent_on).0), (format!("/cases/{id}").as_str(), 200));
    let admin = Browser::new(&site);
    assert_eq!(admin.log_in("ratna", PASSWORD).0, 303);
    let (_, page) = admin.get("/accounts");
    let csrf = token_in(&page);
    let (status, page) = admin.post("/accounts/ratna/disable", &[("csrf", &csrf)]);
    assert_eq!(status, 422, "the last admin stays");
    assert!(page.contains("ratna"));
}

/// Neither the mail server nor the provider's webhook is there when there is something to tell; the collector is killed
/// meanwhile. Nothing is lost, the person on duty is told, and both get theirs when they are there.
#[test]
fn what_cannot_be_delivered_is_kept_and_delivered_later() {
    let folder = tempfile::tempdir().unwrap();
    let (smtp, web, hook) = (free_port().unwrap(), free_port().unwrap(), free_port().unwrap());
    let site = format!("https://localhost:{web}");
    let secret = folder.path().join("hook-secret");
    fs::write(&secret, "rahasia bersama yang panjang").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let webhook = format!("[notice.webhook]\nsecret_file = \"{}\"\n", secret.display());
    let provider = format!("webhook = \"http://localhost:{hook}/permohonan\"\n");
    let (lab, mut serve, _sites) = begin(folder.path(), smtp, web, &provider, &webhook);
    add_account(&lab, "ratna", "admin", &[]);
    add_account(&lab, "siti", "member", &["--os-user", &me(), "--email", "siti@office.example"]);
    let id = lab.takar(&["open-case", "--link", "kantor-a:up", "--reason", "kelas daring"])["id"].to_string();
    lab.takar(&["case", &id, "confirm", "--reason", "benar"]);
    lab.takar(&["case", &id, "ask-provider", "--wanted", "24M", "--price", "2000000"]);
    wait_for("the trouble to be told", Duration::from_secs(30), || {
        let notices = lab.takar(&["status"])["notices"].to_string();
        Ok(notices.contains("could not be delivered so far").then_some(()))
    })
    .unwrap();
    serve.kill().unwrap();
    let _serve = lab.serve();

    let post = Post::start(folder.path(), smtp);
    let taken = folder.path().join("hook");
    let mut receiver = Command::new("/usr/bin/python3");
    receiver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/receiver.py")).args(["--port", &hook.to_string()]);
    receiver.arg("--secret-file").arg(&secret).arg("--folder").arg(&taken);
    let _receiver = Process::start("receiver", receiver, &folder.path().join("hook.log")).unwrap();
    let asked: Value = wait_for("the request to be posted", Duration::from_secs(200), || {
        Ok(fs::read(taken.join("000.json")).ok().map(|bytes| serde_json::from_slice(&bytes).unwrap()))
    })
    .unwrap_or_else(|error| panic!("{error}\n{:#}", lab.takar(&["status"])));
    assert_eq!(asked["signed"], true, "{asked:#}");
    let text = asked["body"]["notices"][0]["text"].as_str().unwrap();
    let browser = Browser::new(&site);
    let answer = [("answer", "agree"), ("name", "Tono Wijaya"), ("ticket", "T-78")];
    assert_eq!(browser.post(&link_in(text, &site), &answer).0, 200);
    post.wait("siti@office.example", |mail| mail.contains("T-78"));
    wait_for("nothing left to be told", Duration::from_secs(60), || {
        let notices = lab.takar(&["status"])["notices"].to_string();
        Ok((!notices.contains("could not be delivered")).then_some(()))
    })
    .unwrap();
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 1, "once");
}

/// A collector with pages, mail and two offices; `provider` is more of the provider's entry, `notice` of the config.
fn begin(folder: &Path, smtp: u16, web: u16, provider: &str, notice: &str) -> (Lab, Process, Vec<Site>) {
    let rules = format!(
        "[procedure]\nweek = {{ mon = \"00:00-24:00\", tue = \"00:00-24:00\", wed = \"00:00-24:00\", \
         thu = \"00:00-24:00\", fri = \"00:00-24:00\", sat = \"00:00-24:00\", sun = \"00:00-24:00\" }}\n\
         [web]\nlisten = \"127.0.0.1:{web}\"\nurl = \"https://localhost:{web}\"\n\
         [notice]\ndigest_after_s = 0\n\
         [notice.mail]\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\nfrom = \"Takar <takar@office.example>\"\n\
         {notice}"
    );
    let traffic = Traffic { profile: "fair", seed: 1, sites: 2, capacity_bps: 20_000_000 };
    let (lab, serve) = Lab::start(folder, traffic, &rules);
    let sites = vec![lab.site("kantor-a", 0), lab.site("kantor-b", 1)];
    lab.import(&sites);
    // Where the provider is written to.
    let register = folder.join("inventory.toml");
    let text = fs::read_to_string(&register).unwrap();
    fs::write(&register, text.replace("title = \"ISP\"\n", &format!("title = \"ISP\"\n{provider}"))).unwrap();
    lab.takar(&["import", register.to_str().unwrap()]);
    (lab, serve, sites)
}

fn add_account(lab: &Lab, name: &str, role: &str, more: &[&str]) {
    let password = lab.dir.join("pw");
    fs::write(&password, PASSWORD).unwrap();
    let words =
        ["account", "add", name, "--role", role, "--title", name, "--password-file", password.to_str().unwrap()];
    lab.takar(&[&words[..], more].concat());
}
