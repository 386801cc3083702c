//! Commands and evidence, and what is kept across a restart.

use std::sync::Arc;

use domain::{
    Actor, Gathered, IncidentId, LogLevel, LogLine, LogOutcome, LogWindow, Severity, Status,
    TimelineEvent, Timestamp,
};
use incident::{Change, Command, CommandKind, Notice, Refusal, SnoozeUntil, Verdict};

use crate::story::*;

fn opened() -> Story {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    story
}

#[test]
fn acknowledge_and_resolve_are_idempotent() {
    for (kind, status) in [
        (CommandKind::Acknowledge, Status::Acknowledged),
        (RESOLVE, Status::Resolved),
    ] {
        let mut story = opened();
        let first = story.ask(1, kind.clone()).unwrap();
        assert_eq!(first.status, status);
        let entry = first.timeline.last().unwrap();
        assert_eq!(entry.actor, Actor::Unverified("kim".into()));
        assert_eq!(
            story.ask(1, kind.clone()),
            Ok(first),
            "a repeat is answered the same"
        );
        assert_eq!(story.output.changes, []);
        assert_eq!(story.output.incidents, []);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let mut story = opened();
    for kind in [CommandKind::Acknowledge, RESOLVE] {
        assert_eq!(story.ask(2, kind), Err(Refusal::Unknown));
    }
    story.ask(1, RESOLVE).unwrap();
    assert_eq!(
        story.ask(1, CommandKind::Acknowledge),
        Err(Refusal::AlreadyResolved)
    );
}

#[test]
fn a_resolve_is_told_once() {
    let mut story = opened();
    story.ask(1, CommandKind::Acknowledge).unwrap();
    story.ask(1, RESOLVE).unwrap();
    assert_eq!(story.output.changes, [Change::Resolved(IncidentId(1))]);
}

#[test]
fn resolved_while_firing_is_held_and_trouble_past_the_quiet_period_opens_anew() {
    let mut story = opened();
    story.ask(1, RESOLVE).unwrap();
    let resolved = story.now;
    story.pass(QUIET_PERIOD);
    assert_eq!(
        story.verdict("pay", "cpu"),
        Verdict::HeldByResolve {
            incident: IncidentId(1)
        }
    );
    assert_eq!(story.opened(), 1);
    story.tick();
    let new = story.firing("pay").unwrap();
    assert_eq!((new.id.0, new.follows), (2, Some(IncidentId(1))));
    assert!(
        new.first_crossing >= resolved,
        "what was resolved stays resolved"
    );
    assert!(!story.incident(1).firing);
    assert_eq!(
        story.pass(3600).opened(),
        2,
        "the new one is open, not held"
    );
}

#[test]
fn resolved_while_firing_and_then_calm_ends() {
    let mut story = opened();
    story.ask(1, RESOLVE).unwrap();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    assert!(story.firing("pay").is_none());
    assert_eq!(story.pass(3600).opened(), 1);
}

#[test]
fn a_resolve_after_the_end_does_not_cut_the_episode_that_follows() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    story.see("pay", "cpu", BAD).tick();
    let crossing = story.now;
    story.tick();
    story.ask(1, RESOLVE).unwrap();
    story.pass(OPEN_AFTER);
    assert_eq!(story.incident(2).first_crossing, crossing);
}

#[test]
fn a_resolve_is_always_listed_however_long_the_history() {
    let mut story = opened();
    for _ in 0..400 {
        story.see("pay", "cpu", WORSE).tick();
        story.see("pay", "cpu", BAD).tick();
    }
    story.ask(1, RESOLVE).unwrap();
    let last = story.incident(1).timeline.last().unwrap();
    assert_eq!(last.what, TimelineEvent::Resolved { note: None });
    assert!(story.incident(1).timeline.len() <= 501);
    story.pass(QUIET_PERIOD + TICK);
    assert_eq!(story.opened(), 2, "and is honoured");
}

#[test]
fn between_ticks_no_time_passes() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).pass(60);
    let before = story.state.clone();
    story.now = story.now + seconds(86_400);
    story.ask(1, CommandKind::Acknowledge).unwrap();
    assert_eq!(
        story.output.changes,
        [],
        "a day between ticks makes nothing quiet"
    );
    story.now = story.now - seconds(86_400);
    assert_eq!(story.state.firing(&service("pay")).unwrap().id.0, 1);
    assert!(story.output.decisions.is_empty());
    assert_eq!(
        story.state.incident(IncidentId(1)).unwrap().last_seen,
        before.incident(IncidentId(1)).unwrap().last_seen
    );
    story.pass(QUIET_PERIOD - 60 + TICK);
    assert!(
        story.firing("pay").is_none(),
        "and the calm goes on where it was"
    );
}

