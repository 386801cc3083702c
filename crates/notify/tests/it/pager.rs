//! What receivers are told of incidents, as facts.

use domain::{ServiceId, Severity, Status};
use notify::{Mute, NoticeState, Pager, ReceiverKind, Standing};

use crate::desk::{Desk, HOUR, MINUTE, NOON, mute, receiver, snooze};

const MUTED: &str = "service payments is muted by kim until it is taken back";

#[test]
fn an_incident_is_told_once_to_everybody() {
    let mut desk = Desk::usual();
    desk.open(12, Severity::High);
    assert_eq!(desk.told(), ["oncall opened", "am opened"]);
    assert!(desk.told_after(MINUTE).is_empty());
}

#[test]
fn a_receiver_hears_only_of_its_services_and_severities() {
    let mut critical = receiver("critical", ReceiverKind::Webhook);
    critical.min_severity = Severity::Critical;
    let mut orders = receiver("orders", ReceiverKind::Webhook);
    orders.services = vec!["orders*".into()];
    let mut payments = receiver("payments", ReceiverKind::Webhook);
    payments.services = vec!["stock".into(), "pay*".into()];
    let mut desk = Desk::new(vec![critical, orders, payments]);
    desk.open(1, Severity::High);
    assert_eq!(desk.told(), ["payments opened"]);
    desk.edit(1, |incident| {
        incident.operator_severity = Some(Severity::Critical)
    });
    assert_eq!(
        desk.told(),
        ["critical opened", "payments severity_raised"],
        "an operator's word on the severity counts"
    );
}

#[test]
fn a_raise_is_told_to_those_who_acknowledged_and_a_snooze_withholds_it() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.step();
    desk.acknowledge(1);
    assert!(desk.told().is_empty());
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    let notices = desk.step();
    assert_eq!(notices[0].kind.as_str(), "severity_raised");
    assert_eq!(notices[0].body.severity_before, Some(Severity::High));
    assert!(desk.told().is_empty());

    desk.open(2, Severity::High);
    desk.step();
    desk.edit(2, |incident| {
        incident.severity = Severity::Critical;
        incident.snooze = Some(snooze());
    });
    assert_eq!(
        desk.told(),
        ["oncall severity_raised withheld: snoozed by kim until it changes"]
    );
    assert!(desk.told().is_empty(), "a reason is given once");
    desk.edit(2, |incident| incident.snooze = None);
    assert_eq!(desk.told(), ["oncall severity_raised"]);
}

#[test]
fn who_waits_for_critical_hears_of_a_raise_although_others_acknowledged() {
    let mut critical = receiver("critical", ReceiverKind::Webhook);
    critical.min_severity = Severity::Critical;
    let mut desk = Desk::new(vec![critical]);
    desk.open(1, Severity::High);
    desk.acknowledge(1);
    assert!(desk.told().is_empty());
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    assert_eq!(desk.told(), ["critical severity_raised"]);
}

#[test]
fn what_nobody_acknowledges_is_repeated_to_webhooks() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.step();
    assert!(desk.told_after(4 * HOUR - MINUTE).is_empty());
    assert_eq!(desk.told_after(MINUTE), ["oncall repeat"]);
    assert!(desk.told_after(4 * HOUR - MINUTE).is_empty());
    assert_eq!(desk.told_after(MINUTE), ["oncall repeat"]);
    desk.edit(1, |incident| incident.snooze = Some(snooze()));
    assert!(desk.told_after(5 * HOUR).is_empty());
    desk.edit(1, |incident| incident.snooze = None);
    desk.acknowledge(1);
    assert!(desk.told_after(5 * HOUR).is_empty());
    desk.edit(1, |incident| incident.status = Status::Open);
    assert_eq!(desk.told(), ["oncall repeat"]);
}

#[test]
fn a_resolution_is_told_once_and_only_to_those_who_were_told() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.step();
    desk.policy
        .receivers
        .push(receiver("late", ReceiverKind::Webhook));
    desk.resolve(1);
    assert_eq!(desk.told(), ["oncall resolved", "am resolved"]);
    desk.go_quiet(1);
    assert!(desk.told().is_empty());
    desk.incidents.clear();
    assert!(desk.told().is_empty());
    assert_eq!(desk.pager.told(domain::IncidentId(1)).count(), 0);
}

#[test]
fn an_alertmanager_hears_that_it_is_quiet_and_a_webhook_that_it_is_resolved() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.step();
    desk.go_quiet(1);
    assert_eq!(desk.told(), ["am quiet"]);
    desk.resolve(1);
    assert_eq!(desk.told(), ["oncall resolved"]);
}

#[test]
fn a_reopened_incident_that_still_fires_is_told_again() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.step();
    desk.resolve(1);
    desk.step();
    desk.edit(1, |incident| incident.status = Status::Open);
    assert_eq!(desk.told(), ["oncall reopened", "am reopened"]);
    desk.resolve(1);
    desk.step();
    desk.edit(1, |incident| incident.status = Status::Open);
    desk.go_quiet(1);
    assert!(desk.told().is_empty(), "what is quiet is no news");
}

#[test]
fn who_was_not_told_before_an_acknowledgement_is_told_when_it_is_taken_back() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.acknowledge(1);
    assert_eq!(desk.told(), ["oncall opened withheld: acknowledged by kim"]);
    assert!(desk.told().is_empty());
    desk.edit(1, |incident| incident.status = Status::Open);
    assert_eq!(desk.told(), ["oncall opened"]);
}

#[test]
fn a_mute_withholds_each_thing_once_and_loses_nothing_that_still_holds() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.mute();
    desk.open(1, Severity::High);
    desk.open(2, Severity::High);
    let opened = format!("oncall opened withheld: {MUTED}");
    assert_eq!(desk.told(), [opened.clone(), opened]);
    assert!(desk.told_after(MINUTE).is_empty());
    desk.resolve(2);
    assert!(desk.told().is_empty(), "nobody knows of it");
    desk.unmute();
    assert_eq!(desk.told(), ["oncall opened"]);
}

