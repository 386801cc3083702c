//! What always holds, whatever happens to incidents, mutes and the process.

use std::collections::{BTreeMap, BTreeSet};

use domain::{IncidentId, Severity, Status};
use notify::{NoticeKind, NoticeState, Pager, ReceiverKind, Standing};
use proptest::prelude::*;

use crate::desk::{Desk, HOUR, MINUTE, mute, receiver, snooze};

/// Something that happens between two steps.
#[derive(Clone, Debug)]
enum Event {
    Open(u64, Severity),
    Severity(u64, Severity),
    OperatorSeverity(u64, Option<Severity>),
    Acknowledge(u64),
    Snooze(u64),
    Wake(u64),
    Resolve(u64),
    Reopen(u64),
    Quiet(u64),
    Leave(u64),
    Mute(bool),
    Shadow(bool),
    Pass(u32),
    /// The newest step was not committed: its memory is lost, and it is made again.
    Crash,
    /// A receiver is taken away, or put back.
    Reload(bool),
}

fn event() -> impl Strategy<Value = Event> {
    let id = 1..4u64;
    let severity = prop_oneof![Just(Severity::High), Just(Severity::Critical)];
    prop_oneof![
        4 => (id.clone(), severity.clone()).prop_map(|(id, s)| Event::Open(id, s)),
        2 => (id.clone(), severity.clone()).prop_map(|(id, s)| Event::Severity(id, s)),
        1 => (id.clone(), proptest::option::of(severity))
            .prop_map(|(id, s)| Event::OperatorSeverity(id, s)),
        2 => id.clone().prop_map(Event::Acknowledge),
        1 => id.clone().prop_map(Event::Snooze),
        1 => id.clone().prop_map(Event::Wake),
        2 => id.clone().prop_map(Event::Resolve),
        2 => id.clone().prop_map(Event::Reopen),
        2 => id.clone().prop_map(Event::Quiet),
        2 => id.prop_map(Event::Leave),
        2 => any::<bool>().prop_map(Event::Mute),
        1 => any::<bool>().prop_map(Event::Shadow),
        2 => (1..300u32).prop_map(Event::Pass),
        2 => Just(Event::Crash),
        1 => any::<bool>().prop_map(Event::Reload),
    ]
}

fn desk() -> Desk {
    let mut critical = receiver("critical", ReceiverKind::Webhook);
    critical.min_severity = Severity::Critical;
    Desk::new(vec![
        receiver("oncall", ReceiverKind::Webhook),
        critical,
        receiver("am", ReceiverKind::Alertmanager),
    ])
}

