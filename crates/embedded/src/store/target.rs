//! One target: its series, its rows that aren't sealed, and its chunks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};

use super::chunk::{Birth, Chunk, Cursor};
use super::column::{Encoder, hole, is_hole};
use super::head::Head;
use super::names::NameId;
use super::{Absent, AppendError, SeriesRef};
use crate::{Labels, is_stale, stale_marker};

pub(super) struct Target {
    pub(super) identity: Labels,
    pub(super) slot: u32,
    pub(super) generation: u32,
    pub(super) state: RwLock<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Ascending by birth; the columns of the head.
    pub(super) columns: Vec<Column>,
    births: HashMap<NameId, Birth>,
    next_birth: Birth,
    pub(super) head: Head,
    /// The values of the scrape before; columns that came later are missing at its end.
    pub(super) last: Vec<f64>,
    pub(super) newest_ms: Option<i64>,
    /// Oldest first.
    pub(super) chunks: Vec<Kept>,
    chunk_memory: usize,
    /// What the log of the head knows of this target.
    pub(super) logged: Logged,
    /// Whether it was asked for since things were last forgotten.
    pub(super) fresh: bool,
    /// What was last counted as the memory of this target.
    pub(super) counted: usize,
    /// That chunks have gone since series were last forgotten.
    pub(super) lost_chunks: bool,
    /// That the target was forgotten while someone still held it.
    pub(super) gone: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: NameId,
    pub(super) birth: Birth,
    /// Whether it was asked for since series were last forgotten.
    fresh: bool,
}

pub(super) struct Kept {
    pub(super) chunk: Arc<Chunk>,
    /// Whether it is in a file of its block.
    pub(super) saved: bool,
}

/// What a log file knows of a target, so that the next record can be short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Logged {
    /// The file; none is 0.
    pub(super) segment: u64,
    /// The number of the target within it.
    pub(super) number: u64,
    /// How many columns it knows.
    pub(super) columns: usize,
    pub(super) time_ms: i64,
}

impl State {
    /// Of a new target.
    pub(super) fn asked_for() -> State {
        State {
            fresh: true,
            ..State::default()
        }
    }

    /// In bytes.
    pub(super) fn memory(&self) -> usize {
        self.chunk_memory
            + self.chunks.capacity() * size_of::<Kept>()
            + self.head.memory()
            + self.columns.capacity() * size_of::<Column>()
            + self.births.capacity() * (size_of::<(NameId, Birth)>() + 1)
            + self.last.capacity() * 8
    }

    pub(super) fn known(&mut self, name: NameId) -> Option<Birth> {
        let birth = *self.births.get(&name)?;
        let column = self.position(birth)?;
        self.columns[column].fresh = true;
        Some(birth)
    }

    /// Finds or adds a series.
    pub(super) fn add(&mut self, name: NameId) -> Birth {
        if let Some(birth) = self.known(name) {
            return birth;
        }
        let birth = self.next_birth;
        self.next_birth += 1;
        self.births.insert(name, birth);
        self.columns.push(Column {
            name,
            birth,
            fresh: true,
        });
        birth
    }

    pub(super) fn birth_of(&self, name: NameId) -> Option<Birth> {
        self.births.get(&name).copied()
    }

    pub(super) fn position(&self, birth: Birth) -> Option<usize> {
        self.columns
            .binary_search_by_key(&birth, |column| column.birth)
            .ok()
    }

    /// The row of a scrape: a value or hole for each column.
    pub(super) fn row(
        &self,
        values: &[(SeriesRef, f64)],
        absent: Absent,
    ) -> Result<Vec<f64>, AppendError> {
        let mut row = vec![hole(); self.columns.len()];
        let mut next = 0;
        for (series, value) in values {
            // Mostly a scrape has the order of the scrape before.
            let position = match self.columns.get(next) {
                Some(column) if column.birth == series.birth => next,
                _ => self.position(series.birth).ok_or(AppendError::Forgotten)?,
            };
            next = position + 1;
            if is_hole(row[position]) {
                // The one NaN that means "no sample" here is stored as an ordinary one.
                row[position] = if is_hole(*value) { f64::NAN } else { *value };
            }
        }
        if absent == Absent::Stale {
            for (value, before) in row.iter_mut().zip(&self.last) {
                if is_hole(*value) && !is_hole(*before) && !is_stale(*before) {
                    *value = stale_marker();
                }
            }
        }
        Ok(row)
    }

