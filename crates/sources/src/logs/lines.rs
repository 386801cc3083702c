//! Lines of a file, bounded in length and in all.

use std::io::{self, BufRead, BufReader, Read};

use memchr::memchr;

/// Lines are cut at this many bytes, and marked.
pub(super) const LINE_BYTES: usize = 256 << 10;
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes that may still be read.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    spent: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Budget {
        Budget {
            left: bytes,
            spent: 0,
        }
    }

    pub(super) fn unlimited() -> Budget {
        Budget::new(u64::MAX)
    }

    pub(super) fn spend(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
        self.spent += bytes;
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent
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
}

impl<R: Read> Lines<R> {
    /// `offset` is where `reader` stands in its file.
    pub(super) fn new(reader: R, offset: u64) -> Lines<R> {
        Lines {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            offset,
        }
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
            let newline = memchr(b'\n', buffer);
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            let room = LINE_BYTES.saturating_sub(bytes.len());
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            line.cut |= part.len() > room;
            line.whole = newline.is_some();
            let used = part.len() + usize::from(line.whole);
            self.reader.consume(used);
            self.offset += used as u64;
            budget.spend(used as u64);
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok((self.offset > line.start).then_some(line))
    }
}
