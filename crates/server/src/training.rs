//! Training beside the tick: on start, on schedule and on request, along one path.
//!
//! One job runs at a time; a request that another waiting or running job covers joins it. Each
//! series is trained from its dataset on disk; new models are stored and then handed to the
//! engine, which swaps them in at a tick.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use detect::{Model, Outcome, Season, Settings, Trained, TrainingSet, median_spacing, train};
use domain::{Catalogue, MetricId, Part, Sample, SeriesId, ServiceId, Timestamp};
use engine::Swap;
use incident::Masks;
use rayon::ThreadPool;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use store::{Job, JobState};
use tokio::sync::{Notify, mpsc, watch};

use crate::clock;
use crate::config::Schedule;
use crate::live::Live;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::telemetry;
use crate::tick::{Message, chain};

/// Jobs that may wait; a request beyond is refused.
const WAITING_MAX: usize = 64;
/// Series whose models are trained before their swaps are handed on.
const BATCH: usize = 64;
/// A schedule's next run is looked for at least this often, so that changes of the clock are seen.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// When the schedule ran last: a restart doesn't put the next run off.
const META_KEY: &str = "training_scheduled";
/// The niceness of the threads that train.
const LOWEST_PRIORITY: i32 = 19;

/// Which series a job trains; all where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    pub service: Option<ServiceId>,
    pub metric: Option<MetricId>,
}

/// Why a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    Start,
    Backfill,
    Schedule,
    Request,
    CommandLine,
}

/// What became of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesOutcome {
    pub service: ServiceId,
    pub metric: MetricId,
    /// `trained`, `not_enough_samples`, `kept_old` or `failed`.
    pub outcome: String,
    /// The outcome in words, with its numbers.
    pub detail: String,
    /// Of the model that is in use afterwards.
    pub trained_at: Option<Timestamp>,
    pub rows: Option<u64>,
}

/// One training job, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingJob {
    pub id: String,
    pub trigger: Trigger,
    pub selection: Selection,
    pub state: String,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Series done and to do.
    pub done: usize,
    pub total: usize,
    pub outcomes: Vec<SeriesOutcome>,
    pub error: Option<String>,
}

impl TrainingJob {
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }
}

/// Everything that a training rests on beside the data.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub catalogue: Catalogue,
    pub settings: Settings,
    pub season: Season,
    pub tick: Duration,
    pub quiet_period: Duration,
}

/// The queue of jobs, shared by the API, the schedule and the trainer.
#[derive(Default)]
pub struct Queue {
    jobs: Mutex<Jobs>,
    wake: Notify,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<TrainingJob>,
    running: Option<TrainingJob>,
    finished: VecDeque<TrainingJob>,
    next_run: Option<Timestamp>,
    count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{WAITING_MAX} training jobs wait already; try again when one has finished")]
pub struct QueueFull;

impl Queue {
    /// Adds a job, or joins one that covers the selection.
    ///
    /// # Errors
    /// Too many jobs wait.
    pub fn request(
        &self,
        selection: Selection,
        trigger: Trigger,
    ) -> Result<TrainingJob, QueueFull> {
        let mut jobs = self.lock();
        let covers = |job: &&TrainingJob| {
            job.selection == selection || job.selection == Selection::default()
        };
        if let Some(job) = jobs.running.iter().chain(&jobs.waiting).find(covers) {
            return Ok(job.clone());
        }
        if jobs.waiting.len() >= WAITING_MAX {
            return Err(QueueFull);
        }
        jobs.count += 1;
        let created_at = clock::now();
        let job = TrainingJob {
            id: format!("train-{}-{}", created_at.as_millis(), jobs.count),
            trigger,
            selection,
            state: "waiting".into(),
            created_at,
            started_at: None,
            finished_at: None,
            done: 0,
            total: 0,
            outcomes: Vec::new(),
            error: None,
        };
        jobs.waiting.push_back(job.clone());
        drop(jobs);
        self.wake.notify_one();
        Ok(job)
    }

