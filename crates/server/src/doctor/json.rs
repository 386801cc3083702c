//! The report for scripts. Its shape is described in `docs/doctor.md`.

use std::time::Duration;

use serde::Serialize;
use sources::prometheus::TargetHealth;

use super::observed::{Observed, Origin, ServiceSeen, TargetSeen};
use super::report::{Cure, Finding, Level, Report, state_of};
use crate::config::Config;

/// Raised when a reader of the former shape would go wrong.
const VERSION: u32 = 1;

/// The whole report as one JSON object.
pub(super) fn report(
    observed: &Observed,
    report: &Report,
    config: &Config,
) -> serde_json::Result<String> {
    let counts = report.counts();
    let count = |level| counts.get(&level).copied().unwrap_or(0);
    serde_json::to_string_pretty(&ReportJson {
        version: VERSION,
        at: report.at.to_string(),
        source: source(observed),
        counts: CountsJson {
            problem: count(Level::Problem),
            warning: count(Level::Warning),
            note: count(Level::Note),
        },
        findings: report.findings.iter().map(finding).collect(),
        services: observed
            .services
            .iter()
            .map(|(id, seen)| service(id.as_str(), seen, config))
            .collect(),
        targets: observed.targets.iter().map(target).collect(),
    })
}

#[derive(Serialize)]
struct ReportJson<'a> {
    version: u32,
    at: String,
    source: SourceJson<'a>,
    counts: CountsJson,
    findings: Vec<FindingJson<'a>>,
    services: Vec<ServiceJson<'a>>,
    targets: Vec<TargetJson<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SourceJson<'a> {
    Prometheus {
        address: &'a str,
        version: Option<&'a str>,
        application: Option<&'a str>,
    },
    Scrape {
        file: &'a str,
    },
}

#[derive(Serialize)]
struct CountsJson {
    problem: usize,
    warning: usize,
    note: usize,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    id: &'static str,
    level: &'static str,
    service: Option<&'a str>,
    metric: Option<&'a str>,
    target: Option<&'a str>,
    what: &'a str,
    evidence: &'a [String],
    why: &'static str,
    cures: Vec<CureJson<'a>>,
}

#[derive(Serialize)]
struct CureJson<'a> {
    text: &'a str,
    file: Option<&'static str>,
    snippet: Option<&'a str>,
}

#[derive(Serialize)]
struct ServiceJson<'a> {
    id: &'a str,
    named_by: Vec<&'a str>,
    instances: usize,
    interval_seconds: Option<f64>,
    uris: u64,
    buckets: usize,
    metrics: Vec<MetricJson<'a>>,
}

#[derive(Serialize)]
struct MetricJson<'a> {
    id: &'a str,
    unit: &'a str,
    state: &'static str,
    value: Option<f64>,
}

#[derive(Serialize)]
struct TargetJson<'a> {
    job: &'a str,
    instance: &'a str,
    url: &'a str,
    health: &'static str,
    error: Option<&'a str>,
    service: Option<&'a str>,
}

fn source(observed: &Observed) -> SourceJson<'_> {
    match &observed.origin {
        Origin::Prometheus {
            address,
            version,
            application,
        } => SourceJson::Prometheus {
            address,
            version: version.as_deref(),
            application: application.as_deref(),
        },
        Origin::Pages { file } => SourceJson::Scrape { file },
    }
}

fn finding(finding: &Finding) -> FindingJson<'_> {
    FindingJson {
        id: finding.kind.as_str(),
        level: finding.level.as_str(),
        service: finding.service.as_ref().map(|id| id.as_str()),
        metric: finding.metric.as_ref().map(|id| id.as_str()),
        target: finding.target.as_deref(),
        what: &finding.what,
        evidence: &finding.evidence,
        why: finding.kind.why(),
        cures: finding.cures.iter().map(cure).collect(),
    }
}

fn cure(cure: &Cure) -> CureJson<'_> {
    CureJson {
        text: &cure.text,
        file: cure.snippet.as_ref().map(|snippet| snippet.file),
        snippet: cure.snippet.as_ref().map(|snippet| snippet.text.as_str()),
    }
}

fn service<'a>(id: &'a str, seen: &'a ServiceSeen, config: &'a Config) -> ServiceJson<'a> {
    let metrics = config.metrics.iter().filter_map(|spec| {
        let (state, value) = state_of(seen.readings.get(&spec.id)?);
        Some(MetricJson {
            id: spec.id.as_str(),
            unit: &spec.unit,
            state,
            value,
        })
    });
    ServiceJson {
        id,
        named_by: seen.named_by.iter().map(String::as_str).collect(),
        instances: seen.instances(),
        interval_seconds: seen.interval().as_ref().map(Duration::as_secs_f64),
        uris: seen.uris,
        buckets: seen.bounds.len(),
        metrics: metrics.collect(),
    }
}

fn target(seen: &TargetSeen) -> TargetJson<'_> {
    let target = &seen.target;
    let label = |name: &str| target.labels.get(name).map_or("", String::as_str);
    TargetJson {
        job: label("job"),
        instance: label("instance"),
        url: &target.url,
        health: match target.health {
            TargetHealth::Up => "up",
            TargetHealth::Down => "down",
            TargetHealth::Unknown => "unknown",
        },
        error: (!target.error.is_empty()).then_some(target.error.as_str()),
        service: seen.service.as_ref().map(|id| id.as_str()),
    }
}
