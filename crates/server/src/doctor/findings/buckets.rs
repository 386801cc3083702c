//! Findings about the buckets of latency: whether its thresholds can be told from them.

use domain::{MetricSpec, ServiceId, Thresholds};

use super::super::observed::{Bound, ServiceSeen};
use super::super::reads;
use super::super::report::{APPLICATION, Cure, Finding, Kind, Level};
use crate::config::Config;

/// A bound this near to a threshold (relative) is at it.
const NEAR: f64 = 0.01;
/// Bounds further apart (relative to the threshold between them) are coarse. The buckets of
/// `percentiles-histogram` alone are at most 43 % apart below a power of four, and 12 % around 3 s.
const COARSE: f64 = 0.25;
/// What `maximum-expected-value` should be at least.
const MAXIMUM: f64 = 10.0;
/// The bounds that people look at anyway.
const CUSTOMARY: [f64; 4] = [0.1, 0.5, 1.0, 3.0];

pub(super) fn findings(id: &ServiceId, service: &ServiceSeen, config: &Config) -> Vec<Finding> {
    if service.bounds.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Finding> = Vec::new();
    for spec in config.metrics.iter() {
        if !reads::names(spec)
            .iter()
            .any(|name| reads::is_request_bucket(name))
        {
            continue;
        }
        let (Some(unit), thresholds) = (unit_seconds(spec), spec.thresholds_for(id)) else {
            continue;
        };
        let named = [("high", thresholds.high), ("critical", thresholds.critical)];
        let named = named.map(|(name, value)| (name, value.map(|value| value * unit)));
        let finding = too_low(service, spec, named, &thresholds)
            .or_else(|| coarse(service, spec, named, &thresholds));
        found.extend(finding.map(|finding| finding.about(&spec.id)));
    }
    found.extend(differ(service));
    found.into_iter().map(|finding| finding.of(id)).collect()
}

/// How many seconds one of the metric's unit is.
fn unit_seconds(spec: &MetricSpec) -> Option<f64> {
    match spec.unit.as_str() {
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        _ => None,
    }
}

