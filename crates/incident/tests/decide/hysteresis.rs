//! A value a little short of its threshold is not yet calm.

use domain::{Prediction, Severity};
use incident::Change;

use crate::story::*;

/// Short of High (85) by less than five percent of it.
const ALMOST: Seen = Ok((82.0, Prediction::Anomaly));

#[test]
fn a_member_that_hovers_below_its_threshold_keeps_the_incident() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    story.see("pay", "cpu", ALMOST).pass(3 * QUIET_PERIOD);
    assert!(story.firing("pay").is_some());
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    assert!(story.firing("pay").is_none());
}

#[test]
fn without_hysteresis_it_goes_quiet() {
    let mut story = Story::of(&["pay"]);
    story.settings.hysteresis = 0.0;
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    story.see("pay", "cpu", ALMOST).pass(QUIET_PERIOD + TICK);
    assert!(story.firing("pay").is_none());
}

#[test]
fn hovering_below_opens_nothing() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", ALMOST).pass(3_600);
    assert_eq!(story.opened(), 0);
}

/// Short of Critical (95) by less than five percent of it.
const ALMOST_CRITICAL: Seen = Ok((92.0, Prediction::Anomaly));

#[test]
fn a_value_that_wobbles_around_critical_is_told_once() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    for _ in 0..10 {
        story.see("pay", "cpu", WORSE).pass(TICK);
        story.see("pay", "cpu", ALMOST_CRITICAL).pass(TICK);
    }
    let raised = |change: &&Change| matches!(change, Change::SeverityRaised(_));
    assert_eq!(story.changes.iter().filter(raised).count(), 1);
    assert_eq!(story.incident(1).severity, Severity::Critical);
    story.see("pay", "cpu", BAD).pass(TICK);
    assert_eq!(story.incident(1).severity, Severity::High);
}

#[test]
fn without_hysteresis_critical_ends_at_its_threshold() {
    let mut story = Story::of(&["pay"]);
    story.settings.hysteresis = 0.0;
    story.see("pay", "cpu", WORSE).pass(OPEN_AFTER + TICK);
    story.see("pay", "cpu", ALMOST_CRITICAL).pass(TICK);
    assert_eq!(story.incident(1).severity, Severity::High);
}
