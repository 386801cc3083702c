//! The document that is served, and what of an answer it doesn't describe.

use std::collections::BTreeSet;

use jsonschema::Draft;
use reqwest::Method;
use serde_json::{Map, Value, json};

const PROBLEM: &str = "application/problem+json";

pub struct Document(Value);

impl Document {
    pub fn new(mut document: Value) -> Document {
        let schemas = document["components"]["schemas"].as_object_mut();
        let schemas = schemas.expect("schemas");
        let parts = parts(schemas);
        for (name, schema) in schemas {
            close(schema, parts.contains(name));
        }
        Document(document)
    }

    /// Such as `GET /services`.
    pub fn operations(&self) -> BTreeSet<String> {
        let paths = self.0["paths"].as_object().expect("paths");
        let each = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(Map::keys);
            let methods =
                methods.filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()));
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        });
        each.collect()
    }

    /// What is not as described: the status, the content type, or the body.
    pub fn wrong(
        &self,
        method: &Method,
        template: &str,
        status: u16,
        kind: &str,
        body: &str,
    ) -> Vec<String> {
        let method = method.as_str().to_lowercase();
        let answers = &self.0["paths"][template][&method]["responses"];
        let described = &answers[status.to_string()];
        if !described.is_object() {
            return vec![format!("status {status} is not described: {body:.300}")];
        }
        let Some(content) = described["content"].as_object() else {
            let empty = body.is_empty();
            return Vec::from_iter((!empty).then(|| "a body that is not described".to_owned()));
        };
        let Some(schema) = content.get(kind).map(|content| &content["schema"]) else {
            return vec![format!(
                "content type {kind:?} of {status} is not described"
            )];
        };
        if status >= 400 && kind == PROBLEM {
            let status_within = serde_json::from_str::<Value>(body).ok();
            let status_within = status_within.and_then(|problem| problem["status"].as_u64());
            if status_within != Some(status.into()) {
                return vec![format!(
                    "a problem of another status than {status}: {body:.300}"
                )];
            }
        }
        let value = if kind.ends_with("json") {
            match serde_json::from_str(body) {
                Ok(value) => value,
                Err(error) => return vec![format!("no JSON: {error}")],
            }
        } else {
            Value::String(body.to_owned())
        };
        self.departures(schema, &value)
    }

    fn departures(&self, schema: &Value, value: &Value) -> Vec<String> {
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.0["components"],
        });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&root)
            .expect("a schema");
        let errors = validator.iter_errors(value);
        let errors = errors.map(|error| format!("{}: {error:.300}", error.instance_path()));
        errors.take(5).collect()
    }
}

/// A field that isn't described is wrong, though the document leaves room for new ones.
fn close(schema: &mut Value, is_part: bool) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    if fields.contains_key("allOf") {
        fields.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    } else if fields.contains_key("properties") && !is_part {
        let closed = fields.entry("additionalProperties");
        closed.or_insert(Value::Bool(false));
    }
}

/// Schemas that are part of an `allOf`: closed, they would refuse the fields of the other parts.
fn parts(schemas: &Map<String, Value>) -> BTreeSet<String> {
    let all_of = schemas
        .values()
        .filter_map(|schema| schema["allOf"].as_array());
    let references = all_of.flatten().filter_map(|part| part["$ref"].as_str());
    references
        .filter_map(|to| to.rsplit('/').next())
        .map(str::to_owned)
        .collect()
}

/// What the contract test rests on: it does see what is wrong.
#[test]
fn departures_from_the_document_are_seen() {
    let answer = |schema: &str| json!({"$ref": format!("#/components/schemas/{schema}")});
    let document = Document::new(json!({
        "paths": {"/jobs": {"get": {"responses": {
            "200": {"content": {"application/json": {"schema": answer("Job")}}},
            "304": {"description": "nothing"},
            "404": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
        }}}},
        "components": {"schemas": {
            "Job": {"allOf": [answer("Base"), {"type": "object", "properties": {
                "state": {"enum": ["done", "failed"]}}}]},
            "Base": {"type": "object", "required": ["at"], "properties": {
                "at": {"type": "string", "format": "date-time"},
                "rows": {"type": ["integer", "null"], "minimum": 0}}},
        }},
    }));
    let check = |status, kind: &str, body: &str, is_wrong: bool| {
        let wrong = document.wrong(&Method::GET, "/jobs", status, kind, body);
        assert_eq!(
            !wrong.is_empty(),
            is_wrong,
            "{status} {kind} {body}: {wrong:?}"
        );
    };
    let json = "application/json";
    check(
        200,
        json,
        r#"{"at": "2026-01-01T00:00:00Z", "rows": null, "state": "done"}"#,
        false,
    );
    check(
        200,
        json,
        r#"{"at": "2026-01-01T00:00:00Z", "state": "lost"}"#,
        true,
    );
    check(200, json, r#"{"at": "yesterday"}"#, true);
    check(200, json, r#"{"rows": 1}"#, true);
    check(
        200,
        json,
        r#"{"at": "2026-01-01T00:00:00Z", "rows": -1}"#,
        true,
    );
    check(
        200,
        json,
        r#"{"at": "2026-01-01T00:00:00Z", "new": 1}"#,
        true,
    );
    check(200, json, "no JSON", true);
    check(200, "text/html", "{}", true);
    check(204, "", "", true);
    check(304, "", "", false);
    check(304, "", "more", true);
    check(404, PROBLEM, r#"{"status": 404}"#, false);
    check(404, PROBLEM, r#"{"status": 500}"#, true);
}
