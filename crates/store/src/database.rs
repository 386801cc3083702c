//! Incidents with all that belongs to them, posted events, what was decided of each series, jobs,
//! messages to receivers, mutes, sessions, the audit trail and the engine's state, in SQLite.
//!
//! One connection writes, one transaction a tick, synced before it is acknowledged; a few others
//! read. A database that is damaged is set aside, one with damaged rows loses these after a copy;
//! either way it is said.

mod attachments;
mod audit;
mod cursor;
mod engine_state;
mod events;
mod filter;
mod incidents;
mod jobs;
mod ledger;
mod listing;
mod meta;
mod mutes;
mod outbox;
mod runs;
mod sessions;
mod texts;
mod timeline;

mod body;
mod health;
mod migrations;
mod numbers;
mod seal;
#[cfg(test)]
mod tests;
mod version_1;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Incident;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::atomic::WriteError;
use crate::paths::{Paths, entries};
use crate::quarantine;
use attachments::Stored;
use runs::CurrentRun;

pub use audit::{AuditEntry, AuditFilter, AuditPage, NewAudit};
pub use cursor::{Cursor, CursorError, Sort, SortBy};
pub use engine_state::EngineState;
pub use events::{Added, EventFilter, EventPage, RECENT_EVENTS_MAX};
pub use filter::{IncidentFilter, OwnerFilter};
pub use health::Damage;
pub use jobs::{Job, JobState};
pub use ledger::{Decision, DecisionFilter, DecisionPage, LedgerRecord};
pub use listing::{IncidentPage, PAGE_MAX};
pub use mutes::{Mute, MuteFilter, MutePage, NewMute};
pub use outbox::{
    Batch, NewNotice, Notice, NoticeFilter, NoticePage, NoticeState, PENDING_MAX, ReceiverState,
};
pub use runs::{Evaluated, Run, RunAt};
pub use sessions::Session;
pub use texts::SEARCH_WORDS_MAX;

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The journal is cut back to this after a large transaction.
const JOURNAL_BYTES: &str = "67108864";

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("open database {path}")]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    #[error(
        "open database {path}: its version is {found}, and this program knows up to {known}; use a newer Bellwether"
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: usize,
    },
    #[error("open database {path}: it is damaged: {detail}")]
    Corrupt { path: PathBuf, detail: String },
    #[error("set damaged database aside")]
    SetAside(#[source] WriteError),
    #[error("{doing}")]
    Query {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("read {what} from the database: {detail}")]
    Unreadable { what: String, detail: String },
    #[error("save {what} to the database: {detail}")]
    Unsavable { what: String, detail: String },
}

impl DatabaseError {
    fn query(doing: &'static str) -> impl Fn(sqlx::Error) -> DatabaseError {
        move |source| DatabaseError::Query { doing, source }
    }

    /// Whether the file itself is bad, so that trying again is in vain.
    fn is_corruption(&self) -> bool {
        const SQLITE_CORRUPT: i32 = 11;
        const SQLITE_NOTADB: i32 = 26;
        let source = match self {
            DatabaseError::Corrupt { .. } => return true,
            DatabaseError::Open { source, .. } | DatabaseError::Query { source, .. } => source,
            _ => return false,
        };
        // A cell of another type than its column can hold.
        if matches!(
            source,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
        ) {
            return true;
        }
        let code = source.as_database_error().and_then(|error| error.code());
        let code = code.and_then(|code| code.parse::<i32>().ok());
        // The low byte is the kind of an extended code.
        code.is_some_and(|code| matches!(code & 0xFF, SQLITE_CORRUPT | SQLITE_NOTADB))
    }
}

/// What one tick, or one command, changes; all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct TickCommit {
    /// Whole incidents, new or changed. Their timelines only ever grow; logs that are absent and
    /// evidence that is empty here stay as they are there. Logs and evidence behind the same
    /// [`std::sync::Arc`] as at the last commit are not looked at again.
    pub incidents: Vec<Incident>,
    /// What is decided of series from now on, where that changed.
    pub ledger: Vec<LedgerRecord>,
    /// The tick that was evaluated; none for what happens between ticks.
    pub evaluated: Option<Evaluated>,
    /// What is remembered from now on, each under its own key.
    pub engine_states: Vec<EngineState>,
    /// Messages to receivers; one whose key is there already adds nothing.
    pub notices: Vec<NewNotice>,
    pub jobs: Vec<Job>,
}

/// A database, and what was found wrong with it.
#[derive(Debug)]
pub struct OpenedDatabase {
    pub database: Database,
    /// Where a database lies that was damaged as a whole, if one was; this one is then empty.
    pub quarantined: Option<PathBuf>,
    /// Rows that were damaged and are gone.
    pub damage: Option<Damage>,
}

/// The open database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    /// What is known of the database without asking it. Changed only by who holds the connection
    /// that writes.
    stored: Stored,
    current_run: CurrentRun,
}