    /// A job that waits, runs, or finished lately.
    pub fn job(&self, id: &str) -> Option<TrainingJob> {
        let jobs = self.lock();
        let all = jobs
            .waiting
            .iter()
            .chain(&jobs.running)
            .chain(&jobs.finished);
        all.into_iter().find(|job| job.id == id).cloned()
    }

    /// Newest first.
    pub fn recent(&self) -> Vec<TrainingJob> {
        let jobs = self.lock();
        let finished = jobs.finished.iter().rev();
        jobs.waiting
            .iter()
            .rev()
            .chain(&jobs.running)
            .chain(finished)
            .cloned()
            .collect()
    }

    /// Something of each job that finished lately, runs or waits, in this order.
    pub fn each<T>(&self, look: impl Fn(&TrainingJob) -> T) -> Vec<T> {
        let jobs = self.lock();
        let begun = jobs.finished.iter().chain(&jobs.running);
        begun.chain(&jobs.waiting).map(look).collect()
    }

    pub fn next_run(&self) -> Option<Timestamp> {
        self.lock().next_run
    }

    /// Waits until the job has finished.
    pub async fn finished(&self, id: &str) -> Option<TrainingJob> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let job = self.job(id)?;
            if job.is_finished() {
                return Some(job);
            }
            changed.changed().await.ok()?;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_next(&self) -> Option<TrainingJob> {
        let mut jobs = self.lock();
        let mut job = jobs.waiting.pop_front()?;
        job.state = "running".into();
        job.started_at = Some(clock::now());
        jobs.running = Some(job.clone());
        Some(job)
    }

    fn progress(&self, done: usize, total: usize) {
        if let Some(job) = &mut self.lock().running {
            (job.done, job.total) = (done, total);
        }
    }

    fn finish(&self, job: TrainingJob) {
        let mut jobs = self.lock();
        jobs.running = None;
        jobs.finished.push_back(job);
        while jobs.finished.len() > 50 {
            jobs.finished.pop_front();
        }
        drop(jobs);
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Threads that do heavy arithmetic only while nobody else wants the processor.
///
/// # Errors
/// The system gives no threads.
pub fn pool() -> anyhow::Result<ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|number| format!("training-{number}"))
        .start_handler(|_| lower_priority());
    Ok(pool.build()?)
}

/// Gives this thread the lowest priority, which Linux keeps by thread.
fn lower_priority() {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), LOWEST_PRIORITY) {
        tracing::warn!(%error, "training runs at the priority of everything else");
    }
}

/// The task that trains.
pub struct Training {
    /// Where models are fitted.
    pub pool: Arc<ThreadPool>,
    pub queue: Arc<Queue>,
    pub storage: Arc<Storage>,
    /// The recipe and the schedule.
    pub live: Live,
    pub engine: mpsc::Sender<Message>,
    pub stop: watch::Receiver<bool>,
}

