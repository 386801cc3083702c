//! What goes over the wire.

use domain::{IncidentId, Severity};
use notify::{
    Alert, FIRING_FOR, Message, NoticeBody, ReceiverKind, Seen, Source, Withhold, batch_key,
};
use serde_json::{Value, json};

use crate::desk::{Desk, HOUR, MINUTE, NOON, mute, policy, receiver};

fn bodies(notices: Vec<notify::Notice>) -> Vec<NoticeBody> {
    notices.into_iter().map(|notice| notice.body).collect()
}

fn webhook(bodies: &[NoticeBody]) -> Value {
    let message = Message::webhook("oncall", &batch_key(bodies), bodies, 20);
    assert_eq!(message.idempotency_key, Some(batch_key(bodies)));
    serde_json::from_slice(&message.json).expect("it is JSON")
}

fn alertmanager() -> Desk {
    Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)])
}

fn alerts(desk: &mut Desk) -> Vec<Alert> {
    Alert::of(&bodies(desk.step()))
}

/// "high firing", "critical resolved".
fn in_words(alerts: &[Alert]) -> Vec<String> {
    let words = |alert: &Alert| {
        let (severity, state) = (&alert.labels["severity"], &alert.annotations["state"]);
        format!("{severity} {state}")
    };
    alerts.iter().map(words).collect()
}

/// The examples of the documentation, in its order.
fn documented(index: usize) -> Value {
    let blocks = include_str!("../../../../docs/paging.md").split("```json\n");
    let block = blocks.skip(1).nth(index).expect("there is an example");
    let json = block.split("```").next().expect("it ends");
    serde_json::from_str(json).expect("the example is JSON")
}

#[test]
fn a_webhook_gets_what_is_documented() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.open(12, Severity::High);
    assert_eq!(webhook(&bodies(desk.step())), documented(0));
}

#[test]
fn more_than_twenty_are_summed_up_with_the_worst_in_detail_and_every_key() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    for id in 1..=30 {
        let severity = if id > 25 {
            Severity::Critical
        } else {
            Severity::High
        };
        desk.open(id, severity);
    }
    let bodies = bodies(desk.step());
    let content = webhook(&bodies);
    assert_eq!(content["summary"], true);
    assert_eq!(content["truncated"], 10);
    assert_eq!(content["notices"].as_array().unwrap().len(), 20);
    assert_eq!(content["notices"][4]["severity"], "Critical");
    assert_eq!(content["incidents"].as_array().unwrap().len(), 30);
    assert_eq!(content["keys"].as_array().unwrap().len(), 30);
    assert_eq!(
        content["counts"],
        json!({"total": 30, "by_kind": {"opened": 30}, "by_severity": {"High": 25, "Critical": 5}})
    );
    let text = content["text"].as_str().unwrap();
    assert!(
        text.starts_with("30 notices, first of them: [Critical] #26"),
        "{text}"
    );
    assert_eq!(webhook(&bodies[..20])["summary"], false);
}

#[test]
fn a_message_is_bounded_whatever_it_is_given() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    for id in 1..=3_000 {
        desk.open(id, Severity::High);
        desk.edit(id, |incident| incident.summary = "\u{1}é".repeat(100_000));
    }
    let bodies = bodies(desk.step());
    let message = Message::webhook("oncall", "k", &bodies, 20);
    assert!(message.json.len() < 200_000, "{}", message.json.len());
    let content: Value = serde_json::from_slice(&message.json).unwrap();
    assert_eq!(content["counts"]["total"], 1_000);
}

#[test]
fn a_batch_has_one_name() {
    let mut desk = Desk::usual();
    desk.open(1, Severity::High);
    let bodies = bodies(desk.step());
    assert_eq!(batch_key(&bodies), batch_key(&bodies.clone()));
    assert_ne!(batch_key(&bodies), batch_key(&bodies[1..]));
    assert_eq!(batch_key(&bodies).len(), 32);
}

#[test]
fn a_test_names_itself_one() {
    let body = NoticeBody::test("oncall", NOON, &policy(vec![]));
    assert_eq!(
        body.text,
        "[High] test: a test of receiver oncall, asked for by hand; nothing is wrong"
    );
    let alert = Alert::of(&[body]).remove(0);
    assert_eq!(alert.labels["alertname"], "BellwetherTest");
    assert_eq!(alert.labels["kind"], "test");
}

#[test]
fn an_alertmanager_gets_what_is_documented() {
    let mut desk = alertmanager();
    desk.open(12, Severity::High);
    let message = Message::alerts(&alerts(&mut desk));
    let content: Value = serde_json::from_slice(&message.json).unwrap();
    assert_eq!(content, documented(1));
}

