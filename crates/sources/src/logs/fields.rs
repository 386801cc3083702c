//! Which fields of a JSON line are read: the names that a source gives, before the built-in ones.

/// Names of fields that are tried before the built-in ones. A name with dots is found flat
/// (`"log.level": …`) as well as nested (`"log": {"level": …}`), and half and half.
///
/// A field that is named here is read as what it is named for, and as nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogFields {
    pub time: Option<String>,
    pub level: Option<String>,
    pub logger: Option<String>,
    pub message: Option<String>,
    pub exception: Option<String>,
    pub stack_trace: Option<String>,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    pub service: Option<String>,
}

/// What a field says about its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    /// The nanoseconds beside a time in whole seconds.
    Nanos,
    Level,
    Logger,
    Message,
    Exception,
    StackTrace,
    TraceId,
    SpanId,
    Service,
    /// GELF's `host`. It is a machine, but Spring Boot writes the application's name there.
    Host,
    /// What only Spring Boot's GELF has.
    SpringGelf,
    /// A line of a container, in the wrapping of its runtime.
    Wrapped,
}

/// The built-in names, those that are tried first before the others.
#[rustfmt::skip]
const BUILT_IN: &[(Role, &[&str])] = &[
    (Role::Time, &[
        "@timestamp", "timestamp", "time", "ts", "timeMillis", "datetime", "instant.epochSecond",
        "date", "eventTime", "asctime",
    ]),
    (Role::Nanos, &["instant.nanoOfSecond"]),
    (Role::Level, &[
        "log.level", "level", "severity", "level_name", "levelname", "log_level", "logLevel",
        "loglevel", "lvl", "severityText", "severity_text", "level_value", "_level_name", "_level",
    ]),
    (Role::Logger, &[
        "log.logger", "logger_name", "logger", "loggerName", "_log_logger", "_logger",
        "_logger_name", "_loggerName", "logger.name", "category",
    ]),
    (Role::Message, &[
        "formattedMessage", "message", "short_message", "msg", "@message", "body", "text", "event",
        "error.message", "_error_message",
    ]),
    (Role::Exception, &[
        "error.type", "error.kind", "exception_class", "exceptionClass", "exception.exception_class",
        "exception.type", "exception.class", "exception.exceptionType", "exceptionType",
        "throwable.className", "thrown.name", "err.type", "exception", "_error_type",
        "_exception_class", "_exception",
    ]),
    (Role::StackTrace, &[
        "error.stack_trace", "stack_trace", "exception.stacktrace", "exception.stack_trace",
        "exception.stackTrace", "stackTrace", "stacktrace", "error.stack", "err.stack",
        "thrown.extendedStackTrace", "throwable", "_error_stack_trace", "_stack_trace",
        "_stackTrace", "full_message",
    ]),
    (Role::TraceId, &[
        "traceId", "trace_id", "trace.id", "_traceId", "_trace_id", "mdc.traceId", "mdc.trace_id",
        "contextMap.traceId", "contextMap.trace_id", "context.traceId", "labels.trace_id",
        "dd.trace_id", "X-B3-TraceId",
    ]),
    (Role::SpanId, &[
        "spanId", "span_id", "span.id", "_spanId", "_span_id", "mdc.spanId", "mdc.span_id",
        "contextMap.spanId", "contextMap.span_id", "context.spanId", "labels.span_id",
        "dd.span_id", "X-B3-SpanId",
    ]),
    (Role::Service, &[
        "service.name", "service", "application", "app", "app_name", "application_name", "appName",
        "applicationName", "app.name", "application.name", "spring.application.name",
        "serviceName", "service_name", "_service", "_service_name", "_application", "_app",
        "_app_name", "_application_name", "resource.service.name", "dd.service",
    ]),
    (Role::Host, &["host"]),
    (Role::SpringGelf, &["_log_logger"]),
    (Role::Wrapped, &["log"]),
];

