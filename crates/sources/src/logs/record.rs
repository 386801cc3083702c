//! One line's meaning, whatever its format.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{LogLevel, LogLine, Timestamp};
use jiff::tz::TimeZone;

use super::fields::Names;
use super::json::Object;
use super::{LogFields, LogLimits, container, json, plain};
use crate::visible::visible;

/// How the lines of a source are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub names: Arc<Names>,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Messages and stack traces are cut at this many bytes.
    pub text_bytes: usize,
    /// Times without a year, as syslog's, are taken in the year that brings them nearest to this
    /// one, such as the time at which the file was last written; without it, they are no times.
    pub near: Option<Timestamp>,
}

impl Reading {
    pub(super) fn new(fields: &LogFields, zone: TimeZone, text_bytes: usize) -> Reading {
        Reading {
            names: Arc::new(Names::new(fields)),
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

/// A container's runtime wraps a line once, a collector perhaps once more.
const WRAPPINGS: u8 = 2;
/// Docker writes longer lines in pieces of this size, of which only the last ends with a newline.
const DOCKER_PIECE_BYTES: usize = 16 << 10;
/// A message is searched so far for the class of an exception.
const CLASS_WITHIN_BYTES: usize = 2 << 10;

/// Reads one line; `cut` says that its end is missing.
pub(super) fn read(bytes: &[u8], cut: bool, reading: &Reading) -> Record {
    // The lossy way is slow, and mostly there is nothing to lose.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    of_text(&text, cut, None, reading, WRAPPINGS)
}

/// `outer` is the time that stands on the wrapping.
fn of_text(
    text: &str,
    cut: bool,
    outer: Option<Timestamp>,
    reading: &Reading,
    wrappings: u8,
) -> Record {
    let text = text.trim_end().trim_start_matches('\u{feff}');
    if text.trim_start().is_empty() {
        return Record::Blank;
    }
    if is_object(text) {
        return of_object(text, cut, outer, reading, wrappings);
    }
    if wrappings > 0
        && let Some(output) = container::output(text, reading)
    {
        let cut = cut || output.partial;
        return of_text(output.text, cut, Some(output.time), reading, wrappings - 1);
    }
    if outer.is_some() && is_end_of_object(text) {
        return Record::Malformed;
    }
    let text = without_colours(text);
    let Some(plain) = plain::read(&text, outer, reading) else {
        if wrappings > 0
            && let Some(text) = container::behind_name(&text)
            && let record = of_text(text, cut, outer, reading, wrappings - 1)
            && record.time().is_some()
        {
            return record;
        }
        return Record::Continuation(bounded(&text, reading.text_bytes).0);
    };
    // A line of JSON behind a time, as some collectors write it.
    if plain.is_bare()
        && is_object(plain.message)
        && let record = of_object(plain.message, cut, Some(plain.time), reading, wrappings)
        && record.time().is_some()
    {
        return record;
    }
    let mut read = plain.bounded(reading.text_bytes);
    read.line.cut |= cut;
    Record::Plain(read)
}

/// The beginning of a JSON object, and not a brace among other text.
fn is_object(text: &str) -> bool {
    let inside = text.trim_start().strip_prefix('{').map(str::trim_start);
    inside.is_some_and(|inside| inside.starts_with(['"', '}']))
}

/// The last piece of an object that a container's runtime wrote in pieces. Lines are read one by
/// one: the first piece tells what it can, the others are not understood.
fn is_end_of_object(text: &str) -> bool {
    text.ends_with('}') && text.matches('}').count() > text.matches('{').count()
}

fn of_object(
    text: &str,
    cut: bool,
    outer: Option<Timestamp>,
    reading: &Reading,
    wrappings: u8,
) -> Record {
    match json::read(text, outer, reading) {
        Some(Object::Line(read)) => Record::Json(read),
        Some(Object::Wrapped(text, time)) if wrappings > 0 => {
            let cut = !text.ends_with('\n') && text.len() >= DOCKER_PIECE_BYTES;
            of_text(&text, cut, time.or(outer), reading, wrappings - 1)
        }
        None if cut => {
            json::beginning(text, outer, reading).map_or(Record::Malformed, Record::Json)
        }
        _ => Record::Malformed,
    }
}

/// Visible text of at most `bytes_max` bytes, without colours, and whether that cut it.
pub(super) fn bounded(text: &str, bytes_max: usize) -> (String, bool) {
    let text = without_colours(text);
    let kept = beginning(&text, bytes_max);
    (visible(kept).into_owned(), kept.len() < text.len())
}

/// Text without the escape sequences that colour it in a terminal. All others are kept, and shown.
fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&b'\x1b') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let codes = part.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'));
        match codes {
            Some(end) if part[end..].starts_with('m') => plain.push_str(&part[end + 1..]),
            _ => {
                plain.push_str("\x1b[");
                plain.push_str(part);
            }
        }
    }
    Cow::Owned(plain)
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
    domain::exception_class(stack_trace).map(str::to_owned)
}

/// The first class of an exception that an error's message tells of, as in
/// `request failed: java.net.SocketTimeoutException: timeout`.
pub(super) fn exception_within(message: &str, level: LogLevel) -> Option<String> {
    if level < LogLevel::Warn || !(message.contains("Exception") || message.contains("Error")) {
        return None;
    }
    beginning(message, CLASS_WITHIN_BYTES)
        .split(|c: char| c.is_whitespace() || matches!(c, '[' | '(' | '"' | '\'' | '=' | ',' | ';'))
        .map(|word| word.trim_end_matches([':', ']', ')', '.']))
        .filter(|word| word.ends_with("Exception") || word.ends_with("Error"))
        .find(|word| word.contains('.') && domain::exception_class(word) == Some(word))
        .map(str::to_owned)
}

/// A level given as a number: syslog's 0 to 7, the tens of pino and bunyan, Logback's thousands,
/// or the hundreds of `java.util.logging`.
pub(super) fn numeric_level(number: i64) -> LogLevel {
    match number {
        0..=3 => LogLevel::Error,
        4 | 900 => LogLevel::Warn,
        5 | 6 | 700 | 800 => LogLevel::Info,
        7 | 500 => LogLevel::Debug,
        10 | 300 | 400 | 5_000 => LogLevel::Trace,
        20 | 10_000 => LogLevel::Debug,
        30 | 20_000 => LogLevel::Info,
        40 | 30_000 => LogLevel::Warn,
        50 | 60 | 1_000 | 40_000 | 50_000 => LogLevel::Error,
        _ => LogLevel::Unknown,
    }
}

#[cfg(test)]
mod tests;
