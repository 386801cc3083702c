//! Who comes in: the users and tokens of the files, sessions and lockout, in one place that
//! requests ask. Files are read again when they change, and sessions outlive a restart.

use std::fs::Metadata;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use access::{
    Attempt, Directory, Identity, Lockout, RandomError, SessionRecord, SessionSettings, Sessions,
};
use domain::Timestamp;
use serde_json::json;
use store::DatabaseError;
use tokio::sync::{Semaphore, watch};

use crate::clock;
use crate::config::AccessFiles;
use crate::live::Live;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::telemetry;

/// Passwords that are hashed at the same time: each takes a core and 19 MiB.
const HASHED_AT_ONCE: usize = 2;
/// Log-ins that wait for that; further ones are sent away.
const WAITING_MAX: usize = 32;
/// How often the files are looked at, and ended sessions dropped.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Asked by every request, where access control is on.
pub struct Entrance {
    live: Live,
    storage: Arc<Storage>,
    directory: RwLock<Arc<Directory>>,
    sessions: Mutex<Sessions>,
    lockout: Mutex<Lockout>,
    hashing: Semaphore,
    waiting: Semaphore,
}

/// Why a token or password isn't let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("name, password or token is wrong")]
    Wrong,
    /// Too many failures.
    #[error("too many failures; wait {} s", .0.as_secs())]
    Wait(Duration),
    #[error("too many log-ins at the same time")]
    Busy,
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Somebody who logged in.
pub struct LoggedIn {
    pub identity: Identity,
    pub token: String,
    pub expires: Timestamp,
}

impl Entrance {
    /// With the sessions that are stored.
    ///
    /// # Errors
    /// Files or a database that can't be read.
    pub async fn open(live: Live, storage: Arc<Storage>) -> anyhow::Result<Entrance> {
        let files = live.config().server.auth.clone();
        let directory = files.read().map_err(anyhow::Error::msg)?;
        let mut sessions = Sessions::new(settings(&files));
        sessions.restore(storage.database.sessions().await?.into_iter().map(record));
        Ok(Entrance {
            live,
            storage,
            directory: RwLock::new(Arc::new(directory)),
            sessions: Mutex::new(sessions),
            lockout: Mutex::default(),
            hashing: Semaphore::new(HASHED_AT_ONCE),
            waiting: Semaphore::new(WAITING_MAX),
        })
    }

    /// Whether anyone must show who they are.
    pub fn is_required(&self) -> bool {
        self.live.config().server.auth.is_on()
    }

    /// Whose token this is. A right one is let in whatever came before from its address: nobody
    /// guesses 256 bits, and a script mustn't suffer from its neighbours.
    ///
    /// # Errors
    /// It is nobody's.
    pub fn by_token(
        &self,
        token: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Identity, Refused> {
        if let Some(identity) = self.directory().token(token) {
            return Ok(identity);
        }
        self.failed(address, Attempt::Token, now)
    }

    /// Whose session this is, if it goes on.
    pub async fn by_session(&self, token: &str, now: Timestamp) -> Option<Identity> {
        let directory = self.directory();
        let checked = self.sessions().check(token, &directory, now)?;
        if let Some(record) = checked.changed {
            // Then it is only known less exactly when it was seen.
            if let Err(error) = self.save(record).await {
                telemetry::store_failed("sessions");
                tracing::warn!(%error, "it could not be stored when a session was seen");
            }
        }
        Some(checked.identity)
    }

    /// Begins a session of whoever has this password.
    ///
    /// # Errors
    /// Wrong, too often wrong, or not possible now. An unknown name can't be told from a wrong
    /// password, neither by the answer nor by its time.
    pub async fn log_in(
        self: &Arc<Self>,
        name: &str,
        password: String,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<LoggedIn, Refused> {
        let attempt = Attempt::Name(name);
        self.wait(address, attempt, now)?;
        let _place = self.waiting.try_acquire().map_err(|_| Refused::Busy)?;
        let _permit = self.hashing.acquire().await.map_err(|_| Refused::Busy)?;
        // Others with this name may have failed while this one waited.
        self.wait(address, attempt, now)?;
        let directory = self.directory();
        let owned = name.to_owned();
        let verified =
            tokio::task::spawn_blocking(move || directory.verify_password(&owned, &password));
        let Ok(Some(identity)) = verified.await else {
            return self.failed(address, attempt, now);
        };
        self.lockout().succeeded(address, attempt);
        let opened = self.sessions().open(name, &self.directory(), now)?;
        // It left the file this moment.
        let opened = opened.ok_or(Refused::Wrong)?;
        self.forget(opened.ended).await;
        self.save(opened.record).await?;
        Ok(LoggedIn {
            identity,
            token: opened.token,
            expires: opened.expires,
        })
    }

    /// Ends the session of a token.
    pub async fn log_out(&self, token: &str) {
        let ended = self.sessions().close(token);
        self.forget(ended).await;
    }

    /// Reads the files again when they or their names change, and drops sessions that ended.
    pub async fn tend(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut live = self.live.clone();
        let mut seen = stamps(&self.live.config().server.auth);
        let mut timer = tokio::time::interval(LOOK_EVERY);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = live.changed() => seen = None,
                _ = timer.tick() => {}
            }
            let files = self.live.config().server.auth.clone();
            let now_there = stamps(&files);
            if seen.is_none() || now_there != seen {
                seen = now_there;
                if files.is_on() {
                    self.read_again(&files);
                }
            }
            let ended = self.sessions().sweep(&self.directory(), clock::now());
            self.forget(ended).await;
        }
    }

