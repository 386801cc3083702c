//! Logs and evidence: written when they change, and only then.

use super::*;

/// How often logs and evidence were written, by triggers that count.
async fn counted(database: &Database) {
    sqlx::raw_sql(
        "CREATE TABLE writes (what TEXT);
         CREATE TRIGGER l AFTER INSERT ON incident_logs BEGIN INSERT INTO writes VALUES ('l'); END;
         CREATE TRIGGER m AFTER UPDATE ON incident_logs BEGIN INSERT INTO writes VALUES ('l'); END;
         CREATE TRIGGER e AFTER INSERT ON incident_evidence
             BEGIN INSERT INTO writes VALUES ('e'); END;
         CREATE TRIGGER f AFTER UPDATE ON incident_evidence
             BEGIN INSERT INTO writes VALUES ('e'); END;",
    )
    .execute(&database.writer)
    .await
    .unwrap();
}

async fn writes(database: &Database) -> String {
    sqlx::query_scalar("SELECT COALESCE(GROUP_CONCAT(what, ''), '') FROM writes")
        .fetch_one(&database.writer)
        .await
        .unwrap()
}

fn firing() -> Incident {
    Incident {
        status: Status::Open,
        firing: true,
        ..incident(5)
    }
}

#[tokio::test]
async fn what_is_attached_is_written_when_it_changed() {
    let place = place();
    let database = open(&place).await;
    counted(&database).await;
    let mut it = firing();
    let save = async |it: &Incident, so_far: &str| {
        database.commit_tick(of(vec![it.clone()])).await.unwrap();
        assert_eq!(writes(&database).await, so_far);
        let found = database.incident(it.id).await.unwrap().unwrap();
        assert_eq!(found, *it);
    };
    save(&it, "le").await;
    it.last_seen = at(50);
    save(&it, "le").await;
    // Equal at another address.
    it.evidence = Arc::new(evidence(5));
    save(&it, "le").await;
    Arc::make_mut(&mut it.evidence).failed.clear();
    save(&it, "lee").await;
    it.evidence = Arc::new(evidence(6));
    save(&it, "leee").await;
    let mut logs = it.logs.as_deref().cloned().unwrap();
    logs.omitted = 0;
    it.logs = Some(Arc::new(logs));
    save(&it, "leeel").await;
}

#[tokio::test]
async fn what_was_not_committed_is_written_the_next_time() {
    let place = place();
    let database = open(&place).await;
    let it = firing();
    let mut failing = of(vec![it.clone()]);
    failing.incidents.push(Incident {
        id: IncidentId(u64::MAX),
        ..incident(2)
    });
    database.commit_tick(failing).await.unwrap_err();
    database.commit_tick(of(vec![it.clone()])).await.unwrap();
    let mut newer = it.clone();
    newer.evidence = Arc::new(evidence(9));
    let mut failing = of(vec![newer.clone()]);
    failing.incidents.push(Incident {
        id: IncidentId(u64::MAX),
        ..incident(2)
    });
    database.commit_tick(failing).await.unwrap_err();
    assert_eq!(database.incident(it.id).await.unwrap(), Some(it));
    database.commit_tick(of(vec![newer.clone()])).await.unwrap();
    assert_eq!(database.incident(newer.id).await.unwrap(), Some(newer));
}

#[tokio::test]
async fn empty_evidence_leaves_what_is_there() {
    let place = place();
    let database = open(&place).await;
    let it = firing();
    database.commit_tick(of(vec![it.clone()])).await.unwrap();
    database
        .commit_tick(of(vec![bare(it.clone())]))
        .await
        .unwrap();
    assert_eq!(database.incident(it.id).await.unwrap(), Some(it.clone()));
    let later = Incident {
        evidence: Arc::new(evidence(7)),
        ..it
    };
    database.commit_tick(of(vec![later.clone()])).await.unwrap();
    assert_eq!(database.incident(later.id).await.unwrap(), Some(later));
}

#[tokio::test]
async fn evidence_that_is_damaged_under_way_keeps_no_incident_from_being_open() {
    let place = place();
    let database = open(&place).await;
    let it = firing();
    database.commit_tick(of(vec![it.clone()])).await.unwrap();
    sqlx::raw_sql("UPDATE incident_evidence SET body = body || ' '")
        .execute(&database.writer)
        .await
        .unwrap();
    let open = database.all_open().await.unwrap();
    let without = Incident {
        evidence: Arc::default(),
        ..it.clone()
    };
    assert_eq!(open, [without]);
    let error = database.incident(it.id).await.unwrap_err().to_string();
    assert!(error.contains("the evidence of incident #5"), "{error}");
}

#[tokio::test]
async fn what_is_attached_goes_with_its_incident() {
    let place = place();
    let database = open(&place).await;
    let it = Incident {
        status: Status::Resolved,
        firing: false,
        ..firing()
    };
    database.commit_tick(of(vec![it])).await.unwrap();
    assert_eq!(database.prune(at(999)).await.unwrap(), 1);
    for table in ["incident_logs", "incident_evidence", "timeline"] {
        let left: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")))
                .fetch_one(&database.writer)
                .await
                .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
