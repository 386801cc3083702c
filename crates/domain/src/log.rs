//! Log lines as data: never executed, never markup, bounded in length and number.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The level of a log line, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    Unknown,
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Unknown => "UNKNOWN",
            LogLevel::Trace => "TRACE",
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warn => "WARN",
            LogLevel::Error => "ERROR",
        }
    }

    /// Reads a level name of any case; `WARNING`, `FATAL`, `SEVERE` and the like are understood.
    pub fn of(text: &str) -> LogLevel {
        let text = text.trim();
        let is = |names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        if is(&["error", "fatal", "severe", "critical", "err"]) {
            LogLevel::Error
        } else if is(&["warn", "warning"]) {
            LogLevel::Warn
        } else if is(&["info", "notice"]) {
            LogLevel::Info
        } else if is(&["debug", "fine"]) {
            LogLevel::Debug
        } else if is(&["trace", "finer", "finest"]) {
            LogLevel::Trace
        } else {
            LogLevel::Unknown
        }
    }
}

/// One line of a service's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    pub time: Timestamp,
    pub level: LogLevel,
    pub logger: Option<String>,
    pub message: String,
    /// The class of the outermost exception.
    pub exception: Option<String>,
    pub stack_trace: Option<String>,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    /// The line was longer than the limit and was cut.
    pub cut: bool,
}

/// What became of looking for logs. Each is an answer that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogOutcome {
    Found,
    /// The file was read and has no line in the window; the text says what a wider one has.
    NoneInWindow(String),
    /// No log source is configured for the service.
    NotConfigured,
    /// The file is missing or can't be read: which, and why.
    Unreadable(String),
}

impl LogOutcome {
    /// As it is shown and counted.
    pub fn as_str(&self) -> &'static str {
        match self {
            LogOutcome::Found => "found",
            LogOutcome::NoneInWindow(_) => "none_in_window",
            LogOutcome::NotConfigured => "not_configured",
            LogOutcome::Unreadable(_) => "unreadable",
        }
    }

    /// Whether the logs were read, so that what they don't say means something.
    pub fn was_read(&self) -> bool {
        matches!(self, LogOutcome::Found | LogOutcome::NoneInWindow(_))
    }
}

/// The lines of a service around a time, errors first, then by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogWindow {
    pub from: Timestamp,
    pub to: Timestamp,
    pub outcome: LogOutcome,
    pub lines: Vec<LogLine>,
    /// Lines in the window beyond the limit, which are not in `lines`.
    pub omitted: u64,
    /// Lines that could not be understood.
    pub malformed: u64,
}
