//! The tasks that scrape: one for each target, each at its own moment of the interval.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use super::asking::{Asker, ScraperError};
use super::config::ScrapeConfig;
use super::digest::{Digest, Outcome};
use super::families::{Families, Metadata};
use super::keep::Keep;
use super::targets::{Target, Targets};
use crate::Labels;
use crate::store::Store;

/// How often files that name targets are looked at.
const FILES_REREAD: Duration = Duration::from_secs(5);
/// Up to so late, a scrape counts as on time: even times cost the store next to nothing.
const LATE_MS_MAX: i64 = 10;

/// Milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Scrapes the targets of a configuration into a store.
pub struct Scraper {
    shared: Arc<Shared>,
    targets: Targets,
    /// Between calls of [`Scraper::once`].
    idle: HashMap<Labels, TargetScrape>,
}

struct Shared {
    config: ScrapeConfig,
    store: Arc<Store>,
    keep: Arc<Keep>,
    clock: Clock,
    /// By job.
    askers: Vec<Asker>,
    families: Arc<Families>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    targets: BTreeMap<Labels, TargetStatus>,
    remarks: Vec<String>,
}

/// What is seen of a scraper from outside, while it runs and afterwards.
#[derive(Clone)]
pub struct ScrapeView(Arc<Shared>);

/// How it stands with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetStatus {
    pub job: String,
    pub instance: String,
    pub url: String,
    pub labels: Labels,
    /// Whether the last scrape gave a page; `None` before the first.
    pub up: Option<bool>,
    pub last_scrape_ms: Option<i64>,
    /// Of the last scrape.
    pub duration: Duration,
    /// On the last page, and how many of them were kept.
    pub samples: usize,
    pub kept: usize,
    /// Why the last scrape failed.
    pub error: Option<String>,
}

impl ScrapeView {
    /// The targets at present, by their labels.
    pub fn targets(&self) -> Vec<TargetStatus> {
        self.0.seen().targets.values().cloned().collect()
    }

    /// What is wrong with the targets as they are named, each a sentence.
    pub fn remarks(&self) -> Vec<String> {
        self.0.seen().remarks.clone()
    }

    /// Of metrics of which something is kept, what targets say of them.
    pub fn metadata(&self) -> BTreeMap<String, Vec<Metadata>> {
        self.0.families.all()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }
}

impl Scraper {
    /// Nothing is asked yet. Reads CA files.
    ///
    /// # Errors
    /// TLS that can't be set up as a job wants it.
    pub fn new(
        config: ScrapeConfig,
        store: Arc<Store>,
        keep: Keep,
        clock: Clock,
    ) -> Result<Scraper, ScraperError> {
        let askers = config
            .jobs
            .iter()
            .map(Asker::new)
            .collect::<Result<_, _>>()?;
        Ok(Scraper {
            shared: Arc::new(Shared {
                config,
                store,
                keep: Arc::new(keep),
                clock,
                askers,
                families: Arc::default(),
                seen: Mutex::default(),
            }),
            targets: Targets::default(),
            idle: HashMap::new(),
        })
    }

    pub fn view(&self) -> ScrapeView {
        ScrapeView(Arc::clone(&self.shared))
    }

    /// Asks all targets at once, now, and comes back when each has answered or failed.
    pub async fn once(&mut self) {
        let found = self.find().await;
        let mut idle = mem::take(&mut self.idle);
        let mut scrapes = JoinSet::new();
        for target in found {
            let known = idle.remove(&target.labels);
            let known = known.filter(|scrape| scrape.target == target);
            let mut scrape =
                known.unwrap_or_else(|| TargetScrape::new(Arc::clone(&self.shared), target));
            scrapes.spawn(async move {
                let now = scrape.shared.now();
                scrape.scrape(now).await;
                scrape
            });
        }
        for (_, gone) in idle {
            gone.end().await;
        }
        while let Some(scrape) = scrapes.join_next().await {
            // One that panicked is made anew the next time.
            if let Ok(scrape) = scrape {
                self.idle.insert(scrape.target.labels.clone(), scrape);
            }
        }
    }

