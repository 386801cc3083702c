//! The ledger: steady decisions take one entry, and every entry says why.

use domain::{Band, Gap, Prediction, Reason, Row, Severity};
use incident::Verdict;
use incident::ledger::{Entry, Ledger};

use crate::story::*;

/// Ticks for so long and gives what the ledger took down of `pay/cpu`.
fn entries(story: &mut Story, ledger: &mut Ledger, seconds: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for _ in 0..seconds / TICK {
        story.tick();
        let added = note(story, ledger);
        entries.extend(
            added
                .into_iter()
                .filter(|e| e.series == series("pay", "cpu")),
        );
    }
    entries
}

fn note(story: &Story, ledger: &mut Ledger) -> Vec<Entry> {
    ledger.note(story.now, seconds(TICK), &story.judged, &story.output)
}

#[test]
fn an_hour_of_normal_is_one_entry() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    let calm = entries(&mut story, &mut ledger, 3_600);
    assert_eq!(calm.len(), 1);
    assert_eq!(calm[0].verdict, Verdict::Calm);
    let again = entries(&mut story, &mut Ledger::default(), 60);
    assert_eq!(again.len(), 1, "another process begins anew");
}

#[test]
fn after_a_gap_in_the_ticks_what_holds_is_an_entry_again() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    entries(&mut story, &mut ledger, 60);
    let began = ledger.run_began_at().unwrap();
    story.now = story.now + seconds(TICK);
    let missed = entries(&mut story, &mut ledger, 60);
    assert_eq!(missed, [], "one tick was missed");
    assert_eq!(ledger.run_began_at(), Some(began));
    story.now = story.now + seconds(2 * TICK);
    let after = entries(&mut story, &mut ledger, 60);
    assert_eq!(after.len(), 1, "two were");
    let again = ledger.run_began_at().unwrap();
    assert_eq!((after[0].from, after[0].verdict), (again, Verdict::Calm));
    assert!(again > began);
    story.now = again;
    assert_eq!(entries(&mut story, &mut ledger, TICK), [], "set back a bit");
    story.now = began;
    assert_eq!(entries(&mut story, &mut ledger, TICK).len(), 1, "before it");
}

#[test]
fn every_turn_of_an_episode_is_an_entry() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    entries(&mut story, &mut ledger, 60);
    story.see("pay", "cpu", BAD);
    let turns = entries(&mut story, &mut ledger, 600);
    assert!(matches!(turns[0].verdict, Verdict::Waiting { .. }));
    assert!(matches!(turns[1].verdict, Verdict::Opened { .. }));
    assert!(matches!(turns[2].verdict, Verdict::Extended { .. }));
    assert_eq!(turns.len(), 3);
    assert_eq!(turns[1].notice, Some(incident::Notice::Due));
    let words = turns[0].sentences("%").join("; ");
    assert!(words.contains("shorter than decide.open_after"), "{words}");
    assert!(words.contains("the value 90 % is High"), "{words}");
}

#[test]
fn what_did_not_open_says_why() {
    for (seen, says) in [
        (HIGH, "past its threshold since"),
        (STRANGE, "short of every threshold"),
        (Err(Gap::QueryFailed), "the query failed"),
    ] {
        let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
        story.see("pay", "cpu", seen);
        let entry = entries(&mut story, &mut ledger, 60).remove(0);
        let words = entry.sentences("%").join("; ");
        assert!(words.contains(says), "{words}");
    }
}

#[test]
fn a_repeated_scrape_is_no_new_decision() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    entries(&mut story, &mut ledger, 60);
    story.see("pay", "cpu", Err(Gap::Repeated));
    assert_eq!(entries(&mut story, &mut ledger, 60), []);
}

#[test]
fn a_repeated_scrape_is_said_where_no_decision_of_its_own_holds() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    // After a restart, the newest scrape was decided on by the process before.
    story.see("pay", "cpu", Err(Gap::Repeated));
    let entry = entries(&mut story, &mut ledger, 60).remove(0);
    assert_eq!(
        (entry.verdict, entry.gap),
        (Verdict::NoSample, Some(Gap::Repeated))
    );
    story.see("pay", "cpu", CALM);
    assert_eq!(entries(&mut story, &mut ledger, 60).len(), 1);
    // After an outage, "Prometheus could not be asked" holds no longer.
    story.see("pay", "cpu", Err(Gap::SourceDown));
    assert_eq!(
        entries(&mut story, &mut ledger, 60)[0].gap,
        Some(Gap::SourceDown)
    );
    story.see("pay", "cpu", Err(Gap::Repeated));
    let again = entries(&mut story, &mut ledger, 60);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].gap, Some(Gap::Repeated));
}

