//! The sparse index of one file: which times lie in which of its blocks.
//!
//! A block begins with a line that has a time, so that no stack trace is torn apart, and knows the
//! times of all its lines. So a window is read exactly, in whatever order the lines came: from the
//! blocks that have times in it, and from no others.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use domain::Timestamp;
use flate2::Crc;
use serde::{Deserialize, Serialize};

/// A block ends at the first line with a time after so many bytes,
const BLOCK_BYTES: u64 = 256 << 10;
/// or at any line after so many times as much.
const UNTIMED_BLOCKS: u64 = 8;
/// A file with more blocks gets larger ones.
const BLOCKS_MAX: usize = 32 << 10;
/// A file is known again by its first bytes, up to so many.
const BEGINNING_BYTES: u64 = 1024;
/// Times nearer than this to others are told together with them.
const NEAR_MILLIS: i64 = 3_600_000;
/// Times lie in few stretches, so that a wild clock doesn't make a block look long.
const SPANS: usize = 4;

/// From when to when, both included.
type Span = (i64, i64);
const NO_TIME: Span = (i64::MAX, i64::MIN);

/// The times of a block's lines: none of them lies outside the spans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Span>", into = "Vec<Span>")]
struct Spans([Span; SPANS]);

impl From<Vec<Span>> for Spans {
    fn from(spans: Vec<Span>) -> Spans {
        let mut known = Spans([NO_TIME; SPANS]);
        spans.into_iter().for_each(|span| known.add(span));
        known
    }
}

impl From<Spans> for Vec<Span> {
    fn from(spans: Spans) -> Vec<Span> {
        spans.known().collect()
    }
}

impl Spans {
    fn known(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied().filter(|span| *span != NO_TIME)
    }

    /// The first span that is near takes it in, else an empty one, else the nearest.
    fn add(&mut self, (min, max): Span) {
        let distance = |span: &Span| match *span {
            NO_TIME => NEAR_MILLIS,
            (from, to) => min.saturating_sub(to).max(from.saturating_sub(max)).max(0),
        };
        let near = self.0.iter().position(|span| distance(span) < NEAR_MILLIS);
        let taker = match near {
            Some(near) => Some(&mut self.0[near]),
            None => self.0.iter_mut().min_by_key(|span| distance(span)),
        };
        if let Some(span) = taker {
            *span = (span.0.min(min), span.1.max(max));
        }
    }
}

/// Some consecutive lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// Where the first line begins,
    pub start: u64,
    /// and the last one ends. A line that is cut ends there, and the next block begins behind it.
    pub end: u64,
    /// Lines with a time.
    pub lines: u32,
    spans: Spans,
}

impl Block {
    fn at(start: u64) -> Block {
        Block {
            start,
            end: start,
            lines: 0,
            spans: Spans([NO_TIME; SPANS]),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end - self.start
    }

    pub(super) fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.first_from(from).is_some_and(|first| first <= to)
    }

    /// All its lines are from `from` to `to`.
    pub(super) fn is_within(&self, from: Timestamp, to: Timestamp) -> bool {
        let is_within = |(min, max): Span| from.as_millis() <= min && max <= to.as_millis();
        self.spans.known().all(is_within)
    }

    /// No line from `time` on is earlier than this.
    pub(super) fn first_from(&self, time: Timestamp) -> Option<Timestamp> {
        let time = time.as_millis();
        let later = self.spans.known().filter(|(_, max)| *max >= time);
        later
            .map(|(min, _)| Timestamp::from_millis(min.max(time)))
            .min()
    }

    /// No line up to `time` is later than this.
    pub(super) fn last_to(&self, time: Timestamp) -> Option<Timestamp> {
        let time = time.as_millis();
        let earlier = self.spans.known().filter(|(min, _)| *min <= time);
        earlier
            .map(|(_, max)| Timestamp::from_millis(max.min(time)))
            .max()
    }

    fn join(&mut self, next: &Block) {
        self.end = next.end;
        self.lines = self.lines.saturating_add(next.lines);
        next.spans.known().for_each(|span| self.spans.add(span));
    }
}