#[test]
fn another_severity_is_another_alert_and_the_old_one_ends() {
    let mut desk = alertmanager();
    desk.open(1, Severity::High);
    alerts(&mut desk);
    desk.edit(1, |incident| incident.severity = Severity::Critical);
    let raised = alerts(&mut desk);
    assert_eq!(
        in_words(&raised),
        ["critical firing", "high severity changed"]
    );
    assert_eq!(raised[0].ends_at, desk.now + FIRING_FOR);
    assert_eq!(raised[1].ends_at, desk.now);
    desk.edit(1, |incident| incident.severity = Severity::High);
    assert_eq!(
        in_words(&alerts(&mut desk)),
        ["critical severity changed", "high firing"]
    );
    desk.edit(1, |incident| {
        incident.operator_severity = Some(Severity::Critical)
    });
    desk.resolve(1);
    assert_eq!(
        in_words(&alerts(&mut desk)),
        ["high resolved"],
        "the alert that was told ends, not one that would have come"
    );
}

#[test]
fn an_alerts_end_says_which_end_it_is_and_never_lies_before_its_start() {
    let mut desk = alertmanager();
    for id in 1..=3 {
        desk.open(id, Severity::High);
    }
    desk.edit(1, |incident| incident.onset = NOON + HOUR);
    desk.step();
    desk.now = desk.now + MINUTE;
    desk.go_quiet(1);
    desk.resolve(2);
    desk.mute();
    let ended = alerts(&mut desk);
    assert_eq!(
        in_words(&ended),
        ["high quiet", "high resolved", "high muted"]
    );
    for alert in ended {
        assert_eq!(alert.ends_at, desk.now);
        assert!(alert.starts_at <= alert.ends_at);
    }
}

#[test]
fn of_several_notices_of_one_alert_the_last_holds() {
    let mut desk = alertmanager();
    desk.open(1, Severity::High);
    let mut all = bodies(desk.step());
    desk.resolve(1);
    all.extend(bodies(desk.step()));
    assert_eq!(in_words(&Alert::of(&all)), ["high resolved"]);
}

fn refreshed(desk: &Desk) -> Vec<Alert> {
    let incidents: Vec<_> = desk
        .incidents
        .values()
        .cloned()
        .map(std::sync::Arc::new)
        .collect();
    let seen = Seen {
        now: desk.now,
        incidents: &incidents,
        source: desk.source,
    };
    desk.pager.firing_alerts(&desk.policy, "am", &seen)
}

#[test]
fn what_fires_is_sent_again_under_the_same_labels_until_it_ends() {
    let mut desk = alertmanager();
    desk.open(1, Severity::High);
    assert!(refreshed(&desk).is_empty(), "nobody was told yet");
    let told = alerts(&mut desk);
    for _ in 0..12 {
        desk.pass(MINUTE);
        let again = refreshed(&desk);
        assert_eq!(again[0].labels, told[0].labels);
        assert_eq!(again[0].starts_at, told[0].starts_at);
        assert_eq!(again[0].ends_at, desk.now + FIRING_FOR);
    }
    desk.acknowledge(1);
    desk.step();
    let again = refreshed(&desk);
    assert_eq!(again[0].annotations["acknowledged_by"], "kim");
    desk.edit(1, |incident| {
        incident.snooze = Some(crate::desk::snooze());
        incident.severity = Severity::Critical;
    });
    desk.step();
    assert_eq!(
        in_words(&refreshed(&desk)),
        ["high firing"],
        "a snooze withholds the raise, and with it the new label"
    );
    desk.go_quiet(1);
    assert!(refreshed(&desk).is_empty());
}

#[test]
fn a_blind_source_is_an_alert_that_is_sent_again_also_after_a_restart() {
    let mut desk = alertmanager();
    desk.source = Source::Blind {
        since: NOON,
        why: Some("connection refused"),
    };
    desk.now = NOON + HOUR;
    let told = alerts(&mut desk);
    assert_eq!(told[0].labels["alertname"], "BellwetherSource");
    assert_eq!(told[0].starts_at, NOON);
    assert_eq!(refreshed(&desk), told);
    desk.source = Source::Unknown;
    assert_eq!(refreshed(&desk)[0].labels, told[0].labels);
    desk.source = Source::Answers;
    assert!(refreshed(&desk).is_empty());
    assert_eq!(in_words(&alerts(&mut desk)), ["critical resolved"]);
}

#[test]
fn a_muted_alert_is_not_sent_again() {
    let mut desk = alertmanager();
    desk.open(1, Severity::High);
    desk.step();
    desk.withhold.shadow = Some(mute());
    desk.step();
    assert!(refreshed(&desk).is_empty());
    desk.withhold = Withhold::default();
    desk.step();
    assert_eq!(in_words(&refreshed(&desk)), ["high firing"]);
    assert_eq!(desk.pager.told(IncidentId(1)).count(), 1);
}
