//! Wiring: from a configuration to a running server, and back to nothing within five seconds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use engine::Config as EngineConfig;
use incident::ledger::Ledger;
use sources::{
    CollectSettings, Collector, LogIndex, LogLimits, LogReader, LogSource, LogTemplate, Prometheus,
    PrometheusSettings,
};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::api::{self, Api};
use crate::clock;
use crate::collecting::Collecting;
use crate::config::{self, Auth, Config};
use crate::delivering::Delivering;
use crate::entrance::Entrance;
use crate::evidence::{self, Gatherer, Gathering};
use crate::following::Following;
use crate::history::{self, History, Progress};
use crate::hole::{Hole, Stretch};
use crate::live::{Loading, Reloading, Reloads};
use crate::paging::Desk;
use crate::recorder::Recorder;
use crate::restore::{Restored, restore};
use crate::snapshot::Snapshot;
use crate::source::{self, Prepared, Source};
use crate::storage::Storage;
use crate::stream::{Hub, Publishing, Seen};
use crate::terminal::Work;
use crate::tick::{self, Message, Ticking};
use crate::training::{self, Queue, Recipe, Selection, Training, Trigger};

/// How long the tasks may take to end; what still runs then is dropped.
const DRAIN: Duration = Duration::from_secs(4);

/// A running server.
pub struct App {
    pub address: SocketAddr,
    pub reloads: Reloads,
    progress: Arc<Mutex<Progress>>,
    queue: Arc<Queue>,
    stop: watch::Sender<bool>,
    engine: mpsc::Sender<Message>,
    tasks: JoinSet<()>,
    ticking: tokio::task::JoinHandle<()>,
}