#[test]
fn a_series_that_is_watched_no_more_does_not_stay_calm_for_ever() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    entries(&mut story, &mut ledger, 60);
    let nothing = incident::DecideOutput::default();
    let ended = ledger.note(story.now, seconds(TICK), &[], &nothing);
    assert_eq!(ended.len(), 2, "cpu and mem");
    assert!(!ended[0].is_watched());
    assert_eq!(ended[0].from, story.now);
    let words = ended[0].sentences("%");
    assert_eq!(
        words,
        ["nothing was decided: the series was not watched any more"]
    );
    assert_eq!(ledger.note(story.now, seconds(TICK), &[], &nothing), []);
    assert_eq!(entries(&mut story, &mut ledger, 60).len(), 1, "it is back");
}

#[test]
fn the_numbers_that_a_row_has_do_not_break_an_interval() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    story.see("pay", "cpu", STRANGE);
    entries(&mut story, &mut ledger, 60);
    for step in 0..4 {
        story.tick();
        for finding in &mut story.judged {
            finding.reason = Some(Reason::Unusual {
                score: 4.0 + f64::from(step),
                limit: 3.5,
            });
        }
        let added = note(&story, &mut ledger);
        let expected = if step == 0 { 2 } else { 0 };
        assert_eq!(added.len(), expected, "cpu and mem at step {step}");
    }
}

#[test]
fn a_later_instant_has_the_numbers_of_its_row() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    story.see("pay", "cpu", HIGH);
    let entry = entries(&mut story, &mut ledger, 600).remove(0);
    assert_eq!(
        entry.newest_tick(entry.from + seconds(44)),
        entry.from + seconds(30)
    );
    let row = Row {
        timestamp: entry.from + seconds(30),
        value: 92.5,
        severity: Severity::High,
        prediction: Prediction::Normal,
        score: Some(1.25),
        features: None,
        band: Some(Band {
            expected: 90.0,
            lower: 80.0,
            upper: 100.0,
        }),
    };
    let off = Some(Reason::BelowMinimumEffect {
        distance: 0.5,
        minimum: 10.0,
    });
    let later = Entry {
        reason: off,
        ..entry.clone()
    }
    .as_of(&row);
    assert_eq!((later.score, later.band), (row.score, row.band));
    assert_eq!(
        later.components_at, entry.components_at,
        "which a row doesn't have"
    );
    let words = later.sentences("%").join("; ");
    for says in [
        "the value 92.5 % is High",
        "within the band: expected 90 %, usually 80 % to 100 %",
        "only 2.50 % from expected",
    ] {
        assert!(words.contains(says), "{words}");
    }
}

#[test]
fn a_sample_that_became_known_late_belongs_to_the_decision_on_it() {
    let (mut story, mut ledger) = (Story::of(&["pay"]), Ledger::default());
    let calm = entries(&mut story, &mut ledger, 60).remove(0);
    story.see("pay", "cpu", HIGH);
    let mut high = entries(&mut story, &mut ledger, 60).remove(0);
    let first = calm.sample.unwrap().time;
    let tick = calm.newest_tick(high.from - seconds(1));
    assert_eq!(calm.rests_between(None, tick), Some((first, tick)));
    // Measured before the tick, and seen only by the one after it.
    let late = tick - seconds(2);
    high.sample = high.sample.map(|sample| domain::Sample {
        time: late,
        ..sample
    });
    let before = late - std::time::Duration::from_millis(1);
    assert_eq!(calm.rests_between(Some(&high), tick), Some((first, before)));
    story.see("pay", "cpu", Err(Gap::Idle));
    let gap = entries(&mut story, &mut ledger, 60).remove(0);
    assert_eq!(gap.rests_between(None, tick), None);
}
