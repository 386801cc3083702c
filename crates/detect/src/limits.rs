//! How rare is rare enough, and for how long: the same for a series and for a whole service.

use std::collections::VecDeque;
use std::time::Duration;

use domain::ScoreLimits;
use serde::{Deserialize, Serialize};

/// Persistence looks at the samples of this duration, at least 6 and at most 24 of them.
const PERSISTENCE: Duration = Duration::from_secs(360);
const PERSISTENCE_SAMPLES: (u32, u32) = (6, 24);

/// The limits, in −log10 of a probability, from the distance of samples and from how many
/// predictions per series and day may be wrong.
pub fn limits_of(step: Duration, alarm_budget: f64) -> ScoreLimits {
    let step = step.as_secs_f64().max(0.001);
    let a_day = 86_400.0 / step;
    let rarity = |probability: f64| -libm::log10(probability);
    let samples = (PERSISTENCE.as_secs_f64() / step).ceil() as u32;
    let of = samples.clamp(PERSISTENCE_SAMPLES.0, PERSISTENCE_SAMPLES.1);
    ScoreLimits {
        single: rarity((5.0 * alarm_budget / a_day).min(0.005)),
        persistent: rarity((50.0 * alarm_budget / a_day).min(0.02)),
        needed: of * 2 / 3,
        of,
    }
}

/// Which of the newest samples were rare enough to count, newest last; at most 24.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Persistence(VecDeque<bool>);

impl Persistence {
    /// Takes the newest sample and says how many of the newest `of` counted.
    pub fn push(&mut self, hit: bool, of: u32) -> u32 {
        while self.0.len() >= of as usize {
            self.0.pop_front();
        }
        self.0.push_back(hit);
        self.0.iter().filter(|hit| **hit).count() as u32
    }

    pub fn is_sound(&self) -> bool {
        self.0.len() <= PERSISTENCE_SAMPLES.1 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_step_needs_fewer_samples_and_less_rarity() {
        let at = |seconds| limits_of(Duration::from_secs(seconds), 0.2);
        let (quick, minute, five) = (at(15), at(60), at(300));
        assert_eq!((quick.needed, quick.of), (16, 24));
        assert_eq!((minute.needed, minute.of), (4, 6));
        assert_eq!((five.needed, five.of), (4, 6));
        assert!(quick.single > minute.single && minute.single > five.single);
        assert!((minute.single - libm::log10(1440.0)).abs() < 1e-12);
        assert!(at(3_600).persistent >= -libm::log10(0.02) - 1e-12);
    }

    #[test]
    fn only_the_newest_samples_count() {
        let mut persistence = Persistence::default();
        let counts = [true, true, false, false, true].map(|hit| persistence.push(hit, 3));
        assert_eq!(counts, [1, 2, 2, 1, 1]);
    }
}
