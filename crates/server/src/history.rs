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
use incident::Masks;
use rayon::prelude::*;
use serde::Serialize;
use sources::{BackfillReport, BackfillRequest, BackfillSlice, Prometheus};
use store::DatasetError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::collecting::Wish;
use crate::hole::{Hole, Stretch};
use crate::live::Live;
use crate::restore::{Rebuilt, memory, past_rows};
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
/// A hole is tried so often; a part of the past that can't be read then stays missing.
const FILL_TRIES: u32 = 5;
/// Which series have their past already.
const META_KEY: &str = "backfilled";
/// Up to when the datasets have every row, whatever a crash did since.
const WHOLE_TO_KEY: &str = "whole_to";

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

/// What a fill came to.
#[derive(Debug, Default)]
struct Filled {
    /// The oldest row that was put into each series.
    oldest: BTreeMap<SeriesId, Timestamp>,
    slices_failed: u32,
}

/// The task that fetches the past.
pub struct History {
    pub prometheus: Prometheus,
    pub wishes: mpsc::Sender<Wish>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// What was not evaluated; at the start it begins where the last run ended.
    pub hole: Arc<Hole>,
    /// The series that had rows when we started.
    pub known: BTreeSet<SeriesId>,
    pub storage: Arc<Storage>,
    pub live: Live,
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

    fn recipe(&self) -> Recipe {
        self.live.get().recipe.clone()
    }