impl App {
    /// Opens the data directory, binds the address, restores what is stored, and starts.
    ///
    /// # Errors
    /// A data directory or address that can't be used, settings that Prometheus' client refuses,
    /// targets or queries that the embedded store can't take.
    pub async fn start(loading: Loading, record: Option<&Path>) -> anyhow::Result<App> {
        crate::open_files::allow_all();
        let telemetry = crate::telemetry::install();
        let now = clock::now();
        let config = loading.loaded.config.clone();
        let recipe = recipe(&config)?;
        let prepared = Prepared::of(&config)?;
        let log_sources = log_sources(&config)?;
        let listener = TcpListener::bind(config.listen).await.with_context(|| {
            format!(
                "listen on {}: is another Bellwether running? choose another address with --listen",
                config.listen
            )
        })?;
        let address = listener.local_addr()?;
        let storage = Arc::new(Storage::open(&config.data_dir, now).await?);
        let Source {
            prometheus,
            embedded,
        } = prepared.open(&config, now)?;
        let index = Arc::new(LogIndex::open(storage.data_dir.paths().log_index()));
        let logs = Arc::new(LogReader::new(
            log_sources.clone(),
            LogLimits::default(),
            Arc::clone(&index),
        ));
        let restored = restore(&storage, engine_config(&config), &recipe, now).await?;
        say_remarks(&storage, &restored);
        let recorder = record
            .map(|path| Recorder::create(path, &restored.state))
            .transpose()?;
        let mut collector = Collector::new(prometheus.clone(), collect_settings(&config))?;
        collector.remember(restored.series.iter().map(|id| id.service.clone()), now);

        let (stop, stopped) = watch::channel(false);
        let (engine, inbox) = mpsc::channel(tick::QUEUE);
        let (reloading, live, reloads) =
            Reloading::new(loading, now, engine.clone(), stopped.clone())?;
        let (evidence, requests) = mpsc::channel(evidence::QUEUE);
        let (wishes_sent, wishes) = mpsc::channel(4);
        let hole = Arc::new(Hole::default());
        if let Some(from) = history::whole_to(&storage, &restored.last_rows).await {
            hole.widen(Stretch { from, to: from });
        }
        let desk = Desk::restore(&storage.database, live.clone(), now).await;
        let paged = desk.published();
        let (publisher, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        let queue = Arc::new(Queue::default());
        let progress = Arc::new(Mutex::new(Progress::default()));
        evidence::resume(restored.state.decide().incidents(), &evidence, now);
        if restored.stale.iter().any(|id| restored.series.contains(id)) {
            queue.request(Selection::default(), Trigger::Start)?;
        }

        let (readers, askers) = Gatherer::limits();
        let mut tasks = JoinSet::new();
        tasks.spawn(reloading.run());
        tasks.spawn(
            Delivering {
                live: live.clone(),
                storage: Arc::clone(&storage),
                paged: paged.clone(),
                snapshots: snapshots.clone(),
                stop: stopped.clone(),
            }
            .run(),
        );
        tasks.spawn(
            Collecting {
                collector,
                source: prometheus.address().to_owned(),
                tick: config.tick,
                evaluation_delay: config.evaluation_delay,
                engine: engine.clone(),
                wishes,
                live: live.clone(),
                stop: stopped.clone(),
                skew: jiff::SignedDuration::ZERO,
                said: None,
            }
            .run(),
        );
        tasks.spawn(
            Gathering {
                gatherer: Gatherer {
                    logs: Arc::clone(&logs),
                    storage: Arc::clone(&storage),
                    live: live.clone(),
                    engine: engine.clone(),
                    wishes: wishes_sent.clone(),
                    readers,
                    askers,
                },
                requests,
                stop: stopped.clone(),
            }
            .run(),
        );
        tasks.spawn(
            History {
                prometheus: prometheus.clone(),
                wishes: wishes_sent.clone(),
                snapshots: snapshots.clone(),
                hole: Arc::clone(&hole),
                known: restored.last_rows.into_keys().collect(),
                storage: Arc::clone(&storage),
                live: live.clone(),
                queue: Arc::clone(&queue),
                engine: engine.clone(),
                progress: Arc::clone(&progress),
                stop: stopped.clone(),
            }
            .run(),
        );
        tasks.spawn(
            Training {
                pool: Arc::new(training::pool()?),
                queue: Arc::clone(&queue),
                storage: Arc::clone(&storage),
                live: live.clone(),
                engine: engine.clone(),
                stop: stopped.clone(),
            }
            .run(),
        );
        if !log_sources.is_empty() {
            let following = Following {
                index,
                sources: Arc::new(log_sources),
                stop: stopped.clone(),
            };
            tasks.spawn(following.run());
        }
        tasks.spawn(crate::housekeeping::run(
            Arc::clone(&storage),
            live.clone(),
            stopped.clone(),
        ));
        let hub = Arc::new(Hub::new(now, config.limits.streams));
        tasks.spawn(
            Publishing {
                hub: Arc::clone(&hub),
                snapshots: snapshots.clone(),
                paged: paged.clone(),
                live: live.clone(),
                queue: Arc::clone(&queue),
                progress: Arc::clone(&progress),
                storage: Arc::clone(&storage),
                seen: Seen::restored(restored.state.decide().incidents()),
                stop: stopped.clone(),
            }
            .run(),
        );
        let ticking = tokio::spawn(
            Ticking {
                state: restored.state,
                storage: Arc::clone(&storage),
                publisher,
                recorder,
                evidence,
                hole,
                inbox,
                swaps: restored.swaps,
                stored_decide: restored.stored_decide,
                unsaved: BTreeMap::new(),
                ledger: Ledger::default(),
                unsaved_ledger: Vec::new(),
                last_seen: BTreeMap::new(),
                saved_last: None,
                commands: 0,
                desk,
                skew: jiff::SignedDuration::ZERO,
            }
            .run(),
        );
        let embedded = embedded.map(|(embedded, scraper)| {
            tasks.spawn(scraper.run(stopped.clone()));
            tasks.spawn(source::tend(Arc::clone(&embedded.store), stopped.clone()));
            embedded
        });
        let entrance = Entrance::open(live.clone(), Arc::clone(&storage)).await?;
        let entrance = Arc::new(entrance);
        tasks.spawn(Arc::clone(&entrance).tend(stopped.clone()));
        let (shown_progress, shown_queue) = (Arc::clone(&progress), Arc::clone(&queue));
        let api = Api {
            entrance,
            refusals: Arc::default(),
            embedded,
            snapshots,
            engine: engine.clone(),
            queue,
            storage,
            logs,
            log_readers: Arc::new(Semaphore::new(api::LOG_READERS)),
            dataset_readers: Arc::new(Semaphore::new(api::DATASET_READERS)),
            sparklines: Arc::default(),
            progress,
            telemetry,
            source: source_address(&config, &prometheus),
            live,
            reloads: reloads.clone(),
            paged,
            started_at: now,
            hub,
            stop: stopped.clone(),
        };
        tasks.spawn(api::serve(listener, api, stopped));
        Ok(App {
            address,
            reloads,
            progress: shown_progress,
            queue: shown_queue,
            stop,
            engine,
            tasks,
            ticking,
        })
    }

    /// What is under way, for showing it.
    pub fn work(&self) -> Work {
        Work {
            progress: Arc::clone(&self.progress),
            queue: Arc::clone(&self.queue),
        }
    }

    /// Tells every task to end and waits for them, at most five seconds in all.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let drained = tokio::time::timeout(DRAIN, async {
            let _ = self.engine.send(Message::Stop).await;
            let _ = (&mut self.ticking).await;
            while self.tasks.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            tracing::warn!("some work was still under way and was dropped");
            self.tasks.abort_all();
        }
    }
}