    /// Scrapes each target at its interval until told to stop; then the scrapes under way are
    /// given up. Series don't end by that: we may be back at once.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut tasks: HashMap<Labels, ScrapeTask> = HashMap::new();
        let changing = self
            .shared
            .config
            .jobs
            .iter()
            .any(|job| !job.files.is_empty());
        while !*stop.borrow() {
            let found = self.find().await;
            self.adjust(&mut tasks, found).await;
            tokio::select! {
                // An owner that is gone wants no more scrapes either.
                changed = stop.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(FILES_REREAD), if changing => {}
            }
        }
        for task in tasks.values() {
            let _ = task.order.send(Order::Stop);
        }
        for (_, task) in tasks {
            let _ = task.handle.await;
        }
    }

    /// The targets as they are named now.
    async fn find(&mut self) -> Vec<Target> {
        let mut targets = mem::take(&mut self.targets);
        let shared = Arc::clone(&self.shared);
        let finding = spawn_blocking(move || {
            let found = targets.find(&shared.config);
            (targets, found)
        });
        let Ok((targets, (found, remarks))) = finding.await else {
            // Only while the runtime ends.
            return Vec::new();
        };
        self.targets = targets;
        self.shared.seen().remarks = remarks;
        found
    }

    /// Ends the tasks of targets that are gone or asked otherwise, and starts those of new ones.
    async fn adjust(&self, tasks: &mut HashMap<Labels, ScrapeTask>, found: Vec<Target>) {
        let wanted: HashMap<&Labels, &Target> = found
            .iter()
            .map(|target| (&target.labels, target))
            .collect();
        let gone = tasks.iter().filter(|(labels, task)| {
            wanted.get(labels) != Some(&&task.target) || task.handle.is_finished()
        });
        let gone: Vec<Labels> = gone.map(|(labels, _)| labels.clone()).collect();
        for labels in gone {
            if let Some(task) = tasks.remove(&labels) {
                let _ = task.order.send(Order::End);
                let _ = task.handle.await;
            }
        }
        for target in found {
            if !tasks.contains_key(&target.labels) {
                let labels = target.labels.clone();
                tasks.insert(labels, ScrapeTask::start(&self.shared, target));
            }
        }
    }
}

/// What a task is told.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Scrape,
    /// The target is gone.
    End,
    /// We are going.
    Stop,
}

struct ScrapeTask {
    target: Target,
    order: watch::Sender<Order>,
    handle: JoinHandle<()>,
}

impl ScrapeTask {
    fn start(shared: &Arc<Shared>, target: Target) -> ScrapeTask {
        let (order, orders) = watch::channel(Order::Scrape);
        let scrape = TargetScrape::new(Arc::clone(shared), target.clone());
        let handle = tokio::spawn(scrape.run(orders));
        ScrapeTask {
            target,
            order,
            handle,
        }
    }
}

/// Scrapes one target, again and again.
struct TargetScrape {
    shared: Arc<Shared>,
    target: Target,
    /// Away while a page is taken in.
    digest: Option<Digest>,
}

impl TargetScrape {
    fn new(shared: Arc<Shared>, target: Target) -> TargetScrape {
        let label = |name| target.labels.get(name).unwrap_or_default().to_owned();
        let status = TargetStatus {
            job: label("job"),
            instance: label("instance"),
            url: target.url.to_string(),
            labels: target.labels.clone(),
            up: None,
            last_scrape_ms: None,
            duration: Duration::ZERO,
            samples: 0,
            kept: 0,
            error: None,
        };
        shared.seen().targets.insert(target.labels.clone(), status);
        TargetScrape {
            shared,
            target,
            digest: None,
        }
    }

    async fn run(mut self, mut orders: watch::Receiver<Order>) {
        let interval = self.shared.config.jobs[self.target.job].interval;
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let offset_ms = offset(&self.target, interval_ms);
        let mut last_ms = i64::MIN;
        loop {
            let now = self.shared.now();
            let due_ms = next_due(now.max(last_ms.saturating_add(1)), interval_ms, offset_ms);
            let wait = u64::try_from(due_ms.saturating_sub(now)).unwrap_or_default();
            let wait = Duration::from_millis(wait);
            tokio::select! {
                _ = orders.changed() => break,
                () = tokio::time::sleep(wait) => {}
            }
            let now = self.shared.now();
            if now < due_ms {
                // The clock was set back, or the timer came a moment early.
                continue;
            }
            let late_max = LATE_MS_MAX.min(interval_ms / 100);
            let time_ms = if now - due_ms <= late_max {
                due_ms
            } else {
                now
            };
            last_ms = time_ms;
            tokio::select! {
                _ = orders.changed() => break,
                () = self.scrape(time_ms) => {}
            }
        }
        let order = *orders.borrow();
        if order == Order::End {
            self.end().await;
        }
    }

