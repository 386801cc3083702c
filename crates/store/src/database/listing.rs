//! Many incidents at once: pages, all that are open, and the episodes that training leaves out.

use std::collections::HashMap;

use domain::{Episode, Incident, IncidentId, ServiceId, Severity, Status, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::incidents::{entry_of, incident_of, logs_of};
use super::{Database, DatabaseError};

/// The most incidents in one page.
pub const PAGE_MAX: usize = 1000;
const PAGE_DEFAULT: usize = 100;

/// Which incidents to list. Empty lists and absent values leave nothing out.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentFilter {
    pub service: Option<ServiceId>,
    pub statuses: Vec<Status>,
    pub severities: Vec<Severity>,
    /// Seen at this time or later.
    pub from: Option<Timestamp>,
    /// Opened at this time or earlier.
    pub to: Option<Timestamp>,
    /// Goes on after this incident; the `next` of the page before.
    pub after: Option<IncidentId>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl Default for IncidentFilter {
    fn default() -> IncidentFilter {
        IncidentFilter {
            service: None,
            statuses: Vec::new(),
            severities: Vec::new(),
            from: None,
            to: None,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some incidents, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentPage {
    /// With their timelines, without their logs: [`Database::incident`] has these.
    pub incidents: Vec<Incident>,
    /// Where the next page goes on; none at the end.
    pub next: Option<IncidentId>,
}

impl Database {
    /// A page of the incidents that pass the filter. Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<IncidentPage, DatabaseError> {
        let failed = DatabaseError::query("list incidents");
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let mut rows = select(filter, limit + 1)
            .build()
            .fetch_all(&mut *transaction)
            .await
            .map_err(&failed)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.try_get::<i64, _>("id"));
        let last = last.transpose().map_err(&failed)?;
        let mut incidents: Vec<Incident> = rows.iter().filter_map(whole).collect();
        add_timelines(&mut transaction, &mut incidents).await?;
        let next = last.filter(|_| more).and_then(|id| u64::try_from(id).ok());
        Ok(IncidentPage {
            incidents,
            next: next.map(IncidentId),
        })
    }

    /// Every incident that isn't both resolved and quiet, oldest first, with timelines and logs.
    /// Damaged ones are left out.
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
        for chunk in incidents.chunks_mut(PAGE_MAX) {
            add_timelines(&mut transaction, chunk).await?;
        }
        for incident in &mut incidents {
            if let Ok(id) = i64::try_from(incident.id.0) {
                incident.logs = logs_of(&mut transaction, id).await?;
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

fn select(filter: &IncidentFilter, rows: usize) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        // Found by the indexes first, so that only the page's own rows are read whole.
        "SELECT * FROM incidents WHERE id IN (SELECT id FROM incidents WHERE TRUE",
    );
    if let Some(service) = &filter.service {
        query.push(" AND service = ").push_bind(service.to_string());
    }
    push_in(
        &mut query,
        " AND status IN (",
        filter.statuses.iter().map(|s| s.as_str()),
    );
    push_in(
        &mut query,
        " AND severity IN (",
        filter.severities.iter().map(|s| s.as_str()),
    );
    let numbers = [
        (
            " AND last_seen_ms >= ",
            filter.from.map(Timestamp::as_millis),
        ),
        (" AND opened_ms <= ", filter.to.map(Timestamp::as_millis)),
        (
            " AND id < ",
            filter
                .after
                .map(|id| i64::try_from(id.0).unwrap_or(i64::MAX)),
        ),
    ];
    for (condition, number) in numbers {
        if let Some(number) = number {
            query.push(condition).push_bind(number);
        }
    }
    query
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(i64::try_from(rows).unwrap_or(i64::MAX))
        .push(") ORDER BY id DESC");
    query
}

fn push_in(
    query: &mut QueryBuilder<Sqlite>,
    condition: &str,
    words: impl ExactSizeIterator<Item = &'static str>,
) {
    if words.len() == 0 {
        return;
    }
    query.push(condition);
    let mut list = query.separated(", ");
    for word in words {
        list.push_bind(word);
    }
    query.push(")");
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

/// Reads the timelines of at most [`PAGE_MAX`] incidents at once.
async fn add_timelines(
    connection: &mut SqliteConnection,
    incidents: &mut [Incident],
) -> Result<(), DatabaseError> {
    if incidents.is_empty() {
        return Ok(());
    }
    let failed = DatabaseError::query("read timelines");
    let places: HashMap<u64, usize> = incidents
        .iter()
        .enumerate()
        .map(|(place, incident)| (incident.id.0, place))
        .collect();
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM timeline WHERE incident_id IN (");
    let mut list = query.separated(", ");
    for incident in incidents.iter() {
        list.push_bind(i64::try_from(incident.id.0).unwrap_or(i64::MAX));
    }
    query.push(") ORDER BY incident_id, seq");
    let rows = query.build().fetch_all(connection).await.map_err(&failed)?;
    for row in &rows {
        let id: i64 = row.try_get("incident_id").map_err(&failed)?;
        let place = u64::try_from(id).ok().and_then(|id| places.get(&id));
        match (place, entry_of(row)) {
            (Some(place), Ok(entry)) => incidents[*place].timeline.push(entry),
            (_, Err(error)) => tracing::error!(%error, incident = id, "left out a timeline entry"),
            (None, Ok(_)) => {}
        }
    }
    Ok(())
}
