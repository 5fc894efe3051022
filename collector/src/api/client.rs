//! The API's client: one request on a connection of its own. Every `takar` command but `serve` is made of these.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::UnixStream;

use super::MAX_BODY;
use crate::view::ErrorView;

/// Longer than the server's own limit, so that the server is the one to say that it took too long.
const TIMEOUT: Duration = Duration::from_secs(35);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("takar serve does not answer on {}; start it with takar serve --config FILE", .socket.display())]
    NotRunning { socket: PathBuf },
    #[error("{} may not be opened by this account; expected root or a member of the socket's group", .socket.display())]
    Denied { socket: PathBuf },
    /// What the daemon has against it, one line a problem.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
    /// The two sides do not understand each other, or the connection broke.
    #[error("{0}")]
    Protocol(String),
}

/// `GET`.
pub async fn get(socket: &Path, path_and_query: &str) -> Result<Value, ClientError> {
    call(socket, Method::GET, path_and_query, None::<&()>).await
}

/// `POST` with a JSON body.
pub async fn post(socket: &Path, path_and_query: &str, body: &impl Serialize) -> Result<Value, ClientError> {
    call(socket, Method::POST, path_and_query, Some(body)).await
}

/// Asks and waits for the answer, at most [`TIMEOUT`].
pub async fn call(
    socket: &Path,
    method: Method,
    path_and_query: &str,
    body: Option<&impl Serialize>,
) -> Result<Value, ClientError> {
    let body = body.map(serde_json::to_vec).transpose();
    let body = body.map_err(|error| ClientError::Protocol(format!("the question is no JSON: {error}")))?;
    let body = body.unwrap_or_default();
    if body.len() > MAX_BODY {
        let problem = format!("{} bytes to send; expected at most {} MiB", body.len(), MAX_BODY >> 20);
        return Err(ClientError::Refused(vec![problem]));
    }
    let request = Request::builder()
        .method(method)
        .uri(path_and_query)
        .header(HOST, "takar")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| ClientError::Protocol(format!("{path_and_query} cannot be asked for: {error}")))?;
    let stream = UnixStream::connect(socket).await.map_err(|error| no_connection(socket, &error))?;
    match tokio::time::timeout(TIMEOUT, exchange(stream, request)).await {
        Ok(answered) => {
            let (status, bytes) = answered?;
            read(status, &bytes)
        }
        Err(_) => Err(ClientError::Protocol(format!(
            "takar serve on {} gave no answer within {} s; what was asked for may still be done, so look first",
            socket.display(),
            TIMEOUT.as_secs()
        ))),
    }
}

fn no_connection(socket: &Path, error: &std::io::Error) -> ClientError {
    let socket = socket.to_owned();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => ClientError::NotRunning { socket },
        ErrorKind::PermissionDenied => ClientError::Denied { socket },
        _ => ClientError::Protocol(format!("cannot connect to {}: {error}", socket.display())),
    }
}

async fn exchange(stream: UnixStream, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), ClientError> {
    let broke = |error: &dyn std::fmt::Display| {
        ClientError::Protocol(format!("the connection broke: {error}; what was asked for may still be done"))
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broke(&error))?;
    // Its error, if any, is the request's error too.
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    let response = sender.send_request(request).await.map_err(|error| broke(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| broke(&error))?;
    drop(sender);
    driver.abort();
    Ok((status, body.to_bytes()))
}

fn read(status: StatusCode, bytes: &[u8]) -> Result<Value, ClientError> {
    if status.is_success() {
        return serde_json::from_slice(bytes)
            .map_err(|error| ClientError::Protocol(format!("the answer is no JSON: {error}; is that takar serve?")));
    }
    match serde_json::from_slice(bytes) {
        Ok(ErrorView { problems }) if !problems.is_empty() => Err(ClientError::Refused(problems)),
        _ => Err(ClientError::Protocol(format!("refused with {status} and no reason; is that takar serve?"))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[tokio::test]
    async fn no_socket_and_a_dead_one_are_not_running() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        let error = get(&path, "/v1/status").await.unwrap_err();
        assert!(matches!(&error, ClientError::NotRunning { socket } if *socket == path));
        assert!(error.to_string().contains("takar serve does not answer on"), "{error}");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(matches!(get(&path, "/v1/status").await.unwrap_err(), ClientError::NotRunning { .. }));
    }

    #[test]
    fn a_closed_socket_is_denied() {
        let denied = no_connection(Path::new("/run/takar/takar.sock"), &ErrorKind::PermissionDenied.into());
        assert!(matches!(denied, ClientError::Denied { .. }));
        let odd = no_connection(Path::new("/run/takar/takar.sock"), &ErrorKind::NotADirectory.into());
        assert!(matches!(odd, ClientError::Protocol(_)));
    }

    #[tokio::test]
    async fn a_file_in_place_of_the_socket_is_not_running() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("takar.sock");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(get(&path, "/v1/status").await.unwrap_err(), ClientError::NotRunning { .. }));
    }

    #[test]
    fn a_refusal_without_a_reason_is_not_taken_for_one() {
        let refused = read(StatusCode::CONFLICT, br#"{"problems":["declined already"]}"#).unwrap_err();
        assert!(matches!(refused, ClientError::Refused(problems) if problems == ["declined already"]));
        for bytes in [&b"{\"problems\":[]}"[..], b"<html>", b""] {
            assert!(matches!(read(StatusCode::BAD_GATEWAY, bytes).unwrap_err(), ClientError::Protocol(_)));
        }
        assert!(matches!(read(StatusCode::OK, b"hello").unwrap_err(), ClientError::Protocol(_)));
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_sent() {
        let body = "x".repeat(MAX_BODY);
        let error = post(Path::new("/nowhere"), "/v1/import", &body).await.unwrap_err();
        assert!(matches!(error, ClientError::Refused(_)), "{error}");
    }
}