impl Database {
    /// Opens, checks and migrates the database, or makes a new one.
    ///
    /// # Errors
    /// It can't be opened for a reason other than damage, such as a full disk or a newer version.
    pub async fn open(paths: &Paths) -> Result<OpenedDatabase, DatabaseError> {
        let mut quarantined = None;
        if is_hollow(&paths.database()) && !is_unborn(paths) {
            quarantined = Some(set_aside(paths, "the file was empty")?);
        }
        let opened = match Database::connect(paths).await {
            Err(error) if error.is_corruption() => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                quarantined = Some(set_aside(paths, &format!("{error}{cause}"))?);
                Database::connect(paths).await?
            }
            opened => opened?,
        };
        let (database, damage) = opened;
        Ok(OpenedDatabase {
            database,
            quarantined,
            damage,
        })
    }

    /// Commits everything or nothing. Once this returns, it survives a crash.
    ///
    /// # Errors
    /// The transaction failed and nothing of it is there.
    pub async fn commit_tick(&self, tick: TickCommit) -> Result<(), DatabaseError> {
        let failed = DatabaseError::query("commit a tick to the database");
        let mut writer = self.writer.acquire().await.map_err(&failed)?;
        let mut transaction = writer.begin().await.map_err(&failed)?;
        let connection: &mut SqliteConnection = &mut transaction;
        let mut attached = Vec::new();
        for incident in tick.incidents {
            let id = incident.id;
            let saved = incidents::save(connection, incident, &self.stored.take(id)).await?;
            attached.extend(saved.map(|saved| (id, saved)));
        }
        ledger::save(connection, &tick.ledger).await?;
        if let Some(evaluated) = tick.evaluated {
            runs::save(connection, &self.current_run, evaluated).await?;
        }
        for state in &tick.engine_states {
            engine_state::save(connection, state).await?;
        }
        outbox::add(connection, &tick.notices).await?;
        for job in &tick.jobs {
            jobs::save(connection, job).await?;
        }
        transaction.commit().await.map_err(&failed)?;
        self.stored.remember(attached);
        Ok(())
    }

    /// Writes a consistent copy to a file that doesn't exist yet, while work goes on.
    ///
    /// # Errors
    /// The file exists or can't be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        sqlx::query("VACUUM INTO ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(&self.readers)
            .await
            .map_err(DatabaseError::query("copy the database"))?;
        Ok(())
    }

    /// Waits for what is under way, and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn connect(paths: &Paths) -> Result<(Database, Option<Damage>), DatabaseError> {
        let path = paths.database();
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("journal_size_limit", JOURNAL_BYTES)
            .disable_statement_logging();
        let reading = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let lasting = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None);
        let writer = lasting
            .clone()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(|source| DatabaseError::Open { path, source })?;
        let readers = lasting.max_connections(READERS).connect_lazy_with(reading);
        let database = Database {
            writer,
            readers,
            stored: Stored::default(),
            current_run: CurrentRun::default(),
        };
        match database.check(paths).await {
            Ok(damage) => Ok((database, damage)),
            Err(error) => {
                database.close().await;
                Err(error)
            }
        }
    }

    async fn check(&self, paths: &Paths) -> Result<Option<Damage>, DatabaseError> {
        let path = paths.database();
        let opening = |source| DatabaseError::Open {
            path: path.clone(),
            source,
        };
        let mut connection = self.writer.acquire().await.map_err(opening)?;
        health::check_structure(&mut connection, &path).await?;
        migrations::run(&mut connection, paths).await?;
        let damage = health::remove_damaged_rows(&mut connection, paths).await?;
        drop(connection);
        self.fill_texts().await?;
        Ok(damage)
    }
}

/// Writes a consistent copy of a database that another process may be writing to; the copy doesn't
/// exist yet.
pub(crate) async fn copy_file(from: &Path, to: &Path) -> Result<(), DatabaseError> {
    let reading = SqliteConnectOptions::new()
        .filename(from)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = reading
        .connect()
        .await
        .map_err(|source| DatabaseError::Open {
            path: from.into(),
            source,
        })?;
    let copied = sqlx::query("VACUUM INTO ?")
        .bind(to.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await;
    copied.map_err(DatabaseError::query("copy the database"))?;
    connection
        .close()
        .await
        .map_err(DatabaseError::query("close the database"))
}

/// A file without content, or a journal without its file.
fn is_hollow(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(found) => found.len() == 0,
        Err(_) => with_suffix(path, "-wal").exists(),
    }
}

/// Nothing was ever stored: a first start was cut short while it made the file.
fn is_unborn(paths: &Paths) -> bool {
    let nothing_in = |folder: &Path| entries(folder).is_ok_and(|entries| entries.is_empty());
    nothing_in(&paths.datasets()) && nothing_in(&paths.models())
}

fn set_aside(paths: &Paths, why: &str) -> Result<PathBuf, DatabaseError> {
    let files = ["", "-wal", "-shm"].map(|suffix| with_suffix(&paths.database(), suffix));
    quarantine::set_aside(paths, &files, why).map_err(DatabaseError::SetAside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
