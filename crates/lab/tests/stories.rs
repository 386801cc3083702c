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
