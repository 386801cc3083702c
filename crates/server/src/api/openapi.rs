//! The description of the API: OpenAPI 3.1, made from the routes themselves.
//!
//! A handler carries `#[utoipa::path]`, its views derive `ToSchema`, its parameters `IntoParams`,
//! and `api::described` names it in `routes!`. What every route may answer is added here, once.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema,
};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::problem::Problem;

pub(in crate::api) use words::words;
pub use words::{
    ComponentWord, Crossing, GapWord, IncidentKindWord, IncidentStatus, Instant, Length, Level,
    LogOutcomeWord, PartWord, PredictionWord, ServiceState, SeverityWord, Time,
};

const PROBLEM: &str = "application/problem+json";

/// What any route may answer, and when.
const EVERYWHERE: [(StatusCode, &str); 7] = [
    (
        StatusCode::BAD_REQUEST,
        "A parameter, header or body is missing, wrong or unknown; `detail` says which, and what it must be.",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "There is access control, and the request doesn't show who asks.",
    ),
    (
        StatusCode::FORBIDDEN,
        "This request may not ask for it; `detail` says why.",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "Too many wrong tokens came from this address; Retry-After says how many seconds to wait.",
    ),
    (
        StatusCode::URI_TOO_LONG,
        "Path and query have more than 8 KiB.",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "It failed inside Bellwether, whose log says why.",
    ),
    (StatusCode::GATEWAY_TIMEOUT, "No answer within 30 seconds."),
];

/// What a route that takes a body may answer beside that.
const WITH_BODY: [(StatusCode, &str); 3] = [
    (
        StatusCode::REQUEST_TIMEOUT,
        "The body did not arrive within 30 seconds.",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body has more than 64 KiB.",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is not of the content type that is taken.",
    ),
];

/// What is answered to a head that is too long, without a body: no route has seen it.
const BEFORE_ROUTES: (StatusCode, &str) = (
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "The head of the request has more than 32 KiB, or more than 100 headers.",
);

/// Queries that may also be sent as a form.
const BY_FORM: [&str; 4] = [
    "/prometheus/api/v1/query",
    "/prometheus/api/v1/query_range",
    "/prometheus/api/v1/series",
    "/prometheus/api/v1/labels",
];

/// The subjects, in the order in which they are read.
const TAGS: [(&str, &str); 13] = [
    ("services", "What is watched, and how it is now."),
    (
        "incidents",
        "What went wrong, with all that explains it, and what operators do about it.",
    ),
    ("decisions", "What was decided about a series, and why."),
    ("logs", "Log lines, and patterns of them that moved."),
    ("events", "Changes that people and pipelines post."),
    (
        "datasets",
        "The judged samples that are kept of each series.",
    ),
    ("training", "Models, and the jobs that train them."),
    ("health", "How Bellwether itself is."),
    (
        "prometheus",
        "The embedded store in the format of Prometheus: 404 where a Prometheus is asked instead. Unknown parameters are ignored, as Prometheus does. Refusals are Prometheus's own JSON.",
    ),
    ("access", "Who may come in, and who changed what."),
    (
        "paging",
        "Who is told of incidents, what they were told, and what is withheld.",
    ),
    ("configuration", "What is set, and taking a new one over."),
    ("description", "This document, and the page that shows it."),
];

/// The refusals of a route that needs a service: none of that name, or none known yet.
pub struct OfService;

impl IntoResponses for OfService {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals([
            (StatusCode::NOT_FOUND, "No such service, or metric."),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "No services are known yet, for Prometheus has not been read.",
            ),
        ])
    }
}

/// The refusal of a route that needs something by its number or name.
pub struct NotThere;

impl IntoResponses for NotThere {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals([(StatusCode::NOT_FOUND, "There is none of that name.")])
    }
}

/// Answers that are problems.
pub fn refusals<const N: usize>(
    which: [(StatusCode, &str); N],
) -> BTreeMap<String, RefOr<Response>> {
    let each = which.into_iter();
    each.map(|(status, when)| {
        let response = ResponseBuilder::new().description(when);
        let response = response.content(PROBLEM, problem());
        (status.as_str().to_owned(), response.build().into())
    })
    .collect()
}

/// The whole document, from what the routes say of themselves.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Bellwether")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "What changed, when, which service, what do the logs say. Times in answers are RFC 3339 in UTC with milliseconds; requests also take epoch seconds. Lists are `{items, next_cursor}`. Errors are problem details (RFC 9457). Parameters that a route does not know are refused.",
        ))
        .build();
    let tag = |(name, about)| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    };
    document.tags = Some(TAGS.map(tag).into());
    for (path, item) in &mut document.paths.paths {
        if BY_FORM.contains(&path.as_str()) {
            item.post = item.get.as_ref().map(by_form);
        }
        for (method, operation) in operations_mut(item) {
            operation.operation_id = Some(operation_id(method, path));
            add_everywhere(method, operation);
            never_null(operation);
        }
    }
    let asked = asked_schemas(&document);
    let components = document.components.get_or_insert_default();
    // What routes refer to without a body of their own.
    let shared = [
        (Problem::name(), Problem::schema()),
        (Instant::name(), Instant::schema()),
        (Length::name(), Length::schema()),
    ];
    components
        .schemas
        .extend(shared.map(|(name, schema)| (name.into_owned(), schema)));
    for (name, schema) in &mut components.schemas {
        if !asked.contains(name) {
            require_nullable(schema);
        }
    }
    document
}

