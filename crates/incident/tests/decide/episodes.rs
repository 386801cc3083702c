//! What belongs to one incident, when it goes quiet, and what gaps mean.

use domain::{Gap, OpenedBecause, Severity, SourceState, Status, TimelineEvent};
use incident::{Change, Verdict};

use crate::story::*;

/// A story in which #1 has just opened on the CPU of `pay`.
fn opened() -> Story {
    let mut story = Story::of(&["pay", "cart", "shop"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(story.firing("pay").unwrap().id.0, 1);
    story
}

#[test]
fn all_metrics_of_a_service_join_one_incident() {
    let mut story = opened();
    story.see("pay", "mem", BAD).tick();
    let incident = story.firing("pay").unwrap();
    let members: Vec<&str> = incident.members.iter().map(|m| m.metric.as_str()).collect();
    assert_eq!(members, ["cpu", "mem"]);
    assert_eq!(
        story.verdict("pay", "mem"),
        Verdict::Joined {
            incident: incident.id
        }
    );
    assert_eq!(story.output.moves[0].series, series("pay", "mem"));
    assert_eq!(story.pass(3600).opened(), 1);
}

#[test]
fn metrics_that_qualify_together_open_together() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).see("pay", "mem", BAD);
    story.pass(OPEN_AFTER + TICK);
    assert_eq!(story.firing("pay").unwrap().members.len(), 2);
    assert_eq!(story.output.changes.len(), 1);
    assert_eq!(story.output.moves.len(), 2);
}

#[test]
fn what_crosses_without_anomaly_joins_only_as_long_critical_and_says_so() {
    let mut story = opened();
    story.see("pay", "mem", CRITICAL).tick();
    let crossing = story.now;
    story.pass(CRITICAL_AFTER - TICK);
    assert_eq!(
        story.verdict("pay", "mem"),
        Verdict::CrossingWithoutAnomaly { since: crossing }
    );
    story.tick();
    let joined = story.incident(1).timeline.iter().rev();
    let text = joined
        .filter_map(|entry| match &entry.what {
            TimelineEvent::MemberJoined { text, .. } => Some(text),
            _ => None,
        })
        .next()
        .expect("mem joined");
    assert!(text.contains("threshold only"), "{text}");
}

#[test]
fn services_have_incidents_of_their_own() {
    let mut story = opened();
    story.see("cart", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(story.firing("pay").unwrap().id.0, 1);
    assert_eq!(story.firing("cart").unwrap().id.0, 2);
    assert_eq!(story.firing("shop"), None);
}

#[test]
fn a_recovery_below_the_quiet_period_belongs_to_the_incident() {
    let mut story = opened();
    for _ in 0..5 {
        story.see("pay", "cpu", CALM).pass(QUIET_PERIOD);
        assert_eq!(
            story.verdict("pay", "cpu"),
            Verdict::CalmMember {
                incident: story.firing("pay").unwrap().id
            }
        );
        story.see("pay", "cpu", BAD).pass(60);
    }
    assert_eq!(story.opened(), 1);
    assert_eq!(story.firing("pay").unwrap().last_seen, story.now);
}

#[test]
fn a_calm_of_the_quiet_period_ends_the_episode_but_not_the_incident() {
    let mut story = opened();
    let last_seen = story.now;
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    let incident = story.incident(1);
    assert_eq!((incident.firing, incident.ended), (false, Some(last_seen)));
    assert_eq!(
        incident.status,
        Status::Open,
        "only an operator resolves it"
    );
    assert_eq!(story.output.changes, [Change::WentQuiet(incident.id)]);
    assert!(story.pass(86_400).state.incident(incident_id(1)).is_some());
}

#[test]
fn a_later_episode_is_a_new_incident_linked_to_the_old_one() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let new = story.firing("pay").unwrap();
    assert_eq!((new.id.0, new.follows), (2, Some(incident_id(1))));
    assert!(new.onset > story.incident(1).ended.unwrap(), "its own time");
    let told = |e: &domain::TimelineEntry| {
        e.what
            == TimelineEvent::FollowedBy {
                incident: incident_id(2),
            }
    };
    assert!(story.incident(1).timeline.iter().any(told));
    assert_eq!(story.incident(1).status, Status::Open);
}

#[test]
fn members_must_all_be_calm() {
    let mut story = opened();
    story.see("pay", "mem", BAD).tick();
    story.see("pay", "cpu", CALM).pass(3600);
    assert!(story.firing("pay").is_some());
    story.see("pay", "mem", HIGH).pass(3600);
    assert!(
        story.firing("pay").is_some(),
        "a crossing member keeps firing"
    );
    story.see("pay", "mem", STRANGE).pass(QUIET_PERIOD + TICK);
    assert!(
        story.firing("pay").is_none(),
        "an anomaly alone is no trouble"
    );
}

#[test]
fn gaps_never_end_an_incident() {
    for gap in Gap::ALL {
        let mut story = opened();
        story.see("pay", "cpu", Err(gap)).pass(86_400);
        assert!(story.firing("pay").is_some(), "{gap:?}");
        assert_eq!(story.verdict("pay", "cpu"), Verdict::NoSample);
    }
}

