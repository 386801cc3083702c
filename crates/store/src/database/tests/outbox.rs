//! The outbox: nothing is lost, nothing is told twice under two keys.

use std::collections::BTreeSet;

use super::*;

fn notice(number: u64, receiver: &str, incident: u64) -> NewNotice {
    NewNotice {
        key: format!("{receiver}/{number}"),
        receiver: receiver.to_owned(),
        kind: "opened".to_owned(),
        incident: Some(IncidentId(incident)),
        service: Some(ServiceId::new("prod/pay").unwrap()),
        created: at(number),
        withheld: None,
        body: serde_json::json!({"number": number, "text": "'; --"}),
    }
}

async fn commit(database: &Database, notices: Vec<NewNotice>) {
    let tick = TickCommit {
        notices,
        ..TickCommit::default()
    };
    database.commit_tick(tick).await.unwrap();
}

fn numbers(notices: &[Notice]) -> Vec<u64> {
    let number = |notice: &Notice| notice.body["number"].as_u64().unwrap();
    notices.iter().map(number).collect()
}

/// Takes without superseding anything.
async fn take(database: &Database, receiver: &str, now: Timestamp, most: usize) -> Option<Batch> {
    let never = Timestamp::from_millis(0);
    let taken = database.outbox_take(receiver, now, most, never).await;
    taken.unwrap()
}

async fn all(database: &Database, filter: NoticeFilter) -> Vec<Notice> {
    let mut filter = NoticeFilter { limit: 7, ..filter };
    let mut found = Vec::new();
    loop {
        let page = database.notices(&filter).await.unwrap();
        found.extend(page.notices);
        filter.after = page.next;
        if filter.after.is_none() {
            return found;
        }
    }
}

async fn of_state(database: &Database, state: NoticeState) -> Vec<u64> {
    let filter = NoticeFilter {
        state: Some(state),
        ..NoticeFilter::default()
    };
    numbers(&all(database, filter).await)
}

#[tokio::test]
async fn the_same_step_again_adds_nothing() {
    let place = place();
    let database = open(&place).await;
    let first = vec![notice(1, "oncall", 1), notice(2, "oncall", 2)];
    commit(&database, first.clone()).await;
    let changed = NewNotice {
        body: serde_json::json!({"number": 99}),
        ..notice(2, "oncall", 2)
    };
    commit(&database, vec![changed, notice(3, "oncall", 3)]).await;
    commit(&database, first).await;
    database.close().await;
    let database = open(&place).await;
    let found = all(&database, NoticeFilter::default()).await;
    assert_eq!(numbers(&found), [3, 2, 1]);
    let expected = Notice {
        seq: 1,
        key: "oncall/1".to_owned(),
        receiver: "oncall".to_owned(),
        kind: "opened".to_owned(),
        incident: Some(IncidentId(1)),
        service: Some(ServiceId::new("prod/pay").unwrap()),
        created: at(1),
        state: NoticeState::Pending,
        batch: None,
        attempts: 0,
        next: None,
        done: None,
        error: None,
        body: serde_json::json!({"number": 1, "text": "'; --"}),
    };
    assert_eq!(found[2], expected);
}

#[tokio::test]
async fn a_batch_is_given_again_with_its_key_until_it_is_done() {
    let place = place();
    let database = open(&place).await;
    let notices = (1..=5).map(|number| notice(number, "a/b", number));
    commit(&database, notices.collect()).await;
    let first = take(&database, "a/b", at(10), 3).await.unwrap();
    assert_eq!((first.key.as_str(), first.attempts), ("a/b/1/3", 0));
    assert_eq!(numbers(&first.notices), [1, 2, 3]);
    database.close().await;

    let database = open(&place).await;
    assert_eq!(take(&database, "a/b", at(10), 1).await, Some(first.clone()));
    database
        .outbox_failed(&first.key, 1, at(20), "503 busy")
        .await
        .unwrap();
    assert_eq!(database.outbox_next("a/b").await.unwrap(), Some(at(20)));
    assert_eq!(take(&database, "a/b", at(19), 3).await, None);
    let again = take(&database, "a/b", at(20), 3).await.unwrap();
    assert_eq!((&again.key, again.attempts), (&first.key, 1));
    assert_eq!(again.notices[2].error.as_deref(), Some("503 busy"));
    let delivered = database.outbox_delivered(&first.key, at(21)).await;
    delivered.unwrap();
    // What is done stays done.
    let late = database.outbox_given_up(&first.key, at(22), "late").await;
    late.unwrap();
    assert_eq!(of_state(&database, NoticeState::Delivered).await, [3, 2, 1]);

    assert_eq!(database.outbox_next("a/b").await.unwrap(), Some(at(4)));
    let second = take(&database, "a/b", at(21), 3).await.unwrap();
    assert_eq!(second.key, "a/b/4/2");
    database
        .outbox_given_up(&second.key, at(30), "404 not found")
        .await
        .unwrap();
    assert_eq!(take(&database, "a/b", at(31), 3).await, None);
    assert_eq!(database.outbox_next("a/b").await.unwrap(), None);
    let given_up = NoticeFilter {
        state: Some(NoticeState::GivenUp),
        incident: Some(IncidentId(5)),
        receiver: Some("a/b".to_owned()),
        ..NoticeFilter::default()
    };
    let found = all(&database, given_up).await;
    assert_eq!(found[0].error.as_deref(), Some("404 not found"));
    assert_eq!((found.len(), found[0].done), (1, Some(at(30))));
}

