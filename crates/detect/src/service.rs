//! Judging a whole service: its strongest metrics taken together.
//!
//! The score is the mean of the three largest scores of its metrics at one time (of all where it has
//! fewer), and at least half the largest, held against the same limit as a series'. Several metrics
//! that are odd together are an anomaly, and so is one that reaches twice the limit; one that is mildly
//! odd isn't, so that many metrics don't make many alarms, as "any metric" would. It ends with the
//! samples that made it: the strongest metric must be odd itself, and not only those before it.

use serde::{Deserialize, Serialize};

/// How many of the strongest metrics are combined.
pub const STRONGEST: usize = 3;
/// The least that the strongest counts alone.
const SHARE_OF_ONE: f64 = 0.5;

/// What is said about one metric of a service at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MetricScore {
    /// 0 if it is too close to what is expected, or on the harmless side, to matter.
    pub score: f64,
    /// The sample itself is odd ([`crate::is_odd_now`]).
    pub is_odd_now: bool,
    pub is_anomaly: bool,
}

/// How odd a service is at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceScore {
    /// In the units of a rarity, 0 to 8; 0 without any metric: absence is no evidence.
    pub score: f64,
    pub is_anomaly: bool,
    /// It is no anomaly now, but was one, and one of its metrics has been one ever since.
    pub goes_on: bool,
}

/// The memory of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceState {
    /// It is an anomaly, or one that goes on.
    is_odd: bool,
}

impl ServiceState {
    /// Judges what is said about the metrics of the service at one time, in any order.
    pub fn step(
        &mut self,
        metrics: impl IntoIterator<Item = MetricScore>,
        limit: f64,
    ) -> ServiceScore {
        let mut largest = [f64::NEG_INFINITY; STRONGEST];
        let mut is_odd_now = false;
        let mut count = 0;
        let mut has_anomaly = false;
        for metric in metrics {
            debug_assert!(metric.score.is_finite(), "scores are finite");
            count += 1;
            has_anomaly |= metric.is_anomaly;
            let at = largest.partition_point(|other| *other >= metric.score);
            if at == 0 {
                is_odd_now = metric.is_odd_now;
            }
            if at < STRONGEST {
                largest[at..].rotate_right(1);
                largest[at] = metric.score;
            }
        }
        let taken = count.min(STRONGEST);
        let mean = largest[..taken].iter().sum::<f64>() / taken.max(1) as f64;
        let score = mean.max(SHARE_OF_ONE * largest[0]);
        let is_anomaly = score >= limit && is_odd_now;
        let goes_on = !is_anomaly && self.is_odd && has_anomaly;
        self.is_odd = is_anomaly || goes_on;
        ServiceScore {
            score,
            is_anomaly,
            goes_on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(state: &mut ServiceState, scores: &[f64]) -> ServiceScore {
        let metric = |score: &f64| MetricScore {
            score: *score,
            is_odd_now: true,
            is_anomaly: *score >= 2.1,
        };
        state.step(scores.iter().map(metric), 2.1)
    }

    #[test]
    fn the_three_strongest_count() {
        let score = |scores| step(&mut ServiceState::default(), scores).score;
        assert_eq!(score(&[1.0, 5.0, 0.0, 3.0, 4.0]), 4.0);
        assert_eq!(score(&[1.0, 2.0]), 1.5);
        assert_eq!(score(&[]), 0.0);
        assert_eq!(score(&[0.1, 5.0, 0.2]), 2.5);
    }

    #[test]
    fn several_metrics_that_are_odd_together_are_an_anomaly_and_one_if_it_is_very_odd() {
        let mut state = ServiceState::default();
        assert!(!step(&mut state, &[0.3, 4.1, 0.2, 0.4]).is_anomaly);
        assert!(step(&mut state.clone(), &[0.3, 4.3, 0.2, 0.4]).is_anomaly);
        assert!(step(&mut state, &[0.3, 3.0, 2.5, 2.8, 0.1]).is_anomaly);
    }

    #[test]
    fn an_anomaly_needs_a_strongest_metric_that_is_odd_itself() {
        let said = |strongest_is_odd| {
            let metrics = [2.5, 6.0, 2.5].map(|score| MetricScore {
                score,
                is_odd_now: (score == 6.0) == strongest_is_odd,
                is_anomaly: false,
            });
            ServiceState::default().step(metrics, 2.1)
        };
        assert!(said(true).is_anomaly && !said(false).is_anomaly);
        assert_eq!(said(true).score, said(false).score);
    }

    #[test]
    fn it_goes_on_as_long_as_one_of_its_metrics_is_anomalous() {
        let mut state = ServiceState::default();
        let rows: [&[f64]; 4] = [
            &[3.0, 3.0, 3.0],
            &[0.1, 2.2, 0.1],
            &[0.1; 3],
            &[0.1, 2.2, 0.1],
        ];
        let said = rows.map(|row| step(&mut state, row));
        assert_eq!(said.map(|s| s.is_anomaly), [true, false, false, false]);
        assert_eq!(said.map(|s| s.goes_on), [false, true, false, false]);
    }
}
