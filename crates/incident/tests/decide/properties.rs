//! What holds of every story.

use std::collections::BTreeSet;

use domain::{Gap, IncidentId, SourceState, Status};
use incident::{Change, CommandKind, SnoozeUntil};
use proptest::prelude::*;

use crate::story::*;

const FLEET: [&str; 4] = ["cart", "pay", "shop", "stock"];

/// One thing that happens before some ticks pass.
#[derive(Clone, Debug)]
enum Event {
    Seen(usize, &'static str, Seen),
    Goes(usize),
    Returns(usize),
    Outage,
    Healthy,
    Ask(u64, CommandKind),
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let seen = prop::sample::select(vec![
        CALM,
        STRANGE,
        HIGH,
        CRITICAL,
        CRITICAL_WITHOUT_MODEL,
        BAD,
        WORSE,
        Err(Gap::NoData),
        Err(Gap::Repeated),
        Err(Gap::Idle),
    ]);
    let kind = prop::sample::select(vec![
        CommandKind::Acknowledge,
        RESOLVE,
        CommandKind::Resolve {
            decommissioned: true,
        },
        CommandKind::Reopen,
        CommandKind::Comment,
        CommandKind::Snooze {
            until: SnoozeUntil::Change,
        },
    ]);
    let metric = prop::sample::select(vec!["cpu", "mem"]);
    prop_oneof![
        8 => (0..FLEET.len(), metric, seen).prop_map(|(s, m, seen)| Event::Seen(s, m, seen)),
        1 => (0..FLEET.len()).prop_map(Event::Goes),
        1 => (0..FLEET.len()).prop_map(Event::Returns),
        1 => Just(Event::Outage),
        2 => Just(Event::Healthy),
        3 => (1..8u64, kind).prop_map(|(id, kind)| Event::Ask(id, kind)),
        1 => Just(Event::Restart),
    ]
}

fn happen(story: &mut Story, event: Event) {
    match event {
        Event::Seen(service, metric, seen) => {
            story.see(FLEET[service], metric, seen);
        }
        Event::Goes(service) => {
            story.goes(FLEET[service]);
        }
        Event::Returns(service) => {
            story.returns(FLEET[service]);
        }
        Event::Outage => {
            story.outage();
        }
        Event::Healthy => {
            story.source(SourceState::Healthy);
        }
        Event::Ask(id, kind) => {
            let _ = story.ask(id, kind);
        }
        Event::Restart => story.restart(),
    }
}

fn check(story: &Story, known_before: &BTreeSet<IncidentId>) {
    let mut firing = BTreeSet::new();
    for incident in story.state.incidents() {
        let service = &incident.service;
        assert!(
            !incident.firing || firing.insert(service.clone()),
            "two fire on {service}"
        );
        if incident.firing {
            assert_eq!(story.state.firing(service).map(|i| i.id), Some(incident.id));
        }
    }
    for (id, incident) in &story.incidents {
        assert!(incident.onset <= incident.first_crossing, "{incident:?}");
        assert!(incident.first_crossing <= incident.opened, "{incident:?}");
        assert!(incident.opened <= incident.last_seen, "{incident:?}");
        assert_eq!(
            incident.ended.is_none(),
            incident.firing,
            "ended iff quiet: {incident:?}"
        );
        assert!(incident.worst_severity >= incident.severity);
        for member in &incident.members {
            assert!(member.onset <= member.first_crossing && member.onset >= incident.onset);
            assert!(member.last_firing <= incident.last_seen);
        }
        let kept = story.state.incident(*id);
        let over = incident.status == Status::Resolved && !incident.firing;
        assert!(kept.is_some() || over, "dropped too early: {incident:?}");
        assert!(
            kept.is_none_or(|kept| kept == incident),
            "a change was not put out"
        );
    }
    let opened: Vec<IncidentId> = story
        .output
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Opened(id) => Some(*id),
            _ => None,
        })
        .collect();
    assert!(
        opened.iter().all(|id| known_before.last() < Some(id)),
        "ids increase"
    );
    let known: BTreeSet<IncidentId> = story.incidents.keys().copied().collect();
    let new: BTreeSet<IncidentId> = known.difference(known_before).copied().collect();
    assert_eq!(
        opened.iter().copied().collect::<BTreeSet<_>>(),
        new,
        "every opening is told"
    );
    for moved in &story.output.moves {
        let incident = story.state.firing(&moved.series.service).unwrap();
        let member = incident.member(&moved.series.metric).unwrap();
        assert!(moved.from <= member.onset);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn incidents_stay_sound_whatever_happens(
        events in prop::collection::vec((event(), 1..30_u64), 1..60)
    ) {
        let mut story = Story::of(&FLEET);
        for (event, ticks) in events {
            happen(&mut story, event);
            for _ in 0..ticks {
                let known = story.incidents.keys().copied().collect();
                story.tick();
                check(&story, &known);
            }
        }
    }
}
