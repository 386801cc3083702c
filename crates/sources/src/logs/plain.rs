//! Plain text lines that have a timestamp, such as Spring Boot's console format, Logback's and
//! Log4j's, syslog, access logs and klog.

use domain::{LogLevel, LogLine, Timestamp};

use super::record::{Read, Reading, bounded, exception_within, numeric_level};
use super::times::{beginning_time, klog_time, number_time};

/// So many words after the timestamp may hold the level.
const LEVEL_WORDS: usize = 6;
/// Names and ids are looked for in so many bytes after the timestamp.
const HEAD_BYTES: usize = 400;
const ID_BYTES: usize = 512;
/// Numbers at the beginning of a line are taken as times if they lie in 2000 to 2100.
const EPOCHS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// A line, as it says of itself.
#[derive(Debug)]
pub(super) struct Plain<'a> {
    pub time: Timestamp,
    level: LogLevel,
    logger: Option<&'a str>,
    pub message: &'a str,
    service: Option<&'a str>,
    trace_id: Option<&'a str>,
    span_id: Option<&'a str>,
}

/// A line with its time; none where it has none, and goes on from the one before it. `outer` is a
/// time that is known of it: then only what looks like a stack trace goes on.
pub(super) fn read<'a>(
    text: &'a str,
    outer: Option<Timestamp>,
    reading: &Reading,
) -> Option<Plain<'a>> {
    if text.starts_with([' ', '\t']) {
        return None;
    }
    let Some((time, level, rest)) = leading_time(text, reading) else {
        let time = outer.filter(|_| !goes_on(text))?;
        return Some(Plain::of(time, LogLevel::Unknown, behind_time_of_day(text)));
    };
    Some(Plain::of(time, level, rest))
}

impl<'a> Plain<'a> {
    fn of(time: Timestamp, level: LogLevel, rest: &'a str) -> Plain<'a> {
        let head = super::record::beginning(rest, HEAD_BYTES);
        let level = match level {
            LogLevel::Unknown => level_within(head),
            known => known,
        };
        let mut plain = Plain {
            time,
            level,
            logger: None,
            message: rest,
            service: None,
            trace_id: labelled(head, &["traceId=", "trace_id=", "traceid=", "trace.id="]),
            span_id: labelled(head, &["spanId=", "span_id=", "spanid=", "span.id="]),
        };
        if !plain.spring(rest) {
            plain.logger_before_dash(rest);
        }
        plain
    }

    /// Nothing but a time and a text is known.
    pub(super) fn is_bare(&self) -> bool {
        self.level == LogLevel::Unknown && self.logger.is_none()
    }

    pub(super) fn bounded(&self, text_bytes: usize) -> Read {
        let id = |text: &str| bounded(text, ID_BYTES).0;
        let (message, cut) = bounded(self.message, text_bytes);
        Read {
            line: LogLine {
                level: self.level,
                logger: self.logger.map(id),
                exception: exception_within(&message, self.level),
                message,
                trace_id: self.trace_id.map(id),
                span_id: self.span_id.map(id),
                cut,
                ..LogLine::new(self.time)
            },
            service: self.service.map(id),
        }
    }

    /// `INFO 7846 --- [orders] [main] [trace-span] demo.Orders : message`, and the older
    /// `INFO [orders,trace,span] 7846 --- [main] demo.Orders : message`.
    fn spring(&mut self, rest: &'a str) -> bool {
        let Some((before, after)) = rest.split_once(" --- ") else {
            return false;
        };
        let Some((head, message)) = after.split_once(" : ") else {
            return false;
        };
        let Some(logger) = head.split_whitespace().last() else {
            return false;
        };
        self.logger = Some(logger);
        self.message = message;
        if let Some((ids, _)) = brackets(before).find(|(inside, _)| inside.contains(',')) {
            let mut ids = ids.split(',').map(str::trim).map(not_empty);
            self.service = ids.next().flatten();
            self.trace_id = ids.next().flatten().or(self.trace_id);
            self.span_id = ids.next().flatten().or(self.span_id);
        }
        let mut names = Vec::new();
        for (inside, _) in brackets(head) {
            match correlation(inside) {
                Some((trace, span)) => {
                    self.trace_id = Some(trace);
                    self.span_id = Some(span);
                }
                None => names.extend(not_empty(inside.trim())),
            }
        }
        // One is the thread's; the application's stands before it.
        if let [application, _, ..] = names[..] {
            self.service = Some(application);
        }
        true
    }

    /// `[main] INFO demo.Orders - message`.
    fn logger_before_dash(&mut self, rest: &'a str) {
        let head = super::record::beginning(rest, HEAD_BYTES);
        let dashes = [head.find(" - "), head.find(" -- ")];
        let Some(dash) = dashes.into_iter().flatten().min() else {
            return;
        };
        if level_within(&head[..dash]) == LogLevel::Unknown {
            return;
        }
        let logger = head[..dash].split_whitespace().last().unwrap_or_default();
        let class = logger.split(':').next().unwrap_or_default();
        let is_class = class.starts_with(|c: char| c.is_ascii_alphabetic())
            && class
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte))
            && LogLevel::of(class) == LogLevel::Unknown;
        if is_class {
            self.logger = Some(class);
            self.message = rest[dash..].trim_start_matches([' ', '-']);
        }
    }
}

