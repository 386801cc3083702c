//! Runs: when ticks were evaluated.

use super::*;

fn run(from: u64, last: u64) -> Run {
    Run {
        from: at(from),
        last: at(last),
    }
}

#[tokio::test]
async fn a_run_grows_until_a_gap_or_a_restart() {
    let place = place();
    let database = open(&place).await;
    // Nothing is within a run before any tick.
    let nothing = RunAt::Outside {
        before: None,
        after: None,
    };
    assert_eq!(database.run_at(at(1)).await.unwrap(), nothing);
    for minute in [10, 11, 12, 14, 20, 21] {
        database.commit_tick(evaluated(minute)).await.unwrap();
    }
    database.commit_tick(TickCommit::default()).await.unwrap();
    database.close().await;
    let database = open(&place).await;
    for minute in [22, 23] {
        database.commit_tick(evaluated(minute)).await.unwrap();
    }
    let check = async |minute: u64, expected: RunAt| {
        let found = database.run_at(at(minute)).await.unwrap();
        assert_eq!(found, expected, "at {minute}");
    };
    for (minute, from, last) in [(10, 10, 14), (13, 10, 14), (20, 20, 21), (22, 22, 23)] {
        check(minute, RunAt::Within(run(from, last))).await;
    }
    for (minute, before, after) in [
        (9, None, Some(run(10, 14))),
        (17, Some(run(10, 14)), Some(run(20, 21))),
        (24, Some(run(22, 23)), None),
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

#[tokio::test]
async fn a_tick_that_is_not_committed_extends_nothing() {
    let place = place();
    let database = open(&place).await;
    let failing = |minute| TickCommit {
        incidents: vec![Incident {
            id: IncidentId(u64::MAX),
            ..incident(2)
        }],
        ..evaluated(minute)
    };
    database.commit_tick(failing(1)).await.unwrap_err();
    database.commit_tick(evaluated(2)).await.unwrap();
    database.commit_tick(failing(3)).await.unwrap_err();
    assert_eq!(
        database.run_at(at(2)).await.unwrap(),
        RunAt::Within(run(2, 2))
    );
}

#[tokio::test]
async fn a_run_goes_on_when_it_was_dropped_or_the_clock_went_back() {
    let place = place();
    let database = open(&place).await;
    for minute in [5, 7, 6] {
        database.commit_tick(evaluated(minute)).await.unwrap();
    }
    assert_eq!(
        database.run_at(at(6)).await.unwrap(),
        RunAt::Within(run(5, 7))
    );
    assert_eq!(database.prune_runs(at(8)).await.unwrap(), 1);
    for minute in [8, 9, 2] {
        database.commit_tick(evaluated(minute)).await.unwrap();
    }
    for (minute, expected) in [(8, run(8, 9)), (2, run(2, 2))] {
        let found = database.run_at(at(minute)).await.unwrap();
        assert_eq!(found, RunAt::Within(expected));
    }
}
