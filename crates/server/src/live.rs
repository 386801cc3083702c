//! The configuration in force, and how a new one takes its place while the server runs.
//!
//! A new configuration is loaded as at the start. A bad one changes nothing and is told; of a good
//! one everything that can be changed at once is, and keys that need a restart are named.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use crate::app::{engine_config, recipe};
use crate::clock;
use crate::config::{self, Config, ConfigError, Loaded};
use crate::stopping::stopped;
use crate::telemetry;
use crate::tick::Message;
use crate::training::Recipe;

/// The settings in force, with what is made of them.
#[derive(Debug)]
pub struct InForce {
    pub config: Arc<Config>,
    pub recipe: Recipe,
}

/// Where tasks and handlers find the settings in force: taken anew for each piece of work.
#[derive(Clone, Debug)]
pub struct Live(watch::Receiver<Arc<InForce>>);

impl Live {
    pub fn get(&self) -> Arc<InForce> {
        self.0.borrow().clone()
    }

    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.borrow().config)
    }

    /// Waits for the next change; never returns where there is none any more.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A configuration, and how it is loaded anew.
pub struct Loading {
    pub loaded: Loaded,
    pub again: Box<dyn Fn() -> Result<Loaded, ConfigError> + Send + Sync>,
    /// What is told of a configuration that is in force from now on, such as the level of logs.
    pub applied: Box<dyn Fn(&Config) + Send + Sync>,
}

impl Loading {
    /// A configuration that stays.
    pub fn fixed(config: Config) -> Loading {
        let loaded = Loaded {
            config,
            warnings: Vec::new(),
            source: config::Source::Defaults,
        };
        let copy = loaded.clone();
        Loading {
            loaded,
            again: Box::new(move || Ok(copy.clone())),
            applied: Box::new(|_| {}),
        }
    }
}

/// How the newest reload went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The keys whose value is another one, as they are written in the configuration.
    pub changed: Vec<String>,
    /// Those among them that wait for a restart.
    pub needs_restart: Vec<String>,
    pub warnings: Vec<String>,
}

/// What is known of the configuration, for the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub source: String,
    /// When what is in force was loaded.
    pub loaded_at: Timestamp,
    /// Why the newest one was refused; then the one before is in force.
    pub refused: Option<String>,
    pub needs_restart: Vec<String>,
    pub warnings: Vec<String>,
}

/// Asks for a reload, and knows how the last one went.
#[derive(Clone)]
pub struct Reloads {
    ask: mpsc::Sender<oneshot::Sender<Result<Reloaded, String>>>,
    standing: Arc<Mutex<Standing>>,
}

impl Reloads {
    /// Loads the configuration anew.
    ///
    /// # Errors
    /// Why it was refused, for people; nothing has changed then.
    pub async fn reload(&self) -> Result<Reloaded, String> {
        let stopping = || "the server stops".to_owned();
        let (reply, answer) = oneshot::channel();
        self.ask.send(reply).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }

    pub fn standing(&self) -> Standing {
        let standing = self.standing.lock();
        standing.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The task that owns the configuration in force.
pub struct Reloading {
    loading: Loading,
    /// As loaded at the start: what waits for a restart is compared with it.
    in_force: Arc<InForce>,
    publisher: watch::Sender<Arc<InForce>>,
    engine: mpsc::Sender<Message>,
    asked: mpsc::Receiver<oneshot::Sender<Result<Reloaded, String>>>,
    standing: Arc<Mutex<Standing>>,
    stop: watch::Receiver<bool>,
}

impl Reloading {
    /// # Errors
    /// The time zone is unknown.
    pub fn new(
        loading: Loading,
        now: Timestamp,
        engine: mpsc::Sender<Message>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<(Reloading, Live, Reloads)> {
        let config = Arc::new(loading.loaded.config.clone());
        let in_force = Arc::new(InForce {
            recipe: recipe(&config)?,
            config,
        });
        let (publisher, published) = watch::channel(Arc::clone(&in_force));
        let (ask, asked) = mpsc::channel(4);
        let standing = Arc::new(Mutex::new(Standing {
            source: loading.loaded.source.to_string(),
            loaded_at: now,
            refused: None,
            needs_restart: Vec::new(),
            warnings: loading.loaded.warnings.clone(),
        }));
        let reloads = Reloads {
            ask,
            standing: Arc::clone(&standing),
        };
        telemetry::configured(true, now);
        let task = Reloading {
            loading,
            in_force,
            publisher,
            engine,
            asked,
            standing,
            stop,
        };
        Ok((task, Live(published), reloads))
    }

    /// Runs until told to stop.
    pub async fn run(mut self) {
        loop {
            let reply = tokio::select! {
                () = stopped(&mut self.stop) => return,
                Some(reply) = self.asked.recv() => reply,
            };
            let result = self.reload().await;
            match &result {
                Ok(reloaded) => {
                    for warning in &reloaded.warnings {
                        tracing::warn!(warning, "configuration");
                    }
                    tracing::info!(
                        changed = reloaded.changed.join(", "),
                        needs_restart = reloaded.needs_restart.join(", "),
                        "the configuration was loaded anew"
                    );
                }
                Err(why) => {
                    tracing::error!(
                        why,
                        "the new configuration was refused; the one before stays in force"
                    );
                }
            }
            let _ = reply.send(result);
        }
    }

    async fn reload(&mut self) -> Result<Reloaded, String> {
        let now = clock::now();
        let loaded = tokio::task::block_in_place(|| (self.loading.again)());
        let result = match loaded {
            Ok(loaded) => self.put_in_force(loaded).await,
            Err(error) => Err(crate::tick::chain(&error)),
        };
        telemetry::configured(result.is_ok(), now);
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match &result {
            Ok(reloaded) => {
                standing.loaded_at = now;
                standing.refused = None;
                standing.needs_restart = reloaded.needs_restart.clone();
                standing.warnings = reloaded.warnings.clone();
            }
            Err(why) => standing.refused = Some(why.clone()),
        }
        result
    }

    async fn put_in_force(&mut self, loaded: Loaded) -> Result<Reloaded, String> {
        let change = config::change(&self.in_force.config, loaded.config);
        let recipe = recipe(&change.in_force).map_err(|error| format!("{error:#}"))?;
        let in_force = Arc::new(InForce {
            config: Arc::new(change.in_force),
            recipe,
        });
        let engine = engine_config(&in_force.config);
        if engine != engine_config(&self.in_force.config) {
            let told = self
                .engine
                .send(Message::Configured(Box::new(engine)))
                .await;
            told.map_err(|_| "the server stops".to_owned())?;
        }
        (self.loading.applied)(&in_force.config);
        self.in_force = Arc::clone(&in_force);
        self.publisher.send_replace(in_force);
        Ok(Reloaded {
            changed: change.changed,
            needs_restart: change.needs_restart,
            warnings: loaded.warnings,
        })
    }
}
