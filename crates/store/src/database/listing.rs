//! Many incidents at once: pages, all that are open, a service's past, and the episodes that
//! training leaves out.

use std::sync::Arc;

use domain::{Episode, Evidence, Incident, IncidentId, LogWindow, ServiceId, Status, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::attachments::{evidence_of, logs_of};
use super::cursor::{Cursor, Key, SortBy};
use super::filter::{IncidentFilter, column};
use super::incidents::incident_of;
use super::{Database, DatabaseError, timeline};

/// The most of anything in one page.
pub const PAGE_MAX: usize = 1000;
pub const PAGE_DEFAULT: usize = 100;

/// Some incidents, in the order that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentPage {
    /// Without timelines, logs and evidence: [`Database::incident`] has these.
    pub incidents: Vec<Incident>,
    /// Where the next page goes on; none at the end.
    pub next: Option<Cursor>,
}

impl Database {
    /// A page of the incidents that pass the filter. Damaged ones are left out. What is added
    /// meanwhile moves nothing from one page to another; an incident whose own place changes, such
    /// as a firing one in a list by last seen, can.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<IncidentPage, DatabaseError> {
        let failed = DatabaseError::query("list incidents");
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let mut rows = filter
            .select(limit + 1)
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(&failed)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = match rows.last() {
            Some(last) if more => Some(cursor_of(filter, last).map_err(&failed)?),
            _ => None,
        };
        Ok(IncidentPage {
            incidents: rows.iter().filter_map(whole).collect(),
            next,
        })
    }

    /// Every incident that isn't both resolved and quiet, oldest first, with timelines, logs and
    /// evidence. What is damaged is left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn all_open(&self) -> Result<Vec<Incident>, DatabaseError> {
        let failed = DatabaseError::query("list open incidents");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let rows =
            sqlx::query("SELECT * FROM incidents WHERE status <> ? OR firing = 1 ORDER BY id")
                .bind(Status::Resolved.as_str())
                .fetch_all(&mut *transaction)
                .await
                .map_err(&failed)?;
        let mut incidents: Vec<Incident> = rows.iter().filter_map(whole).collect();
        timeline::add(&mut transaction, &mut incidents).await?;
        for incident in &mut incidents {
            if let Ok(id) = i64::try_from(incident.id.0) {
                let (logs, evidence) = attached(&mut transaction, id).await?;
                incident.logs = logs;
                incident.evidence = evidence;
            }
        }
        Ok(incidents)
    }

    /// The incidents of a service before one, newest first, with timelines and evidence, without
    /// logs; at most `limit`, which is 1 to [`PAGE_MAX`] or brought within. Damaged ones are
    /// left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn past_of(
        &self,
        service: &ServiceId,
        before: IncidentId,
        limit: usize,
    ) -> Result<Vec<Incident>, DatabaseError> {
        let failed = DatabaseError::query("list the past incidents of a service");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let rows = sqlx::query(
            "SELECT * FROM incidents WHERE service = ? AND id < ? ORDER BY id DESC LIMIT ?",
        )
        .bind(service.as_str())
        .bind(i64::try_from(before.0).unwrap_or(i64::MAX))
        .bind(i64::try_from(limit.clamp(1, PAGE_MAX)).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await
        .map_err(&failed)?;
        let mut incidents: Vec<Incident> = rows.iter().filter_map(whole).collect();
        timeline::add(&mut transaction, &mut incidents).await?;
        for incident in &mut incidents {
            if let Ok(id) = i64::try_from(incident.id.0) {
                incident.evidence = left_out(evidence_of(&mut transaction, id).await)?;
            }
        }
        Ok(incidents)
    }

    /// The episodes seen since a time, oldest first, whatever an operator made of them.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn episodes(&self, since: Timestamp) -> Result<Vec<Episode>, DatabaseError> {
        let rows = sqlx::query("SELECT * FROM incidents WHERE last_seen_ms >= ? ORDER BY id")
            .bind(since.as_millis())
            .fetch_all(&self.readers)
            .await
            .map_err(DatabaseError::query("list episodes"))?;
        Ok(rows
            .iter()
            .filter_map(whole)
            .map(|incident| Episode::from(&incident))
            .collect())
    }

    /// The number of the newest incident ever kept.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn newest_incident(&self) -> Result<Option<IncidentId>, DatabaseError> {
        let newest: Option<i64> = sqlx::query_scalar("SELECT MAX(id) FROM incidents")
            .fetch_one(&self.readers)
            .await
            .map_err(DatabaseError::query("find the newest incident"))?;
        Ok(newest.and_then(|id| u64::try_from(id).ok()).map(IncidentId))
    }
}

fn cursor_of(filter: &IncidentFilter, row: &SqliteRow) -> Result<Cursor, Error> {
    let sort = filter.order();
    let id: i64 = row.try_get("id")?;
    Ok(Cursor {
        sort,
        key: match sort.by {
            SortBy::Service => Key::Text(row.try_get(column(sort.by))?),
            _ => Key::Number(row.try_get(column(sort.by))?),
        },
        id: IncidentId(u64::try_from(id).unwrap_or_default()),
    })
}

/// The incident of a row; none, and an error in the log, if it is damaged.
fn whole(row: &SqliteRow) -> Option<Incident> {
    match incident_of(row) {
        Ok(incident) => Some(incident),
        Err(error) => {
            tracing::error!(%error, "left out an incident");
            None
        }
    }
}

/// What is attached to an incident; nothing, and an error in the log, where it is damaged.
async fn attached(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<(Option<Arc<LogWindow>>, Arc<Evidence>), DatabaseError> {
    Ok((
        left_out(logs_of(connection, id).await)?,
        left_out(evidence_of(connection, id).await)?,
    ))
}

/// Nothing, and an error in the log, where what was looked for is damaged.
fn left_out<T: Default>(found: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    match found {
        Err(error @ DatabaseError::Unreadable { .. }) => {
            tracing::error!(%error, "left out what is attached to an incident");
            Ok(T::default())
        }
        found => found,
    }
}
