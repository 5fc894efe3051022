//! The OpenAPI document (OpenAPI Specification 3.1), made of the table that the router is made of.

use std::collections::BTreeMap;

use schemars::{
    Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};

use super::operation::Operation;
use crate::view::ErrorView;

pub const PATH: &str = "/v1/openapi.json";

const ABOUT: &str = "\
Rates are integer bit/s, times are milliseconds since 1970 (UTC), states are lower-case words. On the unix socket the \
kernel says who asks. Over TLS: POST /login with the form fields name, password and (where the account has one) code, \
send its cookie with every request, and the token of GET /v1/session in x-takar-csrf with whatever is no GET.";

pub fn document(operations: &[Operation]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.transforms.push(Box::new(RecursiveTransform(bounded)));
    });
    let mut schemas = settings.into_generator();
    let refusal = schemas.subschema_for::<ErrorView>();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let described = describe(operation, &mut schemas);
        paths.entry(operation.path).or_default().insert(operation.method.into(), described);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Takar",
            "summary": "The collector's API.",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": { "refused": {
                "description": "What was refused or went wrong, a line each.",
                "content": { "application/json": { "schema": refusal } },
            }},
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": takar_web::auth::cookie::SESSION },
                "csrf": { "type": "apiKey", "in": "header", "name": crate::api::CSRF_HEADER },
            },
        },
    })
}

fn describe(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut parameters = Vec::new();
    let mut refusals = vec![401, 403, 500, 503, 504];
    if operation.path.contains("{id}") {
        let number = json!({ "type": "integer", "format": "uint64", "minimum": 0, "maximum": u64::MAX });
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": number }));
        refusals.extend([400, 404, 409]);
    }
    if let Some(params) = operation.params {
        let mut fields = params(schemas);
        RecursiveTransform(bounded).transform(&mut fields);
        parameters.extend(in_query(&fields.to_value()));
        refusals.extend([400, 404]);
    }
    let mut responses = Map::new();
    if operation.body.is_some() {
        refusals.extend([400, 404, 409, 413, 422]);
    }
    refusals.sort_unstable();
    let answer = (operation.answer)(schemas);
    responses.insert(
        "200".into(),
        json!({ "description": "Done.", "content": { "application/json": { "schema": answer } } }),
    );
    for status in refusals {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/refused" }));
    }
    let mut described = json!({ "summary": operation.summary, "operationId": name(operation), "responses": responses });
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = operation.body {
        let schema = body(schemas);
        described["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    described["security"] = match operation.method {
        _ if operation.path == PATH => json!([]),
        "get" => json!([{ "session": [] }]),
        _ => json!([{ "session": [], "csrf": [] }]),
    };
    described
}

/// Says how large a number may be, which JSON Schema's formats do not.
fn bounded(schema: &mut Schema) {
    if schema.get("format").is_some_and(|format| format == "uint64") {
        schema.insert("maximum".into(), u64::MAX.into());
    }
}

/// The fields of a type, as parameters.
fn in_query(schema: &Value) -> Vec<Value> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields
        .map(|(name, field)| json!({ "name": name, "in": "query", "required": required(name), "schema": field }))
        .collect()
}

/// `get_cases_id`: one for each operation, and a name that a program may have.
fn name(operation: &Operation) -> String {
    let path = operation.path.trim_start_matches("/v1/");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(operation.method).chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::api::server::operations;

    #[test]
    fn every_operation_is_described_once() {
        let operations = operations();
        let document = document(&operations);
        let names: HashSet<String> = operations.iter().map(name).collect();
        assert_eq!(names.len(), operations.len());
        for operation in &operations {
            let described = &document["paths"][operation.path][operation.method];
            assert!(!described["summary"].as_str().unwrap().is_empty(), "{}", operation.path);
            assert_eq!(described["requestBody"].is_object(), operation.body.is_some(), "{}", operation.path);
        }
        let described: usize =
            document["paths"].as_object().unwrap().values().map(|one| one.as_object().unwrap().len()).sum();
        assert_eq!(described, operations.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&operations());
        let mut left = vec![&document];
        let mut found = 0;
        while let Some(value) = left.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let target = document.pointer(reference.strip_prefix('#').unwrap());
                        assert!(target.is_some(), "{reference}");
                        found += 1;
                    }
                    left.extend(fields.values());
                }
                Value::Array(all) => left.extend(all),
                _ => {}
            }
        }
        assert!(found > 50, "{found}");
    }
}
