//! `GET /metrics?service=ID`: the newest judgement of each metric of a service, with why. Without
//! a service: Bellwether's own telemetry in Prometheus text format.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::{
    Finding, Gap, MetricSpec, Prediction, ServiceId, Severity, Silence, Thresholds, Timestamp,
};
use incident::{amount, in_words};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::openapi::{ComponentWord, GapWord, OfService, PredictionWord, SeverityWord, Time};
use super::problem::Problem;
use crate::snapshot::Snapshot;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// An id of `GET /services`, or a bare name where that is unique. Without it: Bellwether's own
    /// telemetry.
    #[param(min_length = 1, max_length = 1024, example = "payments")]
    service: Option<String>,
}

/// The newest judgements of a service.
#[derive(Serialize, ToSchema)]
struct Metrics {
    #[schema(value_type = String)]
    service: ServiceId,
    #[schema(value_type = Option<Time>)]
    evaluated_at: Option<Timestamp>,
    metrics: Vec<Metric>,
}

/// The newest judgement of a metric.
#[derive(Serialize, ToSchema)]
pub(super) struct Metric {
    id: String,
    title: String,
    /// Null while there is no sample; `gap` says why.
    value: Option<f64>,
    unit: String,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    /// The first crossing while an incident of which this is a member fires; else the newest sample.
    #[schema(value_type = Option<Time>)]
    event_ts: Option<Timestamp>,
    why: String,
    #[schema(value_type = Option<Time>)]
    sample_ts: Option<Timestamp>,
    #[schema(value_type = Option<GapWord>)]
    gap: Option<Gap>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    high: Option<f64>,
    critical: Option<f64>,
    /// The mean of the judges' rarities, smoothed over the samples, 0 to 8.
    #[schema(minimum = 0, maximum = 8)]
    score: Option<f64>,
    components: Vec<Component>,
    /// The forest's contributions by feature; while an anomaly.
    contributions: Option<Contributions>,
    instance: Option<String>,
    /// The value comes from the fallback query.
    proxy: bool,
    /// The value is a lower bound.
    at_least: bool,
    #[schema(value_type = Option<Time>)]
    trained_at: Option<Timestamp>,
    model: Option<String>,
    incident: Option<u64>,
}

/// What one judge says.
#[derive(Serialize, ToSchema)]
#[schema(as = MetricComponent)]
struct Component {
    #[schema(value_type = ComponentWord)]
    component: domain::Component,
    statistic: f64,
    /// −log10 of its tail probability.
    #[schema(minimum = 0, maximum = 8)]
    rarity: f64,
}

/// What each feature contributes.
#[derive(Serialize, ToSchema)]
struct Contributions {
    value: f64,
    delta: f64,
    rolling_mean: f64,
    rolling_std: f64,
    zscore: f64,
}

/// The newest judgement of each metric of a service, with why; or Bellwether's own telemetry.
#[utoipa::path(get, path = "/metrics", tag = "services", params(Parameters), responses(
    (status = 200, description = "The judgements; without `service` the telemetry in Prometheus text format.", content(
        (Metrics = "application/json"),
        (String = "text/plain"),
    )),
    OfService,
))]
pub async fn get(
    State(api): State<Api>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    if parameters.service.is_none() {
        let kind = [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )];
        return Ok((kind, api.telemetry.render()).into_response());
    }
    let snapshot = api.snapshot();
    let id = api.service(&snapshot, parameters.service.as_deref())?;
    let findings = snapshot
        .services
        .get(&id)
        .map_or(&[][..], |view| &view.findings);
    let config = api.config();
    let metrics = findings.iter().filter_map(|finding| {
        let spec = config.metrics.get(&finding.series.metric)?;
        Some(metric(&snapshot, finding, spec))
    });
    let metrics = metrics.collect();
    Ok(Json(Metrics {
        service: id,
        evaluated_at: snapshot.at,
        metrics,
    })
    .into_response())
}