impl Training {
    /// Runs until told to stop; a job under way ends after the series it is at.
    pub async fn run(mut self) {
        let mut last_run = self.last_run().await;
        loop {
            let config = self.live.config();
            let next = next_run(&config.training.schedule, &config.season.timezone, last_run);
            self.queue.lock().next_run = next;
            let now = clock::now();
            let wait = next.map_or(LOOK_EVERY, |next| next.since(now).min(LOOK_EVERY));
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                () = self.queue.wake.notified() => {}
                () = self.live.changed() => continue,
                () = tokio::time::sleep(wait) => {}
            }
            let now = clock::now();
            if next.is_some_and(|next| next <= now) {
                last_run = now;
                self.remember_run(now).await;
                if let Err(error) = self.queue.request(Selection::default(), Trigger::Schedule) {
                    tracing::warn!(%error, "the scheduled training is left out");
                }
            }
            while let Some(job) = self.queue.start_next() {
                let finished = self.work(job).await;
                if let Err(error) = self.store(&finished).await {
                    tracing::error!(error = %chain(&error), "a finished training job could not be stored");
                }
                self.queue.finish(finished);
                if *self.stop.borrow() {
                    return;
                }
            }
        }
    }

    /// When the schedule ran last; before its first run, when this data directory was first used.
    async fn last_run(&self) -> Timestamp {
        let now = clock::now();
        let stored = self.storage.database.meta(META_KEY).await.ok().flatten();
        match stored.and_then(|text| text.parse::<Timestamp>().ok()) {
            Some(last) => last.min(now),
            None => {
                self.remember_run(now).await;
                now
            }
        }
    }

    async fn remember_run(&self, at: Timestamp) {
        let text = at.to_string();
        if let Err(error) = self.storage.database.set_meta(META_KEY, &text).await {
            tracing::warn!(error = %chain(&error), "the time of the scheduled training could not be stored; after a restart the schedule begins anew");
        }
    }

    async fn work(&self, mut job: TrainingJob) -> TrainingJob {
        let began = tokio::time::Instant::now();
        match self.train_selected(&job).await {
            Ok(outcomes) => {
                job.state = "done".into();
                job.done = outcomes.len();
                job.total = outcomes.len();
                job.outcomes = outcomes;
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "training failed");
                job.state = "failed".into();
                job.error = Some(format!("{error:#}"));
            }
        }
        job.finished_at = Some(clock::now());
        telemetry::training_took(began.elapsed());
        let trained = job
            .outcomes
            .iter()
            .filter(|o| o.outcome == "trained")
            .count();
        tracing::info!(job = job.id, trigger = ?job.trigger, series = job.total, trained, seconds = began.elapsed().as_secs_f64(), "training finished");
        job
    }

    async fn train_selected(&self, job: &TrainingJob) -> anyhow::Result<Vec<SeriesOutcome>> {
        let now = clock::now();
        let in_force = self.live.get();
        let recipe = &in_force.recipe;
        let masks = masks(&self.storage, recipe, now).await?;
        let series = selected(&self.storage, recipe, &job.selection)?;
        let total = series.len();
        let mut outcomes = Vec::with_capacity(total);
        for batch in series.chunks(BATCH) {
            let (storage, recipe, masks) =
                (Arc::clone(&self.storage), recipe.clone(), masks.clone());
            let batch = batch.to_vec();
            let pool = Arc::clone(&self.pool);
            let trained = tokio::task::spawn_blocking(move || {
                pool.install(|| train_batch(&storage, &recipe, &masks, &batch, now))
            })
            .await?;
            let mut swaps = Vec::new();
            for (outcome, swap) in trained {
                outcomes.push(outcome);
                swaps.extend(swap);
            }
            if self.engine.send(Message::Swaps(swaps)).await.is_err() || *self.stop.borrow() {
                anyhow::bail!("the server stops");
            }
            self.queue.progress(outcomes.len(), total);
        }
        Ok(outcomes)
    }

    async fn store(&self, job: &TrainingJob) -> Result<(), store::DatabaseError> {
        let body = serde_json::to_value(job).unwrap_or_default();
        let state = if job.error.is_some() {
            JobState::Failed
        } else {
            JobState::Succeeded
        };
        self.storage
            .database
            .save_job(&Job {
                id: job.id.clone(),
                kind: "train".into(),
                state,
                created: job.created_at,
                finished: job.finished_at,
                body,
            })
            .await
    }
}

/// When the schedule runs next after `last`.
pub fn next_run(
    schedule: &Schedule,
    timezone: &jiff::tz::TimeZone,
    last: Timestamp,
) -> Option<Timestamp> {
    match schedule {
        Schedule::Every(interval) => Some(last + *interval),
        Schedule::Cron { cron, .. } => {
            let after = jiff::Timestamp::from_millisecond(last.as_millis()).ok()?;
            let after = after.to_zoned(timezone.clone());
            let next = cron.find_next_occurrence(&after, false).ok()?;
            Some(Timestamp::from_millis(next.timestamp().as_millisecond()))
        }
    }
}

