//! What is kept of the lines that were read: errors first, then by time, up to a limit.

use domain::{LogLevel, LogLine, Timestamp};

use super::LogLimits;

/// The lines of a window, as they are being found.
#[derive(Debug)]
pub(super) struct Selection {
    pub from: Timestamp,
    pub to: Timestamp,
    pub malformed: u64,
    /// The byte limit ended the reading.
    pub exhausted: bool,
    /// The newest line before the window, and the oldest after it.
    pub before: Option<Timestamp>,
    pub after: Option<Timestamp>,
    pub read_bytes_max: u64,
    limit: usize,
    lines: Vec<LogLine>,
    omitted: u64,
}

/// What was picked in the end.
pub(super) struct Picked {
    pub lines: Vec<LogLine>,
    pub omitted: u64,
    pub malformed: u64,
}

impl Selection {
    pub(super) fn new(
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        limits: LogLimits,
    ) -> Selection {
        Selection {
            from,
            to,
            malformed: 0,
            exhausted: false,
            before: None,
            after: None,
            read_bytes_max: limits.read_bytes,
            limit,
            lines: Vec::new(),
            omitted: 0,
        }
    }

    pub(super) fn wants(&self, time: Timestamp) -> bool {
        self.from <= time && time <= self.to
    }

    pub(super) fn offer(&mut self, line: LogLine) {
        if line.time < self.from {
            self.before = self.before.max(Some(line.time));
        } else if line.time > self.to {
            self.after = Some(self.after.map_or(line.time, |after| after.min(line.time)));
        } else {
            self.lines.push(line);
            if self.lines.len() > 2 * self.limit + 64 {
                self.cut();
            }
        }
    }

    pub(super) fn found(&self) -> bool {
        !self.lines.is_empty() || self.omitted > 0
    }

    pub(super) fn finish(mut self) -> Picked {
        self.cut();
        Picked {
            lines: self.lines,
            omitted: self.omitted,
            malformed: self.malformed,
        }
    }

    /// The sort is stable: lines of one time stay in the order of the file.
    fn cut(&mut self) {
        let rank = |level| match level {
            LogLevel::Error => 0,
            LogLevel::Warn => 1,
            _ => 2,
        };
        self.lines.sort_by_key(|line| (rank(line.level), line.time));
        let beyond = self.lines.len().saturating_sub(self.limit);
        self.lines.truncate(self.limit);
        self.omitted += beyond as u64;
    }
}
