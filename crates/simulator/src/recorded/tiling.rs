//! Copies of a recording laid end to end, back from an instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::curve::Curve;
use super::families::{RecordedFamily, Scaling};
use super::recording::Recording;
use super::series::{Kind, RecordedSeries};
use crate::duration::Span;
use crate::noise::Noise;

/// The series that is 1 where the past is a recorded one.
pub const MARKER: &str = "bellwether_recorded_past_info";

const LENGTH_MAX: Span = Span::from_secs(60 * 86_400);
/// Steps between the end of the past and the instant that it is laid back from: the first live scrape must be newer.
const STEPS_BEFORE_UNTIL: i64 = 2;
/// How long before the past the processes began: longer than any range that a counter is looked at in.
const STARTED_BEFORE_MS: i64 = 6 * 3_600_000;
/// The deviation of the load between tiles; never more than three of these.
const VARIATION: f64 = 0.02;

/// What to make of a recording.
#[derive(Debug, Clone)]
pub struct Plan {
    pub length: Span,
    pub until_ms: i64,
    pub curve: Curve,
    /// Whose day the curve is of.
    pub zone: TimeZone,
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TilingError {
    #[error("a past is from {step} to {LENGTH_MAX} long, not {length}")]
    Length { step: Span, length: Span },
    #[error("{until_ms} ms isn't a time")]
    Until { until_ms: i64 },
}

/// Goes through the past, scrape by scrape.
///
/// The last tile is whole and ends at the end; the first begins wherever the length says.
pub struct Tiling {
    series: Vec<TiledSeries>,
    targets: Vec<Target>,
    plan: Plan,
    step_ms: i64,
    tile_ms: i64,
    first_ms: i64,
    /// The recorded scrape that comes next.
    position: usize,
    scrapes: usize,
    done: usize,
    total: usize,
}

struct Target {
    variation: Noise,
    /// By how much the load of the present scrape differs from the recorded one.
    load: f64,
}

struct TiledSeries {
    name: String,
    labels: Vec<(String, String)>,
    offset_ms: i64,
    target: usize,
    course: Course,
}

enum Course {
    Counter {
        value: f64,
        /// Since the scrape before; the first is that over the seam.
        increments: Vec<f64>,
        is_there: Vec<bool>,
    },
    WithLoad(Vec<Option<f64>>),
    AsRecorded(Vec<Option<f64>>),
    Constant(f64),
}

impl Tiling {
    pub fn new(recording: &Recording, plan: Plan) -> Result<Tiling, TilingError> {
        let step_ms = recording.step().as_millis();
        let total = plan.length.as_millis() / step_ms;
        if total == 0 || plan.length > LENGTH_MAX {
            return Err(TilingError::Length {
                step: recording.step(),
                length: plan.length,
            });
        }
        // Scrapes come up to a step after the beginning of theirs.
        let first_ms = plan.until_ms - (STEPS_BEFORE_UNTIL + total) * step_ms;
        if Timestamp::from_millisecond(plan.until_ms).is_err()
            || Timestamp::from_millisecond(first_ms - STARTED_BEFORE_MS).is_err()
        {
            return Err(TilingError::Until {
                until_ms: plan.until_ms,
            });
        }
        let scrapes = recording.scrapes();
        let total = usize::try_from(total).unwrap_or_default();
        let mut targets = Targets::new(plan.seed);
        let started = (first_ms - STARTED_BEFORE_MS) as f64 / 1e3;
        let mut series: Vec<TiledSeries> = recording
            .series()
            .iter()
            .map(|one| TiledSeries::new(one, targets.position(one), started))
            .collect();
        keep_buckets_cumulative(&mut series);
        series.iter_mut().for_each(TiledSeries::bridge_the_seam);
        series.push(marker(recording, targets.position(&recording.series()[0])));
        Ok(Tiling {
            series,
            targets: targets.targets,
            tile_ms: recording.length().as_millis(),
            step_ms,
            first_ms,
            position: (scrapes - total % scrapes) % scrapes,
            scrapes,
            done: 0,
            total,
            plan,
        })
    }

