//! Reading one log for a selection: which of its files, from where to where, line by line.

use std::io::{self, Read};

use domain::{LogLine, Timestamp};
use flate2::read::MultiGzDecoder;

use super::LogLimits;
use super::beneath::Unopened;
use super::lines::{Budget, Lines};
use super::record::{self, Reading, Record, exception_class};
use super::rotation::{self, LogFile};
use super::search::{DISORDER_BYTES, first_time, lines_from, start_of};
use super::selection::Selection;
use super::template::Place;

/// A file up to this size is read whole, so that it may be in any order.
const WHOLE_BYTES: u64 = 1 << 20;
/// Reading ends after so many lines beyond the window in a row,
const BEYOND_LINES: u32 = 64;
/// or after a few of them and so many bytes.
const BEYOND_FEW: u32 = 3;
const BEYOND_BYTES: u64 = 4 * DISORDER_BYTES;

/// Offers the lines of a place that may lie in the selection's window.
pub(super) fn scan(
    place: &Place,
    reading: &Reading,
    limits: &LogLimits,
    selection: &mut Selection,
) -> Result<(), Unopened> {
    let mut budget = Budget::new(limits.read_bytes);
    let live = rotation::live(place);
    if let Ok(file) = &live
        && let Ok(Some(first)) = first_of(file, reading, limits, &mut budget)
        && first <= selection.from
    {
        read(file, reading, limits, selection, &mut budget);
        selection.exhausted |= budget.is_spent();
        return Ok(());
    }
    let (now_live, rotated) = rotation::all(place, limits.rotated_files);
    if now_live.is_none() && rotated.is_empty() {
        return live.map(|_| ());
    }
    // A link or a device in the live file's place is no reason to look further.
    if let Err(error) = live
        && !error.is_missing()
    {
        return Err(error);
    }
    for file in in_window(rotated, now_live, reading, limits, selection, &mut budget) {
        read(&file, reading, limits, selection, &mut budget);
    }
    selection.exhausted |= budget.is_spent();
    Ok(())
}

/// The files that may hold lines of the window, oldest first. Each reaches to where the next one
/// begins.
fn in_window(
    rotated: Vec<LogFile>,
    live: Option<LogFile>,
    reading: &Reading,
    limits: &LogLimits,
    selection: &Selection,
    budget: &mut Budget,
) -> Vec<LogFile> {
    let mut files: Vec<(Option<Timestamp>, LogFile)> = rotated
        .into_iter()
        .chain(live)
        .map(|file| {
            (
                first_of(&file, reading, limits, budget).ok().flatten(),
                file,
            )
        })
        .collect();
    // The live one stays last, even while it is empty.
    files.sort_by_key(|(first, file)| (file.live, *first));
    let ends: Vec<Option<Timestamp>> = (0..files.len())
        .map(|i| files[i + 1..].iter().find_map(|(first, _)| *first))
        .collect();
    let firsts: Vec<Option<Timestamp>> = files.iter().map(|(first, _)| *first).collect();
    let copied = copy_of_live(&files);
    let mut kept: Vec<LogFile> = Vec::new();
    for (i, (first, file)) in files.into_iter().enumerate() {
        let Some(first) = first else { continue };
        let is_copy = copied == Some(i);
        let before = ends[i].is_some_and(|end| end < selection.from);
        let after =
            first > selection.to && i > 0 && firsts[i - 1].is_some_and(|f| f > selection.to);
        if !is_copy && !before && !after {
            kept.push(file);
        }
    }
    kept
}

/// The rotated file that is a copy of the live one, which is about to be truncated: it begins with
/// the same bytes.
fn copy_of_live(files: &[(Option<Timestamp>, LogFile)]) -> Option<usize> {
    let (first, live) = files.last().filter(|(_, file)| file.live)?;
    let beginning = beginning(live).filter(|bytes| !bytes.is_empty())?;
    files.iter().rposition(|(other_first, other)| {
        let unpacked = !other.live && !other.packed && other_first == first;
        unpacked && self::beginning(other).is_some_and(|bytes| bytes == beginning)
    })
}

fn beginning(file: &LogFile) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut start = reader(file, 0).ok()?.take(512);
    start.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn first_of(
    file: &LogFile,
    reading: &Reading,
    limits: &LogLimits,
    budget: &mut Budget,
) -> io::Result<Option<Timestamp>> {
    first_time(reader(file, 0)?, reading, limits, budget)
}

