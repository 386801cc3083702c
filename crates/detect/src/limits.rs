//! From which score on a sample, or a service, is an anomaly.

use std::time::Duration;

/// On a series of a sample a minute, with the alarm budget below.
const AT_A_MINUTE: f64 = 2.05;
const BUDGET: f64 = 0.2;
/// Ten times as many samples a day, or a tenth of the budget, take so much more.
const A_DECADE: f64 = 0.4;
const LOWEST: f64 = 0.5;

/// The limit of the score, in the units of a rarity, from the distance of samples and from how many
/// predictions per series and day may be wrong.
///
/// Were the judges independent, a mean of six rarities of 2.05 would be a matter of one in 10^9; they
/// look at the same value and agree, so the constants were measured, on recorded series.
pub fn limit_of(step: Duration, alarm_budget: f64) -> f64 {
    let a_day = 86_400.0 / step.as_secs_f64().max(0.001);
    let decades = libm::log10(a_day / 1_440.0) + libm::log10(BUDGET / alarm_budget.max(1e-6));
    (AT_A_MINUTE + A_DECADE * decades).max(LOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_samples_and_a_smaller_budget_take_more() {
        let at = |seconds, budget| limit_of(Duration::from_secs(seconds), budget);
        assert_eq!(at(60, 0.2), 2.05);
        assert!((at(6, 0.2) - 2.45).abs() < 1e-12);
        assert!((at(600, 0.2) - 1.65).abs() < 1e-12);
        assert!((at(60, 0.02) - 2.45).abs() < 1e-12);
        assert_eq!(at(86_400, 1e9), 0.5);
    }
}
