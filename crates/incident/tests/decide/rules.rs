//! Written rules that resolve, and the two ways in which a vanished service is let go.

use domain::{Actor, Gap, Severity, Status, TimelineEvent};
use incident::{AutoResolve, CommandKind, Refusal, ResolveWhen};

use crate::story::*;

fn rule(when: ResolveWhen) -> AutoResolve {
    AutoResolve {
        name: "calm".into(),
        services: vec!["p*".into()],
        severity_max: Severity::High,
        when,
    }
}

/// An incident on the CPU of `pay` under one rule.
fn opened(when: ResolveWhen) -> Story {
    let mut story = Story::of(&["pay", "cart", "shop"]);
    story.settings.auto_resolve = vec![rule(when)];
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    story
}

fn quiet_for(length: u64) -> ResolveWhen {
    ResolveWhen::QuietFor(seconds(length))
}

#[test]
fn a_rule_resolves_what_is_quiet_for_long_and_says_why() {
    let mut story = opened(quiet_for(600));
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + 600);
    assert_eq!(story.incident(1).status, Status::Open);
    story.pass(2 * TICK);
    let incident = story.incident(1);
    assert_eq!(incident.status, Status::Resolved);
    let by = Actor::Rule("calm".into());
    assert_eq!(incident.resolution.as_ref().map(|r| &r.by), Some(&by));
    let entry = incident.timeline.iter().rev().find(|e| e.actor == by);
    let TimelineEvent::Resolved { note: Some(note) } = &entry.unwrap().what else {
        panic!("a reason is given: {entry:?}");
    };
    assert!(
        note.starts_with("quiet, and seen calm by samples for 10 m since "),
        "{note}"
    );
}

#[test]
fn without_a_rule_nothing_resolves_itself() {
    let mut story = opened(quiet_for(600));
    story.settings.auto_resolve.clear();
    story.see("pay", "cpu", CALM).pass(86_400);
    assert_eq!(story.incident(1).status, Status::Open);
}

#[test]
fn a_rule_leaves_alone_what_it_does_not_name() {
    let mut worse = opened(quiet_for(60));
    worse.see("pay", "cpu", WORSE).pass(60);
    worse.see("pay", "cpu", CALM).pass(7_200);
    assert_eq!(
        worse.incident(1).status,
        Status::Open,
        "its severity is above"
    );
    let mut other = Story::of(&["cart"]);
    other.settings.auto_resolve = vec![rule(quiet_for(60))];
    other.see("cart", "cpu", BAD).pass(OPEN_AFTER + TICK);
    other.see("cart", "cpu", CALM).pass(7_200);
    assert_eq!(
        other.incident(1).status,
        Status::Open,
        "its service is another"
    );
}

#[test]
fn absence_never_resolves() {
    let mut story = opened(quiet_for(600));
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + 300);
    story.see("pay", "cpu", Err(Gap::NoData)).pass(7_200);
    assert_eq!(
        story.incident(1).status,
        Status::Open,
        "no samples are no calm"
    );
    story.see("pay", "cpu", CALM).pass(300);
    story.outage().pass(60);
    story.source(domain::SourceState::Healthy).pass(600);
    assert_eq!(
        story.incident(1).status,
        Status::Open,
        "calm begins anew after an outage"
    );
    story.pass(60);
    assert_eq!(story.incident(1).status, Status::Resolved);
}

#[test]
fn a_vanished_service_closes_only_by_its_own_rule() {
    let mut story = Story::of(&["pay", "cart", "shop"]);
    story.settings.auto_resolve = vec![AutoResolve {
        severity_max: Severity::Critical,
        ..rule(quiet_for(60))
    }];
    story.goes("pay").pass(86_400);
    assert_eq!(
        (story.opened(), story.incident(1).status),
        (1, Status::Open)
    );
    story.settings.auto_resolve[0].when = ResolveWhen::GoneFor(seconds(86_400));
    story.pass(600);
    let incident = story.incident(1);
    assert_eq!(
        (incident.status, incident.firing),
        (Status::Resolved, false)
    );
    assert!(incident.resolution.as_ref().unwrap().decommissioned);
    story.pass(7_200);
    assert_eq!(story.opened(), 1, "it is gone for good");
    story.returns("pay").pass(60);
    story.goes("pay").pass(300);
    assert_eq!(story.opened(), 2, "it was seen again, and went again");
}

#[test]
fn an_operator_lets_a_vanished_service_go() {
    let decommission = CommandKind::Resolve {
        decommissioned: true,
    };
    let mut story = Story::of(&["pay", "cart", "shop"]);
    story.goes("pay").pass(300);
    story.ask(1, decommission.clone()).unwrap();
    story.restart();
    story.pass(86_400);
    assert_eq!(story.opened(), 1);
    let mut up = opened(quiet_for(60));
    assert_eq!(up.ask(1, decommission), Err(Refusal::NotGone));
}
