//! Mail against a server that speaks just enough SMTP to say what the test wants it to say.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

#[path = "smtp/sink.rs"]
mod sink;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use takar_notice::{
    Attachment, Content, Lang, Outcome, Post, Zone,
    config::RawNotice,
    queue::{self, Batch, Rules, State, Ways},
    sample,
};

use sink::{Sink, Talk};

fn batch() -> Batch {
    let mut notice = sample::notices(Lang::Id).remove(0);
    notice.urgent = true;
    let content = Content::Bytes(b"%PDF-1.7 as it is".to_vec());
    notice.attachments = vec![Attachment { name: "surat.pdf".into(), mime: "application/pdf".into(), content }];
    let deliveries = queue::deliveries(&notice, 1, Ways { mail: true, webhook: false });
    queue::plan(sample::NOW, &deliveries, &Rules::default()).remove(0)
}

fn post(port: u16, more: &str) -> Post {
    let text = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\ntimeout_s = 5\n\
         from = \"Takar <takar@office.example>\"\n{more}"
    );
    let settings = toml::from_str::<RawNotice>(&text).unwrap().validate().unwrap();
    Post::new(&settings, Zone::named("WIB").unwrap()).unwrap()
}

async fn send(sink: &Sink) -> Outcome {
    post(sink.port, "").send(&batch(), sample::NOW).await
}

fn line<'a>(message: &'a str, start: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {message}"))
}

#[tokio::test]
async fn the_dialogue() {
    let sink = Sink::start(vec![Talk::default()]).await;
    let outcome = send(&sink).await;
    assert_eq!(outcome, Outcome::Sent { reference: "250 2.0.0 queued as 4711".into() });
    let seen = sink.seen();
    assert_eq!(seen.commands[1..], ["MAIL FROM:<takar@office.example>", "RCPT TO:<siti@office.example>", "DATA"]);
    assert!(seen.commands[0].starts_with("EHLO "), "{:?}", seen.commands);
    let message = &seen.messages[0];
    assert_eq!(line(message, "From: "), "From: Takar <takar@office.example>");
    assert_eq!(line(message, "Auto-Submitted: "), "Auto-Submitted: auto-generated");
    assert_eq!(line(message, "Subject: "), "Subject: Kasus 42 dibuka: re-alokasi bandwidth di magelang-1");
    assert_eq!(line(message, "Date: "), "Date: Tue, 24 Nov 2026 02:12:01 +0000");
    assert!(message.contains("filename=\"surat.pdf\"") && message.contains("JVBERi0xLjcgYXMgaXQgaXM="), "{message}");
}

#[tokio::test]
async fn later_means_later_and_it_is_the_same_message_then() {
    let later = Talk { data: "451 4.7.1 greylisted, try again", ..Talk::default() };
    let sink = Sink::start(vec![later, Talk::default()]).await;
    let now = sample::NOW;
    let mut notice = sample::notices(Lang::En).remove(0);
    notice.urgent = true;
    let delivery = queue::deliveries(&notice, 1, Ways { mail: true, webhook: false }).remove(0);
    let rules = Rules::default();
    let post = post(sink.port, "");

    let batch = queue::plan(now, std::slice::from_ref(&delivery), &rules).remove(0);
    let outcome = post.send(&batch, now).await;
    assert!(matches!(&outcome, Outcome::Temporary(why) if why.contains("greylisted")), "{outcome:?}");
    let delivery = delivery.started(&batch, now).settled(&outcome, now);
    assert!(queue::plan(now.plus(59_000), std::slice::from_ref(&delivery), &rules).is_empty());

    let now = now.plus(60_000);
    let batch = queue::plan(now, std::slice::from_ref(&delivery), &rules).remove(0);
    let delivery = delivery.started(&batch, now).settled(&post.send(&batch, now).await, now);
    assert!(matches!(delivery.state, State::Sent { .. }), "{delivery:?}");
    let seen = sink.seen();
    assert_eq!(line(&seen.messages[0], "Message-ID: "), line(&seen.messages[1], "Message-ID: "));
}

#[tokio::test]
async fn a_refusal_is_final_unless_it_is_us_who_are_refused() {
    let no_user = Talk { rcpt: "550 5.1.1 no such user", ..Talk::default() };
    let not_now = Talk { hello: "554 5.7.1 not today", ..Talk::default() };
    let sink = Sink::start(vec![no_user, not_now]).await;
    let outcome = send(&sink).await;
    assert!(matches!(&outcome, Outcome::Permanent(why) if why.contains("no such user")), "{outcome:?}");
    let outcome = send(&sink).await;
    assert!(matches!(&outcome, Outcome::Temporary(why) if why.contains("not today")), "{outcome:?}");
}

#[tokio::test]
async fn what_the_server_never_answered_may_have_arrived() {
    let silent = Talk { data: "", ..Talk::default() };
    let wrong = Talk { data: "252 something else", ..Talk::default() };
    let sink = Sink::start(vec![silent, wrong]).await;
    for _ in 0..2 {
        let outcome = send(&sink).await;
        assert!(matches!(outcome, Outcome::Unclear(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_temporary() {
    let sink = Sink::start(Vec::new()).await;
    let port = sink.port;
    drop(sink);
    let outcome = post(port, "").send(&batch(), sample::NOW).await;
    assert!(matches!(outcome, Outcome::Temporary(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_wrong_password_is_for_people_to_mend_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let more = login(&dir.path().join("password"));
    let wrong = Talk { auth: "535 5.7.8 wrong password", ..Talk::default() };
    let sink = Sink::start(vec![wrong, Talk::default()]).await;
    let post = post(sink.port, &more);
    let outcome = post.send(&batch(), sample::NOW).await;
    assert!(matches!(&outcome, Outcome::Temporary(why) if why.contains("wrong password")), "{outcome:?}");
    assert!(matches!(post.send(&batch(), sample::NOW).await, Outcome::Sent { .. }));
    // printf '\0takar\0open sesame' | base64
    assert!(sink.seen().commands.contains(&"AUTH PLAIN AHRha2FyAG9wZW4gc2VzYW1l".to_owned()));
}

#[tokio::test]
async fn no_password_in_the_clear_where_tls_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let sink = Sink::start(vec![Talk::default()]).await;
    let text = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"starttls\"\nfrom = \"takar@office.example\"\n{}",
        sink.port,
        login(&dir.path().join("password"))
    );
    let settings = toml::from_str::<RawNotice>(&text).unwrap().validate().unwrap();
    let post = Post::new(&settings, Zone::named("WIB").unwrap()).unwrap();
    let outcome = post.send(&batch(), sample::NOW).await;
    assert!(matches!(&outcome, Outcome::Temporary(why) if why.contains("STARTTLS")), "{outcome:?}");
    assert_eq!(sink.seen().commands.iter().filter(|command| !command.starts_with("EHLO")).count(), 0);
}

fn login(path: &Path) -> String {
    fs::write(path, "open sesame\n").unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    format!("user = \"takar\"\npassword_file = {path:?}\n")
}