/// The episodes that mask the training window.
pub async fn masks(storage: &Storage, recipe: &Recipe, now: Timestamp) -> anyhow::Result<Masks> {
    let since = now
        - recipe
            .settings
            .window
            .max(Duration::from_secs(400 * 86_400));
    let episodes = storage.database.episodes(since).await?;
    Ok(Masks::new(episodes, recipe.quiet_period))
}

/// The series on disk that a selection names and the catalogue knows.
pub fn selected(
    storage: &Storage,
    recipe: &Recipe,
    selection: &Selection,
) -> anyhow::Result<Vec<SeriesId>> {
    let mut series = storage.datasets().list()?;
    series.retain(|id| {
        recipe.catalogue.get(&id.metric).is_some()
            && selection
                .service
                .as_ref()
                .is_none_or(|service| *service == id.service)
            && selection
                .metric
                .as_ref()
                .is_none_or(|metric| *metric == id.metric)
    });
    Ok(series)
}

/// Trains some series side by side, stores their models, and gives the swaps.
pub fn train_batch(
    storage: &Storage,
    recipe: &Recipe,
    masks: &Masks,
    batch: &[SeriesId],
    now: Timestamp,
) -> Vec<(SeriesOutcome, Option<Swap>)> {
    batch
        .par_iter()
        .map(|series| {
            let trained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                train_series(storage, recipe, masks, series, now)
            }));
            let (outcome, swap) = trained.unwrap_or_else(|_| {
                (
                    failed(series, "training panicked; the old model goes on".into()),
                    None,
                )
            });
            telemetry::trained(match outcome.outcome.as_str() {
                "trained" => "trained",
                "kept_old" => "kept_old",
                "not_enough_samples" => "not_enough_samples",
                _ => "failed",
            });
            (outcome, swap)
        })
        .collect()
}

fn train_series(
    storage: &Storage,
    recipe: &Recipe,
    masks: &Masks,
    series: &SeriesId,
    now: Timestamp,
) -> (SeriesOutcome, Option<Swap>) {
    let Some(spec) = recipe.catalogue.get(&series.metric) else {
        return (failed(series, "its metric is not configured".into()), None);
    };
    let history = match history(storage, series, now, &recipe.settings) {
        Ok(history) => history,
        Err(error) => return (failed(series, chain(&error)), None),
    };
    let step = median_spacing(&history.samples)
        .unwrap_or(recipe.tick)
        .max(recipe.tick);
    let mut intervals: Vec<(Timestamp, Timestamp)> = masks
        .of(series, step)
        .into_iter()
        .map(|(from, to, _)| (from, to))
        .collect();
    intervals.extend(history.anomaly_rows.iter().map(|time| (*time, *time)));
    let previous = previous_model(storage, series);
    let set = TrainingSet {
        series,
        samples: &history.samples,
        masks: &intervals,
        step,
    };
    let outcome = train(
        set,
        spec,
        &recipe.settings,
        &recipe.season,
        now,
        previous.as_ref(),
    );
    match outcome {
        Outcome::Trained(trained) => stored(storage, series, *trained),
        Outcome::NotEnoughSamples { have, need } => {
            let detail = format!("{have} usable samples, {need} are needed");
            (
                untrained(series, "not_enough_samples", detail, previous.as_ref()),
                None,
            )
        }
        Outcome::KeptOld { new_loss, old_loss } => {
            let detail = format!(
                "kept the old model because the new one is worse: it misses recent values by {new_loss:.3} {unit}, the old one by {old_loss:.3} {unit}",
                unit = spec.unit
            );
            (
                untrained(series, "kept_old", detail, previous.as_ref()),
                None,
            )
        }
    }
}

