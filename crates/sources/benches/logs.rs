//! What a line costs: read through a window of a file, and beside it the least that a reader
//! costs which builds each line as a map.
//!
//! `cargo bench -p sources --bench logs`; the third column is lines per second.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, main as run};
use domain::{LogLevel, LogLine, ServiceId, Timestamp};
use serde_json::{Map, Value};
use sources::{LogIndex, LogLimits, LogReader, LogSource, LogTemplate};

/// So many that the file is read whole.
const LINES: usize = 2_000;
const FORMATS: [&str; 4] = ["ecs", "ecs_trace", "logstash", "console"];

fn main() {
    run();
}

/// A line of a service that answers: some 470 bytes, as Spring Boot's are with a few fields of
/// one's own; `ecs_trace` has a stack trace as well.
fn line(format: &str, i: usize) -> String {
    let time = Timestamp::from_millis(1_795_348_800_000 + 10 * i as i64);
    let (trace, span) = ("6b02e66f2c64dd10b48478652a45c5e4", "b48478652a45c5e4");
    let message = format!("created order {i} for a customer who had to wait for it a little");
    match format {
        "logstash" => format!(
            r#"{{"@timestamp":"{time}","@version":"1","message":"{message}","logger_name":"demo.orders.OrdersController","thread_name":"http-nio-18081-exec-10","level":"INFO","level_value":20000,"traceId":"{trace}","spanId":"{span}","tenant":"acme","orderId":{i},"qty":2,"warehouse":"north-7","carrier":"by bicycle","app_name":"orders","pod":"orders-7d9f5c5b4-x2x7q","node":"worker-3"}}"#
        ),
        "console" => format!(
            "{time}  INFO 7846 --- [orders] [io-18081-exec-10] [{trace}-{span}] demo.orders.OrdersController             : {message}"
        ),
        _ => {
            let error = match format {
                "ecs_trace" => {
                    let frames =
                        "\\n\\tat demo.orders.OrdersController.deep(Orders.java:73)".repeat(60);
                    format!(
                        r#","error":{{"type":"java.lang.IllegalStateException","message":"stock","stack_trace":"java.lang.IllegalStateException: stock{frames}"}}"#
                    )
                }
                _ => String::new(),
            };
            format!(
                r#"{{"@timestamp":"{time}","log":{{"level":"INFO","logger":"demo.orders.OrdersController"}},"process":{{"pid":7846,"thread":{{"name":"http-nio-18081-exec-10"}}}},"service":{{"name":"orders","version":"1.0.0","environment":"demo","node":{{}}}},"message":"{message}","traceId":"{trace}","spanId":"{span}","orderId":{i},"qty":2,"tags":["a"]{error},"ecs":{{"version":"8.11"}}}}"#
            )
        }
    }
}

fn file(format: &str) -> String {
    let lines = if format == "ecs_trace" {
        LINES / 10
    } else {
        LINES
    };
    (0..lines).map(|i| line(format, i) + "\n").collect()
}

#[divan::bench(args = FORMATS)]
fn window(bencher: Bencher, format: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = file(format);
    fs::write(folder.path().join("orders.json"), &text).expect("a file");
    let path = format!("{}/{{service}}.json", folder.path().display());
    let template = LogTemplate::new(path).expect("a template");
    let reader = LogReader::new(
        vec![LogSource::new(template)],
        LogLimits::default(),
        Arc::new(LogIndex::in_memory()),
    );
    let service = ServiceId::new("orders").expect("a name");
    let (from, to) = (Timestamp::EPOCH, Timestamp::from_millis(4_000_000_000_000));
    let lines = text.lines().count();
    let window = reader.window(&service, from, to, 1);
    assert_eq!((window.omitted as usize, window.malformed), (lines - 1, 0));
    bencher
        .counter(ItemsCount::new(lines))
        .counter(BytesCount::new(text.len()))
        .bench(|| reader.window(&service, from, to, 1));
}

/// As lines were read before: all of a line as a map, and then the fields of that.
#[divan::bench(args = &FORMATS[..3])]
fn map(bencher: Bencher, format: &str) {
    let text = file(format);
    let lines = text.lines().count();
    bencher
        .counter(ItemsCount::new(lines))
        .counter(BytesCount::new(text.len()))
        .bench(|| {
            for line in text.lines() {
                black_box(by_map(line));
            }
        });
}

fn by_map(line: &str) -> Option<LogLine> {
    let text = String::from_utf8_lossy(line.as_bytes());
    let object: Map<String, Value> = serde_json::from_str(&text).ok()?;
    let field = |flat: &str, path: &str| {
        let nested = || {
            let (outer, inner) = path.split_once('.')?;
            object.get(outer)?.as_object()?.get(inner)
        };
        object.get(flat).or_else(nested)
    };
    let text = |flat, path| field(flat, path).and_then(|value| Some(value.as_str()?.to_owned()));
    let level = text("level", "log.level").unwrap_or_default();
    Some(LogLine {
        level: LogLevel::of(&level),
        logger: text("logger_name", "log.logger"),
        message: text("message", "").unwrap_or_default(),
        exception: text("error.type", "error.type"),
        stack_trace: text("stack_trace", "error.stack_trace"),
        trace_id: text("traceId", "trace.id"),
        span_id: text("spanId", "span.id"),
        ..LogLine::new(object.get("@timestamp")?.as_str()?.parse().ok()?)
    })
}
