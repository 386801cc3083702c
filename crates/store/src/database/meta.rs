//! Small texts by key, for what has no table of its own.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use super::seal::Seal;
use super::{Database, DatabaseError};

impl Database {
    /// # Errors
    /// The database can't be read, or the row is damaged.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, DatabaseError> {
        let failed = DatabaseError::query("read from the database");
        let row = sqlx::query("SELECT key, value, seal FROM meta WHERE key = ?")
            .bind(key)
            .fetch_optional(&self.readers)
            .await
            .map_err(&failed)?;
        match row {
            None => Ok(None),
            Some(row) if is_whole(&row).unwrap_or(false) => {
                row.try_get("value").map(Some).map_err(failed)
            }
            Some(_) => Err(DatabaseError::Unreadable {
                what: format!("{key:?}"),
                detail: "it is damaged".to_owned(),
            }),
        }
    }

    /// # Errors
    /// The database can't be written.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO meta (key, value, seal) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, seal = excluded.seal",
        )
        .bind(key)
        .bind(value)
        .bind(seal(key, value))
        .execute(&self.writer)
        .await
        .map_err(DatabaseError::query("write to the database"))?;
        Ok(())
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let seal = seal(row.try_get("key")?, row.try_get("value")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn seal(key: &str, value: &str) -> Vec<u8> {
    Seal::of("meta").text(key).text(value).finish()
}
