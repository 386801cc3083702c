//! Looking: asks all questions, and freezes the answers.

use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use indicatif::ProgressBar;
use jiff::SignedDuration;
use sources::prometheus::{Target, TargetHealth, VectorSample};
use sources::{Answer, Prometheus, QueryError};

use super::observed::{Observed, Origin, TargetSeen};
use super::questions::{SPACING_RANGE, SPACING_STEP, Survey, place};
use crate::config::Config;
use crate::offline::progress_bar;

/// The questions beside those of the catalogue.
const QUESTIONS: u64 = 9;

/// A Prometheus, whole: the server, its targets, its series.
///
/// # Errors
/// The first question about the series fails: then there is nothing to be said.
pub(super) async fn at_prometheus(
    prometheus: Prometheus,
    config: &Config,
    now: Timestamp,
) -> anyhow::Result<Observed> {
    let first = prometheus.instant("vector(1)", now).await?;
    let skew = first.applied_skew();
    let at = shifted(now, skew) - config.evaluation_delay;
    let mut not_seen = Vec::new();
    let build = prometheus.build_info().await.map_err(|error| {
        not_seen.push(format!("which version of Prometheus answers: {error}"));
    });
    let build = build.ok();
    let targets = match prometheus.targets().await {
        Ok(targets) => targets,
        Err(error) => {
            not_seen.push(format!(
                "why targets are down, and their scrape settings: {error}"
            ));
            by_up(&prometheus, at).await
        }
    };
    let origin = Origin::Prometheus {
        address: prometheus.address().to_owned(),
        version: build.as_ref().map(|build| build.version.clone()),
        application: build.and_then(|build| build.application),
    };
    let asked = Asked {
        at,
        origin,
        targets,
        not_seen,
        skew: Some(skew),
    };
    look(&prometheus, config, asked).await
}

/// Targets as far as the series `up` tells of them.
async fn by_up(prometheus: &Prometheus, at: Timestamp) -> Vec<Target> {
    let answer = prometheus.instant("up", at).await;
    let series = answer.map(|answer| answer.data).unwrap_or_default();
    let series = series.into_iter().take(sources::prometheus::TARGETS_MAX);
    let target = |sample: VectorSample| Target {
        url: place(&sample.labels).1.to_owned(),
        labels: sample.labels,
        health: if sample.value > 0.0 {
            TargetHealth::Up
        } else {
            TargetHealth::Down
        },
        error: String::new(),
        interval: None,
        timeout: None,
        took: None,
        scraped: None,
    };
    series.map(target).collect()
}

fn shifted(time: Timestamp, by: SignedDuration) -> Timestamp {
    let millis = i64::try_from(by.as_millis()).unwrap_or(0);
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}

/// What is known before the series are asked about.
pub(super) struct Asked {
    pub at: Timestamp,
    pub origin: Origin,
    pub targets: Vec<Target>,
    pub not_seen: Vec<String>,
    pub skew: Option<SignedDuration>,
}

/// Asks everything about the series.
///
/// # Errors
/// The first question fails.
pub(super) async fn look(
    prometheus: &Prometheus,
    config: &Config,
    asked: Asked,
) -> anyhow::Result<Observed> {
    let Asked {
        at,
        origin,
        targets,
        mut not_seen,
        skew,
    } = asked;
    let bar = progress_bar(QUESTIONS + config.metrics.len() as u64);
    bar.set_message("looking");
    let mut survey = Survey::new(config)?;
    let places = prometheus.instant(&survey.places_question(), at).await;
    let places = places.context("ask which services there are")?;
    survey.take_places(places.data);
    bar.inc(1);
    structure(prometheus, &mut survey, at, &mut not_seen, &bar).await;
    survey.take_configured(&targets);
    let slowest = survey
        .services
        .values()
        .filter_map(|seen| seen.interval())
        .max();
    let range = sources::range(slowest.unwrap_or_default().min(Duration::from_secs(300)));
    metrics(prometheus, &mut survey, config, at, range, &bar).await;
    let question = survey.frozen_question(range);
    if let Some(answer) = or_note(
        prometheus.instant(&question, at).await,
        "whether pages stand still",
        &mut not_seen,
    ) {
        survey.take_frozen(answer);
    }
    bar.finish_and_clear();
    let targets = attributed(&survey, targets);
    Ok(Observed {
        at,
        origin,
        targets,
        services: survey.services,
        unnamed: survey.unnamed,
        not_seen,
        skew,
    })
}

/// What is done with an answer.
type Take<'a> = fn(&mut Survey<'a>, Vec<VectorSample>);

async fn structure<'a>(
    prometheus: &Prometheus,
    survey: &mut Survey<'a>,
    at: Timestamp,
    not_seen: &mut Vec<String>,
    bar: &ProgressBar,
) {
    let questions: [(String, &str, Take<'a>); 4] = [
        (
            survey.names_question(),
            "which series there are",
            Survey::take_names,
        ),
        (
            survey.bounds_question(),
            "the buckets of latency",
            Survey::take_bounds,
        ),
        (
            survey.uris_question(),
            "how many values uri has",
            Survey::take_uris,
        ),
        (
            survey.heap_question(),
            "whether the heap has a maximum",
            Survey::take_heap,
        ),
    ];
    for (question, about, take) in questions {
        if let Some(answer) = or_note(prometheus.instant(&question, at).await, about, not_seen) {
            take(survey, answer);
        }
        bar.inc(1);
    }
    let question = survey.scraped_question();
    let times = prometheus
        .range(&question, at - SPACING_RANGE, at, SPACING_STEP)
        .await;
    if let Some(answer) = or_note(times, "how often services are scraped", not_seen) {
        survey.take_scraped(answer, at);
    }
    bar.inc(1);
}

fn or_note<T>(
    answer: Result<Answer<T>, QueryError>,
    about: &str,
    not_seen: &mut Vec<String>,
) -> Option<T> {
    let answer = answer.map_err(|error| not_seen.push(format!("{about}: {error}")));
    Some(answer.ok()?.data)
}

async fn metrics(
    prometheus: &Prometheus,
    survey: &mut Survey<'_>,
    config: &Config,
    at: Timestamp,
    range: Duration,
    bar: &ProgressBar,
) {
    for spec in config.metrics.iter() {
        let query = survey.metric_question(&spec.query, range);
        let query = numbers(prometheus.instant(&query, at).await);
        let fallback = match &spec.fallback {
            Some(fallback) => {
                let question = survey.metric_question(fallback, range);
                numbers(prometheus.instant(&question, at).await)
            }
            None => Ok(Vec::new()),
        };
        survey.take_metric(spec, query, fallback);
        bar.inc(1);
    }
}

fn numbers(
    answer: Result<Answer<Vec<VectorSample>>, QueryError>,
) -> Result<Vec<VectorSample>, String> {
    answer
        .map(|answer| answer.data)
        .map_err(|error| error.to_string())
}

/// Targets with the service that lives there: whose series come from there, or that the target's
/// own labels name.
fn attributed(survey: &Survey, targets: Vec<Target>) -> Vec<TargetSeen> {
    let mut of_place = std::collections::BTreeMap::new();
    for (id, seen) in &survey.services {
        for labels in &seen.places {
            of_place.insert(place(labels), id);
        }
    }
    let seen = |target: Target| {
        let lives = of_place.get(&place(&target.labels)).map(|id| (*id).clone());
        let known = lives.is_some();
        let named = survey
            .named(&target.labels)
            .filter(|named| named.label != "job");
        TargetSeen {
            service: lives.or(named.map(|named| named.service)),
            known,
            target,
        }
    };
    targets.into_iter().map(seen).collect()
}
