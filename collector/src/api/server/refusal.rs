//! Every refusal of the API: a status and an [`ErrorView`].

use std::time::Duration;

use axum::{
    Json,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};

use crate::{api::query::ApiError, view::ErrorView};

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub problems: Vec<String>,
}

impl Refusal {
    pub fn new(status: StatusCode, problem: impl Into<String>) -> Self {
        Self { status, problems: vec![problem.into()] }
    }

    /// 422: readable, but not what was expected.
    pub fn invalid(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, problem)
    }

    pub fn no_route(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {path}; the API is under /v1"))
    }

    pub fn no_method(method: &Method, path: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} does not take {method}"))
    }

    /// The engine's task is gone: the daemon is on its way down.
    pub fn stopped() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "takar serve is stopping; ask again when it runs")
    }

    pub fn too_slow(limit: Duration) -> Self {
        let problem =
            format!("no answer within {} s; what was asked for may still be done, so look first", limit.as_secs());
        Self::new(StatusCode::GATEWAY_TIMEOUT, problem)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Forbidden(problem) => Self::new(StatusCode::FORBIDDEN, problem),
            ApiError::NotFound(problem) => Self::new(StatusCode::NOT_FOUND, problem),
            ApiError::Conflict(problem) => Self::new(StatusCode::CONFLICT, problem),
            ApiError::Invalid(problems) => Self { status: StatusCode::UNPROCESSABLE_ENTITY, problems },
            ApiError::Failed(problem) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, problem),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorView { problems: self.problems })).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_engine_has_its_status() {
        let cases = [
            (ApiError::Forbidden("a".into()), 403),
            (ApiError::NotFound("a".into()), 404),
            (ApiError::Conflict("a".into()), 409),
            (ApiError::Invalid(vec!["a".into()]), 422),
            (ApiError::Failed("a".into()), 500),
        ];
        for (error, status) in cases {
            let refusal = Refusal::from(error);
            assert_eq!((refusal.status.as_u16(), refusal.problems), (status, vec!["a".to_owned()]));
        }
    }
}