/// The first bytes of a file, as far as they were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beginning {
    bytes: u16,
    sum: u32,
}

impl Beginning {
    fn of(bytes: &[u8]) -> Beginning {
        let mut sum = Crc::new();
        sum.update(bytes);
        Beginning {
            bytes: u16::try_from(bytes.len()).unwrap_or(u16::MAX),
            sum: sum.sum(),
        }
    }
}

/// At most the first `bytes_max` bytes, and not more than a file is known by.
pub(super) fn read_beginning(file: &File, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; bytes_max.min(BEGINNING_BYTES) as usize];
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// What is known of one file's times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIndex {
    /// How lines were read; see [`LogSource::reading`](super::source::LogSource::reading).
    reading: u32,
    beginning: Beginning,
    /// Of packed files the bytes as packed: such a file is known whole or not at all.
    pub packed_bytes: Option<u64>,
    /// An archive is broken or too large behind what is covered.
    pub broken: bool,
    /// Lines before this (of unpacked text) are in the blocks.
    pub covered: u64,
    /// What is covered ends within a line that was cut.
    in_cut_line: bool,
    /// Milliseconds of the first time.
    first: Option<i64>,
    pub lines: u64,
    block_bytes: u64,
    blocks: Vec<Block>,
}

impl FileIndex {
    pub(super) fn new(reading: u32) -> FileIndex {
        FileIndex {
            reading,
            block_bytes: BLOCK_BYTES,
            ..FileIndex::default()
        }
    }

    /// It is of this file as it is read now, and the file wasn't truncated since.
    pub(super) fn is_of(&self, file: &File, length: u64, reading: u32) -> bool {
        let as_long = match self.packed_bytes {
            Some(bytes) => bytes == length,
            None => self.covered <= length,
        };
        let known = u64::from(self.beginning.bytes);
        self.reading == reading
            && as_long
            && read_beginning(file, known)
                .is_ok_and(|bytes| Beginning::of(&bytes) == self.beginning)
    }

    /// Notes the first bytes, not more than are covered.
    ///
    /// # Errors
    /// `InvalidData` where the file was truncated since, so that the index is of no file any more.
    pub(super) fn note_beginning(&mut self, file: &File) -> io::Result<()> {
        let covered = self.packed_bytes.unwrap_or(self.covered);
        let bytes = read_beginning(file, covered)?;
        let known = bytes.get(..usize::from(self.beginning.bytes));
        let is_same = known.is_some_and(|known| Beginning::of(known) == self.beginning)
            && bytes.len() as u64 == covered.min(BEGINNING_BYTES)
            && file.metadata()?.len() >= covered;
        if !is_same {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.beginning = Beginning::of(&bytes);
        Ok(())
    }

    /// The first time, which stays the same whatever becomes of the file.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.first.map(Timestamp::from_millis)
    }