#[test]
fn logs_are_attached_whole_and_told_once() {
    let logs = Arc::new(LogWindow {
        from: Timestamp::EPOCH,
        to: Timestamp::EPOCH,
        outcome: LogOutcome::Found,
        lines: vec![LogLine {
            time: Timestamp::EPOCH,
            level: LogLevel::Error,
            logger: None,
            message: "no connection".into(),
            exception: None,
            stack_trace: None,
            trace_id: None,
            span_id: None,
            cut: false,
        }],
        omitted: 0,
        malformed: 0,
    });
    let mut story = opened();
    story.attach(1, Gathered::Logs(Arc::clone(&logs)));
    story.attach(1, Gathered::Logs(Arc::clone(&logs)));
    assert_eq!(story.incident(1).logs.as_ref(), Some(&logs));
    let told = |e: &&domain::TimelineEntry| matches!(e.what, TimelineEvent::LogsAttached { .. });
    assert_eq!(story.incident(1).timeline.iter().filter(told).count(), 1);
    story.attach(99, Gathered::Logs(Arc::clone(&logs)));
    assert!(
        story.output.incidents.is_empty(),
        "an unknown incident takes none"
    );
}

#[test]
fn numbers_are_never_used_again() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    story.ask(1, RESOLVE).unwrap();
    story.pass(3600);
    assert_eq!(
        story.state.incidents().count(),
        0,
        "resolved and quiet is let go"
    );
    story.restart();
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(story.firing("pay").unwrap().id.0, 2);
}

#[test]
fn a_restart_changes_nothing() {
    let mut story = opened();
    story.restart();
    story.pass(600);
    assert_eq!(story.opened(), 1);
    story.see("pay", "cpu", CALM).pass(60).restart();
    story.pass(QUIET_PERIOD - 60 + TICK);
    assert!(story.firing("pay").is_none());
    story.restart();
}

#[test]
fn incidents_that_were_lost_are_not_believed_to_fire() {
    let mut story = opened();
    story.state = story.state.without_incidents();
    story.state.restore_incidents([], Some(IncidentId(1)));
    assert!(story.firing("pay").is_none());
    story.tick();
    assert_eq!(story.firing("pay").unwrap().id.0, 2, "trouble opens anew");
}

#[test]
fn incidents_go_on_even_if_all_else_was_lost() {
    let mut story = Story::of(&["cart", "pay", "shop"]);
    story.see("pay", "cpu", BAD).goes("shop").pass(3600);
    assert_eq!(story.opened(), 2);
    let incidents: Vec<_> = story.state.incidents().cloned().collect();
    story.state = incident::DecideState::default();
    story.state.restore_incidents(incidents, None);
    story.pass(3600);
    assert!(story.firing("pay").is_some() && story.firing("shop").is_some());
    assert_eq!(story.opened(), 2);
}

#[test]
fn an_operators_severity_stands_while_the_computed_one_goes_on() {
    let mut story = opened();
    let set = CommandKind::SetSeverity {
        severity: Some(Severity::High),
    };
    story.ask(1, set.clone()).unwrap();
    let entries = story.ask(1, set).unwrap().timeline.len();
    story.see("pay", "cpu", WORSE).pass(60);
    let incident = story.incident(1);
    assert_eq!(incident.shown_severity(), Severity::High);
    assert_eq!(incident.severity, Severity::Critical);
    assert_eq!(incident.timeline.len(), entries + 1, "the rise is recorded");
    assert!(
        story
            .changes
            .contains(&Change::SeverityRaised(IncidentId(1)))
    );
    let back = CommandKind::SetSeverity { severity: None };
    let incident = story.ask(1, back).unwrap();
    assert_eq!(incident.shown_severity(), Severity::Critical);
}

#[test]
fn an_owner_and_comments_are_kept() {
    let mut story = opened();
    let owner = Some("kim".to_owned());
    let assign = CommandKind::Assign {
        owner: owner.clone(),
    };
    story.ask(1, assign.clone()).unwrap();
    let entries = story.ask(1, assign).unwrap().timeline.len();
    let comment = Command {
        note: Some("looks like the new release".into()),
        ..command(1, CommandKind::Comment)
    };
    let incident = story.ask_with(comment).unwrap();
    assert_eq!(incident.owner, owner);
    assert_eq!(incident.timeline.len(), entries + 1);
    let said = &incident.timeline.last().unwrap().what;
    let text = "looks like the new release".to_owned();
    assert_eq!(said, &TimelineEvent::Commented { text });
}

