//! A row of the outbox: its columns, its seal, and the message that it holds.

use domain::{IncidentId, ServiceId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::super::DatabaseError;
use super::super::seal::Seal;
use super::{NewNotice, Notice, NoticeState};

#[derive(Clone, Debug)]
pub struct Columns {
    pub seq: i64,
    key: String,
    receiver: String,
    kind: String,
    pub incident: Option<i64>,
    service: Option<String>,
    pub created_ms: i64,
    state: String,
    pub batch: Option<String>,
    pub attempts: i64,
    pub next_ms: Option<i64>,
    done_ms: Option<i64>,
    pub error: Option<String>,
    body: String,
}

impl Columns {
    pub fn new(seq: i64, notice: &NewNotice) -> Columns {
        let state = match notice.withheld {
            Some(_) => NoticeState::Withheld,
            None => NoticeState::Pending,
        };
        let created_ms = notice.created.as_millis();
        Columns {
            seq,
            key: notice.key.clone(),
            receiver: notice.receiver.clone(),
            kind: notice.kind.clone(),
            incident: notice
                .incident
                .map(|id| i64::try_from(id.0).unwrap_or(i64::MAX)),
            service: notice.service.as_ref().map(ServiceId::to_string),
            created_ms,
            state: state.as_str().to_owned(),
            batch: None,
            attempts: 0,
            next_ms: None,
            done_ms: notice.withheld.is_some().then_some(created_ms),
            error: notice.withheld.clone(),
            body: notice.body.to_string(),
        }
    }

    /// The columns of a row whose seal is whole; none, and an error in the log, if it isn't.
    pub fn of_whole(row: &SqliteRow) -> Option<Columns> {
        match Columns::of(row) {
            Ok(columns) if is_whole(row).unwrap_or(false) => Some(columns),
            _ => {
                let seq: i64 = row.try_get("seq").unwrap_or_default();
                tracing::error!(seq, "left out a message that is damaged");
                None
            }
        }
    }

    pub fn finish(&mut self, state: NoticeState, now: Timestamp, error: Option<&str>) {
        self.state = state.as_str().to_owned();
        self.done_ms = Some(now.as_millis());
        self.next_ms = None;
        if let Some(error) = error {
            self.error = Some(error.to_owned());
        }
    }

    /// Says whether it was added; it isn't if its key is there already.
    pub async fn add(&self, connection: &mut SqliteConnection) -> Result<bool, DatabaseError> {
        let added = sqlx::query(
            "INSERT INTO outbox (seq, key, receiver, kind, incident, service, created_ms, state,
                 batch, attempts, next_ms, done_ms, error, body, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(self.seq)
        .bind(&self.key)
        .bind(&self.receiver)
        .bind(&self.kind)
        .bind(self.incident)
        .bind(&self.service)
        .bind(self.created_ms)
        .bind(&self.state)
        .bind(&self.batch)
        .bind(self.attempts)
        .bind(self.next_ms)
        .bind(self.done_ms)
        .bind(&self.error)
        .bind(&self.body)
        .bind(self.seal())
        .execute(connection)
        .await
        .map_err(DatabaseError::query("add a message to the outbox"))?;
        Ok(added.rows_affected() == 1)
    }

    /// Writes what changes in the life of a message.
    pub async fn update(&self, connection: &mut SqliteConnection) -> Result<(), DatabaseError> {
        sqlx::query(
            "UPDATE outbox SET state = ?, batch = ?, attempts = ?, next_ms = ?, done_ms = ?,
                 error = ?, seal = ?
             WHERE seq = ?",
        )
        .bind(&self.state)
        .bind(&self.batch)
        .bind(self.attempts)
        .bind(self.next_ms)
        .bind(self.done_ms)
        .bind(&self.error)
        .bind(self.seal())
        .bind(self.seq)
        .execute(connection)
        .await
        .map_err(DatabaseError::query("note what became of a message"))?;
        Ok(())
    }

    pub fn notice(&self) -> Result<Notice, DatabaseError> {
        let unreadable = |detail: String| DatabaseError::Unreadable {
            what: format!("message {}", self.seq),
            detail,
        };
        let state = NoticeState::ALL
            .into_iter()
            .find(|state| state.as_str() == self.state)
            .ok_or_else(|| unreadable(format!("its state is {:?}", self.state)))?;
        let service = self.service.as_deref().map(ServiceId::new).transpose();
        let body = serde_json::from_str(&self.body);
        Ok(Notice {
            seq: u64::try_from(self.seq).unwrap_or_default(),
            key: self.key.clone(),
            receiver: self.receiver.clone(),
            kind: self.kind.clone(),
            incident: self
                .incident
                .map(|id| IncidentId(u64::try_from(id).unwrap_or_default())),
            service: service.map_err(|error| unreadable(error.to_string()))?,
            created: Timestamp::from_millis(self.created_ms),
            state,
            batch: self.batch.clone(),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            next: self.next_ms.map(Timestamp::from_millis),
            done: self.done_ms.map(Timestamp::from_millis),
            error: self.error.clone(),
            body: body.map_err(|error| unreadable(error.to_string()))?,
        })
    }

    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            seq: row.try_get("seq")?,
            key: row.try_get("key")?,
            receiver: row.try_get("receiver")?,
            kind: row.try_get("kind")?,
            incident: row.try_get("incident")?,
            service: row.try_get("service")?,
            created_ms: row.try_get("created_ms")?,
            state: row.try_get("state")?,
            batch: row.try_get("batch")?,
            attempts: row.try_get("attempts")?,
            next_ms: row.try_get("next_ms")?,
            done_ms: row.try_get("done_ms")?,
            error: row.try_get("error")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("outbox")
            .number(self.seq)
            .text(&self.key)
            .text(&self.receiver)
            .text(&self.kind)
            .optional(self.incident)
            .optional_text(self.service.as_deref())
            .number(self.created_ms)
            .text(&self.state)
            .optional_text(self.batch.as_deref())
            .number(self.attempts)
            .optional(self.next_ms)
            .optional(self.done_ms)
            .optional_text(self.error.as_deref())
            .text(&self.body)
            .finish()
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

/// The message of a row; none, and an error in the log, if it is damaged.
pub fn whole(row: &SqliteRow) -> Option<Notice> {
    match Columns::of_whole(row)?.notice() {
        Ok(notice) => Some(notice),
        Err(error) => {
            tracing::error!(%error, "left out a message");
            None
        }
    }
}
