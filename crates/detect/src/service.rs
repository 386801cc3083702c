//! Judging a whole service: its strongest metrics combined and calibrated again.
//!
//! The statistic is the mean of the three largest combined rarities of its metrics at one time; its
//! own rarity on this service's past is held against the same limits as a series'. One metric that
//! is mildly odd moves it little, several that are odd together move it much, and as it is
//! calibrated on the service itself, many metrics don't make many alarms, as "any metric" would.

use std::time::Duration;

use domain::{Prediction, Reason, ScoreLimits};
use serde::{Deserialize, Serialize};

use crate::Calibrator;
use crate::calibrate::keep_for_half_life;
use crate::limits::{Persistence, limits_of};

/// How many of the strongest metrics are combined.
pub const STRONGEST: usize = 3;
/// How long it takes the calibrator to forget half.
const HALF_LIFE: Duration = Duration::from_secs(14 * 86_400);

/// What judging a service needs beside the rarities of its metrics.
#[derive(Clone, Copy, Debug)]
pub struct ServiceContext {
    /// The distance of its samples.
    pub step: Duration,
    /// Predictions per service and day that may be wrong.
    pub alarm_budget: f64,
    /// Nothing is learnt: an incident masks the service.
    pub masked: bool,
}

/// What was judged about a service at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceJudgement {
    /// Unknown where no metric has a rarity, or while the calibrator warms up.
    pub prediction: Prediction,
    pub reason: Option<Reason>,
    /// The mean of the strongest metrics' rarities; none where no metric has one.
    pub strongest: Option<f64>,
    /// How rare that mean is on this service: −log10 of its tail probability, 0 to 8.
    pub score: Option<f64>,
    pub limits: ScoreLimits,
}

/// The memory of one service: a calibrator and persistence. Bounded (3 KB).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceState {
    calibrator: Calibrator,
    hits: Persistence,
    /// The newest judgement was an anomaly.
    anomalous: bool,
}

impl ServiceState {
    /// Judges the rarities that the metrics of the service have at one time, in any order. Without
    /// any the memory stays as it is: absence is no evidence.
    pub fn step(
        &mut self,
        rarities: impl IntoIterator<Item = f64>,
        context: ServiceContext,
    ) -> ServiceJudgement {
        let limits = limits_of(context.step, context.alarm_budget);
        let strongest = mean_of_strongest(rarities);
        let score = strongest.and_then(|mean| self.rarity(mean, context));
        let (prediction, reason) = match score {
            Some(score) => self.decide(score, limits),
            None => (Prediction::Unknown, None),
        };
        ServiceJudgement {
            prediction,
            reason,
            strongest,
            score,
            limits,
        }
    }

    /// A mean of rarities is the logarithm of a statistic already.
    fn rarity(&mut self, mean: f64, context: ServiceContext) -> Option<f64> {
        if context.masked {
            return self.calibrator.rarity(mean);
        }
        let half_life = HALF_LIFE.as_secs_f64() / context.step.as_secs_f64().max(0.001);
        self.calibrator.observe(mean, keep_for_half_life(half_life))
    }

    fn decide(&mut self, rarity: f64, limits: ScoreLimits) -> (Prediction, Option<Reason>) {
        let ScoreLimits {
            single,
            persistent,
            needed,
            of,
        } = limits;
        let hit = rarity >= persistent;
        let hits = self.hits.push(hit, of);
        let (prediction, reason) = if rarity >= single {
            let limit = single;
            (Prediction::Anomaly, Reason::VeryRare { rarity, limit })
        } else if hits >= needed || (self.anomalous && hit) {
            let limit = persistent;
            (Prediction::Anomaly, Reason::Persistent { hits, of, limit })
        } else if hits > 0 {
            (
                Prediction::Normal,
                Reason::NotPersistent { hits, needed, of },
            )
        } else {
            (Prediction::Normal, Reason::Usual)
        };
        self.anomalous = prediction == Prediction::Anomaly;
        (prediction, Some(reason))
    }

    /// Whether it is a memory that judging could have made; one that was read may not be.
    pub fn is_sound(&self) -> bool {
        self.calibrator.is_sound() && self.hits.is_sound()
    }
}