fn reader(file: &LogFile, from: u64) -> io::Result<Box<dyn Read + '_>> {
    use std::io::{Seek, SeekFrom};
    let mut raw = &file.file;
    raw.seek(SeekFrom::Start(from))?;
    let raw = raw.take(file.length.saturating_sub(from));
    Ok(if file.packed {
        Box::new(MultiGzDecoder::new(raw))
    } else {
        Box::new(raw)
    })
}

/// An error in the middle of a file, such as a broken archive, counts as one malformed line.
fn read(
    file: &LogFile,
    reading: &Reading,
    limits: &LogLimits,
    selection: &mut Selection,
    budget: &mut Budget,
) {
    let mut teller = Teller::new(selection, reading, !file.live);
    let outcome = if file.packed {
        reader(file, 0)
            .and_then(|reader| teller.tell(Lines::new(reader, 0, limits.line_bytes), true, budget))
    } else if file.length <= WHOLE_BYTES {
        lines_from(&file.file, 0, file.length, limits.line_bytes)
            .and_then(|lines| teller.tell(lines, false, budget))
    } else {
        let from = teller.selection.from;
        start_of(&file.file, file.length, from, reading, limits, budget).and_then(|start| {
            let mut lines = lines_from(&file.file, start, file.length, limits.line_bytes)?;
            if start > 0 {
                lines.next(&mut Vec::new(), budget)?;
            }
            teller.tell(lines, true, budget)
        })
    };
    if outcome.is_err() {
        teller.selection.malformed += 1;
    }
}

/// Puts lines together to records and tells the selection of them.
struct Teller<'a> {
    selection: &'a mut Selection,
    reading: &'a Reading,
    /// The last line counts even without a newline: nobody writes on.
    finished: bool,
    /// A plain line that may go on.
    open: Option<LogLine>,
    /// Malformed lines since the last one with a time.
    malformed: u64,
    /// The last line with a time lay in the window.
    inside: bool,
}

impl<'a> Teller<'a> {
    fn new(selection: &'a mut Selection, reading: &'a Reading, finished: bool) -> Teller<'a> {
        Teller {
            selection,
            reading,
            finished,
            open: None,
            malformed: 0,
            inside: false,
        }
    }

    fn tell<R: Read>(
        &mut self,
        mut lines: Lines<R>,
        may_stop: bool,
        budget: &mut Budget,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        let (mut beyond, mut beyond_from) = (0, 0);
        loop {
            let line = match lines.next(&mut bytes, budget) {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    self.close();
                    return Err(error);
                }
            };
            // A last line without a newline is still being written.
            if !line.whole && !self.finished {
                break;
            }
            let record = record::read(&bytes, line.cut, self.reading);
            match record.time() {
                Some(time) if time > self.selection.to => {
                    if beyond == 0 {
                        beyond_from = lines.offset();
                    }
                    beyond += 1;
                }
                Some(_) => beyond = 0,
                None => {}
            }
            self.take(record);
            let far = beyond >= BEYOND_FEW && lines.offset() - beyond_from > BEYOND_BYTES;
            if may_stop && (beyond >= BEYOND_LINES || far) {
                break;
            }
        }
        self.close();
        if self.inside {
            self.selection.malformed += self.malformed;
        }
        Ok(())
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Json(read) => {
                self.close();
                self.stamp(read.line.time);
                self.selection.offer(read.line);
            }
            Record::Plain(read) => {
                self.close();
                self.stamp(read.line.time);
                self.open = Some(read.line);
            }
            Record::Continuation(text) => match &mut self.open {
                Some(line) => fold(line, &text, self.reading.text_bytes),
                None => self.malformed += 1,
            },
            Record::Blank => {}
            Record::Malformed => self.malformed += 1,
        }
    }

    fn close(&mut self) {
        if let Some(line) = self.open.take() {
            self.selection.offer(line);
        }
    }

    /// Malformed lines belong to the window where a neighbour with a time does.
    fn stamp(&mut self, time: Timestamp) {
        let inside = self.selection.wants(time);
        if inside || self.inside {
            self.selection.malformed += self.malformed;
        }
        self.malformed = 0;
        self.inside = inside;
    }
}

/// Lines without a time are the stack trace of the line before them.
fn fold(line: &mut LogLine, text: &str, text_bytes: usize) {
    if line.exception.is_none() {
        line.exception = exception_class(text);
    }
    let trace = line.stack_trace.get_or_insert_with(String::new);
    if trace.len() + text.len() + 1 > text_bytes {
        line.cut = true;
        return;
    }
    if !trace.is_empty() {
        trace.push('\n');
    }
    trace.push_str(text);
}
