//! When an episode began: the change point of the raw series before its first crossing.
//!
//! Among all splits of the newest samples the one is taken whose two halves, a constant before and
//! a straight line after, leave the least squared error: a step and a ramp are both found by it
//! (two-phase regression, Hinkley 1969, with a free second intercept). Where the series changes
//! away from the crossing there, as it does when earlier trouble ends, the onset lies later and is
//! looked for again from there on. Where it lies in a gap, no sample says when in it: the earliest
//! instant is taken, for what the gap hid may be filled in later and must not be learnt from.

use std::time::Duration;

use domain::{Sample, Timestamp};

/// Samples on which the estimate rests at most.
const SAMPLES_MAX: usize = 480;
/// Fewer samples before the change than this say nothing about the level before.
const BEFORE_MIN: usize = 5;

/// χ² with one degree of freedom, 95 %: splits this likely may be the change as well.
const LIKELY: f64 = 3.84;
/// A distance of samples that is longer than so many usual ones is a gap.
const GAP: f64 = 2.5;

/// The estimated begin of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Onset {
    pub at: Timestamp,
    /// The instants between which it lies with 95 % confidence, by profile likelihood: after the
    /// first, at the latest at the second. Samples that follow each other closely say less than
    /// their number (Bartlett 1946), which widens it.
    pub between: (Timestamp, Timestamp),
}

impl Onset {
    fn exactly(at: Timestamp) -> Onset {
        Onset {
            at,
            between: (at, at),
        }
    }
}

/// Estimates the onset of an episode that first crossed its threshold at `crossing`, from samples
/// oldest first. Without enough samples it is the oldest of them, at the latest the crossing itself.
pub fn onset(samples: &[Sample], crossing: Timestamp) -> Onset {
    let start = samples.len().saturating_sub(SAMPLES_MAX);
    let samples = &samples[start..];
    let latest = samples
        .partition_point(|s| s.time < crossing)
        .min(samples.len().saturating_sub(1));
    if latest < BEFORE_MIN {
        return Onset::exactly(samples.first().map_or(crossing, |s| s.time.min(crossing)));
    }
    let sums = Sums::of(samples);
    let reached = samples[latest].value - samples[0].value;
    let distance = |from: usize, to: usize| (sums.mean(from, to) - reached).abs();
    let (mut from, mut split) = (0, sums.change_point(0, latest));
    while split + BEFORE_MIN <= latest {
        let next = sums.change_point(split, latest);
        if distance(split, next) <= distance(from, split) {
            break;
        }
        (from, split) = (split, next);
    }
    let alike = autocorrelation(&samples[from..], split - from);
    let (first, last) = sums.as_likely(from, split, latest, alike);
    // The change lies between the last sample that doesn't show it and the first that does.
    let before = first.saturating_sub(1);
    Onset {
        at: earliest(samples, split).min(crossing),
        between: (
            samples[before].time.min(crossing),
            samples[last].time.min(crossing),
        ),
    }
}

/// How alike what remains of neighbouring samples is, once a level before `split` and a line after
/// it are taken away: lag-one autocorrelation, 0 to 0.98.
fn autocorrelation(samples: &[Sample], split: usize) -> f64 {
    let (before, after) = samples.split_at(split);
    let mut rest: Vec<f64> = Vec::with_capacity(samples.len());
    let mean =
        |values: &[Sample]| values.iter().map(|s| s.value).sum::<f64>() / values.len() as f64;
    let level = mean(before);
    rest.extend(before.iter().map(|s| s.value - level));
    let (middle, center) = ((after.len() as f64 - 1.0) / 2.0, mean(after));
    let spread: f64 = (0..after.len())
        .map(|i| (i as f64 - middle) * (i as f64 - middle))
        .sum();
    let both = after.iter().enumerate();
    let both: f64 = both
        .map(|(i, s)| (i as f64 - middle) * (s.value - center))
        .sum();
    let slope = if spread > 0.0 { both / spread } else { 0.0 };
    let line = after.iter().enumerate();
    rest.extend(line.map(|(i, s)| s.value - center - slope * (i as f64 - middle)));
    let squares: f64 = rest.iter().map(|x| x * x).sum();
    let products: f64 = rest.windows(2).map(|two| two[0] * two[1]).sum();
    if squares > 0.0 {
        (products / squares).clamp(0.0, 0.98)
    } else {
        0.0
    }
}