/// The operations of a path, by method in small letters.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let each = [
        ("get", &item.get),
        ("post", &item.post),
        ("put", &item.put),
        ("delete", &item.delete),
    ];
    each.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let each = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("delete", &mut item.delete),
    ];
    each.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Such as `post_api_v1_incidents_id_ack`: names of handlers are short, and several are alike.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(method)
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn add_everywhere(method: &str, operation: &mut Operation) {
    let answers = &mut operation.responses.responses;
    let with_body = if method == "get" { &[][..] } else { &WITH_BODY };
    for (status, when) in EVERYWHERE.iter().chain(with_body) {
        let answer = answers
            .entry(status.as_str().to_owned())
            .or_insert_with(|| ResponseBuilder::new().description(*when).build().into());
        // One that a route describes itself may have another content type beside.
        if let RefOr::T(answer) = answer {
            answer
                .content
                .entry(PROBLEM.to_owned())
                .or_insert_with(|| problem().into());
        }
    }
    let (status, when) = BEFORE_ROUTES;
    let answer = ResponseBuilder::new().description(when).build();
    answers.insert(status.as_str().to_owned(), answer.into());
}

/// What a request may leave out is left out, never null.
fn never_null(operation: &mut Operation) {
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

fn problem() -> Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build()
}

/// A query that is sent as a form, because it is long.
fn by_form(query: &Operation) -> Operation {
    let mut operation = query.clone();
    let mut form = ObjectBuilder::new();
    for parameter in operation.parameters.take().into_iter().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        if parameter.required == Required::True {
            form = form.required(&parameter.name);
        }
        form = form.property(
            &parameter.name,
            parameter.schema.unwrap_or_else(String::schema),
        );
    }
    let content = ContentBuilder::new()
        .schema(Some(RefOr::T(Schema::from(form))))
        .build();
    let body = RequestBodyBuilder::new().content("application/x-www-form-urlencoded", content);
    operation.request_body = Some(body.build().into());
    operation
}

/// Names of the schemas of request bodies.
fn asked_schemas(document: &OpenApi) -> BTreeSet<String> {
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
fn require_nullable(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for (name, property) in &object.properties {
                if is_nullable(property) && !object.required.contains(name) {
                    object.required.push(name.clone());
                }
            }
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_nullable),
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde_json::Value;

    use super::super::described;

    /// `BLESS=1 cargo test -p server openapi` writes it anew.
    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let (_, document) = described();
        let served = document.to_pretty_json().unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &served).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = committed.lines().zip(served.lines()).find(|(a, b)| a != b);
        assert!(
            committed == served,
            "docs/openapi.json is not what is served ({differs:?}): BLESS=1 cargo test -p server --lib openapi"
        );
    }

    /// A parameter's words must be `#[param(inline)]`: only bodies bring their schemas along.
    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(described().1).unwrap();
        let mut references = BTreeSet::new();
        collect(&document, &mut references);
        let lost = |to: &&String| document.pointer(to.trim_start_matches('#')).is_none();
        let lost: Vec<_> = references.iter().filter(lost).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn operations_have_names_of_their_own_subjects_and_a_summary() {
        let (_, document) = described();
        let mut names = BTreeSet::new();
        let subjects = super::TAGS.map(|(name, _)| name);
        for (path, item) in &document.paths.paths {
            for (method, operation) in super::operations(item) {
                let id = operation.operation_id.clone().unwrap();
                assert!(names.insert(id), "{method} {path}");
                let tags = operation.tags.clone().unwrap_or_default();
                assert!(
                    tags.len() == 1 && subjects.contains(&tags[0].as_str()),
                    "{method} {path}: {tags:?}"
                );
                assert!(operation.summary.is_some(), "{method} {path}");
            }
        }
    }

    /// Of two with one name, the document would keep one for both.
    #[test]
    fn every_schema_has_a_name_of_its_own() {
        let mut names = BTreeMap::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    for name in schema_names(&text) {
                        let other = names.insert(name.clone(), path.clone());
                        assert_eq!(other, None, "{name} also in {path:?}: #[schema(as = …)]");
                    }
                }
            }
        }
        assert!(names.len() > 50, "{names:?}");
    }

    /// The names under which a source file's types become schemas.
    fn schema_names(text: &str) -> Vec<String> {
        let word = |text: &str| {
            let end = text.find(|letter: char| !letter.is_alphanumeric());
            text[..end.unwrap_or(text.len())].to_owned()
        };
        let (mut names, mut derived, mut renamed) = (Vec::new(), false, None);
        for line in text.lines() {
            derived |= line.starts_with("#[derive(") && line.contains("ToSchema");
            if let Some((_, name)) = line.split_once("#[schema(as = ") {
                renamed = Some(word(name));
            }
            let item = line.trim_start_matches("pub ");
            let item = item.strip_prefix("struct ").or(item.strip_prefix("enum "));
            if let Some(item) = item.filter(|_| derived) {
                names.push(renamed.take().unwrap_or_else(|| word(item)));
                derived = false;
            }
        }
        names
    }

    fn collect(value: &Value, references: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                let to = fields.get("$ref").and_then(Value::as_str);
                references.extend(to.map(str::to_owned));
                fields.values().for_each(|field| collect(field, references));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
}
