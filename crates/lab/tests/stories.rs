//! Every story in `scenarios/` holds, and so does the one that its README explains.
//!
//! `BELLWETHER_STORY=flapping cargo test -p lab --test stories -- --nocapture` tells those whose name
//! holds the word, with all that came of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use lab::story::{Report, parse, run};
use rayon::prelude::*;

/// Tells stories by a part of their name.
const STORY: &str = "BELLWETHER_STORY";
const STORIES_MIN: usize = 25;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The files of all stories, in order.
fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(scenarios()).expect("the scenarios are there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "scn"))
        .collect();
    files.sort();
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a story is a text")
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a file has a name");
    name.to_string_lossy().into_owned()
}

/// What is wrong with a story; none where it holds.
fn check(file: &str, text: &str) -> Result<Report, String> {
    let story = parse(file, text).map_err(|error| error.to_string())?;
    let report = run(&story).map_err(|error| format!("{file}: {error}"))?;
    if report.holds() {
        Ok(report)
    } else {
        Err(report.to_string())
    }
}

fn failures(outcomes: impl IntoIterator<Item = Result<Report, String>>) -> String {
    let failed: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    failed.join("\n")
}

#[test]
fn every_story_holds() {
    let wanted = std::env::var(STORY).ok();
    let is_wanted = |path: &PathBuf| wanted.as_ref().is_none_or(|word| name(path).contains(word));
    let files: Vec<PathBuf> = files().into_iter().filter(is_wanted).collect();
    let outcomes: Vec<Result<Report, String>> = files
        .par_iter()
        .map(|path| {
            let began = Instant::now();
            let outcome = check(&name(path), &read(path));
            println!("{:>6} ms  {}", began.elapsed().as_millis(), name(path));
            outcome
        })
        .collect();
    if wanted.is_some() {
        for report in outcomes.iter().flatten() {
            println!("{report}{}", report.told());
        }
    }
    let failed = failures(outcomes);
    assert!(failed.is_empty(), "\n{failed}");
}