/// The earliest instant at which a change that the sample at `split` is the first to show may have
/// happened: its time, or the first usual distance into the gap before it.
fn earliest(samples: &[Sample], split: usize) -> Timestamp {
    let time = samples[split].time;
    let Some(before) = split.checked_sub(1) else {
        return time;
    };
    let mut distances: Vec<Duration> = samples[..split]
        .windows(2)
        .map(|two| two[1].time.since(two[0].time))
        .collect();
    if distances.is_empty() {
        return time;
    }
    let middle = distances.len() / 2;
    let usual = *distances.select_nth_unstable(middle).1;
    let before = samples[before].time;
    if time.since(before) > usual.mul_f64(GAP) {
        before + usual
    } else {
        time
    }
}

/// From when on an episode masks a series: before its onset by two steps and a fifth of the time
/// to the crossing, for so much of a slow rise isn't told from noise.
pub fn masked_from(onset: Timestamp, crossing: Timestamp, step: Duration) -> Timestamp {
    onset - (2 * step).max(crossing.since(onset) / 5)
}

/// Prefix sums of x, x², t, t², t·x, where t counts samples.
struct Sums(Vec<[f64; 5]>);

impl Sums {
    fn of(samples: &[Sample]) -> Sums {
        let origin = samples.first().map_or(0.0, |s| s.value);
        let mut sums = vec![[0.0; 5]];
        for (index, sample) in samples.iter().enumerate() {
            let (x, t) = (sample.value - origin, index as f64);
            let last = sums[index];
            sums.push([
                last[0] + x,
                last[1] + x * x,
                last[2] + t,
                last[3] + t * t,
                last[4] + t * x,
            ]);
        }
        Sums(sums)
    }

    /// Where the samples since `from` change: at `latest` at the latest, which leaves at least
    /// [`BEFORE_MIN`] of them before.
    fn change_point(&self, from: usize, latest: usize) -> usize {
        let end = self.0.len() - 1;
        let mut best = (f64::INFINITY, latest);
        for split in from + BEFORE_MIN..=latest {
            let error = self.level_error(from, split) + self.line_error(split, end);
            if error < best.0 {
                best = (error, split);
            }
        }
        best.1
    }

    /// The first and the last split since `from` that are as likely as the best one: n · ln of the
    /// ratio of squared errors is at most [`LIKELY`], where n counts samples by what they say:
    /// (1 − alike) / (1 + alike) of their number.
    fn as_likely(&self, from: usize, best: usize, latest: usize, alike: f64) -> (usize, usize) {
        let end = self.0.len() - 1;
        let error = |split: usize| self.level_error(from, split) + self.line_error(split, end);
        let count = (end - from) as f64 * (1.0 - alike) / (1.0 + alike);
        let likely = error(best) * libm::exp(LIKELY / count.max(1.0));
        let is_likely = |split: &usize| error(*split) <= likely;
        let first = (from + BEFORE_MIN..=best).find(is_likely).unwrap_or(best);
        let last = (best..=latest).rev().find(is_likely).unwrap_or(best);
        (first, last)
    }

    /// The mean, less the first value of all.
    fn mean(&self, from: usize, to: usize) -> f64 {
        self.range(from, to)[0] / (to - from) as f64
    }

    fn range(&self, from: usize, to: usize) -> [f64; 5] {
        std::array::from_fn(|k| self.0[to][k] - self.0[from][k])
    }

    /// The squared error around the mean.
    fn level_error(&self, from: usize, to: usize) -> f64 {
        let [x, xx, ..] = self.range(from, to);
        (xx - x * x / (to - from) as f64).max(0.0)
    }

