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
        if is(&[
            "error",
            "fatal",
            "severe",
            "critical",
            "err",
            "crit",
            "alert",
            "emerg",
            "emergency",
        ]) {
            LogLevel::Error
        } else if is(&["warn", "warning"]) {
            LogLevel::Warn
        } else if is(&["info", "notice", "informational", "config"]) {
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

/// A cause of a cause and so on: so many are told.
const CAUSES_MAX: usize = 32;
const CLASS_BYTES_MAX: usize = 200;

impl LogLine {
    /// The classes of the exception, its cause and so on, as the stack trace tells them: the
    /// outermost first, the root cause last, whichever of them the trace begins with. Suppressed
    /// exceptions are no causes.
    ///
    /// ```
    /// use domain::{LogLevel, LogLine, Timestamp};
    /// let trace = "a.Outer: failed\n\tat a.B.c(B.java:1)\nCaused by: a.Root: broken\n\t... 1 more";
    /// let line = LogLine { stack_trace: Some(trace.to_owned()), ..LogLine::new(Timestamp::EPOCH) };
    /// assert_eq!(line.causes(), ["a.Outer", "a.Root"]);
    /// ```
    pub fn causes(&self) -> Vec<&str> {
        let trace = self.stack_trace.as_deref().unwrap_or_default();
        let mut classes = Vec::new();
        let mut root_first = false;
        for line in trace.lines() {
            let named = match line.strip_prefix("Wrapped by: ") {
                Some(wrapper) => {
                    root_first = true;
                    Some(wrapper)
                }
                None => line.strip_prefix("Caused by: "),
            };
            // What comes before the first class is the rest of a message.
            let named = named.or_else(|| classes.is_empty().then_some(line));
            classes.extend(named.and_then(exception_class));
            if classes.len() == CAUSES_MAX {
                break;
            }
        }
        if root_first {
            classes.reverse();
        }
        if classes.is_empty() {
            classes.extend(self.exception.as_deref());
        }
        classes
    }

    /// A line of which nothing is known but its time.
    pub fn new(time: Timestamp) -> LogLine {
        LogLine {
            time,
            level: LogLevel::Unknown,
            logger: None,
            message: String::new(),
            exception: None,
            stack_trace: None,
            trace_id: None,
            span_id: None,
            cut: false,
        }
    }
}

/// The class that a stack trace begins with, as in `java.lang.IllegalStateException: stock`.
pub fn exception_class(stack_trace: &str) -> Option<&str> {
    let first = stack_trace.lines().next()?.trim();
    let first = first.strip_prefix("Caused by: ").unwrap_or(first);
    let first = match first.strip_prefix("Exception in thread \"") {
        Some(thread) => thread.split_once("\" ")?.1,
        None => first,
    };
    // logstash-logback-encoder can lead with a hash of the trace.
    let first = match first.strip_prefix("<#") {
        Some(hash) => hash.split_once("> ")?.1,
        None => first,
    };
    let class = first.split([':', ' ']).next()?;
    is_exception_class(class).then_some(class)
}

/// Qualified and in capitals at its end, or named as exceptions are.
fn is_exception_class(class: &str) -> bool {
    class.len() <= CLASS_BYTES_MAX
        && class.split('.').all(|part| {
            part.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && part
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
        })
        && (class.ends_with("Error")
            || class.ends_with("Exception")
            || class
                .rsplit_once('.')
                .is_some_and(|(_, name)| name.starts_with(char::is_uppercase)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exception_classes_are_found() {
        let check = |text: &str, class: Option<&str>| {
            assert_eq!(exception_class(text), class, "{text}");
        };
        check(
            "java.lang.IllegalStateException: stock\n\tat x",
            Some("java.lang.IllegalStateException"),
        );
        check("a.b.C$D: 500", Some("a.b.C$D"));
        check("ValueError: x", Some("ValueError"));
        check("Caused by: a.B", Some("a.B"));
        check("Exception in thread \"main\" a.B: x", Some("a.B"));
        check("<#1a2b3c4d> a.B: x", Some("a.B"));
        check(
            "j.l.IllegalStateException: x",
            Some("j.l.IllegalStateException"),
        );
        for none in [
            "something happened",
            "",
            "a..B: x",
            "1.2: x",
            "docs.example.com: x",
            "...",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn causes_go_from_the_outermost_to_the_root() {
        let check = |trace: &str, classes: &[&str]| {
            let line = LogLine {
                stack_trace: Some(trace.to_owned()),
                exception: Some("a.Named".to_owned()),
                ..LogLine::new(Timestamp::EPOCH)
            };
            assert_eq!(line.causes(), classes, "{trace}");
        };
        check(
            "a.Outer: m\n\tat x\nCaused by: a.Middle\n\t... 2 more\nCaused by: a.Root: m\n\tat y",
            &["a.Outer", "a.Middle", "a.Root"],
        );
        check(
            "a.Root: m\n\tat y\nWrapped by: a.Middle: m\n\tat x\nWrapped by: a.Outer: m",
            &["a.Outer", "a.Middle", "a.Root"],
        );
        check(
            "a.Outer: m\n\tat x\n\tSuppressed: a.Closing: m\n\t\tat z\n\tCaused by: a.OfThat: m\nCaused by: a.Root: m",
            &["a.Outer", "a.Root"],
        );
        check("a.Alone: of\nmany lines\n\tat x", &["a.Alone"]);
        check(
            "of a message\na.Later: m\nCaused by: a.Root",
            &["a.Later", "a.Root"],
        );
        check("a.A: m\nCaused by: [CIRCULAR REFERENCE: a.A: m]", &["a.A"]);
        check("no class here", &["a.Named"]);
        check("", &["a.Named"]);
        let long: String = (0..1000).map(|_| "Caused by: a.B: m\n").collect();
        check(&long, &["a.B"; 32]);
    }
}
