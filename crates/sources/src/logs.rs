//! Log files: the lines of a service around a time, errors first; all lines of a stretch, or page
//! by page.
//!
//! Reading a window costs the window, not the file: a sparse index says which blocks of which files
//! have its times, and where there is none yet, the start is found by binary search. Only regular
//! files beneath a template's fixed part are ever opened. Lines are data: bounded in length and
//! number, control characters made visible, never executed.

mod fields;
mod source;
mod template;

mod beneath;
mod glob;
mod walk;

mod lines;
mod record;

mod container;
mod json;
mod plain;
mod stamp;
mod times;

mod blocks;
mod index;
mod indexer;
mod saved;

mod follow;

mod gather;
mod scan;
mod search;

mod nearest;
mod needle;
mod page;
mod selection;
mod visit;

use std::sync::Arc;

use domain::{LogLine, LogOutcome, LogWindow, ServiceId, Timestamp};

pub use fields::LogFields;
pub use follow::FollowReport;
pub use index::LogIndex;
pub use page::{LogCursor, LogOrder, LogPage, LogQuery, ParseCursorError};
pub use saved::LogIndexError;
pub use source::LogSource;
pub use template::{LogTemplate, LogTemplateError};
pub use visit::LogCoverage;
pub use walk::FILES_MAX;

use gather::{Gathered, Gatherer, Window};
use lines::Budget;
use nearest::Nearest;
use scan::Teller;
use selection::Selection;

/// A question is asked anew when a file was truncated meanwhile, at most so often.
const TRIES_MAX: usize = 3;

/// What reading may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Messages and stack traces are cut at this many bytes.
    pub text_bytes: usize,
    /// One question reads at most so many bytes (of unpacked text, where packed).
    pub read_bytes: u64,
    /// The most lines that an answer holds, whatever is asked for.
    pub lines: usize,
}

impl Default for LogLimits {
    fn default() -> LogLimits {
        LogLimits {
            text_bytes: 32 << 10,
            read_bytes: 256 << 20,
            lines: 10_000,
        }
    }
}

/// Reads logs. Blocking: call it where that is allowed.
#[derive(Clone, Debug)]
pub struct LogReader {
    sources: Vec<LogSource>,
    limits: LogLimits,
    index: Arc<LogIndex>,
}

impl LogReader {
    pub fn new(mut sources: Vec<LogSource>, limits: LogLimits, index: Arc<LogIndex>) -> LogReader {
        for source in &mut sources {
            source.bound(limits.text_bytes);
        }
        LogReader {
            sources,
            limits,
            index,
        }
    }

    /// The lines from `from` to `to`, both included: errors, then warnings, then the rest, each by
    /// time, at most `limit_lines`. Times without a zone are taken as UTC.
    ///
    /// A file that is rotated by rename while it is read loses and doubles nothing. With
    /// copytruncate the lines written between copy and truncation are lost by the rotation itself.
    pub fn window(
        &self,
        service: &ServiceId,
        from: Timestamp,
        to: Timestamp,
        limit_lines: usize,
    ) -> LogWindow {
        let window = Window { from, to };
        let limit = limit_lines.min(self.limits.lines);
        let (selection, outcome) = self.undisturbed(service, window, |gathered, nearest| {
            let mut selection = Selection::new(limit);
            let mut budget = Budget::new(self.limits.read_bytes);
            let mut malformed = 0;
            for file in &gathered.files {
                let places = file.index.touching(from, to);
                let mut offer = |line, _| selection.offer(line);
                let mut teller = Teller::new(file, service, window, &self.limits, &mut offer);
                teller.tell(file, &places, &mut budget);
                nearest.note(teller.before, teller.after);
                malformed += teller.malformed;
            }
            nearest.stopped |= budget.is_spent();
            selection.malformed = malformed;
            let found = selection.found();
            (selection, found)
        });
        let picked = selection.map(Selection::finish).unwrap_or_default();
        LogWindow {
            from,
            to,
            outcome,
            lines: picked.lines,
            omitted: picked.omitted,
            malformed: picked.malformed,
        }
    }

    /// Shows all lines from `from` to `to`, both included, file by file, to `take`. Where that
    /// takes more than `read_bytes_max`, it is shown what is evenly spread over the stretch.
    pub fn visit(
        &self,
        service: &ServiceId,
        from: Timestamp,
        to: Timestamp,
        read_bytes_max: u64,
        take: &mut dyn FnMut(&LogLine),
    ) -> LogCoverage {
        let window = Window { from, to };
        let mut coverage = LogCoverage {
            outcome: LogOutcome::NotConfigured,
            lines: 0,
            share: 0.0,
            malformed: 0,
        };
        let mut gathered = self.gather(service, window);
        if gathered.was_truncated() {
            gathered = self.gather(service, window);
        }
        if let Some(outcome) = self.nothing_to_read(&gathered) {
            coverage.outcome = outcome;
            return coverage;
        }
        let files = gathered.files.iter();
        let touching = files.map(|file| file.index.touching(from, to)).collect();
        let sample = visit::sample(&gathered, touching, read_bytes_max);
        coverage.share = sample.share;
        let mut nearest = self.nearest(&gathered, window);
        let mut budget = Budget::unlimited();
        for (file, places) in gathered.files.iter().zip(&sample.places) {
            let lines = &mut coverage.lines;
            let mut show = |line, _| {
                *lines += 1;
                take(&line);
            };
            let mut teller = Teller::new(file, service, window, &self.limits, &mut show);
            teller.tell(file, places, &mut budget);
            nearest.note(teller.before, teller.after);
            coverage.malformed += teller.malformed;
        }
        coverage.outcome = match coverage.lines {
            0 => self.none_in_window(service, &nearest),
            _ => LogOutcome::Found,
        };
        coverage
    }