#[test]
fn gaps_within_a_calm_do_not_count_towards_quiet() {
    let unseen = Gap::ALL.into_iter();
    for gap in unseen.filter(|gap| !matches!(gap, Gap::Repeated | Gap::Idle)) {
        let mut story = opened();
        story.see("pay", "cpu", CALM).tick();
        story.see("pay", "cpu", Err(gap)).pass(3600);
        assert!(story.firing("pay").is_some(), "{gap:?}");
        story.see("pay", "cpu", CALM).pass(QUIET_PERIOD);
        assert!(story.firing("pay").is_some(), "{gap:?}");
        story.tick();
        assert!(story.firing("pay").is_none(), "{gap:?}");
    }
}

#[test]
fn a_calm_that_turns_idle_or_repeats_goes_quiet() {
    for gap in [Gap::Repeated, Gap::Idle] {
        let mut story = opened();
        story.see("pay", "cpu", CALM).tick();
        story.see("pay", "cpu", Err(gap)).pass(QUIET_PERIOD);
        assert!(story.firing("pay").is_none(), "{gap:?}");
    }
}

#[test]
fn gaps_open_nothing() {
    for gap in Gap::ALL {
        let mut story = Story::of(&["pay"]);
        story.see("pay", "cpu", WORSE).tick();
        story.see("pay", "cpu", Err(gap)).pass(3600);
        assert_eq!(story.opened(), 0, "{gap:?}");
    }
}

#[test]
fn an_outage_of_the_source_ends_nothing_and_opens_nothing() {
    let mut story = opened();
    story.see("pay", "cpu", CALM).see("cart", "cpu", WORSE);
    story.tick();
    story.outage().pass(86_400);
    assert!(story.firing("pay").is_some());
    assert_eq!(story.opened(), 1);
    assert_eq!(
        story.output.changes,
        [],
        "and nothing changes while it lasts"
    );
    story.source(SourceState::Healthy).tick();
    assert!(story.firing("pay").is_some(), "calm begins anew after it");
    story.pass(QUIET_PERIOD);
    assert!(story.firing("pay").is_none());
}

#[test]
fn severity_follows_the_worst_member_and_is_recorded() {
    let mut story = opened();
    story.see("pay", "cpu", WORSE).tick();
    let raised = Change::SeverityRaised(incident_id(1));
    assert_eq!(story.output.changes, [raised]);
    story.see("pay", "mem", BAD).tick();
    assert_eq!(
        story.incident(1).severity,
        Severity::Critical,
        "the worst counts"
    );
    story.see("pay", "cpu", CALM).tick();
    assert_eq!(story.incident(1).severity, Severity::High);
    assert_eq!(story.output.changes, [], "falling is no alarm");
    story.see("pay", "mem", CALM).pass(QUIET_PERIOD + TICK);
    let quiet = story.incident(1);
    assert_eq!(
        (quiet.severity, quiet.worst_severity),
        (Severity::High, Severity::Critical)
    );
    let told: Vec<(Severity, Severity)> = quiet
        .timeline
        .iter()
        .filter_map(|entry| match entry.what {
            TimelineEvent::SeverityChanged { from, to } => Some((from, to)),
            _ => None,
        })
        .collect();
    let (high, critical) = (Severity::High, Severity::Critical);
    assert_eq!(told, [(high, critical), (critical, high)]);
}

#[test]
fn the_worst_value_is_kept_with_its_time() {
    let mut story = opened();
    story.see("pay", "cpu", WORSE).tick();
    let worst_at = story.now;
    story.see("pay", "cpu", BAD).pass(60);
    let member = &story.incident(1).members[0];
    assert_eq!((member.worst, member.worst_at), (98.0, worst_at));
    assert_eq!(member.last_firing, story.now);
    assert_eq!(member.severity, Severity::High);
}

#[test]
fn an_onset_never_lies_within_the_incident_before() {
    let mut story = opened();
    story.see("pay", "cpu", WORSE).pass(3600);
    let last_seen = story.now;
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let new = story.firing("pay").unwrap();
    assert!(new.onset >= last_seen, "{} < {last_seen}", new.onset);
}

#[test]
fn threshold_only_is_what_opened_it_even_if_the_model_agrees_later() {
    let mut story = Story::of(&["pay"]);
    story
        .see("pay", "cpu", CRITICAL)
        .pass(CRITICAL_AFTER + TICK);
    story.see("pay", "cpu", WORSE).pass(600);
    let because = story.incident(1).opened_because;
    assert_eq!(because, OpenedBecause::ThresholdOnly);
    assert_eq!(story.opened(), 1);
}

fn incident_id(number: u64) -> domain::IncidentId {
    domain::IncidentId(number)
}

/// The newest samples still hold the episode before; a restart forgets its incident.
#[test]
fn the_onset_never_lies_in_an_episode_that_is_over_and_forgotten() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(300);
    story.ask(1, RESOLVE).unwrap();
    story.see("pay", "cpu", CALM).pass(QUIET_PERIOD + TICK);
    assert!(story.firing("pay").is_none());
    let ended = story.incidents[&domain::IncidentId(1)].last_seen;
    let kept = story.state.without_incidents();
    story.state = kept;
    story
        .state
        .restore_incidents([], Some(domain::IncidentId(1)));
    story.pass(600);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let incident = story.firing("pay").unwrap();
    assert!(incident.onset > ended, "{} {ended}", incident.onset);
}
