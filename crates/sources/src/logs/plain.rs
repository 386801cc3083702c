//! Plain text lines that begin with a timestamp, such as Spring Boot's console format.

use domain::{LogLevel, LogLine, Timestamp};

use super::record::{bounded, text_time};

/// So many words after the timestamp may hold the level.
const LEVEL_WORDS: usize = 6;

/// A line with its time; none where it doesn't begin with one.
pub(super) fn read(text: &str, text_bytes: usize) -> Option<LogLine> {
    let (time, rest) = leading_time(text)?;
    let level = rest
        .split_whitespace()
        .take(LEVEL_WORDS)
        .map(|word| LogLevel::of(word.trim_matches(['[', ']', ':', '|', '(', ')'])))
        .find(|level| *level != LogLevel::Unknown);
    let (logger, message) = match spring(rest) {
        Some((logger, message)) => (Some(bounded(logger, 512).0), message),
        None => (None, rest),
    };
    let (message, cut) = bounded(message, text_bytes);
    Some(LogLine {
        time,
        level: level.unwrap_or(LogLevel::Unknown),
        logger,
        message,
        exception: None,
        stack_trace: None,
        trace_id: None,
        span_id: None,
        cut,
    })
}

/// The time is one word, or a date and a time of day, with or without brackets.
fn leading_time(text: &str) -> Option<(Timestamp, &str)> {
    let text = text.strip_prefix('[').unwrap_or(text);
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let ends = text.match_indices([' ', ']']).map(|(at, _)| at);
    for end in ends.take(3).chain([text.len()]) {
        let word = &text[..end];
        let plausible = word.len() >= 10 && (word.contains('-') || !word.contains(' '));
        if plausible && let Some(time) = text_time(word) {
            let has_clock = word.contains(':') || !word.contains('-');
            let rest = text[end..].trim_start_matches([' ', ']']);
            // A date alone may be followed by the time of day.
            if has_clock {
                return Some((time, rest));
            }
        }
    }
    None
}

/// `INFO 7846 --- [orders] [main] demo.Orders : message`.
fn spring(rest: &str) -> Option<(&str, &str)> {
    let (_, after) = rest.split_once(" --- ")?;
    let (head, message) = after.split_once(" : ")?;
    Some((head.split_whitespace().last()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_timestamps_are_read() {
        let check = |text: &str, level: LogLevel, logger: Option<&str>, message: &str| {
            let line = read(text, 1000).unwrap_or_else(|| panic!("not read: {text}"));
            assert_eq!(line.time.to_string(), "2026-11-22T12:00:00.250Z", "{text}");
            assert_eq!(line.level, level, "{text}");
            assert_eq!(line.logger.as_deref(), logger, "{text}");
            assert_eq!(line.message, message, "{text}");
        };
        check(
            "2026-11-22T13:00:00.250+01:00  INFO 7846 --- [orders] [main] demo.Orders   : up in 2 s : yes",
            LogLevel::Info,
            Some("demo.Orders"),
            "up in 2 s : yes",
        );
        check(
            "2026-11-22 12:00:00,250 ERROR [main] boom",
            LogLevel::Error,
            None,
            "ERROR [main] boom",
        );
        check(
            "[2026-11-22 12:00:00.250] plain",
            LogLevel::Unknown,
            None,
            "plain",
        );
        check("1795348800.250 WARN x", LogLevel::Warn, None, "WARN x");
    }

    #[test]
    fn other_text_has_no_time() {
        for text in [
            "\tat a.B(C.java:1)",
            "Caused by: x",
            "12 apples",
            "404 Not Found",
            "2026-11-22 is a date",
            "",
        ] {
            assert!(read(text, 1000).is_none(), "{text}");
        }
    }
}
