//! Runs: when ticks were evaluated.

use super::*;

fn run(from: u64, last: u64) -> Run {
    Run {
        from: at(from),
        last: at(last),
        is_under_way: false,
    }
}

fn under_way(from: u64, last: u64) -> Run {
    Run {
        is_under_way: true,
        ..run(from, last)
    }
}

#[tokio::test]
async fn a_run_grows_until_the_next_one_or_a_restart() {
    let place = place();
    let database = open(&place).await;
    // Nothing is within a run before any tick.
    let nothing = RunAt::Outside {
        before: None,
        after: None,
    };
    assert_eq!(database.run_at(at(1)).await.unwrap(), nothing);
    for (from, minute) in [(10, 10), (10, 11), (10, 12), (10, 14), (20, 20), (20, 21)] {
        database.commit_tick(evaluated(from, minute)).await.unwrap();
    }
    database.commit_tick(TickCommit::default()).await.unwrap();
    let newest = database.run_at(at(21)).await.unwrap();
    assert_eq!(newest, RunAt::Within(under_way(20, 21)));
    database.close().await;
    let database = open(&place).await;
    let check = async |minute: u64, expected: RunAt| {
        let found = database.run_at(at(minute)).await.unwrap();
        assert_eq!(found, expected, "at {minute}");
    };
    check(21, RunAt::Within(run(20, 21))).await;
    for minute in [22, 23] {
        database.commit_tick(evaluated(22, minute)).await.unwrap();
    }
    for (minute, expected) in [
        (10, run(10, 14)),
        (13, run(10, 14)),
        (20, run(20, 21)),
        (22, under_way(22, 23)),
    ] {
        check(minute, RunAt::Within(expected)).await;
    }
    for (minute, before, after) in [
        (9, None, Some(run(10, 14))),
        (17, Some(run(10, 14)), Some(run(20, 21))),
        (24, Some(under_way(22, 23)), None),
    ] {
        check(minute, RunAt::Outside { before, after }).await;
    }
    assert_eq!(database.prune_runs(at(21)).await.unwrap(), 1);
    check(
        17,
        RunAt::Outside {
            before: None,
            after: Some(run(20, 21)),
        },
    )
    .await;
}

/// Ticks whose commit failed belong to the run as soon as a later one is committed: what they
/// decided is stored then, too.
#[tokio::test]
async fn a_tick_that_is_not_committed_is_not_there_until_the_next_one_is() {
    let place = place();
    let database = open(&place).await;
    let failing = |minute| TickCommit {
        incidents: vec![Incident {
            id: IncidentId(u64::MAX),
            ..incident(2)
        }],
        ..evaluated(1, minute)
    };
    let found = async || database.run_at(at(1)).await.unwrap();
    database.commit_tick(failing(1)).await.unwrap_err();
    let nothing = RunAt::Outside {
        before: None,
        after: None,
    };
    assert_eq!(found().await, nothing);
    database.commit_tick(evaluated(1, 2)).await.unwrap();
    database.commit_tick(failing(3)).await.unwrap_err();
    assert_eq!(found().await, RunAt::Within(under_way(1, 2)));
    database.commit_tick(evaluated(1, 7)).await.unwrap();
    assert_eq!(found().await, RunAt::Within(under_way(1, 7)));
}

#[tokio::test]
async fn a_run_goes_on_when_it_was_dropped_or_the_clock_went_back() {
    let place = place();
    let database = open(&place).await;
    for minute in [5, 7, 6] {
        database.commit_tick(evaluated(5, minute)).await.unwrap();
    }
    let check = async |minute: u64, expected: Run| {
        let found = database.run_at(at(minute)).await.unwrap();
        assert_eq!(found, RunAt::Within(expected), "at {minute}");
    };
    check(6, under_way(5, 7)).await;
    assert_eq!(database.prune_runs(at(8)).await.unwrap(), 1);
    database.commit_tick(evaluated(5, 8)).await.unwrap();
    check(6, under_way(5, 8)).await;
    database.commit_tick(evaluated(2, 2)).await.unwrap();
    check(2, under_way(2, 2)).await;
    check(8, run(5, 8)).await;
}