    /// Takes a row that is newer than all others.
    pub(super) fn push(&mut self, block_ms: i64, time_ms: i64, row: &[f64]) {
        if self.head.is_closed_to(block_ms) {
            self.seal();
        }
        self.head.push(block_ms, time_ms, row);
        self.last.clear();
        self.last.extend_from_slice(row);
        self.newest_ms = Some(time_ms);
    }

    pub(super) fn seal(&mut self) {
        let births = self.columns.iter().map(|column| column.birth);
        if let Some(chunk) = self.head.seal(births, &mut Encoder::default()) {
            self.keep(chunk, false);
        }
    }

    /// Adds a chunk that is newer than all others.
    pub(super) fn keep(&mut self, chunk: Chunk, saved: bool) {
        self.chunk_memory += chunk.memory();
        let chunk = Arc::new(chunk);
        self.chunks.push(Kept { chunk, saved });
    }

    /// Takes over what a chunk from a file says about the newest scrape.
    pub(super) fn resume_after(&mut self, chunk: &Chunk) {
        self.newest_ms = Some(chunk.last_ms);
        let mut cursor = Cursor::new(chunk);
        let last = self.columns.iter().map(|column| {
            let rows = cursor.column(column.birth);
            rows.and_then(|rows| rows.last().copied())
                .unwrap_or_else(hole)
        });
        self.last = last.collect();
    }

    /// Drops the chunks that `gone` picks, and returns how many samples they held.
    pub(super) fn drop_chunks(&mut self, gone: impl Fn(&Chunk) -> bool) -> u64 {
        let mut samples = 0;
        let mut memory = 0;
        self.chunks.retain(|kept| {
            let gone = gone(&kept.chunk);
            if gone {
                samples += kept.chunk.samples;
                memory += kept.chunk.memory();
            }
            !gone
        });
        self.chunk_memory -= memory;
        self.lost_chunks |= samples > 0;
        samples
    }

    /// Whether nothing is left, and nobody has asked for it lately.
    pub(super) fn is_forgettable(&self) -> bool {
        self.chunks.is_empty() && self.head.times().is_empty() && !self.fresh
    }

    /// Forgets everything; who still holds the target is refused.
    pub(super) fn forget_all(&mut self) {
        *self = State {
            gone: true,
            counted: self.counted,
            ..State::default()
        };
    }

    /// Forgets the series that have no samples left and weren't asked for since the last time, and
    /// returns their names.
    pub(super) fn forget(&mut self) -> Vec<NameId> {
        let mut held: HashSet<Birth> = HashSet::new();
        for kept in &self.chunks {
            held.extend(kept.chunk.births());
        }
        self.lost_chunks = false;
        let in_head = self.head.used(self.columns.len());
        let keep: Vec<bool> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| column.fresh || in_head[at] || held.contains(&column.birth))
            .collect();
        let mut gone = Vec::new();
        for (column, keep) in self.columns.iter_mut().zip(&keep) {
            column.fresh = false;
            if !keep {
                gone.push(column.name);
                self.births.remove(&column.name);
            }
        }
        if gone.is_empty() {
            return gone;
        }
        self.head.retain_columns(&keep);
        let mut flags = keep.iter();
        self.last.retain(|_| flags.next() == Some(&true));
        let mut flags = keep.iter();
        self.columns.retain(|_| flags.next() == Some(&true));
        // The log counts columns; it has to be told anew.
        self.logged = Logged::default();
        gone
    }
}
