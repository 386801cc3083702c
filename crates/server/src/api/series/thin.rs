//! Fewer points, such that no spike disappears: of each stretch the least and the greatest sample
//! stay, and the one that was judged worst.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Part, Prediction, Row, Timestamp};

/// A row, and the file it lies in.
pub type Point = (Row, Part);

/// Points of one stretch that may stay.
const OF_A_STRETCH: usize = 3;

/// Rows that become at most so many points.
pub struct Thinning {
    points_max: usize,
    step: Duration,
    from: Timestamp,
    /// While there are few enough, and no step was asked for.
    all: Option<Vec<Point>>,
    stretches: BTreeMap<u64, Stretch>,
    samples: usize,
}

/// What became of the rows.
pub struct Thinned {
    /// Oldest first.
    pub points: Vec<Point>,
    pub samples: usize,
    /// The length of the stretches; none where every sample is there.
    pub step: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Stretch {
    least: Point,
    greatest: Point,
    worst: Point,
}

impl Thinning {
    /// All rows between two instants where `points_max` are enough, else by stretches of equal
    /// length; `points_max` is at least 3.
    pub fn to_points(points_max: usize, from: Timestamp, to: Timestamp) -> Thinning {
        let stretches = (points_max / OF_A_STRETCH).max(1) as u128;
        // Rounded up, so that the last instant lies in the last stretch.
        let millis = (to.since(from).as_millis() / stretches) + 1;
        let step = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        Thinning {
            points_max,
            step,
            from,
            all: Some(Vec::new()),
            stretches: BTreeMap::new(),
            samples: 0,
        }
    }

    /// By stretches of this length, which begin on the epoch's grid.
    pub fn to_step(step: Duration, from: Timestamp) -> Thinning {
        Thinning {
            points_max: 0,
            step,
            from: from.floor_to(step),
            all: None,
            stretches: BTreeMap::new(),
            samples: 0,
        }
    }

    pub fn push(&mut self, point: Point) {
        self.samples += 1;
        match &mut self.all {
            None => self.add(point),
            Some(all) => {
                all.push(point);
                if all.len() > self.points_max {
                    let all = self.all.take().unwrap_or_default();
                    all.into_iter().for_each(|point| self.add(point));
                }
            }
        }
    }

    pub fn finish(self) -> Thinned {
        let step = self.all.is_none().then_some(self.step);
        let mut points = self.all.unwrap_or_default();
        for stretch in self.stretches.into_values() {
            let mut kept = [stretch.least, stretch.greatest, stretch.worst];
            kept.sort_by_key(|(row, _)| row.timestamp);
            for point in kept {
                if points
                    .last()
                    .is_none_or(|(row, _)| row.timestamp < point.0.timestamp)
                {
                    points.push(point);
                }
            }
        }
        Thinned {
            points,
            samples: self.samples,
            step,
        }
    }

    fn add(&mut self, point: Point) {
        let step = self.step.as_millis().max(1);
        let number = point.0.timestamp.since(self.from).as_millis() / step;
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let stretch = self.stretches.entry(number).or_insert(Stretch {
            least: point,
            greatest: point,
            worst: point,
        });
        if point.0.value < stretch.least.0.value {
            stretch.least = point;
        }
        if point.0.value > stretch.greatest.0.value {
            stretch.greatest = point;
        }
        if is_worse(&point.0, &stretch.worst.0) {
            stretch.worst = point;
        }
    }
}

fn is_worse(row: &Row, than: &Row) -> bool {
    let judged = |row: &Row| (row.severity, row.prediction == Prediction::Anomaly);
    let score = |row: &Row| row.score.unwrap_or(f64::NEG_INFINITY);
    match judged(row).cmp(&judged(than)) {
        std::cmp::Ordering::Equal => score(row) > score(than),
        order => order.is_gt(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Severity;

    use super::*;

    fn at(index: usize) -> Timestamp {
        Timestamp::from_millis(1_795_348_800_000 + index as i64 * 15_000)
    }

    fn point(index: usize, value: f64) -> Point {
        let row = Row {
            timestamp: at(index),
            value,
            severity: Severity::Normal,
            prediction: Prediction::Normal,
            score: None,
            features: None,
            band: None,
        };
        (row, Part::History)
    }

    fn thinned(points: &[Point], points_max: usize) -> Thinned {
        let mut thinning = Thinning::to_points(points_max, at(0), at(points.len()));
        points.iter().for_each(|point| thinning.push(*point));
        thinning.finish()
    }

    #[test]
    fn few_rows_stay_as_they_are() {
        let points: Vec<Point> = (0..30).map(|i| point(i, (i % 7) as f64)).collect();
        let thinned = thinned(&points, 30);
        assert_eq!(thinned.points, points);
        assert_eq!((thinned.samples, thinned.step), (30, None));
    }

    #[test]
    fn a_spike_an_anomaly_and_the_extremes_stay() {
        let mut points: Vec<Point> = (0..40_000).map(|i| point(i, (i % 7) as f64)).collect();
        points[12_345].0.value = 1_000.0;
        points[23_456].0.value = -5.0;
        points[34_567].0.prediction = Prediction::Anomaly;
        points[34_568].0.severity = Severity::High;
        points[5_000].0.score = Some(7.0);
        let thinned = thinned(&points, 300);
        assert!(thinned.points.len() <= 300, "{}", thinned.points.len());
        assert_eq!(thinned.samples, 40_000);
        for index in [12_345, 23_456, 34_568, 5_000] {
            assert!(thinned.points.contains(&points[index]), "{index}");
        }
        let ordered = |pair: &[Point]| pair[0].0.timestamp < pair[1].0.timestamp;
        assert!(thinned.points.windows(2).all(ordered));
    }

    #[test]
    fn a_step_keeps_three_of_each_stretch_at_most() {
        let step = Duration::from_secs(600);
        let mut thinning = Thinning::to_step(step, at(1));
        (1..=400).for_each(|i| thinning.push(point(i, (i % 9) as f64)));
        let thinned = thinning.finish();
        assert_eq!(thinned.step, Some(step));
        let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for (row, _) in &thinned.points {
            *counts.entry(row.timestamp.floor_to(step)).or_default() += 1;
        }
        assert!(counts.values().all(|count| (1..=3).contains(count)));
        assert_eq!(counts.len(), 11);
    }
}
