//! The queue of a receiver: batches are formed, sent again, and done.

use std::collections::BTreeSet;

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::{Database, DatabaseError};
use super::row::Columns;
use super::{Batch, NoticeState};

/// The most messages that wait for one receiver.
pub const PENDING_MAX: usize = 100_000;
/// Rows that one transaction changes, so that a tick needn't wait for all of them.
const CHANGED_AT_ONCE: usize = 1_000;

const QUEUE_FULL: &str = "the queue was full";
const SAID_BY_NEWER: &str = "a newer message about the same incident waits";
const NO_RECEIVER: &str = "the receiver is no longer in the configuration";
const DAMAGED: &str = "its row in the database is damaged";

impl Database {
    /// What is to be sent to a receiver now. A batch that was formed and isn't done is given again,
    /// or nothing until it may be tried again. Otherwise the oldest messages, at most `most` (1 to
    /// 1,000, or brought within), become a new batch, which is on disk before this returns. Before
    /// that, of those made before `collapse_before` the ones are superseded whose incident has a
    /// newer message waiting.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn outbox_take(
        &self,
        receiver: &str,
        now: Timestamp,
        most: usize,
        collapse_before: Timestamp,
    ) -> Result<Option<Batch>, DatabaseError> {
        let failed = DatabaseError::query("take messages from the outbox");
        let most = most.clamp(1, CHANGED_AT_ONCE);
        loop {
            let mut transaction = self.writer.begin().await.map_err(&failed)?;
            if let Some(key) = under_way(&mut transaction, receiver).await? {
                let columns = rows_of(&mut transaction, receiver, &key, now).await?;
                transaction.commit().await.map_err(&failed)?;
                // Nothing of it was whole: there may be others.
                if columns.is_empty() {
                    continue;
                }
                let waits = |row: &Columns| row.next_ms.is_some_and(|next| next > now.as_millis());
                return match columns.iter().any(waits) {
                    true => Ok(None),
                    false => batch_of(key, &columns).map(Some),
                };
            }
            let (mut columns, superseded) =
                oldest(&mut transaction, receiver, now, most, collapse_before).await?;
            if columns.is_empty() && !superseded {
                return Ok(None);
            }
            if superseded {
                // The next round finds others in their place.
                transaction.commit().await.map_err(&failed)?;
                continue;
            }
            let key = format!("{receiver}/{}/{}", columns[0].seq, columns.len());
            for row in &mut columns {
                row.batch = Some(key.clone());
                row.update(&mut transaction).await?;
            }
            transaction.commit().await.map_err(&failed)?;
            return batch_of(key, &columns).map(Some);
        }
    }

    /// Notes that a batch was delivered. One that is done already stays as it is.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn outbox_delivered(&self, batch: &str, now: Timestamp) -> Result<(), DatabaseError> {
        self.change(batch, now, |row| {
            row.finish(NoticeState::Delivered, now, None);
        })
        .await
    }

    /// Notes that an attempt failed, the how many-th it was, and when to try again.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn outbox_failed(
        &self,
        batch: &str,
        attempts: u32,
        next: Timestamp,
        error: &str,
    ) -> Result<(), DatabaseError> {
        self.change(batch, next, |row| {
            row.attempts = i64::from(attempts);
            row.next_ms = Some(next.as_millis());
            row.error = Some(error.to_owned());
        })
        .await
    }

    /// Notes that a batch is not tried any more, and why.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn outbox_given_up(
        &self,
        batch: &str,
        now: Timestamp,
        error: &str,
    ) -> Result<(), DatabaseError> {
        self.change(batch, now, |row| {
            row.finish(NoticeState::GivenUp, now, Some(error));
        })
        .await
    }

    /// Until when the next message of a receiver waits: in the past if it can be sent at once; none
    /// if there is none.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn outbox_next(&self, receiver: &str) -> Result<Option<Timestamp>, DatabaseError> {
        let failed = DatabaseError::query("find the next message");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let mut next: Option<(Option<i64>, i64)> = None;
        // Nothing overtakes a batch.
        for select in [
            "SELECT next_ms, created_ms FROM outbox
             WHERE receiver = ? AND state = 'pending' AND batch IS NOT NULL
             ORDER BY batch, seq LIMIT 1",
            "SELECT next_ms, created_ms FROM outbox
             WHERE receiver = ? AND state = 'pending' AND batch IS NULL ORDER BY seq LIMIT 1",
        ] {
            if next.is_none() {
                next = sqlx::query_as(select)
                    .bind(receiver)
                    .fetch_optional(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        Ok(next.map(|(next, created)| Timestamp::from_millis(next.unwrap_or(created))))
    }

    /// Gives up what waits for receivers other than these; says how many messages.
    ///
    /// # Errors
    /// The database can't be written. What was given up until then stays so.
    pub async fn outbox_abandon(
        &self,
        receivers_known: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<u64, DatabaseError> {
        let failed = DatabaseError::query("give up the messages of a former receiver");
        let mut given_up = 0;
        for state in self.outbox_state(now).await? {
            let receiver = state.receiver.as_str();
            let mut left = state.pending > 0 && !receivers_known.contains(receiver);
            while left {
                let mut transaction = self.writer.begin().await.map_err(&failed)?;
                let rows = sqlx::query(
                    "SELECT * FROM outbox WHERE receiver = ? AND state = 'pending' LIMIT ?",
                )
                .bind(receiver)
                .bind(CHANGED_AT_ONCE as i64)
                .fetch_all(&mut *transaction)
                .await
                .map_err(&failed)?;
                left = rows.len() == CHANGED_AT_ONCE;
                given_up += rows.len() as u64;
                for mut columns in whole_of(&mut transaction, &rows, now).await? {
                    columns.finish(NoticeState::GivenUp, now, Some(NO_RECEIVER));
                    columns.update(&mut transaction).await?;
                }
                transaction.commit().await.map_err(&failed)?;
            }
        }
        Ok(given_up)
    }

    /// Changes all of a batch that isn't done.
    async fn change(
        &self,
        batch: &str,
        now: Timestamp,
        change: impl Fn(&mut Columns),
    ) -> Result<(), DatabaseError> {
        let failed = DatabaseError::query("note what became of a batch");
        // A receiver's name may hold slashes; the two numbers after it don't.
        let receiver = batch.rsplitn(3, '/').nth(2).unwrap_or_default();
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        for mut row in rows_of(&mut transaction, receiver, batch, now).await? {
            change(&mut row);
            row.update(&mut transaction).await?;
        }
        transaction.commit().await.map_err(&failed)
    }
}

/// Supersedes the oldest messages that wait for a receiver, beyond so many; those of a batch, which
/// may be under way, stay.
pub async fn make_room(
    connection: &mut SqliteConnection,
    receiver: &str,
    now: Timestamp,
    most: usize,
) -> Result<(), DatabaseError> {
    let pending: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE receiver = ? AND state = 'pending'")
            .bind(receiver)
            .fetch_one(&mut *connection)
            .await
            .map_err(DatabaseError::query("count the messages of a receiver"))?;
    let excess = usize::try_from(pending).unwrap_or(0).saturating_sub(most);
    if excess == 0 {
        return Ok(());
    }
    let rows = waiting(connection, receiver, excess).await?;
    for mut columns in whole_of(connection, &rows, now).await? {
        columns.finish(NoticeState::Superseded, now, Some(QUEUE_FULL));
        columns.update(connection).await?;
    }
    tracing::warn!(
        receiver,
        superseded = excess,
        "the queue of a receiver is full"
    );
    Ok(())
}

/// The key of the batch of a receiver that isn't done.
async fn under_way(
    connection: &mut SqliteConnection,
    receiver: &str,
) -> Result<Option<String>, DatabaseError> {
    sqlx::query_scalar(
        "SELECT batch FROM outbox
         WHERE receiver = ? AND state = 'pending' AND batch IS NOT NULL ORDER BY batch, seq LIMIT 1",
    )
    .bind(receiver)
    .fetch_optional(connection)
    .await
    .map_err(DatabaseError::query("find the batch that is under way"))
}

/// The rows of a batch that aren't done, oldest first; damaged ones are given up.
async fn rows_of(
    connection: &mut SqliteConnection,
    receiver: &str,
    batch: &str,
    now: Timestamp,
) -> Result<Vec<Columns>, DatabaseError> {
    let rows = sqlx::query(
        "SELECT * FROM outbox WHERE receiver = ? AND state = 'pending' AND batch = ? ORDER BY seq",
    )
    .bind(receiver)
    .bind(batch)
    .fetch_all(&mut *connection)
    .await
    .map_err(DatabaseError::query("read a batch"))?;
    whole_of(connection, &rows, now).await
}

/// The oldest messages without a batch; and whether some were superseded, which are not among
/// them.
async fn oldest(
    connection: &mut SqliteConnection,
    receiver: &str,
    now: Timestamp,
    most: usize,
    collapse_before: Timestamp,
) -> Result<(Vec<Columns>, bool), DatabaseError> {
    let rows = waiting(connection, receiver, most).await?;
    let mut kept = Vec::new();
    let mut superseded = false;
    for mut columns in whole_of(connection, &rows, now).await? {
        let is_old = columns.created_ms < collapse_before.as_millis();
        if is_old && has_newer(connection, receiver, &columns).await? {
            columns.finish(NoticeState::Superseded, now, Some(SAID_BY_NEWER));
            columns.update(connection).await?;
            superseded = true;
        } else {
            kept.push(columns);
        }
    }
    // Damaged ones were given up, and others are behind them.
    let damaged = kept.is_empty() && !rows.is_empty();
    Ok((kept, superseded || damaged))
}

async fn has_newer(
    connection: &mut SqliteConnection,
    receiver: &str,
    columns: &Columns,
) -> Result<bool, DatabaseError> {
    let Some(incident) = columns.incident else {
        return Ok(false);
    };
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM outbox INDEXED BY outbox_by_incident
             WHERE incident = ? AND seq > ? AND receiver = ? AND state = 'pending')",
    )
    .bind(incident)
    .bind(columns.seq)
    .bind(receiver)
    .fetch_one(connection)
    .await
    .map_err(DatabaseError::query("find newer messages"))?;
    Ok(found == 1)
}