/// A field that is read, or that holds one.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub path: Box<str>,
    /// What it says, with its place among those that say the same; the first counts most.
    pub says: Vec<(Role, u16)>,
    /// There are further names beneath it.
    pub leads: bool,
}

/// All names, to be found by a path and a key.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// By length.
    names: Vec<Name>,
    /// Where the names of each length begin; one more than there are lengths.
    begins: Vec<usize>,
}

impl Names {
    pub(super) fn new(fields: &LogFields) -> Names {
        let given = [
            (Role::Time, &fields.time),
            (Role::Level, &fields.level),
            (Role::Logger, &fields.logger),
            (Role::Message, &fields.message),
            (Role::Exception, &fields.exception),
            (Role::StackTrace, &fields.stack_trace),
            (Role::TraceId, &fields.trace_id),
            (Role::SpanId, &fields.span_id),
            (Role::Service, &fields.service),
        ];
        let given = || {
            let named = |(role, name): (Role, &'_ Option<String>)| Some((role, name.clone()?));
            given.into_iter().filter_map(named)
        };
        let mut names: Vec<Name> = Vec::new();
        let mut rank = 0;
        let mut say = |path: &str, role| {
            rank += 1;
            entry(&mut names, path).says.push((role, rank));
            for (dot, _) in path.match_indices('.') {
                entry(&mut names, &path[..dot]).leads = true;
            }
        };
        for (role, path) in given() {
            say(&path, role);
        }
        for (role, paths) in BUILT_IN {
            for path in *paths {
                if !given().any(|(_, given)| given == *path) {
                    say(path, *role);
                }
            }
        }
        names.sort_by_key(|name| name.path.len());
        let longest = names.last().map_or(0, |name| name.path.len());
        let begins = (0..=longest + 1)
            .map(|length| names.partition_point(|name| name.path.len() < length))
            .collect();
        Names { names, begins }
    }

    /// The name `path.key`, or `key` where the path is empty.
    pub(super) fn find(&self, path: &str, key: &str) -> Option<&Name> {
        let length = match path.len() {
            0 => key.len(),
            above => above + 1 + key.len(),
        };
        let (from, to) = (*self.begins.get(length)?, *self.begins.get(length + 1)?);
        self.names[from..to].iter().find(|name| {
            let own = name.path.as_bytes();
            // Most names of one length differ in their last letters.
            own.last() == key.as_bytes().last()
                && own.ends_with(key.as_bytes())
                && (path.is_empty() || own[path.len()] == b'.' && own.starts_with(path.as_bytes()))
        })
    }
}

fn entry<'a>(names: &'a mut Vec<Name>, path: &str) -> &'a mut Name {
    let at = names.iter().position(|name| *name.path == *path);
    let at = at.unwrap_or_else(|| {
        names.push(Name {
            path: path.into(),
            says: Vec::new(),
            leads: false,
        });
        names.len() - 1
    });
    &mut names[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_flat_nested_and_half_and_half() {
        let fields = LogFields {
            message: Some("a.b.c".to_owned()),
            service: Some("host".to_owned()),
            ..LogFields::default()
        };
        let names = Names::new(&fields);
        let role = |path, key| {
            names
                .find(path, key)
                .map(|name| name.says.first().map(|s| s.0))
        };
        for (path, key) in [("", "a.b.c"), ("a", "b.c"), ("a.b", "c")] {
            assert_eq!(role(path, key), Some(Some(Role::Message)), "{path} {key}");
        }
        assert_eq!(role("", "a.b"), Some(None));
        assert!(names.find("", "a").unwrap().leads);
        assert_eq!(role("log", "level"), Some(Some(Role::Level)));
        for (path, key) in [
            ("", ""),
            ("log", ""),
            ("log", "evel"),
            ("lo", ".level"),
            ("", "x"),
        ] {
            assert_eq!(role(path, key), None, "{path} {key}");
        }
        let host = names.find("", "host").unwrap();
        assert_eq!(host.says, [(Role::Service, 2)], "and no host any more");
    }
}
