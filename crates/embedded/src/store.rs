//! Samples in compressed blocks.
//!
//! Whatever is scraped together shares its times; see [`Store::append`]. Samples are first kept as
//! they come, and in a log; when the span of a block is over they are sealed into chunks of a
//! fraction of the size, and those of all targets into one file. Everything is answered from
//! memory; files are for the next start. Times are milliseconds since the epoch and come with each
//! call.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::Labels;
use disk::Disk;
use names::Names;
use target::{State, Target};

mod bits;
mod block_file;
mod chunk;
mod column;
mod disk;
mod expiry;
mod head;
mod label_list;
mod log;
mod names;
mod opening;
mod saving;
mod select;
mod target;

/// What a store keeps, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// None: only in memory, and gone when the process ends.
    pub dir: Option<PathBuf>,
    /// How long samples are kept; whole blocks go.
    pub retention: Duration,
    /// In bytes. What is over it goes, oldest hours first.
    pub memory_max: u64,
    /// The span of a block; a part of an hour without remainder. What isn't sealed takes eight
    /// bytes a sample, so that a short span saves memory, and a long one disk and time.
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
    target: TargetRef,
    birth: chunk::Birth,
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
    #[error(
        "use blocks of {0:?}: a block must divide an hour without remainder and take a minute or more"
    )]
    Block(Duration),
    #[error("use the directory {} for samples", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error(
        "read {}: its version is {found:?}, this program knows 1; use a newer program or another directory",
        path.display()
    )]
    Version { path: PathBuf, found: String },
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
    /// What samples, labels and tables take; buffers while reading and writing come on top.
    pub memory_bytes: u64,
    /// The part of it that samples take before they are sealed.
    pub unsealed_bytes: u64,
    pub disk_bytes: u64,
    /// Of a scrape; rounded down to its block for sealed samples.
    pub oldest_ms: Option<i64>,
    pub newest_ms: Option<i64>,
    /// Scrapes that were refused because they weren't newer than the newest of their target.
    pub refused: u64,
    /// Samples that went before their time because of the limit on memory.
    pub dropped_samples: u64,
}

/// The last time that is taken: the end of the year 9999.
const TIME_MAX: i64 = 253_402_207_199_999;

/// Samples by series. Shared between threads.
///
/// Locks are taken in the order: maintenance, reading, targets, state of a target, directory,
/// names; none of those after `reading` is held while a query shows samples.
pub struct Store {
    settings: StoreSettings,
    block_ms: i64,
    names: RwLock<Names>,
    targets: RwLock<Targets>,
    disk: Option<Disk>,
    /// Held by queries. Who forgets series needs it alone, and doesn't wait for it.
    reading: RwLock<()>,
    /// One saves and expires at a time.
    maintenance: Mutex<expiry::Said>,
    /// What the targets take, in bytes.
    memory: AtomicU64,
    /// [`i64::MIN`] before the first.
    newest_ms: AtomicI64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Targets {
    slots: Vec<Slot>,
    by_identity: HashMap<Labels, u32>,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    target: Option<Arc<Target>>,
}

impl Store {
    /// Opens what `settings.dir` holds, or an empty store.
    ///
    /// # Errors
    /// Settings out of range; a directory that can't be used or is of a newer version.
    pub fn open(settings: StoreSettings, now_ms: i64) -> Result<Opened, StoreError> {
        let block = settings.block;
        if block.subsec_nanos() > 0 || block.as_secs() < 60 || 3600 % block.as_secs() != 0 {
            return Err(StoreError::Block(block));
        }
        let store = Store {
            block_ms: block.as_millis() as i64,
            disk: settings.dir.as_deref().map(Disk::open).transpose()?,
            settings,
            names: RwLock::default(),
            targets: RwLock::default(),
            reading: RwLock::default(),
            maintenance: Mutex::default(),
            memory: AtomicU64::new(0),
            newest_ms: AtomicI64::new(i64::MIN),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        };
        let remarks = store.load(now_ms);
        Ok(Opened { store, remarks })
    }

    /// Finds or adds a target by its labels (job, instance and the like).
    pub fn target(&self, identity: &Labels) -> TargetRef {
        if let Some(known) = self.known_target(&read(&self.targets), identity) {
            return known;
        }
        let mut targets = write(&self.targets);
        // Another may have added it meanwhile.
        if let Some(known) = self.known_target(&targets, identity) {
            return known;
        }
        let free = targets.slots.iter().position(|slot| slot.target.is_none());
        let slot = free.unwrap_or_else(|| {
            targets.slots.push(Slot::default());
            targets.slots.len() - 1
        });
        let generation = targets.slots[slot].generation;
        targets.slots[slot].target = Some(Arc::new(Target {
            identity: identity.clone(),
            slot: slot as u32,
            generation,
            state: RwLock::new(State::asked_for()),
        }));
        targets.by_identity.insert(identity.clone(), slot as u32);
        TargetRef {
            slot: slot as u32,
            generation,
        }
    }

