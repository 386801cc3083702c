//! The ledger: what held when.

use super::*;

async fn with(records: Vec<LedgerRecord>) -> (Place, Database) {
    let place = place();
    let database = open(&place).await;
    save(&database, records).await;
    (place, database)
}

async fn save(database: &Database, ledger: Vec<LedgerRecord>) {
    let tick = TickCommit {
        ledger,
        ..TickCommit::default()
    };
    database.commit_tick(tick).await.unwrap();
}

async fn held(database: &Database, series: &SeriesId) -> Vec<u64> {
    let filter = DecisionFilter::new(series.clone(), at(0), at(99_999));
    let page = database.decisions(&filter).await.unwrap();
    assert_eq!(page.next, None);
    let minute = |record: LedgerRecord| record.from.since(at(0)).as_secs() / 60;
    page.records.into_iter().map(minute).collect()
}

#[tokio::test]
async fn a_record_holds_until_the_next_of_its_series() {
    let (cpu, ram) = (series("pay", "cpu"), series("pay", "ram"));
    let records = [
        (&cpu, 10),
        (&ram, 12),
        (&cpu, 20),
        (&series("p", "cpu"), 15),
    ];
    let (place, database) = with(records.map(|(series, at)| record(series, at)).to_vec()).await;
    database.close().await;
    let database = open(&place).await;
    let check = async |series: &SeriesId, minute: u64, expected: Option<(u64, Option<u64>)>| {
        let found = database.decision_at(series, at(minute)).await.unwrap();
        let expected = expected.map(|(from, to)| Decision {
            record: record(series, from),
            valid_to: to.map(at),
        });
        assert_eq!(found, expected, "{series} at {minute}");
    };
    check(&cpu, 9, None).await;
    check(&cpu, 10, Some((10, Some(20)))).await;
    check(&cpu, 19, Some((10, Some(20)))).await;
    check(&cpu, 20, Some((20, None))).await;
    check(&cpu, 9999, Some((20, None))).await;
    check(&ram, 9999, Some((12, None))).await;
    check(&series("pay", "disk"), 9999, None).await;
}

#[tokio::test]
async fn a_record_that_comes_again_replaces_itself() {
    let cpu = series("pay", "cpu");
    let (_place, database) = with(vec![record(&cpu, 10)]).await;
    let corrected = LedgerRecord {
        body: "{}".to_owned(),
        ..record(&cpu, 10)
    };
    save(&database, vec![record(&cpu, 10), corrected.clone()]).await;
    let found = database.decision_at(&cpu, at(10)).await.unwrap().unwrap();
    assert_eq!(found.record, corrected);
    assert_eq!(held(&database, &cpu).await, [10]);
}

#[tokio::test]
async fn a_list_begins_with_what_already_holds() {
    let cpu = series("pay", "cpu");
    let records = (0..350).map(|step| record(&cpu, step * 10));
    let (_place, database) = with(records.collect()).await;
    let check = async |from: u64, to: u64, limit: usize, expected: Vec<u64>| {
        let mut filter = DecisionFilter {
            limit,
            ..DecisionFilter::new(cpu.clone(), at(from), at(to))
        };
        let mut found = Vec::new();
        loop {
            let page = database.decisions(&filter).await.unwrap();
            assert!(page.records.len() <= limit);
            found.extend(page.records);
            if page.next.is_none() {
                break;
            }
            filter.after = page.next;
        }
        let expected: Vec<LedgerRecord> = expected.into_iter().map(|at| record(&cpu, at)).collect();
        assert_eq!(found, expected, "{from} to {to} by {limit}");
    };
    check(15, 40, 10, vec![10, 20, 30, 40]).await;
    check(20, 39, 1, vec![20, 30]).await;
    check(9990, 9999, 2, vec![3490]).await;
    check(41, 49, 2, vec![40]).await;
    check(0, 9999, 100, (0..350).map(|step| step * 10).collect()).await;
}

#[tokio::test]
async fn pruning_keeps_what_still_held() {
    let (cpu, ram) = (series("pay", "cpu"), series("pay", "ram"));
    let mut records: Vec<LedgerRecord> = (0..10).map(|step| record(&cpu, step * 10)).collect();
    records.push(record(&ram, 1));
    let (_place, database) = with(records).await;
    assert_eq!(database.prune_ledger(at(45), 100).await.unwrap(), 4);
    assert_eq!(held(&database, &cpu).await, [40, 50, 60, 70, 80, 90]);
    assert_eq!(held(&database, &ram).await, [1]);
    let holding = database.decision_at(&cpu, at(45)).await.unwrap().unwrap();
    assert_eq!(holding.record, record(&cpu, 40));
    // Beyond the number go the oldest, but not the last word on a series.
    assert_eq!(database.prune_ledger(at(45), 3).await.unwrap(), 4);
    assert_eq!(held(&database, &cpu).await, [80, 90]);
    assert_eq!(held(&database, &ram).await, [1]);
    assert_eq!(database.prune_ledger(at(9999), 0).await.unwrap(), 1);
    assert_eq!(held(&database, &cpu).await, [90]);
    assert_eq!(held(&database, &ram).await, [1]);
}

#[tokio::test]
async fn pruning_goes_on_beyond_one_transaction() {
    let cpu = series("pay", "cpu");
    let records = (0..12_003).map(|minute| record(&cpu, minute)).collect();
    let (_place, database) = with(records).await;
    assert_eq!(
        database.prune_ledger(at(5_500), u64::MAX).await.unwrap(),
        5_500
    );
    assert_eq!(database.prune_ledger(at(0), 3).await.unwrap(), 6_500);
    assert_eq!(held(&database, &cpu).await, [12_000, 12_001, 12_002]);
}