fn happen(desk: &mut Desk, event: &Event) {
    let known = |id: &u64| desk.incidents.contains_key(id);
    match event {
        Event::Open(id, severity) if !known(id) => desk.open(*id, *severity),
        Event::Severity(id, severity) if known(id) => {
            desk.edit(*id, |incident| incident.severity = *severity);
        }
        Event::OperatorSeverity(id, severity) if known(id) => {
            desk.edit(*id, |incident| incident.operator_severity = *severity);
        }
        Event::Acknowledge(id) if known(id) => desk.acknowledge(*id),
        Event::Snooze(id) if known(id) => {
            desk.edit(*id, |incident| incident.snooze = Some(snooze()));
        }
        Event::Wake(id) if known(id) => desk.edit(*id, |incident| incident.snooze = None),
        Event::Resolve(id) if known(id) => desk.resolve(*id),
        Event::Reopen(id) if known(id) => {
            desk.edit(*id, |incident| incident.status = Status::Open);
        }
        Event::Quiet(id) if known(id) => desk.go_quiet(*id),
        Event::Leave(id) => {
            let over = |i: &domain::Incident| i.status == Status::Resolved && !i.firing;
            if desk.incidents.get(id).is_some_and(over) {
                desk.incidents.remove(id);
            }
        }
        Event::Mute(true) => desk.mute(),
        Event::Mute(false) => desk.unmute(),
        Event::Shadow(on) => desk.withhold.shadow = on.then(mute),
        Event::Pass(minutes) => desk.now = desk.now + *minutes * MINUTE,
        Event::Reload(true) if desk.policy.receivers.len() == 2 => {
            desk.policy
                .receivers
                .push(receiver("am", ReceiverKind::Alertmanager));
        }
        Event::Reload(false) => desk.policy.receivers.truncate(2),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_lost_and_no_key_comes_twice(events in prop::collection::vec(event(), 1..80)) {
        let mut desk = desk();
        let mut keys = BTreeSet::new();
        for event in &events {
            happen(&mut desk, event);
            let before = desk.pager.clone();
            let mut notices = desk.step();
            if matches!(event, Event::Crash) {
                let stored = postcard::to_allocvec(&before).unwrap();
                desk.pager = postcard::from_bytes(&stored).unwrap();
                let again = desk.step();
                prop_assert_eq!(&again, &notices, "the same step says the same");
                notices = again;
            }
            for notice in &notices {
                prop_assert!(keys.insert(notice.key.clone()), "{} twice", notice.key);
                check_notice(&desk, notice)?;
            }
            check_told(&desk)?;
            prop_assert!(desk.step().is_empty(), "a step without change says nothing");
        }
    }

    /// Whatever was done before, once everything is resolved, unmuted and gone, nobody believes
    /// that anything fires, and the memory is empty.
    #[test]
    fn the_end_reaches_everybody_and_leaves_no_memory(
        events in prop::collection::vec(event(), 1..60)
    ) {
        let mut desk = desk();
        let mut told: BTreeMap<(u64, String), bool> = BTreeMap::new();
        let mut hear = |notices: Vec<notify::Notice>| {
            for notice in notices.iter().filter(|n| n.state == NoticeState::Due) {
                let incident = notice.incident.expect("the source answers").0;
                let fires = !notice.kind.is_end();
                told.insert((incident, notice.receiver.clone()), fires);
            }
        };
        let events = events.iter().filter(|event| !matches!(event, Event::Reload(_)));
        for event in events {
            happen(&mut desk, event);
            hear(desk.step());
        }
        desk.incidents.clear();
        desk.withhold = notify::Withhold::default();
        hear(desk.step());
        prop_assert!(told.values().all(|fires| !fires), "{told:?}");
        let mut fresh = Pager::default();
        std::mem::swap(&mut fresh, &mut desk.pager);
        for id in 1..4 {
            prop_assert_eq!(fresh.told(IncidentId(id)).count(), 0);
        }
    }
}

/// What must be true of each notice.
fn check_notice(desk: &Desk, notice: &notify::Notice) -> Result<(), TestCaseError> {
    let id = notice.incident.expect("the source answers");
    let withholds = desk.withhold.shadow.is_some() || !desk.withhold.services.is_empty();
    let is_alertmanager = notice.receiver == "am";
    let is_due = notice.state == NoticeState::Due;
    if withholds && !(is_alertmanager && notice.kind.is_end()) {
        prop_assert!(!is_due, "{:?} under a mute", notice.kind);
    }
    let Some(incident) = desk.incidents.get(&id.0) else {
        prop_assert_eq!(notice.kind, NoticeKind::Resolved);
        return Ok(());
    };
    if is_due && !notice.kind.is_end() {
        prop_assert!(incident.firing && incident.status != Status::Resolved);
        prop_assert!(incident.snooze.is_none(), "a page of what is snoozed");
        if incident.status == Status::Acknowledged {
            let news = [NoticeKind::SeverityRaised, NoticeKind::SeverityLowered];
            prop_assert!(news.contains(&notice.kind), "{:?}", notice.kind);
        }
    }
    if notice.kind == NoticeKind::Repeat {
        prop_assert_eq!(incident.status, Status::Open);
        prop_assert!(!is_alertmanager);
    }
    Ok(())
}

/// After a step everybody who should know does, and nobody believes what isn't so.
fn check_told(desk: &Desk) -> Result<(), TestCaseError> {
    let withholds = desk.withhold.shadow.is_some() || !desk.withhold.services.is_empty();
    for incident in desk.incidents.values() {
        let told: BTreeMap<&str, notify::Told> = desk.pager.told(incident.id).collect();
        let fires = incident.firing && incident.status == Status::Open;
        for receiver in &desk.policy.receivers {
            let standing = told.get(receiver.name.as_str());
            let knows = standing.is_some_and(|told| told.standing == Standing::Firing);
            let wanted = incident.shown_severity() >= receiver.min_severity;
            if fires && wanted && !withholds && incident.snooze.is_none() {
                prop_assert!(knows, "{} doesn't know of {}", receiver.name, incident.id);
                let told = standing.expect("it knows");
                prop_assert!(told.severity >= incident.shown_severity());
                prop_assert!(
                    receiver.name == "am" || desk.now.since(told.at) < 4 * HOUR,
                    "a repeat is missing"
                );
            }
            let is_alert = receiver.kind == ReceiverKind::Alertmanager;
            if knows && is_alert {
                prop_assert!(incident.firing && incident.status != Status::Resolved);
                prop_assert!(!withholds, "an alert fires under a mute");
            }
            if knows && !withholds {
                prop_assert!(incident.status != Status::Resolved);
            }
        }
    }
    Ok(())
}
