//! `GET /api/v1/catalogue`: what is measured, how it is asked for, and when it is bad.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::{Combine, Direction, MetricSpec, Thresholds};
use serde::Serialize;
use sources::{Identity, filled, range};
use utoipa::ToSchema;

use super::Api;
use super::openapi::words;
use super::problem::Problem;

words! {
    /// In which direction a value is bad.
    BadDirection: "up", "down", "both";
    /// How the instances of a service become one series: the worst, their sum, their mean.
    CombineWord: "max", "sum", "avg";
}

/// The metrics, by id.
#[derive(Serialize, ToSchema)]
pub struct Catalogue {
    items: Vec<CatalogueMetric>,
    next_cursor: Option<String>,
}

/// A metric that is watched on every service that has it.
#[derive(Serialize, ToSchema)]
struct CatalogueMetric {
    id: String,
    title: String,
    unit: String,
    /// As it is sent; the range is of the services with the widest spaced samples.
    query: String,
    /// Asked for services that `query` leaves without a value.
    fallback: Option<String>,
    /// In which direction a value is bad.
    #[schema(value_type = BadDirection)]
    direction: Direction,
    high: Option<f64>,
    critical: Option<f64>,
    /// The least distance from expected, in `unit`, that can be an anomaly.
    minimum_deviation: f64,
    /// Values outside are measuring errors.
    valid: ValidRange,
    /// How the instances of a service become one series.
    #[schema(value_type = CombineWord)]
    combine: Combine,
    /// A value at or past this is a lower bound.
    at_least_from: Option<f64>,
    /// Services with thresholds of their own.
    services: Vec<ServiceThresholds>,
}

/// The least and the greatest possible value; null where there is no bound.
#[derive(Serialize, ToSchema)]
struct ValidRange {
    from: Option<f64>,
    to: Option<f64>,
}

/// Thresholds that hold for one service.
#[derive(Serialize, ToSchema)]
struct ServiceThresholds {
    service: String,
    high: Option<f64>,
    critical: Option<f64>,
}

/// What is measured.
#[utoipa::path(get, path = "/api/v1/catalogue", tag = "services", responses(
    (status = 200, description = "All metrics, on one page.", body = Catalogue),
))]
pub async fn get(State(api): State<Api>) -> Result<Json<Catalogue>, Problem> {
    let config = api.config();
    let identity = Identity::new(config.identity.clone(), config.scope.clone());
    let identity = identity.map_err(|error| Problem::internal("naming the services", &error))?;
    let labels = identity.labels_with(&[]);
    let snapshot = api.snapshot();
    let steps = snapshot.services.values().map(|view| view.observation.step);
    let step = steps.max().unwrap_or(config.tick);
    let items = config
        .metrics
        .iter()
        .map(|spec| metric(spec, &labels, step));
    Ok(Json(Catalogue {
        items: items.collect(),
        next_cursor: None,
    }))
}

fn metric(spec: &MetricSpec, labels: &str, step: Duration) -> CatalogueMetric {
    let sent = |query: &String| filled(query, labels, range(step));
    let finite = |bound: f64| bound.is_finite().then_some(bound);
    let thresholds = |(service, own): (&domain::ServiceId, &Thresholds)| ServiceThresholds {
        service: service.to_string(),
        high: own.high,
        critical: own.critical,
    };
    CatalogueMetric {
        id: spec.id.to_string(),
        title: spec.title.clone(),
        unit: spec.unit.clone(),
        query: sent(&spec.query),
        fallback: spec.fallback.as_ref().map(sent),
        direction: spec.direction,
        high: spec.thresholds.high,
        critical: spec.thresholds.critical,
        minimum_deviation: spec.minimum_deviation,
        valid: ValidRange {
            from: finite(spec.valid.0),
            to: finite(spec.valid.1),
        },
        combine: spec.combine,
        at_least_from: spec.at_least_from,
        services: spec.of_service.iter().map(thresholds).collect(),
    }
}
