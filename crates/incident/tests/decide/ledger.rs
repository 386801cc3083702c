//! The ledger: steady decisions take one entry, and every entry says why.

use domain::Gap;
use incident::Verdict;
use incident::ledger::{Entry, Ledger};

use crate::story::*;

/// Ticks for so long and gives what the ledger took down of `pay/cpu`.
fn entries(story: &mut Story, ledger: &mut Ledger, seconds: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for _ in 0..seconds / TICK {
        story.tick();
        let added = ledger.note(&story.judged, &story.output);
        entries.extend(
            added
                .into_iter()
                .filter(|e| e.series == series("pay", "cpu")),
        );
    }
    entries
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
    assert!(words.contains("the value 90.0 % is High"), "{words}");
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