    /// Asks once, and says what came of it.
    async fn scrape(&mut self, time_ms: i64) {
        let began = Instant::now();
        let page = self.shared.askers[self.target.job]
            .ask(&self.target.url)
            .await;
        let took = began.elapsed();
        let mut digest = self.digest();
        // Reading a page and compressing what came before is arithmetic.
        let taking = spawn_blocking(move || {
            let outcome = digest.take(time_ms, page, took);
            (digest, outcome)
        });
        let outcome = match taking.await {
            Ok((digest, outcome)) => {
                self.digest = Some(digest);
                outcome
            }
            Err(error) => Outcome {
                error: Some(format!("its page could not be taken in: {error}")),
                ..Outcome::default()
            },
        };
        let mut seen = self.shared.seen();
        if let Some(status) = seen.targets.get_mut(&self.target.labels) {
            status.up = Some(outcome.error.is_none());
            status.last_scrape_ms = Some(time_ms);
            status.duration = took;
            status.samples = outcome.samples;
            status.kept = outcome.kept;
            status.error = outcome.error;
        }
    }

    fn digest(&mut self) -> Digest {
        self.digest.take().unwrap_or_else(|| {
            let job = &self.shared.config.jobs[self.target.job];
            Digest::new(
                Arc::clone(&self.shared.store),
                Arc::clone(&self.shared.keep),
                Arc::clone(&self.shared.families),
                self.target.labels.clone(),
                job.honor_labels,
                job.sample_limit,
            )
        })
    }

    /// The target is gone: its series end, and nobody asks how it is.
    async fn end(mut self) {
        let now = self.shared.now();
        let mut digest = self.digest();
        let _ = spawn_blocking(move || digest.end(now)).await;
        self.shared.seen().targets.remove(&self.target.labels);
    }
}

/// Where in the interval a target is asked: spread over it, and the same after a restart.
fn offset(target: &Target, interval_ms: i64) -> i64 {
    let mut hasher = DefaultHasher::new();
    (target.labels.to_string(), target.url.as_str()).hash(&mut hasher);
    let spread = hasher.finish() % interval_ms.max(1).unsigned_abs();
    i64::try_from(spread).unwrap_or_default()
}

/// The first time that isn't before `now` and lies on the grid.
fn next_due(now_ms: i64, interval_ms: i64, offset_ms: i64) -> i64 {
    let interval_ms = interval_ms.max(1);
    let since = now_ms.saturating_sub(offset_ms).rem_euclid(interval_ms);
    match since {
        0 => now_ms,
        since => now_ms.saturating_add(interval_ms - since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapes_lie_on_a_grid_of_their_target() {
        assert_eq!(next_due(100_000, 15_000, 5_000), 110_000);
        assert_eq!(next_due(110_000, 15_000, 5_000), 110_000);
        assert_eq!(next_due(110_001, 15_000, 5_000), 125_000);
        assert_eq!(next_due(-1, 15_000, 5_000), 5_000);
    }

    #[test]
    fn targets_are_spread_over_the_interval() {
        let offsets: Vec<i64> = (0..200)
            .map(|i| {
                let instance = format!("host-{i}:8080");
                let url = format!("http://{instance}/metrics").parse().unwrap();
                let labels = Labels::new([("instance", instance.as_str())]);
                offset(
                    &Target {
                        job: 0,
                        url,
                        labels,
                    },
                    15_000,
                )
            })
            .collect();
        for third in 0..3 {
            let within = |offset: &&i64| (third * 5_000..(third + 1) * 5_000).contains(*offset);
            let count = offsets.iter().filter(within).count();
            assert!(
                (40..=95).contains(&count),
                "{count} of 200 in third {third}"
            );
        }
    }
}
