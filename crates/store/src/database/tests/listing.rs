//! Lists: filters, orders, pages.

use std::cmp::Ordering;

use super::*;

/// All incidents that pages of this filter hold, in order, with `between` done after each page.
async fn paged(
    database: &Database,
    mut filter: IncidentFilter,
    between: impl AsyncFn(usize),
) -> Vec<Incident> {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = database.incidents(&filter).await.unwrap();
        assert!(page.incidents.len() <= filter.limit.clamp(1, PAGE_MAX));
        found.extend(page.incidents);
        let Some(next) = page.next else { break };
        // As a caller has it: text.
        let cursor = Cursor::parse(&next.to_string(), filter.sort).unwrap();
        assert_eq!(cursor, next);
        filter.after = Some(cursor);
        between(pages).await;
        pages += 1;
    }
    found
}

fn in_order(sort: Sort) -> impl Fn(&Incident, &Incident) -> Ordering {
    move |a, b| {
        let key = match sort.by {
            SortBy::Opened => a.opened.cmp(&b.opened),
            SortBy::LastSeen => a.last_seen.cmp(&b.last_seen),
            SortBy::Severity => a.shown_severity().cmp(&b.shown_severity()),
            SortBy::Service => a.service.cmp(&b.service),
            SortBy::Id => Ordering::Equal,
        };
        let ascending = key.then(a.id.cmp(&b.id));
        match sort.descending {
            true => ascending.reverse(),
            false => ascending,
        }
    }
}

fn sorts() -> impl Iterator<Item = Sort> {
    SortBy::ALL
        .into_iter()
        .flat_map(|by| [true, false].map(|descending| Sort { by, descending }))
}

/// Many with equal keys, and orders that differ.
fn mixed(id: u64) -> Incident {
    Incident {
        opened: at(id * 7 % 13),
        last_seen: at(100 + id * 5 % 11),
        ..incident(id)
    }
}

#[tokio::test]
async fn pages_hold_each_of_ten_thousand_incidents_once() {
    const COUNT: u64 = 10_000;
    let place = place();
    let database = open(&place).await;
    let all = (1..=COUNT).map(incident);
    database.commit_tick(of(all.collect())).await.unwrap();
    let check = async |filter: IncidentFilter, wanted: fn(&Incident) -> bool| {
        let expected: Vec<Incident> = (1..=COUNT)
            .rev()
            .map(incident)
            .filter(wanted)
            .map(bare)
            .collect();
        assert!(!expected.is_empty());
        let found = paged(&database, filter.clone(), async |_| {}).await;
        let counts = (found.len(), expected.len());
        assert!(found == expected, "{counts:?} of {filter:?}");
    };
    let all = IncidentFilter {
        limit: 5000,
        ..IncidentFilter::default()
    };
    check(all.clone(), |_| true).await;
    let filter = IncidentFilter {
        service: Some(ServiceId::new("'; --").unwrap()),
        limit: 476,
        ..all.clone()
    };
    check(filter, |it| it.service.as_str() == "'; --").await;
    let filter = IncidentFilter {
        statuses: vec![Status::Open, Status::Acknowledged],
        severities: vec![Severity::Critical],
        ..all.clone()
    };
    check(filter, |it| {
        it.status != Status::Resolved && it.shown_severity() == Severity::Critical
    })
    .await;
    let filter = IncidentFilter {
        metric: Some(MetricId::new("lat").unwrap()),
        statuses: vec![Status::Open],
        ..all.clone()
    };
    check(filter, |it| {
        it.status == Status::Open && it.members.iter().any(|it| it.metric.as_str() == "lat")
    })
    .await;
    let filter = IncidentFilter {
        severities: vec![Severity::Normal],
        ..all.clone()
    };
    check(filter, |it| it.operator_severity == Some(Severity::Normal)).await;
    let filter = IncidentFilter {
        from: Some(at(500)),
        to: Some(at(520)),
        limit: 6,
        ..all.clone()
    };
    check(filter, |it| it.last_seen >= at(500) && it.opened <= at(520)).await;
    let filter = IncidentFilter {
        firing: Some(false),
        kind: Some(IncidentKind::Availability),
        ..all.clone()
    };
    check(filter, |it| {
        !it.firing && it.kind == IncidentKind::Availability
    })
    .await;
    let filter = IncidentFilter {
        owner: Some(OwnerFilter::Person("Zoë".to_owned())),
        snoozed: Some(false),
        ..all.clone()
    };
    check(filter, |it| {
        it.owner.as_deref() == Some("Zoë") && it.snooze.is_none()
    })
    .await;
    let filter = IncidentFilter {
        owner: Some(OwnerFilter::Nobody),
        snoozed: Some(true),
        ..all.clone()
    };
    check(filter, |it| it.owner.is_none() && it.snooze.is_some()).await;
    let one = IncidentFilter { limit: 0, ..all };
    let one = database.incidents(&one).await.unwrap();
    assert_eq!(one.incidents, [bare(incident(COUNT))]);
    assert!(one.next.is_some());
}

