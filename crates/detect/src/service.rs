//! Judging a whole service: its strongest metrics taken together.
//!
//! The score is the mean of the three largest scores of its metrics at one time (of all where it has
//! fewer), held against the same limit as a series'. One metric that is mildly odd moves it little,
//! several that are odd together move it much, and many metrics don't make many alarms, as "any
//! metric" would.

/// How many of the strongest metrics are combined.
pub const STRONGEST: usize = 3;

/// What is odd about a service at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceScore {
    /// In the units of a rarity, 0 to 8.
    pub score: f64,
    /// From which score on it is an anomaly.
    pub limit: f64,
}

impl ServiceScore {
    pub fn is_anomaly(&self) -> bool {
        self.score >= self.limit
    }
}

/// Combines the scores that the metrics of a service have at one time, in any order; none without
/// any: absence is no evidence.
pub fn of_service(scores: impl IntoIterator<Item = f64>, limit: f64) -> Option<ServiceScore> {
    let mut largest = [f64::NEG_INFINITY; STRONGEST];
    let mut count = 0;
    for score in scores {
        debug_assert!(score.is_finite(), "scores are finite");
        count += 1;
        let at = largest.partition_point(|other| *other >= score);
        if at < STRONGEST {
            largest[at..].rotate_right(1);
            largest[at] = score;
        }
    }
    let taken = count.min(STRONGEST);
    (taken > 0).then(|| ServiceScore {
        score: largest[..taken].iter().sum::<f64>() / taken as f64,
        limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(of: &[f64]) -> Option<f64> {
        of_service(of.iter().copied(), 2.1).map(|service| service.score)
    }

    #[test]
    fn the_three_strongest_count() {
        assert_eq!(score(&[1.0, 5.0, 0.0, 3.0, 4.0]), Some(4.0));
        assert_eq!(score(&[1.0, 2.0]), Some(1.5));
        assert_eq!(score(&[]), None);
    }

    #[test]
    fn several_metrics_that_are_odd_together_are_an_anomaly_and_one_is_not() {
        let together = of_service([0.3, 3.0, 2.5, 2.8, 0.1], 2.1).unwrap();
        assert!(together.is_anomaly(), "{together:?}");
        let alone = of_service([0.3, 5.0, 0.2, 0.4], 2.1).unwrap();
        assert!(!alone.is_anomaly(), "{alone:?}");
    }
}