    async fn work(&mut self) {
        self.set_phase("waiting");
        let mut backfilled = self.backfilled().await;
        let Some(first) = self.first_answer().await else {
            return;
        };
        let look_again = (self.recipe().tick * NEW_SERIES_TICKS).min(NEW_SERIES_WITHIN);
        if let Some(Stretch { from, .. }) = self.hole.stretch() {
            self.hole.widen(Stretch { from, to: first });
        }
        let mut tries = 0;
        loop {
            tries = self.fill_hole(tries).await;
            self.note_whole().await;
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
                () = self.hole.widened() => {}
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

    /// Fills what was not evaluated, while we were not running or since, or not written, once
    /// writing goes well again; says how often that was tried in vain.
    async fn fill_hole(&self, tries: u32) -> u32 {
        let Some(hole) = self.hole.stretch() else {
            return 0;
        };
        if self.snapshots.borrow().unsaved.is_some() {
            return tries;
        }
        if hole.to.since(hole.from) <= self.recipe().tick {
            self.hole.close(hole);
            return 0;
        }
        tracing::info!(from = %hole.from, to = %hole.to, "filling what was not evaluated");
        self.set_phase("filling a gap");
        match self.fill_stretch(hole).await {
            Ok(0) => {}
            _ if tries + 1 < FILL_TRIES => return tries + 1,
            outcome => {
                tracing::warn!(from = %hole.from, to = %hole.to, ?outcome, "a part of what was not evaluated stays missing");
            }
        }
        self.hole.close(hole);
        0
    }

    /// Says how many slices failed.
    async fn fill_stretch(&self, hole: Stretch) -> anyhow::Result<u32> {
        let series = &self.known | &self.present();
        let from = hole.from.max(hole.to - self.recipe().settings.window);
        let filled = self.fill(from, hole.to, self.recipe().tick, &series).await;
        let filled = filled.inspect_err(|error| self.failed(error))?;
        self.swap_memories(filled.oldest).await?;
        Ok(filled.slices_failed)
    }

    /// The past of new series: the newest hours that make a model, then the rest of the window.
    async fn backfill(&self, series: &BTreeSet<SeriesId>, first: Timestamp) -> anyhow::Result<()> {
        let oldest = first - self.recipe().settings.window;
        let hours = self.hours_with_samples(oldest, first).await?;
        let step = usual_step(&hours).max(self.recipe().tick);
        let enough =
            step * u32::try_from(self.recipe().settings.window_min_samples).unwrap_or(u32::MAX);
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
    ) -> anyhow::Result<Filled> {
        let points = (SAMPLES_HELD_MAX / series.len().max(1)).max(60);
        let stretch = step * u32::try_from(points).unwrap_or(u32::MAX);
        let mut filled = Filled::default();
        let mut start = from;
        while start < to {
            let end = (start + stretch).min(to);
            let (held, report) = self.fetch(start, end, step, series).await?;
            for (series, oldest) in self.insert(held, step).await? {
                filled.oldest.entry(series).or_insert(oldest);
            }
            filled.slices_failed += report.slices_failed;
            if let Some(failure) = report.failure {
                self.failed(&anyhow::anyhow!(
                    "{} slices of the past failed: {failure}",
                    report.slices_failed
                ));
            }
            start = end + step;
        }
        Ok(filled)
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
        self.wishes
            .send(Wish::Backfill { request, reply })
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

    /// Writes what is not there; gives the oldest row of each series that had one.
    async fn insert(
        &self,
        held: BTreeMap<SeriesId, Vec<Sample>>,
        step: Duration,
    ) -> anyhow::Result<BTreeMap<SeriesId, Timestamp>> {
        let storage = Arc::clone(&self.storage);
        let recipe = self.recipe();
        let masks = self.masks().await?;
        let oldest = tokio::task::spawn_blocking(move || {
            let mut oldest = BTreeMap::new();
            for (series, samples) in held {
                let Some(first) = samples.first() else {
                    continue;
                };
                let there = samples_since(&storage, &series, first.time - LEAD)?;
                let lead = &there[..there.partition_point(|s| s.time < first.time)];
                let missing = missing(&samples, &there, step);
                let rows = past_rows(&recipe, &masks, &series, lead, &missing, step);
                if let Some((_, row)) = rows.first() {
                    oldest.insert(series.clone(), row.timestamp);
                }
                storage.datasets_mut().insert(&series, rows)?;
            }
            Ok::<_, DatasetError>(oldest)
        })
        .await?
        .context("write the past to the datasets")?;
        self.move_rows(&oldest).await?;
        Ok(oldest)
    }

    /// Moves rows of incidents that opened while the rows were written.
    async fn move_rows(&self, written: &BTreeMap<SeriesId, Timestamp>) -> anyhow::Result<()> {
        let mut moves = self.masks().await?.moves(self.recipe().tick);
        moves.retain(|(series, _, to)| written.get(series).is_some_and(|oldest| oldest <= to));
        let storage = Arc::clone(&self.storage);
        tokio::task::spawn_blocking(move || {
            moves.into_iter().try_for_each(|(series, from, to)| {
                storage.datasets_mut().move_rows(&series, from, to)?;
                Ok::<_, DatasetError>(())
            })
        })
        .await?
        .context("move rows of incidents")
    }

    async fn masks(&self) -> anyhow::Result<Masks> {
        masks(&self.storage, &self.live.get().recipe, crate::clock::now()).await
    }

    /// Rebuilds the memories of series whose datasets were filled, and swaps them in.
    async fn swap_memories(&self, filled: BTreeMap<SeriesId, Timestamp>) -> anyhow::Result<()> {
        let storage = Arc::clone(&self.storage);
        let recipe = self.recipe();
        let now = crate::clock::now();
        let masks = self.masks().await?;
        let swaps = tokio::task::spawn_blocking(move || {
            let rebuilt = filled.par_iter().map(|(id, oldest)| {
                let rebuilt = Rebuilt::Since(*oldest);
                memory(&storage, &recipe, &masks, id, now, rebuilt).swap
            });
            rebuilt.collect::<Vec<_>>()
        })
        .await?;
        self.engine
            .send(Message::Swaps(swaps))
            .await
            .context("the server stops")
    }

    /// Stores up to when every row is there, unless one is missing.
    async fn note_whole(&self) {
        // In this order: a hole is widened before the snapshot behind it is published.
        let snapshot = self.snapshots.borrow().clone();
        let Some(whole_to) = snapshot.answered_at else {
            return;
        };
        if self.hole.stretch().is_some() || snapshot.unsaved.is_some() {
            return;
        }
        let text = whole_to.to_string();
        if let Err(error) = self.storage.database.set_meta(WHOLE_TO_KEY, &text).await {
            tracing::warn!(error = %chain(&error), "up to when the datasets are whole could not be stored; more is fetched at the next start");
        }
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

/// Up to when the last run had written every row; where it didn't say so, its newest row.
pub async fn whole_to(
    storage: &Storage,
    last_rows: &BTreeMap<SeriesId, Timestamp>,
) -> Option<Timestamp> {
    let stored = storage.database.meta(WHOLE_TO_KEY).await.ok().flatten();
    let stored = stored.and_then(|text| text.parse().ok());
    stored.or(last_rows.values().max().copied())
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
