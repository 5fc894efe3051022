//! One operation: its route, and what its users are told of it.

use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Engine;

/// How a type is described, its parts put into the generator's definitions.
pub type Describe = fn(&mut SchemaGenerator) -> Schema;

pub struct Operation {
    pub path: &'static str,
    /// In lower case, as OpenAPI writes it.
    pub method: &'static str,
    pub summary: &'static str,
    pub params: Option<Describe>,
    pub body: Option<Describe>,
    pub answer: Describe,
    pub route: MethodRouter<Engine>,
}

impl Operation {
    /// Answers with a `T`.
    pub fn get<T: JsonSchema>(path: &'static str, summary: &'static str, route: MethodRouter<Engine>) -> Self {
        let answer = |schemas: &mut SchemaGenerator| schemas.subschema_for::<T>();
        Self { path, method: "get", summary, params: None, body: None, answer, route }
    }

    /// Answers with a `T`.
    pub fn post<T: JsonSchema>(path: &'static str, summary: &'static str, route: MethodRouter<Engine>) -> Self {
        Self { method: "post", ..Self::get::<T>(path, summary, route) }
    }

    /// Takes the fields of `T` in the query string.
    pub fn params<T: JsonSchema>(self) -> Self {
        // By value, not by reference: its fields are looked at.
        Self { params: Some(|schemas| T::json_schema(schemas)), ..self }
    }

    pub fn body<T: JsonSchema>(self) -> Self {
        Self { body: Some(|schemas| schemas.subschema_for::<T>()), ..self }
    }
}