#[test]
fn a_snooze_ends_with_its_time() {
    let mut story = opened();
    let until = story.now + seconds(120);
    let snooze = CommandKind::Snooze {
        until: SnoozeUntil::Time(until),
    };
    story.ask(1, snooze).unwrap();
    story.see("pay", "cpu", WORSE).pass(60);
    assert!(
        story.incident(1).snooze.is_some(),
        "a change doesn't end it"
    );
    story.pass(60);
    assert!(story.incident(1).snooze.is_none());
    let woke = |e: &domain::TimelineEntry| matches!(&e.what, TimelineEvent::Woke { because } if because == "its time was over");
    assert!(story.incident(1).timeline.iter().any(woke));
    let past = CommandKind::Snooze {
        until: SnoozeUntil::Time(story.now),
    };
    assert_eq!(story.ask(1, past), Err(Refusal::SnoozeInThePast));
}

#[test]
fn a_snooze_until_it_changes_ends_with_a_rise_a_new_metric_or_calm() {
    for (metric, seen, because) in [
        ("cpu", WORSE, "its severity rose"),
        ("mem", BAD, "a metric joined"),
        ("cpu", CALM, "it went quiet"),
    ] {
        let mut story = opened();
        let snooze = CommandKind::Snooze {
            until: SnoozeUntil::Change,
        };
        story.ask(1, snooze.clone()).unwrap();
        story.pass(120);
        assert!(story.incident(1).snooze.is_some());
        story.see("pay", metric, seen).pass(QUIET_PERIOD + 60);
        assert!(story.incident(1).snooze.is_none(), "{because}");
        let woke = |e: &domain::TimelineEntry| matches!(&e.what, TimelineEvent::Woke { because: told } if told == because);
        assert!(story.incident(1).timeline.iter().any(woke), "{because}");
    }
}

#[test]
fn nobody_is_told_of_what_is_snoozed() {
    let mut story = opened();
    let until = story.now + seconds(600);
    let snooze = CommandKind::Snooze {
        until: SnoozeUntil::Time(until),
    };
    story.ask(1, snooze).unwrap();
    story.see("pay", "cpu", WORSE).tick();
    let withheld = Notice::Snoozed { until: Some(until) };
    assert_eq!(story.output.notices, [(IncidentId(1), withheld)]);
}

#[test]
fn a_resolve_can_be_taken_back() {
    let mut story = opened();
    story.ask(1, RESOLVE).unwrap();
    let incident = story.ask(1, CommandKind::Reopen).unwrap();
    assert_eq!((incident.status, incident.firing), (Status::Open, true));
    assert_eq!(incident.resolution, None);
    story.pass(2 * QUIET_PERIOD);
    assert_eq!(story.opened(), 1, "it is the same episode");
    let entries = story.incident(1).timeline.len();
    let again = story.ask(1, CommandKind::Reopen).unwrap();
    assert_eq!(again.timeline.len(), entries, "a repeat changes nothing");
}

#[test]
fn a_forgotten_incident_is_taken_back_as_it_was_stored() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    story.ask(1, RESOLVE).unwrap();
    story.pass(1_200);
    assert_eq!(story.state.incidents().count(), 0);
    assert_eq!(story.ask(1, CommandKind::Reopen), Err(Refusal::Unknown));
    let stored = Arc::clone(&story.incidents[&IncidentId(1)]);
    let reopen = Command {
        stored: Some(stored),
        ..command(1, CommandKind::Reopen)
    };
    let incident = story.ask_with(reopen).unwrap();
    assert_eq!((incident.status, incident.firing), (Status::Open, false));
    story.pass(1_200);
    assert_eq!(story.incident(1).status, Status::Open, "it stays open");
}

#[test]
fn a_change_on_what_is_no_longer_so_is_refused() {
    let mut story = opened();
    let revision = story.incident(1).revision();
    let seen = |revision| Command {
        expected: Some(revision),
        ..command(1, CommandKind::Acknowledge)
    };
    story.ask(1, CommandKind::Acknowledge).unwrap();
    assert_eq!(
        story.ask_with(seen(revision)),
        Err(Refusal::Stale {
            revision: revision + 1
        })
    );
    assert!(story.ask_with(seen(revision + 1)).is_ok());
}