/// The oldest rows that wait for a receiver and are in no batch.
async fn waiting(
    connection: &mut SqliteConnection,
    receiver: &str,
    most: usize,
) -> Result<Vec<SqliteRow>, DatabaseError> {
    sqlx::query(
        "SELECT * FROM outbox
         WHERE receiver = ? AND state = 'pending' AND batch IS NULL ORDER BY seq LIMIT ?",
    )
    .bind(receiver)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await
    .map_err(DatabaseError::query("read waiting messages"))
}

/// The rows that are whole. A damaged one is given up, so that it blocks nothing: its seal stays
/// broken, and the next start takes it out after a copy.
async fn whole_of(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
    now: Timestamp,
) -> Result<Vec<Columns>, DatabaseError> {
    let failed = DatabaseError::query("give up a damaged message");
    let mut whole = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(columns) = Columns::of_whole(row) {
            whole.push(columns);
            continue;
        }
        let seq: i64 = row.try_get("seq").map_err(&failed)?;
        sqlx::query("UPDATE outbox SET state = 'given_up', done_ms = ?, error = ? WHERE seq = ?")
            .bind(now.as_millis())
            .bind(DAMAGED)
            .bind(seq)
            .execute(&mut *connection)
            .await
            .map_err(&failed)?;
    }
    Ok(whole)
}

fn batch_of(key: String, columns: &[Columns]) -> Result<Batch, DatabaseError> {
    let attempts = columns.iter().map(|row| row.attempts).max().unwrap_or(0);
    Ok(Batch {
        key,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        notices: columns
            .iter()
            .map(Columns::notice)
            .collect::<Result<_, _>>()?,
    })
}
