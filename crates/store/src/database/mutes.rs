//! Mutes: when nobody is told of a service, or of anything at all (shadow mode).

use domain::{Actor, ServiceId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::body::{Body, read, written};
use super::listing::{PAGE_DEFAULT, PAGE_MAX};
use super::numbers::{next_number, numbered_page};
use super::seal::Seal;
use super::{Database, DatabaseError};

/// A mute to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMute {
    /// None: of everything, which is shadow mode.
    pub service: Option<ServiceId>,
    pub from: Timestamp,
    /// Exclusive; none: until it is ended.
    pub until: Option<Timestamp>,
    pub by: Actor,
    pub note: Option<String>,
}

/// A mute that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    pub id: u64,
    /// None: of everything, which is shadow mode.
    pub service: Option<ServiceId>,
    pub from: Timestamp,
    /// Exclusive; none: until it is ended.
    pub until: Option<Timestamp>,
    /// When somebody ended it.
    pub ended: Option<Timestamp>,
    pub by: Actor,
    pub note: Option<String>,
    pub ended_by: Option<Actor>,
}

impl Mute {
    /// Whether it holds at a time.
    pub fn is_active(&self, at: Timestamp) -> bool {
        let over = |end: Option<Timestamp>| end.is_some_and(|end| end <= at);
        self.from <= at && !over(self.until) && !over(self.ended)
    }
}

/// Which mutes to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteFilter {
    /// Only those that hold at this time.
    pub active_at: Option<Timestamp>,
    /// Goes on after this mute; the `next` of the page before.
    pub after: Option<u64>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl Default for MuteFilter {
    fn default() -> MuteFilter {
        MuteFilter {
            active_at: None,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some mutes, the last that was set first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutePage {
    pub mutes: Vec<Mute>,
    /// Where the next page goes on; none at the end.
    pub next: Option<u64>,
}

impl Database {
    /// Sets a mute under a new number.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn mute_add(&self, new: NewMute) -> Result<Mute, DatabaseError> {
        let failed = DatabaseError::query("add a mute");
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        let id = next_number(&mut transaction, "mutes", "id").await?;
        let mute = Mute {
            id: u64::try_from(id).unwrap_or_default(),
            service: new.service,
            from: new.from,
            until: new.until,
            ended: None,
            by: new.by,
            note: new.note,
            ended_by: None,
        };
        save(&mut transaction, &mute).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(mute)
    }

    /// Ends a mute; says how it stands then. One that was ended before stays as it is; none if
    /// there is no such mute.
    ///
    /// # Errors
    /// The database can't be written, or the mute is damaged.
    pub async fn mute_end(
        &self,
        id: u64,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<Mute>, DatabaseError> {
        let failed = DatabaseError::query("end a mute");
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        let row = sqlx::query("SELECT * FROM mutes WHERE id = ?")
            .bind(i64::try_from(id).unwrap_or(i64::MAX))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let mut mute = mute_of(&row)?;
        if mute.ended.is_none() {
            mute.ended = Some(now);
            mute.ended_by = Some(by);
            save(&mut transaction, &mute).await?;
            transaction.commit().await.map_err(&failed)?;
        }
        Ok(Some(mute))
    }

    /// All mutes that hold at a time, in the order in which they were set. Damaged ones are left
    /// out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn active_mutes(&self, at: Timestamp) -> Result<Vec<Mute>, DatabaseError> {
        let filter = MuteFilter {
            active_at: Some(at),
            ..MuteFilter::default()
        };
        let rows = select(&filter, usize::MAX)
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(DatabaseError::query("list the mutes that hold"))?;
        Ok(rows.iter().rev().filter_map(whole).collect())
    }

    /// A page of the mutes that pass the filter. Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn mutes(&self, filter: &MuteFilter) -> Result<MutePage, DatabaseError> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let query = select(filter, limit + 1);
        let page = numbered_page(&self.readers, query, limit, "id");
        let (rows, next) = page.await.map_err(DatabaseError::query("list mutes"))?;
        Ok(MutePage {
            mutes: rows.iter().filter_map(whole).collect(),
            next,
        })
    }

    /// Drops the mutes that were over before a time; says how many.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn prune_mutes(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let dropped = sqlx::query("DELETE FROM mutes WHERE ended_ms < ?1 OR until_ms < ?1")
            .bind(before.as_millis())
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("drop old mutes"))?;
        Ok(dropped.rows_affected())
    }
}

