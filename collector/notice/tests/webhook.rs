//! Webhooks against a server on this machine that answers what the test wants it to.
#![allow(clippy::unwrap_used)] // helpers of tests may unwrap as tests do

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    thread::{self, JoinHandle},
};

use takar_notice::{
    Attachment, Content, Lang, Outcome, Post, Zone,
    config::RawNotice,
    queue::{self, Batch, Rules, Ways},
    sample,
};
use takar_shared::UnixMillis;

const SECRET: &str = "sixteen or more characters";
const NOW: UnixMillis = UnixMillis(1_795_486_380_500);

/// Answers once; what it was asked comes back.
fn answering(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = stream.read(&mut part).unwrap();
            text.extend_from_slice(&part[..read]);
            if read == 0 || is_whole(&String::from_utf8_lossy(&text)) {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(text).unwrap()
    });
    (port, asked)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    header(head, "content-length").is_some_and(|length| length.parse::<usize>().unwrap() <= body.len())
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut found = head.lines().filter_map(|line| line.split_once(": "));
    found.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn batch(url: &str) -> Batch {
    let mut notices = sample::notices(Lang::En);
    notices.truncate(2);
    let deliveries: Vec<queue::Delivery> = notices
        .iter_mut()
        .flat_map(|notice| {
            notice.to.webhook = Some(url.to_owned());
            queue::deliveries(notice, notice.id, Ways { mail: false, webhook: true })
        })
        .collect();
    queue::plan(NOW, &deliveries, &Rules::default()).remove(0)
}

async fn post(batch: &Batch) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hook.secret");
    fs::write(&path, SECRET).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!("[webhook]\nsecret_file = {path:?}\ntimeout_s = 5\n");
    let settings = toml::from_str::<RawNotice>(&text).unwrap().validate().unwrap();
    Post::new(&settings, Zone::named("WIB").unwrap()).unwrap().send(batch, NOW).await
}

/// What became of a batch that was answered so.
async fn outcome(answer: &'static str) -> Outcome {
    let (port, asked) = answering(answer);
    let outcome = post(&batch(&format!("http://127.0.0.1:{port}/hook"))).await;
    asked.join().unwrap();
    outcome
}

#[tokio::test]
async fn what_is_posted_is_whole_and_signed() {
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let (port, asked) = answering("HTTP/1.1 204 No Content\r\n\r\n");
    let batch = batch(&format!("http://127.0.0.1:{port}/hook?for=takar"));
    assert_eq!(post(&batch).await, Outcome::Sent { reference: "HTTP 204".into() });
    let asked = asked.join().unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?for=takar HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "content-type").unwrap(), "application/json");
    assert_eq!(header(head, "takar-message").unwrap(), batch.key);

    let signature = header(head, "takar-signature").unwrap();
    let (time, hex) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert_eq!(time, "1795486380");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    mac.verify_slice(&takar_shared::id::unhex(hex).unwrap()).unwrap();

    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(json["message"], batch.key.as_str());
    assert_eq!(json["notices"].as_array().unwrap().len(), 2);
    let first = &json["notices"][0];
    assert_eq!((&first["about"], &first["case"]), (&"case-opened".into(), &42.into()));
    assert_eq!(first["topic"]["lacking"], 12_500_000);
    assert_eq!(first["subject"], "Case 42 opened: re-allocation on magelang-1");
    assert!(!body.contains("siti@office.example"), "an address is nobody else's business");
}

#[tokio::test]
async fn each_answer_means_what_it_says() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\nlater, ok";
    assert_eq!(outcome(busy).await, Outcome::Temporary("HTTP 429 later, ok".into()));
    let empty = |status: &str| -> &'static str {
        Box::leak(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n").into_boxed_str())
    };
    for status in ["200 OK", "202 Accepted"] {
        assert!(matches!(outcome(empty(status)).await, Outcome::Sent { .. }), "{status}");
    }
    for status in ["408 Request Timeout", "500 Internal Server Error", "504 Gateway Timeout"] {
        assert!(matches!(outcome(empty(status)).await, Outcome::Unclear(_)), "{status}");
    }
    assert!(matches!(outcome(empty("503 Service Unavailable")).await, Outcome::Temporary(_)));
    // Nobody is followed elsewhere with what was signed for here.
    for status in ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect", "404 Not Found", "410 Gone"] {
        assert!(matches!(outcome(empty(status)).await, Outcome::Permanent(_)), "{status}");
    }
    assert!(matches!(outcome("").await, Outcome::Unclear(_)), "hung up");
}

#[tokio::test]
async fn nobody_there_and_nowhere_to_go() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = post(&batch(&format!("http://127.0.0.1:{port}/"))).await;
    assert!(matches!(refused, Outcome::Temporary(_)), "{refused:?}");
    let clear = post(&batch("http://isp.example/hook")).await;
    assert!(matches!(clear, Outcome::Permanent(_)), "{clear:?}");
}

#[tokio::test]
async fn files_are_named_and_not_sent() {
    let (port, asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut batch = batch(&format!("http://127.0.0.1:{port}/"));
    let content = Content::Bytes(b"%PDF".to_vec());
    batch.notices[0].attachments =
        vec![Attachment { name: "surat.pdf".into(), mime: "application/pdf".into(), content }];
    assert!(matches!(post(&batch).await, Outcome::Sent { .. }));
    let asked = asked.join().unwrap();
    assert!(asked.contains("\"attachments\":[\"surat.pdf\"]") && !asked.contains("25504446"), "{asked}");
}
