//! A quiet stretch of real services: when it was, how it was scraped, and every series of it.

use std::collections::{BTreeMap, BTreeSet};

use super::series::RecordedSeries;
use crate::duration::Span;

pub const MAX_SERIES: usize = 20_000;
pub const MAX_SCRAPES: usize = 5_760;

/// Made by [`Recording::new`], so what it promises holds: every target answered every scrape, counters only grow, no
/// series is there twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    from_ms: i64,
    step: Span,
    scrapes: usize,
    job: String,
    series: Vec<RecordedSeries>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordingError(pub(super) String);

impl Recording {
    /// The load of a recording is that of the curve's factor 1.
    pub const FACTOR: f64 = 1.0;

    pub fn new(
        from_ms: i64,
        step: Span,
        scrapes: usize,
        job: &str,
        mut series: Vec<RecordedSeries>,
    ) -> Result<Recording, RecordingError> {
        check_shape(step, scrapes).map_err(RecordingError)?;
        if series.is_empty() || series.len() > MAX_SERIES {
            return Err(RecordingError(format!(
                "a recording has 1 to {MAX_SERIES} series, not {}",
                series.len()
            )));
        }
        for one in &series {
            one.check(scrapes, step.as_millis())
                .map_err(RecordingError)?;
        }
        series.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        let twice = series
            .windows(2)
            .find(|pair| pair[0].name == pair[1].name && pair[0].labels == pair[1].labels);
        if let Some(pair) = twice {
            return Err(RecordingError(format!("{} is there twice", pair[0])));
        }
        check_targets(&series)?;
        Ok(Recording {
            from_ms,
            step,
            scrapes,
            job: job.to_owned(),
            series,
        })
    }

    /// When its first step began.
    pub fn from_ms(&self) -> i64 {
        self.from_ms
    }

    pub fn step(&self) -> Span {
        self.step
    }

    pub fn scrapes(&self) -> usize {
        self.scrapes
    }

    pub fn length(&self) -> Span {
        Span::from_millis(self.step.as_millis() * self.scrapes as i64)
    }

    pub fn job(&self) -> &str {
        &self.job
    }

    /// Sorted by name and labels.
    pub fn series(&self) -> &[RecordedSeries] {
        &self.series
    }
}

pub(super) fn check_shape(step: Span, scrapes: usize) -> Result<(), String> {
    if step.as_millis() == 0 {
        return Err("the step is longer than 0s".into());
    }
    if !(2..=MAX_SCRAPES).contains(&scrapes) {
        return Err(format!(
            "a recording has 2 to {MAX_SCRAPES} scrapes of each target, not {scrapes}; choose another length or step"
        ));
    }
    Ok(())
}

/// Where every scrape was answered, a counter that isn't there at first is one that wasn't born yet.
fn check_targets(series: &[RecordedSeries]) -> Result<(), RecordingError> {
    let mut ups: BTreeMap<(&str, &str), &RecordedSeries> = BTreeMap::new();
    for up in series.iter().filter(|one| one.name == "up") {
        if let Some(at) = up.values.iter().position(|value| *value != Some(1.0)) {
            return Err(RecordingError(format!(
                "{up} isn't 1 at scrape {} of {}: a target that didn't answer isn't quiet; record another stretch",
                at + 1,
                up.values.len()
            )));
        }
        ups.insert(up.target(), up);
    }
    let targets: BTreeSet<_> = series.iter().map(RecordedSeries::target).collect();
    if let Some((job, instance)) = targets.iter().find(|target| !ups.contains_key(*target)) {
        return Err(RecordingError(format!(
            "there is no up{{instance={instance:?},job={job:?}}}, so nothing says when that target answered"
        )));
    }
    Ok(())
}
