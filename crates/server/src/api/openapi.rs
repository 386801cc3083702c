//! The description of the API: OpenAPI 3.1, made from the routes themselves.
//!
//! A handler carries `#[utoipa::path]`, its views derive `ToSchema`, and `api::routes` names it in
//! `routes!`. What every route may answer is added here, once.

use axum::http::StatusCode;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::problem::Problem;

/// An instant in answers: RFC 3339 in UTC with milliseconds. For `#[schema(value_type = Time)]`.
pub struct Time;

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC with milliseconds"))
            .into()
    }
}

impl ToSchema for Time {}

/// Schemas of texts that are one of a few words, for `#[schema(value_type = …)]`.
macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident: $($word:literal),+;)*) => { $(
        $(#[doc = $doc])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )* };
}

words! {
    /// By thresholds; `Unavailable` without a sample.
    SeverityWord: "Normal", "High", "Critical", "Unavailable";
    /// How a service is.
    ServiceState: "critical", "high", "gone", "early_warning", "no_data", "normal";
    /// What somebody may do; each role may do all that the ones before it may.
    RoleWord: "viewer", "operator", "admin";
    /// Whether anyone must show who they are.
    AuthWord: "none", "required";
}

/// What any route may answer, and when.
const EVERYWHERE: [(StatusCode, &str); 8] = [
    (
        StatusCode::BAD_REQUEST,
        "A parameter, header or body is missing or wrong; `detail` says which, and what it must be.",
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
        StatusCode::REQUEST_TIMEOUT,
        "The body did not arrive within 30 seconds.",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body has more than 64 KiB.",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "Too many wrong tokens came from this address; Retry-After says how many seconds to wait.",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "It failed inside Bellwether, whose log says why.",
    ),
    (StatusCode::GATEWAY_TIMEOUT, "No answer within 30 seconds."),
];

/// The whole document, from what the routes say of themselves.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Bellwether")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "What changed, when, which service, what do the logs say. Times in answers are RFC 3339 in UTC with milliseconds; requests also take epoch seconds. Lists are `{items, next_cursor}`. Errors are problem details (RFC 9457).",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    let name = Problem::name().into_owned();
    components.schemas.insert(name, Problem::schema());
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            add_everywhere(operation);
        }
    }
    document
}

fn add_everywhere(operation: &mut Operation) {
    for (status, when) in EVERYWHERE {
        let answers = &mut operation.responses.responses;
        answers
            .entry(status.as_str().to_owned())
            .or_insert_with(|| {
                let problem = ContentBuilder::new()
                    .schema(Some(Ref::from_schema_name(Problem::name())))
                    .build();
                ResponseBuilder::new()
                    .description(when)
                    .content("application/problem+json", problem)
                    .build()
                    .into()
            });
    }
}
