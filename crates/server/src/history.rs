//! The past from Prometheus: what lies before the first start, and what an outage left out.
//!
//! The newest hours that make a model come first, so that models exist within a minute; older ones
//! follow in the background and are trained in afterwards. Nothing is opened retrospectively:
//! rows go to the datasets, memories are rebuilt from them and swapped in at a tick.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use domain::{Sample, SeriesId, Timestamp};
use rayon::prelude::*;
use serde::Serialize;
use sources::{BackfillReport, BackfillRequest, BackfillSlice, Prometheus};
use store::DatasetError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::collecting::PlanRequest;
use crate::restore::{memory, past_rows};
use crate::snapshot::Snapshot;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::tick::{Message, chain};
use crate::training::{Queue, Recipe, Selection, Trigger, masks};

/// Samples that are held before they are written.
const SAMPLES_HELD_MAX: usize = 4_000_000;
/// New series are looked for after so many ticks, and at least after a minute: targets of a
/// Prometheus that has just started come one after the other.
const NEW_SERIES_TICKS: u32 = 2;
const NEW_SERIES_WITHIN: Duration = Duration::from_secs(60);
/// Samples before a filled stretch, from which its first features are computed.
const LEAD: Duration = Duration::from_secs(3600);
const HOUR: Duration = Duration::from_secs(3600);
/// Scrape intervals that people set; a measured one near to one of them is that one.
const USUAL_STEPS: [u64; 12] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900];
/// Which series have their past already.
const META_KEY: &str = "backfilled";

/// How the backfill stands, for `/api/v1/status`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Progress {
    /// `waiting`, `recent`, `older`, `filling a gap` or `done`.
    pub phase: &'static str,
    /// Of the phase, 0 to 1.
    pub done: f64,
    pub samples: u64,
    /// The first failure of the last run.
    pub failure: Option<String>,
}

/// A stretch of time that was not evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The task that fetches the past.
pub struct History {
    pub prometheus: Prometheus,
    pub plans: mpsc::Sender<PlanRequest>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub outages: mpsc::Receiver<Outage>,
    pub storage: Arc<Storage>,
    pub recipe: Recipe,
    /// The newest row of each series when we started.
    pub last_rows: BTreeMap<SeriesId, Timestamp>,
    pub queue: Arc<Queue>,
    pub engine: mpsc::Sender<Message>,
    pub progress: Arc<Mutex<Progress>>,
    pub stop: watch::Receiver<bool>,
}

