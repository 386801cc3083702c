//! Rows of one target, sealed: times once, then the values of each series as a column.
//!
//! A column may depend on the one before it. Anchors say where reading may begin.

use super::bits::{ByteReader, put_varint, unzigzag, zigzag};
use super::column::{self, Encoder, Previous, is_hole};

/// The most rows of a chunk, so that what isn't sealed stays small at short intervals, too.
pub(super) const ROWS_MAX: usize = 120;

/// Anchors are no closer than this, in columns, so that they cost little …
const ANCHOR_NEAR: u32 = 16;

/// … and no farther, so that reading one series reads few others.
const ANCHOR_FAR: u32 = 128;

/// Which series of a target this is, in order of appearance; never given twice.
pub(super) type Birth = u32;

/// Where a run of series that appeared one after the other begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) birth: Birth,
    pub(super) column: u32,
}

/// Where a column begins that can be read without the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) column: u32,
    /// In bytes.
    pub(super) at: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) block_ms: i64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) row_count: u32,
    pub(super) column_count: u32,
    pub(super) samples: u64,
    /// The series of the columns, ascending.
    pub(super) runs: Box<[Run]>,
    pub(super) anchors: Box<[Anchor]>,
    /// Steps between times, then columns.
    pub(super) bytes: Box<[u8]>,
}

/// Puts columns together to a chunk.
pub(super) struct Sealing<'a> {
    encoder: &'a mut Encoder,
    bytes: Vec<u8>,
    runs: Vec<Run>,
    anchors: Vec<Anchor>,
    column_count: u32,
    next_birth: Option<Birth>,
    samples: u64,
    block_ms: i64,
    times: &'a [i64],
}

impl<'a> Sealing<'a> {
    /// `times` ascending, at least one.
    pub(super) fn new(block_ms: i64, times: &'a [i64], encoder: &'a mut Encoder) -> Sealing<'a> {
        let mut bytes = Vec::with_capacity(32 * 1024);
        let mut before = (times[0], 0);
        for time in &times[1..] {
            let step = time - before.0;
            put_varint(&mut bytes, zigzag(step - before.1));
            before = (*time, step);
        }
        Sealing {
            encoder,
            bytes,
            runs: Vec::new(),
            anchors: Vec::new(),
            column_count: 0,
            next_birth: None,
            samples: 0,
            block_ms,
            times,
        }
    }

    /// The next series in order of birth, with a value or hole for each time; left out if it holds
    /// nothing.
    pub(super) fn column(&mut self, birth: Birth, rows: &[f64]) {
        let samples = rows.iter().filter(|value| !is_hole(**value)).count();
        if samples == 0 {
            return;
        }
        let column = self.column_count;
        if self.next_birth != Some(birth) {
            self.runs.push(Run { birth, column });
        }
        self.next_birth = Some(birth + 1);
        let since = self
            .anchors
            .last()
            .map_or(ANCHOR_FAR, |anchor| column - anchor.column);
        let at = self.bytes.len() as u32;
        let alone = self
            .encoder
            .encode(rows, since >= ANCHOR_FAR, &mut self.bytes);
        if alone && since >= ANCHOR_NEAR {
            self.anchors.push(Anchor { column, at });
        }
        self.column_count += 1;
        self.samples += samples as u64;
    }

    /// Without any sample, too, it says when the target was scraped last.
    pub(super) fn finish(self) -> Chunk {
        Chunk {
            block_ms: self.block_ms,
            first_ms: self.times[0],
            last_ms: self.times[self.times.len() - 1],
            row_count: self.times.len() as u32,
            column_count: self.column_count,
            samples: self.samples,
            runs: self.runs.into(),
            anchors: self.anchors.into(),
            bytes: self.bytes.into(),
        }
    }
}

impl Chunk {
    /// In bytes, with what an allocation costs beside its content.
    pub(super) fn memory(&self) -> usize {
        size_of::<Chunk>()
            + 5 * 16
            + self.bytes.len()
            + self.anchors.len() * size_of::<Anchor>()
            + self.runs.len() * size_of::<Run>()
    }

    pub(super) fn births(&self) -> impl Iterator<Item = Birth> {
        let ends = self.runs.iter().skip(1).map(|run| run.column);
        let ends = ends.chain([self.column_count]);
        let runs = self.runs.iter().zip(ends);
        runs.flat_map(|(run, end)| (0..end.saturating_sub(run.column)).map(|at| run.birth + at))
    }

