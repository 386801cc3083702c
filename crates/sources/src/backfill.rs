//! Backfill: the past of the known series, slice by slice, by the code that collects live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{Catalogue, Gap, MetricId, MetricSpec, Past, Sample, SeriesId, ServiceId, Timestamp};

use crate::combine::{InstanceValue, combined, instance_of};
use crate::expression::filled;
use crate::identity::Identity;
use crate::prometheus::{Prometheus, QueryError, RANGE_POINTS_MAX, RangeSeries};

/// A slice is at most this long.
pub const SLICE_MAX: Duration = Duration::from_secs(3600);
/// Bytes of one point in an answer, for keeping slices under the byte limit.
const POINT_BYTES: usize = 40;
const SLICE_POINTS_MIN: u64 = 2;
/// After so many failures in a row the rest isn't asked any more.
const FAILURES_MAX: u32 = 5;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Which past is wanted.
#[derive(Clone, Debug)]
pub struct BackfillRequest {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The distance of points, laid on the epoch's grid; at least 1 s. A series whose own step is
    /// larger is thinned to that.
    pub step: Duration,
    /// Only these; all series of the known services where none.
    pub series: Option<BTreeSet<SeriesId>>,
}

/// One metric over one slice of time.
#[derive(Clone, Debug)]
pub struct BackfillSlice {
    pub metric: MetricId,
    /// Both ends belong to the slice.
    pub from: Timestamp,
    pub to: Timestamp,
    /// By service; each oldest first. Slices of one metric come oldest first, too.
    pub pasts: Result<Vec<Past>, QueryError>,
    /// Points that are no samples.
    pub gaps: BTreeMap<Gap, u32>,
    /// The share of the whole that is done now, 0 to 1.
    pub done: f64,
}

/// How a backfill went.
#[derive(Clone, Debug, Default)]
pub struct BackfillReport {
    pub queries: u32,
    pub samples: u64,
    pub slices_failed: u32,
    /// The first failure.
    pub failure: Option<QueryError>,
    /// Too many failed in a row; the rest was not asked.
    pub gave_up: bool,
    pub remarks: Vec<String>,
}

/// A backfill that is ready to run; it shares nothing with the collector it comes from.
#[derive(Clone, Debug)]
pub struct Backfill {
    pub(crate) prometheus: Prometheus,
    pub(crate) catalogue: Catalogue,
    pub(crate) identity: Identity,
    pub(crate) labels: String,
    pub(crate) range: Duration,
    pub(crate) steps: BTreeMap<ServiceId, Duration>,
    /// Series that live from the fallback.
    pub(crate) proxied: BTreeSet<SeriesId>,
    /// How many series an answer has, about.
    pub(crate) raw_series: usize,
    pub(crate) request: BackfillRequest,
}

impl Backfill {
    /// Asks one slice after the other, oldest first, one query in flight, and hands each on as it
    /// comes. A failing slice is handed on as such. Dropping the future ends it.
    pub async fn run(self, mut on_slice: impl FnMut(BackfillSlice)) -> BackfillReport {
        let mut report = BackfillReport::default();
        let step = self.step();
        let first = ceil_to(self.request.from, step);
        let last = self.request.to.floor_to(step);
        let specs: Vec<&MetricSpec> = self.catalogue.iter().filter(|s| self.wants(s)).collect();
        if specs.is_empty() || first > last {
            return report;
        }
        let mut run = Run {
            first,
            last,
            step,
            points: self.slice_points(step),
            failures: 0,
            buckets: BTreeMap::new(),
            exposed: BTreeSet::new(),
        };
        let window_points = run.points;
        let mut from = first;
        while from <= last {
            let to = slice_end(from, last, step, window_points);
            for (i, spec) in specs.iter().enumerate() {
                let part = (i as f64, specs.len() as f64);
                self.window(spec, (from, to), part, &mut run, &mut report, &mut on_slice)
                    .await;
                if run.failures >= FAILURES_MAX {
                    report.gave_up = true;
                    return report;
                }
            }
            from = to + step;
        }
        report
    }

