//! The outbox: messages to receivers, kept from the commit of what they tell until they are
//! delivered or given up, so that a crash loses none.
//!
//! A message waits ([`NoticeState::Pending`]), alone or in a batch. A batch is formed once, in a
//! transaction of its own before it is sent, and is sent again under the same key until it is done:
//! a receiver can tell by the key what it has seen.

mod queue;
mod row;

use std::collections::BTreeMap;

use domain::{IncidentId, ServiceId, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::listing::{PAGE_DEFAULT, PAGE_MAX};
use super::numbers::{next_number, numbered_page};
use super::{Database, DatabaseError};
use row::whole;

pub use queue::PENDING_MAX;
#[cfg(test)]
pub use queue::make_room;
pub use row::is_whole;

/// Rows that one transaction drops, so that a tick needn't wait for all of them.
const DROPPED_AT_ONCE: i64 = 5_000;

/// A message to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNotice {
    /// The same for the same message: what is there already isn't added again.
    pub key: String,
    pub receiver: String,
    pub kind: String,
    pub incident: Option<IncidentId>,
    pub service: Option<ServiceId>,
    pub created: Timestamp,
    /// Why it is not to be sent; none if it is.
    pub withheld: Option<String>,
    /// What the receiver is told; opaque here.
    pub body: serde_json::Value,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeState {
    Pending,
    Delivered,
    /// It could not be delivered for too long, or nobody is there to receive it.
    GivenUp,
    /// It was not to be sent: `error` says why.
    Withheld,
    /// A newer one says it all, or the queue was full.
    Superseded,
}

impl NoticeState {
    pub const ALL: [NoticeState; 5] = [
        NoticeState::Pending,
        NoticeState::Delivered,
        NoticeState::GivenUp,
        NoticeState::Withheld,
        NoticeState::Superseded,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            NoticeState::Pending => "pending",
            NoticeState::Delivered => "delivered",
            NoticeState::GivenUp => "given_up",
            NoticeState::Withheld => "withheld",
            NoticeState::Superseded => "superseded",
        }
    }
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub seq: u64,
    pub key: String,
    pub receiver: String,
    pub kind: String,
    pub incident: Option<IncidentId>,
    pub service: Option<ServiceId>,
    pub created: Timestamp,
    pub state: NoticeState,
    /// The batch that it is or was sent in.
    pub batch: Option<String>,
    /// Attempts that failed.
    pub attempts: u32,
    /// Not to be tried again before.
    pub next: Option<Timestamp>,
    pub done: Option<Timestamp>,
    /// Why the last attempt failed, even where a later one succeeded; of what is neither pending
    /// nor delivered, why.
    pub error: Option<String>,
    pub body: serde_json::Value,
}

/// Messages that are sent as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Never that of another one.
    pub key: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// Oldest first.
    pub notices: Vec<Notice>,
}

/// Which messages to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeFilter {
    pub receiver: Option<String>,
    pub state: Option<NoticeState>,
    pub incident: Option<IncidentId>,
    /// Goes on after this message; the `next` of the page before.
    pub after: Option<u64>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl Default for NoticeFilter {
    fn default() -> NoticeFilter {
        NoticeFilter {
            receiver: None,
            state: None,
            incident: None,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some messages, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticePage {
    pub notices: Vec<Notice>,
    /// Where the next page goes on; none at the end.
    pub next: Option<u64>,
}

/// How a receiver's messages stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverState {
    pub receiver: String,
    pub pending: u64,
    /// When the oldest of these was made.
    pub oldest_pending: Option<Timestamp>,
    /// Attempts that failed of what is being sent, when it is tried again, and why the last one
    /// failed.
    pub attempts: u32,
    pub next: Option<Timestamp>,
    pub last_error: Option<String>,
    pub last_delivered: Option<Timestamp>,
    /// Since the time that was asked for; `superseded` with those that a full queue pushed out.
    pub delivered: u64,
    pub given_up: u64,
    pub withheld: u64,
    pub superseded: u64,
}

impl Database {
    /// A page of the messages that pass the filter. Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn notices(&self, filter: &NoticeFilter) -> Result<NoticePage, DatabaseError> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let query = select(filter, limit + 1);
        let page = numbered_page(&self.readers, query, limit, "seq");
        let (rows, next) = page.await.map_err(DatabaseError::query("list messages"))?;
        Ok(NoticePage {
            notices: rows.iter().filter_map(whole).collect(),
            next,
        })
    }

    /// How the messages of each receiver stand that has any, by name; counts are of what was done
    /// since a time.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn outbox_state(
        &self,
        since: Timestamp,
    ) -> Result<Vec<ReceiverState>, DatabaseError> {
        let failed = DatabaseError::query("read the state of the outbox");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let mut states = Vec::new();
        let mut after = String::new();
        // From one name to the next by the index, however many messages lie between.
        loop {
            let next: Option<String> =
                sqlx::query_scalar("SELECT MIN(receiver) FROM outbox WHERE receiver > ?")
                    .bind(&after)
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            let Some(receiver) = next else {
                return Ok(states);
            };
            states.push(receiver_state(&mut transaction, &receiver, since).await?);
            after = receiver;
        }
    }

    /// Drops what was done before a time; says how many messages.
    ///
    /// # Errors
    /// The database can't be written. What was dropped until then stays dropped.
    pub async fn prune_outbox(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let mut dropped = 0;
        loop {
            let result = sqlx::query(
                "DELETE FROM outbox WHERE seq IN (
                     SELECT seq FROM outbox WHERE state <> 'pending' AND done_ms < ? LIMIT ?)",
            )
            .bind(before.as_millis())
            .bind(DROPPED_AT_ONCE)
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("drop old messages"))?;
            dropped += result.rows_affected();
            if result.rows_affected() < DROPPED_AT_ONCE as u64 {
                return Ok(dropped);
            }
        }
    }
}

