//! Whatever is done to a store, it answers as one without cleverness would, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use embedded::store::{Absent, AppendError, StoreSettings};
use embedded::{Labels, stale_marker};
use proptest::prelude::*;

use crate::plain::{Plain, append, everything, identity, open, select, series, settings};

#[derive(Clone, Debug)]
enum Step {
    /// So many seconds later, these series of a target have these values.
    Scrape {
        target: u32,
        after_ms: i64,
        values: Vec<(u32, f64)>,
        absent: Absent,
    },
    Flush,
    Expire,
    /// The process ends without a word and starts again.
    Reopen,
    /// Samples of the last so many milliseconds are asked for.
    Ask(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        6 => (0_i64..50).prop_map(|whole| whole as f64),
        2 => (0_i64..5_000_000_000).prop_map(|nanos| nanos as f64 / 1e9),
        1 => any::<f64>(),
        1 => prop::sample::select(vec![-0.0, f64::NAN, f64::INFINITY, stale_marker()]),
    ];
    let absent = prop::sample::select(vec![Absent::Stale, Absent::Unknown]);
    let scrape = (
        0_u32..3,
        1_i64..90_000,
        prop::collection::vec((0_u32..12, value), 0..12),
        absent,
    );
    let scrape = scrape.prop_map(|(target, after_ms, values, absent)| Step::Scrape {
        target,
        after_ms,
        values,
        absent,
    });
    prop_oneof![
        30 => scrape,
        2 => Just(Step::Flush),
        1 => Just(Step::Expire),
        1 => Just(Step::Reopen),
        4 => (0_i64..4_000_000).prop_map(Step::Ask),
    ]
}

/// Series 10 and 11 have the same labels whichever target says them.
fn labels(target: u32, number: u32) -> Labels {
    let target = if number >= 10 { 9 } else { target };
    series(target, &format!("metric_{}", number % 4), number)
}