/// The part of the configuration that decisions depend on.
pub fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig {
        tick: config.tick,
        catalogue: config.metrics.clone(),
        alarm_budget: config.decide.alarm_budget,
        decide: incident::Settings {
            open_after: config.decide.open_after,
            critical_after: config.decide.critical_after,
            quiet_period: config.decide.quiet_period,
            hysteresis: config.decide.hysteresis,
            down_after: config.decide.down_after,
            source_fault_share: config.decide.source_fault_share,
            auto_resolve: config.auto_resolve.clone(),
        },
        timezone: config.season.name().to_owned(),
    }
}

/// How models are trained.
///
/// # Errors
/// The time zone is unknown.
pub fn recipe(config: &Config) -> anyhow::Result<Recipe> {
    let training = &config.training;
    Ok(Recipe {
        catalogue: config.metrics.clone(),
        settings: detect::Settings {
            window: training.window,
            window_min_samples: training.window_min_samples,
            min_samples: training.min_samples,
            contamination: training.contamination,
            max_age: training.max_age,
            trees: training.trees,
            sample_size: training.sample_size,
            seed: training.seed,
            alarm_budget: config.decide.alarm_budget,
        },
        season: detect::Season::new(config.season.name())?,
        tick: config.tick,
        quiet_period: config.decide.quiet_period,
    })
}

/// The client of the configured Prometheus.
///
/// # Errors
/// Settings that make no client, such as a CA file that can't be read.
pub fn prometheus(config: &Config) -> anyhow::Result<Prometheus> {
    let settings = &config.prometheus;
    let mut headers: Vec<(String, String)> = settings
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect();
    let mut basic_auth = None;
    let mut bearer_token_file = None;
    match &settings.auth {
        Some(Auth::Basic { username, password }) => {
            basic_auth = Some((username.clone(), sources::Secret::new(password.expose())));
        }
        Some(Auth::Bearer(token)) => match token.file() {
            Some(file) => bearer_token_file = Some(file.to_owned()),
            None => headers.push(("Authorization".into(), format!("Bearer {}", token.expose()))),
        },
        None => {}
    }
    let settings = PrometheusSettings {
        timeout: settings.timeout,
        headers,
        basic_auth,
        bearer_token_file,
        ca_file: settings.ca_file.clone(),
        answer_bytes_max: usize::try_from(settings.answer_bytes_max).unwrap_or(usize::MAX),
        ..PrometheusSettings::at(settings.url.as_str())
    };
    Ok(Prometheus::new(settings, clock::shared())?)
}

/// What is collected, and within which bounds. A query has until the next tick at most, and two
/// seconds at least.
pub fn collect_settings(config: &Config) -> CollectSettings {
    CollectSettings {
        identity: config.identity.clone(),
        scope: config.scope.clone(),
        catalogue: config.metrics.clone(),
        tick: config.tick,
        services_max: config.limits.services,
        series_max: config.limits.series,
        metric_deadline: config
            .prometheus
            .timeout
            .min(config.tick.max(Duration::from_secs(2))),
    }
}

/// The address of Prometheus for people.
fn source_address(config: &Config, prometheus: &Prometheus) -> String {
    let external = config.prometheus.external_url.as_ref();
    external.map_or_else(|| prometheus.address().to_owned(), ToString::to_string)
}

/// Where logs lie, as configured.
///
/// # Errors
/// A path that is no template.
fn log_sources(config: &Config) -> anyhow::Result<Vec<LogSource>> {
    let source = |log: &config::LogSource| {
        let template = LogTemplate::new(&log.path)?;
        Ok(LogSource::with(template, &log.fields, log.zone.clone()))
    };
    config.logs.iter().map(source).collect()
}

fn say_remarks(storage: &Storage, restored: &Restored) {
    for remark in storage.remarks.iter().chain(&restored.remarks) {
        tracing::warn!(remark, "put right at start");
    }
    let incidents = restored.state.decide().incidents().count();
    let models = restored
        .swaps
        .iter()
        .filter(|swap| swap.model.is_some())
        .count();
    tracing::info!(
        series = restored.series.len(),
        models,
        incidents,
        "restored"
    );
}