#[tokio::test]
async fn receivers_wait_for_themselves_only() {
    let place = place();
    let database = open(&place).await;
    commit(&database, vec![notice(1, "a", 1), notice(1, "b", 1)]).await;
    let batch = take(&database, "a", at(1), 9).await.unwrap();
    let failed = database.outbox_failed(&batch.key, 1, at(99), "off").await;
    failed.unwrap();
    assert_eq!(take(&database, "a", at(2), 9).await, None);
    let other = take(&database, "b", at(2), 9).await.unwrap();
    assert_eq!(other.key, "b/2/1");
    assert_eq!(take(&database, "unknown", at(2), 9).await, None);
}

#[tokio::test]
async fn what_a_newer_message_says_is_superseded_once_it_is_old() {
    let place = place();
    let database = open(&place).await;
    let incidents = [1, 2, 1, 3, 1, 2];
    let notices = (1..).zip(incidents);
    let notices = notices.map(|(number, incident)| notice(number, "a", incident));
    commit(&database, notices.collect()).await;
    // Another receiver's are no newer ones.
    commit(&database, vec![notice(7, "b", 3)]).await;
    let batch = database.outbox_take("a", at(60), 2, at(3)).await.unwrap();
    // 1 and 2 are old and said again by 5 and 6; 3 is as well, but not old.
    assert_eq!(numbers(&batch.unwrap().notices), [3, 4]);
    assert_eq!(of_state(&database, NoticeState::Superseded).await, [2, 1]);
}

#[tokio::test]
async fn what_is_withheld_is_kept_and_never_sent() {
    let place = place();
    let database = open(&place).await;
    let withheld = NewNotice {
        withheld: Some("shadow mode".to_owned()),
        ..notice(1, "a", 1)
    };
    commit(&database, vec![withheld]).await;
    assert_eq!(take(&database, "a", at(9), 9).await, None);
    let found = all(&database, NoticeFilter::default()).await;
    assert_eq!(found[0].state, NoticeState::Withheld);
    assert_eq!(found[0].error.as_deref(), Some("shadow mode"));
}

#[tokio::test]
async fn a_full_queue_lets_go_of_its_oldest_but_not_of_a_batch() {
    let place = place();
    let database = open(&place).await;
    let notices = (1..=9).map(|number| notice(number, "a", number));
    commit(&database, notices.collect()).await;
    take(&database, "a", at(9), 2).await.unwrap();
    let mut connection = database.writer.acquire().await.unwrap();
    crate::database::outbox::make_room(&mut connection, "a", at(10), 5)
        .await
        .unwrap();
    drop(connection);
    let superseded = of_state(&database, NoticeState::Superseded).await;
    assert_eq!(superseded, [6, 5, 4, 3]);
    let states = database.outbox_state(at(0)).await.unwrap();
    assert_eq!((states[0].pending, states[0].superseded), (5, 4));
}

#[tokio::test]
async fn a_former_receiver_gets_nothing_any_more() {
    let place = place();
    let database = open(&place).await;
    let notices = (1..=4).map(|number| notice(number, ["a", "b"][number as usize % 2], number));
    commit(&database, notices.collect()).await;
    take(&database, "a", at(9), 1).await.unwrap();
    let known = BTreeSet::from(["b".to_owned()]);
    assert_eq!(database.outbox_abandon(&known, at(10)).await.unwrap(), 2);
    assert_eq!(of_state(&database, NoticeState::GivenUp).await, [4, 2]);
    assert_eq!(of_state(&database, NoticeState::Pending).await, [3, 1]);
    assert_eq!(database.outbox_abandon(&known, at(11)).await.unwrap(), 0);
}