type Named = [(&'static str, Option<f64>); 2];

fn too_low(
    service: &ServiceSeen,
    spec: &MetricSpec,
    named: Named,
    thresholds: &Thresholds,
) -> Option<Finding> {
    let highest = service.bounds.last()?.seconds;
    let beyond: Vec<String> = named
        .iter()
        .filter_map(|(name, seconds)| Some((name, (*seconds)?)))
        .filter(|(_, seconds)| *seconds > highest * (1.0 + f64::EPSILON * 8.0))
        .map(|(name, seconds)| format!("{name} ({})", text(seconds)))
        .collect();
    if beyond.is_empty() {
        return None;
    }
    let what = format!(
        "{} can never reach {}: its highest finite bucket is {}",
        spec.id,
        beyond.join(" and "),
        text(highest)
    );
    Some(
        Finding::new(Level::Problem, Kind::BucketsTooLow, what)
            .shown_by(format!(
                "{} finite bounds, {} to {}",
                service.bounds.len(),
                text(service.bounds[0].seconds),
                text(highest)
            ))
            .cure(Cure::copy(
                "let the buckets reach beyond the thresholds",
                APPLICATION,
                histogram(thresholds, spec),
            )),
    )
}

fn coarse(
    service: &ServiceSeen,
    spec: &MetricSpec,
    named: Named,
    thresholds: &Thresholds,
) -> Option<Finding> {
    let guessed: Vec<(&str, f64, f64, f64)> = named
        .iter()
        .filter_map(|(name, seconds)| Some((*name, (*seconds)?)))
        .filter_map(|(name, seconds)| {
            let (below, above) = around(&service.bounds, seconds)?;
            ((above - below) / seconds > COARSE).then_some((name, seconds, below, above))
        })
        .collect();
    if guessed.is_empty() {
        return None;
    }
    let of = |(name, seconds, below, above): &(&str, f64, f64, f64)| {
        format!(
            "{name} ({}) lies between the buckets {} and {}, {:.0} % apart",
            text(*seconds),
            text(*below),
            text(*above),
            100.0 * (above - below) / seconds
        )
    };
    let what = format!(
        "{}: {}",
        spec.id,
        guessed.iter().map(of).collect::<Vec<_>>().join("; ")
    );
    Some(
        Finding::new(Level::Warning, Kind::BucketsCoarse, what).cure(Cure::copy(
            "make a bucket of each threshold",
            APPLICATION,
            slo(thresholds, spec),
        )),
    )
}

/// The bounds on both sides of a value that is not at one.
fn around(bounds: &[Bound], seconds: f64) -> Option<(f64, f64)> {
    if bounds
        .iter()
        .any(|bound| (bound.seconds - seconds).abs() <= NEAR * seconds)
    {
        return None;
    }
    let above = bounds
        .iter()
        .map(|b| b.seconds)
        .find(|bound| *bound > seconds)?;
    let below = bounds
        .iter()
        .map(|b| b.seconds)
        .rfind(|bound| *bound < seconds);
    Some((below.unwrap_or(0.0), above))
}

/// Series that lack some of the bounds of others.
fn differ(service: &ServiceSeen) -> Option<Finding> {
    let most = service.bounds.iter().map(|bound| bound.series).max()?;
    let lacking: Vec<&Bound> = service.bounds.iter().filter(|b| b.series < most).collect();
    let fewest = lacking.iter().map(|bound| bound.series).min()?;
    let what = format!(
        "{} of its {} buckets are not in all series of its histogram, so that sums over them don't fit",
        lacking.len(),
        service.bounds.len()
    );
    Some(
        Finding::new(Level::Warning, Kind::BucketsDiffer, what)
            .shown_by(format!(
                "the bucket of fewest series has {fewest}, others {most}"
            ))
            .cure(Cure::say(
                "give all instances the same management.metrics.distribution settings; during a \
                 deployment that changes them this passes by itself",
            )),
    )
}

/// The settings that bring a histogram in which the thresholds are bounds.
pub(super) fn histogram(thresholds: &Thresholds, spec: &MetricSpec) -> String {
    const DISTRIBUTION: &str = "management.metrics.distribution";
    let unit = unit_seconds(spec).unwrap_or(1.0);
    let highest = thresholds.critical.or(thresholds.high).unwrap_or(0.0) * unit;
    let maximum = MAXIMUM.max((highest * 3.0).ceil());
    format!(
        "{DISTRIBUTION}.percentiles-histogram.http.server.requests: true\n\
         {DISTRIBUTION}.minimum-expected-value.http.server.requests: 5ms\n\
         {DISTRIBUTION}.maximum-expected-value.http.server.requests: {}\n{}",
        text(maximum),
        slo(thresholds, spec)
    )
}

/// The thresholds as bounds, beside the customary ones.
fn slo(thresholds: &Thresholds, spec: &MetricSpec) -> String {
    let unit = unit_seconds(spec).unwrap_or(1.0);
    let mut bounds: Vec<f64> = CUSTOMARY.to_vec();
    let wanted = [thresholds.high, thresholds.critical];
    bounds.extend(wanted.into_iter().flatten().map(|value| value * unit));
    bounds.retain(|bound| *bound > 0.0);
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let bounds: Vec<String> = bounds.into_iter().map(text).collect();
    format!(
        "management.metrics.distribution.slo.http.server.requests: {}",
        bounds.join(",")
    )
}

/// Seconds as Spring writes a duration: `400ms`, `3s`.
fn text(seconds: f64) -> String {
    let microseconds = (seconds * 1e6).round();
    let whole = |unit: f64| microseconds % unit == 0.0;
    if whole(1e6) && seconds < 60.0 {
        format!("{seconds:.0}s")
    } else if microseconds >= 1e3 {
        format!("{:.0}ms", microseconds / 1e3)
    } else {
        format!("{microseconds:.0}us")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_spring() {
        for (seconds, expected) in [
            (0.4, "400ms"),
            (3.0, "3s"),
            (1.43, "1430ms"),
            (90.0, "90000ms"),
            (0.0005, "500us"),
        ] {
            assert_eq!(text(seconds), expected);
        }
    }
}
