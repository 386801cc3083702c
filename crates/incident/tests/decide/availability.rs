//! Services that are gone, and a source that is at fault.

use domain::{IncidentKind, OpenedBecause, Severity, SourceState, TimelineEvent};
use incident::Change;

use crate::story::*;

const FLEET: [&str; 4] = ["cart", "pay", "shop", "stock"];

#[test]
fn a_gone_service_opens_after_down_after() {
    let mut story = Story::of(&FLEET);
    story.goes("pay").tick();
    let gone = story.now;
    story.pass(DOWN_AFTER - TICK);
    assert_eq!(story.opened(), 0);
    story.tick();
    let incident = story.firing("pay").unwrap();
    assert_eq!(incident.kind, IncidentKind::Availability);
    assert_eq!(incident.opened_because, OpenedBecause::Gone);
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!((incident.onset, incident.first_crossing), (gone, gone));
    assert!(
        incident.summary.contains("no instance"),
        "{}",
        incident.summary
    );
    assert_eq!(
        story.pass(3600).opened(),
        1,
        "one, however long it stays gone"
    );
    assert_eq!(story.firing("pay").unwrap().last_seen, story.now);
}

#[test]
fn a_service_that_never_was_up_is_not_missed() {
    let mut story = Story::of(&FLEET);
    story.goes("batch").pass(3600);
    assert_eq!(story.opened(), 0);
}

#[test]
fn a_short_absence_opens_nothing() {
    let mut story = Story::of(&FLEET);
    for _ in 0..10 {
        story.goes("pay").pass(DOWN_AFTER);
        story.returns("pay").tick();
    }
    assert_eq!(story.opened(), 0);
}

#[test]
fn a_service_that_is_back_goes_quiet() {
    let mut story = Story::of(&FLEET);
    story.goes("pay").pass(600);
    story.returns("pay").pass(QUIET_PERIOD);
    assert!(story.firing("pay").is_some());
    story.tick();
    assert!(story.firing("pay").is_none());
    assert!(story.incident(1).ended.is_some());
}

#[test]
fn absence_is_seen_only_while_the_source_answers() {
    let mut story = Story::of(&FLEET);
    story.goes("pay").pass(DOWN_AFTER);
    story.outage().pass(3600);
    assert_eq!(story.opened(), 0);
    story.source(SourceState::Healthy).pass(DOWN_AFTER);
    assert_eq!(
        story.opened(),
        0,
        "the time of the outage is not time that it was gone"
    );
    story.tick();
    assert_eq!(story.opened(), 1);
}

#[test]
fn an_availability_incident_outlasts_an_outage() {
    let mut story = Story::of(&FLEET);
    story.goes("pay").pass(DOWN_AFTER + TICK);
    story.outage().pass(3600);
    assert!(story.firing("pay").is_some());
    story.source(SourceState::Healthy).pass(3600);
    assert_eq!(story.opened(), 1);
}

#[test]
fn most_of_the_fleet_gone_at_once_is_the_sources_fault() {
    let mut story = Story::of(&FLEET);
    story.goes("cart").tick();
    story.goes("pay").goes("shop").tick();
    for _ in 0..240 {
        let fault = story.tick().source_fault.as_ref().expect("it says so");
        assert!(fault.contains("3 of 4"), "{fault}");
    }
    assert_eq!(story.opened(), 0);
    for name in ["cart", "pay", "shop"] {
        story.returns(name);
    }
    story.pass(3600);
    assert_eq!(story.output.source_fault, None);
    assert_eq!(story.opened(), 0);
}

#[test]
fn half_of_the_fleet_is_not_most() {
    let mut story = Story::of(&FLEET);
    story.goes("cart").goes("pay").pass(DOWN_AFTER + TICK);
    assert_eq!(story.opened(), 2);
}

#[test]
fn services_that_go_one_after_the_other_are_down_themselves() {
    let mut story = Story::of(&FLEET);
    for name in ["cart", "pay", "shop"] {
        story.goes(name).pass(60);
    }
    story.pass(DOWN_AFTER);
    assert_eq!(story.opened(), 3);
}

#[test]
fn who_stays_gone_when_the_fleet_is_back_is_down() {
    let mut story = Story::of(&FLEET);
    story.goes("cart").goes("pay").goes("shop").pass(600);
    story.returns("cart").returns("shop").pass(DOWN_AFTER);
    assert_eq!(story.opened(), 0);
    story.tick();
    assert_eq!(
        story.firing("pay").unwrap().kind,
        IncidentKind::Availability
    );
    assert_eq!(story.opened(), 1);
}

#[test]
fn a_service_that_goes_while_its_incident_fires_makes_it_critical_once() {
    let mut story = Story::of(&FLEET);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    story.goes("pay").pass(3600);
    assert_eq!(story.opened(), 1);
    let incident = story.firing("pay").unwrap();
    assert_eq!(incident.severity, Severity::Critical);
    let changed = |e: &&domain::TimelineEntry| {
        matches!(
            e.what,
            TimelineEvent::SeverityChanged {
                to: Severity::Critical,
                ..
            }
        )
    };
    assert_eq!(incident.timeline.iter().filter(changed).count(), 1);
    let raised = |c: &&Change| **c == Change::SeverityRaised(incident.id);
    assert_eq!(story.changes.iter().filter(raised).count(), 1);
}

#[test]
fn a_resolved_absence_that_goes_on_opens_a_new_linked_incident() {
    let mut story = Story::of(&FLEET);
    story.goes("pay").pass(DOWN_AFTER + TICK);
    story.ask(1, RESOLVE).unwrap();
    story.pass(QUIET_PERIOD);
    assert_eq!(story.opened(), 1);
    story.tick();
    let new = story.firing("pay").unwrap();
    assert_eq!((new.id.0, new.follows.map(|id| id.0)), (2, Some(1)));
}
