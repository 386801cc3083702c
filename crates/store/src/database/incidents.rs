//! Incidents, one at a time: saved, their timelines only added to, and put together again.

use domain::{Incident, IncidentId, IncidentKind, LogWindow, TimelineEntry, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::seal::Seal;
use super::{Database, DatabaseError};

/// The version of the JSON in `body` columns.
const BODY_VERSION: u32 = 1;

/// What a `body` column holds.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    content: T,
}

impl Database {
    /// An incident with its timeline and logs.
    ///
    /// # Errors
    /// The database can't be read, or the incident is damaged.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, DatabaseError> {
        let failed = DatabaseError::query("read an incident");
        let Ok(number) = i64::try_from(id.0) else {
            return Ok(None);
        };
        // One transaction sees one state of all three tables.
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let row = sqlx::query("SELECT * FROM incidents WHERE id = ?")
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let mut incident = incident_of(&row)?;
        incident.logs = logs_of(&mut transaction, number).await?;
        let entries = sqlx::query("SELECT * FROM timeline WHERE incident_id = ? ORDER BY seq")
            .bind(number)
            .fetch_all(&mut *transaction)
            .await
            .map_err(&failed)?;
        for entry in &entries {
            incident.timeline.push(entry_of(entry)?);
        }
        Ok(Some(incident))
    }
}

impl Database {
    /// Drops incidents that were resolved, are quiet, and were last seen before a time, with their
    /// timelines and logs, and jobs that finished before it; says how many incidents.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let failed = DatabaseError::query("drop old incidents");
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        let dropped = sqlx::query(
            "DELETE FROM incidents WHERE status = 'RESOLVED' AND firing = 0 AND last_seen_ms < ?",
        )
        .bind(before.as_millis())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        sqlx::query("DELETE FROM jobs WHERE finished_ms < ?")
            .bind(before.as_millis())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(dropped.rows_affected())
    }
}

pub async fn save(
    connection: &mut SqliteConnection,
    mut incident: Incident,
) -> Result<(), DatabaseError> {
    let timeline = std::mem::take(&mut incident.timeline);
    let logs = incident.logs.take();
    let unsavable = |detail: &str| DatabaseError::Unsavable {
        what: format!("incident {}", incident.id),
        detail: detail.to_owned(),
    };
    let id = i64::try_from(incident.id.0).map_err(|_| unsavable("its number is too large"))?;
    let columns = Columns {
        id,
        service: incident.service.to_string(),
        status: incident.status.as_str().to_owned(),
        kind: kind_text(incident.kind).to_owned(),
        firing: i64::from(incident.firing),
        severity: incident.severity.as_str().to_owned(),
        opened_ms: incident.opened.as_millis(),
        last_seen_ms: incident.last_seen.as_millis(),
        ended_ms: incident.ended.map(Timestamp::as_millis),
        body: written(&incident).map_err(|error| unsavable(&error.to_string()))?,
    };
    columns.save(connection).await?;
    if let Some(logs) = logs {
        let body = written(&logs).map_err(|error| unsavable(&error.to_string()))?;
        save_logs(connection, id, &body).await?;
    }
    append_timeline(connection, id, &timeline).await
}

async fn save_logs(
    connection: &mut SqliteConnection,
    id: i64,
    body: &str,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO incident_logs (incident_id, body, seal) VALUES (?, ?, ?)
         ON CONFLICT (incident_id) DO UPDATE SET body = excluded.body, seal = excluded.seal
         WHERE seal <> excluded.seal",
    )
    .bind(id)
    .bind(body)
    .bind(log_seal(id, body))
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save the logs of an incident"))?;
    Ok(())
}

