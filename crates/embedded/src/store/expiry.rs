//! Letting go: what is older than the retention, what is over the limit on memory, and the series
//! and targets of which nothing is left.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use domain::Timestamp;

use super::{Store, Targets, read, write};

const HOUR_MS: i64 = 3_600_000;

/// What was said and need not be said again.
#[derive(Default)]
pub(super) struct Said {
    /// That the limit is too small for what can't be dropped.
    too_small: bool,
    /// What was dropped by an append; said by the next [`Store::expire`].
    dropped: u64,
}

impl Store {
    /// Drops what is older than the retention and what is over the limit on memory, and says so.
    /// To be called every minute or so.
    pub fn expire(&self, now_ms: i64) -> Vec<String> {
        let mut said = self
            .maintenance
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.save_blocks(now_ms.max(self.newest_ms.load(Ordering::Relaxed)));
        let retention = i64::try_from(self.settings.retention.as_millis()).unwrap_or(i64::MAX);
        let kept_from = now_ms.saturating_sub(retention);
        self.drop_blocks(|block_ms| block_ms.saturating_add(self.block_ms) <= kept_from);
        let dropped = std::mem::take(&mut said.dropped) + self.shed(self.settings.memory_max);
        let mut remarks = Vec::new();
        if dropped > 0 {
            let oldest = self.status().oldest_ms.unwrap_or(now_ms);
            remarks.push(format!(
                "samples took more than {}: the oldest {dropped} were dropped, samples are kept from {} on",
                mebibytes(self.settings.memory_max),
                Timestamp::from_millis(oldest)
            ));
        }
        let used = self.used();
        let too_small = used > self.settings.memory_max;
        if too_small && !said.too_small {
            remarks.push(format!(
                "the newest samples and the labels alone take {}, more than the limit of {}: raise it, scrape less often or keep fewer series",
                mebibytes(used),
                mebibytes(self.settings.memory_max)
            ));
        }
        said.too_small = too_small;
        self.forget();
        remarks
    }

    /// In bytes.
    fn used(&self) -> u64 {
        self.memory.load(Ordering::Relaxed) + read(&self.names).memory() as u64
    }

    /// Between two calls of [`Store::expire`] the limit is passed by an eighth at most.
    pub(super) fn shed_if_far_over(&self) {
        let limit = self.settings.memory_max;
        if self.memory.load(Ordering::Relaxed) <= limit.saturating_add(limit / 8) {
            return;
        }
        // Who holds it is about to do the same.
        if let Ok(mut said) = self.maintenance.try_lock() {
            said.dropped += self.shed(limit);
        }
    }

    /// Drops the oldest hours until no more than `limit` bytes are used; returns the number of
    /// samples.
    fn shed(&self, limit: u64) -> u64 {
        let mut dropped = 0;
        let hour_of = |block_ms: i64| block_ms.div_euclid(HOUR_MS);
        while self.used() > limit {
            let targets = self.all_targets();
            let oldest = targets.iter().filter_map(|target| {
                let state = read(&target.state);
                state
                    .chunks
                    .first()
                    .map(|kept| hour_of(kept.chunk.block_ms))
            });
            let Some(oldest) = oldest.min() else { break };
            dropped += self.drop_blocks(|block_ms| hour_of(block_ms) <= oldest);
        }
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        dropped
    }

    /// Drops the sealed samples of some blocks, and their files; returns their number.
    fn drop_blocks(&self, gone: impl Fn(i64) -> bool) -> u64 {
        let mut dropped = 0;
        let mut open = BTreeSet::new();
        for target in self.all_targets() {
            let mut state = write(&target.state);
            dropped += state.drop_chunks(|chunk| gone(chunk.block_ms));
            open.extend(state.head.block_ms());
            self.recount(&mut state);
        }
        if let Some(disk) = &self.disk {
            // The log of what isn't sealed stays.
            disk.remove(|file| gone(file.block_ms) && !open.contains(&file.block_ms));
        }
        dropped
    }

    /// Forgets series and targets that have no samples left; not while a query reads.
    fn forget(&self) {
        let Ok(_alone) = self.reading.try_write() else {
            return;
        };
        let mut targets = write(&self.targets);
        let Targets { slots, by_identity } = &mut *targets;
        for slot in slots {
            let Some(target) = slot.target.clone() else {
                continue;
            };
            let mut state = write(&target.state);
            if state.is_forgettable() {
                let names: Vec<_> = state.columns.iter().map(|column| column.name).collect();
                write(&self.names).remove(&names, target.slot);
                state.forget_all();
                by_identity.remove(&target.identity);
                slot.target = None;
                slot.generation = slot.generation.wrapping_add(1);
            } else if state.lost_chunks {
                let names = state.forget();
                write(&self.names).remove(&names, target.slot);
            }
            state.fresh = false;
            self.recount(&mut state);
        }
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}