#[test]
fn a_mute_ends_by_its_time() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    let until = Some(NOON + HOUR);
    let service = ServiceId::new("payments").unwrap();
    desk.withhold
        .services
        .insert(service, Mute { until, ..mute() });
    desk.open(1, Severity::High);
    desk.step();
    assert!(desk.told_after(HOUR - MINUTE).is_empty());
    assert_eq!(desk.told_after(MINUTE), ["oncall opened"]);
}

#[test]
fn a_resolution_under_a_mute_is_told_after_it_even_if_the_incident_is_gone() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.step();
    desk.mute();
    assert!(desk.told().is_empty());
    desk.resolve(1);
    desk.go_quiet(1);
    assert_eq!(desk.told(), [format!("oncall resolved withheld: {MUTED}")]);
    desk.incidents.clear();
    assert!(desk.told().is_empty());
    desk.unmute();
    let notices = desk.step();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind.as_str(), "resolved");
    assert_eq!(notices[0].state, NoticeState::Due);
    assert_eq!(
        notices[0].body.text,
        "[High] #1 resolved: payments: over while pages were withheld"
    );
    assert!(desk.told().is_empty());
}

#[test]
fn a_mute_or_shadow_mode_ends_the_alert_and_its_end_starts_it_again() {
    for shadow in [false, true] {
        let mut desk = Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)]);
        desk.open(1, Severity::High);
        desk.step();
        if shadow {
            desk.withhold.shadow = Some(mute());
        } else {
            desk.mute();
        }
        assert_eq!(desk.told(), ["am muted"]);
        assert!(desk.told().is_empty());
        desk.edit(1, |incident| incident.severity = Severity::Critical);
        assert!(desk.told().is_empty());
        desk.withhold = notify::Withhold::default();
        assert_eq!(desk.told(), ["am reopened"]);
        let (_, told) = desk.pager.told(domain::IncidentId(1)).next().unwrap();
        assert_eq!(
            (told.standing, told.severity),
            (Standing::Firing, Severity::Critical)
        );
    }
}

#[test]
fn an_alert_that_ends_while_a_mute_begins_says_the_end() {
    let mut desk = Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)]);
    desk.open(1, Severity::High);
    desk.step();
    desk.mute();
    desk.resolve(1);
    assert_eq!(desk.told(), ["am resolved"]);
    desk.unmute();
    assert!(desk.told().is_empty());
}

#[test]
fn an_alertmanager_follows_the_severity_down_and_a_webhook_does_not() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::Critical);
    desk.step();
    desk.edit(1, |incident| incident.severity = Severity::High);
    assert_eq!(desk.told(), ["am severity_lowered"]);
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    assert_eq!(
        desk.told(),
        ["am severity_raised"],
        "the webhook was told of Critical"
    );
}

#[test]
fn a_receiver_that_a_reload_adds_is_told_of_what_fires() {
    let mut desk = Desk::new(vec![]);
    desk.open(1, Severity::High);
    assert!(desk.told().is_empty());
    desk.policy
        .receivers
        .push(receiver("new", ReceiverKind::Webhook));
    assert_eq!(desk.told(), ["new opened"]);
}

#[test]
fn whoever_was_told_hears_the_end_although_its_wishes_have_changed() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.step();
    desk.policy.receivers[0].services = vec!["orders".into()];
    desk.resolve(1);
    assert_eq!(desk.told(), ["oncall resolved"]);
}

#[test]
fn reasons_beyond_the_bound_are_not_listed_and_cost_no_page() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    let mut listed = 0;
    for minutes in 1..=100 {
        let until = Some(NOON + minutes * HOUR);
        desk.withhold.shadow = Some(Mute { until, ..mute() });
        listed += desk.step().len();
    }
    assert_eq!(listed, 32);
    desk.withhold.shadow = None;
    assert_eq!(desk.told(), ["oncall opened"]);
}

#[test]
fn a_lost_memory_tells_again_under_new_keys() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    let before: Vec<String> = desk.step().into_iter().map(|n| n.key).collect();
    assert_eq!(before[0], "i1/opened/1795348800000/oncall");
    desk.pager = Pager::default();
    let after: Vec<String> = desk.pass(MINUTE).into_iter().map(|n| n.key).collect();
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|key| !before.contains(key)));
}

#[test]
fn what_is_less_than_wanted_now_is_not_repeated() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.step();
    desk.edit(1, |incident| {
        incident.operator_severity = Some(Severity::Normal);
    });
    assert!(desk.told_after(5 * HOUR).is_empty());
    desk.resolve(1);
    assert_eq!(desk.told(), ["oncall resolved"]);
}

#[test]
fn a_reason_is_listed_again_once_something_was_told_in_between() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(1, Severity::High);
    desk.step();
    for _ in 0..2 {
        desk.mute();
        assert_eq!(
            desk.told_after(4 * HOUR),
            [format!("oncall repeat withheld: {MUTED}")]
        );
        desk.unmute();
        assert_eq!(desk.told(), ["oncall repeat"]);
    }
}

#[test]
fn a_raise_under_a_mute_is_told_after_it_to_those_who_acknowledged_before() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    desk.step();
    desk.acknowledge(1);
    desk.step();
    desk.mute();
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    assert_eq!(
        desk.told(),
        [
            format!("oncall severity_raised withheld: {MUTED}"),
            "am muted".into()
        ]
    );
    desk.unmute();
    assert_eq!(
        desk.told(),
        ["oncall severity_raised", "am severity_raised"]
    );
}
