//! What a request says, read so that a mistake is answered with one clear line.
//!
//! 400: not JSON, or a path or query that cannot be read. 413: too large. 422: JSON of another shape.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};

use super::refusal::Refusal;
use crate::view::DeviceBody;

/// The JSON body. Its content type is not looked at: nothing but JSON is spoken here.
pub struct Body<T>(pub T);

/// The body of `/v1/devices` and `/v1/devices/approve`.
pub struct Device(pub DeviceBody);

/// The `{id}` in the path.
pub struct Id(pub u64);

/// The query string.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        read_json(&bytes(request, state).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Device {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        device(read_json(&bytes(request, state).await?)?).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        // By its name: over TLS the page's router has put a part of the path beside it.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let id = params.iter().flatten().find(|(name, _)| *name == "id").and_then(|(_, text)| text.parse().ok());
        id.map(Self).ok_or_else(|| {
            let problem = format!("{}: expected a number in the path", parts.uri.path());
            Refusal::new(StatusCode::BAD_REQUEST, problem)
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Refusal::new(rejection.status(), rejection.body_text())),
        }
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let problem = format!("the body is larger than {} MiB", crate::api::MAX_BODY >> 20);
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, problem)
        }
        status => Refusal::new(status, rejection.body_text()),
    })
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => Refusal::invalid(format!("body: {error}")),
        Category::Syntax | Category::Eof | Category::Io => {
            Refusal::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
        }
    })
}

/// By the key that is there: the untagged enum itself could only say that no variant matched.
fn device(body: Value) -> Result<DeviceBody, Refusal> {
    let Value::Object(mut fields) = body else {
        return Err(Refusal::invalid("body: expected an object"));
    };
    let (request, added) = (fields.remove("request"), fields.remove("added"));
    let replace = match fields.remove("replace") {
        None => false,
        Some(Value::Bool(replace)) => replace,
        Some(_) => return Err(Refusal::invalid("replace: expected true or false")),
    };
    if let Some(unknown) = fields.keys().next() {
        return Err(Refusal::invalid(format!(
            "{unknown:?}: unknown; expected \"request\" or \"added\", and \"replace\""
        )));
    }
    match (request, added) {
        (Some(request), None) => serde_json::from_value(request)
            .map(|request| DeviceBody::Request { request, replace })
            .map_err(|error| Refusal::invalid(format!("request: {error}"))),
        (None, Some(Value::String(added))) => Ok(DeviceBody::Added { added, replace }),
        (None, Some(_)) => Err(Refusal::invalid("added: expected a name or a fingerprint")),
        _ => Err(Refusal::invalid("body: expected either \"request\" or \"added\"")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_device_body_is_told_by_its_key() {
        let added = device(json!({ "added": "core-1" })).unwrap();
        assert!(matches!(added, DeviceBody::Added { added, replace: false } if added == "core-1"));
        let request = json!({ "takar_request": 1, "name": "core-1", "public_key": "00", "fingerprint": "00",
            "devices": [], "signature": "00" });
        let body = device(json!({ "request": request })).unwrap();
        assert!(matches!(body, DeviceBody::Request { request, replace: false } if request.name == "core-1"));
        let body = device(json!({ "request": request, "replace": true })).unwrap();
        assert!(matches!(body, DeviceBody::Request { replace: true, .. }));
        let body = device(json!({ "added": "core-1", "replace": true })).unwrap();
        assert!(matches!(body, DeviceBody::Added { replace: true, .. }));
    }

    /// What the client writes is what is read here.
    #[test]
    fn a_device_body_is_read_as_it_was_written() {
        for replace in [false, true] {
            let written = serde_json::to_value(DeviceBody::Added { added: "core-1".into(), replace }).unwrap();
            let read = device(written).unwrap();
            assert!(matches!(read, DeviceBody::Added { replace: read, .. } if read == replace));
        }
    }

    #[test]
    fn a_wrong_device_body_is_told_what_is_missing() {
        let problem = |body| device(body).unwrap_err().problems.join("\n");
        assert!(problem(json!({ "request": { "takar_request": 1 } })).contains("missing field `name`"));
        assert!(problem(json!({ "added": 7 })).contains("expected a name"));
        assert!(problem(json!({ "added": "core-1", "replace": "yes" })).contains("replace: expected true or false"));
        assert!(problem(json!({ "added": "core-1", "replaces": true })).contains("\"replaces\": unknown"));
        assert!(problem(json!({})).contains("either"));
        assert!(problem(json!([])).contains("an object"));
    }

    #[test]
    fn not_json_is_400_and_other_json_422() {
        assert_eq!(read_json::<Vec<u8>>(b"[1,").unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(read_json::<Vec<u8>>(b"[1] 2").unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(read_json::<Vec<u8>>(b"{\"a\":1}").unwrap_err().status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
