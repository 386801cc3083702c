//! Lines of a file, bounded in length and in all.

use std::io::{self, BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 64 << 10;

/// The bytes that one window may still read.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Budget {
        Budget { left: bytes }
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// One line as it was read; its bytes are in the buffer that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins.
    pub start: u64,
    /// It was longer than the limit; the rest was skipped.
    pub cut: bool,
    /// It ends with a newline.
    pub whole: bool,
}

pub(super) struct Lines<R> {
    reader: BufReader<R>,
    offset: u64,
    line_bytes: usize,
}

impl<R: Read> Lines<R> {
    /// `offset` is where `reader` stands in its file.
    pub(super) fn new(reader: R, offset: u64, line_bytes: usize) -> Lines<R> {
        Lines {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            offset,
            line_bytes,
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line, without its newline; none at the end or when the budget is spent.
    pub(super) fn next(
        &mut self,
        bytes: &mut Vec<u8>,
        budget: &mut Budget,
    ) -> io::Result<Option<Line>> {
        bytes.clear();
        let mut line = Line {
            start: self.offset,
            cut: false,
            whole: false,
        };
        while !line.whole {
            if budget.is_spent() {
                return Ok(None);
            }
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            let room = self.line_bytes.saturating_sub(bytes.len());
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            line.cut |= part.len() > room;
            line.whole = newline.is_some();
            let used = part.len() + usize::from(line.whole);
            self.reader.consume(used);
            self.offset += used as u64;
            budget.spend(used);
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok((self.offset > line.start).then_some(line))
    }
}