/// Adds the entries that are not there yet; those that are stay as they are.
async fn append_timeline(
    connection: &mut SqliteConnection,
    id: i64,
    timeline: &[TimelineEntry],
) -> Result<(), DatabaseError> {
    let failed = DatabaseError::query("save the timeline of an incident");
    // The two differ where a damaged entry was removed.
    let (stored, mut seq): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(MAX(seq) + 1, 0) FROM timeline WHERE incident_id = ?",
    )
    .bind(id)
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    for entry in timeline.iter().skip(usize::try_from(stored).unwrap_or(0)) {
        let body = written(entry).map_err(|error| DatabaseError::Unsavable {
            what: format!("the timeline of {}", id),
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
        .bind(entry_seal(id, seq, at_ms, &body))
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
        seq += 1;
    }
    Ok(())
}

struct Columns {
    id: i64,
    service: String,
    status: String,
    kind: String,
    firing: i64,
    severity: String,
    opened_ms: i64,
    last_seen_ms: i64,
    ended_ms: Option<i64>,
    body: String,
}

impl Columns {
    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            service: row.try_get("service")?,
            status: row.try_get("status")?,
            kind: row.try_get("kind")?,
            firing: row.try_get("firing")?,
            severity: row.try_get("severity")?,
            opened_ms: row.try_get("opened_ms")?,
            last_seen_ms: row.try_get("last_seen_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            body: row.try_get("body")?,
        })
    }

    async fn save(&self, connection: &mut SqliteConnection) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO incidents (id, service, status, kind, firing, severity,
                 opened_ms, last_seen_ms, ended_ms, body, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
                 service = excluded.service, status = excluded.status, kind = excluded.kind,
                 firing = excluded.firing, severity = excluded.severity,
                 opened_ms = excluded.opened_ms, last_seen_ms = excluded.last_seen_ms,
                 ended_ms = excluded.ended_ms, body = excluded.body, seal = excluded.seal
             WHERE seal <> excluded.seal",
        )
        .bind(self.id)
        .bind(&self.service)
        .bind(&self.status)
        .bind(&self.kind)
        .bind(self.firing)
        .bind(&self.severity)
        .bind(self.opened_ms)
        .bind(self.last_seen_ms)
        .bind(self.ended_ms)
        .bind(&self.body)
        .bind(self.seal())
        .execute(connection)
        .await
        .map_err(DatabaseError::query("save an incident"))?;
        Ok(())
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("incidents")
            .number(self.id)
            .text(&self.service)
            .text(&self.status)
            .text(&self.kind)
            .number(self.firing)
            .text(&self.severity)
            .number(self.opened_ms)
            .number(self.last_seen_ms)
            .optional(self.ended_ms)
            .text(&self.body)
            .finish()
    }
}

/// The incident of a row of `incidents`, without timeline and logs.
pub fn incident_of(row: &SqliteRow) -> Result<Incident, DatabaseError> {
    let unreadable = |id: i64, detail: String| DatabaseError::Unreadable {
        what: format!("incident #{id}"),
        detail,
    };
    let columns = Columns::of(row).map_err(|error| unreadable(0, error.to_string()))?;
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable(columns.id, "it is damaged".to_owned()));
    }
    read(&columns.body).map_err(|detail| unreadable(columns.id, detail))
}

/// The entry of a row of `timeline`.
pub fn entry_of(row: &SqliteRow) -> Result<TimelineEntry, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a timeline entry".to_owned(),
        detail,
    };
    if !entry_is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    let body: &str = row
        .try_get("body")
        .map_err(|error| unreadable(error.to_string()))?;
    read(body).map_err(unreadable)
}

pub async fn logs_of(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<LogWindow>, DatabaseError> {
    let failed = DatabaseError::query("read the logs of an incident");
    let row = sqlx::query("SELECT * FROM incident_logs WHERE incident_id = ?")
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(&failed)?;
    let Some(row) = row else { return Ok(None) };
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: format!("the logs of incident #{id}"),
        detail,
    };
    if !log_is_whole(&row).unwrap_or(false) {
        return Err(unreadable("they are damaged".to_owned()));
    }
    let body: &str = row.try_get("body").map_err(&failed)?;
    read(body).map(Some).map_err(unreadable)
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

pub fn log_is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let seal = log_seal(row.try_get("incident_id")?, row.try_get("body")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

pub fn entry_is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let (id, seq) = (row.try_get("incident_id")?, row.try_get("seq")?);
    let seal = entry_seal(id, seq, row.try_get("at_ms")?, row.try_get("body")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn log_seal(id: i64, body: &str) -> Vec<u8> {
    Seal::of("incident_logs").number(id).text(body).finish()
}

fn entry_seal(id: i64, seq: i64, at_ms: i64, body: &str) -> Vec<u8> {
    Seal::of("timeline")
        .number(id)
        .number(seq)
        .number(at_ms)
        .text(body)
        .finish()
}

fn kind_text(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::Metrics => "metrics",
        IncidentKind::Availability => "availability",
    }
}

fn written<T: Serialize>(content: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Versioned {
        version: BODY_VERSION,
        content,
    })
}

fn read<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_str(body).map_err(|error| error.to_string())?;
    if version != BODY_VERSION {
        return Err(format!(
            "its version is {version}, and this program knows {BODY_VERSION}"
        ));
    }
    let versioned: Versioned<T> = serde_json::from_str(body).map_err(|error| error.to_string())?;
    Ok(versioned.content)
}
