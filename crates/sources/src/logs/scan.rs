//! Reading blocks of a file line by line, and putting the lines together to records.

use std::io::{self, Read, Seek};

use domain::{LogLine, ServiceId, Timestamp};
use flate2::read::MultiGzDecoder;

use super::LogLimits;
use super::gather::{LogFile, Window};
use super::lines::{Budget, Lines};
use super::needle::Needle;
use super::record::{Record, exception_class};
use super::search::lines_from;
use super::source::LogSource;

/// Puts lines of a file together to records and hands on those of a service in a window, each with
/// the offset of its first line.
pub(super) struct Teller<'a> {
    service: &'a ServiceId,
    window: Window,
    text_bytes: usize,
    take: &'a mut dyn FnMut(LogLine, u64),
    source: &'a LogSource,
    last: Last,
    /// Objects that can't have this text are not read.
    pub needle: Option<&'a Needle>,
    /// Lines of the window that were not read for that reason.
    pub unread: u64,
    /// Blocks that were read to their end.
    pub told: usize,
    /// Malformed lines in the window.
    pub malformed: u64,
    /// Malformed lines since the last one with a time.
    pending: u64,
    /// The last line with a time was one of those asked for.
    inside: bool,
    /// The newest line before the window, and the oldest after it.
    pub before: Option<Timestamp>,
    pub after: Option<Timestamp>,
}

/// What a line without a time would go on with.
enum Last {
    Nothing,
    Kept(LogLine, u64),
    /// A line that isn't asked for.
    Passed,
}

impl<'a> Teller<'a> {
    pub(super) fn new(
        file: &'a LogFile,
        service: &'a ServiceId,
        window: Window,
        limits: &LogLimits,
        take: &'a mut dyn FnMut(LogLine, u64),
    ) -> Teller<'a> {
        Teller {
            service,
            window,
            text_bytes: limits.text_bytes,
            take,
            source: file.source,
            last: Last::Nothing,
            needle: None,
            unread: 0,
            told: 0,
            malformed: 0,
            pending: 0,
            inside: false,
            before: None,
            after: None,
        }
    }

    /// Reads blocks of the file, given by their places in its index, in order. An error, such as a
    /// broken archive's, counts as one malformed line.
    pub(super) fn tell(&mut self, file: &LogFile, places: &[usize], budget: &mut Budget) {
        let told = match file.packed {
            false => self.tell_plain(file, places, budget),
            true => self.tell_packed(file, places, budget),
        };
        self.close();
        if self.inside {
            self.malformed += std::mem::take(&mut self.pending);
        }
        if told.is_err() || file.index.broken {
            self.malformed += 1;
        }
    }

    fn tell_plain(
        &mut self,
        file: &LogFile,
        places: &[usize],
        budget: &mut Budget,
    ) -> io::Result<()> {
        let mut next = 0;
        for place in places {
            self.turn_to(*place, next);
            let Some(block) = file.index.blocks().get(*place) else {
                continue;
            };
            self.tell_lines(lines_from(&file.file, block.start..block.end)?, budget)?;
            next = place + 1;
            if budget.is_spent() {
                return Ok(());
            }
            self.told += 1;
        }
        Ok(())
    }

    fn tell_packed(
        &mut self,
        file: &LogFile,
        places: &[usize],
        budget: &mut Budget,
    ) -> io::Result<()> {
        let mut packed = &file.file;
        packed.rewind()?;
        let mut unpacked = MultiGzDecoder::new(packed);
        let (mut next, mut at) = (0, 0);
        for place in places {
            self.turn_to(*place, next);
            let Some(block) = file.index.blocks().get(*place) else {
                continue;
            };
            let mut between = unpacked.by_ref().take(block.start - at);
            io::copy(&mut between, &mut io::sink())?;
            let lines = Lines::new(unpacked.by_ref().take(block.bytes()), block.start);
            self.tell_lines(lines, budget)?;
            at = block.end;
            next = place + 1;
            if budget.is_spent() {
                return Ok(());
            }
            self.told += 1;
        }
        Ok(())
    }

    /// A block that doesn't follow on the last one may begin with what belongs to the one between.
    fn turn_to(&mut self, place: usize, next: usize) {
        if place != next {
            self.close();
            self.last = Last::Passed;
        }
    }

    fn tell_lines<R: Read>(&mut self, mut lines: Lines<R>, budget: &mut Budget) -> io::Result<()> {
        let mut bytes = Vec::new();
        while let Some(line) = lines.next(&mut bytes, budget)? {
            self.hear(&bytes, line.cut, line.start);
        }
        Ok(())
    }

    /// Most lines that aren't asked for are known by their time alone.
    fn hear(&mut self, bytes: &[u8], cut: bool, offset: u64) {
        let is_json = bytes.trim_ascii_start().first() == Some(&b'{');
        match self.source.time(bytes, cut) {
            Some(time) if !self.window.contains(time) => self.pass(time, is_json),
            Some(_) if is_json && !cut && self.needle.is_some_and(|n| !n.may_be_in(bytes)) => {
                self.close();
                self.stamp(true);
                self.unread += 1;
            }
            None if matches!(self.last, Last::Passed) => self.pending += u64::from(is_json),
            _ => {
                let record = self.source.record(bytes, cut);
                self.take_record(record, offset);
            }
        }
    }

    fn pass(&mut self, time: Timestamp, is_json: bool) {
        self.close();
        self.stamp(false);
        self.last = if is_json { Last::Nothing } else { Last::Passed };
        if self.source.is_shared() {
            // It may be of another service.
            self.last = Last::Passed;
        } else if time < self.window.from {
            self.before = self.before.max(Some(time));
        } else {
            self.after = Some(self.after.map_or(time, |after| after.min(time)));
        }
    }

    fn take_record(&mut self, record: Record, offset: u64) {
        if let Record::Json(read) | Record::Plain(read) = &record {
            let is_own = self.source.is_of(self.service, read.service.as_deref());
            self.close();
            self.stamp(is_own);
            if !is_own {
                self.last = Last::Passed;
                return;
            }
        }
        match record {
            Record::Json(read) => (self.take)(read.line, offset),
            Record::Plain(read) => self.last = Last::Kept(read.line, offset),
            Record::Continuation(text) => match &mut self.last {
                Last::Kept(line, _) => fold(line, &text, self.text_bytes),
                Last::Nothing => self.pending += 1,
                Last::Passed => {}
            },
            Record::Blank => {}
            Record::Malformed => self.pending += 1,
        }
    }

    fn close(&mut self) {
        if let Last::Kept(line, offset) = std::mem::replace(&mut self.last, Last::Nothing) {
            (self.take)(line, offset);
        }
    }

    /// Malformed lines belong to the window where a neighbour with a time does.
    fn stamp(&mut self, inside: bool) {
        if inside || self.inside {
            self.malformed += self.pending;
        }
        self.pending = 0;
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
