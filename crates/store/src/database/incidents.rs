//! Incidents, one at a time: saved, put together again, and dropped when they are old.

use domain::{Evidence, Incident, IncidentId, IncidentKind, Severity, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::attachments::{Attached, evidence_of, logs_of};
use super::body::{read, written};
use super::seal::Seal;
use super::{Database, DatabaseError, attachments, texts, timeline};

impl Database {
    /// An incident with its timeline, logs and evidence.
    ///
    /// # Errors
    /// The database can't be read, or the incident is damaged.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, DatabaseError> {
        let failed = DatabaseError::query("read an incident");
        let Ok(number) = i64::try_from(id.0) else {
            return Ok(None);
        };
        // One transaction sees one state of all tables.
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let row = sqlx::query("SELECT * FROM incidents WHERE id = ?")
            .bind(number)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let mut incident = incident_of(&row)?;
        incident.logs = logs_of(&mut transaction, number).await?;
        incident.evidence = evidence_of(&mut transaction, number).await?;
        incident.timeline = timeline::of(&mut transaction, number).await?;
        Ok(Some(incident))
    }

    /// Drops incidents that were resolved, are quiet, and were last seen before a time, with their
    /// timelines, logs and evidence, and jobs that finished before it; says how many incidents.
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

/// Saves an incident; says what of its attachments to remember as stored.
pub async fn save(
    connection: &mut SqliteConnection,
    mut incident: Incident,
    stored: &Attached,
) -> Result<Option<Attached>, DatabaseError> {
    let unsavable = |id: IncidentId, detail: String| DatabaseError::Unsavable {
        what: format!("incident {id}"),
        detail,
    };
    let id = i64::try_from(incident.id.0)
        .map_err(|_| unsavable(incident.id, "its number is too large".to_owned()))?;
    let entries = std::mem::take(&mut incident.timeline);
    let logs = incident.logs.take();
    let evidence = std::mem::take(&mut incident.evidence);
    let columns =
        Columns::new(id, &incident).map_err(|error| unsavable(incident.id, error.to_string()))?;
    columns.save(connection).await?;
    let entries_stored = timeline::append(connection, id, &entries).await?;
    incident.logs = logs;
    incident.evidence = evidence;
    let attached = attachments::save(connection, &incident, id, stored).await?;
    incident.timeline = entries;
    // What is found is what is stored, also where less of it was given.
    if incident.timeline.len() < entries_stored {
        incident.timeline.clear();
        timeline::add(connection, std::slice::from_mut(&mut incident)).await?;
    }
    if incident.logs.is_none() {
        incident.logs = logs_of(connection, id).await.unwrap_or_default();
    }
    if *incident.evidence == Evidence::default() {
        incident.evidence = evidence_of(connection, id).await.unwrap_or_default();
    }
    texts::save(connection, id, &incident).await?;
    Ok(attached)
}

/// A row of `incidents`. What is beside `body` is for finding.
pub struct Columns {
    pub id: i64,
    pub service: String,
    pub status: String,
    pub kind: String,
    pub firing: i64,
    /// The shown one, and its place among all.
    pub severity: String,
    pub severity_rank: i64,
    pub opened_ms: i64,
    pub last_seen_ms: i64,
    pub ended_ms: Option<i64>,
    pub owner: Option<String>,
    pub snoozed: i64,
    pub body: String,
}

impl Columns {
    /// Of an incident without timeline, logs and evidence.
    pub fn new(id: i64, incident: &Incident) -> Result<Columns, serde_json::Error> {
        let severity = incident.shown_severity();
        Ok(Columns {
            id,
            service: incident.service.to_string(),
            status: incident.status.as_str().to_owned(),
            kind: kind_text(incident.kind).to_owned(),
            firing: i64::from(incident.firing),
            severity: severity.as_str().to_owned(),
            severity_rank: severity_rank(severity),
            opened_ms: incident.opened.as_millis(),
            last_seen_ms: incident.last_seen.as_millis(),
            ended_ms: incident.ended.map(Timestamp::as_millis),
            owner: incident.owner.clone(),
            snoozed: i64::from(incident.snooze.is_some()),
            body: written(incident)?,
        })
    }

    pub fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            service: row.try_get("service")?,
            status: row.try_get("status")?,
            kind: row.try_get("kind")?,
            firing: row.try_get("firing")?,
            severity: row.try_get("severity")?,
            severity_rank: row.try_get("severity_rank")?,
            opened_ms: row.try_get("opened_ms")?,
            last_seen_ms: row.try_get("last_seen_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            owner: row.try_get("owner")?,
            snoozed: row.try_get("snoozed")?,
            body: row.try_get("body")?,
        })
    }

    pub async fn save(&self, connection: &mut SqliteConnection) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO incidents (id, service, status, kind, firing, severity, severity_rank,
                 opened_ms, last_seen_ms, ended_ms, owner, snoozed, body, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
                 service = excluded.service, status = excluded.status, kind = excluded.kind,
                 firing = excluded.firing, severity = excluded.severity,
                 severity_rank = excluded.severity_rank,
                 opened_ms = excluded.opened_ms, last_seen_ms = excluded.last_seen_ms,
                 ended_ms = excluded.ended_ms, owner = excluded.owner,
                 snoozed = excluded.snoozed, body = excluded.body, seal = excluded.seal
             WHERE seal <> excluded.seal",
        )
        .bind(self.id)
        .bind(&self.service)
        .bind(&self.status)
        .bind(&self.kind)
        .bind(self.firing)
        .bind(&self.severity)
        .bind(self.severity_rank)
        .bind(self.opened_ms)
        .bind(self.last_seen_ms)
        .bind(self.ended_ms)
        .bind(&self.owner)
        .bind(self.snoozed)
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
            .number(self.severity_rank)
            .number(self.opened_ms)
            .number(self.last_seen_ms)
            .optional(self.ended_ms)
            .optional_text(self.owner.as_deref())
            .number(self.snoozed)
            .text(&self.body)
            .finish()
    }
}

/// The incident of a row of `incidents`, without timeline, logs and evidence.
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

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

pub fn kind_text(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::Metrics => "metrics",
        IncidentKind::Availability => "availability",
    }
}

/// The place of a severity among all, worst last. Stored: never renumber.
pub fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Unavailable => 0,
        Severity::Normal => 1,
        Severity::High => 2,
        Severity::Critical => 3,
    }
}