/// Adds messages; one whose key is there already is not added again. Where more wait for a receiver
/// than [`PENDING_MAX`], the oldest are superseded.
pub async fn add(
    connection: &mut SqliteConnection,
    notices: &[NewNotice],
) -> Result<(), DatabaseError> {
    if notices.is_empty() {
        return Ok(());
    }
    let mut seq = next_number(connection, "outbox", "seq").await?;
    let mut waiting: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for notice in notices {
        if !row::Columns::new(seq, notice).add(connection).await? {
            continue;
        }
        seq += 1;
        if notice.withheld.is_none() {
            waiting.insert(&notice.receiver, notice.created);
        }
    }
    for (receiver, now) in waiting {
        queue::make_room(connection, receiver, now, PENDING_MAX).await?;
    }
    Ok(())
}

fn select(filter: &NoticeFilter, rows: usize) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM outbox WHERE TRUE");
    if let Some(receiver) = &filter.receiver {
        query.push(" AND receiver = ").push_bind(receiver.clone());
    }
    if let Some(state) = filter.state {
        query.push(" AND state = ").push_bind(state.as_str());
    }
    let number = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
    if let Some(incident) = filter.incident {
        query.push(" AND incident = ").push_bind(number(incident.0));
    }
    if let Some(after) = filter.after {
        query.push(" AND seq < ").push_bind(number(after));
    }
    query
        .push(" ORDER BY seq DESC LIMIT ")
        .push_bind(i64::try_from(rows).unwrap_or(i64::MAX));
    query
}

async fn receiver_state(
    connection: &mut SqliteConnection,
    receiver: &str,
    since: Timestamp,
) -> Result<ReceiverState, DatabaseError> {
    let failed = DatabaseError::query("read the state of a receiver");
    let (pending, oldest): (i64, Option<i64>) = sqlx::query_as(
        "SELECT COUNT(*), MIN(seq) FROM outbox WHERE receiver = ? AND state = 'pending'",
    )
    .bind(receiver)
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    let oldest_pending: Option<i64> =
        sqlx::query_scalar("SELECT created_ms FROM outbox WHERE seq = ?")
            .bind(oldest)
            .fetch_optional(&mut *connection)
            .await
            .map_err(&failed)?;
    let under_way: Option<(u32, Option<i64>, Option<String>)> = sqlx::query_as(
        "SELECT attempts, next_ms, error FROM outbox
         WHERE receiver = ? AND state = 'pending' AND batch IS NOT NULL ORDER BY batch, seq LIMIT 1",
    )
    .bind(receiver)
    .fetch_optional(&mut *connection)
    .await
    .map_err(&failed)?;
    let (attempts, next_ms, error) = under_way.unwrap_or_default();
    let last_given_up: Option<(i64, Option<String>)> = sqlx::query_as(
        "SELECT done_ms, error FROM outbox WHERE receiver = ? AND state = 'given_up'
         ORDER BY done_ms DESC LIMIT 1",
    )
    .bind(receiver)
    .fetch_optional(&mut *connection)
    .await
    .map_err(&failed)?;
    let last_delivered: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(done_ms) FROM outbox WHERE receiver = ? AND state = 'delivered'",
    )
    .bind(receiver)
    .fetch_one(&mut *connection)
    .await
    .map_err(&failed)?;
    // What was given up before something was delivered is no trouble of now.
    let given_up_since = last_given_up.filter(|(done, _)| Some(*done) >= last_delivered);
    let mut count = async |state: NoticeState| {
        let count: Result<i64, _> = sqlx::query_scalar(
            "SELECT COUNT(*) FROM outbox WHERE receiver = ? AND state = ? AND done_ms >= ?",
        )
        .bind(receiver)
        .bind(state.as_str())
        .bind(since.as_millis())
        .fetch_one(&mut *connection)
        .await;
        count
            .map(|count| u64::try_from(count).unwrap_or_default())
            .map_err(&failed)
    };
    Ok(ReceiverState {
        delivered: count(NoticeState::Delivered).await?,
        given_up: count(NoticeState::GivenUp).await?,
        withheld: count(NoticeState::Withheld).await?,
        superseded: count(NoticeState::Superseded).await?,
        receiver: receiver.to_owned(),
        pending: u64::try_from(pending).unwrap_or_default(),
        oldest_pending: oldest_pending.map(Timestamp::from_millis),
        attempts,
        next: next_ms.map(Timestamp::from_millis),
        last_error: error.or(given_up_since.and_then(|(_, error)| error)),
        last_delivered: last_delivered.map(Timestamp::from_millis),
    })
}
