//! Log files: the lines of a service around a time, errors first.
//!
//! Reading a window costs the window, not the file: its start is found by binary search over the
//! timestamps, and only regular files beneath the template's fixed part are ever opened. Lines are
//! data: bounded in length and number, control characters made visible, never executed.

mod beneath;
mod container;
mod fields;
mod json;
mod lines;
mod nearest;
mod plain;
mod record;
mod rotation;
mod scan;
mod search;
mod selection;
mod template;
mod times;

use domain::{LogOutcome, LogWindow, ServiceId, Timestamp};
use jiff::tz::TimeZone;

pub use fields::LogFields;
pub use template::{LogTemplate, LogTemplateError};

use beneath::Unopened;
use record::Reading;
use scan::scan;
use selection::Selection;
use template::Place;

/// What reading may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Lines are cut at this many bytes, and marked.
    pub line_bytes: usize,
    /// Messages and stack traces are cut at this many bytes.
    pub text_bytes: usize,
    /// One window reads at most so many bytes (of unpacked text, where packed).
    pub read_bytes: u64,
    /// So many rotated files are looked at, the newest first.
    pub rotated_files: usize,
    /// The most lines that a window holds, whatever is asked for.
    pub lines: usize,
}

impl Default for LogLimits {
    fn default() -> LogLimits {
        LogLimits {
            line_bytes: 256 << 10,
            text_bytes: 32 << 10,
            read_bytes: 256 << 20,
            rotated_files: 64,
            lines: 10_000,
        }
    }
}

/// Where logs lie, and how their lines are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    pub template: LogTemplate,
    pub fields: LogFields,
    /// The zone of times that name none.
    pub zone: TimeZone,
}

impl From<LogTemplate> for LogSource {
    /// The built-in fields, and UTC.
    fn from(template: LogTemplate) -> LogSource {
        LogSource {
            template,
            fields: LogFields::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// Reads windows of logs. Blocking: call it where that is allowed.
#[derive(Clone, Debug)]
pub struct LogReader {
    sources: Vec<(LogTemplate, Reading)>,
    limits: LogLimits,
}

impl LogReader {
    pub fn new(sources: Vec<LogSource>, limits: LogLimits) -> LogReader {
        let read = |source: LogSource| {
            let reading = Reading::new(&source.fields, source.zone, limits.text_bytes);
            (source.template, reading)
        };
        LogReader {
            sources: sources.into_iter().map(read).collect(),
            limits,
        }
    }

    /// The lines from `from` to `to`, both included: errors, then warnings, then the rest, each by
    /// time, at most `limit_lines`. Times without a zone are taken in the source's.
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
        if self.sources.is_empty() {
            return window(from, to, LogOutcome::NotConfigured);
        }
        let places: Vec<(Place, &Reading)> = self
            .sources
            .iter()
            .map(|(template, reading)| (template.place(service), reading))
            .collect();
        let limit = limit_lines.min(self.limits.lines);
        let mut selection = Selection::new(from, to, limit, self.limits);
        let unread = self.read(&places, &mut selection);
        if unread.len() == places.len() {
            let reasons: Vec<String> = unread.iter().map(ToString::to_string).collect();
            return window(from, to, LogOutcome::Unreadable(reasons.join("; ")));
        }
        let outcome = if selection.found() {
            LogOutcome::Found
        } else {
            LogOutcome::NoneInWindow(self.nearest(&places, &selection))
        };
        let picked = selection.finish();
        LogWindow {
            lines: picked.lines,
            omitted: picked.omitted,
            malformed: picked.malformed,
            ..window(from, to, outcome)
        }
    }

    /// Reads what the selection wants; answers with the places that could not be read.
    fn read(&self, places: &[(Place, &Reading)], selection: &mut Selection) -> Vec<Unopened> {
        places
            .iter()
            .filter_map(|(place, reading)| scan(place, reading, &self.limits, selection).err())
            .collect()
    }

    fn nearest(&self, places: &[(Place, &Reading)], selection: &Selection) -> String {
        nearest::in_words(selection, |from, to| {
            let mut wider = Selection::new(from, to, 0, self.limits);
            self.read(places, &mut wider);
            wider.finish().omitted
        })
    }
}

fn window(from: Timestamp, to: Timestamp, outcome: LogOutcome) -> LogWindow {
    LogWindow {
        from,
        to,
        outcome,
        lines: Vec::new(),
        omitted: 0,
        malformed: 0,
    }
}
