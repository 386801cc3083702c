//! One line as Spring Boot's structured logging writes it: nested ECS, or flat Logstash.

use serde::Serialize;

use super::events::{Event, Speaker};
use crate::topology::{LogFormat, Service};

pub(crate) fn push_line(out: &mut String, service: &Service, speaker: &Speaker<'_>, event: &Event) {
    let timestamp = jiff::Timestamp::from_nanosecond(i128::from(event.at_ns))
        .map(|timestamp| format!("{timestamp:.9}"))
        .unwrap_or_default();
    let line = match service.log_format {
        LogFormat::Ecs => serde_json::to_string(&Ecs::new(timestamp, speaker, event)),
        LogFormat::Logstash => serde_json::to_string(&Logstash::new(timestamp, event)),
    };
    out.push_str(&line.expect("plain texts always serialise"));
    out.push('\n');
}

#[derive(Serialize)]
struct Ecs<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: String,
    log: EcsLog<'a>,
    process: EcsProcess<'a>,
    service: EcsService<'a>,
    message: &'a str,
    #[serde(rename = "traceId", skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(rename = "spanId", skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<EcsError<'a>>,
    ecs: EcsVersion,
}

#[derive(Serialize)]
struct EcsLog<'a> {
    level: &'static str,
    logger: &'a str,
}

#[derive(Serialize)]
struct EcsProcess<'a> {
    pid: u32,
    thread: EcsThread<'a>,
}

#[derive(Serialize)]
struct EcsThread<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct EcsService<'a> {
    name: &'a str,
    version: &'a str,
    environment: &'static str,
    node: EcsNode<'a>,
}

#[derive(Serialize)]
struct EcsNode<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct EcsError<'a> {
    r#type: &'a str,
    message: &'a str,
    stack_trace: &'a str,
}

#[derive(Serialize)]
struct EcsVersion {
    version: &'static str,
}

impl<'a> Ecs<'a> {
    fn new(timestamp: String, speaker: &'a Speaker<'_>, event: &'a Event) -> Self {
        Ecs {
            timestamp,
            log: EcsLog {
                level: event.level.name(),
                logger: &event.logger,
            },
            process: EcsProcess {
                pid: event.pid,
                thread: EcsThread {
                    name: &event.thread,
                },
            },
            service: EcsService {
                name: speaker.service_name(),
                version: speaker.version(),
                environment: "demo",
                node: EcsNode { name: &event.node },
            },
            message: &event.message,
            trace_id: event.trace.as_ref().map(|trace| trace.trace_id.as_str()),
            span_id: event.trace.as_ref().map(|trace| trace.span_id.as_str()),
            error: event.failure.as_ref().map(|failure| EcsError {
                r#type: failure.class,
                message: &failure.message,
                stack_trace: &failure.stack_trace,
            }),
            ecs: EcsVersion { version: "8.11" },
        }
    }
}

#[derive(Serialize)]
struct Logstash<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: String,
    #[serde(rename = "@version")]
    version: &'static str,
    message: &'a str,
    logger_name: &'a str,
    thread_name: &'a str,
    level: &'static str,
    level_value: u32,
    #[serde(rename = "traceId", skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(rename = "spanId", skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_trace: Option<&'a str>,
}

impl<'a> Logstash<'a> {
    fn new(timestamp: String, event: &'a Event) -> Self {
        Logstash {
            timestamp,
            version: "1",
            message: &event.message,
            logger_name: &event.logger,
            thread_name: &event.thread,
            level: event.level.name(),
            level_value: event.level.value(),
            trace_id: event.trace.as_ref().map(|trace| trace.trace_id.as_str()),
            span_id: event.trace.as_ref().map(|trace| trace.span_id.as_str()),
            stack_trace: event
                .failure
                .as_ref()
                .map(|failure| failure.stack_trace.as_str()),
        }
    }
}