    fn column_of(&self, birth: Birth) -> Option<u32> {
        let at = self.runs.partition_point(|run| run.birth <= birth);
        let run = self.runs[at.checked_sub(1)?];
        let column = run.column + (birth - run.birth);
        let end = self
            .runs
            .get(at)
            .map_or(self.column_count, |next| next.column);
        (column < end).then_some(column)
    }
}

/// Reads columns of a chunk, best in order of birth. What is no column is read as nothing.
pub(super) struct Cursor<'a> {
    chunk: &'a Chunk,
    times: Vec<i64>,
    /// Where columns begin, in bytes.
    columns_at: usize,
    /// The column that would be read next, and where it begins.
    column: u32,
    at: usize,
    previous: Previous,
    rows: Vec<f64>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(chunk: &'a Chunk) -> Cursor<'a> {
        let mut reader = ByteReader::new(&chunk.bytes, 0);
        let mut times = Vec::with_capacity(chunk.row_count as usize);
        let (mut time, mut step) = (chunk.first_ms, 0_i64);
        times.push(time);
        for _ in 1..chunk.row_count {
            step = step.wrapping_add(unzigzag(reader.varint()));
            time = time.wrapping_add(step);
            times.push(time);
        }
        Cursor {
            chunk,
            times,
            columns_at: reader.at(),
            column: 0,
            at: reader.at(),
            previous: Previous::default(),
            rows: Vec::new(),
        }
    }

    pub(super) fn times(&self) -> &[i64] {
        &self.times
    }

    /// A value or hole for each time; none if the chunk doesn't have the series.
    pub(super) fn column(&mut self, birth: Birth) -> Option<&[f64]> {
        let column = self.chunk.column_of(birth)?;
        let anchors = &self.chunk.anchors;
        let anchor = anchors[..anchors.partition_point(|anchor| anchor.column <= column)].last();
        let (begin, at) = anchor.map_or((0, self.columns_at), |anchor| {
            (anchor.column, anchor.at as usize)
        });
        if column < self.column || begin > self.column {
            (self.column, self.at) = (begin, at);
        }
        while self.column <= column {
            let row_count = self.times.len();
            let bytes = &self.chunk.bytes;
            self.at = column::decode(
                bytes,
                self.at,
                row_count,
                &mut self.previous,
                &mut self.rows,
            )?;
            self.column += 1;
        }
        Some(&self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::column::hole;

    fn value(row: usize, birth: u32) -> f64 {
        match (row as u32 + birth) % 11 {
            0 => hole(),
            at if birth.is_multiple_of(5) => f64::from(at) / 3.0,
            at => f64::from(at * birth),
        }
    }

    #[test]
    fn series_are_found_in_any_order_and_gaps_between_them_are_nothing() {
        let times: Vec<i64> = (0..50)
            .map(|row| 1_000_000 + row * 15_000 + row % 3)
            .collect();
        let births: Vec<Birth> = (0..700).filter(|birth| birth % 100 < 60).collect();
        let mut encoder = Encoder::default();
        let mut sealing = Sealing::new(0, &times, &mut encoder);
        let rows = |birth| (0..50).map(|row| value(row, birth)).collect::<Vec<_>>();
        for birth in &births {
            sealing.column(*birth, &rows(*birth));
        }
        let chunk = sealing.finish();
        assert_eq!(chunk.births().collect::<Vec<_>>(), births);
        assert!(chunk.anchors.len() > 5 && chunk.runs.len() == 7);
        let mut cursor = Cursor::new(&chunk);
        assert_eq!(cursor.times(), times);
        for birth in (0..700).chain((0..700).rev().step_by(3)) {
            let found = cursor
                .column(birth)
                .map(|rows| rows.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
            let wanted = births
                .contains(&birth)
                .then(|| rows(birth).iter().map(|v| v.to_bits()).collect());
            assert_eq!(found, wanted, "{birth}");
        }
    }

    #[test]
    fn a_chunk_without_samples_has_its_times() {
        let mut encoder = Encoder::default();
        let mut sealing = Sealing::new(0, &[1, 2], &mut encoder);
        sealing.column(0, &[hole(), hole()]);
        let chunk = sealing.finish();
        assert_eq!((chunk.samples, chunk.births().count()), (0, 0));
        let mut cursor = Cursor::new(&chunk);
        assert_eq!(cursor.times(), [1, 2]);
        assert_eq!(cursor.column(0), None);
    }
}
