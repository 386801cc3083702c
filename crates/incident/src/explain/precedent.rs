//! Precedent: how often the training window saw such a value, and what the same hour was like a week
//! before.

use std::time::Duration;

use domain::{Direction, Precedent, Sample, Timestamp};

use super::median::median;

const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// A week before is this much before and after the same time.
const HALF_HOUR: Duration = Duration::from_secs(1_800);

/// Looks for values at least as extreme as `value` among the samples of the training window, oldest
/// first. Extreme is meant in the bad direction: high, low, or far from the window's median where
/// both are bad. `at` is the time of `value`; samples since then are left out.
pub fn precedent(samples: &[Sample], value: f64, direction: Direction, at: Timestamp) -> Precedent {
    let samples = &samples[..samples.partition_point(|sample| sample.time < at)];
    let mut values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    let center = median(&mut values).unwrap_or(0.0);
    let extremity = |value: f64| match direction {
        Direction::Up => value,
        Direction::Down => -value,
        Direction::Both => (value - center).abs(),
    };
    let limit = extremity(value);
    let as_extreme = samples.iter().filter(|s| extremity(s.value) >= limit);
    let most_extreme = samples
        .iter()
        .max_by(|a, b| extremity(a.value).total_cmp(&extremity(b.value)));
    let then = at - WEEK;
    let near =
        |sample: &&Sample| then - HALF_HOUR <= sample.time && sample.time <= then + HALF_HOUR;
    let mut week_before: Vec<f64> = samples.iter().filter(near).map(|s| s.value).collect();
    let count = week_before.len() as u32;
    Precedent {
        from: samples.first().map_or(at, |sample| sample.time),
        to: samples.last().map_or(at, |sample| sample.time),
        rows: samples.len() as u64,
        as_extreme: as_extreme.count() as u64,
        most_extreme: most_extreme.copied(),
        week_before: median(&mut week_before).map(|median| (median, count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        let samples = values.into_iter().enumerate().map(|(hour, value)| Sample {
            time: Timestamp::from_millis(hour as i64 * 3_600_000),
            value,
        });
        samples.collect()
    }

    #[test]
    fn what_is_as_extreme_is_counted_in_the_bad_direction() {
        let at = Timestamp::from_millis(200 * 3_600_000);
        let samples = hourly((0..200).map(f64::from));
        let up = precedent(&samples, 190.0, Direction::Up, at);
        assert_eq!((up.rows, up.as_extreme), (200, 10));
        assert_eq!(up.most_extreme.unwrap().value, 199.0);
        let down = precedent(&samples, 3.0, Direction::Down, at);
        assert_eq!(down.as_extreme, 4);
        let both = precedent(&samples, 198.0, Direction::Both, at);
        assert_eq!(both.as_extreme, 3, "0, 198 and 199 are as far from 99");
        assert_eq!(up.week_before, Some((32.0, 1)), "168 hours before");
    }

    #[test]
    fn the_episode_itself_is_no_precedent() {
        let samples = hourly([1.0, 2.0, 99.0]);
        let at = samples[2].time;
        let precedent = precedent(&samples, 99.0, Direction::Up, at);
        assert_eq!((precedent.rows, precedent.as_extreme), (2, 0));
        assert_eq!(precedent.week_before, None);
    }

    #[test]
    fn without_rows_nothing_is_known() {
        let precedent = precedent(&[], 1.0, Direction::Up, Timestamp::EPOCH);
        assert_eq!((precedent.rows, precedent.most_extreme), (0, None));
    }
}
