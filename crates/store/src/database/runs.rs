//! Runs: stretches in which ticks were evaluated, so that silence of the ledger can be told from
//! absence of the program.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::seal::Seal;
use super::{Database, DatabaseError};

/// A tick that was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    pub at: Timestamp,
    /// The first tick of its run, which may not have been committed.
    pub run_from: Timestamp,
}

/// A stretch in which ticks were evaluated, without a gap and by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first tick.
    pub from: Timestamp,
    /// The last tick.
    pub last: Timestamp,
    /// Whether the next tick extends it, unless there is a gap before that.
    pub is_under_way: bool,
}

/// Whether ticks were evaluated at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunAt {
    Within(Run),
    /// They were not; the nearest runs that are kept.
    Outside {
        before: Option<Run>,
        after: Option<Run>,
    },
}

/// The run that is under way, since this opening of the database. Set before it is committed, so
/// that whoever has read a row knows whether it is that one.
#[derive(Clone, Debug, Default)]
pub struct CurrentRun(Arc<Mutex<Option<Numbered>>>);

#[derive(Clone, Copy, Debug)]
struct Numbered {
    id: i64,
    from: Timestamp,
    last: Timestamp,
}

impl CurrentRun {
    fn set(&self, run: Numbered) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }

    fn get(&self) -> Option<Numbered> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, id: i64) -> bool {
        self.get().is_some_and(|current| current.id == id)
    }
}

impl Database {
    /// # Errors
    /// The database can't be read, or a run is damaged.
    pub async fn run_at(&self, time: Timestamp) -> Result<RunAt, DatabaseError> {
        let failed = DatabaseError::query("read runs");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let mut found = Vec::new();
        for select in [
            "SELECT * FROM runs WHERE from_ms <= ?1 AND last_ms >= ?1 ORDER BY from_ms DESC LIMIT 1",
            "SELECT * FROM runs WHERE last_ms < ? ORDER BY last_ms DESC LIMIT 1",
            "SELECT * FROM runs WHERE from_ms > ? ORDER BY from_ms LIMIT 1",
        ] {
            let row = sqlx::query(select)
                .bind(time.as_millis())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&failed)?;
            let run = row.as_ref().map(|row| run_of(row, &self.current_run));
            found.push(run.transpose()?);
            if let [Some(run)] = found[..] {
                return Ok(RunAt::Within(run));
            }
        }
        Ok(RunAt::Outside {
            before: found[1],
            after: found[2],
        })
    }

    /// Drops the runs that ended before a time; says how many.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn prune_runs(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let dropped = sqlx::query("DELETE FROM runs WHERE last_ms < ?")
            .bind(before.as_millis())
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("drop old runs"))?;
        Ok(dropped.rows_affected())
    }
}

/// Extends the run under way by a tick of it, or begins one.
pub async fn save(
    connection: &mut SqliteConnection,
    current: &CurrentRun,
    evaluated: Evaluated,
) -> Result<(), DatabaseError> {
    let Evaluated { at, run_from } = evaluated;
    let same = current.get().filter(|run| run.from == run_from);
    let run = match same {
        Some(run) => Numbered {
            last: run.last.max(at),
            ..run
        },
        None => Numbered {
            id: free_id(connection).await?,
            from: run_from,
            last: at,
        },
    };
    current.set(run);
    sqlx::query(
        "INSERT INTO runs (id, from_ms, last_ms, seal) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET last_ms = excluded.last_ms, seal = excluded.seal",
    )
    .bind(run.id)
    .bind(run.from.as_millis())
    .bind(run.last.as_millis())
    .bind(seal(run.id, run.from, run.last))
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save a run"))?;
    Ok(())
}

async fn free_id(connection: &mut SqliteConnection) -> Result<i64, DatabaseError> {
    sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) + 1 FROM runs")
        .fetch_one(connection)
        .await
        .map_err(DatabaseError::query("begin a run"))
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let (id, from, last) = columns(row)?;
    Ok(seal(id, from, last) == row.try_get::<Vec<u8>, _>("seal")?)
}

fn run_of(row: &SqliteRow, current: &CurrentRun) -> Result<Run, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a run".to_owned(),
        detail,
    };
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    let (id, from, last) = columns(row).map_err(|error| unreadable(error.to_string()))?;
    Ok(Run {
        from,
        last,
        is_under_way: current.is(id),
    })
}

fn columns(row: &SqliteRow) -> Result<(i64, Timestamp, Timestamp), Error> {
    Ok((
        row.try_get("id")?,
        Timestamp::from_millis(row.try_get("from_ms")?),
        Timestamp::from_millis(row.try_get("last_ms")?),
    ))
}

fn seal(id: i64, from: Timestamp, last: Timestamp) -> Vec<u8> {
    Seal::of("runs")
        .number(id)
        .number(from.as_millis())
        .number(last.as_millis())
        .finish()
}
