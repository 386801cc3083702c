//! The description of the API: OpenAPI 3.1, made from the routes themselves.
//!
//! A handler carries `#[utoipa::path]`, its views derive `ToSchema`, its parameters `IntoParams`,
//! and `api::described` names it in `routes!`. What every route may answer is added here, once.

mod nullable;
mod words;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::ObjectBuilder;
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
            nullable::never_in_requests(operation);
        }
    }
    let asked = nullable::asked_schemas(&document);
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
            nullable::required(schema);
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

#[cfg(test)]
mod tests;
