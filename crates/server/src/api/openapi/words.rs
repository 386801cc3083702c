//! The words of the API as schemas: instants, lengths of time, and texts that are one of a few
//! words. For `#[schema(value_type = …)]` and `#[param(value_type = …)]`.

use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An instant in answers: RFC 3339 in UTC with milliseconds.
pub struct Time;

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        date_time()
            .description(Some("RFC 3339 in UTC with milliseconds."))
            .examples(["2026-11-22T15:50:30.000Z"])
            .into()
    }
}

impl ToSchema for Time {}

/// An instant in requests: RFC 3339, or epoch seconds.
pub struct Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let seconds = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]{1,11}(\.[0-9]{1,9})?$"));
        AnyOfBuilder::new()
            .description(Some("RFC 3339, or epoch seconds."))
            .item(date_time())
            .item(seconds)
            .examples(["2026-11-22T15:50:30Z", "1795362630.5"])
            .into()
    }
}

impl ToSchema for Instant {}

/// A length of time in requests: whole numbers with units, the largest first.
pub struct Length;

impl PartialSchema for Length {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(
                "^(0|(?=.)([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$",
            ))
            .description(Some(
                "Whole numbers with units, the largest first: w, d, h, m, s, ms.",
            ))
            .examples(["15s", "1m30s", "2h"])
            .into()
    }
}

impl ToSchema for Length {}

fn date_time() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// Schemas of texts that are one of a few words.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident: $($word:literal),+;)*) => { $(
        $(#[doc = $doc])+
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some([$($doc.trim()),+].join(" ")))
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )* };
}

pub(in crate::api) use words;

words! {
    /// By thresholds; `Unavailable` without a sample.
    SeverityWord: "Normal", "High", "Critical", "Unavailable";
    /// A severity that a threshold stands for.
    Crossing: "High", "Critical";
    /// What the model says; `Unknown` without a model, a sample, or enough samples.
    PredictionWord: "Normal", "Anomaly", "Unknown";
    /// Why there is no sample.
    GapWord: "no_data", "idle", "stale", "repeated", "non_finite", "out_of_range", "ambiguous",
        "query_failed", "source_down";
    /// A judge of a series: Isolation Forest, or a distance: from the recent level, from the same time
    /// of day, from the nearest stretches of the past, from the usual shapes.
    ComponentWord: "forest", "level", "season", "nearest_short", "nearest_long", "pattern";
    /// How a service is.
    ServiceState: "critical", "high", "gone", "early_warning", "no_data", "normal";
    /// The operator's state of an incident.
    IncidentStatus: "OPEN", "ACKNOWLEDGED", "RESOLVED";
    /// Metrics past their thresholds, or a service that is gone while Prometheus is healthy.
    IncidentKindWord: "metrics", "availability";
    /// The level of a log line.
    Level: "UNKNOWN", "TRACE", "DEBUG", "INFO", "WARN", "ERROR";
    /// What became of looking for lines.
    LogOutcomeWord: "found", "none_in_window", "not_configured", "unreadable";
    /// The file that a row lies in: learnt from, or of an incident.
    PartWord: "history", "anomaly";
}
