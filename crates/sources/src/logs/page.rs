//! Lines in order of time, page by page.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

use domain::{LogLevel, LogLine, LogOutcome, Timestamp};
use flate2::Crc;

use super::blocks::Block;
use super::gather::{Gathered, Window};
use super::lines::Budget;
use super::needle::Needle;
use super::selection::weight;

/// A page holds at most about so many bytes.
const PAGE_BYTES: usize = 16 << 20;

/// Which lines to show, and from where on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Both included.
    pub from: Timestamp,
    pub to: Timestamp,
    pub level_min: Option<LogLevel>,
    /// Part of the message, the exception, the stack trace or the trace id, in any case.
    pub text: Option<String>,
    /// Where the last page ended.
    pub after: Option<LogCursor>,
    pub limit: usize,
    pub order: LogOrder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOrder {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// One page.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    /// Where the next page begins; none where there is no more.
    pub next: Option<LogCursor>,
    /// The limit of bytes ended the search here: up to this instant all lines were looked at.
    pub searched_to: Option<Timestamp>,
    /// Found where there is any line in the stretch, whether it is one of those asked for or not.
    pub outcome: LogOutcome,
    /// Lines that could not be understood, of those that were looked at.
    pub malformed: u64,
}

impl LogPage {
    pub(super) fn none(outcome: LogOutcome) -> LogPage {
        LogPage {
            lines: Vec::new(),
            next: None,
            searched_to: None,
            outcome,
            malformed: 0,
        }
    }
}

/// Where a page ends: at a line, by its place among all lines.
///
/// That is its time, then its file's first time and its offset there, which stay the same when the
/// file is renamed, copied or packed, then a checksum of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogCursor {
    time: i64,
    file: i64,
    offset: i64,
    sum: i64,
}

/// Why a text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no cursor of a log page; leave it out to begin anew")]
pub struct ParseCursorError;

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!(
            "{:x}.{:x}.{:x}.{:x}",
            self.time, self.file, self.offset, self.sum
        );
        write!(f, "{text}.{:x}", sum(text.as_bytes()))
    }
}

impl FromStr for LogCursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<LogCursor, ParseCursorError> {
        let (numbers, check) = text.rsplit_once('.').ok_or(ParseCursorError)?;
        if format!("{:x}", sum(numbers.as_bytes())) != check {
            return Err(ParseCursorError);
        }
        let read = |number: &str| u64::from_str_radix(number, 16).map(u64::cast_signed);
        let numbers: Result<Vec<i64>, _> = numbers.split('.').map(read).collect();
        match numbers.as_deref() {
            Ok(&[time, file, offset, sum]) => Ok(LogCursor {
                time,
                file,
                offset,
                sum,
            }),
            _ => Err(ParseCursorError),
        }
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

impl LogCursor {
    fn of(line: &LogLine, file: Option<Timestamp>, offset: u64) -> LogCursor {
        LogCursor {
            time: line.time.as_millis(),
            file: file.map_or(0, Timestamp::as_millis),
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            sum: i64::from(sum(line.message.as_bytes())),
        }
    }

    /// Before all lines of a time.
    fn at(time: Timestamp) -> LogCursor {
        LogCursor {
            time: time.as_millis(),
            file: i64::MIN,
            offset: 0,
            sum: 0,
        }
    }

    /// The other way round: what came first comes last.
    fn mirrored(self) -> LogCursor {
        LogCursor {
            time: !self.time,
            file: !self.file,
            offset: !self.offset,
            sum: !self.sum,
        }
    }
}

impl LogQuery {
    /// None where it asks for any text.
    pub(super) fn needle(&self) -> Option<Needle> {
        self.text.as_deref().and_then(Needle::new)
    }

    /// The part of the stretch that is left to search.
    pub(super) fn window(&self) -> Window {
        let after = self.after.map(|cursor| Timestamp::from_millis(cursor.time));
        let (mut from, mut to) = (self.from, self.to);
        match (after, self.order) {
            (Some(after), LogOrder::OldestFirst) => from = from.max(after),
            (Some(after), LogOrder::NewestFirst) => to = to.min(after),
            (None, _) => {}
        }
        Window { from, to }
    }

    fn rank(&self, cursor: LogCursor) -> LogCursor {
        match self.order {
            LogOrder::OldestFirst => cursor,
            LogOrder::NewestFirst => cursor.mirrored(),
        }
    }
}

/// Blocks of a file that are read in one go, and the first time that they may have.
pub(super) struct Part {
    pub file: usize,
    pub places: Vec<usize>,
    /// By the order of the query.
    pub rank: i64,
}

/// The parts to read, in order of their times. An archive is one, for it is unpacked from its
/// beginning.
pub(super) fn parts(gathered: &Gathered, query: &LogQuery) -> Vec<Part> {
    let window = query.window();
    let mut parts = Vec::new();
    for (number, file) in gathered.files.iter().enumerate() {
        let blocks = file.index.blocks();
        let mut last: Option<usize> = None;
        for place in file.index.touching(window.from, window.to) {
            let first = rank_of(query, window, &blocks[place]);
            let goes_on = last
                .is_some_and(|last| file.packed || (last + 1 == place && blocks[place].lines == 0));
            last = Some(place);
            match parts.last_mut() {
                Some(Part { places, rank, .. }) if goes_on => {
                    places.push(place);
                    *rank = first.map_or(*rank, |first| first.min(*rank));
                }
                _ => parts.push(Part {
                    file: number,
                    places: vec![place],
                    rank: first.unwrap_or(i64::MIN),
                }),
            }
        }
    }
    parts.sort_by_key(|part| (part.rank, part.file, part.places.first().copied()));
    parts
}

fn rank_of(query: &LogQuery, window: Window, block: &Block) -> Option<i64> {
    match query.order {
        LogOrder::OldestFirst => block.first_from(window.from).map(Timestamp::as_millis),
        LogOrder::NewestFirst => block.last_to(window.to).map(|time| !time.as_millis()),
    }
}

impl Part {
    /// The first time of what is left when so many of its blocks were read.
    pub(super) fn rank_after(&self, read: usize, gathered: &Gathered, query: &LogQuery) -> i64 {
        let blocks = gathered.files[self.file].index.blocks();
        let left = self.places.iter().skip(read);
        let left = left.filter_map(|place| blocks.get(*place));
        let ranks = left.filter_map(|block| rank_of(query, query.window(), block));
        ranks.min().unwrap_or(self.rank)
    }