    /// The squared error around the least-squares line.
    fn line_error(&self, from: usize, to: usize) -> f64 {
        let n = (to - from) as f64;
        let [x, xx, t, tt, tx] = self.range(from, to);
        let (spread_t, spread_x, both) = (tt - t * t / n, xx - x * x / n, tx - t * x / n);
        if spread_t <= 0.0 {
            return spread_x.max(0.0);
        }
        (spread_x - both * both / spread_t).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        let noise = |i: usize| ((i * 7919) % 101) as f64 / 101.0 - 0.5;
        values
            .into_iter()
            .enumerate()
            .map(|(i, value)| Sample {
                time: at(i),
                value: value + noise(i),
            })
            .collect()
    }

    fn at(index: usize) -> Timestamp {
        Timestamp::from_millis(index as i64 * 15_000)
    }

    #[test]
    fn a_step_begins_where_it_begins() {
        let samples = series((0..120).map(|i| if i < 100 { 30.0 } else { 90.0 }));
        let estimate = onset(&samples, at(100));
        assert_eq!(estimate.at, at(100));
        assert_eq!(estimate.between, (at(99), at(100)), "between two samples");
    }

    #[test]
    fn a_ramp_begins_before_its_crossing() {
        let samples = series((0..116).map(|i| 30.0 + 4.0 * f64::from((i - 100).max(0))));
        let Onset {
            at: estimate,
            between,
        } = onset(&samples, at(114));
        assert!(between.0 <= estimate && estimate <= between.1);
        let error = estimate.as_millis() - at(100).as_millis();
        assert!(error.abs() <= 30_000, "{error} ms off");
        assert!(masked_from(estimate, at(114), Duration::from_secs(15)) <= at(100));
    }

    #[test]
    fn earlier_trouble_that_ended_is_not_the_onset() {
        let earlier = |i: i32| match i {
            0..100 => 80.0,
            150..160 => 70.0,
            298.. => 95.0,
            _ => 30.0,
        };
        assert_eq!(onset(&series((0..300).map(earlier)), at(298)).at, at(298));
        let then_a_ramp = |i: i32| match i {
            0..100 => 80.0,
            _ => 30.0 + 2.0 * f64::from((i - 200).max(0)),
        };
        let estimate = onset(&series((0..230).map(then_a_ramp)), at(228)).at;
        let error = estimate.as_millis() - at(200).as_millis();
        assert!(error.abs() <= 30_000, "{error} ms off");
    }

    #[test]
    fn what_is_smoothed_is_less_certain() {
        let raw = series((0..160).map(|i| if i < 140 { 30.0 } else { 60.0 }));
        let width = |window: usize| {
            let smoothed: Vec<Sample> = (20..160)
                .map(|i| Sample {
                    time: at(i),
                    value: raw[i + 1 - window..=i].iter().map(|s| s.value).sum::<f64>()
                        / window as f64,
                })
                .collect();
            let Onset { at: onset, between } = onset(&smoothed, at(150));
            assert!(between.0 < at(140) || window == 1, "{between:?}");
            assert!(between.0 <= onset && onset <= between.1);
            between.1.since(between.0)
        };
        assert!(width(12) > width(1), "{:?} {:?}", width(12), width(1));
    }

    #[test]
    fn in_a_gap_the_earliest_instant_is_taken() {
        let mut samples = series((0..120).map(|i| if i < 100 { 30.0 } else { 90.0 }));
        samples.drain(94..104);
        let estimate = onset(&samples, at(104));
        assert_eq!(estimate.at, at(94), "the sample before the gap is the 93rd");
        assert_eq!(estimate.between, (at(93), at(104)));
    }

    #[test]
    fn without_a_past_the_crossing_is_the_onset() {
        assert_eq!(onset(&[], at(7)), Onset::exactly(at(7)));
        let samples = series([90.0, 91.0]);
        assert_eq!(onset(&samples, at(1)).at, at(0));
    }
}
