//! One line's meaning, whatever its format.

use domain::{LogLevel, LogLine, Timestamp};
use jiff::tz::TimeZone;

use super::{LogFields, LogLimits, json, plain};
use crate::visible::visible;

/// How the lines of a source are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Messages and stack traces are cut at this many bytes.
    pub text_bytes: usize,
    /// Times without a year, as syslog's, are taken in the year that brings them nearest to this
    /// one, such as the time at which the file was last written; without it, they are no times.
    pub near: Option<Timestamp>,
}

impl Reading {
    pub(super) fn new(_fields: &LogFields, zone: TimeZone, text_bytes: usize) -> Reading {
        Reading {
            zone,
            text_bytes,
            near: None,
        }
    }
}

impl Default for Reading {
    /// The built-in fields, UTC, and the default limit.
    fn default() -> Reading {
        let text_bytes = LogLimits::default().text_bytes;
        Reading::new(&LogFields::default(), TimeZone::UTC, text_bytes)
    }
}

/// A line, and what it says about who wrote it.
#[derive(Debug)]
pub(super) struct Read {
    pub line: LogLine,
    /// The service that the line names.
    pub service: Option<String>,
    /// The version of that service.
    pub version: Option<String>,
}

/// What a line is.
#[derive(Debug)]
pub(super) enum Record {
    Json(Read),
    Plain(Read),
    /// Text without a timestamp, which belongs to the line before it.
    Continuation(String),
    Blank,
    /// Not understood: broken JSON, or no time.
    Malformed,
}

impl Record {
    pub(super) fn time(&self) -> Option<Timestamp> {
        match self {
            Record::Json(read) | Record::Plain(read) => Some(read.line.time),
            _ => None,
        }
    }
}

/// Reads one line; `cut` says that its end is missing.
pub(super) fn read(bytes: &[u8], cut: bool, reading: &Reading) -> Record {
    let text_bytes = reading.text_bytes;
    let read = |line| Read {
        line,
        service: None,
        version: None,
    };
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end().trim_start_matches('\u{feff}');
    if text.trim_start().is_empty() {
        return Record::Blank;
    }
    if text.trim_start().starts_with('{') {
        let line = if cut {
            json::beginning(text, text_bytes)
        } else {
            json::read(text, text_bytes)
        };
        return line.map_or(Record::Malformed, |line| Record::Json(read(line)));
    }
    match plain::read(text, text_bytes) {
        Some(line) => Record::Plain(read(LogLine {
            cut: line.cut || cut,
            ..line
        })),
        None => Record::Continuation(bounded(text, text_bytes).0),
    }
}

/// Visible text of at most `bytes_max` bytes, and whether that cut it.
pub(super) fn bounded(text: &str, bytes_max: usize) -> (String, bool) {
    let kept = beginning(text, bytes_max);
    (visible(kept).into_owned(), kept.len() < text.len())
}

/// The longest beginning of at most `bytes_max` bytes that ends between characters.
pub(super) fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The class that a stack trace begins with, as in `java.lang.IllegalStateException: stock`.
pub(super) fn exception_class(stack_trace: &str) -> Option<String> {
    let first = stack_trace.lines().next()?.trim();
    let first = first.strip_prefix("Caused by: ").unwrap_or(first);
    let class = first.split([':', ' ']).next()?;
    let is_class = class.len() <= 200
        && class.chars().next().is_some_and(char::is_alphabetic)
        && class
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '$'))
        && (class.contains('.') || class.ends_with("Error") || class.ends_with("Exception"));
    is_class.then(|| class.to_owned())
}

/// A level given as a number: syslog's 0 to 7, or the tens of pino and bunyan, or Logback's
/// thousands.
pub(super) fn numeric_level(number: i64) -> LogLevel {
    match number {
        0..=3 => LogLevel::Error,
        4 => LogLevel::Warn,
        5 | 6 => LogLevel::Info,
        7 => LogLevel::Debug,
        10 | 5_000 => LogLevel::Trace,
        20 | 10_000 => LogLevel::Debug,
        30 | 20_000 => LogLevel::Info,
        40 | 30_000 => LogLevel::Warn,
        50 | 60 | 40_000 => LogLevel::Error,
        _ => LogLevel::Unknown,
    }
}

/// A time as text: RFC 3339, the same with a space or a comma, without a zone (then UTC), or a
/// number.
pub(super) fn text_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    if let Ok(number) = text.parse::<f64>() {
        return number_time(number);
    }
    let text = text.replace(',', ".");
    let time = match text.parse::<jiff::Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
    };
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// Epoch seconds, or by size milli-, micro- or nanoseconds (seconds reach to the year 5138).
pub(super) fn number_time(number: f64) -> Option<Timestamp> {
    let divisor = match number.abs() {
        n if n < 1e11 => 1.0,
        n if n < 1e14 => 1e3,
        n if n < 1e17 => 1e6,
        _ => 1e9,
    };
    Timestamp::from_seconds(number / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f46_times_of_many_kinds_are_read() {
        let check = |text: &str, time: Option<&str>| {
            let read = text_time(text).map(|t| t.to_string());
            assert_eq!(read.as_deref(), time, "{text}");
        };
        let noon = Some("2026-11-22T12:00:00.250Z");
        check("2026-11-22T12:00:00.250Z", noon);
        check("2026-11-22T12:00:00.250415709Z", noon);
        check("2026-11-22T13:00:00.250+01:00", noon);
        check("2026-11-22T13:00:00.250+0100", noon);
        check("2026-11-22 12:00:00,250", noon);
        check("2026-11-22T12:00:00.250", noon);
        check("1795348800.25", noon);
        check("1795348800250", noon);
        check("1795348800250000", noon);
        check("1795348800250000000", noon);
        check("1970-01-01T00:00:00Z", Some("1970-01-01T00:00:00.000Z"));
        check("9999-12-30T00:00:00Z", Some("9999-12-30T00:00:00.000Z"));
        for bad in [
            "",
            "soon",
            "12:00:00",
            "NaN",
            "1e9999",
            "99999-01-01T00:00:00Z",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn exception_classes_are_found() {
        let check = |text: &str, class: Option<&str>| {
            assert_eq!(exception_class(text).as_deref(), class, "{text}");
        };
        check(
            "java.lang.IllegalStateException: stock\n\tat x",
            Some("java.lang.IllegalStateException"),
        );
        check("a.b.C$D: 500", Some("a.b.C$D"));
        check("ValueError: x", Some("ValueError"));
        check("something happened", None);
        check("", None);
    }
}