/// The mean of the three largest, or of fewer where there are fewer.
fn mean_of_strongest(rarities: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut largest = [f64::NEG_INFINITY; STRONGEST];
    let mut count = 0;
    for rarity in rarities {
        debug_assert!(rarity.is_finite(), "rarities are finite");
        count += 1;
        let at = largest.partition_point(|other| *other >= rarity);
        if at < STRONGEST {
            largest[at..].rotate_right(1);
            largest[at] = rarity;
        }
    }
    let taken = count.min(STRONGEST);
    (taken > 0).then(|| largest[..taken].iter().sum::<f64>() / taken as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: ServiceContext = ServiceContext {
        step: Duration::from_secs(60),
        alarm_budget: 0.2,
        masked: false,
    };

    /// Rarities as calibrated metrics have them: −log10 of uniform variates.
    fn usual(count: usize, metrics: usize) -> Vec<Vec<f64>> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut rarity = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            -libm::log10(((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64)
        };
        let mut row = || (0..metrics).map(|_| rarity()).collect();
        (0..count).map(|_| row()).collect()
    }

    fn learnt(metrics: usize) -> ServiceState {
        let mut state = ServiceState::default();
        for row in usual(10_000, metrics) {
            state.step(row, CONTEXT);
        }
        state
    }

    #[test]
    fn the_three_strongest_count() {
        assert_eq!(mean_of_strongest([1.0, 5.0, 0.0, 3.0, 4.0]), Some(4.0));
        assert_eq!(mean_of_strongest([1.0, 2.0]), Some(1.5));
        assert_eq!(mean_of_strongest([]), None);
    }

    #[test]
    fn a_service_whose_metrics_are_all_silent_is_unknown() {
        let mut state = learnt(4);
        let before = state.clone();
        let judged = state.step([], CONTEXT);
        assert_eq!(judged.prediction, Prediction::Unknown);
        assert_eq!((judged.score, judged.reason), (None, None));
        assert_eq!(state, before);
    }

    #[test]
    fn several_metrics_that_are_odd_together_are_an_anomaly() {
        let mut state = learnt(8);
        let mut together = vec![0.3; 8];
        together[..3].fill(4.0);
        let judged = state.clone().step(together, CONTEXT);
        assert_eq!(judged.prediction, Prediction::Anomaly);
        let mut alone = vec![0.3; 8];
        alone[0] = 4.0;
        let judged = state.step(alone, CONTEXT);
        assert_eq!(judged.prediction, Prediction::Normal, "{judged:?}");
    }

    #[test]
    fn more_metrics_make_no_more_alarms() {
        let alarms = |metrics| {
            let mut state = learnt(metrics);
            let rows = usual(20_000, metrics).into_iter().skip(10_000);
            let judged = rows.map(|row| state.step(row, CONTEXT).prediction);
            judged.filter(|p| *p == Prediction::Anomaly).count()
        };
        let (few, many) = (alarms(3), alarms(30));
        // A week of minutes; one in 1440 may be.
        assert!(few <= 20 && many <= 20, "{few} {many}");
    }

    #[test]
    fn what_is_masked_is_judged_and_not_learnt() {
        let mut state = learnt(3);
        let before = state.calibrator.clone();
        let masked = ServiceContext {
            masked: true,
            ..CONTEXT
        };
        assert!(state.step([5.0; 3], masked).score.is_some());
        assert_eq!(state.calibrator, before);
    }

    proptest! {
        #[test]
        fn a_memory_that_was_stored_goes_on_bit_for_bit(
            before in prop::collection::vec(prop::collection::vec(0.0f64..8.0, 0..5), 0..200),
            after in prop::collection::vec(prop::collection::vec(0.0f64..8.0, 0..5), 0..50),
        ) {
            let mut state = ServiceState::default();
            for row in before {
                state.step(row, CONTEXT);
            }
            let bytes = postcard::to_stdvec(&state).unwrap();
            let mut restored: ServiceState = postcard::from_bytes(&bytes).unwrap();
            prop_assert!(restored.is_sound());
            for row in after {
                prop_assert_eq!(state.step(row.clone(), CONTEXT), restored.step(row, CONTEXT));
            }
            prop_assert_eq!(state, restored);
        }
    }
}
