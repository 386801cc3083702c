//! Building a file's index: one pass over its bytes, in bounded memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use memchr::memchr;

use super::blocks::{FileIndex, Reach};
use super::lines::{Budget, LINE_BYTES};
use super::source::LogSource;

const BUFFER_BYTES: usize = 1 << 20;
/// What is in the index of a line that is cut; one byte more than the limit, so that whoever reads
/// it sees that.
const CUT_BYTES: usize = LINE_BYTES + 1;
/// Archives are unpacked up to so many bytes.
const UNPACKED_BYTES_MAX: u64 = 8 << 30;

/// Reads files for their indexes.
pub(super) struct Indexer<'a> {
    /// Asked now and then; yes ends the pass.
    stop: &'a dyn Fn() -> bool,
    buffer: Vec<u8>,
}

impl<'a> Indexer<'a> {
    pub(super) fn new(stop: &'a dyn Fn() -> bool) -> Indexer<'a> {
        Indexer {
            stop,
            buffer: Vec::new(),
        }
    }

    /// Goes on where the index of an unpacked file ends, up to `length`.
    pub(super) fn extend(
        &mut self,
        source: &LogSource,
        file: &File,
        length: u64,
        index: &mut FileIndex,
        budget: &mut Budget,
    ) -> io::Result<Reach> {
        let mut reader = file;
        reader.seek(SeekFrom::Start(index.covered))?;
        let mut rest = reader.take(length.saturating_sub(index.covered));
        let reach = self.run(source, &mut rest, index, budget)?;
        index.note_beginning(file)?;
        Ok(reach)
    }

    /// Takes up the last line of a file that nobody writes on, which may lack its newline.
    pub(super) fn finish(&mut self, source: &LogSource, index: &mut FileIndex, reach: Reach) {
        if let Reach::End { rest } = reach
            && rest > 0
        {
            let time = source.time(&self.buffer[..rest], false);
            index.add(rest as u64, time);
        }
    }

    /// The index of an archive of `length` packed bytes; none where the budget doesn't suffice.
    pub(super) fn unpack(
        &mut self,
        source: &LogSource,
        file: &File,
        length: u64,
        budget: &mut Budget,
    ) -> io::Result<Option<FileIndex>> {
        let mut packed = file;
        packed.rewind()?;
        let mut index = FileIndex::new(source.reading());
        let mut unpacked = MultiGzDecoder::new(packed).take(UNPACKED_BYTES_MAX);
        match self.run(source, &mut unpacked, &mut index, budget) {
            Ok(Reach::Partly) => return Ok(None),
            Ok(reach) => self.finish(source, &mut index, reach),
            // What comes before the damage is good.
            Err(_) => index.broken = true,
        }
        index.broken |= index.covered >= UNPACKED_BYTES_MAX;
        index.packed_bytes = Some(length);
        index.note_beginning(file)?;
        Ok(Some(index))
    }

    /// Takes up lines until the end or the budget's; an unfinished one stays in the buffer.
    fn run(
        &mut self,
        source: &LogSource,
        reader: &mut dyn Read,
        index: &mut FileIndex,
        budget: &mut Budget,
    ) -> io::Result<Reach> {
        self.buffer.resize(BUFFER_BYTES, 0);
        let mut filled = 0;
        // Before this there is no newline.
        let mut searched = 0;
        loop {
            if budget.is_spent() || (self.stop)() {
                return Ok(Reach::Partly);
            }
            let read = match reader.read(&mut self.buffer[filled..]) {
                Ok(0) => return Ok(Reach::End { rest: filled }),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            budget.spend(read as u64);
            filled += read;
            let mut begin = 0;
            while let Some(length) = memchr(b'\n', &self.buffer[begin.max(searched)..filled]) {
                let end = begin.max(searched) + length;
                take(source, &self.buffer[begin..end], index);
                begin = end + 1;
            }
            let rest = filled - begin;
            if index.is_in_cut_line() {
                index.skip(rest as u64, true);
                filled = 0;
            } else if rest > LINE_BYTES {
                take_cut(source, &self.buffer[begin..filled], index);
                filled = 0;
            } else {
                self.buffer.copy_within(begin..filled, 0);
                filled = rest;
            }
            searched = filled;
        }
    }
}

/// A line without its newline.
fn take(source: &LogSource, line: &[u8], index: &mut FileIndex) {
    if index.is_in_cut_line() {
        index.skip(line.len() as u64 + 1, false);
    } else if line.len() > LINE_BYTES {
        take_cut(source, line, index);
        index.skip(1, false);
    } else {
        index.add(line.len() as u64 + 1, source.time(line, false));
    }
}

/// The known part of a line that is too long.
fn take_cut(source: &LogSource, line: &[u8], index: &mut FileIndex) {
    index.add(CUT_BYTES as u64, source.time(&line[..LINE_BYTES], true));
    index.skip((line.len() - CUT_BYTES) as u64, true);
}