/// A finding as it is shown.
pub(super) fn metric(snapshot: &Snapshot, finding: &Finding, spec: &MetricSpec) -> Metric {
    let incident = snapshot.firing(&finding.series.service);
    let member = incident.and_then(|incident| incident.member(&finding.series.metric));
    let sample_ts = finding.newest.map(|sample| sample.time);
    let shown = match finding.sample {
        Ok(_) | Err(Gap::Repeated) => finding.newest,
        Err(_) => None,
    };
    Metric {
        id: spec.id.to_string(),
        title: spec.title.clone(),
        value: shown.map(|sample| sample.value),
        unit: spec.unit.clone(),
        severity: finding.severity,
        prediction: finding.prediction,
        event_ts: member.map(|member| member.first_crossing).or(sample_ts),
        why: why(finding, spec),
        sample_ts,
        gap: finding.sample.err(),
        expected: finding.band.map(|band| band.expected),
        lower: finding.band.map(|band| band.lower),
        upper: finding.band.map(|band| band.upper),
        high: finding.thresholds.high,
        critical: finding.thresholds.critical,
        score: finding.score,
        components: finding
            .components
            .iter()
            .map(|c| Component {
                component: c.component,
                statistic: c.statistic,
                rarity: c.rarity,
            })
            .collect(),
        contributions: finding.contributions.map(contributions),
        instance: finding.instance.as_deref().map(str::to_owned),
        proxy: finding.proxy,
        at_least: finding.at_least,
        trained_at: finding.model.as_ref().map(|model| model.trained_at),
        model: finding.model.as_ref().map(|model| model.hash.to_string()),
        incident: member.and(incident).map(|incident| incident.id.0),
    }
}

fn contributions([value, delta, rolling_mean, rolling_std, zscore]: [f64; 5]) -> Contributions {
    Contributions {
        value,
        delta,
        rolling_mean,
        rolling_std,
        zscore,
    }
}

/// What to do about a gap, where someone can do something.
fn remedy(gap: Gap, spec: &MetricSpec) -> String {
    let id = &spec.id;
    match gap {
        Gap::NonFinite => format!("; does metrics.{id}.query divide by zero?"),
        Gap::OutOfRange => format!(
            " ({} to {} {}); correct metrics.{id}.query or metrics.{id}.valid",
            spec.valid.0, spec.valid.1, spec.unit
        ),
        Gap::Ambiguous => {
            format!("; make metrics.{id}.query give one series by $identity and instance")
        }
        Gap::Stale => "; is the service still scraped?".into(),
        Gap::QueryFailed | Gap::SourceDown => "; /api/v1/status says why".into(),
        Gap::NoData | Gap::Idle | Gap::Repeated => String::new(),
    }
}

/// One sentence with numbers: the value against its thresholds and its expected range, and what
/// the model says of it.
fn why(finding: &Finding, spec: &MetricSpec) -> String {
    let unit = spec.unit.as_str();
    if let Err(gap) = finding.sample
        && gap != Gap::Repeated
    {
        return format!("{}{}", gap.in_words(), remedy(gap, spec));
    }
    let Some(sample) = finding.newest else {
        return Gap::NoData.in_words().to_owned();
    };
    let at_least = if finding.at_least { "at least " } else { "" };
    let mut text = format!("{at_least}{}", amount(sample.value, unit));
    let threshold = |name: &str, value: Option<f64>| {
        value.map_or_else(
            || format!("no {name} threshold"),
            |value| format!("{name} is {}", amount(value, unit)),
        )
    };
    text += &match finding.severity {
        Severity::Critical => format!(
            ", past Critical ({})",
            threshold("Critical", finding.thresholds.critical)
        ),
        Severity::High => format!(
            ", past High ({})",
            threshold("High", finding.thresholds.high)
        ),
        _ if finding.thresholds == Thresholds::default() => " (no thresholds)".to_owned(),
        _ => format!(
            ", below High ({})",
            threshold("High", finding.thresholds.high)
        ),
    };
    if let Some(band) = finding.band {
        text += &format!(
            "; expected {}, usually {} to {}",
            amount(band.expected, unit),
            amount(band.lower, unit),
            amount(band.upper, unit)
        );
    }
    text += "; ";
    text += &match (finding.silence, finding.reason) {
        (Some(Silence::NoModel), _) => "no model yet, so nothing is predicted".into(),
        (Some(Silence::WarmingUp), _) => {
            "too few samples since the start or the last gap to predict".into()
        }
        (_, Some(reason)) => in_words(reason, unit),
        _ => "nothing is predicted".into(),
    };
    if finding.proxy {
        text += "; from the fallback query, a proxy";
    }
    text
}
