//! What is kept of the lines that were read: errors first, then by time, up to a limit.

use domain::{LogLevel, LogLine};

/// The lines of a window take at most about so many bytes.
const BYTES_MAX: usize = 16 << 20;

/// The lines of a window, as they are being found.
#[derive(Debug)]
pub(super) struct Selection {
    pub malformed: u64,
    limit: usize,
    lines: Vec<LogLine>,
    bytes: usize,
    omitted: u64,
}

/// What was picked in the end.
#[derive(Default)]
pub(super) struct Picked {
    pub lines: Vec<LogLine>,
    pub omitted: u64,
    pub malformed: u64,
}

impl Selection {
    pub(super) fn new(limit: usize) -> Selection {
        Selection {
            malformed: 0,
            limit,
            lines: Vec::new(),
            bytes: 0,
            omitted: 0,
        }
    }

    pub(super) fn offer(&mut self, line: LogLine) {
        self.bytes += weight(&line);
        self.lines.push(line);
        if self.lines.len() > 2 * self.limit + 64 || self.bytes > 2 * BYTES_MAX {
            self.cut();
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
        let mut bytes = 0;
        let fits = |line: &&LogLine| {
            bytes += weight(line);
            bytes <= BYTES_MAX
        };
        let kept = self.lines.iter().take(self.limit).take_while(fits).count();
        self.omitted += (self.lines.len() - kept) as u64;
        self.lines.truncate(kept);
        self.bytes = self.lines.iter().map(weight).sum();
    }
}

/// About how many bytes a line takes.
pub(super) fn weight(line: &LogLine) -> usize {
    let texts = [
        &line.logger,
        &line.exception,
        &line.stack_trace,
        &line.trace_id,
        &line.span_id,
    ];
    let texts = texts.into_iter().flatten().map(String::len);
    size_of::<LogLine>() + line.message.len() + texts.sum::<usize>()
}
