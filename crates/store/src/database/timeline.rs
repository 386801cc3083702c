//! Timelines: what happened to an incident, only ever added to.

use std::collections::HashMap;

use domain::{Incident, TimelineEntry};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::DatabaseError;
use super::body::{read, written};
use super::listing::PAGE_MAX;
use super::seal::Seal;

/// Adds the entries that are not there yet; those that are stay as they are. Says how many were
/// there.
pub async fn append(
    connection: &mut SqliteConnection,
    id: i64,
    timeline: &[TimelineEntry],
) -> Result<usize, DatabaseError> {
    let failed = DatabaseError::query("save the timeline of an incident");
    // The two differ where a damaged entry was removed.
    let (stored, mut seq): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(MAX(seq) + 1, 0) FROM timeline WHERE incident_id = ?",
    )
    .bind(id)
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    let stored = usize::try_from(stored).unwrap_or(0);
    for entry in timeline.iter().skip(stored) {
        let body = written(entry).map_err(|error| DatabaseError::Unsavable {
            what: format!("the timeline of incident #{id}"),
            detail: error.to_string(),
        })?;
        let at_ms = entry.at.as_millis();
        sqlx::query(
            "INSERT INTO timeline (incident_id, seq, at_ms, body, seal) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(seq)
        .bind(at_ms)
        .bind(&body)
        .bind(seal(id, seq, at_ms, &body))
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
        seq += 1;
    }
    Ok(stored)
}

pub async fn of(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Vec<TimelineEntry>, DatabaseError> {
    let rows = sqlx::query("SELECT * FROM timeline WHERE incident_id = ? ORDER BY seq")
        .bind(id)
        .fetch_all(connection)
        .await
        .map_err(DatabaseError::query("read the timeline of an incident"))?;
    rows.iter().map(entry_of).collect()
}

/// Reads the timelines of many incidents. Damaged entries are left out.
pub async fn add(
    connection: &mut SqliteConnection,
    incidents: &mut [Incident],
) -> Result<(), DatabaseError> {
    let failed = DatabaseError::query("read timelines");
    for chunk in incidents.chunks_mut(PAGE_MAX) {
        let places: HashMap<u64, usize> = chunk
            .iter()
            .enumerate()
            .map(|(place, incident)| (incident.id.0, place))
            .collect();
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT * FROM timeline WHERE incident_id IN (");
        let mut list = query.separated(", ");
        for incident in chunk.iter() {
            list.push_bind(i64::try_from(incident.id.0).unwrap_or(i64::MAX));
        }
        query.push(") ORDER BY incident_id, seq");
        let rows = query
            .build()
            .fetch_all(&mut *connection)
            .await
            .map_err(&failed)?;
        for row in &rows {
            let id: i64 = row.try_get("incident_id").map_err(&failed)?;
            let place = u64::try_from(id).ok().and_then(|id| places.get(&id));
            match (place, entry_of(row)) {
                (Some(place), Ok(entry)) => chunk[*place].timeline.push(entry),
                (_, Err(error)) => {
                    tracing::error!(%error, incident = id, "left out a timeline entry");
                }
                (None, Ok(_)) => {}
            }
        }
    }
    Ok(())
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let (id, seq) = (row.try_get("incident_id")?, row.try_get("seq")?);
    let seal = seal(id, seq, row.try_get("at_ms")?, row.try_get("body")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn entry_of(row: &SqliteRow) -> Result<TimelineEntry, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a timeline entry".to_owned(),
        detail,
    };
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    let body: &str = row
        .try_get("body")
        .map_err(|error| unreadable(error.to_string()))?;
    read(body).map_err(unreadable)
}

fn seal(id: i64, seq: i64, at_ms: i64, body: &str) -> Vec<u8> {
    Seal::of("timeline")
        .number(id)
        .number(seq)
        .number(at_ms)
        .text(body)
        .finish()
}
