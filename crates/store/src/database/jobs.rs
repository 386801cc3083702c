//! Jobs: long work such as a training run, with what came of it.

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::seal::Seal;
use super::{Database, DatabaseError};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    /// The process ended before the job did.
    Interrupted,
}

impl JobState {
    pub const ALL: [JobState; 5] = [
        JobState::Queued,
        JobState::Running,
        JobState::Succeeded,
        JobState::Failed,
        JobState::Interrupted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Succeeded => "succeeded",
            JobState::Failed => "failed",
            JobState::Interrupted => "interrupted",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub kind: String,
    pub state: JobState,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
    /// What the kind of job wants to keep.
    pub body: serde_json::Value,
}

impl Database {
    /// The newest jobs, newest first.
    ///
    /// # Errors
    /// The database can't be read. Damaged jobs are left out.
    pub async fn jobs(&self, limit: u32) -> Result<Vec<Job>, DatabaseError> {
        let rows = sqlx::query("SELECT * FROM jobs ORDER BY created_ms DESC, id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(DatabaseError::query("list jobs"))?;
        let read = |row: &SqliteRow| match job_of(row) {
            Ok(job) => Some(job),
            Err(error) => {
                tracing::error!(%error, "left out a job");
                None
            }
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// # Errors
    /// The database can't be read, or the job is damaged.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, DatabaseError> {
        let row = sqlx::query("SELECT * FROM jobs WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(DatabaseError::query("read a job"))?;
        row.as_ref().map(job_of).transpose()
    }

    /// Saves a new job, or what became of one.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn save_job(&self, job: &Job) -> Result<(), DatabaseError> {
        let mut connection = self
            .writer
            .acquire()
            .await
            .map_err(DatabaseError::query("save a job"))?;
        save(&mut connection, job).await
    }
}

pub async fn save(connection: &mut SqliteConnection, job: &Job) -> Result<(), DatabaseError> {
    let columns = Columns {
        id: job.id.clone(),
        kind: job.kind.clone(),
        state: job.state.as_str().to_owned(),
        created_ms: job.created.as_millis(),
        finished_ms: job.finished.map(Timestamp::as_millis),
        body: job.body.to_string(),
    };
    sqlx::query(
        "INSERT INTO jobs (id, kind, state, created_ms, finished_ms, body, seal)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             kind = excluded.kind, state = excluded.state, created_ms = excluded.created_ms,
             finished_ms = excluded.finished_ms, body = excluded.body, seal = excluded.seal",
    )
    .bind(&columns.id)
    .bind(&columns.kind)
    .bind(&columns.state)
    .bind(columns.created_ms)
    .bind(columns.finished_ms)
    .bind(&columns.body)
    .bind(columns.seal())
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save a job"))?;
    Ok(())
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

struct Columns {
    id: String,
    kind: String,
    state: String,
    created_ms: i64,
    finished_ms: Option<i64>,
    body: String,
}

impl Columns {
    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            state: row.try_get("state")?,
            created_ms: row.try_get("created_ms")?,
            finished_ms: row.try_get("finished_ms")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("jobs")
            .text(&self.id)
            .text(&self.kind)
            .text(&self.state)
            .number(self.created_ms)
            .optional(self.finished_ms)
            .text(&self.body)
            .finish()
    }
}

fn job_of(row: &SqliteRow) -> Result<Job, DatabaseError> {
    let unreadable = |what: &str, detail: String| DatabaseError::Unreadable {
        what: format!("job {what}"),
        detail,
    };
    let columns = Columns::of(row).map_err(|error| unreadable("", error.to_string()))?;
    let id = columns.id.clone();
    if !is_whole(row).map_err(|error| unreadable(&id, error.to_string()))? {
        return Err(unreadable(&id, "it is damaged".to_owned()));
    }
    let state = JobState::ALL
        .into_iter()
        .find(|state| state.as_str() == columns.state)
        .ok_or_else(|| unreadable(&id, format!("its state is {:?}", columns.state)))?;
    let body =
        serde_json::from_str(&columns.body).map_err(|error| unreadable(&id, error.to_string()))?;
    Ok(Job {
        id: columns.id,
        kind: columns.kind,
        state,
        created: Timestamp::from_millis(columns.created_ms),
        finished: columns.finished_ms.map(Timestamp::from_millis),
        body,
    })
}
