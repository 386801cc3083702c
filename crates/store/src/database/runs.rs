//! Runs: stretches in which ticks were evaluated, so that silence of the ledger can be told from
//! absence of the program.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::seal::Seal;
use super::{Database, DatabaseError};

/// A tick that was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluated {
    pub at: Timestamp,
    /// Further than this after the tick before, a new run begins.
    pub run_gap: Duration,
}

/// A stretch in which ticks were evaluated, without a gap and by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first tick.
    pub from: Timestamp,
    /// The last tick.
    pub last: Timestamp,
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

/// The run that is under way, since this opening of the database.
#[derive(Clone, Debug, Default)]
pub struct CurrentRun(Arc<Mutex<Option<Numbered>>>);

#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    id: i64,
    run: Run,
}

impl CurrentRun {
    /// To be called once it is committed.
    pub fn set(&self, run: Numbered) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }

    fn get(&self) -> Option<Numbered> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            found.push(row.as_ref().map(run_of).transpose()?);
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

/// Extends the run under way by a tick, or begins one.
pub async fn save(
    connection: &mut SqliteConnection,
    current: &CurrentRun,
    evaluated: Evaluated,
) -> Result<Numbered, DatabaseError> {
    let Evaluated { at, run_gap } = evaluated;
    if let Some(mut numbered) = current.get().filter(|it| it.run.goes_on_at(at, run_gap)) {
        numbered.run.last = numbered.run.last.max(at);
        if update(connection, numbered).await? {
            return Ok(numbered);
        }
    }
    begin(connection, at).await
}

impl Run {
    /// An instant before the last one, after the clock was set back, belongs to it as well unless
    /// it is before all of it.
    fn goes_on_at(&self, at: Timestamp, run_gap: Duration) -> bool {
        at >= self.from && at <= self.last + run_gap
    }
}

/// Says whether it was there; it isn't if it was dropped meanwhile.
async fn update(
    connection: &mut SqliteConnection,
    numbered: Numbered,
) -> Result<bool, DatabaseError> {
    let result = sqlx::query("UPDATE runs SET last_ms = ?, seal = ? WHERE id = ?")
        .bind(numbered.run.last.as_millis())
        .bind(seal(numbered.id, numbered.run))
        .bind(numbered.id)
        .execute(connection)
        .await
        .map_err(DatabaseError::query("extend a run"))?;
    Ok(result.rows_affected() == 1)
}

async fn begin(
    connection: &mut SqliteConnection,
    at: Timestamp,
) -> Result<Numbered, DatabaseError> {
    let failed = DatabaseError::query("begin a run");
    let id: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) + 1 FROM runs")
        .fetch_one(&mut *connection)
        .await
        .map_err(&failed)?;
    let run = Run { from: at, last: at };
    sqlx::query("INSERT INTO runs (id, from_ms, last_ms, seal) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(run.from.as_millis())
        .bind(run.last.as_millis())
        .bind(seal(id, run))
        .execute(connection)
        .await
        .map_err(&failed)?;
    Ok(Numbered { id, run })
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let seal = seal(row.try_get("id")?, columns(row)?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn run_of(row: &SqliteRow) -> Result<Run, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a run".to_owned(),
        detail,
    };
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    columns(row).map_err(|error| unreadable(error.to_string()))
}

fn columns(row: &SqliteRow) -> Result<Run, Error> {
    Ok(Run {
        from: Timestamp::from_millis(row.try_get("from_ms")?),
        last: Timestamp::from_millis(row.try_get("last_ms")?),
    })
}

fn seal(id: i64, run: Run) -> Vec<u8> {
    Seal::of("runs")
        .number(id)
        .number(run.from.as_millis())
        .number(run.last.as_millis())
        .finish()
}