    /// The next lines of a query, in order of time. Pages follow on each other without loss or
    /// repetition, also when a file is renamed, packed or copied in between; a line that is written
    /// late, with a time that lies before the cursor's, comes on none.
    pub fn page(&self, service: &ServiceId, query: &LogQuery) -> LogPage {
        let window = query.window();
        let needle = query.needle();
        let (page, outcome) = self.undisturbed(service, window, |gathered, nearest| {
            let mut collector = page::Collector::new(query, needle.as_ref(), self.limits.lines);
            let mut malformed = 0;
            let mut ended = None;
            let parts = page::parts(gathered, query);
            let mut budget = page::budget(&parts, gathered, self.limits.read_bytes);
            for (number, part) in parts.iter().enumerate() {
                if collector.is_done_before(part) {
                    break;
                }
                let file = &gathered.files[part.file];
                let first = file.index.first();
                let mut offer = |line, offset| collector.offer(line, first, offset);
                let mut teller = Teller::new(file, service, window, &self.limits, &mut offer);
                teller.needle = needle.as_ref();
                teller.tell(file, &part.places, &mut budget);
                nearest.note(teller.before, teller.after);
                malformed += teller.malformed;
                let (told, unread) = (teller.told, teller.unread);
                collector.found |= unread > 0 && !file.source.is_shared();
                if budget.is_spent() {
                    nearest.stopped = true;
                    let left = part.rank_after(told, gathered, query);
                    let next = parts.get(number + 1).map(|next| next.rank);
                    ended = Some(next.map_or(left, |next| next.min(left)));
                    break;
                }
            }
            let found = collector.found;
            (collector.finish(ended, malformed), found)
        });
        match page {
            Some(page) => LogPage { outcome, ..page },
            None => LogPage::none(outcome),
        }
    }

    /// Reads until no file was truncated meanwhile; says whether lines were found, or what else.
    fn undisturbed<T>(
        &self,
        service: &ServiceId,
        window: Window,
        mut read: impl FnMut(&Gathered, &mut Nearest) -> (T, bool),
    ) -> (Option<T>, LogOutcome) {
        let mut tries = 0;
        loop {
            let gathered = self.gather(service, window);
            if let Some(outcome) = self.nothing_to_read(&gathered) {
                return (None, outcome);
            }
            let mut nearest = self.nearest(&gathered, window);
            let (answer, found) = read(&gathered, &mut nearest);
            tries += 1;
            if gathered.was_truncated() && tries < TRIES_MAX {
                continue;
            }
            let outcome = match found {
                true => LogOutcome::Found,
                false => self.none_in_window(service, &nearest),
            };
            return (Some(answer), outcome);
        }
    }

    fn gather<'a>(&'a self, service: &'a ServiceId, window: Window) -> Gathered<'a> {
        let gatherer = Gatherer {
            sources: &self.sources,
            index: &self.index,
            limits: &self.limits,
            service,
            window,
        };
        gatherer.gather()
    }

    /// Why there is nothing to read.
    fn nothing_to_read(&self, gathered: &Gathered) -> Option<LogOutcome> {
        if self.sources.is_empty() {
            return Some(LogOutcome::NotConfigured);
        }
        (gathered.unread.len() == self.sources.len()).then(|| {
            let reasons: Vec<String> = gathered.unread.iter().map(ToString::to_string).collect();
            LogOutcome::Unreadable(reasons.join("; "))
        })
    }

    fn nearest(&self, gathered: &Gathered, window: Window) -> Nearest {
        let mut nearest = Nearest::new(window);
        nearest.note(gathered.before, gathered.after);
        nearest.stopped = gathered.is_cut;
        nearest.shared = self.sources.iter().any(LogSource::is_shared);
        nearest
    }

    fn none_in_window(&self, service: &ServiceId, nearest: &Nearest) -> LogOutcome {
        let count = |wider| self.count(service, wider);
        LogOutcome::NoneInWindow(nearest::in_words(nearest, self.limits.read_bytes, count))
    }

    /// How many lines a window has; of most blocks the index knows it.
    fn count(&self, service: &ServiceId, window: Window) -> u64 {
        let gathered = self.gather(service, window);
        let mut budget = Budget::new(self.limits.read_bytes);
        let mut count = 0;
        for file in &gathered.files {
            let mut places = file.index.touching(window.from, window.to);
            places.retain(|place| {
                let block = &file.index.blocks()[*place];
                let counts = block.is_within(window.from, window.to) && !file.source.is_shared();
                count += if counts { u64::from(block.lines) } else { 0 };
                !counts
            });
            let mut add = |_, _| count += 1;
            let mut teller = Teller::new(file, service, window, &self.limits, &mut add);
            teller.tell(file, &places, &mut budget);
        }
        count
    }
}