/// What is not in a column of its own.
#[derive(Serialize, Deserialize)]
struct Details {
    by: Actor,
    note: Option<String>,
    ended_by: Option<Actor>,
}

impl Body for Details {}

fn select(filter: &MuteFilter, rows: usize) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM mutes WHERE TRUE");
    if let Some(at) = filter.active_at.map(Timestamp::as_millis) {
        query.push(" AND from_ms <= ").push_bind(at);
        for end in ["until_ms", "ended_ms"] {
            query.push(format!(" AND ({end} IS NULL OR {end} > "));
            query.push_bind(at).push(")");
        }
    }
    if let Some(after) = filter.after {
        query
            .push(" AND id < ")
            .push_bind(i64::try_from(after).unwrap_or(i64::MAX));
    }
    query
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(i64::try_from(rows).unwrap_or(i64::MAX));
    query
}

async fn save(connection: &mut SqliteConnection, mute: &Mute) -> Result<(), DatabaseError> {
    let details = Details {
        by: mute.by.clone(),
        note: mute.note.clone(),
        ended_by: mute.ended_by.clone(),
    };
    let columns = Columns {
        id: i64::try_from(mute.id).unwrap_or(i64::MAX),
        service: mute.service.as_ref().map(ServiceId::to_string),
        from_ms: mute.from.as_millis(),
        until_ms: mute.until.map(Timestamp::as_millis),
        ended_ms: mute.ended.map(Timestamp::as_millis),
        body: written(&details).map_err(|error| DatabaseError::Unsavable {
            what: "a mute".to_owned(),
            detail: error.to_string(),
        })?,
    };
    sqlx::query(
        "INSERT INTO mutes (id, service, from_ms, until_ms, ended_ms, body, seal)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             ended_ms = excluded.ended_ms, body = excluded.body, seal = excluded.seal",
    )
    .bind(columns.id)
    .bind(&columns.service)
    .bind(columns.from_ms)
    .bind(columns.until_ms)
    .bind(columns.ended_ms)
    .bind(&columns.body)
    .bind(columns.seal())
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save a mute"))?;
    Ok(())
}

struct Columns {
    id: i64,
    service: Option<String>,
    from_ms: i64,
    until_ms: Option<i64>,
    ended_ms: Option<i64>,
    body: String,
}

impl Columns {
    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            service: row.try_get("service")?,
            from_ms: row.try_get("from_ms")?,
            until_ms: row.try_get("until_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("mutes")
            .number(self.id)
            .optional_text(self.service.as_deref())
            .number(self.from_ms)
            .optional(self.until_ms)
            .optional(self.ended_ms)
            .text(&self.body)
            .finish()
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

fn mute_of(row: &SqliteRow) -> Result<Mute, DatabaseError> {
    let unreadable = |id: i64, detail: String| DatabaseError::Unreadable {
        what: format!("mute {id}"),
        detail,
    };
    let columns = Columns::of(row).map_err(|error| unreadable(0, error.to_string()))?;
    let id = columns.id;
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable(id, "it is damaged".to_owned()));
    }
    let details: Details = read(&columns.body).map_err(|detail| unreadable(id, detail))?;
    let service = columns.service.as_deref().map(ServiceId::new).transpose();
    Ok(Mute {
        id: u64::try_from(id).unwrap_or_default(),
        service: service.map_err(|error| unreadable(id, error.to_string()))?,
        from: Timestamp::from_millis(columns.from_ms),
        until: columns.until_ms.map(Timestamp::from_millis),
        ended: columns.ended_ms.map(Timestamp::from_millis),
        by: details.by,
        note: details.note,
        ended_by: details.ended_by,
    })
}

fn whole(row: &SqliteRow) -> Option<Mute> {
    match mute_of(row) {
        Ok(mute) => Some(mute),
        Err(error) => {
            tracing::error!(%error, "left out a mute");
            None
        }
    }
}
