//! Writing: a record in the log for each scrape, and a file for each block that is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chunk::{Birth, Chunk};
use super::disk::Disk;
use super::target::{Logged, State, Target};
use super::{Store, block_file, log, read, write};
use crate::Labels;

/// How long after the end of a block it is sealed, in milliseconds: late scrapes come in between.
const GRACE_MS: i64 = 60_000;

/// Chunks of a target that belong to one block.
struct Saved {
    target: Arc<Target>,
    chunks: Vec<Arc<Chunk>>,
}

impl Store {
    /// Writes a scrape to the log, before it is taken into `state`.
    pub(super) fn log(
        &self,
        target: &Target,
        state: &mut State,
        block_ms: i64,
        time_ms: i64,
        row: &[f64],
    ) {
        let Some(disk) = &self.disk else { return };
        let number = u64::from(target.slot);
        let logged = state.logged;
        let mut next = logged;
        let written = disk.append(block_ms, |segment| {
            let mut bytes = Vec::new();
            let known = logged.segment == segment;
            next = if known { logged } else { Logged::default() };
            next.segment = segment;
            if !known {
                log::put_target(number, &target.identity, &mut bytes);
            }
            if next.columns < state.columns.len() {
                let names = read(&self.names);
                let columns = state.columns[next.columns..].iter();
                let columns: Vec<Labels> =
                    columns.map(|column| names.labels(column.name)).collect();
                log::put_columns(number, &columns, &mut bytes);
                next.columns = state.columns.len();
            }
            let before = if known { state.last.as_slice() } else { &[] };
            log::put_row(number, next.time_ms, time_ms, before, row, &mut bytes);
            next.time_ms = time_ms;
            bytes
        });
        // What a log lacks it can't be told the difference to.
        state.logged = if written { next } else { Logged::default() };
    }

    /// Seals every block that is over by now, and writes its file.
    pub(super) fn save_blocks(&self, now_ms: i64) {
        for block_ms in self.blocks_to_save(now_ms) {
            let number = self.disk.as_ref().map_or(0, |disk| disk.end_log(block_ms));
            let saved = self.seal_block(block_ms);
            let Some(disk) = &self.disk else { continue };
            if self.write_block(disk, block_ms, number, &saved) {
                for Saved { target, chunks } in saved {
                    for kept in &mut write(&target.state).chunks {
                        kept.saved |= chunks.iter().any(|chunk| Arc::ptr_eq(chunk, &kept.chunk));
                    }
                }
            }
        }
    }

    fn blocks_to_save(&self, now_ms: i64) -> BTreeSet<i64> {
        let mut blocks = BTreeSet::new();
        for target in self.all_targets() {
            let state = read(&target.state);
            blocks.extend(state.head.block_ms());
            if self.disk.is_some() {
                let unsaved = state.chunks.iter().rev().filter(|kept| !kept.saved);
                blocks.extend(unsaved.map(|kept| kept.chunk.block_ms));
            }
        }
        let over = now_ms.saturating_sub(self.block_ms + GRACE_MS);
        blocks.retain(|block_ms| *block_ms <= over);
        blocks
    }

    fn seal_block(&self, block_ms: i64) -> Vec<Saved> {
        let mut saved = Vec::new();
        for target in self.all_targets() {
            let mut state = write(&target.state);
            if state.head.block_ms() == Some(block_ms) {
                state.seal();
                // Who is scraped has begun the next block by now; this one may have ended.
                state.head.shrink();
                self.recount(&mut state);
            }
            let unsaved = state.chunks.iter().filter(|kept| !kept.saved);
            let chunks = unsaved.map(|kept| Arc::clone(&kept.chunk));
            let chunks: Vec<Arc<Chunk>> =
                chunks.filter(|chunk| chunk.block_ms == block_ms).collect();
            drop(state);
            if !chunks.is_empty() {
                saved.push(Saved { target, chunks });
            }
        }
        saved
    }

    fn write_block(&self, disk: &Disk, block_ms: i64, number: u64, saved: &[Saved]) -> bool {
        let mut bytes = block_file::header(block_ms);
        for Saved { target, chunks } in saved {
            let births: BTreeSet<Birth> = chunks.iter().flat_map(|chunk| chunk.births()).collect();
            let births: Vec<Birth> = births.into_iter().collect();
            let state = read(&target.state);
            let columns = births.iter().filter_map(|birth| state.position(*birth));
            let of_columns: Vec<_> = columns.map(|at| state.columns[at].name).collect();
            drop(state);
            let names = read(&self.names);
            let labels: Vec<Labels> = of_columns.iter().map(|name| names.labels(*name)).collect();
            drop(names);
            let chunks = chunks.iter().map(|chunk| &**chunk);
            block_file::put_target(&target.identity, &births, &labels, chunks, &mut bytes);
        }
        disk.save(block_ms, number, &block_file::finish(bytes))
    }
}