    /// What has to be read of it at once.
    fn bytes(&self, gathered: &Gathered) -> u64 {
        let file = &gathered.files[self.file];
        let blocks = self.places.iter();
        let bytes = blocks.map(|place| file.index.blocks()[*place].bytes());
        bytes.take(if file.packed { 1 } else { 2 }).sum()
    }
}

/// The first lines of a query after its cursor, as they are being found.
pub(super) struct Collector<'a> {
    query: &'a LogQuery,
    needle: Option<&'a Needle>,
    after: Option<LogCursor>,
    limit: usize,
    /// The last one on top.
    lines: BinaryHeap<Ranked>,
    bytes: usize,
    /// There are more than are kept.
    has_more: bool,
    /// There are lines in the window.
    pub found: bool,
}

struct Ranked {
    rank: LogCursor,
    line: LogLine,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Ranked) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        query: &'a LogQuery,
        needle: Option<&'a Needle>,
        lines_max: usize,
    ) -> Collector<'a> {
        Collector {
            query,
            needle,
            after: query.after.map(|cursor| query.rank(cursor)),
            limit: query.limit.clamp(1, lines_max.max(1)),
            lines: BinaryHeap::new(),
            bytes: 0,
            has_more: false,
            found: false,
        }
    }

    /// The page is full, and no line of the part comes before its end.
    pub(super) fn is_done_before(&self, part: &Part) -> bool {
        self.has_more
            && self
                .lines
                .peek()
                .is_some_and(|last| last.rank.time < part.rank)
    }

    pub(super) fn offer(&mut self, line: LogLine, file: Option<Timestamp>, offset: u64) {
        self.found = true;
        let asked = self.query.level_min.is_none_or(|min| line.level >= min)
            && self
                .needle
                .as_ref()
                .is_none_or(|needle| needle.is_in(&line));
        if !asked {
            return;
        }
        let rank = self.query.rank(LogCursor::of(&line, file, offset));
        if self.after.is_some_and(|after| rank <= after) {
            return;
        }
        self.bytes += weight(&line);
        self.lines.push(Ranked { rank, line });
        while self.lines.len() > self.limit || (self.bytes > PAGE_BYTES && self.lines.len() > 1) {
            self.has_more = true;
            let last = self.lines.pop();
            self.bytes -= last.map_or(0, |last| weight(&last.line));
        }
    }

    /// The page; `ended` is the first time of what the budget didn't suffice for.
    pub(super) fn finish(self, ended: Option<i64>, malformed: u64) -> LogPage {
        let query = self.query;
        let mut lines = self.lines.into_sorted_vec();
        let mut next = None;
        if self.has_more {
            next = lines.last().map(|last| query.rank(last.rank));
        }
        let mut searched_to = None;
        if let Some(ended) = ended
            && lines
                .last()
                .is_none_or(|last| last.rank.time >= ended || !self.has_more)
        {
            let time = match query.order {
                LogOrder::OldestFirst => ended,
                LogOrder::NewestFirst => !ended,
            };
            let time = Timestamp::from_millis(time);
            searched_to = Some(time);
            let cursor = match query.order {
                LogOrder::OldestFirst => LogCursor::at(time),
                LogOrder::NewestFirst => LogCursor {
                    file: i64::MAX,
                    offset: i64::MAX,
                    ..LogCursor::at(time)
                },
            };
            // Where so much lies at one time that nothing was settled, what was found is all.
            next = (self.after.is_none_or(|after| query.rank(cursor) > after)
                && time != query.window().beginning(query.order))
            .then_some(cursor);
            if next.is_some() {
                lines.retain(|ranked| ranked.rank.time < ended);
            }
        }
        LogPage {
            lines: lines.into_iter().map(|ranked| ranked.line).collect(),
            next,
            searched_to,
            outcome: LogOutcome::Found,
            malformed,
        }
    }
}

impl Window {
    fn beginning(&self, order: LogOrder) -> Timestamp {
        match order {
            LogOrder::OldestFirst => self.from,
            LogOrder::NewestFirst => self.to,
        }
    }
}

/// The budget of a page: enough for its first part, so that each page comes forward.
pub(super) fn budget(parts: &[Part], gathered: &Gathered, bytes_max: u64) -> Budget {
    let first = parts.first().map_or(0, |part| part.bytes(gathered));
    Budget::new(bytes_max.max(first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text_and_no_other() {
        let cursor = LogCursor {
            time: -5,
            file: i64::MIN,
            offset: 77,
            sum: 3,
        };
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        let other = text.replace("4d", "4e");
        for bad in [
            "",
            "1",
            "1.2.3.4",
            "a.b.c.d.e",
            &other,
            &format!("{text}0"),
            "é.1",
        ] {
            assert_eq!(bad.parse::<LogCursor>(), Err(ParseCursorError), "{bad}");
        }
        assert!(cursor.mirrored() > LogCursor { time: 6, ..cursor }.mirrored());
    }
}
