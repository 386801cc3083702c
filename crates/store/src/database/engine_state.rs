//! The engine's state: bytes whose meaning the engine knows, saved with each tick.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use super::seal::Seal;
use super::{Database, DatabaseError};

const KEY: &str = "engine";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineState {
    /// The version of the format of `bytes`.
    pub version: u32,
    pub bytes: Vec<u8>,
}

impl Database {
    /// The state of the last committed tick.
    ///
    /// # Errors
    /// The database can't be read, or the row is damaged.
    pub async fn engine_state(&self) -> Result<Option<EngineState>, DatabaseError> {
        let row = sqlx::query("SELECT key, version, bytes, seal FROM engine_state WHERE key = ?")
            .bind(KEY)
            .fetch_optional(&self.readers)
            .await
            .map_err(DatabaseError::query("read the engine's state"))?;
        let Some(row) = row else { return Ok(None) };
        let unreadable = |detail: String| DatabaseError::Unreadable {
            what: "the engine's state".to_owned(),
            detail,
        };
        if !is_whole(&row).map_err(|error| unreadable(error.to_string()))? {
            return Err(unreadable("it is damaged".to_owned()));
        }
        let version = row.try_get("version");
        let bytes = row.try_get("bytes");
        match (version, bytes) {
            (Ok(version), Ok(bytes)) => Ok(Some(EngineState { version, bytes })),
            (Err(error), _) | (_, Err(error)) => Err(unreadable(error.to_string())),
        }
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
    .bind(KEY)
    .bind(state.version)
    .bind(&state.bytes)
    .bind(seal(KEY, i64::from(state.version), &state.bytes))
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save the engine's state"))?;
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
