//! What browsers are told about every answer.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// No script, nothing from elsewhere, in nobody's frame; forms lead here only.
const CONTENT: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                       base-uri 'none'; frame-ancestors 'none'";

/// On every answer, whatever the handler said.
const ALWAYS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT),
    ("x-content-type-options", "nosniff"),
    // Links of providers are secrets: no other site is told where somebody came from.
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    // A year of HTTPS, for this host alone.
    ("strict-transport-security", "max-age=31536000"),
];

/// Middleware for all routes and the fallback: `Router::layer(middleware::from_fn(headers::protect))`.
///
/// Nothing may be kept by caches, but where a handler says so itself: of style sheets, say.
pub async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware, routing::get};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    async fn ask(path: &str) -> Response {
        let careless = || async { ([("content-security-policy", "default-src *")], "page") };
        let routes = Router::new()
            .route("/", get(careless))
            .route("/style", get(|| async { ([(header::CACHE_CONTROL, "max-age=60")], "style") }))
            .layer(middleware::from_fn(protect));
        let request = axum::http::Request::builder().uri(path).body(Body::empty()).unwrap();
        TowerToHyperService::new(routes).call(request).await.unwrap()
    }

    fn of<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
        response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn every_answer_has_them_once() {
        for (path, status) in [("/", StatusCode::OK), ("/nowhere", StatusCode::NOT_FOUND)] {
            let response = ask(path).await;
            assert_eq!(response.status(), status);
            for (name, value) in ALWAYS {
                assert_eq!(of(&response, name), [value], "{path}");
            }
            assert_eq!(of(&response, "cache-control"), ["no-store"], "{path}");
        }
    }

    #[tokio::test]
    async fn only_caching_may_be_said_otherwise() {
        assert_eq!(of(&ask("/style").await, "cache-control"), ["max-age=60"]);
    }

    #[test]
    fn no_policy_lets_script_in() {
        assert!(CONTENT.starts_with("default-src 'none'; "));
        assert!(!CONTENT.contains("script") && !CONTENT.contains("unsafe") && !CONTENT.contains("  "));
    }
}
