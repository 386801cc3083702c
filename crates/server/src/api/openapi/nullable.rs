//! What may be null: nothing in a request, where it is left out instead; in an answer what can be
//! null is there, and null.

use std::collections::BTreeSet;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};

use super::operations;

/// What a request may leave out is left out, never null.
pub fn never_in_requests(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
            && let SchemaType::Array(kinds) = &object.schema_type
            && let Some(kind) = kinds.iter().find(|kind| **kind != Type::Null).cloned()
        {
            object.schema_type = SchemaType::Type(kind);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content
                && let Some(RefOr::T(Schema::OneOf(one))) = &content.schema
                && let Some(named) = one.items.iter().find(|item| !is_nullable(item)).cloned()
            {
                content.schema = Some(named);
            }
        }
    }
}

/// Names of the schemas of request bodies.
pub fn asked_schemas(document: &OpenApi) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in document.paths.paths.values() {
        for (_, operation) in operations(item) {
            let Some(RefOr::T(body)) = &operation.request_body else {
                continue;
            };
            for content in body.content.values() {
                if let RefOr::T(content) = content
                    && let Some(schema) = &content.schema
                {
                    names.extend(named(schema));
                }
            }
        }
    }
    names
}

/// The names that a schema refers to: itself, or any of several.
fn named(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::Ref(to) => to
            .ref_location
            .rsplit('/')
            .next()
            .map(str::to_owned)
            .into_iter()
            .collect(),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().flat_map(named).collect(),
        RefOr::T(_) => Vec::new(),
    }
}

/// In answers what can be null is there, and null; what can be left out is marked as not nullable.
pub fn required(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for (name, property) in &object.properties {
                if is_nullable(property) && !object.required.contains(name) {
                    object.required.push(name.clone());
                }
            }
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(required),
        _ => {}
    }
}

fn is_nullable(schema: &RefOr<Schema>) -> bool {
    let is_null = |kind: &SchemaType| match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => is_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => is_null(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(is_nullable),
        _ => false,
    }
}
