//! Sessions: who is logged in, so that a restart logs nobody out.

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use super::seal::Seal;
use super::{Database, DatabaseError};

/// Somebody who is logged in.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The hash of the token, in hex; never the token.
    pub id: String,
    pub user: String,
    pub created: Timestamp,
    /// When it was used last.
    pub seen: Timestamp,
    /// What access control wants to keep.
    pub body: serde_json::Value,
}

impl Database {
    /// Saves a new session, or when one was used last.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn session_save(&self, session: &Session) -> Result<(), DatabaseError> {
        let columns = Columns {
            id: session.id.clone(),
            user: session.user.clone(),
            created_ms: session.created.as_millis(),
            seen_ms: session.seen.as_millis(),
            body: session.body.to_string(),
        };
        sqlx::query(
            "INSERT INTO sessions (id, user, created_ms, seen_ms, body, seal)
             VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
                 user = excluded.user, created_ms = excluded.created_ms,
                 seen_ms = excluded.seen_ms, body = excluded.body, seal = excluded.seal",
        )
        .bind(&columns.id)
        .bind(&columns.user)
        .bind(columns.created_ms)
        .bind(columns.seen_ms)
        .bind(&columns.body)
        .bind(columns.seal())
        .execute(&self.writer)
        .await
        .map_err(DatabaseError::query("save a session"))?;
        Ok(())
    }

    /// All sessions, the newest first. Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn sessions(&self) -> Result<Vec<Session>, DatabaseError> {
        let rows = sqlx::query("SELECT * FROM sessions ORDER BY created_ms DESC, id")
            .fetch_all(&self.readers)
            .await
            .map_err(DatabaseError::query("list sessions"))?;
        let whole = |row: &SqliteRow| match session_of(row) {
            Ok(session) => Some(session),
            Err(error) => {
                tracing::error!(%error, "left out a session");
                None
            }
        };
        Ok(rows.iter().filter_map(whole).collect())
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn session_remove(&self, id: &str) -> Result<bool, DatabaseError> {
        let removed = sqlx::query("DELETE FROM sessions WHERE id = ?")
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("remove a session"))?;
        Ok(removed.rows_affected() > 0)
    }

    /// Ends all sessions of a user; says how many.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn sessions_remove_of(&self, user: &str) -> Result<u64, DatabaseError> {
        let removed = sqlx::query("DELETE FROM sessions WHERE user = ?")
            .bind(user)
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("remove the sessions of a user"))?;
        Ok(removed.rows_affected())
    }
}

struct Columns {
    id: String,
    user: String,
    created_ms: i64,
    seen_ms: i64,
    body: String,
}

impl Columns {
    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            user: row.try_get("user")?,
            created_ms: row.try_get("created_ms")?,
            seen_ms: row.try_get("seen_ms")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("sessions")
            .text(&self.id)
            .text(&self.user)
            .number(self.created_ms)
            .number(self.seen_ms)
            .text(&self.body)
            .finish()
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

fn session_of(row: &SqliteRow) -> Result<Session, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a session".to_owned(),
        detail,
    };
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    let columns = Columns::of(row).map_err(|error| unreadable(error.to_string()))?;
    Ok(Session {
        body: serde_json::from_str(&columns.body).map_err(|error| unreadable(error.to_string()))?,
        id: columns.id,
        user: columns.user,
        created: Timestamp::from_millis(columns.created_ms),
        seen: Timestamp::from_millis(columns.seen_ms),
    })
}
