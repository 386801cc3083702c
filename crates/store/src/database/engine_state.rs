//! States that are saved with each tick: bytes whose meaning their owner knows, by key.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use super::seal::Seal;
use super::{Database, DatabaseError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineState {
    /// Whose state it is, such as [`EngineState::ENGINE`].
    pub key: String,
    /// The version of the format of `bytes`.
    pub version: u32,
    pub bytes: Vec<u8>,
}

impl EngineState {
    /// What the engine remembers between ticks.
    pub const ENGINE: &'static str = "engine";
    /// What the pager remembers of whom it told.
    pub const PAGER: &'static str = "pager";
}

impl Database {
    /// The state of a key as of the last committed tick.
    ///
    /// # Errors
    /// The database can't be read, or the row is damaged.
    pub async fn engine_state(&self, key: &str) -> Result<Option<EngineState>, DatabaseError> {
        let row = sqlx::query("SELECT key, version, bytes, seal FROM engine_state WHERE key = ?")
            .bind(key)
            .fetch_optional(&self.readers)
            .await
            .map_err(DatabaseError::query("read a state"))?;
        let Some(row) = row else { return Ok(None) };
        let unreadable = |detail: String| DatabaseError::Unreadable {
            what: format!("the state of {key:?}"),
            detail,
        };
        if !is_whole(&row).map_err(|error| unreadable(error.to_string()))? {
            return Err(unreadable("it is damaged".to_owned()));
        }
        let column = |error: Error| unreadable(error.to_string());
        Ok(Some(EngineState {
            key: key.to_owned(),
            version: row.try_get("version").map_err(column)?,
            bytes: row.try_get("bytes").map_err(column)?,
        }))
    }
}

pub async fn save(
    connection: &mut SqliteConnection,
    state: &EngineState,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO engine_state (key, version, bytes, seal) VALUES (?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET
             version = excluded.version, bytes = excluded.bytes, seal = excluded.seal",
    )
    .bind(&state.key)
    .bind(state.version)
    .bind(&state.bytes)
    .bind(seal(&state.key, i64::from(state.version), &state.bytes))
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save a state"))?;
    Ok(())
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let (key, version): (&str, i64) = (row.try_get("key")?, row.try_get("version")?);
    let (bytes, found): (&[u8], &[u8]) = (row.try_get("bytes")?, row.try_get("seal")?);
    Ok(seal(key, version, bytes) == found)
}

fn seal(key: &str, version: i64, bytes: &[u8]) -> Vec<u8> {
    Seal::of("engine_state")
        .text(key)
        .number(version)
        .bytes(bytes)
        .finish()
}
