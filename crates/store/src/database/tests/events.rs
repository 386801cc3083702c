//! Posted events: numbers, keys, pages.

use super::*;

fn id_of(added: &Added) -> u64 {
    match added {
        Added::New(event) | Added::Existing(event) => event.id,
    }
}

fn minutes(events: &[PostedEvent]) -> Vec<u64> {
    let minute = |event: &PostedEvent| event.at.since(at(0)).as_secs() / 60;
    events.iter().map(minute).collect()
}

#[tokio::test]
async fn an_event_comes_back_with_its_number() {
    let place = place();
    let database = open(&place).await;
    let posted = event(3, Some("build-7"), Some("'; --"));
    let stored = PostedEvent {
        id: 1,
        ..posted.clone()
    };
    let added = database.add_event(posted).await.unwrap();
    assert_eq!(added, Added::New(stored.clone()));
    database.close().await;
    let database = open(&place).await;
    assert_eq!(database.recent_events(at(3)).await.unwrap(), [stored]);
    assert_eq!(database.recent_events(at(4)).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_that_is_there_adds_nothing() {
    let place = place();
    let database = open(&place).await;
    let first = database.add_event(event(1, Some("a"), None)).await.unwrap();
    let again = database
        .add_event(event(9, Some("a"), Some("pay")))
        .await
        .unwrap();
    assert_eq!(
        again,
        Added::Existing(PostedEvent {
            id: 1,
            ..event(1, Some("a"), None)
        })
    );
    assert_eq!(id_of(&first), 1);
    // Without a key each is its own.
    for id in [2, 3] {
        let added = database.add_event(event(1, None, None)).await.unwrap();
        assert!(
            matches!(&added, Added::New(event) if event.id == id),
            "{added:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_with_one_key_one_is_new() {
    let place = place();
    let database = open(&place).await;
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let database = database.clone();
            let key = format!("key {}", number % 3);
            tokio::spawn(async move { database.add_event(event(number, Some(&key), None)).await })
        })
        .collect();
    let mut added = Vec::new();
    for task in tasks {
        added.push(task.await.unwrap().unwrap());
    }
    let new = added.iter().filter(|it| matches!(it, Added::New(_)));
    assert_eq!(new.count(), 3);
    let mut ids: Vec<u64> = added.iter().map(id_of).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, [1, 2, 3]);
}

#[tokio::test]
async fn numbers_are_not_given_again() {
    let place = place();
    let database = open(&place).await;
    for minute in 1..=3 {
        database.add_event(event(minute, None, None)).await.unwrap();
    }
    assert_eq!(database.prune_events(at(3)).await.unwrap(), 2);
    assert_eq!(database.prune_events(at(4)).await.unwrap(), 1);
    database.close().await;
    let database = open(&place).await;
    let added = database.add_event(event(5, None, None)).await.unwrap();
    assert_eq!(id_of(&added), 4);
}

#[tokio::test]
async fn pages_of_events_are_newest_first_and_hold_under_inserts() {
    let place = place();
    let database = open(&place).await;
    // Posted out of order, several at one instant.
    for number in 0..40_u64 {
        let service = [Some("pay"), None, Some("cart")][(number % 3) as usize];
        let posted = event(number * 7 % 20, None, service);
        database.add_event(posted).await.unwrap();
    }
    let mut filter = EventFilter {
        service: Some(ServiceId::new("pay").unwrap()),
        from: Some(at(2)),
        to: Some(at(17)),
        limit: 4,
        ..EventFilter::default()
    };
    let mut expected: Vec<(u64, u64)> = (0..40)
        .filter(|number| number % 3 != 2)
        .map(|number| (number * 7 % 20, number + 1))
        .filter(|(minute, _)| (2..=17).contains(minute))
        .collect();
    expected.sort_unstable();
    expected.reverse();
    let mut found = Vec::new();
    loop {
        let page = database.events(&filter).await.unwrap();
        assert!(page.events.len() <= 4);
        let ids = page.events.iter().map(|event| event.id);
        found.extend(minutes(&page.events).into_iter().zip(ids));
        if page.next.is_none() {
            break;
        }
        filter.after = page.next;
        // Newer than all that were shown.
        let added = database.add_event(event(17, None, None)).await.unwrap();
        assert!(id_of(&added) > 40);
    }
    assert_eq!(found, expected);
}
