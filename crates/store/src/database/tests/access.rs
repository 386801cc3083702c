//! The audit trail, sessions and mutes.

use super::*;

fn audited(minute: u64, actor: &str) -> NewAudit {
    NewAudit {
        at: at(minute),
        actor: actor.to_owned(),
        verified: minute.is_multiple_of(2),
        address: "127.0.0.1".to_owned(),
        action: "POST /api/v1/incidents/{id}/ack".to_owned(),
        target: minute.to_string(),
        outcome: 200,
        body: serde_json::json!({"note": "'; --"}),
    }
}

#[tokio::test]
async fn the_audit_trail_is_paged_newest_first() {
    let place = place();
    let database = open(&place).await;
    for minute in 1..=9 {
        let actor = ["Zoë", "Al"][(minute % 2) as usize];
        let id = database.audit_add(audited(minute, actor)).await.unwrap();
        assert_eq!(id, minute);
    }
    database.close().await;
    let database = open(&place).await;
    let check = async |filter: AuditFilter, expected: &[u64]| {
        let mut filter = AuditFilter { limit: 2, ..filter };
        let mut found = Vec::new();
        loop {
            let page = database.audit(&filter).await.unwrap();
            found.extend(page.entries.iter().map(|entry| entry.id));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?}");
    };
    let all = AuditFilter::default;
    check(all(), &[9, 8, 7, 6, 5, 4, 3, 2, 1]).await;
    let actor = Some("Zoë".to_owned());
    check(AuditFilter { actor, ..all() }, &[8, 6, 4, 2]).await;
    let (from, to) = (Some(at(3)), Some(at(5)));
    check(AuditFilter { from, to, ..all() }, &[5, 4, 3]).await;
    let newest = database.audit(&all()).await.unwrap().entries;
    assert_eq!(newest[1].what, audited(8, "Zoë"));

    assert_eq!(database.prune_audit(at(9)).await.unwrap(), 8);
    assert_eq!(database.prune_audit(at(99)).await.unwrap(), 1);
    let id = database.audit_add(audited(20, "Al")).await.unwrap();
    assert_eq!(id, 10);
}

#[tokio::test]
async fn a_restart_logs_nobody_out() {
    let place = place();
    let database = open(&place).await;
    let session = |id: &str, user: &str, minute: u64| Session {
        id: id.to_owned(),
        user: user.to_owned(),
        created: at(minute),
        seen: at(minute),
        body: serde_json::json!({"role": "operator"}),
    };
    for session in [
        session("aa", "Zoë", 1),
        session("bb", "Zoë", 2),
        session("cc", "Al", 3),
    ] {
        database.session_save(&session).await.unwrap();
    }
    let used = Session {
        seen: at(9),
        ..session("aa", "Zoë", 1)
    };
    database.session_save(&used).await.unwrap();
    assert!(database.session_remove("bb").await.unwrap());
    assert!(!database.session_remove("bb").await.unwrap());
    database.close().await;
    let database = open(&place).await;
    let expected = [session("cc", "Al", 3), used];
    assert_eq!(database.sessions().await.unwrap(), expected);
    assert_eq!(database.sessions_remove_of("Zoë").await.unwrap(), 1);
    let left = database.sessions().await.unwrap();
    assert_eq!(left, [session("cc", "Al", 3)]);
}

#[tokio::test]
async fn a_mute_holds_from_its_beginning_to_its_end() {
    let place = place();
    let database = open(&place).await;
    let zoe = Actor::Unverified("Zoë".to_owned());
    let new = |service: Option<&str>, from: u64, until: Option<u64>| NewMute {
        service: service.map(|name| ServiceId::new(name).unwrap()),
        from: at(from),
        until: until.map(at),
        by: zoe.clone(),
        note: Some("deploying".to_owned()),
    };
    for new in [
        new(Some("'; --"), 1, Some(5)),
        new(None, 2, None),
        new(Some("pay"), 3, None),
    ] {
        database.mute_add(new).await.unwrap();
    }
    let ended = database.mute_end(2, Actor::Bellwether, at(4)).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(
        (ended.ended, &ended.ended_by),
        (Some(at(4)), &Some(Actor::Bellwether))
    );
    // The first end stays.
    let again = database.mute_end(2, zoe.clone(), at(9)).await.unwrap();
    assert_eq!(again, Some(ended.clone()));
    for unknown in [0, 4, u64::MAX] {
        let none = database.mute_end(unknown, zoe.clone(), at(9)).await;
        assert_eq!(none.unwrap(), None);
    }
    database.close().await;
    let database = open(&place).await;
    for (minute, expected) in [
        (0, vec![]),
        (1, vec![1]),
        (3, vec![1, 2, 3]),
        (4, vec![1, 3]),
        (5, vec![3]),
    ] {
        let active = database.active_mutes(at(minute)).await.unwrap();
        let ids: Vec<u64> = active.iter().map(|mute| mute.id).collect();
        assert_eq!(ids, expected, "minute {minute}");
        assert!(active.iter().all(|mute| mute.is_active(at(minute))));
    }
    let mut filter = MuteFilter {
        limit: 2,
        ..MuteFilter::default()
    };
    let first = database.mutes(&filter).await.unwrap();
    filter.after = first.next;
    let second = database.mutes(&filter).await.unwrap();
    let ids: Vec<u64> = [first.mutes, second.mutes]
        .concat()
        .iter()
        .map(|mute| mute.id)
        .collect();
    assert_eq!((ids, second.next), (vec![3, 2, 1], None));
    assert_eq!(database.prune_mutes(at(99)).await.unwrap(), 2);
}

#[tokio::test]
async fn damage_is_found_and_never_shown() {
    for (damage, said) in [
        ("UPDATE audit SET actor = 'Al'", "audit row 1"),
        ("UPDATE audit SET outcome = 403", "audit row 1"),
        ("UPDATE audit SET verified = 0", "audit row 1"),
        ("UPDATE sessions SET user = 'Al'", "sessions row 1"),
        ("UPDATE sessions SET seen_ms = 1", "sessions row 1"),
        ("UPDATE mutes SET until_ms = 1", "mutes row 1"),
        ("UPDATE mutes SET service = 'pay'", "mutes row 1"),
    ] {
        let place = place();
        let database = open(&place).await;
        database.audit_add(audited(2, "Zoë")).await.unwrap();
        let session = Session {
            id: "aa".to_owned(),
            user: "Zoë".to_owned(),
            created: at(1),
            seen: at(1),
            body: serde_json::Value::Null,
        };
        database.session_save(&session).await.unwrap();
        let mute = NewMute {
            service: None,
            from: at(1),
            until: None,
            by: Actor::Bellwether,
            note: None,
        };
        database.mute_add(mute).await.unwrap();
        let done = sqlx::raw_sql(damage).execute(&database.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{damage}");
        let shown = database.audit(&AuditFilter::default()).await.unwrap();
        let shown = shown.entries.len()
            + database.sessions().await.unwrap().len()
            + database.active_mutes(at(2)).await.unwrap().len();

        assert_eq!(shown, 2, "{damage}");
        database.close().await;
        let opened = Database::open(&place.paths).await.unwrap();
        assert_eq!(opened.damage.unwrap().rows, [said]);
    }
}
