//! The schema and its versions, kept in SQLite's `user_version`.

use sqlx::{Connection, SqliteConnection};

use super::{DatabaseError, version_1};
use crate::paths::Paths;

/// Version n is what the first n of these make. Append only.
pub const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/0001_start.sql"),
    include_str!("../../migrations/0002_evidence_events_ledger.sql"),
    include_str!("../../migrations/0003_paging_access_search.sql"),
];

/// Brings the schema to the newest version, an older one after a copy.
pub async fn run(connection: &mut SqliteConnection, paths: &Paths) -> Result<(), DatabaseError> {
    let path = &paths.database();
    let opening = |source| DatabaseError::Open {
        path: path.clone(),
        source,
    };
    keep_older(connection, paths).await?;
    let found = migrate(connection).await.map_err(opening)?;
    if found > MIGRATIONS.len() as i64 {
        return Err(DatabaseError::Newer {
            path: path.clone(),
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
            path: path.clone(),
            detail: format!("{name} is not as version {found} has it"),
        }),
    }
}

/// Copies a database of an older version, so that an older program can be gone back to.
async fn keep_older(connection: &mut SqliteConnection, paths: &Paths) -> Result<(), DatabaseError> {
    let failed = DatabaseError::query("copy the database before its migration");
    let found = version(connection).await.map_err(&failed)?;
    if found < 1 || found >= MIGRATIONS.len() as i64 {
        return Ok(());
    }
    let copy = paths.database_of_version(found);
    // Of a migration that was cut short.
    match std::fs::remove_file(&copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed(sqlx::Error::Io(error)));
        }
        _ => {}
    }
    sqlx::query("VACUUM INTO ?")
        .bind(copy.to_string_lossy().into_owned())
        .execute(connection)
        .await
        .map_err(&failed)?;
    tracing::info!(copy = %copy.display(), version = found, "copied the database before its migration");
    Ok(())
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
}

/// Says the version afterwards; a newer one, or one that can't be right, is left alone.
async fn migrate(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let found = version(connection).await?;
    let claims_new = found == 0 && !schema(connection).await?.is_empty();
    let (Ok(applied), false) = (usize::try_from(found), claims_new) else {
        return Ok(found);
    };
    for (number, script) in MIGRATIONS.iter().enumerate().skip(applied) {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
        if number == 1 {
            version_1::reseal(&mut transaction).await?;
        }
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