    /// A file that can't be used changes nothing.
    fn read_again(&self, files: &AccessFiles) {
        self.sessions().set(settings(files));
        match tokio::task::block_in_place(|| files.read()) {
            Ok(directory) => {
                let (users, tokens) = (directory.users(), directory.tokens());
                let mut current = self
                    .directory
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(directory);
                tracing::info!(users, tokens, "the files of users and tokens were read");
            }
            Err(why) => tracing::error!(
                why,
                "the files of users and tokens can't be used; those known before may come in"
            ),
        }
    }

    /// Notes a failure, and says whether to wait.
    fn failed<T>(&self, address: IpAddr, attempt: Attempt, now: Timestamp) -> Result<T, Refused> {
        telemetry::entrance_refused();
        let waits = self.wait(address, attempt, now);
        // Whoever doesn't wait anyway makes it no longer by trying on.
        if waits.is_ok() {
            self.lockout().failed(address, attempt, now);
        }
        waits.and(Err(Refused::Wrong))
    }

    fn wait(&self, address: IpAddr, attempt: Attempt, now: Timestamp) -> Result<(), Refused> {
        let wait = self.lockout().wait(address, attempt, now);
        wait.map_or(Ok(()), |wait| Err(Refused::Wait(wait)))
    }

    async fn save(&self, record: SessionRecord) -> Result<(), DatabaseError> {
        let session = store::Session {
            id: record.id,
            user: record.user,
            created: record.created,
            seen: record.seen,
            body: json!({ "mark": record.mark }),
        };
        self.storage.database.session_save(&session).await
    }

    async fn forget(&self, ended: impl IntoIterator<Item = String>) {
        for id in ended {
            if let Err(error) = self.storage.database.session_remove(&id).await {
                // It has ended all the same: stored ones are checked like others.
                telemetry::store_failed("sessions");
                tracing::warn!(%error, "a session that ended could not be removed");
            }
        }
    }

    fn directory(&self) -> Arc<Directory> {
        let directory = self
            .directory
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&directory)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lockout(&self) -> MutexGuard<'_, Lockout> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn settings(files: &AccessFiles) -> SessionSettings {
    SessionSettings {
        idle: files.session_idle,
        lifetime: files.session_lifetime,
    }
}

/// One without a mark is of nobody.
fn record(session: store::Session) -> SessionRecord {
    let mark = session.body["mark"].as_str().unwrap_or_default().to_owned();
    SessionRecord {
        id: session.id,
        user: session.user,
        mark,
        created: session.created,
        seen: session.seen,
    }
}

/// By what a change of a file is noticed: when it was written, and its size.
type Stamp = Option<(SystemTime, u64)>;

fn stamps(files: &AccessFiles) -> Option<(Stamp, Stamp)> {
    let of = |path: &Path| -> Stamp {
        let metadata: Metadata = path.metadata().ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let of = |path: &Option<std::path::PathBuf>| path.as_deref().and_then(of);
    Some((of(&files.users_file), of(&files.tokens_file)))
}
