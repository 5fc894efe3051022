//! Server and client over a real socket; only the engine behind them is the test's.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use hyper::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinHandle,
};

use super::*;
use crate::{
    api::{
        client::{self, ClientError},
        query::ApiError,
    },
    view::ErrorView,
};

struct Served {
    _dir: tempfile::TempDir,
    socket: PathBuf,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves the answers of `engine`.
fn served(engine: fn(&Query, &Caller) -> Result<Value, ApiError>) -> Served {
    let (sender, mut asked) = mpsc::channel::<Asked>(4);
    tokio::spawn(async move {
        while let Some(Asked { query, caller, reply }) = asked.recv().await {
            let _ = reply.send(engine(&query, &caller));
        }
    });
    with_engine(sender, REQUEST_TIMEOUT)
}

fn with_engine(engine: Engine, timeout: Duration) -> Served {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("takar.sock");
    let listener = bind(&socket, None).unwrap();
    let routes = routes(engine, timeout);
    let server = tokio::spawn(async move {
        axum::serve(listener, routes.into_make_service_with_connect_info::<Peer>()).await.unwrap();
    });
    Served { _dir: dir, socket, server }
}

/// Tells what it was asked.
fn echo(query: &Query, _: &Caller) -> Result<Value, ApiError> {
    Ok(json!(format!("{query:?}")))
}

/// What the wire carries, for what the client would not send.
async fn raw(socket: &Path, request: &str) -> (u16, ErrorView) {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn with_body(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: takar\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn every_route_asks_its_question() {
    let served = served(echo);
    let gets = [
        ("/v1/status", "Status"),
        ("/v1/links", "Links"),
        ("/v1/findings", "Findings { all: false }"),
        ("/v1/findings?all=true", "Findings { all: true }"),
        ("/v1/proposals", "Proposals"),
        ("/v1/changes", "Changes"),
        ("/v1/devices", "Devices"),
        ("/v1/devices/reported", "Reported"),
        ("/v1/maintenance", "Maintenance { all: false }"),
        ("/v1/maintenance?all=true", "Maintenance { all: true }"),
        ("/v1/audit", "Audit { from: 0 }"),
        ("/v1/audit?from=40", "Audit { from: 40 }"),
        ("/v1/audit/verify", "AuditVerify"),
    ];
    for (path, asked) in gets {
        assert_eq!(client::get(&served.socket, path).await.unwrap(), json!(asked), "{path}");
    }
    let posts = [
        ("/v1/import", json!({ "file": "a.toml", "text": "", "dry_run": true }), "Import(ImportBody"),
        (
            "/v1/maintenance",
            json!({ "site": "sd-02", "until": 9, "reason": "fibre" }),
            "MaintenanceAdd(MaintenanceBody { link: None, site: Some(\"sd-02\"), uplink: None, from: None, until: 9",
        ),
        ("/v1/maintenance/3/end", Value::Null, "MaintenanceEnd { id: 3 }"),
        (
            "/v1/links/mode",
            json!({ "link": "sd-02", "mode": "observe" }),
            "LinkMode(LinkModeBody { link: \"sd-02\", mode: \"observe\" })",
        ),
        ("/v1/propose", json!({ "uplink": "ast-01" }), "Propose(ProposeBody { uplink: Some(\"ast-01\"), moves: []"),
        ("/v1/proposals/7/approve", Value::Null, "Approve { proposal: 7 }"),
        ("/v1/proposals/7/decline", json!({ "reason": "exam week" }), "Decline { proposal: 7, body: DeclineBody"),
        (
            "/v1/devices/approve",
            json!({ "added": "core-1" }),
            "DeviceApprove(Added { added: \"core-1\", replace: false }",
        ),
        (
            "/v1/devices/approve",
            json!({ "added": "core-1", "replace": true }),
            "DeviceApprove(Added { added: \"core-1\", replace: true }",
        ),
    ];
    for (path, body, asked) in posts {
        let answer = client::post(&served.socket, path, &body).await.unwrap();
        assert!(answer.as_str().unwrap().starts_with(asked), "{path}: {answer}");
    }
}

#[tokio::test]
async fn approve_needs_no_body() {
    let served = served(echo);
    let answer = client::call(&served.socket, Method::POST, "/v1/proposals/7/approve", None::<&()>).await;
    assert_eq!(answer.unwrap(), json!("Approve { proposal: 7 }"));
}

#[tokio::test]
async fn the_engine_learns_who_asks() {
    let served = served(|_, caller| Ok(json!({ "name": caller.name, "from": caller.from() })));
    let uid = std::fs::metadata(&served.socket).unwrap().uid();
    let answer = client::get(&served.socket, "/v1/status").await.unwrap();
    assert_eq!(answer["from"], json!(format!("socket uid {uid}")));
    if uid == 0 {
        assert_eq!(answer["name"], json!("root"));
    }
}

#[tokio::test]
async fn a_refusal_arrives_with_all_its_lines() {
    let served = served(|query, _| match query {
        Query::Links => Err(ApiError::Invalid(vec!["one".into(), "two".into()])),
        Query::Approve { .. } => Err(ApiError::Conflict("declined already".into())),
        _ => Err(ApiError::Failed("disk full".into())),
    });
    let problems = |error: ClientError| match error {
        ClientError::Refused(problems) => problems,
        other => panic!("expected a refusal, got {other:?}"),
    };
    assert_eq!(problems(client::get(&served.socket, "/v1/links").await.unwrap_err()), ["one", "two"]);
    let conflict = client::post(&served.socket, "/v1/proposals/7/approve", &()).await.unwrap_err();
    assert_eq!(problems(conflict), ["declined already"]);
    assert_eq!(problems(client::get(&served.socket, "/v1/status").await.unwrap_err()), ["disk full"]);
}

#[tokio::test]
async fn what_cannot_be_read_never_reaches_the_engine() {
    let served = served(|query, _| panic!("the engine was asked {query:?}"));
    let request = json!({ "takar_request": 1, "name": "core-1", "public_key": "00", "fingerprint": "00",
        "devices": [], "signature": "00" });
    let asking_to_replace = json!({ "request": request, "replace": true }).to_string();
    let cases = [
        (with_body("/v1/import", "{"), 400, "not JSON"),
        (with_body("/v1/import", ""), 400, "not JSON"),
        (with_body("/v1/import", "{\"file\":\"a\"}"), 422, "missing field `text`"),
        (with_body("/v1/proposals/seven/approve", ""), 400, "expected a number"),
        (with_body("/v1/proposals/-1/approve", ""), 400, "expected a number"),
        (with_body("/v1/devices", "{\"added\":\"core-1\"}"), 422, "request"),
        (with_body("/v1/devices", &asking_to_replace), 422, "replace"),
        (with_body("/v1/devices/approve", "{\"request\":{}}"), 422, "missing field"),
        (with_body("/v1/devices/approve", "{\"added\":\"core-1\",\"replace\":1}"), 422, "true or false"),
        (with_body("/v1/devices/approve", "{\"added\":\"core-1\",\"force\":true}"), 422, "unknown"),
        (with_body("/v1/status", ""), 405, "does not take POST"),
        (with_body("/v2/status", ""), 404, "there is no /v2/status"),
        (with_body("/", ""), 404, "there is no /"),
        ("GET /v1/audit?from=x HTTP/1.1\r\nhost: takar\r\nconnection: close\r\n\r\n".to_owned(), 400, "query string"),
    ];
    for (request, status, says) in cases {
        let (got, view) = raw(&served.socket, &request).await;
        assert_eq!(got, status, "{request}: {view:?}");
        assert!(view.problems.join("\n").contains(says), "{request}: {view:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let served = served(echo);
    // Announced and sent one byte too large; the server may stop reading at any time, so errors of writing are fine.
    let stream = UnixStream::connect(&served.socket).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let request = with_body("/v1/import", &" ".repeat(MAX_BODY + 1));
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(request.as_bytes()).await;
        writer
    });
    let mut head = [0; 12];
    reader.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 413");
    sending.abort();
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_said_so() {
    // Held open and never read from.
    let (sender, _asked) = mpsc::channel(4);
    let served = with_engine(sender, Duration::from_millis(50));
    let (status, view) =
        raw(&served.socket, "GET /v1/links HTTP/1.1\r\nhost: takar\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 504);
    assert!(view.problems[0].contains("no answer within"), "{view:?}");
}

#[tokio::test]
async fn an_engine_that_is_gone_is_said_so() {
    let (sender, asked) = mpsc::channel(4);
    drop(asked);
    let served = with_engine(sender, REQUEST_TIMEOUT);
    let (status, view) =
        raw(&served.socket, "GET /v1/links HTTP/1.1\r\nhost: takar\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 503);
    assert!(view.problems[0].contains("stopping"), "{view:?}");
}

#[tokio::test]
async fn a_daemon_that_stopped_does_not_answer() {
    let served = served(echo);
    assert!(client::get(&served.socket, "/v1/status").await.is_ok());
    served.server.abort();
    while !served.server.is_finished() {
        tokio::task::yield_now().await;
    }
    let error = client::get(&served.socket, "/v1/status").await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error:?}");
}
