//! What explains an incident: taken down when it opens, and as it comes.

use domain::{
    BreakdownOutcome, ChangeFact, ChangeKind, Gathered, GatheredSeries, LabelTable, MetricId,
    PostedEvent, Precedent, Sample, TableRow, TableStatistic, Timestamp,
};

use crate::story::*;

fn deploy(id: u64, at: Timestamp, name: Option<&str>) -> PostedEvent {
    PostedEvent {
        id,
        key: None,
        at,
        kind: "deploy".into(),
        service: name.map(service),
        title: None,
        version: Some("2.0.0".into()),
        link: None,
        by: None,
    }
}

fn changes(story: &Story) -> Vec<String> {
    let changes = story.incident(1).evidence.changes.as_ref().unwrap();
    changes.facts.iter().map(|f| f.kind.to_string()).collect()
}

#[test]
fn a_restart_with_a_new_version_is_what_changed() {
    let mut story = Story::of(&["pay", "cart"]);
    let mut one = Processes {
        instances: 2,
        started: Some(story.now),
        version: Some("1.0.0"),
    };
    story.processes.insert(service("pay"), one.clone());
    story.pass(300);
    one.started = Some(story.now + seconds(1));
    one.version = Some("2.0.0");
    story.processes.insert(service("pay"), one.clone());
    story.pass(30);
    one.instances = 1;
    story.processes.insert(service("pay"), one);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(
        changes(&story)[1..],
        [
            "restarted",
            "version went from 1.0.0 to 2.0.0",
            "instances went from 2 to 1"
        ],
        "after the first, that a second instance was seen"
    );
}

#[test]
fn posted_events_count_once_and_late_ones_too() {
    let mut story = Story::of(&["pay", "cart"]);
    story.post(deploy(1, story.now, Some("pay")));
    story.post(deploy(1, story.now, Some("pay")));
    story.post(deploy(2, story.now, Some("cart")));
    story.post(deploy(3, story.now, None));
    story.post(deploy(4, story.now - seconds(2 * 3_600), Some("pay")));
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(changes(&story).len(), 2, "its own and the fleet's");
    story.pass(600);
    let when = story.incident(1).onset - seconds(60);
    story.post(deploy(5, when, Some("pay")));
    assert_eq!(changes(&story).len(), 3);
    story.post(deploy(6, story.now, Some("pay")));
    assert_eq!(changes(&story).len(), 3, "not what came after it opened");
}

#[test]
fn bellwethers_own_doing_is_a_change() {
    let mut story = Story::of(&["pay"]);
    let at = story.now;
    story.do_itself(ChangeFact {
        at,
        service: None,
        kind: ChangeKind::ConfigReloaded,
    });
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    assert_eq!(changes(&story), ["Bellwether's configuration was reloaded"]);
}

#[test]
fn nothing_changed_is_an_answer() {
    let mut story = Story::of(&["pay"]);
    story.pass(4_000);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let changes = story.incident(1).evidence.changes.clone().unwrap();
    assert_eq!((changes.facts.len(), changes.known_from), (0, None));
}

#[test]
fn a_young_service_says_from_when_on_changes_are_known() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let changes = story.incident(1).evidence.changes.clone().unwrap();
    assert!(changes.known_from.is_some_and(|known| known > changes.from));
}

#[test]
fn shifts_are_ranked_at_once_and_again_with_what_was_gathered() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let shifts = story.incident(1).evidence.shifts.clone().unwrap();
    assert_eq!(shifts.ranked[0].metric, "cpu");
    assert_eq!(shifts.steady, ["mem"]);
    let onset = story.incident(1).onset;
    let samples = (-40..3).map(|i: i64| Sample {
        time: Timestamp::from_millis(onset.as_millis() + i * 15_000),
        value: if i < 0 { 100.0 } else { 5_000.0 },
    });
    let gathered = GatheredSeries {
        metric: "request_rate".into(),
        title: "Request rate".into(),
        unit: "1/s".into(),
        minimum_deviation: 1.0,
        query: "rate(x)".into(),
        samples: samples.collect(),
    };
    story.attach(1, Gathered::Series(vec![gathered]));
    let shifts = story.incident(1).evidence.shifts.clone().unwrap();
    let names: Vec<&str> = shifts.ranked.iter().map(|s| s.metric.as_str()).collect();
    assert_eq!(names, ["request_rate", "cpu"]);
    assert_eq!(shifts.ranked[0].query, "rate(x)");
}

#[test]
fn how_unusual_is_said_with_the_precedent_once_it_is_known() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let unusual = story.incident(1).evidence.unusual[0].clone();
    assert!(
        unusual
            .text
            .iter()
            .any(|t| t.starts_with("it would not have opened below 85 % (High)"))
    );
    let metric = MetricId::new("cpu").unwrap();
    let precedent = Precedent {
        from: Timestamp::EPOCH,
        to: story.now,
        rows: 40_000,
        as_extreme: 4,
        most_extreme: None,
        week_before: Some((31.0, 120)),
    };
    story.attach(1, Gathered::Precedent { metric, precedent });
    let text = story.incident(1).evidence.unusual[0].text.join("; ");
    assert!(
        text.contains("4 of the 40,000 rows") && text.contains("one in 10,000"),
        "{text}"
    );
    assert!(
        text.contains("the median of 120 samples was 31 %"),
        "{text}"
    );
}

#[test]
fn a_label_table_becomes_a_breakdown() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let row = |value: &str, part: f64| TableRow {
        value: value.into(),
        numbers: vec![(part, 1.0)],
    };
    let table = LabelTable {
        of: LabelTable::SERVER.into(),
        label: "instance".into(),
        at: story.now,
        statistic: TableStatistic::Ratio { scale: 100.0 },
        query_without: "x{instance!=\"$value\"}".into(),
        rows: vec![row("a", 1.9), row("b", 0.1)],
        omitted: 0,
    };
    let metric = MetricId::new("cpu").unwrap();
    let tables = vec![table];
    story.attach(1, Gathered::Tables { metric, tables });
    let breakdown = &story.incident(1).evidence.breakdowns[0];
    assert_eq!(breakdown.outcome, BreakdownOutcome::Carried);
    assert_eq!(breakdown.parts[0].value, "a");
}

#[test]
fn an_opening_asks_for_what_only_others_know() {
    let mut story = Story::of(&["pay"]);
    story.see("pay", "cpu", BAD).pass(OPEN_AFTER + TICK);
    let request = &story.output.requests[0];
    assert!(request.opening);
    assert_eq!(request.members.len(), 1);
    assert!(request.baseline_from < request.onset && request.onset <= request.at);
    story.see("pay", "mem", BAD).tick();
    let request = &story.output.requests[0];
    assert!(!request.opening);
    let asked: Vec<&str> = request.members.iter().map(|m| m.metric.as_str()).collect();
    assert_eq!(asked, ["mem"], "only what is new");
}
