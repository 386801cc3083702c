//! JSON lines: ECS (nested and flat), Logstash and logstash-logback-encoder, GELF, and the plain
//! `{timestamp, level, application, message}`.

use domain::{LogLevel, LogLine, Timestamp};
use serde_json::{Map, Value};

use super::record::{self, bounded, exception_class, number_time, numeric_level, text_time};

const TIMES: [&str; 6] = [
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "timeMillis",
    "datetime",
];
const LEVELS: [&str; 5] = ["log.level", "level", "severity", "level_value", "_level"];
const LOGGERS: [&str; 5] = [
    "log.logger",
    "logger_name",
    "logger",
    "loggerName",
    "_logger",
];
const MESSAGES: [&str; 3] = ["message", "short_message", "msg"];
const EXCEPTIONS: [&str; 5] = [
    "error.type",
    "exception_class",
    "exception.exception_class",
    "exception",
    "_exception",
];
const STACK_TRACES: [&str; 6] = [
    "error.stack_trace",
    "stack_trace",
    "exception.stacktrace",
    "stackTrace",
    "_stack_trace",
    "full_message",
];
const SPANS: [&str; 6] = [
    "spanId",
    "span_id",
    "span.id",
    "_spanId",
    "_span_id",
    "mdc.spanId",
];
const TRACES: [&str; 7] = [
    "traceId",
    "trace_id",
    "trace.id",
    "_traceId",
    "_trace_id",
    "mdc.traceId",
    "dd.trace_id",
];
/// Names and ids are cut at this; they identify, they don't tell.
const ID_BYTES: usize = 512;

/// A whole line; none where it is no JSON object or has no time.
pub(super) fn read(text: &str, text_bytes: usize) -> Option<LogLine> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let time = TIMES
        .iter()
        .find_map(|name| time_of(field(&object, name)?))?;
    let level = LEVELS
        .iter()
        .map(|name| field(&object, name).map_or(LogLevel::Unknown, level_of))
        .find(|level| *level != LogLevel::Unknown);
    let message = first(&object, &MESSAGES, text_bytes);
    let (message, message_cut) = message.unwrap_or_default();
    let (stack_trace, trace_cut) = match first(&object, &STACK_TRACES, text_bytes) {
        // GELF repeats the message where there is no more to say.
        Some((trace, cut)) if trace != message => (Some(trace), cut),
        _ => (None, false),
    };
    let exception = first(&object, &EXCEPTIONS, ID_BYTES)
        .and_then(|(text, _)| exception_class(&text).or(Some(text)))
        .or_else(|| stack_trace.as_deref().and_then(exception_class));
    Some(LogLine {
        time,
        level: level.unwrap_or(LogLevel::Unknown),
        logger: first(&object, &LOGGERS, ID_BYTES).map(|(text, _)| text),
        message,
        exception,
        stack_trace,
        trace_id: first(&object, &TRACES, ID_BYTES).map(|(text, _)| text),
        span_id: first(&object, &SPANS, ID_BYTES).map(|(text, _)| text),
        cut: message_cut || trace_cut,
    })
}

/// A line whose end is missing is no JSON any more: its time and level are picked out of the
/// beginning, and the text is shown as it is.
pub(super) fn beginning(text: &str, text_bytes: usize) -> Option<LogLine> {
    let time = TIMES
        .iter()
        .find_map(|name| text_time(picked(text, name)?))?;
    let level = ["level", "log.level", "severity"]
        .iter()
        .find_map(|name| picked(text, name))
        .map_or(LogLevel::Unknown, LogLevel::of);
    Some(LogLine {
        time,
        level,
        logger: None,
        message: bounded(text, text_bytes).0,
        exception: None,
        stack_trace: None,
        trace_id: None,
        span_id: None,
        cut: true,
    })
}

/// A field by its flat name with dots, or nested.
fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    let (outer, inner) = name.split_once('.')?;
    field(object.get(outer)?.as_object()?, inner)
}