fn check(steps: &[Step], settings: &StoreSettings) {
    let on_disk = settings.dir.is_some();
    let mut now_ms = 1_795_348_800_000;
    let (mut store, _) = open(settings, now_ms);
    let mut plain = Plain::default();
    for step in steps {
        match step {
            Step::Scrape {
                target,
                after_ms,
                values,
                absent,
            } => {
                now_ms += after_ms;
                let values = values
                    .iter()
                    .map(|(number, value)| (labels(*target, *number), *value));
                let values: Vec<_> = values.collect();
                append(&store, *target, now_ms, &values, *absent);
                plain.append(*target, now_ms, &values, *absent);
            }
            Step::Flush => assert_eq!(store.flush(), [""; 0]),
            Step::Expire => assert_eq!(store.expire(now_ms), [""; 0]),
            Step::Reopen if on_disk => {
                drop(store);
                let (again, remarks) = open(settings, now_ms);
                assert_eq!(remarks, [""; 0]);
                store = again;
            }
            Step::Reopen => {}
            Step::Ask(reach_ms) => {
                let from_ms = now_ms - reach_ms;
                let to_ms = now_ms - reach_ms / 3;
                let found = select(&store, &[], from_ms, to_ms);
                assert_eq!(found, plain.select(&[], from_ms, to_ms));
            }
        }
    }
    assert_eq!(everything(&store), plain.content);
    let samples: usize = plain.content.values().map(|samples| samples.len()).sum();
    // A series that two targets have said at once is counted twice; here times differ.
    assert_eq!(store.status().samples, samples as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_store_in_memory_answers_as_a_plain_one(steps in prop::collection::vec(any_step(), 1..120)) {
        check(&steps, &settings(None));
    }

    #[test]
    fn a_store_on_disk_answers_as_a_plain_one_after_every_restart(steps in prop::collection::vec(any_step(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        check(&steps, &settings(Some(dir.path())));
    }
}

#[test]
fn a_scrape_that_is_not_newer_is_refused_and_counted() {
    let (store, _) = open(&settings(None), 0);
    let target = store.target(&identity(1));
    let up = store.series(target, &series(1, "up", 0));
    assert_eq!(
        store.append(target, 1000, &[(up, 1.0)], Absent::Stale),
        Ok(())
    );
    let newest_ms = 1000;
    for time_ms in [1000, 999, 0] {
        let refused = store.append(target, time_ms, &[(up, 0.0)], Absent::Stale);
        assert_eq!(refused, Err(AppendError::NotNewer { time_ms, newest_ms }));
    }
    assert_eq!(
        store.append(target, -1, &[], Absent::Stale),
        Err(AppendError::Time(-1))
    );
    assert_eq!((store.status().refused, store.status().samples), (3, 1));
}

/// Otherwise the next scrape would say of series that were gone long before that they go now.
#[test]
fn scrapes_that_found_nothing_for_a_whole_block_are_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(Some(dir.path()));
    let up = (series(1, "up", 0), 1.0);
    let (store, _) = open(&settings, 0);
    append(&store, 1, 1_000, &[up], Absent::Stale);
    append(&store, 1, 400_000, &[], Absent::Unknown);
    append(&store, 1, 800_000, &[], Absent::Unknown);
    assert_eq!(store.flush(), [""; 0]);
    let before = everything(&store);
    drop(store);
    let (store, remarks) = open(&settings, 800_000);
    assert_eq!(remarks, [""; 0]);
    append(&store, 1, 801_000, &[], Absent::Stale);
    assert_eq!(everything(&store), before);
}

#[test]
fn a_series_of_another_target_is_refused() {
    let (store, _) = open(&settings(None), 0);
    let (one, other) = (store.target(&identity(1)), store.target(&identity(2)));
    let up = store.series(one, &series(1, "up", 0));
    assert_eq!(
        store.append(other, 1, &[(up, 1.0)], Absent::Stale),
        Err(AppendError::Forgotten)
    );
}

#[test]
fn the_reserved_nan_comes_back_as_an_ordinary_one() {
    let (store, _) = open(&settings(None), 0);
    let reserved = f64::from_bits(0x7ff0_0000_0000_4e4f);
    append(
        &store,
        1,
        5,
        &[(series(1, "a", 0), reserved)],
        Absent::Stale,
    );
    let found = everything(&store);
    assert!(f64::from_bits(found[&series(1, "a", 0)][&5]).is_nan());
}

#[test]
fn queries_and_scrapes_go_on_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&settings(Some(dir.path())), 0);
    std::thread::scope(|scope| {
        for target in 0..3 {
            let store = &store;
            scope.spawn(move || {
                for row in 1..400 {
                    let values: Vec<_> = (0..20)
                        .map(|at| (series(target, "a", at), f64::from(row)))
                        .collect();
                    append(
                        store,
                        target,
                        i64::from(row) * 15_000,
                        &values,
                        Absent::Stale,
                    );
                    if row % 50 == 0 {
                        store.flush();
                        store.expire(i64::from(row) * 15_000);
                    }
                }
            });
        }
        for _ in 0..50 {
            for samples in everything(&store).values() {
                // No sample is missing in between, and none is torn.
                for (time, bits) in samples {
                    assert_eq!(f64::from_bits(*bits) * 15_000.0, *time as f64);
                }
                assert_eq!(
                    samples.len() as i64 * 15_000,
                    *samples.last_key_value().unwrap().0
                );
            }
        }
    });
    assert_eq!(store.status().samples, 3 * 20 * 399);
}

/// A store that waits for itself is never done: then the test fails after a while.
#[test]
fn what_looks_at_the_status_never_waits_for_a_new_series() {
    let (store, _) = open(&settings(None), 0);
    let store = Arc::new(store);
    let (done, both) = std::sync::mpsc::channel();
    let adding = {
        let (store, done) = (Arc::clone(&store), done.clone());
        move || {
            let target = store.target(&identity(1));
            for number in 0..20_000 {
                store.series(target, &series(1, "new", number));
            }
            done.send(()).unwrap();
        }
    };
    let looking = {
        let store = Arc::clone(&store);
        move || {
            while store.status().series < 20_000 {}
            done.send(()).unwrap();
        }
    };
    std::thread::spawn(adding);
    std::thread::spawn(looking);
    for _ in 0..2 {
        both.recv_timeout(Duration::from_secs(60))
            .expect("adding series and looking at the status come to an end");
    }
}
