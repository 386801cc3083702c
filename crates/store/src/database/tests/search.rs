//! Incidents are found by words.

use domain::{LogLevel, LogLine};

use super::*;

fn line(message: &str) -> LogLine {
    LogLine {
        level: LogLevel::Error,
        message: message.to_owned(),
        exception: Some("org.example.PoolException".to_owned()),
        ..LogLine::new(at(1))
    }
}

fn found_by(message: &str) -> Incident {
    let window = LogWindow {
        from: at(0),
        to: at(3),
        outcome: LogOutcome::Found,
        lines: vec![line(message)],
        omitted: 0,
        malformed: 0,
    };
    Incident {
        id: IncidentId(41),
        service: ServiceId::new("prod/Pay_1%").unwrap(),
        owner: Some("Zoë Ångström".to_owned()),
        summary: "CPU 96.5 %, past 90 %".to_owned(),
        logs: Some(Arc::new(window)),
        timeline: vec![
            entry(3),
            TimelineEntry {
                what: TimelineEvent::Commented {
                    text: "Rolled BACK to 'v1'".to_owned(),
                },
                ..entry(4)
            },
        ],
        ..incident(41)
    }
}

async fn search(database: &Database, text: &str) -> Vec<u64> {
    let filter = IncidentFilter {
        text: Some(text.to_owned()),
        ..IncidentFilter::default()
    };
    let page = database.incidents(&filter).await.unwrap();
    page.incidents.iter().map(|found| found.id.0).collect()
}

#[tokio::test]
async fn every_word_must_occur_anywhere_in_any_case() {
    let place = place();
    let database = open(&place).await;
    let plain = Incident {
        logs: None,
        timeline: Vec::new(),
        owner: None,
        ..incident(42)
    };
    let incidents = vec![found_by("No Connection within 30 s"), plain];
    database.commit_tick(of(incidents)).await.unwrap();
    for (text, expected) in [
        ("", vec![42, 41]),
        (" \t", vec![42, 41]),
        ("cpu", vec![42, 41]),
        ("prod/pay_1%", vec![41]),
        ("ZOË ångstr", vec![41]),
        ("96.5 rolled v1'", vec![41]),
        ("connection poolexception #41", vec![41]),
        ("connection 96.6", vec![]),
        ("seen", vec![41]),
        ("%", vec![42, 41]),
        ("prod_pay", vec![]),
        ("p%y", vec![]),
        ("' OR 1=1 --", vec![]),
        ("\0", vec![]),
        ("%\ncpu", vec![42, 41]),
    ] {
        assert_eq!(search(&database, text).await, expected, "{text:?}");
    }
    let many = "cpu ".repeat(5000) + &"x".repeat(100_000);
    assert_eq!(search(&database, &many).await, Vec::<u64>::new());
    let words: String = (0..5000).map(|word| format!("{word} ")).collect();
    assert_eq!(search(&database, &words).await, Vec::<u64>::new());
}

#[tokio::test]
async fn a_search_goes_with_other_filters_and_pages() {
    let place = place();
    let database = open(&place).await;
    let incidents = (1..=30).map(|id| Incident {
        summary: ["even", "odd"][id as usize % 2].to_owned(),
        ..incident(id)
    });
    database.commit_tick(of(incidents.collect())).await.unwrap();
    for sort in SortBy::ALL {
        let mut filter = IncidentFilter {
            text: Some("ODD".to_owned()),
            statuses: vec![Status::Open, Status::Resolved],
            sort: Sort {
                by: sort,
                descending: false,
            },
            limit: 4,
            ..IncidentFilter::default()
        };
        let mut found = Vec::new();
        loop {
            let page = database.incidents(&filter).await.unwrap();
            found.extend(page.incidents.iter().map(|incident| incident.id.0));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        found.sort_unstable();
        let expected =
            (1..=30).filter(|id| id % 2 == 1 && incident(*id).status != Status::Acknowledged);
        assert!(found.into_iter().eq(expected), "{sort:?}");
    }
}

#[tokio::test]
async fn what_is_found_follows_what_is_stored() {
    let place = place();
    let database = open(&place).await;
    let mut later = found_by("No Connection within 30 s");
    database.commit_tick(of(vec![later.clone()])).await.unwrap();
    // Given without what stays there.
    later.logs = None;
    later.timeline.clear();
    later.summary = "quiet".to_owned();
    database.commit_tick(of(vec![later])).await.unwrap();
    for text in ["connection", "rolled", "quiet"] {
        assert_eq!(search(&database, text).await, [41], "{text}");
    }
    assert_eq!(search(&database, "96.5").await, Vec::<u64>::new());
}

#[tokio::test]
async fn a_damaged_text_is_made_anew() {
    let place = place();
    let database = open(&place).await;
    let incidents = vec![found_by("No Connection within 30 s")];
    database.commit_tick(of(incidents)).await.unwrap();
    sqlx::raw_sql("UPDATE incident_texts SET text = 'nothing'")
        .execute(&database.writer)
        .await
        .unwrap();
    database.close().await;
    let opened = Database::open(&place.paths).await.unwrap();
    assert_eq!(opened.damage.unwrap().rows, ["incident_texts row 41"]);
    assert_eq!(search(&opened.database, "connection").await, [41]);
}

#[tokio::test]
async fn the_longest_texts_are_cut_between_characters() {
    let place = place();
    let database = open(&place).await;
    let mut long = found_by(&"Ü".repeat(100_000));
    long.timeline = (0..200)
        .map(|minute| TimelineEntry {
            what: TimelineEvent::Commented {
                text: format!("needle{minute}-{}", "ẞ".repeat(1000)),
            },
            ..entry(minute)
        })
        .collect();
    database.commit_tick(of(vec![long])).await.unwrap();
    // The newest are told first.
    assert_eq!(search(&database, "needle199-").await, [41]);
    assert_eq!(search(&database, "needle0-").await, Vec::<u64>::new());
    let bytes: i64 =
        sqlx::query_scalar("SELECT MAX(length(CAST(text AS BLOB))) FROM incident_texts")
            .fetch_one(&database.readers)
            .await
            .unwrap();
    assert!((10_000..=16 * 1024).contains(&bytes), "{bytes}");
}