#[tokio::test]
async fn the_state_of_each_receiver_is_said() {
    let place = place();
    let database = open(&place).await;
    assert_eq!(database.outbox_state(at(0)).await.unwrap(), []);
    let notices = (1..=6).map(|number| notice(number, "a", number));
    commit(&database, notices.collect()).await;
    let withheld = NewNotice {
        withheld: Some("muted".to_owned()),
        ..notice(8, "b", 1)
    };
    commit(&database, vec![withheld]).await;
    let batch = take(&database, "a", at(10), 2).await.unwrap();
    let given_up = database.outbox_given_up(&batch.key, at(11), "410").await;
    given_up.unwrap();
    let said = database.outbox_state(at(0)).await.unwrap();
    assert_eq!(said[0].last_error.as_deref(), Some("410"));
    let batch = take(&database, "a", at(12), 2).await.unwrap();
    let delivered = database.outbox_delivered(&batch.key, at(12)).await;
    delivered.unwrap();
    // What was given up before the last delivery is no trouble of now.
    let said = database.outbox_state(at(0)).await.unwrap();
    assert_eq!(said[0].last_error, None);
    let batch = take(&database, "a", at(13), 1).await.unwrap();
    database
        .outbox_failed(&batch.key, 7, at(20), "timed out")
        .await
        .unwrap();

    let expected = ReceiverState {
        receiver: "a".to_owned(),
        pending: 2,
        oldest_pending: Some(at(5)),
        attempts: 7,
        next: Some(at(20)),
        last_error: Some("timed out".to_owned()),
        last_delivered: Some(at(12)),
        delivered: 2,
        given_up: 0,
        withheld: 0,
        superseded: 0,
    };
    let states = database.outbox_state(at(12)).await.unwrap();
    assert_eq!(states[0], expected);
    assert_eq!((states[1].receiver.as_str(), states[1].withheld), ("b", 0));
    let earlier = database.outbox_state(at(8)).await.unwrap();
    assert_eq!((earlier[0].given_up, earlier[1].withheld), (2, 1));
}

#[tokio::test]
async fn only_what_is_done_and_old_is_dropped_and_no_number_comes_again() {
    let place = place();
    let database = open(&place).await;
    let notices = (1..=4).map(|number| notice(number, "a", number));
    commit(&database, notices.collect()).await;
    for minute in [10, 20] {
        let batch = take(&database, "a", at(minute), 1).await.unwrap();
        let delivered = database.outbox_delivered(&batch.key, at(minute)).await;
        delivered.unwrap();
    }
    assert_eq!(database.prune_outbox(at(20)).await.unwrap(), 1);
    let left = all(&database, NoticeFilter::default()).await;
    assert_eq!(numbers(&left), [4, 3, 2]);
    let batch = take(&database, "a", at(30), 9).await.unwrap();
    let delivered = database.outbox_delivered(&batch.key, at(30)).await;
    delivered.unwrap();
    assert_eq!(database.prune_outbox(at(99)).await.unwrap(), 3);
    commit(&database, vec![notice(5, "a", 5)]).await;
    let batch = take(&database, "a", at(100), 9).await.unwrap();
    assert_eq!(batch.key, "a/5/1");
}

#[tokio::test]
async fn a_damaged_message_holds_up_no_other() {
    for damage in [
        "UPDATE outbox SET body = '{}' WHERE seq = 1",
        "UPDATE outbox SET batch = 'a/7/7' WHERE seq = 1",
        "UPDATE outbox SET created_ms = 7 WHERE seq = 1",
    ] {
        let place = place();
        let database = open(&place).await;
        commit(&database, vec![notice(1, "a", 1), notice(2, "a", 2)]).await;
        let done = sqlx::raw_sql(damage).execute(&database.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{damage}");
        let batch = take(&database, "a", at(9), 1).await.unwrap();
        assert_eq!(numbers(&batch.notices), [2], "{damage}");
        database.close().await;
        let opened = Database::open(&place.paths).await.unwrap();
        assert_eq!(opened.damage.unwrap().rows, ["outbox row 1"]);
    }
}

/// However senders are killed between steps, each message is in one batch for good.
#[tokio::test]
async fn every_message_is_delivered_in_one_batch_however_often_it_is_cut_short() {
    let place = place();
    let mut database = open(&place).await;
    let notices = (1..=200).map(|number| notice(number, "a", number));
    commit(&database, notices.collect()).await;
    let mut seed = 7_u64;
    let mut sent = Vec::new();
    let mut now = 1000;
    loop {
        now += 1;
        let Some(batch) = take(&database, "a", at(now), 9).await else {
            break;
        };
        sent.push((batch.key.clone(), numbers(&batch.notices)));
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match seed >> 62 {
            0 => {
                database.close().await;
                database = open(&place).await;
            }
            1 => {
                let attempts = batch.attempts + 1;
                let failed = database.outbox_failed(&batch.key, attempts, at(now), "500");
                failed.await.unwrap();
            }
            _ => {
                let delivered = database.outbox_delivered(&batch.key, at(now));
                delivered.await.unwrap();
            }
        }
    }
    sent.sort();
    sent.dedup();
    let mut told: Vec<u64> = sent.into_iter().flat_map(|(_, numbers)| numbers).collect();
    told.sort_unstable();
    assert!(told.into_iter().eq(1..=200));
}
