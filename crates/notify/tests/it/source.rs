//! What receivers are told of a source that doesn't answer.

use notify::{ReceiverKind, Source};

use crate::desk::{Desk, HOUR, MINUTE, NOON, mute, receiver};

fn blind() -> Source<'static> {
    Source::Blind {
        since: NOON,
        why: Some("connection refused"),
    }
}

#[test]
fn one_blindness_is_one_page_and_its_end_is_told() {
    let mut desk = Desk::usual();
    desk.source = blind();
    assert!(desk.told_after(5 * MINUTE - MINUTE).is_empty());
    let notices = desk.pass(MINUTE);
    assert_eq!(notices.len(), 2);
    assert_eq!(
        notices[0].body.text,
        "[Critical] nothing is watched: the source of the metrics has not answered since \
         2026-11-22T12:00:00.000Z: connection refused"
    );
    assert_eq!(notices[0].key, "source/1795349100000/oncall");
    assert!(desk.told_after(24 * HOUR).is_empty());
    desk.source = Source::Answers;
    assert_eq!(
        desk.told(),
        ["oncall source_recovered", "am source_recovered"]
    );
    assert!(desk.told().is_empty());
    desk.source = Source::Blind {
        since: desk.now,
        why: None,
    };
    assert!(desk.told().is_empty());
    assert_eq!(desk.told_after(5 * MINUTE), ["oncall source", "am source"]);
}

#[test]
fn a_short_blindness_is_told_to_nobody() {
    let mut desk = Desk::usual();
    desk.source = blind();
    desk.pass(4 * MINUTE);
    desk.source = Source::Answers;
    assert!(desk.told_after(MINUTE).is_empty());
}

#[test]
fn a_restart_neither_recovers_nor_pages_again() {
    let mut desk = Desk::usual();
    desk.source = blind();
    assert_eq!(desk.pass(5 * MINUTE).len(), 2);
    desk.source = Source::Unknown;
    assert!(desk.told_after(MINUTE).is_empty());
    desk.source = Source::Blind {
        since: desk.now,
        why: None,
    };
    assert!(desk.told_after(HOUR).is_empty());
}

#[test]
fn shadow_mode_withholds_the_source_too_and_pages_when_it_ends() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.withhold.shadow = Some(mute());
    desk.source = blind();
    assert_eq!(
        desk.told_after(HOUR),
        ["oncall source withheld: shadow mode is on, set by kim until it is taken back"]
    );
    assert!(desk.told_after(HOUR).is_empty());
    desk.withhold.shadow = None;
    assert_eq!(desk.told(), ["oncall source"]);
    desk.withhold.shadow = Some(mute());
    desk.source = Source::Answers;
    let words = desk.told();
    assert!(words[0].starts_with("oncall source_recovered withheld"));
    desk.withhold.shadow = None;
    assert_eq!(desk.told(), ["oncall source_recovered"]);
}

#[test]
fn a_blindness_that_shadow_mode_hid_whole_is_listed_again_the_next_time() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.withhold.shadow = Some(mute());
    for _ in 0..2 {
        desk.source = Source::Blind {
            since: desk.now,
            why: None,
        };
        desk.step();
        assert_eq!(desk.pass(HOUR).len(), 1);
        desk.source = Source::Answers;
        assert!(desk.pass(MINUTE).is_empty());
    }
}

#[test]
fn shadow_mode_ends_the_alert_of_the_source_and_its_end_starts_it_again() {
    let mut desk = Desk::new(vec![receiver("am", ReceiverKind::Alertmanager)]);
    desk.source = blind();
    assert_eq!(desk.told_after(HOUR), ["am source"]);
    desk.withhold.shadow = Some(mute());
    assert_eq!(desk.told(), ["am muted"]);
    assert!(desk.told().is_empty());
    desk.withhold.shadow = None;
    assert_eq!(desk.told(), ["am source"]);
    desk.withhold.shadow = Some(mute());
    desk.step();
    desk.source = Source::Answers;
    assert!(desk.told().is_empty());
    desk.withhold.shadow = None;
    assert!(desk.told().is_empty());
}

#[test]
fn two_blindnesses_are_two_pages_though_shadow_mode_hid_the_end_of_the_first() {
    let mut desk = Desk::new(vec![receiver("oncall", ReceiverKind::Webhook)]);
    desk.source = blind();
    assert_eq!(desk.told_after(HOUR), ["oncall source"]);
    desk.withhold.shadow = Some(mute());
    desk.source = Source::Answers;
    desk.step();
    desk.source = Source::Blind {
        since: desk.now,
        why: None,
    };
    desk.step();
    desk.pass(HOUR);
    desk.withhold.shadow = None;
    assert_eq!(desk.told(), ["oncall source"]);
}