    /// All of the file is known.
    pub(super) fn is_whole(&self, length: u64) -> bool {
        self.packed_bytes.unwrap_or(self.covered) == length
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(super) fn touches(&self, from: Timestamp, to: Timestamp) -> bool {
        self.blocks.iter().any(|block| block.touches(from, to))
    }

    /// The places of the blocks with lines from `from` to `to`, each with what goes on with its
    /// last line.
    pub(super) fn touching(&self, from: Timestamp, to: Timestamp) -> Vec<usize> {
        let mut goes_on = false;
        let blocks = self.blocks.iter().enumerate().filter(|(_, block)| {
            let untimed = block.lines == 0;
            let wanted = block.touches(from, to) || (goes_on && untimed);
            // One such block has more than is kept of any line.
            goes_on = wanted && !untimed;
            wanted
        });
        blocks.map(|(place, _)| place).collect()
    }

    /// Takes up the next line of `bytes` with its newline; of one that is cut, what is left.
    pub(super) fn add(&mut self, bytes: u64, time: Option<Timestamp>) {
        let fits = |block: &Block| {
            let kept = block.bytes() < self.block_bytes
                || (time.is_none() && block.bytes() < UNTIMED_BLOCKS * self.block_bytes);
            block.end == self.covered && kept
        };
        if !self.blocks.last().is_some_and(fits) {
            self.widen();
            self.blocks.push(Block::at(self.covered));
        }
        self.covered += bytes;
        self.in_cut_line = false;
        if let Some(block) = self.blocks.last_mut() {
            block.end = self.covered;
            if let Some(time) = time {
                block.lines += 1;
                block.spans.add((time.as_millis(), time.as_millis()));
                self.lines += 1;
                self.first.get_or_insert(time.as_millis());
            }
        }
    }

    /// Passes over bytes that belong to no line that is read.
    pub(super) fn skip(&mut self, bytes: u64, in_cut_line: bool) {
        self.covered += bytes;
        self.in_cut_line = in_cut_line;
    }

    pub(super) fn is_in_cut_line(&self) -> bool {
        self.in_cut_line
    }

    /// Makes room: blocks of twice the size are half as many.
    fn widen(&mut self) {
        if self.blocks.len() >= BLOCKS_MAX {
            self.halve();
        }
    }

    pub(super) fn halve(&mut self) {
        self.block_bytes = self.block_bytes.saturating_mul(2);
        let pairs = self.blocks.chunks(2);
        self.blocks = pairs
            .filter_map(|pair| {
                let mut block = pair.first()?.clone();
                pair[1..].iter().for_each(|next| block.join(next));
                Some(block)
            })
            .collect();
    }
}

/// Why indexing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// At the end of the file; so many bytes of an unfinished line are left.
    End { rest: usize },
    /// Its budget was spent, or it was told to stop.
    Partly,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn index(times: impl IntoIterator<Item = Option<i64>>) -> FileIndex {
        let mut index = FileIndex::new(0);
        for time in times {
            index.add(BLOCK_BYTES / 4, time.map(at));
        }
        index
    }

    #[test]
    fn wild_times_do_not_make_a_block_long() {
        let far = 8_000_000_000;
        let index = index([Some(0), Some(far), Some(500_000), Some(500_001)]);
        let block = &index.blocks()[0];
        assert!(block.touches(at(500_000), at(500_000)));
        assert!(block.touches(at(far), at(far)) && block.touches(at(-5), at(0)));
        assert!(!block.touches(at(100), at(400_000)));
        assert!(!block.touches(at(600_000), at(far - 1)));
        assert_eq!(block.first_from(at(1)), Some(at(500_000)));
        assert_eq!(block.last_to(at(600_000)), Some(at(500_001)));
    }

    #[test]
    fn blocks_begin_with_a_time() {
        let index = index([Some(1), None, Some(2), None, None, None, Some(3)]);
        let starts: Vec<u64> = index.blocks().iter().map(|block| block.start).collect();
        assert_eq!(starts, [0, 6 * BLOCK_BYTES / 4]);
        // But what has no times has an end.
        let index = self::index(std::iter::once(Some(1)).chain([None; 100]));
        assert_eq!(index.blocks().len(), 4);
        assert_eq!(index.touching(at(0), at(9)).len(), 2);
    }

    #[test]
    fn a_long_file_has_larger_blocks() {
        let index = index((0..9 * BLOCKS_MAX as i64).map(Some));
        assert!(index.blocks().len() <= BLOCKS_MAX);
        assert_eq!(index.lines, 9 * BLOCKS_MAX as u64);
        let lines: u64 = index.blocks().iter().map(|b| u64::from(b.lines)).sum();
        assert_eq!(lines, index.lines);
        let touching = index.touching(at(100_000), at(100_001));
        assert!(touching.len() <= 2);
    }

    #[test]
    fn stored_spans_come_back() {
        let index = index([Some(0), Some(9_000_000), None, Some(3)]);
        let bytes = postcard::to_stdvec(&index).unwrap();
        assert_eq!(postcard::from_bytes::<FileIndex>(&bytes).unwrap(), index);
    }
}
