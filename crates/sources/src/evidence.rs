//! Evidence from Prometheus: further series of one service, and a metric of it by label, asked once
//! an incident wants them.
//!
//! Bounded in number, time and size; each failure is a value that names what was wanted. What the
//! answers mean is left to the incident's evidence.

mod questions;
mod rows;
mod shifts;
mod tables;
mod templates;

use std::time::Duration;

use domain::{Catalogue, MetricId, ServiceId};

use crate::identity::NAME_CHARS;
use crate::prometheus::{Prometheus, QueryError};
use crate::selection::Selection;
use crate::visible::excerpt;

pub use rows::ROWS_MAX;

/// The further queries about one service, ready to be asked; shares nothing with the collector it
/// comes from.
#[derive(Clone, Debug)]
pub struct EvidenceQueries {
    pub(crate) prometheus: Prometheus,
    /// Its metrics are known already and aren't asked for.
    pub(crate) catalogue: Catalogue,
    pub(crate) service: ServiceId,
    pub(crate) selection: Selection,
    /// The labels by which series are grouped to tell services apart.
    pub(crate) by: String,
    /// Of each query.
    pub(crate) deadline: Duration,
}

/// What was found, and what not.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceAnswer<T> {
    pub found: Vec<T>,
    pub failures: Vec<EvidenceFailure>,
    /// What Prometheus warned of, with what was wanted; the answers were taken.
    pub warnings: Vec<String>,
    /// Queries that were sent.
    pub queries: u32,
}

/// Why evidence is missing. The texts name what was wanted and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceFailure {
    #[error("{purpose} of {}: {cause}", shown(.service))]
    Query {
        /// Such as `latency by uri`.
        purpose: String,
        service: ServiceId,
        cause: QueryError,
    },
    #[error(
        "{purpose} of {} and {} more: not asked, as {why}", shown(.service), .queries - 1
    )]
    NotAsked {
        /// The first that wasn't asked.
        purpose: String,
        service: ServiceId,
        /// How many weren't.
        queries: u32,
        why: &'static str,
    },
    #[error(
        "{metric} of {} by label: the query of {metric} is your own, and what it counts isn't known here",
        shown(.service)
    )]
    OwnQuery {
        metric: MetricId,
        service: ServiceId,
    },
    #[error(
        "{metric} of {} by label: the service has no http_server_requests_seconds_bucket; switch on management.metrics.distribution.percentiles-histogram.http.server.requests",
        shown(.service)
    )]
    NoBuckets {
        metric: MetricId,
        service: ServiceId,
    },
}

/// Every template that evidence is asked by, with its purpose.
pub(crate) fn templates() -> Vec<(String, String)> {
    shifts::templates().chain(tables::templates()).collect()
}

fn shown(service: &ServiceId) -> String {
    excerpt(service.as_str(), NAME_CHARS)
}