    /// One metric over one window: in one slice, or in smaller ones where answers are too large.
    async fn window(
        &self,
        spec: &MetricSpec,
        (from, to): (Timestamp, Timestamp),
        (part, parts): (f64, f64),
        run: &mut Run,
        report: &mut BackfillReport,
        on_slice: &mut impl FnMut(BackfillSlice),
    ) {
        let mut start = from;
        while start <= to && run.failures < FAILURES_MAX {
            let end = slice_end(start, to, run.step, run.points);
            let outcome = self.slice(spec, start, end, run.step, report).await;
            if matches!(outcome, Err(QueryError::TooLarge { .. })) && run.points > SLICE_POINTS_MIN
            {
                run.points = (run.points / 2).max(SLICE_POINTS_MIN);
                continue;
            }
            let mut gaps = BTreeMap::new();
            let pasts = outcome.map(|answers| self.pasts(spec, answers, run, &mut gaps));
            match &pasts {
                Ok(pasts) => {
                    run.failures = 0;
                    let samples: usize = pasts.iter().map(|past| past.samples.len()).sum();
                    report.samples += samples as u64;
                }
                Err(error) => {
                    run.failures += 1;
                    report.slices_failed += 1;
                    report.failure.get_or_insert_with(|| error.clone());
                }
            }
            let share = share(from, to, end);
            on_slice(BackfillSlice {
                metric: spec.id.clone(),
                from: start,
                to: end,
                pasts,
                gaps,
                done: run.done(from, to, (part + share) / parts),
            });
            start = end + run.step;
        }
    }

    fn step(&self) -> Duration {
        self.request.step.max(Duration::from_secs(1))
    }

    /// As many points as an hour, a query and the byte limit allow.
    fn slice_points(&self, step: Duration) -> u64 {
        let hour = (SLICE_MAX.as_millis() / step.as_millis().max(1)) as u64;
        let bytes = self.prometheus.answer_bytes_max() / POINT_BYTES / self.raw_series.max(1);
        hour.min(RANGE_POINTS_MAX)
            .min(bytes as u64)
            .max(SLICE_POINTS_MIN)
    }

    fn wants(&self, spec: &MetricSpec) -> bool {
        match &self.request.series {
            Some(series) => series.iter().any(|series| series.metric == spec.id),
            None => true,
        }
    }

    fn wants_series(&self, series: &SeriesId) -> bool {
        self.steps.contains_key(&series.service)
            && self
                .request
                .series
                .as_ref()
                .is_none_or(|wanted| wanted.contains(series))
    }

    /// The answer of the main query, and of the fallback where a wanted series lives from it.
    async fn slice(
        &self,
        spec: &MetricSpec,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        report: &mut BackfillReport,
    ) -> Result<Vec<(Vec<RangeSeries>, bool)>, QueryError> {
        let mut answers = vec![(self.ask(&spec.query, from, to, step, report).await?, false)];
        let proxied = |series: &SeriesId| series.metric == spec.id && self.wants_series(series);
        if let Some(fallback) = &spec.fallback
            && self.proxied.iter().any(proxied)
        {
            answers.push((self.ask(fallback, from, to, step, report).await?, true));
        }
        Ok(answers)
    }

    /// Asks once more where the server says when it may be asked again.
    async fn ask(
        &self,
        expression: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        report: &mut BackfillReport,
    ) -> Result<Vec<RangeSeries>, QueryError> {
        let query = filled(expression, &self.labels, self.range);
        report.queries += 1;
        let mut reply = self.prometheus.range(&query, from, to, step).await;
        if let Some(wait) = reply.as_ref().err().and_then(QueryError::retry_after) {
            tokio::time::sleep(wait.min(RETRY_AFTER_MAX)).await;
            report.queries += 1;
            reply = self.prometheus.range(&query, from, to, step).await;
        }
        let answer = reply?;
        for warning in answer.warnings {
            if report.remarks.len() < 20 && !report.remarks.contains(&warning) {
                report.remarks.push(warning);
            }
        }
        Ok(answer.data)
    }

