//! The schema and its versions, kept in SQLite's `user_version`.

use std::path::Path;

use sqlx::{Connection, SqliteConnection};

use super::DatabaseError;

/// Version n is what the first n of these make. Append only.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_start.sql")];

/// Brings the schema to the newest version.
pub async fn run(connection: &mut SqliteConnection, path: &Path) -> Result<(), DatabaseError> {
    let opening = |source| DatabaseError::Open {
        path: path.to_path_buf(),
        source,
    };
    let found = migrate(connection).await.map_err(opening)?;
    if found > MIGRATIONS.len() as i64 {
        return Err(DatabaseError::Newer {
            path: path.to_path_buf(),
            found,
            known: MIGRATIONS.len(),
        });
    }
    let mut fresh = SqliteConnection::connect("sqlite::memory:")
        .await
        .map_err(opening)?;
    migrate(&mut fresh).await.map_err(opening)?;
    let ours = schema(&mut fresh).await.map_err(opening)?;
    let there = schema(connection).await.map_err(opening)?;
    match ours.iter().find(|object| !there.contains(object)) {
        None => Ok(()),
        Some((name, _)) => Err(DatabaseError::Corrupt {
            path: path.to_path_buf(),
            detail: format!("{name} is not as version {found} has it"),
        }),
    }
}

/// Says the version afterwards; a newer one, or one that can't be right, is left alone.
async fn migrate(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await?;
    let claims_new = found == 0 && !schema(connection).await?.is_empty();
    let (Ok(applied), false) = (usize::try_from(found), claims_new) else {
        return Ok(found);
    };
    for (number, script) in MIGRATIONS.iter().enumerate().skip(applied) {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
        let version = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {}", number + 1));
        sqlx::raw_sql(version).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(found.max(MIGRATIONS.len() as i64))
}

async fn schema(connection: &mut SqliteConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .fetch_all(connection)
        .await
}
