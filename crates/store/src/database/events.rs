//! Posted events: what people and pipelines say they changed.

use domain::{PostedEvent, ServiceId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::body::{read, written};
use super::listing::{PAGE_DEFAULT, PAGE_MAX};
use super::numbers::{next_number, numbered_page};
use super::seal::Seal;
use super::{Database, DatabaseError};

/// The most events that [`Database::recent_events`] gives.
pub const RECENT_EVENTS_MAX: usize = 10_000;

/// What became of an event that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// Stored, with its number.
    New(PostedEvent),
    /// An event with this key is there already: this one, unchanged.
    Existing(PostedEvent),
}

/// Which events to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// With those that concern all services.
    pub service: Option<ServiceId>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// At this time or earlier.
    pub to: Option<Timestamp>,
    /// Goes on after this event; the `next` of the page before.
    pub after: Option<u64>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl Default for EventFilter {
    fn default() -> EventFilter {
        EventFilter {
            service: None,
            from: None,
            to: None,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some events, newest first; of one instant, the one that was posted last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<PostedEvent>,
    /// Where the next page goes on; none at the end.
    pub next: Option<u64>,
}

impl Database {
    /// Adds an event under a new number; its `id` is ignored. A key that is there already adds
    /// nothing.
    ///
    /// # Errors
    /// The database can't be written, or the event with the same key is damaged.
    pub async fn add_event(&self, event: PostedEvent) -> Result<Added, DatabaseError> {
        let failed = DatabaseError::query("add an event");
        // The one connection that writes: between looking and adding nobody else does.
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        if let Some(key) = &event.key {
            let there = sqlx::query("SELECT * FROM events WHERE key = ?")
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&failed)?;
            if let Some(row) = there {
                return event_of(&row).map(Added::Existing);
            }
        }
        let added = insert(&mut transaction, event).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(Added::New(added))
    }

    /// A page of the events that pass the filter. Damaged ones are left out. A page after an event
    /// that has been dropped is empty: all after it were older.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn events(&self, filter: &EventFilter) -> Result<EventPage, DatabaseError> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let query = select(filter, limit + 1);
        let page = numbered_page(&self.readers, query, limit, "id");
        let (rows, next) = page.await.map_err(DatabaseError::query("list events"))?;
        Ok(EventPage {
            events: rows.iter().filter_map(whole).collect(),
            next,
        })
    }

    /// The events at a time or later, oldest first; of more than [`RECENT_EVENTS_MAX`] the newest.
    /// Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn recent_events(&self, since: Timestamp) -> Result<Vec<PostedEvent>, DatabaseError> {
        let rows = sqlx::query(
            "SELECT * FROM events WHERE at_ms >= ? ORDER BY at_ms DESC, id DESC LIMIT ?",
        )
        .bind(since.as_millis())
        .bind(RECENT_EVENTS_MAX as i64)
        .fetch_all(&self.readers)
        .await
        .map_err(DatabaseError::query("list recent events"))?;
        Ok(rows.iter().rev().filter_map(whole).collect())
    }

    /// Drops the events before a time; says how many. Their numbers are not given again, their
    /// keys are free.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn prune_events(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let dropped = sqlx::query("DELETE FROM events WHERE at_ms < ?")
            .bind(before.as_millis())
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("drop old events"))?;
        Ok(dropped.rows_affected())
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    mut event: PostedEvent,
) -> Result<PostedEvent, DatabaseError> {
    let failed = DatabaseError::query("add an event");
    let unsavable = |detail: String| DatabaseError::Unsavable {
        what: "an event".to_owned(),
        detail,
    };
    let id = next_number(connection, "events", "id").await?;
    event.id = u64::try_from(id).map_err(|error| unsavable(error.to_string()))?;
    let columns = Columns {
        id,
        key: event.key.clone(),
        at_ms: event.at.as_millis(),
        service: event.service.as_ref().map(ServiceId::to_string),
        body: written(&event).map_err(|error| unsavable(error.to_string()))?,
    };
    sqlx::query(
        "INSERT INTO events (id, key, at_ms, service, body, seal) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(columns.id)
    .bind(&columns.key)
    .bind(columns.at_ms)
    .bind(&columns.service)
    .bind(&columns.body)
    .bind(columns.seal())
    .execute(connection)
    .await
    .map_err(&failed)?;
    Ok(event)
}

fn select(filter: &EventFilter, rows: usize) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM events WHERE TRUE");
    if let Some(service) = &filter.service {
        query
            .push(" AND (service IS NULL OR service = ")
            .push_bind(service.to_string())
            .push(")");
    }
    if let Some(from) = filter.from {
        query.push(" AND at_ms >= ").push_bind(from.as_millis());
    }
    if let Some(to) = filter.to {
        query.push(" AND at_ms <= ").push_bind(to.as_millis());
    }
    if let Some(after) = filter.after {
        query
            .push(" AND (at_ms, id) < (SELECT at_ms, id FROM events WHERE id = ")
            .push_bind(i64::try_from(after).unwrap_or(i64::MAX))
            .push(")");
    }
    query
        .push(" ORDER BY at_ms DESC, id DESC LIMIT ")
        .push_bind(i64::try_from(rows).unwrap_or(i64::MAX));
    query
}

struct Columns {
    id: i64,
    key: Option<String>,
    at_ms: i64,
    service: Option<String>,
    body: String,
}

impl Columns {
    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            key: row.try_get("key")?,
            at_ms: row.try_get("at_ms")?,
            service: row.try_get("service")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("events")
            .number(self.id)
            .optional_text(self.key.as_deref())
            .number(self.at_ms)
            .optional_text(self.service.as_deref())
            .text(&self.body)
            .finish()
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

fn event_of(row: &SqliteRow) -> Result<PostedEvent, DatabaseError> {
    let unreadable = |id: i64, detail: String| DatabaseError::Unreadable {
        what: format!("event {id}"),
        detail,
    };
    let columns = Columns::of(row).map_err(|error| unreadable(0, error.to_string()))?;
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable(columns.id, "it is damaged".to_owned()));
    }
    read(&columns.body).map_err(|detail| unreadable(columns.id, detail))
}

fn whole(row: &SqliteRow) -> Option<PostedEvent> {
    match event_of(row) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::error!(%error, "left out an event");
            None
        }
    }
}
