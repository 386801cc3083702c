//! What is too old or too much goes, whole and with a word.

use std::time::Duration;

use embedded::Labels;
use embedded::store::{Absent, AppendError, Store, StoreSettings};

use crate::plain::{append, everything, identity, open, series, settings};

const START_MS: i64 = 1_795_348_800_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Scrapes that are hard to compress, every 15 s for so many minutes, expiring as it goes.
fn fill(store: &Store, minutes: i64, series_count: u32) -> Vec<String> {
    let mut remarks = Vec::new();
    for row in 0..minutes * 4 {
        let time_ms = START_MS + row * 15_000;
        let value = |at: u32| (f64::from(at + 2) * row as f64).sin();
        let values: Vec<_> = (0..series_count)
            .map(|at| (series(1, "noise", at), value(at)))
            .collect();
        append(store, 1, time_ms, &values, Absent::Stale);
        if row % 4 == 0 {
            store.flush();
            remarks.extend(store.expire(time_ms));
        }
    }
    remarks
}

fn oldest(store: &Store) -> i64 {
    let content = everything(store);
    let first =
        |samples: &std::collections::BTreeMap<i64, u64>| *samples.first_key_value().unwrap().0;
    content.values().map(first).min().unwrap()
}

#[test]
fn samples_older_than_the_retention_go_by_whole_blocks_from_disk_too() {
    let dir = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        retention: Duration::from_secs(3600),
        ..settings(Some(dir.path()))
    };
    let (store, _) = open(&settings, START_MS);
    assert_eq!(fill(&store, 180, 3), [""; 0]);
    // 5-minute blocks; the last call was at minute 179, which leaves those that end after 119.
    assert_eq!(oldest(&store), START_MS + 115 * MINUTE_MS);
    let count = std::fs::read_dir(dir.path()).unwrap().count();
    assert!(count <= 16, "{count} files");
    drop(store);
    let later = START_MS + 240 * MINUTE_MS;
    let (store, _) = open(&settings, later - 30 * MINUTE_MS);
    assert_eq!(oldest(&store), START_MS + 150 * MINUTE_MS);
}

#[test]
fn over_the_limit_the_oldest_hours_go_first_and_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        memory_max: 400_000,
        ..settings(Some(dir.path()))
    };
    let (store, _) = open(&settings, START_MS);
    let remarks = fill(&store, 300, 100);
    let oldest_ms = oldest(&store);
    assert!(
        oldest_ms > START_MS && (oldest_ms - START_MS) % HOUR_MS == 0,
        "{oldest_ms}"
    );
    let kept = domain::Timestamp::from_millis(oldest_ms).to_string();
    let last = remarks.last().unwrap();
    assert!(last.contains("dropped") && last.contains(&kept), "{last}");
    let status = store.status();
    assert!(status.memory_bytes <= 400_000, "{status:?}");
    assert_eq!(status.dropped_samples + status.samples, 300 * 4 * 100);
    // Another start finds no more than that.
    let content = everything(&store);
    drop(store);
    let (store, _) = open(&settings, START_MS + 300 * MINUTE_MS);
    assert_eq!(everything(&store), content);
}

#[test]
fn between_two_calls_of_expire_the_limit_is_passed_by_little() {
    let (store, _) = open(
        &StoreSettings {
            memory_max: 400_000,
            ..settings(None)
        },
        START_MS,
    );
    for row in 0..1000 {
        let values: Vec<_> = (0..100)
            .map(|at| {
                (
                    series(1, "noise", at),
                    (f64::from(at + 2) * f64::from(row)).sin(),
                )
            })
            .collect();
        append(
            &store,
            1,
            START_MS + i64::from(row) * 15_000,
            &values,
            Absent::Stale,
        );
        assert!(
            store.status().memory_bytes < 550_000,
            "{:?}",
            store.status()
        );
    }
    let remarks = store.expire(START_MS + 1000 * 15_000);
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert_eq!(store.expire(START_MS + 1000 * 15_000), [""; 0]);
}

