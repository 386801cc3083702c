//! Ranked metric shifts: which of a service's metrics moved, by how much of their usual spread.
//!
//! The effect of one metric is the difference of the medians of window and baseline in robust
//! standard deviations of the baseline, 1.4826 · median(|x − median|) (Hampel 1974), which one
//! spike in either doesn't change.

use std::time::Duration;

use domain::{GatheredSeries, Sample, Shift, Shifts, Timestamp};

use super::median::median;
use crate::summary::{amount, number};

/// The baseline is so many times as long as the window.
const BASELINE_TIMES: u32 = 4;
/// No window is shorter: an incident opens soon after its onset.
const WINDOW_MIN: Duration = Duration::from_secs(120);
const SAMPLES_BEFORE_MIN: usize = 8;
const SAMPLES_DURING_MIN: usize = 2;
/// Effects below this are the usual up and down.
const EFFECT_MIN: f64 = 3.0;
/// An effect is not said to be larger: the baseline is all but constant then.
const EFFECT_MAX: f64 = 999.0;
const RANKED_MAX: usize = 20;

/// The window of an episode and its baseline.
pub(crate) struct Window {
    pub baseline_from: Timestamp,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub fn of(onset: Timestamp, to: Timestamp) -> Window {
        Window {
            baseline_from: baseline_from(onset, to),
            from: onset,
            to,
        }
    }
}

/// Where the baseline of a window begins.
pub(crate) fn baseline_from(onset: Timestamp, to: Timestamp) -> Timestamp {
    onset - BASELINE_TIMES * to.since(onset).max(WINDOW_MIN)
}

/// Ranks series by effect, strongest first, ties by name.
pub(crate) fn rank(window: &Window, series: &[GatheredSeries]) -> Shifts {
    let mut shifts = Shifts {
        baseline_from: window.baseline_from,
        from: window.from,
        to: window.to,
        ranked: Vec::new(),
        steady: Vec::new(),
        too_few: Vec::new(),
    };
    for one in series {
        match shift(window, one) {
            None => shifts.too_few.push(one.metric.clone()),
            Some(shift) if is_steady(&shift, one) => shifts.steady.push(one.metric.clone()),
            Some(shift) => shifts.ranked.push(shift),
        }
    }
    shifts.ranked.sort_by(|a, b| {
        let stronger = b.effect.abs().total_cmp(&a.effect.abs());
        stronger.then_with(|| a.metric.cmp(&b.metric))
    });
    shifts.ranked.truncate(RANKED_MAX);
    shifts
}

fn is_steady(shift: &Shift, series: &GatheredSeries) -> bool {
    shift.effect.abs() < EFFECT_MIN
        || (shift.during - shift.before).abs() < series.minimum_deviation
}

/// How one series moved; none with too few samples on either side.
fn shift(window: &Window, series: &GatheredSeries) -> Option<Shift> {
    let values = |from: Timestamp, before: Timestamp, until: Timestamp| -> Vec<f64> {
        let inside = |s: &&Sample| from <= s.time && s.time < before && s.time <= until;
        series
            .samples
            .iter()
            .filter(inside)
            .map(|s| s.value)
            .collect()
    };
    let after_all = window.to + Duration::from_millis(1);
    let mut baseline = values(window.baseline_from, window.from, window.to);
    let mut during = values(window.from, after_all, window.to);
    if baseline.len() < SAMPLES_BEFORE_MIN || during.len() < SAMPLES_DURING_MIN {
        return None;
    }
    let (samples_before, samples_during) = (baseline.len() as u32, during.len() as u32);
    let (before, during) = (median(&mut baseline)?, median(&mut during)?);
    let mut distances: Vec<f64> = baseline.iter().map(|x| (x - before).abs()).collect();
    let spread = 1.4826 * median(&mut distances)?;
    let floor = (series.minimum_deviation / 3.0)
        .max(0.01 * before.abs())
        .max(1e-9);
    let usual = spread.max(floor);
    let effect = ((during - before) / usual).clamp(-EFFECT_MAX, EFFECT_MAX);
    Some(Shift {
        metric: series.metric.clone(),
        title: series.title.clone(),
        unit: series.unit.clone(),
        effect,
        before,
        during,
        spread,
        samples_before,
        samples_during,
        query: series.query.clone(),
        text: sentence(series, (before, during), effect, usual),
    })
}