    fn pasts(
        &self,
        spec: &MetricSpec,
        answers: Vec<(Vec<RangeSeries>, bool)>,
        run: &mut Run,
        gaps: &mut BTreeMap<Gap, u32>,
    ) -> Vec<Past> {
        let mut pasts: BTreeMap<ServiceId, Past> = BTreeMap::new();
        for (answer, proxy) in answers {
            let named = answer
                .into_iter()
                .map(|series| (series.labels, series.points));
            let sorted = self.identity.sort(named);
            for (service, instances) in sorted.by_service {
                let series = SeriesId {
                    service: service.clone(),
                    metric: spec.id.clone(),
                };
                if !self.wants_series(&series) {
                    continue;
                }
                if !proxy {
                    run.exposed.insert(series.clone());
                } else if run.exposed.contains(&series) || !self.proxied.contains(&series) {
                    continue;
                }
                if sorted.ambiguous.contains(&service) {
                    *gaps.entry(Gap::Ambiguous).or_default() += 1;
                    continue;
                }
                let own_step = self.steps.get(&service).copied().unwrap_or_default();
                let step = self.step().max(own_step);
                let bucket = run
                    .buckets
                    .entry(series.clone())
                    .or_insert(Timestamp::from_millis(i64::MIN));
                let samples = samples(spec, instances, step, bucket, gaps);
                if !samples.is_empty() {
                    pasts.insert(
                        service,
                        Past {
                            series,
                            step,
                            samples,
                        },
                    );
                }
            }
        }
        pasts.into_values().collect()
    }
}

/// Combines the instances at each time of the grid, and keeps the first sample of each step.
fn samples(
    spec: &MetricSpec,
    instances: Vec<(crate::prometheus::Labels, Vec<(Timestamp, f64)>)>,
    step: Duration,
    last_bucket: &mut Timestamp,
    gaps: &mut BTreeMap<Gap, u32>,
) -> Vec<Sample> {
    let mut grid: BTreeMap<Timestamp, Vec<InstanceValue>> = BTreeMap::new();
    for (labels, points) in instances {
        let instance: Option<Arc<str>> = instance_of(&labels);
        for (time, value) in points {
            grid.entry(time)
                .or_default()
                .push((instance.clone(), value));
        }
    }
    let mut samples = Vec::new();
    for (time, values) in grid {
        match combined(&values, spec, time).0 {
            Ok(sample) if time.floor_to(step) > *last_bucket => {
                *last_bucket = time.floor_to(step);
                samples.push(sample);
            }
            Ok(_) => {}
            Err(gap) => *gaps.entry(gap).or_default() += 1,
        }
    }
    samples
}

fn ceil_to(time: Timestamp, step: Duration) -> Timestamp {
    let floor = time.floor_to(step);
    if floor < time { floor + step } else { floor }
}

fn slice_end(from: Timestamp, last: Timestamp, step: Duration, points: u64) -> Timestamp {
    let steps = u32::try_from(points.saturating_sub(1)).unwrap_or(u32::MAX);
    (from + step.saturating_mul(steps)).min(last)
}

/// How much of `from` to `to` lies before `at`, 0 to 1.
fn share(from: Timestamp, to: Timestamp, at: Timestamp) -> f64 {
    if at >= to {
        return 1.0;
    }
    at.since(from).as_secs_f64() / to.since(from).as_secs_f64()
}

/// Where a backfill stands.
struct Run {
    first: Timestamp,
    last: Timestamp,
    step: Duration,
    /// Points of a slice; fewer once an answer was too large.
    points: u64,
    /// Failures in a row.
    failures: u32,
    /// The last step of each series that has its sample.
    buckets: BTreeMap<SeriesId, Timestamp>,
    /// Series that the main query had: from there on their past is its alone, also where a service
    /// that was idle just now lives from the fallback.
    exposed: BTreeSet<SeriesId>,
}

impl Run {
    /// The share of the whole, where `part` of the window from `from` to `to` is done.
    fn done(&self, from: Timestamp, to: Timestamp, part: f64) -> f64 {
        let at = |time| share(self.first, self.last, time);
        let before = if from > self.first { at(from) } else { 0.0 };
        (before + (at(to) - before) * part).clamp(0.0, 1.0)
    }
}