#[test]
fn a_limit_that_is_too_small_is_said_once() {
    let (store, _) = open(
        &StoreSettings {
            memory_max: 1000,
            ..settings(None)
        },
        START_MS,
    );
    let values: Vec<_> = (0..100).map(|at| (series(1, "a", at), 1.0)).collect();
    append(&store, 1, START_MS, &values, Absent::Stale);
    let remarks = store.expire(START_MS);
    assert!(
        remarks.len() == 1 && remarks[0].contains("raise it"),
        "{remarks:?}"
    );
    assert_eq!(store.expire(START_MS), [""; 0]);
    assert_eq!(everything(&store).len(), 100);
}

#[test]
fn series_without_samples_are_forgotten_and_their_refs_refused() {
    let settings = StoreSettings {
        retention: Duration::from_secs(3600),
        ..settings(None)
    };
    let (store, _) = open(&settings, START_MS);
    let target = store.target(&identity(1));
    let old = store.series(target, &series(1, "old", 0));
    store
        .append(target, START_MS, &[(old, 1.0)], Absent::Stale)
        .unwrap();
    // Each deployment brings series of its own.
    for version in 0..400_i64 {
        let time_ms = START_MS + (version + 1) * MINUTE_MS;
        let name = version.to_string();
        let labels = Labels::new([("__name__", "jvm_info"), ("version", &name)]);
        append(
            &store,
            1,
            time_ms,
            &[(labels, 1.0), (series(1, "up", 0), 1.0)],
            Absent::Stale,
        );
        store.flush();
        store.expire(time_ms);
    }
    let status = store.status();
    assert!(status.series < 90, "{status:?}");
    let late = store.append(
        target,
        START_MS + 24 * HOUR_MS,
        &[(old, 1.0)],
        Absent::Stale,
    );
    assert_eq!(late, Err(AppendError::Forgotten));
    let names = |content: crate::plain::Content| content.into_keys().collect::<Vec<_>>();
    let before = names(everything(&store));
    assert_eq!(before.len() as u64, status.series);
    // Refs of series that are kept stay good.
    let up = store.series(target, &series(1, "up", 0));
    store
        .append(
            target,
            START_MS + 24 * HOUR_MS,
            &[(up, 0.0)],
            Absent::Unknown,
        )
        .unwrap();
    let again = store.series(target, &series(1, "old", 0));
    store
        .append(
            target,
            START_MS + 24 * HOUR_MS + 1,
            &[(again, 5.0)],
            Absent::Unknown,
        )
        .unwrap();
    assert_eq!(everything(&store)[&series(1, "old", 0)].len(), 1);
}

#[test]
fn a_target_without_samples_is_forgotten() {
    let settings = StoreSettings {
        retention: Duration::from_secs(3600),
        ..settings(None)
    };
    let (store, _) = open(&settings, START_MS);
    append(
        &store,
        1,
        START_MS,
        &[(series(1, "up", 0), 1.0)],
        Absent::Stale,
    );
    let old = store.target(&identity(1));
    for hour in 1..6 {
        append(
            &store,
            2,
            START_MS + hour * HOUR_MS,
            &[(series(2, "up", 0), 1.0)],
            Absent::Stale,
        );
        store.expire(START_MS + hour * HOUR_MS);
    }
    let status = store.status();
    assert_eq!((status.targets, status.series), (1, 1), "{status:?}");
    let late = store.append(old, START_MS + 9 * HOUR_MS, &[], Absent::Stale);
    assert_eq!(late, Err(AppendError::Forgotten));
    append(
        &store,
        1,
        START_MS + 9 * HOUR_MS,
        &[(series(1, "up", 0), 1.0)],
        Absent::Stale,
    );
    assert_eq!(store.status().targets, 2);
}