    fn known_target(&self, targets: &Targets, identity: &Labels) -> Option<TargetRef> {
        let slot = *targets.by_identity.get(identity)?;
        let target = targets.slots[slot as usize].target.as_ref()?;
        write(&target.state).fresh = true;
        Some(TargetRef {
            slot,
            generation: target.generation,
        })
    }

    /// Finds or adds a series of a target. Of a target that was forgotten there are no series:
    /// what is returned then is refused by [`Store::append`].
    pub fn series(&self, target: TargetRef, labels: &Labels) -> SeriesRef {
        let birth = match self.held(target) {
            Some(known) => {
                let mut state = write(&known.state);
                let name = read(&self.names).find(labels);
                let birth = name.and_then(|name| state.known(name));
                birth.unwrap_or_else(|| {
                    let name = write(&self.names).add(labels, target.slot);
                    state.add(name)
                })
            }
            None => chunk::Birth::MAX,
        };
        SeriesRef { target, birth }
    }

    /// Takes one scrape. Series of the target that had a value at its scrape before and have none
    /// now are treated as `absent` says. Of two values for one series the first counts. Every bit
    /// of a value is kept, but for one NaN in 2^52 that comes back as another.
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
        if !(0..=TIME_MAX).contains(&time_ms) {
            return Err(AppendError::Time(time_ms));
        }
        let known = self.held(target).ok_or(AppendError::Forgotten)?;
        let mut state = write(&known.state);
        if state.gone || values.iter().any(|(series, _)| series.target != target) {
            return Err(AppendError::Forgotten);
        }
        if let Some(newest_ms) = state.newest_ms
            && time_ms <= newest_ms
        {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(AppendError::NotNewer { time_ms, newest_ms });
        }
        let row = state.row(values, absent)?;
        let block_ms = self.block_of(time_ms);
        self.log(&known, &mut state, block_ms, time_ms, &row);
        state.push(block_ms, time_ms, &row);
        self.recount(&mut state);
        drop(state);
        self.newest_ms.fetch_max(time_ms, Ordering::Relaxed);
        self.shed_if_far_over();
        Ok(())
    }

    /// Makes what was appended last even if the machine fails, and writes the blocks that are
    /// over. To be called every ten seconds or so; the remarks say what could not be written.
    pub fn flush(&self) -> Vec<String> {
        let said = self
            .maintenance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.save_blocks(self.newest_ms.load(Ordering::Relaxed));
        drop(said);
        self.disk.as_ref().map_or_else(Vec::new, Disk::sync)
    }

    pub fn status(&self) -> StoreStatus {
        // One lock, not two in one expression: between them a writer may wait for the first.
        let (memory, series) = {
            let names = read(&self.names);
            (names.memory(), names.len())
        };
        let mut status = StoreStatus {
            memory_bytes: memory as u64,
            series: series as u64,
            disk_bytes: self.disk.as_ref().map_or(0, Disk::bytes),
            refused: self.refused.load(Ordering::Relaxed),
            dropped_samples: self.dropped.load(Ordering::Relaxed),
            ..StoreStatus::default()
        };
        for target in self.all_targets() {
            let state = read(&target.state);
            status.targets += 1;
            status.memory_bytes += state.memory() as u64;
            status.unsealed_bytes += state.head.memory() as u64;
            status.samples += state.head.samples();
            status.samples += state
                .chunks
                .iter()
                .map(|kept| kept.chunk.samples)
                .sum::<u64>();
            let oldest = state.chunks.first().map(|kept| kept.chunk.first_ms);
            let oldest = oldest.or(state.head.times().first().copied());
            status.oldest_ms = [status.oldest_ms, oldest].into_iter().flatten().min();
            status.newest_ms = status.newest_ms.max(state.newest_ms);
        }
        status
    }

    fn block_of(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.block_ms) * self.block_ms
    }

    /// The target, unless it was forgotten.
    fn held(&self, target: TargetRef) -> Option<Arc<Target>> {
        let targets = read(&self.targets);
        let slot = targets.slots.get(target.slot as usize)?;
        let held = slot.target.as_ref()?;
        (held.generation == target.generation).then(|| Arc::clone(held))
    }

    fn all_targets(&self) -> Vec<Arc<Target>> {
        let targets = read(&self.targets);
        let held = targets.slots.iter().filter_map(|slot| slot.target.as_ref());
        held.map(Arc::clone).collect()
    }

    /// Counts the memory of a target after it has changed.
    fn recount(&self, state: &mut State) {
        let counted = state.memory();
        let change = (counted as u64).wrapping_sub(state.counted as u64);
        state.counted = counted;
        self.memory.fetch_add(change, Ordering::Relaxed);
    }
}

/// What a panic elsewhere left is taken as it is: each change under a lock is whole.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