fn sentence(
    series: &GatheredSeries,
    (before, during): (f64, f64),
    effect: f64,
    usual: f64,
) -> String {
    let moved = if during > before { "rose" } else { "fell" };
    let times = match effect.abs() {
        times if times >= EFFECT_MAX => "far beyond".to_owned(),
        times => format!("{} times", number(times)),
    };
    format!(
        "{} {moved} from {} to {}, {times} the {} that count as usual",
        series.title,
        amount(before, &series.unit),
        amount(during, &series.unit),
        amount(usual, &series.unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + index * 15_000)
    }

    fn series(metric: &str, minimum: f64, value: impl Fn(i64) -> f64) -> GatheredSeries {
        GatheredSeries {
            metric: metric.into(),
            title: metric.to_uppercase(),
            unit: "ms".into(),
            minimum_deviation: minimum,
            query: format!("q({metric})"),
            samples: (-60..20)
                .map(|i| Sample {
                    time: at(i),
                    value: value(i) + ((i * 7919).rem_euclid(11) as f64 - 5.0) / 5.0,
                })
                .collect(),
        }
    }

    fn step(from: f64, to: f64) -> impl Fn(i64) -> f64 {
        move |i| if i < 0 { from } else { to }
    }

    #[test]
    fn the_strongest_comes_first_with_direction_and_words() {
        let window = Window::of(at(0), at(12));
        let shifts = rank(
            &window,
            &[
                series("small", 1.0, step(100.0, 120.0)),
                series("large", 1.0, step(100.0, 900.0)),
                series("down", 1.0, step(300.0, 100.0)),
                series("steady", 1.0, step(100.0, 100.0)),
                series("harmless", 50.0, step(100.0, 120.0)),
            ],
        );
        let names: Vec<&str> = shifts.ranked.iter().map(|s| s.metric.as_str()).collect();
        assert_eq!(names, ["large", "down", "small"]);
        assert_eq!(shifts.steady, ["steady", "harmless"]);
        assert!(shifts.ranked[1].effect < 0.0);
        assert_eq!(shifts.ranked[0].samples_before, 48);
        assert_eq!(shifts.ranked[0].samples_during, 13);
        let text = &shifts.ranked[1].text;
        assert!(
            text.starts_with("DOWN fell from 300 ms to 100 ms, "),
            "{text}"
        );
    }

    #[test]
    fn the_effect_is_the_difference_of_medians_in_robust_deviations() {
        let mut one = series("x", 0.0, |_| 0.0);
        for (index, sample) in one.samples.iter_mut().enumerate() {
            sample.value = if sample.time < at(0) {
                [8.0, 10.0, 12.0][index % 3]
            } else {
                40.0
            };
        }
        let shifts = rank(&Window::of(at(0), at(12)), &[one]);
        let shift = &shifts.ranked[0];
        assert_eq!((shift.before, shift.during), (10.0, 40.0));
        assert!((shift.spread - 1.4826 * 2.0).abs() < 1e-12);
        assert!((shift.effect - 30.0 / (1.4826 * 2.0)).abs() < 1e-12);
    }

    #[test]
    fn one_spike_in_the_window_is_no_shift() {
        let spiked = series("x", 1.0, |i| if i == 3 { 9_000.0 } else { 100.0 });
        assert_eq!(rank(&Window::of(at(0), at(12)), &[spiked]).steady, ["x"]);
    }

    #[test]
    fn without_a_past_it_is_not_enough_evidence() {
        let mut young = series("x", 1.0, step(1.0, 99.0));
        young.samples.retain(|s| s.time >= at(-4));
        let shifts = rank(&Window::of(at(0), at(12)), &[young]);
        assert_eq!(
            (shifts.ranked.len(), shifts.too_few),
            (0, vec!["x".to_owned()])
        );
    }
}