/// The time that a line begins with or nearly so, the level if it stands before that, and what
/// follows.
fn leading_time<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, LogLevel, &'a str)> {
    let unknown = LogLevel::Unknown;
    match text.as_bytes().first()? {
        b'0'..=b'9' => {
            if let Some((time, rest)) = time_here(text, reading) {
                return Some((time, unknown, rest));
            }
        }
        b'[' => return time_here(&text[1..], reading).map(|(time, rest)| (time, unknown, rest)),
        b'<' => return syslog(text, reading),
        _ => {}
    }
    if let Some((time, rest)) = time_here(text, reading) {
        return Some((time, unknown, behind_tag(rest)));
    }
    for key in ["time=", "ts=", "timestamp="] {
        if let Some(value) = text.strip_prefix(key) {
            let (time, rest) = time_here(value.trim_start_matches('"'), reading)?;
            return Some((time, unknown, rest));
        }
    }
    if let Some(klog) = klog(text, reading) {
        return Some(klog);
    }
    let word_end = text.find([' ', '\t', ':']).unwrap_or(text.len());
    let level = level_word(&text[..word_end]);
    if level != unknown {
        let rest = text[word_end..].trim_start_matches([' ', '\t', ':', '[']);
        return time_here(rest, reading).map(|(time, rest)| (time, level, rest));
    }
    // `127.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 500 0`: the client belongs to
    // what is told.
    let bracket = super::record::beginning(text, HEAD_BYTES).find('[')?;
    let inside = &text[bracket + 1..];
    let is_access = inside.get(2..3) == Some("/") && inside.get(11..12) == Some(":");
    let (time, _) = beginning_time(inside, reading).filter(|_| is_access)?;
    Some((time, unknown, text))
}

/// A date with a time of day or a number of seconds, and what follows its end.
fn time_here<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, &'a str)> {
    let (time, rest) = beginning_time(text, reading).or_else(|| epoch_here(text))?;
    Some((time, rest.trim_start_matches([' ', '\t', ']', '"', '|'])))
}

fn epoch_here(text: &str) -> Option<(Timestamp, &str)> {
    let end = text.find([' ', '\t', ']'])?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let plausible = (10..=19).contains(&digits) && end <= 30;
    let number = text[..end].parse().ok().filter(|_| plausible)?;
    let time = number_time(number)?;
    EPOCHS
        .contains(&time.as_millis())
        .then_some((time, &text[end..]))
}