impl History {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        self.set_phase("waiting");
        let mut backfilled = self.backfilled().await;
        let Some(first) = self.first_answer().await else {
            return;
        };
        let look_again = (self.recipe.tick * NEW_SERIES_TICKS).min(NEW_SERIES_WITHIN);
        if let Err(error) = self.catch_up(&backfilled, first).await {
            self.failed(&error);
        }
        loop {
            let new: BTreeSet<SeriesId> = self
                .present()
                .into_iter()
                .filter(|id| !backfilled.contains(id))
                .collect();
            if !new.is_empty() {
                match self.backfill(&new, first).await {
                    Ok(()) => {
                        backfilled.extend(new);
                        self.remember(&backfilled).await;
                    }
                    Err(error) => self.failed(&error),
                }
            }
            self.set_phase("done");
            tokio::select! {
                Some(outage) = self.outages.recv() => {
                    if let Err(error) = self.fill_outage(outage).await {
                        self.failed(&error);
                    }
                }
                () = tokio::time::sleep(look_again) => {}
            }
        }
    }

    /// The first evaluation instant at which the source answered and had services.
    async fn first_answer(&mut self) -> Option<Timestamp> {
        let answered = |snapshot: &Arc<Snapshot>| {
            snapshot.answered_at.is_some() && !snapshot.services.is_empty()
        };
        let snapshot = self.snapshots.wait_for(answered).await.ok()?;
        snapshot.answered_at
    }

    /// Every series that has had a sample.
    fn present(&self) -> BTreeSet<SeriesId> {
        let snapshot = self.snapshots.borrow();
        let findings = snapshot.services.values().flat_map(|view| &view.findings);
        findings
            .filter(|f| f.newest.is_some())
            .map(|f| f.series.clone())
            .collect()
    }

    /// What was missed while we were not running.
    async fn catch_up(&self, known: &BTreeSet<SeriesId>, first: Timestamp) -> anyhow::Result<()> {
        let oldest = first - self.recipe.settings.window;
        let last_rows = self.last_rows.iter().filter(|(id, _)| known.contains(id));
        let from = last_rows.clone().map(|(_, time)| *time).min();
        let Some(from) = from.filter(|from| first.since(*from) > 2 * self.recipe.tick) else {
            return Ok(());
        };
        self.set_phase("filling a gap");
        let series = last_rows.map(|(id, _)| id.clone()).collect();
        self.fill(from.max(oldest), first, self.recipe.tick, &series)
            .await?;
        self.swap_memories(&series).await
    }

    async fn fill_outage(&self, outage: Outage) -> anyhow::Result<()> {
        tracing::info!(from = %outage.from, to = %outage.to, "filling what was not evaluated");
        self.set_phase("filling a gap");
        let series = self.present();
        let from = outage.from.max(outage.to - self.recipe.settings.window);
        self.fill(from, outage.to, self.recipe.tick, &series)
            .await?;
        self.swap_memories(&series).await
    }

    /// The past of new series: the newest hours that make a model, then the rest of the window.
    async fn backfill(&self, series: &BTreeSet<SeriesId>, first: Timestamp) -> anyhow::Result<()> {
        let oldest = first - self.recipe.settings.window;
        let hours = self.hours_with_samples(oldest, first).await?;
        let step = usual_step(&hours).max(self.recipe.tick);
        let enough =
            step * u32::try_from(self.recipe.settings.window_min_samples).unwrap_or(u32::MAX);
        let recent = (first - enough.max(HOUR)).max(oldest);
        self.set_phase("recent");
        self.fill(recent, first, step, series).await?;
        self.train(series).await;
        let since = hours.iter().map(|(hour, _)| *hour - HOUR).min();
        let Some(since) = since.filter(|since| *since < recent) else {
            return Ok(());
        };
        self.set_phase("older");
        self.fill(since.max(oldest), recent, step, series).await?;
        self.train(series).await;
        Ok(())
    }

    /// Trains the series that were filled; all at once where they are many.
    async fn train(&self, series: &BTreeSet<SeriesId>) {
        let services: BTreeSet<_> = series.iter().map(|id| id.service.clone()).collect();
        let selections = if services.len() > 8 {
            vec![Selection::default()]
        } else {
            let of = |service| Selection {
                service: Some(service),
                metric: None,
            };
            services.into_iter().map(of).collect()
        };
        let mut jobs = Vec::new();
        for selection in selections {
            match self.queue.request(selection, Trigger::Backfill) {
                Ok(job) => jobs.push(job.id),
                Err(error) => {
                    tracing::warn!(%error, "training after a backfill is left to the schedule")
                }
            }
        }
        for job in jobs {
            self.queue.finished(&job).await;
        }
    }

    /// Fetches a stretch and writes it, a bounded number of samples at a time.
    async fn fill(
        &self,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        series: &BTreeSet<SeriesId>,
    ) -> anyhow::Result<()> {
        let points = (SAMPLES_HELD_MAX / series.len().max(1)).max(60);
        let stretch = step * u32::try_from(points).unwrap_or(u32::MAX);
        let mut start = from;
        while start < to {
            let end = (start + stretch).min(to);
            let (held, report) = self.fetch(start, end, step, series).await?;
            self.insert(held, step).await?;
            if let Some(failure) = report.failure {
                self.failed(&anyhow::anyhow!(
                    "{} slices of the past failed: {failure}",
                    report.slices_failed
                ));
            }
            start = end + step;
        }
        Ok(())
    }

    async fn fetch(
        &self,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        series: &BTreeSet<SeriesId>,
    ) -> anyhow::Result<(BTreeMap<SeriesId, Vec<Sample>>, BackfillReport)> {
        let request = BackfillRequest {
            from,
            to,
            step,
            series: Some(series.clone()),
        };
        let (reply, plan) = oneshot::channel();
        self.plans
            .send(PlanRequest { request, reply })
            .await
            .context("the server stops")?;
        let backfill = plan.await.context("the server stops")?;
        let mut held: BTreeMap<SeriesId, Vec<Sample>> = BTreeMap::new();
        let on_slice = |slice: BackfillSlice| {
            let pasts = slice.pasts.unwrap_or_default();
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.done = slice.done;
            progress.samples += pasts
                .iter()
                .map(|past| past.samples.len() as u64)
                .sum::<u64>();
            drop(progress);
            for past in pasts {
                held.entry(past.series).or_default().extend(past.samples);
            }
        };
        let report = backfill.run(on_slice).await;
        Ok((held, report))
    }

    async fn insert(
        &self,
        held: BTreeMap<SeriesId, Vec<Sample>>,
        step: Duration,
    ) -> anyhow::Result<()> {
        let storage = Arc::clone(&self.storage);
        let recipe = self.recipe.clone();
        let masks = masks(&storage, &recipe, crate::clock::now()).await?;
        tokio::task::spawn_blocking(move || {
            for (series, samples) in held {
                let Some(first) = samples.first() else {
                    continue;
                };
                let there = samples_since(&storage, &series, first.time - LEAD)?;
                let lead = &there[..there.partition_point(|s| s.time < first.time)];
                let missing = missing(&samples, &there, step);
                let rows = past_rows(&recipe, &masks, &series, lead, &missing, step);
                storage.datasets_mut().insert(&series, rows)?;
            }
            Ok::<(), DatasetError>(())
        })
        .await?
        .context("write the past to the datasets")
    }

    /// Rebuilds the memories of series whose datasets were filled, and swaps them in.
    async fn swap_memories(&self, series: &BTreeSet<SeriesId>) -> anyhow::Result<()> {
        let storage = Arc::clone(&self.storage);
        let recipe = self.recipe.clone();
        let series: Vec<SeriesId> = series.iter().cloned().collect();
        let now = crate::clock::now();
        let masks = masks(&storage, &recipe, now).await?;
        let swaps = tokio::task::spawn_blocking(move || {
            let rebuilt = series
                .par_iter()
                .map(|id| memory(&storage, &recipe, &masks, id, now).swap);
            rebuilt.collect::<Vec<_>>()
        })
        .await?;
        self.engine
            .send(Message::Swaps(swaps))
            .await
            .context("the server stops")
    }

    /// The hours (by their ends) in which some target was scraped, and how often.
    async fn hours_with_samples(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<Vec<(Timestamp, f64)>> {
        let count = |metric: &str| format!("max(count_over_time({metric}[1h]))");
        let query = format!("{} or {}", count("process_start_time_seconds"), count("up"));
        let answer = self.prometheus.range(&query, from, to + HOUR, HOUR).await?;
        let points = answer.data.into_iter().flat_map(|series| series.points);
        Ok(points.filter(|(_, count)| *count > 0.0).collect())
    }

    async fn backfilled(&self) -> BTreeSet<SeriesId> {
        let stored = self.storage.database.meta(META_KEY).await.ok().flatten();
        stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    async fn remember(&self, backfilled: &BTreeSet<SeriesId>) {
        let text = serde_json::to_string(backfilled).unwrap_or_default();
        if let Err(error) = self.storage.database.set_meta(META_KEY, &text).await {
            tracing::warn!(error = %chain(&error), "which series have their past could not be stored; it is fetched again at the next start");
        }
    }

    fn set_phase(&self, phase: &'static str) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.phase = phase;
        progress.done = f64::from(phase == "done");
    }

    fn failed(&self, error: &anyhow::Error) {
        tracing::warn!(error = %format!("{error:#}"), "a part of the past is missing");
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.failure = Some(format!("{error:#}"));
    }
}

/// The samples of a series that are on disk since a time.
fn samples_since(
    storage: &Storage,
    series: &SeriesId,
    from: Timestamp,
) -> Result<Vec<Sample>, DatasetError> {
    let dataset = storage.datasets().read(series, from)?;
    let sample = |row: domain::Row| Sample {
        time: row.timestamp,
        value: row.value,
    };
    Ok(dataset
        .rows
        .into_iter()
        .map(|(row, _)| sample(row))
        .collect())
}

/// The samples that are not there: those with none within half a step, for live samples carry the
/// times of their scrapes and those of the past the times of a grid.
fn missing(samples: &[Sample], there: &[Sample], step: Duration) -> Vec<Sample> {
    let is_near = |sample: &&Sample| {
        let next = there.partition_point(|s| s.time < sample.time);
        let neighbours = [next.checked_sub(1), Some(next)].into_iter().flatten();
        neighbours
            .filter_map(|index| there.get(index))
            .any(|neighbour| {
                let distance = sample
                    .time
                    .since(neighbour.time)
                    .max(neighbour.time.since(sample.time));
                distance < step / 2
            })
    };
    samples
        .iter()
        .filter(|sample| !is_near(sample))
        .copied()
        .collect()
}

/// The median distance of samples over the hours, as one of the usual scrape intervals if near.
fn usual_step(hours: &[(Timestamp, f64)]) -> Duration {
    let mut counts: Vec<f64> = hours.iter().map(|(_, count)| *count).collect();
    counts.sort_by(f64::total_cmp);
    let Some(count) = counts.get(counts.len() / 2) else {
        return Duration::from_secs(60);
    };
    let measured = 3600.0 / count.max(1.0);
    let near = |usual: &&u64| (measured / **usual as f64 - 1.0).abs() < 0.15;
    let usual = USUAL_STEPS.iter().find(near);
    Duration::from_secs(usual.copied().unwrap_or(measured.ceil().max(1.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_missing() {
        let at = |millis: i64| Sample {
            time: Timestamp::from_millis(millis),
            value: 1.0,
        };
        let there = [at(10_215), at(12_215), at(18_215)];
        let past: Vec<Sample> = (4..11).map(|k| at(k * 2_000)).collect();
        let missing = missing(&past, &there, Duration::from_secs(2));
        let times: Vec<i64> = missing.iter().map(|s| s.time.as_millis()).collect();
        assert_eq!(times, [8_000, 14_000, 16_000, 20_000]);
    }

    #[test]
    fn a_scrape_interval_is_recognised_from_counts() {
        let hours = |counts: &[f64]| -> Vec<(Timestamp, f64)> {
            counts
                .iter()
                .map(|count| (Timestamp::EPOCH, *count))
                .collect()
        };
        assert_eq!(
            usual_step(&hours(&[60.0, 61.0, 60.0, 3.0, 59.0])).as_secs(),
            60
        );
        assert_eq!(usual_step(&hours(&[240.0, 240.0, 17.0])).as_secs(), 15);
        assert_eq!(usual_step(&hours(&[])).as_secs(), 60);
    }
}
