//! What a kill or a broken disk leaves is opened: what is sound is there, what isn't is said.

use std::fs;
use std::path::{Path, PathBuf};

use embedded::store::{Absent, Store, StoreError};

use crate::plain::{Content, Plain, append, everything, open, series, settings};

const START_MS: i64 = 1_795_348_800_000;

/// Scrapes two targets every 15 s, and returns what the store holds after each round.
fn fill(dir: &Path, rounds: u32) -> Vec<Content> {
    let (store, _) = open(&settings(Some(dir)), START_MS);
    let mut plain = Plain::default();
    let mut states = vec![plain.content.clone()];
    for round in 0..rounds {
        for target in 0..2 {
            let time_ms = START_MS + i64::from(round) * 15_000 + i64::from(target);
            let values: Vec<_> = (0..5)
                .filter(|at| round < 10 || *at != 3)
                .map(|at| (series(target, "metric", at), f64::from(round * at) / 8.0))
                .collect();
            append(&store, target, time_ms, &values, Absent::Stale);
            plain.append(target, time_ms, &values, Absent::Stale);
            states.push(plain.content.clone());
        }
        store.flush();
    }
    states
}

fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    files.sort();
    files
}

/// A copy of `dir` with one file of other content.
fn with(dir: &Path, file: &Path, content: &[u8]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    fs::write(copy.path().join(file.file_name().unwrap()), content).unwrap();
    copy
}

#[test]
fn a_log_that_ends_anywhere_gives_all_scrapes_before() {
    let dir = tempfile::tempdir().unwrap();
    let states = fill(dir.path(), 12);
    let logs = files(dir.path(), ".log");
    let [log] = logs.as_slice() else {
        panic!("{logs:?}")
    };
    let whole = fs::read(log).unwrap();
    let mut seen = 0;
    for length in 0..=whole.len() {
        let copy = with(dir.path(), log, &whole[..length]);
        let settings = settings(Some(copy.path()));
        let (store, remarks) = open(&settings, START_MS);
        let content = everything(&store);
        let state = states.iter().position(|state| *state == content);
        let state = state.unwrap_or_else(|| panic!("after {length} bytes: {content:?}"));
        assert!(state >= seen, "after {length} bytes");
        // Said once, unless it ends between two records.
        assert!(remarks.len() <= 1, "{remarks:?}");
        if state == seen && length > 0 && length < whole.len() && remarks.is_empty() {
            let (_, again) = open(&settings, START_MS);
            assert_eq!(again, [""; 0]);
        }
        seen = state;
        drop(store);
        let (store, again) = open(&settings, START_MS);
        assert_eq!((everything(&store), again), (content, Vec::new()));
    }
    assert_eq!(seen, states.len() - 1);
}

#[test]
fn a_flipped_bit_in_a_log_keeps_what_stands_before_and_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let states = fill(dir.path(), 12);
    let log = files(dir.path(), ".log").remove(0);
    let whole = fs::read(&log).unwrap();
    for at in 0..whole.len() {
        // The header's time of the block isn't needed.
        if (8..16).contains(&at) {
            continue;
        }
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        let copy = with(dir.path(), &log, &flipped);
        let (store, remarks) = open(&settings(Some(copy.path())), START_MS);
        assert_eq!(remarks.len(), 1, "at {at}");
        assert!(states.contains(&everything(&store)), "at {at}");
        // It goes on.
        append(
            &store,
            0,
            START_MS + 3_600_000,
            &[(series(0, "metric", 0), 1.0)],
            Absent::Stale,
        );
    }
}

#[test]
fn a_damaged_block_is_set_aside_and_the_rest_serves() {
    let dir = tempfile::tempdir().unwrap();
    let states = fill(dir.path(), 70);
    let blocks = files(dir.path(), ".block");
    assert_eq!(blocks.len(), 3);
    let whole = fs::read(&blocks[1]).unwrap();
    let damaged = |content: &[u8]| {
        let copy = with(dir.path(), &blocks[1], content);
        let (store, remarks) = open(&settings(Some(copy.path())), START_MS);
        let [remark] = remarks.as_slice() else {
            panic!("{remarks:?}")
        };
        let name = blocks[1].file_name().unwrap().to_string_lossy();
        assert!(
            remark.contains(&format!("{name} is set aside as {name}.damaged-1")),
            "{remark}"
        );
        assert_eq!(files(copy.path(), ".damaged-1").len(), 1);
        let mut wanted = states.last().unwrap().clone();
        for samples in wanted.values_mut() {
            samples.retain(|time, _| !(START_MS + 300_000..START_MS + 600_000).contains(time));
        }
        wanted.retain(|_, samples| !samples.is_empty());
        assert_eq!(everything(&store), wanted);
        drop(store);
        assert_eq!(open(&settings(Some(copy.path())), START_MS).1, [""; 0]);
    };
    for length in (0..whole.len()).step_by(97) {
        damaged(&whole[..length]);
    }
    for at in (0..whole.len()).step_by(41) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        damaged(&flipped);
    }
}

#[test]
fn a_directory_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&settings(Some(dir.path())), START_MS));
    fs::write(dir.path().join("VERSION"), "2\n").unwrap();
    let Err(error) = Store::open(settings(Some(dir.path())), START_MS) else {
        panic!("opened")
    };
    assert!(
        matches!(&error, StoreError::Version { found, .. } if found == "2"),
        "{error}"
    );
}

#[test]
fn a_block_and_its_log_together_are_not_told_twice() {
    let dir = tempfile::tempdir().unwrap();
    let states = fill(dir.path(), 12);
    let log = files(dir.path(), ".log").remove(0);
    let content = fs::read(&log).unwrap();
    // The block is written, and the process ends before its log goes.
    let (store, _) = open(&settings(Some(dir.path())), START_MS);
    store.expire(START_MS + 900_000);
    drop(store);
    assert_eq!(
        (
            files(dir.path(), ".log").len(),
            files(dir.path(), ".block").len()
        ),
        (0, 1)
    );
    fs::write(&log, content).unwrap();
    let (store, remarks) = open(&settings(Some(dir.path())), START_MS);
    assert_eq!(
        (&everything(&store), remarks),
        (states.last().unwrap(), Vec::new())
    );
    assert_eq!(files(dir.path(), ".log").len(), 0);
}

#[test]
fn samples_that_cannot_be_written_are_said_once_and_served() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&settings(Some(dir.path())), START_MS);
    let up = [(series(0, "up", 0), 1.0)];
    fs::remove_dir_all(dir.path()).unwrap();
    append(&store, 0, START_MS, &up, Absent::Stale);
    append(&store, 0, START_MS + 1, &up, Absent::Stale);
    let remarks = store.flush();
    assert!(
        remarks.len() == 1 && remarks[0].contains("can't be written"),
        "{remarks:?}"
    );
    assert_eq!(everything(&store)[&series(0, "up", 0)].len(), 2);
    fs::create_dir(dir.path()).unwrap();
    append(&store, 0, START_MS + 2, &up, Absent::Stale);
    let remarks = store.flush();
    assert!(
        remarks.len() == 1 && remarks[0].contains("again"),
        "{remarks:?}"
    );
    // The block is written whole, with what its log lacks.
    assert_eq!(store.expire(START_MS + 3_600_000), [""; 0]);
    let content = everything(&store);
    drop(store);
    assert_eq!(
        everything(&open(&settings(Some(dir.path())), START_MS).0),
        content
    );
}