/// `<165>1 2026-11-22T12:00:00Z host app 42 id - message`, and the older
/// `<34>Nov 22 12:00:00 host app[42]: message`.
fn syslog<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, LogLevel, &'a str)> {
    let (priority, rest) = text.strip_prefix('<')?.split_once('>')?;
    let priority: u8 = priority.parse().ok()?;
    let level = numeric_level(i64::from(priority % 8));
    let Some(versioned) = rest.strip_prefix("1 ") else {
        let (time, rest) = time_here(rest, reading)?;
        return Some((time, level, behind_tag(rest)));
    };
    let (time, rest) = time_here(versioned, reading)?;
    // Host, application, process, message id; then structured data or a dash.
    let behind_ids = rest.splitn(5, ' ').nth(4).unwrap_or(rest);
    let message = match behind_ids.strip_prefix('-') {
        Some(message) => message,
        None => behind_ids
            .rsplit_once("] ")
            .map_or(behind_ids, |(_, message)| message),
    };
    Some((time, level, message.trim_start_matches([' ', '\u{feff}'])))
}

/// What follows syslog's `host app[42]: `, or all of it.
fn behind_tag(rest: &str) -> &str {
    match rest.split_once(": ") {
        Some((tag, message)) if tag.split(' ').count() == 2 && !tag.contains("  ") => message,
        _ => rest,
    }
}

/// `E1122 12:00:00.250000       1 server.go:42] message`.
fn klog<'a>(text: &'a str, reading: &Reading) -> Option<(Timestamp, LogLevel, &'a str)> {
    let level = match text.as_bytes().first()? {
        b'I' => LogLevel::Info,
        b'W' => LogLevel::Warn,
        b'E' | b'F' => LogLevel::Error,
        _ => return None,
    };
    let (time, rest) = klog_time(&text[1..], reading)?;
    let rest = rest.split_once("] ").map_or(rest, |(_, message)| message);
    Some((time, level, rest.trim_start()))
}

/// What follows a time of day at the beginning, or all of it.
fn behind_time_of_day(text: &str) -> &str {
    let end = text.find(' ').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let is_clock = word.len() >= 8
        && word.bytes().enumerate().all(|(at, byte)| match at {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit() || (at == 8 && matches!(byte, b'.' | b',')),
        });
    if is_clock { rest.trim_start() } else { text }
}

/// A line without a time that belongs to a stack trace.
fn goes_on(text: &str) -> bool {
    let starts = ["Caused by:", "Wrapped by:", "Suppressed:", "at ", "... "];
    starts.iter().any(|start| text.starts_with(start))
        || domain::exception_class(text).is_some_and(|class| class.contains('.'))
}

/// The level among the first words.
fn level_within(head: &str) -> LogLevel {
    head.split_whitespace()
        .take(LEVEL_WORDS)
        .map(level_word)
        .find(|level| *level != LogLevel::Unknown)
        .unwrap_or(LogLevel::Unknown)
}

/// A word that is a level: in capitals, in brackets, or named so. `an error` is none.
fn level_word(word: &str) -> LogLevel {
    let value = word
        .strip_prefix("level=")
        .or_else(|| word.strip_prefix("lvl="))
        .or_else(|| word.strip_prefix('['))
        .or_else(|| word.strip_prefix('('));
    let word = match value {
        Some(value) => value,
        None if word.bytes().any(|byte| byte.is_ascii_lowercase()) => return LogLevel::Unknown,
        None => word,
    };
    LogLevel::of(word.trim_matches(['[', ']', ':', '|', '(', ')', '"']))
}

/// What stands in brackets, and what follows it.
fn brackets(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once('[')?;
        let (inside, behind) = behind.split_once(']')?;
        rest = behind;
        Some((inside, behind))
    })
}

/// The ids of `6b02e66f2c64dd10b48478652a45c5e4-b48478652a45c5e4`.
fn correlation(inside: &str) -> Option<(&str, &str)> {
    let (trace, span) = inside.trim().split_once('-')?;
    let is_id = |id: &str| id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = matches!(trace.len(), 16 | 32) && span.len() == 16;
    (lengths && is_id(trace) && is_id(span)).then_some((trace, span))
}

/// The value behind one of some keys.
fn labelled<'a>(head: &'a str, keys: &[&str]) -> Option<&'a str> {
    if !head.as_bytes().contains(&b'=') {
        return None;
    }
    keys.iter().find_map(|key| {
        let (_, value) = head.split_once(key)?;
        let value = value.trim_start_matches('"');
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        not_empty(&value[..end.unwrap_or(value.len())])
    })
}

fn not_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
