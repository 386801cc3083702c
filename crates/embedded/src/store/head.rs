//! The rows of a target that aren't sealed yet: one value or hole for each column, as they came.

use super::chunk::{Birth, Chunk, ROWS_MAX, Sealing};
use super::column::{Encoder, hole, is_hole};

/// Room for values is asked for in steps of this many rows.
const ROWS_STEP: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Head {
    /// Of no meaning while there are no rows.
    block_ms: i64,
    times: Vec<i64>,
    /// Where each row begins; it ends where the next one does. Columns that came later are missing
    /// at its end.
    starts: Vec<u32>,
    values: Vec<f64>,
    samples: u64,
}

impl Head {
    /// None if there are no rows.
    pub(super) fn block_ms(&self) -> Option<i64> {
        (!self.times.is_empty()).then_some(self.block_ms)
    }

    pub(super) fn times(&self) -> &[i64] {
        &self.times
    }

    /// Without holes.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    pub(super) fn memory(&self) -> usize {
        self.values.capacity() * 8 + self.times.capacity() * 8 + self.starts.capacity() * 4
    }

    /// Whether a row of this block has no place before the others are sealed.
    pub(super) fn is_closed_to(&self, block_ms: i64) -> bool {
        !self.times.is_empty() && (self.block_ms != block_ms || self.times.len() >= ROWS_MAX)
    }

    pub(super) fn push(&mut self, block_ms: i64, time_ms: i64, row: &[f64]) {
        if self.values.capacity() - self.values.len() < row.len() {
            self.values.reserve_exact(row.len() * ROWS_STEP);
        }
        self.block_ms = block_ms;
        self.times.push(time_ms);
        self.starts.push(self.values.len() as u32);
        self.values.extend_from_slice(row);
        self.samples += row.iter().filter(|value| !is_hole(**value)).count() as u64;
    }

    fn row(&self, row: usize) -> &[f64] {
        let end = self
            .starts
            .get(row + 1)
            .map_or(self.values.len(), |end| *end as usize);
        &self.values[self.starts[row] as usize..end]
    }

    /// The values of a column in some rows.
    pub(super) fn column(&self, column: usize, rows: std::ops::Range<usize>, into: &mut Vec<f64>) {
        let value = |row| self.row(row).get(column).copied().unwrap_or_else(hole);
        into.extend(rows.map(value));
    }

    /// Empties it into a chunk; its room stays for the next rows.
    pub(super) fn seal(
        &mut self,
        births: impl Iterator<Item = Birth>,
        encoder: &mut Encoder,
    ) -> Option<Chunk> {
        if self.times.is_empty() {
            return None;
        }
        let mut sealing = Sealing::new(self.block_ms, &self.times, encoder);
        let mut rows = Vec::with_capacity(self.times.len());
        for (column, birth) in births.enumerate() {
            rows.clear();
            self.column(column, 0..self.times.len(), &mut rows);
            sealing.column(birth, &rows);
        }
        let chunk = sealing.finish();
        self.times.clear();
        self.starts.clear();
        self.values.clear();
        self.samples = 0;
        Some(chunk)
    }

    /// Gives back its room.
    pub(super) fn shrink(&mut self) {
        self.values.shrink_to_fit();
    }

    /// Which columns hold a sample.
    pub(super) fn used(&self, column_count: usize) -> Vec<bool> {
        let mut used = vec![false; column_count];
        for row in 0..self.times.len() {
            for (used, value) in used.iter_mut().zip(self.row(row)) {
                *used |= !is_hole(*value);
            }
        }
        used
    }

    /// Leaves out columns, as `keep` says of each; those that go must hold nothing.
    pub(super) fn retain_columns(&mut self, keep: &[bool]) {
        let mut values = Vec::with_capacity(self.values.len());
        let mut starts = Vec::with_capacity(self.starts.len());
        for row in 0..self.times.len() {
            starts.push(values.len() as u32);
            let kept = self.row(row).iter().zip(keep).filter(|(_, keep)| **keep);
            values.extend(kept.map(|(value, _)| *value));
        }
        self.values = values;
        self.starts = starts;
    }
}