/// The first of the fields that has a text.
fn first(object: &Map<String, Value>, names: &[&str], bytes_max: usize) -> Option<(String, bool)> {
    names.iter().find_map(|name| match field(object, name)? {
        Value::String(text) if !text.is_empty() => Some(bounded(text, bytes_max)),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(bounded(&value.to_string(), bytes_max)),
        _ => None,
    })
}

fn time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text_time(text),
        Value::Number(number) => number_time(number.as_f64()?),
        _ => None,
    }
}

fn level_of(value: &Value) -> LogLevel {
    match value {
        Value::String(text) => match text.parse() {
            Ok(number) => numeric_level(number),
            Err(_) => LogLevel::of(text),
        },
        Value::Number(number) => number.as_i64().map_or(LogLevel::Unknown, numeric_level),
        _ => LogLevel::Unknown,
    }
}

/// The text or number after `"name":`, up to the next quote or comma.
fn picked<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let beginning = record::beginning(text, 16 << 10);
    let at = beginning.find(&format!("\"{name}\""))? + name.len() + 2;
    let value = beginning[at..].trim_start().strip_prefix(':')?.trim_start();
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([',', '}', ' ']).next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        read(text, 32 << 10).unwrap_or_else(|| panic!("not understood: {text}"))
    }

    #[test]
    fn ecs_is_read_nested_and_flat() {
        for text in [
            r#"{"@timestamp":"2026-11-22T12:00:00Z","log":{"level":"ERROR","logger":"a.B"},"message":"m","traceId":"t","error":{"type":"x.Y","stack_trace":"x.Y: m\n\tat z"}}"#,
            r#"{"@timestamp":"2026-11-22T12:00:00Z","log.level":"ERROR","log.logger":"a.B","message":"m","trace.id":"t","error.type":"x.Y","error.stack_trace":"x.Y: m\n\tat z"}"#,
        ] {
            let line = line(text);
            assert_eq!(line.level, LogLevel::Error);
            assert_eq!(line.logger.as_deref(), Some("a.B"));
            assert_eq!(line.exception.as_deref(), Some("x.Y"));
            assert_eq!(line.stack_trace.as_deref(), Some("x.Y: m\n\tat z"));
            assert_eq!(line.trace_id.as_deref(), Some("t"));
        }
    }

    #[test]
    fn gelf_and_the_plain_form_are_read() {
        let gelf = line(
            r#"{"version":"1.1","host":"h","timestamp":1795348800.25,"level":3,"short_message":"m","full_message":"a.B: m\n\tat x","_logger":"l"}"#,
        );
        assert_eq!(gelf.time.to_string(), "2026-11-22T12:00:00.250Z");
        assert_eq!(gelf.level, LogLevel::Error);
        assert_eq!(gelf.message, "m");
        assert_eq!(gelf.exception.as_deref(), Some("a.B"));
        let plain = line(
            r#"{"timestamp":"2026-11-22T12:00:00Z","level":"WARN","application":"pay","message":"m"}"#,
        );
        assert_eq!((plain.level, plain.message.as_str()), (LogLevel::Warn, "m"));
    }

    #[test]
    fn f42_broken_lines_are_refused_one_by_one() {
        let deep = format!("{{\"timestamp\":1,\"a\":{}", "[".repeat(100_000));
        for bad in [
            r#"{"timestamp":"2026-11-22T12:00:00Z","message":"#,
            r#"{"message":"no time"}"#,
            r#"{"timestamp":"never"}"#,
            r#"{"timestamp":1e9999}"#,
            r#"{"timestamp":1,"message":"\ud800"}"#,
            &deep,
        ] {
            let shown: String = bad.chars().take(60).collect();
            assert!(read(bad, 100).is_none(), "{shown}");
        }
        let twice = line(r#"{"timestamp":1,"message":"a","message":"b"}"#);
        assert_eq!(twice.message, "b");
    }

    #[test]
    fn f48_escape_sequences_are_text() {
        let line = line("{\"timestamp\":1,\"message\":\"\\u001b[2J<script>\\u202eevil\"}");
        assert_eq!(line.message, "␛[2J<script><U+202E>evil");
    }
}
