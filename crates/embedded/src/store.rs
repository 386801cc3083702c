//! Samples in compressed blocks.
//!
//! Whatever is scraped together shares its times; see [`Store::append`]. Times are milliseconds
//! since the epoch and come with each call.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::{Labels, Matcher, Sample, SeriesSource, is_stale, stale_marker};

/// What a store keeps, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// None: only in memory, and gone when the process ends.
    pub dir: Option<PathBuf>,
    /// How long samples are kept.
    pub retention: Duration,
    /// In bytes. What is over it goes, oldest hours first.
    pub memory_max: u64,
    /// The span of a block; a part of an hour without remainder.
    pub block: Duration,
}

impl Default for StoreSettings {
    fn default() -> StoreSettings {
        StoreSettings {
            dir: None,
            retention: Duration::from_secs(24 * 3600),
            memory_max: 1 << 30,
            block: Duration::from_secs(20 * 60),
        }
    }
}

/// A store, and what is to be said about how it was found.
pub struct Opened {
    pub store: Store,
    /// What was damaged and set aside, cut or dropped; each a sentence for the operator.
    pub remarks: Vec<String>,
}

/// A group of series that are scraped together, and so share their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetRef {
    slot: u32,
    generation: u32,
}

/// A series of a target. Good as long as the series is kept; see [`AppendError::Forgotten`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesRef {
    target: u32,
    column: u32,
    generation: u32,
}

/// What it means when a series has no value at a scrape, but had one at the scrape before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It has ended: it gets a stale marker.
    Stale,
    /// Nobody knows: a hole stays.
    Unknown,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("use the block length {0:?}: it must divide an hour and be at least a minute")]
    Block(Duration),
}

/// Why a scrape was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("append at {time_ms} ms: the newest sample of the target is from {newest_ms} ms")]
    NotNewer { time_ms: i64, newest_ms: i64 },
    #[error("append at {0} ms: not a time between the years 1970 and 9999")]
    Time(i64),
    /// The target or a series has had no samples for so long that its place was given away: ask
    /// for it anew.
    #[error("append to a series or target that was forgotten: ask the store for it anew")]
    Forgotten,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    pub series: u64,
    pub targets: u64,
    /// Values and stale markers.
    pub samples: u64,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub oldest_ms: Option<i64>,
    pub newest_ms: Option<i64>,
    /// Scrapes that were refused because they weren't newer than the newest of their target.
    pub refused: u64,
    /// Samples that went before their time because of the limit on memory.
    pub dropped_samples: u64,
}

/// Samples by series. Shared between threads.
pub struct Store {
    state: RwLock<Plain>,
}

#[derive(Default)]
struct Plain {
    targets: Vec<PlainTarget>,
    by_identity: HashMap<Labels, u32>,
    refused: u64,
}

#[derive(Default)]
struct PlainTarget {
    series: Vec<(Labels, BTreeMap<i64, f64>)>,
    by_labels: HashMap<Labels, u32>,
    newest_ms: Option<i64>,
}

impl Store {
    /// Opens what `settings.dir` holds, or an empty store.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn open(settings: StoreSettings, _now_ms: i64) -> Result<Opened, StoreError> {
        let block = settings.block.as_secs();
        if block < 60 || 3600 % block != 0 {
            return Err(StoreError::Block(settings.block));
        }
        Ok(Opened {
            store: Store {
                state: RwLock::default(),
            },
            remarks: Vec::new(),
        })
    }

    /// Finds or adds a target by its labels (job, instance and the like).
    pub fn target(&self, identity: &Labels) -> TargetRef {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let next = state.targets.len() as u32;
        let slot = *state.by_identity.entry(identity.clone()).or_insert(next);
        if slot == next {
            state.targets.push(PlainTarget::default());
        }
        TargetRef {
            slot,
            generation: 0,
        }
    }

    /// Finds or adds a series of a target.
    pub fn series(&self, target: TargetRef, labels: &Labels) -> SeriesRef {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let known = &mut state.targets[target.slot as usize];
        let next = known.series.len() as u32;
        let column = *known.by_labels.entry(labels.clone()).or_insert(next);
        if column == next {
            known.series.push((labels.clone(), BTreeMap::new()));
        }
        SeriesRef {
            target: target.slot,
            column,
            generation: 0,
        }
    }

    /// Takes one scrape. Series of the target that had a value at its scrape before and have none
    /// now are treated as `absent` says. Of two values for one series the first counts.
    ///
    /// # Errors
    /// A time that isn't newer than the newest of the target, and refs that were forgotten; then
    /// nothing of the scrape is taken.
    pub fn append(
        &self,
        target: TargetRef,
        time_ms: i64,
        values: &[(SeriesRef, f64)],
        absent: Absent,
    ) -> Result<(), AppendError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let known = &mut state.targets[target.slot as usize];
        if let Some(newest_ms) = known.newest_ms
            && time_ms <= newest_ms
        {
            state.refused += 1;
            return Err(AppendError::NotNewer { time_ms, newest_ms });
        }
        let before = known.newest_ms.replace(time_ms);
        for (series, value) in values {
            let (_, samples) = &mut known.series[series.column as usize];
            samples.entry(time_ms).or_insert(*value);
        }
        if absent == Absent::Stale {
            for (_, samples) in &mut known.series {
                let last = samples.last_key_value();
                if last.is_some_and(|(time, value)| Some(*time) == before && !is_stale(*value)) {
                    samples.insert(time_ms, stale_marker());
                }
            }
        }
        Ok(())
    }

    /// Makes what was appended last even if the machine fails. To be called every few seconds; the
    /// remarks say what could not be written.
    pub fn flush(&self) -> Vec<String> {
        Vec::new()
    }

    /// Drops what is older than the retention and what is over the limit on memory, and says so.
    /// To be called every minute or so.
    pub fn expire(&self, _now_ms: i64) -> Vec<String> {
        Vec::new()
    }

    pub fn status(&self) -> StoreStatus {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let series = || state.targets.iter().flat_map(|target| &target.series);
        StoreStatus {
            series: series().count() as u64,
            targets: state.targets.len() as u64,
            samples: series().map(|(_, samples)| samples.len() as u64).sum(),
            refused: state.refused,
            ..StoreStatus::default()
        }
    }
}

impl SeriesSource for Store {
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    ) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        for (labels, samples) in state.targets.iter().flat_map(|target| &target.series) {
            if from_ms > to_ms
                || !matchers
                    .iter()
                    .all(|matcher| matcher.matches_labels(labels))
            {
                continue;
            }
            let samples: Vec<Sample> = samples
                .range(from_ms..=to_ms)
                .map(|(time_ms, value)| Sample {
                    time_ms: *time_ms,
                    value: *value,
                })
                .collect();
            if !samples.is_empty() {
                visit(labels, &samples);
            }
        }
    }
}