    /// Scrapes of each target in all the past.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The name and labels of each series, in the order of their positions.
    pub fn series(&self) -> impl Iterator<Item = (&str, &[(String, String)])> {
        self.series
            .iter()
            .map(|series| (series.name.as_str(), series.labels.as_slice()))
    }

    /// Shows the samples of the next scrape of every target: the position of the series, the time in ms, the value.
    /// False when the past is over.
    pub fn scrape(&mut self, mut visit: impl FnMut(usize, i64, f64)) -> bool {
        if self.done == self.total {
            return false;
        }
        let t_ms = self.first_ms + self.done as i64 * self.step_ms;
        let curve = Timestamp::from_millisecond(t_ms)
            .map_or(1.0, |time| self.plan.curve.at(time, &self.plan.zone));
        for target in &mut self.targets {
            let varied = 1.0 + VARIATION * target.variation.smooth(t_ms, self.tile_ms);
            target.load = curve / Recording::FACTOR * varied;
        }
        for (index, series) in self.series.iter_mut().enumerate() {
            let load = self.targets[series.target].load;
            if let Some(value) = series.course.next(self.position, self.done == 0, load) {
                visit(index, t_ms + series.offset_ms, value);
            }
        }
        self.done += 1;
        self.position = (self.position + 1) % self.scrapes;
        true
    }
}

/// Targets by job and instance, each with a variation of its own.
struct Targets {
    seed: u64,
    positions: BTreeMap<(String, String), usize>,
    targets: Vec<Target>,
}

impl Targets {
    fn new(seed: u64) -> Targets {
        Targets {
            seed,
            positions: BTreeMap::new(),
            targets: Vec::new(),
        }
    }

    fn position(&mut self, series: &RecordedSeries) -> usize {
        let (job, instance) = series.target();
        let key = (job.to_owned(), instance.to_owned());
        *self.positions.entry(key).or_insert_with(|| {
            self.targets.push(Target {
                variation: Noise::new(self.seed, instance, 0, "tiles"),
                load: 1.0,
            });
            self.targets.len() - 1
        })
    }
}

impl TiledSeries {
    fn new(recorded: &RecordedSeries, target: usize, started: f64) -> TiledSeries {
        let values = || recorded.values.clone();
        let course = match (recorded.kind, scaling(&recorded.name)) {
            (Kind::Counter, _) => Course::counter(&recorded.values),
            (Kind::Gauge, Scaling::WithLoad) => Course::WithLoad(values()),
            (Kind::Gauge, Scaling::AsRecorded) => Course::AsRecorded(values()),
            (Kind::Gauge, Scaling::Constant) => Course::Constant(started),
        };
        TiledSeries {
            name: recorded.name.clone(),
            labels: recorded.labels.clone(),
            offset_ms: recorded.offset_ms,
            target,
            course,
        }
    }

    /// From the last scrape of a tile to the first of the next a counter grows as it does on the average.
    fn bridge_the_seam(&mut self) {
        if let Course::Counter { increments, .. } = &mut self.course {
            let within = &increments[1..];
            increments[0] = within.iter().sum::<f64>() / within.len() as f64;
        }
    }

    /// What a bucket is one of: the name of the histogram, and the labels but for `le`.
    fn histogram(&self, suffix: &str) -> Option<(String, Vec<(String, String)>)> {
        let name = self.name.strip_suffix(suffix)?;
        let labels = self.labels.iter().filter(|(label, _)| label != "le");
        Some((name.to_owned(), labels.cloned().collect()))
    }