#[tokio::test]
async fn pages_of_every_order_are_stable_under_inserts() {
    const COUNT: u64 = 100;
    for sort in sorts() {
        let place = place();
        let database = open(&place).await;
        let all = (1..=COUNT).map(mixed);
        database.commit_tick(of(all.collect())).await.unwrap();
        let filter = IncidentFilter {
            sort,
            limit: 9,
            ..IncidentFilter::default()
        };
        let found = paged(&database, filter, async |page| {
            if page >= 8 {
                return;
            }
            // Anywhere in the order, some before the place of the page, some after it.
            let first = COUNT + 1 + 10 * page as u64;
            let added = (first..first + 10).map(mixed);
            database.commit_tick(of(added.collect())).await.unwrap();
        })
        .await;
        assert!(
            found.is_sorted_by(|a, b| in_order(sort)(a, b).is_lt()),
            "{sort:?}"
        );
        let old: Vec<Incident> = found.into_iter().filter(|it| it.id.0 <= COUNT).collect();
        let mut expected: Vec<Incident> = (1..=COUNT).map(mixed).map(bare).collect();
        expected.sort_by(in_order(sort));
        assert!(old == expected, "{sort:?}");
    }
}

#[test]
fn a_cursor_is_text_and_back_and_a_bad_one_says_so() {
    for sort in sorts() {
        let key = match sort.by {
            SortBy::Service => cursor::Key::Text("prod/cärt'; --".to_owned()),
            _ => cursor::Key::Number(-5),
        };
        let cursor = Cursor {
            sort,
            key,
            id: IncidentId(u64::MAX),
        };
        let text = cursor.to_string();
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(text.bytes().all(is_safe), "{text}");
        assert_eq!(Cursor::parse(&text, sort), Ok(cursor));
        let other = Sort {
            descending: !sort.descending,
            ..sort
        };
        let error = Cursor::parse(&text, other).unwrap_err().to_string();
        assert!(error.contains("of another order"), "{error}");
    }
    let sort = Sort {
        by: SortBy::Service,
        descending: false,
    };
    for text in [
        "",
        "12",
        "id.desc.5",
        "id.desc.5.5.5",
        "id.down.5.5",
        "name.desc.5.5",
        "id.desc.x.5",
        "id.desc.5.-5",
        "id.desc.+5.5",
        "id.desc.05.5",
        "service.asc.7.1",
        "service.asc.ff.1",
        "service.asc.7G.1",
        "service.asc.7A.1",
        "…",
    ] {
        for sort in [sort, Sort::default()] {
            let error = Cursor::parse(text, sort).unwrap_err().to_string();
            assert!(error.contains("none that a list gave"), "{text}: {error}");
        }
    }
    let long = format!("service.asc.{}.1", "61".repeat(5000));
    assert!(Cursor::parse(&long, sort).unwrap_err().to_string().len() < 250);
}

#[tokio::test]
async fn the_past_of_a_service_has_timelines_and_evidence_and_nothing_of_others() {
    let place = place();
    let database = open(&place).await;
    let all = (1..=40).map(incident);
    database.commit_tick(of(all.collect())).await.unwrap();
    let service = incident(30).service;
    let past = database.past_of(&service, IncidentId(30), 4).await.unwrap();
    let expected = [27, 24, 21, 18].map(|id| Incident {
        logs: None,
        ..incident(id)
    });
    assert_eq!(past, expected);
    let before = IncidentId(u64::MAX);
    assert_eq!(
        database.past_of(&service, before, 99).await.unwrap().len(),
        13
    );
    let other = ServiceId::new("other").unwrap();
    assert_eq!(database.past_of(&other, before, 9).await.unwrap(), []);
}