/// What a story tells hangs on no single sample.
#[test]
fn every_story_holds_with_other_noise() {
    let runs: Vec<(PathBuf, u64)> = files()
        .into_iter()
        .flat_map(|path| [2, 3, 4].map(|seed| (path.clone(), seed)))
        .collect();
    let told = |(path, seed): &(PathBuf, u64)| {
        let story = parse(&name(path), &read(path)).ok()?.with_seed(*seed);
        let report = run(&story).ok()?;
        (!report.holds()).then(|| format!("seed {seed}: {report}"))
    };
    let failed: Vec<String> = runs.par_iter().filter_map(told).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn the_readme_explains_a_story_that_holds() {
    let readme = std::fs::read_to_string(scenarios().join("README.md")).expect("it is there");
    let (_, rest) = readme.split_once("```scn\n").expect("it has a story");
    let (story, _) = rest.split_once("```").expect("the story ends");
    let failed = failures([check("README.md", story)]);
    assert!(failed.is_empty(), "\n{failed}");
}

/// A story opens with an operator's words, says how many incidents there are, and of each when, why,
/// how severe and the first reason.
#[test]
fn every_story_says_what_it_must() {
    let files = files();
    assert!(files.len() >= STORIES_MIN, "{} stories", files.len());
    for path in files {
        let (name, text) = (name(&path), read(&path));
        let spoken = text.lines().take_while(|line| line.starts_with("# "));
        assert!((1..=3).contains(&spoken.count()), "{name}: its first words");
        let counted = text
            .lines()
            .find_map(|line| line.strip_prefix("expect incidents "));
        let incidents: usize = counted
            .unwrap_or_else(|| panic!("{name} does not say how many incidents there are"))
            .parse()
            .expect("it is a number");
        for number in 1..=incidents {
            let head = format!("\nexpect #{number} on ");
            let (_, told) = text
                .split_once(&head)
                .unwrap_or_else(|| panic!("{name} does not tell of #{number}"));
            let told = told.split("\nexpect").next().unwrap_or_default();
            for word in ["opened ", "because ", "summary "] {
                assert!(told.contains(word), "{name}: #{number} without `{word}`");
            }
            let severe = told.contains("severity ") || told.contains("worst ");
            assert!(severe, "{name}: #{number} without its severity");
        }
    }
}

const CALM: &str = "service payments\n  cpu 30 noise 2\nends 5m\nexpect incidents 0\n";

#[test]
fn what_is_not_understood_is_refused_by_line_with_what_would_be() {
    for (text, line, says) in [
        (
            "servce payments",
            5,
            "`servce` is not known here; write one of tick",
        ),
        (
            "at 1m payments.cpu -> lots",
            5,
            "write the new level, or normal, as a number",
        ),
        (
            "at 1m payments.ram -> 3",
            5,
            "a series that is given above: payments.cpu",
        ),
        (
            "at 1m restart orders",
            5,
            "a service that is given above: payments",
        ),
        ("at soon payments.cpu -> 3", 5, "a time such as 15s, 10m"),
        (
            "at 1h payments.cpu -> 3",
            5,
            "lies after the end of the story",
        ),
        ("at 1m payments.cpu gap bored", 5, "no_data, idle, stale"),
        (
            "at 1m payments.cpu -> 3 slowly",
            5,
            "`slowly` is not known here",
        ),
        ("at 1m ack #1", 5, "the statement ends too early; add `by`"),
        ("at 1m ack 1 by kim", 5, "an incident such as #1"),
        ("at 1m comment #1 by kim", 5, "a comment has no words"),
        (
            "at 1m ack #1 by kim refused rudely",
            5,
            "already_resolved, stale",
        ),
        ("at 1m post deploy version 2", 5, "service=…, version=…"),
        ("decide faster 3s", 5, "one of open_after"),
        (
            "expect #1\n  opened 3m..2m",
            6,
            "ends before it begins; write 2m..3m",
        ),
        (
            "expect #1\n  severity Bad",
            6,
            "one of Normal, High, Critical",
        ),
        (
            "expect #1\n  sumary \"x\"",
            6,
            "write one of on, kind, opened",
        ),
        ("expect #1 summary unquoted", 5, "in quotation marks"),
        ("expect #1 summary \"open", 5, "has no end; close it"),
        (
            "expect why payments.cpu calm",
            5,
            "write `at TIME expect why",
        ),
        (
            "at 1m expect no early warning on payments",
            5,
            "of the whole story",
        ),
        ("service payments", 5, "is given twice"),
        ("service orders\n  heap 30", 6, "a metric: one of"),
        (
            "service orders\n  cpu 30 batch 25:00 for 1h adds 3",
            6,
            "a time of day such as 02:00",
        ),
        ("timezone Mars/Olympus", 5, "not a known time zone"),
    ] {
        let error = parse("a.scn", &format!("{CALM}{text}\n")).expect_err(text);
        let error = error.to_string();
        assert!(error.starts_with(&format!("a.scn:{line}: ")), "{error}");
        assert!(error.contains(says), "{error}");
    }
    for (text, says) in [
        ("ends 5m\nexpect incidents 0", "has no service"),
        ("service a\n  cpu 3\nexpect incidents 0", "has no end"),
        ("service a\n  cpu 3\nends 5m", "expects nothing"),
        (
            "history 9d every 1s\nservice a\n  cpu 3\nends 5m\nexpect incidents 0",
            "50,000",
        ),
        (
            "service a\n  cpu 3\nends 99d\nexpect incidents 0",
            "100,000 ticks",
        ),
    ] {
        let error = parse("a.scn", text).expect_err(text).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_does_not_hold_is_told_by_line_with_what_was_found() {
    let story = "service payments
  cpu 30 noise 2
at 5m payments.cpu -> 92
at 6m reopen #9 by kim
ends 10m
expect incidents 2
expect #1 on payments
  opened 9m
  members cpu,lat because gone
at 4m expect why payments.cpu waiting
expect early warning on payments
";
    let told = check("a.scn", story).expect_err("it does not hold");
    for says in [
        "a.scn:4: expected the command to be obeyed, but it was refused unknown",
        "a.scn:6: expected 2 incidents, found 1",
        "a.scn:8: expected #1 opened 9m, found 5m30s",
        "a.scn:9: expected #1 members cpu,lat, found cpu",
        "a.scn:9: expected #1 because gone, found crossing_and_anomaly",
        "a.scn:10: expected why payments.cpu waiting, found calm",
        "a.scn:11: expected early warning on payments, found it at none",
        "#1 payments OPEN firing Critical",
        "5m30s Bellwether: opened, past its threshold and anomalous: payments: CPU is",
    ] {
        assert!(told.contains(says), "{says}\n{told}");
    }
}

#[test]
fn the_same_story_is_told_the_same_twice() {
    let path = scenarios().join("three-metrics-one-cause.scn");
    let told = || check("three.scn", &read(&path)).expect("it holds").told();
    assert_eq!(told(), told());
}

#[test]
fn torn_stories_are_read_or_refused() {
    for path in files() {
        let text = read(&path);
        for end in (0..text.len()).step_by(11) {
            let _ = parse("torn.scn", text.get(..end).unwrap_or_default());
            let _ = parse("torn.scn", text.get(end..).unwrap_or_default());
        }
    }
}
