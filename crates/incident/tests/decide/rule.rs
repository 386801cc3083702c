//! When an incident opens, and when it does not.

use domain::{IncidentKind, OpenedBecause, Severity, Status};
use incident::{Change, Verdict};

use crate::story::*;

/// One metric shows this for an hour: how many incidents open?
fn check(seen: Seen, opened: usize, verdict: fn(Verdict) -> bool) {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", seen).pass(3600);
    assert_eq!(story.opened(), opened, "{seen:?}");
    let last = story.verdict("pay", "cpu");
    assert!(verdict(last), "{seen:?}: {last:?}");
}

#[test]
fn calm_opens_nothing() {
    check(CALM, 0, |v| v == Verdict::Calm);
}

#[test]
fn crossing_without_anomaly_opens_nothing() {
    check(HIGH, 0, |v| {
        matches!(v, Verdict::CrossingWithoutAnomaly { .. })
    });
}

#[test]
fn anomaly_without_crossing_opens_nothing() {
    check(STRANGE, 0, |v| v == Verdict::AnomalyWithoutCrossing);
}

#[test]
fn crossing_and_anomaly_together_open_one() {
    check(BAD, 1, |v| matches!(v, Verdict::Extended { .. }));
}

#[test]
fn critical_alone_opens_after_critical_after_and_says_threshold_only() {
    for (seen, says) in [
        (CRITICAL, "threshold only, the model sees no anomaly"),
        (
            CRITICAL_WITHOUT_MODEL,
            "threshold only, no model can say more",
        ),
    ] {
        let mut story = Story::of(&["pay"]);
        story.see("pay", "cpu", seen).pass(CRITICAL_AFTER);
        assert!(story.firing("pay").is_none(), "not before");
        story.tick();
        let incident = story.firing("pay").unwrap();
        assert_eq!(incident.opened_because, OpenedBecause::ThresholdOnly);
        assert!(incident.summary.contains(says), "{}", incident.summary);
        assert_eq!(incident.severity, Severity::Critical);
        let delay = incident.opened.since(incident.first_crossing);
        assert_eq!(delay, seconds(CRITICAL_AFTER));
    }
}

#[test]
fn an_incident_opens_whole_and_says_why() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let incident = story.firing("pay").unwrap();
    assert_eq!(incident.kind, IncidentKind::Metrics);
    assert_eq!(incident.status, Status::Open);
    assert_eq!(incident.opened_because, OpenedBecause::CrossingAndAnomaly);
    assert!(
        incident
            .summary
            .starts_with("pay: CPU is 90 %, past High 85 %"),
        "{}",
        incident.summary
    );
    assert_eq!((incident.follows, incident.ended), (None, None));
    assert_eq!(story.output.changes, [Change::Opened(incident.id)]);
    assert_eq!(story.output.incidents, std::slice::from_ref(incident));
}

#[test]
fn open_after_counts_from_the_first_qualified_tick() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", HIGH).pass(600);
    story.see("pay", "cpu", BAD).tick();
    let qualified = story.now;
    assert_eq!(
        story.verdict("pay", "cpu"),
        Verdict::Waiting { since: qualified }
    );
    story.pass(OPEN_AFTER - TICK);
    assert!(story.firing("pay").is_none());
    story.tick();
    let incident = story.firing("pay").unwrap();
    assert_eq!(incident.opened.since(qualified), seconds(OPEN_AFTER));
}

#[test]
fn the_delay_counts_from_the_first_crossing() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", HIGH).pass(60);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let incident = story.firing("pay").unwrap();
    let delay = incident.opened.since(incident.first_crossing);
    assert_eq!(delay, seconds(60 + OPEN_AFTER));
}

#[test]
fn one_sample_that_does_not_qualify_starts_open_after_anew() {
    for interruption in [HIGH, STRANGE, CALM] {
        let mut story = Story::of(&["pay"]);
        for _ in 0..20 {
            story.see("pay", "cpu", BAD).pass(OPEN_AFTER);
            story.see("pay", "cpu", interruption).tick();
        }
        assert_eq!(story.opened(), 0, "{interruption:?}");
    }
}

#[test]
fn two_halves_on_two_metrics_make_no_whole() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", HIGH).see("pay", "mem", STRANGE);
    assert_eq!(story.pass(3600).opened(), 0);
}

#[test]
fn rows_move_from_before_the_onset_and_the_onset_is_no_later_than_the_crossing() {
    let mut story = Story::of(&["pay"]);
    for value in [40.0, 50.0, 60.0, 70.0, 80.0] {
        let rising = Ok((value, domain::Prediction::Anomaly));
        story.see("pay", "cpu", rising).tick();
    }
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let incident = story.firing("pay").unwrap();
    assert!(
        incident.onset < incident.first_crossing,
        "a rise begins before"
    );
    let [rows] = &story.output.moves[..] else {
        panic!("one member, one move: {:?}", story.output.moves);
    };
    assert_eq!(rows.series, series("pay", "cpu"));
    assert!(rows.from <= incident.onset - seconds(2 * TICK));
    assert!(rows.from >= incident.onset - seconds(300));
}

#[test]
fn two_critical_samples_with_a_long_absence_between_them_open_nothing() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", CRITICAL).pass(TICK);
    story
        .see("pay", "cpu", Err(domain::Gap::NoData))
        .pass(2 * QUIET_PERIOD);
    story.see("pay", "cpu", CRITICAL).pass(TICK);
    assert_eq!(story.opened(), 0, "what lay between is unknown");
    story.pass(CRITICAL_AFTER);
    assert_eq!(story.opened(), 1);
}

#[test]
fn a_metric_that_lived_past_its_threshold_crosses_when_it_turns_anomalous() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", HIGH).pass(7200);
    let turned = story.now;
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let incident = story.firing("pay").unwrap();
    assert_eq!(incident.first_crossing, turned + seconds(TICK));
}
