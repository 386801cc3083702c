//! Findings about the source as a whole: its version, clock, and how much there is in it.

use domain::MetricSpec;
use sources::prometheus::{SKEW_IGNORED, TargetHealth};

use super::super::observed::{Observed, Origin, Reading};
use super::super::report::{APPLICATION, BELLWETHER, Cure, Finding, Kind, Level, SCRAPE};
use super::counted;
use crate::config::{Config, Span};

/// The first that takes an exemplar on any sample of a counter.
const EXEMPLARS_SINCE: (u64, u64) = (2, 43);

pub(super) fn findings(observed: &Observed, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(nothing(observed));
    found.extend(
        observed
            .not_seen
            .iter()
            .map(|what| Finding::new(Level::Note, Kind::NotSeen, what.as_str())),
    );
    found.extend(old(observed));
    found.extend(skew(observed));
    found.extend(future(observed));
    found.extend(limits(observed, config));
    found.extend(failed(observed, config));
    found.extend(unnamed(observed, config));
    found
}

fn nothing(observed: &Observed) -> Option<Finding> {
    if !observed.services.is_empty() {
        return None;
    }
    let up = observed.targets.iter();
    let up = up
        .filter(|seen| seen.target.health == TargetHealth::Up)
        .count();
    let what = match observed.targets.len() {
        0 => "no series of a service is there, and no target that could have some".to_owned(),
        all => format!(
            "no series of a service is there; {up} of {} answer",
            counted(all, "target")
        ),
    };
    let exposure = "management.endpoints.web.exposure.include: health,prometheus\n\
                    management.metrics.tags.service: ${spring.application.name}";
    let scrape = "scrape_configs:\n  - job_name: spring\n    metrics_path: /actuator/prometheus\n    \
                  static_configs:\n      - targets: ['127.0.0.1:8080']";
    Some(
        Finding::new(Level::Problem, Kind::NothingToWatch, what)
            .cure(Cure::copy(
                "let the applications show their metrics, with spring-boot-starter-actuator and \
                 io.micrometer:micrometer-registry-prometheus on the class path",
                APPLICATION,
                exposure,
            ))
            .cure(Cure::copy("let them be scraped", SCRAPE, scrape)),
    )
}

fn old(observed: &Observed) -> Option<Finding> {
    let Origin::Prometheus {
        version: Some(version),
        application: None,
        ..
    } = &observed.origin
    else {
        return None;
    };
    (parsed(version)? < EXEMPLARS_SINCE).then(|| {
        let what = format!("Prometheus is {version}, older than 2.43");
        Finding::new(Level::Note, Kind::OldPrometheus, what)
            .shown_by("it refuses exemplars on _count, which Spring Boot 4.1 with tracing sends")
            .cure(Cure::say("update Prometheus"))
            .cure(without_exemplars())
    })
}

/// Major and minor; relatives of Prometheus count otherwise and are not asked here.
fn parsed(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What keeps an old Prometheus content, in the service.
pub(super) fn without_exemplars() -> Cure {
    Cure::copy(
        "or send exemplars only where every Prometheus takes them \
         (management.tracing.exemplars.include: none, which sends none at all, does too)",
        APPLICATION,
        "management.prometheus.metrics.export.properties.\
         io.prometheus.exporter.exemplarsOnAllMetricTypes: false",
    )
}

fn skew(observed: &Observed) -> Option<Finding> {
    let skew = observed.skew.filter(|skew| skew.abs() > SKEW_IGNORED)?;
    let which = if skew.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let what = format!(
        "the clock of the source is {} s {which} ours; Bellwether goes by the source's",
        skew.abs().as_secs()
    );
    Some(
        Finding::new(Level::Warning, Kind::ClockSkew, what)
            .cure(Cure::say("let both machines keep time by NTP")),
    )
}

fn future(observed: &Observed) -> impl Iterator<Item = Finding> {
    let ahead = observed.services.iter().filter(|(_, s)| !s.ahead.is_zero());
    ahead.map(|(id, service)| {
        let what = format!("its newest sample lies {} in the future", Span(service.ahead));
        Finding::new(Level::Problem, Kind::SamplesInTheFuture, what)
            .of(id)
            .cure(Cure::copy(
                "take the time of the scrape instead of the page's, or correct the clock of the \
                 application's machine",
                SCRAPE,
                "scrape_configs:\n  - job_name: …   # that of the service\n    honor_timestamps: false",
            ))
    })
}

fn limits(observed: &Observed, config: &Config) -> Option<Finding> {
    let services = observed.services.len();
    let series = services * config.metrics.len();
    let limits = &config.limits;
    if services <= limits.services && series <= limits.series {
        return None;
    }
    let what = format!(
        "{} with {} each make {series} series, and the limits are {} services and {} series",
        counted(services, "service"),
        counted(config.metrics.len(), "metric"),
        limits.services,
        limits.series
    );
    let room = |count: usize| (count + count / 2).next_multiple_of(100);
    let snippet = format!(
        "limits: {{ services: {}, series: {} }}",
        room(services).max(limits.services),
        room(series).max(limits.series)
    );
    Some(
        Finding::new(Level::Problem, Kind::OverLimits, what)
            .cure(Cure::copy("raise the limits", BELLWETHER, snippet))
            .cure(Cure::say(
                "or, if these are not services, look at the labels in `identity`: one of them has \
                 too many values",
            )),
    )
}

/// A query that fails does so for all services; said once for each metric.
fn failed(observed: &Observed, config: &Config) -> Vec<Finding> {
    let why = |spec: &MetricSpec| {
        let mut readings = observed
            .services
            .values()
            .filter_map(|s| s.readings.get(&spec.id));
        readings.find_map(|reading| match reading {
            Reading::NotAsked(why) => Some(why.clone()),
            _ => None,
        })
    };
    let failed = config
        .metrics
        .iter()
        .filter_map(|spec| Some((spec, why(spec)?)));
    failed
        .map(|(spec, why)| {
            let what = format!("the query of {} fails", spec.id);
            Finding::new(Level::Problem, Kind::MetricNotAsked, what)
                .about(&spec.id)
                .shown_by(why)
                .cure(Cure::say("correct the query of the metric in config.yaml, or look at the load of the source"))
        })
        .collect()
}

fn unnamed(observed: &Observed, config: &Config) -> Option<Finding> {
    (observed.unnamed > 0).then(|| {
        let what = format!(
            "{} have none of the labels {}",
            counted(observed.unnamed, "group") + " of series",
            config.identity.join(", ")
        );
        Finding::new(Level::Warning, Kind::SeriesWithoutService, what).cure(Cure::copy(
            "name the label that tells your services apart",
            BELLWETHER,
            format!("identity: [{}, your_label]", config.identity.join(", ")),
        ))
    })
}