    fn bound(&self) -> f64 {
        self.labels
            .iter()
            .find(|(label, _)| label == "le")
            .and_then(|(_, bound)| bound.parse().ok())
            .unwrap_or(f64::NAN)
    }
}

fn scaling(name: &str) -> Scaling {
    RecordedFamily::of(name).map_or(Scaling::AsRecorded, |family| family.scaling)
}

impl Course {
    /// Every scrape was answered, so a counter that isn't there at first wasn't born yet. In the past that is made of
    /// it, it is old: born again with every tile, its first events would count as new ones each time.
    fn counter(values: &[Option<f64>]) -> Course {
        let born = values.iter().position(Option::is_some).unwrap_or_default();
        let mut value = if born == 0 {
            values[0].unwrap_or(0.0)
        } else {
            0.0
        };
        let first = value;
        let increments = values.iter().map(|next| {
            let before = value;
            value = next.unwrap_or(before);
            value - before
        });
        Course::Counter {
            increments: increments.collect(),
            is_there: values
                .iter()
                .enumerate()
                .map(|(at, value)| at < born || value.is_some())
                .collect(),
            value: first,
        }
    }

    fn next(&mut self, position: usize, is_first: bool, load: f64) -> Option<f64> {
        match self {
            Course::Counter {
                value,
                increments,
                is_there,
            } => {
                if !is_first {
                    *value += increments[position] * load;
                }
                is_there[position].then_some(*value)
            }
            // A share of the processors; no load makes it more than all of them.
            Course::WithLoad(values) => values[position].map(|value| (value * load).min(1.0)),
            Course::AsRecorded(values) => values[position],
            Course::Constant(value) => Some(*value),
        }
    }
}

/// A scrape reads one bucket after another while requests go on, so that a step's increase can be larger in a lower
/// bucket than in a higher one. Weighed by the curve such differences could add up; so each step's increase is made
/// one that only grows with the bound, and `_count` grows as the last bucket does.
fn keep_buckets_cumulative(series: &mut [TiledSeries]) {
    let mut histograms: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (position, one) in series.iter().enumerate() {
        if let Some(histogram) = one.histogram("_bucket") {
            histograms.entry(histogram).or_default().push(position);
        }
    }
    for buckets in histograms.values_mut() {
        buckets.sort_by(|a, b| series[*a].bound().total_cmp(&series[*b].bound()));
        for pair in buckets.windows(2) {
            let (lower, lowest) = growth(&series[pair[0]]);
            raise(&mut series[pair[1]], &lower, lowest);
        }
    }
    for position in 0..series.len() {
        let last = series[position]
            .histogram("_count")
            .and_then(|histogram| histograms.get(&histogram)?.last().copied())
            .filter(|last| series[*last].bound() == f64::INFINITY);
        if let Some(last) = last {
            let (increments, value) = growth(&series[last]);
            replace(&mut series[position], increments, value);
        }
    }
}

fn growth(series: &TiledSeries) -> (Vec<f64>, f64) {
    match &series.course {
        Course::Counter {
            increments, value, ..
        } => (increments.clone(), *value),
        _ => (Vec::new(), 0.0),
    }
}

fn raise(series: &mut TiledSeries, lower: &[f64], lowest: f64) {
    if let Course::Counter {
        increments, value, ..
    } = &mut series.course
    {
        *value = value.max(lowest);
        for (increment, lower) in increments.iter_mut().zip(lower) {
            *increment = increment.max(*lower);
        }
    }
}

fn replace(series: &mut TiledSeries, new: Vec<f64>, first: f64) {
    if let Course::Counter {
        increments, value, ..
    } = &mut series.course
    {
        *increments = new;
        *value = first;
    }
}

fn marker(recording: &Recording, target: usize) -> TiledSeries {
    let recorded = Timestamp::from_millisecond(recording.from_ms())
        .map_or_else(|_| String::new(), |from| from.to_string());
    let label = |name: &str, value: String| (name.to_owned(), value);
    TiledSeries {
        name: MARKER.to_owned(),
        labels: vec![
            label("job", recording.job().to_owned()),
            label("length", recording.length().to_string()),
            label("recorded", recorded),
        ],
        offset_ms: 0,
        target,
        course: Course::Constant(1.0),
    }
}
