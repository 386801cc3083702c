//! Whether the database is whole, and what to do about rows that aren't.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Error, Row, SqliteConnection};

use super::{
    DatabaseError, attachments, audit, engine_state, events, incidents, jobs, meta, mutes, outbox,
    runs, sessions, texts, timeline,
};
use crate::paths::Paths;
use crate::quarantine;

/// Rows whose seal was broken. They are gone from the database; the copy still has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Such as `incidents row 12`; a row of `incidents` takes its timeline, logs and evidence
    /// with it.
    pub rows: Vec<String>,
    /// The quarantine folder with the database as it was found.
    pub copy: PathBuf,
}

struct Sealed {
    table: &'static str,
    is_whole: fn(&SqliteRow) -> Result<bool, Error>,
}

/// The ledger is not among them: it is by far the largest, a start doesn't wait for it, and a damaged
/// record is found when it is read.
const SEALED: [Sealed; 14] = [
    Sealed {
        table: "meta",
        is_whole: meta::is_whole,
    },
    Sealed {
        table: "incidents",
        is_whole: incidents::is_whole,
    },
    Sealed {
        table: "incident_logs",
        is_whole: attachments::logs_are_whole,
    },
    Sealed {
        table: "timeline",
        is_whole: timeline::is_whole,
    },
    Sealed {
        table: "jobs",
        is_whole: jobs::is_whole,
    },
    Sealed {
        table: "engine_state",
        is_whole: engine_state::is_whole,
    },
    Sealed {
        table: "incident_evidence",
        is_whole: attachments::evidence_is_whole,
    },
    Sealed {
        table: "events",
        is_whole: events::is_whole,
    },
    Sealed {
        table: "runs",
        is_whole: runs::is_whole,
    },
    Sealed {
        table: "outbox",
        is_whole: outbox::is_whole,
    },
    Sealed {
        table: "audit",
        is_whole: audit::is_whole,
    },
    Sealed {
        table: "sessions",
        is_whole: sessions::is_whole,
    },
    Sealed {
        table: "mutes",
        is_whole: mutes::is_whole,
    },
    Sealed {
        table: "incident_texts",
        is_whole: texts::is_whole,
    },
];

/// SQLite's own look at its pages.
pub async fn check_structure(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), DatabaseError> {
    match verdict(connection, "PRAGMA quick_check(1)").await? {
        None => Ok(()),
        Some(detail) => Err(corrupt(path, detail)),
    }
}

/// Removes rows with a broken seal, after a copy, and makes indexes anew if they disagree with
/// their tables.
pub async fn remove_damaged_rows(
    connection: &mut SqliteConnection,
    paths: &Paths,
) -> Result<Option<Damage>, DatabaseError> {
    let mut broken = Vec::new();
    for sealed in &SEALED {
        for rowid in broken_rows(connection, sealed).await? {
            broken.push((sealed.table, rowid));
        }
    }
    let damage = match broken.is_empty() {
        true => None,
        false => Some(remove(connection, paths, &broken).await?),
    };
    if verdict(connection, "PRAGMA integrity_check(1)")
        .await?
        .is_some()
    {
        sqlx::raw_sql("REINDEX")
            .execute(&mut *connection)
            .await
            .map_err(DatabaseError::query("make indexes anew"))?;
        if let Some(detail) = verdict(connection, "PRAGMA integrity_check(1)").await? {
            return Err(corrupt(&paths.database(), detail));
        }
    }
    Ok(damage)
}

/// None if all is well.
async fn verdict(
    connection: &mut SqliteConnection,
    pragma: &'static str,
) -> Result<Option<String>, DatabaseError> {
    let verdict: String = sqlx::query_scalar(pragma)
        .fetch_one(connection)
        .await
        .map_err(DatabaseError::query("check the database"))?;
    Ok((verdict != "ok").then_some(verdict))
}

async fn broken_rows(
    connection: &mut SqliteConnection,
    sealed: &Sealed,
) -> Result<Vec<i64>, DatabaseError> {
    let failed = DatabaseError::query("check the rows of the database");
    let select = AssertSqlSafe(format!("SELECT rowid AS row, * FROM {}", sealed.table));
    let mut rows = sqlx::query(select).fetch(connection);
    let mut broken = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(&failed)? {
        if !(sealed.is_whole)(&row).unwrap_or(false) {
            broken.push(row.try_get("row").map_err(&failed)?);
        }
    }
    Ok(broken)
}

async fn remove(
    connection: &mut SqliteConnection,
    paths: &Paths,
    broken: &[(&'static str, i64)],
) -> Result<Damage, DatabaseError> {
    let failed = DatabaseError::query("remove damaged rows");
    // The copy is of the one file, so the journal has to be in it.
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut *connection)
        .await
        .map_err(&failed)?;
    let copy = quarantine::copy_aside(paths, &paths.database(), "rows with a broken seal")
        .map_err(DatabaseError::SetAside)?;
    let mut transaction = connection.begin().await.map_err(&failed)?;
    for (table, rowid) in broken {
        sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE rowid = ?"
        )))
        .bind(rowid)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
    }
    transaction.commit().await.map_err(&failed)?;
    let rows = broken
        .iter()
        .map(|(table, rowid)| format!("{table} row {rowid}"))
        .collect();
    Ok(Damage { rows, copy })
}

fn corrupt(path: &Path, detail: String) -> DatabaseError {
    DatabaseError::Corrupt {
        path: path.to_path_buf(),
        detail: detail.lines().next().unwrap_or_default().to_owned(),
    }
}
