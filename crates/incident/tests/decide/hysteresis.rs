//! A value a little short of its threshold is not yet calm.

use domain::Prediction;

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