fn stored(storage: &Storage, series: &SeriesId, trained: Trained) -> (SeriesOutcome, Option<Swap>) {
    let model = trained.model.encode();
    let state = trained.state.map(|state| state.encode());
    let saved = storage.models.save(series, &model).and_then(|()| {
        let state = state.as_deref();
        state.map_or(Ok(()), |state| storage.models.save_state(series, state))
    });
    if let Err(error) = saved {
        telemetry::store_failed("models");
        return (failed(series, chain(&error)), None);
    }
    let header = &trained.model.header;
    let constant = if header.constant {
        ", constant series"
    } else {
        ""
    };
    let outcome = SeriesOutcome {
        service: series.service.clone(),
        metric: series.metric.clone(),
        outcome: "trained".into(),
        detail: format!(
            "{} rows of {} to {}, {} masked{constant}",
            header.rows, header.window_from, header.window_to, header.masked_rows
        ),
        trained_at: Some(header.trained_at),
        rows: Some(header.rows),
    };
    let swap = Swap {
        series: series.clone(),
        model: Some(model.into()),
        state: state.map(Into::into),
    };
    (outcome, Some(swap))
}

/// The model on disk; one that can't be read is as good as none, and is set aside at start.
fn previous_model(storage: &Storage, series: &SeriesId) -> Option<Model> {
    let bytes = storage.models.load(series).ok()??;
    Model::decode(&bytes, series).ok()
}

struct History {
    /// Oldest first, of both parts.
    samples: Vec<Sample>,
    /// The times of the rows in `anomaly/`.
    anomaly_rows: Vec<Timestamp>,
}

fn history(
    storage: &Storage,
    series: &SeriesId,
    now: Timestamp,
    settings: &Settings,
) -> Result<History, store::DatasetError> {
    let datasets = storage.datasets();
    let mut dataset = datasets.read(series, now - settings.window)?;
    if dataset.rows.len() < settings.window_min_samples {
        dataset = datasets.read(series, Timestamp::EPOCH)?;
    }
    drop(datasets);
    for skipped in dataset.skipped.iter().take(3) {
        tracing::warn!(%series, line = %skipped, "a dataset line was skipped");
    }
    let mut history = History {
        samples: Vec::new(),
        anomaly_rows: Vec::new(),
    };
    for (row, part) in dataset.rows {
        history.samples.push(Sample {
            time: row.timestamp,
            value: row.value,
        });
        if part == Part::Anomaly {
            history.anomaly_rows.push(row.timestamp);
        }
    }
    Ok(history)
}

fn untrained(
    series: &SeriesId,
    outcome: &str,
    detail: String,
    previous: Option<&Model>,
) -> SeriesOutcome {
    SeriesOutcome {
        service: series.service.clone(),
        metric: series.metric.clone(),
        outcome: outcome.into(),
        detail,
        trained_at: previous.map(|model| model.header.trained_at),
        rows: previous.map(|model| model.header.rows),
    }
}

fn failed(series: &SeriesId, why: String) -> SeriesOutcome {
    tracing::error!(%series, why, "a model could not be trained");
    untrained(series, "failed", why, None)
}

/// How often each outcome occurred, for summaries.
pub fn tally(outcomes: &[SeriesOutcome]) -> BTreeMap<&str, usize> {
    outcomes.iter().fold(BTreeMap::new(), |mut tally, outcome| {
        *tally.entry(outcome.outcome.as_str()).or_default() += 1;
        tally
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_threads_that_train_have_the_lowest_priority() {
        let niceness = || {
            let thread = rustix::thread::gettid();
            rustix::process::getpriority_process(Some(thread)).unwrap()
        };
        let before = niceness();
        let all = pool().unwrap().broadcast(|_| niceness());
        assert!(all.iter().all(|nice| *nice == LOWEST_PRIORITY), "{all:?}");
        assert_eq!(niceness(), before);
    }
}
