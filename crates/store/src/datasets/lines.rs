//! Dataset files line by line: streamed, bounded in line length, entered near any time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use domain::{Row, Timestamp};

use super::columns::{BadRow, Layout};

/// A longer line is no row of ours; it is passed over without being held in memory.
const LINE_BYTES_MAX: usize = 16 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// The search by halves ends when this much is left; the rest is read.
const NEAR_BYTES: u64 = 8 * 1024;
const TAIL_BYTES: u64 = 4 * 1024;

/// One line that isn't a header.
#[derive(Debug)]
pub struct Line {
    /// Where it begins and where the next one does.
    pub start: u64,
    pub end: u64,
    pub row: Result<Row, BadRow>,
}

/// A reader of one file.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
    layout: Layout,
    /// Where the lines after the header begin.
    body: u64,
    length: u64,
    offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// Opens a file and reads its header; none if there is no file. A file without a header is
    /// taken to have our columns.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn open(path: &Path) -> io::Result<Option<Lines>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut lines = Lines {
            reader: BufReader::new(file),
            layout: Layout::Ours,
            body: 0,
            length,
            offset: 0,
            line: Vec::new(),
        };
        lines.fill()?;
        let mark = match lines.line.starts_with(BYTE_ORDER_MARK) {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        match Layout::of_header(&trimmed(&lines.line)[mark..]) {
            Some(layout) => {
                lines.layout = layout;
                lines.body = lines.offset;
            }
            None => {
                lines.body = mark as u64;
                lines.go_to(lines.body)?;
            }
        }
        Ok(Some(lines))
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub fn body(&self) -> u64 {
        self.body
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        let start = self.offset;
        if !self.fill()? {
            return Ok(None);
        }
        let row = if self.line.len() > LINE_BYTES_MAX {
            Err(BadRow::TooLong(LINE_BYTES_MAX))
        } else if self.line.last() != Some(&b'\n') {
            Err(BadRow::Torn)
        } else {
            self.layout.row(trimmed(&self.line))
        };
        let end = self.offset;
        Ok(Some(Line { start, end, row }))
    }

    /// Goes to a line from which on every row since `from` follows, without reading what lies
    /// before. The file is ordered by time; one with moved columns was edited by hand and is read
    /// from its beginning.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn go_near(&mut self, from: Timestamp) -> io::Result<()> {
        let (mut before, mut after) = (self.body, self.length);
        while self.layout == Layout::Ours && after.saturating_sub(before) > NEAR_BYTES {
            let middle = before + (after - before) / 2;
            match self.first_row_after(middle, after)? {
                Some((start, row)) if row.timestamp < from => before = start,
                _ => after = middle,
            }
        }
        self.go_to(before)
    }

    /// The newest row, found from the end.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn last_row(&mut self) -> io::Result<Option<Row>> {
        let mut window = TAIL_BYTES;
        loop {
            let start = self.length.saturating_sub(window).max(self.body);
            self.go_to(start)?;
            if start > self.body {
                // Very likely the middle of a line.
                self.fill()?;
            }
            let mut newest: Option<Row> = None;
            while let Some(line) = self.next()? {
                if let Ok(row) = line.row
                    && newest.is_none_or(|newest| newest.timestamp <= row.timestamp)
                {
                    newest = Some(row);
                }
            }
            if newest.is_some() || start == self.body {
                return Ok(newest);
            }
            window = window.saturating_mul(8);
        }
    }

    /// The numbers of the lines that begin at `starts` (ascending), counted from 1 as editors do.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn numbers_at(path: &Path, starts: &[u64]) -> io::Result<Vec<u64>> {
        if starts.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = BufReader::new(File::open(path)?);
        let (mut offset, mut number) = (0, 1);
        let mut numbers = Vec::with_capacity(starts.len());
        for start in starts {
            while offset < *start {
                let read = reader.skip_until(b'\n')? as u64;
                if read == 0 {
                    break;
                }
                offset += read;
                number += 1;
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn first_row_after(&mut self, offset: u64, end: u64) -> io::Result<Option<(u64, Row)>> {
        self.go_to(offset)?;
        self.fill()?;
        while self.offset < end {
            match self.next()? {
                Some(Line {
                    start,
                    row: Ok(row),
                    ..
                }) => return Ok(Some((start, row))),
                Some(_) => {}
                None => break,
            }
        }
        Ok(None)
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }

    /// Reads a line with its end into `self.line`, of an overlong one only its beginning; false
    /// at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.line)? as u64;
        self.offset += read;
        if read == limit && self.line.last() != Some(&b'\n') {
            self.offset += self.reader.skip_until(b'\n')? as u64;
        }
        Ok(read > 0)
    }
}

/// Without the line end, as any system writes it.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{columns, samples};

    #[test]
    fn searching_by_halves_never_passes_a_row() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cpu.csv");
        let mut text = columns::header();
        for index in 0..2000 {
            columns::write(&samples::row(index), &mut text);
            if index % 7 == 0 {
                text.push_str("not a row\n");
            }
        }
        std::fs::write(&path, text).unwrap();
        for wanted in [-5, 0, 1, 2, 777, 1998, 1999, 2000, 9999] {
            let mut lines = Lines::open(&path).unwrap().unwrap();
            lines.go_near(samples::at(wanted)).unwrap();
            let mut found = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                found.extend(line.row.map(|row| row.timestamp));
            }
            let before = found
                .iter()
                .filter(|time| **time < samples::at(wanted))
                .count();
            assert!(before < 200, "{before} rows read in vain");
            assert_eq!((found.len() - before) as i64, 2000 - wanted.clamp(0, 2000));
        }
        let mut lines = Lines::open(&path).unwrap().unwrap();
        assert_eq!(lines.last_row().unwrap(), Some(samples::row(1999)));
    }

    #[test]
    fn the_last_row_is_found_before_much_rubbish() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cpu.csv");
        let mut text = columns::header();
        columns::write(&samples::row(3), &mut text);
        text.push_str(&"x".repeat(100_000));
        text.push_str(&"\n\0\0,\n".repeat(10_000));
        std::fs::write(&path, text).unwrap();
        let mut lines = Lines::open(&path).unwrap().unwrap();
        assert_eq!(lines.last_row().unwrap(), Some(samples::row(3)));
    }
}
