//! Lines of every kind, and what is read of them.

use proptest::prelude::*;

use super::*;

fn reading() -> Reading {
    Reading {
        near: Some("2026-11-23T00:00:00Z".parse().unwrap()),
        ..Reading::default()
    }
}

/// All that a line says but its time, which must be noon: `-` stands for nothing.
fn told(record: Record) -> String {
    let (kind, read) = match record {
        Record::Json(read) => ("json", read),
        Record::Plain(read) => ("plain", read),
        Record::Continuation(text) => return format!("goes on: {text}"),
        Record::Blank => return "blank".to_owned(),
        Record::Malformed => return "malformed".to_owned(),
    };
    let line = read.line;
    assert_eq!(
        line.time.to_string(),
        "2026-11-22T12:00:00.250Z",
        "{line:?}"
    );
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut told = format!(
        "{kind} {:?} {} {} {:?}",
        line.level,
        or_dash(&read.service),
        or_dash(&line.logger),
        line.message
    );
    for (name, value) in [
        ("exception", &line.exception),
        ("trace", &line.trace_id),
        ("span", &line.span_id),
        ("stack", &line.stack_trace),
    ] {
        if let Some(value) = value {
            told += &format!(" {name}={value:?}");
        }
    }
    if line.cut {
        told += " cut";
    }
    told
}

fn check(text: &str, expected: &str) {
    assert_eq!(
        told(read(text.as_bytes(), false, &reading())),
        expected,
        "{text}"
    );
}

#[test]
fn ecs_is_read_nested_flat_and_mixed() {
    let nested = r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log":{"level":"ERROR","logger":"a.B"},"service":{"name":"pay","version":"1.2","node":{}},"message":"m","traceId":"t","spanId":"s","error":{"type":"x.Y","message":"n","stack_trace":"x.Y: n\n\tat z"}}"#;
    let flat = r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log.level":"ERROR","log.logger":"a.B","service.name":"pay","service.version":"1.2","message":"m","trace.id":"t","span.id":"s","error.type":"x.Y","error.stack_trace":"x.Y: n\n\tat z"}"#;
    let mixed = r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log":{"level":"ERROR"},"log.logger":"a.B","service.name":"pay","service":{"version":"1.2"},"message":"m","trace":{"id":"t"},"spanId":"s","error":{"stack_trace":"x.Y: n\n\tat z"},"error.type":"x.Y"}"#;
    let lines = r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log.level":"ERROR","log.logger":"a.B","service.name":"pay","service.version":"1.2","message":"m","trace.id":"t","span.id":"s","error":{"type":"x.Y","stack_trace":["x.Y: n","\tat z"]}}"#;
    for text in [nested, flat, mixed, lines] {
        check(
            text,
            r#"json Error pay a.B "m" exception="x.Y" trace="t" span="s" stack="x.Y: n\n\tat z""#,
        );
    }
}

#[test]
fn gelf_is_read() {
    check(
        r#"{"version":"1.1","host":"machine-7","timestamp":1795348800.25,"level":3,"short_message":"m","full_message":"a.B: m\n\tat x","_logger":"l","_application":"pay"}"#,
        r#"json Error pay l "m" exception="a.B" stack="a.B: m\n\tat x""#,
    );
    // Spring Boot's: `host` is the application.
    check(
        r#"{"version":"1.1","short_message":"m","timestamp":1795348800.25,"level":4,"_level_name":"WARN","_process_pid":7,"_process_thread_name":"main","host":"pay","_service_version":"1.2","_log_logger":"a.B","_error_type":"x.Y","_error_stack_trace":"x.Y: n","_error_message":"n"}"#,
        r#"json Warn pay a.B "m" exception="x.Y" stack="x.Y: n""#,
    );
    // Others': it is a machine.
    check(
        r#"{"version":"1.1","host":"machine-7","timestamp":1795348800.25,"level":6,"short_message":"m","full_message":"m"}"#,
        r#"json Info - - "m""#,
    );
}

#[test]
fn the_json_of_many_frameworks_is_read() {
    // logstash-logback-encoder, with custom fields.
    check(
        r#"{"@timestamp":"2026-11-22T13:00:00.25+01:00","@version":"1","message":"m","logger_name":"a.B","thread_name":"main","level":"WARN","level_value":30000,"app_name":"pay","mdc":{"traceId":"t","spanId":"s"},"stack_trace":"<#1a2b> a.C: x\n\tat y"}"#,
        r#"json Warn pay a.B "m" exception="a.C" trace="t" span="s" stack="<#1a2b> a.C: x\n\tat y""#,
    );
    check(
        r#"{"timestamp":"2026-11-22T12:00:00.250Z","level":"WARN","application":"pay","message":"m"}"#,
        r#"json Warn pay - "m""#,
    );
    check(
        r#"{"spring":{"application":{"name":"pay"}},"timestamp":1795348800250,"level":"info","message":"m"}"#,
        r#"json Info pay - "m""#,
    );
    // Log4j's JsonLayout.
    check(
        r#"{"instant":{"epochSecond":1795348800,"nanoOfSecond":250415709},"thread":"main","level":"FATAL","loggerName":"a.B","message":"m","thrown":{"name":"x.Y","extendedStackTrace":[{"class":"z"}]},"contextMap":{"traceId":"t"}}"#,
        r#"json Error - a.B "m" exception="x.Y" trace="t""#,
    );
    // Logback's JsonEncoder.
    check(
        r#"{"timestamp":1795348800250,"nanoseconds":250000000,"level":"ERROR","loggerName":"a.B","context":{"name":"default"},"mdc":{},"message":"{} m","formattedMessage":"1 m","throwable":{"className":"x.Y","message":"n","stepArray":[{"className":"z"}]}}"#,
        r#"json Error - a.B "1 m" exception="x.Y""#,
    );
    // pino.
    check(
        r#"{"level":50,"time":1795348800250,"pid":1,"hostname":"h","msg":"m","err":{"type":"TypeError","stack":"TypeError: n\n    at z"}}"#,
        r#"json Error - - "m" exception="TypeError" stack="TypeError: n\n    at z""#,
    );
    // An exception that is its own stack trace.
    check(
        r#"{"time":"2026-11-22 12:00:00,250","level":"40000","msg":"m","exception":"x.Y: n\n\tat z"}"#,
        r#"json Error - - "m" exception="x.Y" stack="x.Y: n\n\tat z""#,
    );
    // And one that only the message tells of.
    check(
        r#"{"time":"2026-11-22 12:00:00,250","level":"ERROR","msg":"failed [call: java.net.SocketTimeoutException: slow]; nested exception is a.BError"}"#,
        r#"json Error - - "failed [call: java.net.SocketTimeoutException: slow]; nested exception is a.BError" exception="java.net.SocketTimeoutException""#,
    );
    check(
        r#"{"time":"2026-11-22 12:00:00,250","level":"INFO","msg":"no java.lang.Exception"}"#,
        r#"json Info - - "no java.lang.Exception""#,
    );
}

#[test]
fn given_names_come_before_the_built_in_ones() {
    let given = |name: &str| Some(name.to_owned());
    let fields = LogFields {
        time: given("at.when"),
        level: given("weight"),
        message: given("what.said"),
        service: given("labels.team.app"),
        trace_id: given("request"),
        ..LogFields::default()
    };
    let reading = Reading::new(&fields, TimeZone::get("Europe/Berlin").unwrap(), 1000);
    let check = |text: &str, expected: &str| {
        assert_eq!(
            told(super::read(text.as_bytes(), false, &reading)),
            expected,
            "{text}"
        );
    };
    let expected = r#"json Warn pay l "m" trace="7""#;
    check(
        r#"{"timestamp":1,"at":{"when":"2026-11-22 13:00:00,250"},"level":"INFO","weight":"warning","message":"x","what":{"said":"m"},"app":"other","labels":{"team":{"app":"pay"}},"request":7,"logger":"l"}"#,
        expected,
    );
    check(
        r#"{"timestamp":1,"at.when":"2026-11-22 13:00:00,250","level":"INFO","weight":"warning","message":"x","what.said":"m","labels":{"team.app":"pay"},"request":7,"logger":"l"}"#,
        expected,
    );
    // Without them, the built-in ones do.
    check(
        r#"{"timestamp":"2026-11-22T12:00:00.250Z","level":"INFO","message":"x","app":"other"}"#,
        r#"json Info other - "x""#,
    );
}

#[test]
fn odd_fields_are_no_obstacle() {
    let at = r#""@timestamp":"2026-11-22T12:00:00.250Z""#;
    check(
        &format!(
            r#"{{{at},"message":"a","message":"b","message":"","level":null,"service":[],"app":""}}"#
        ),
        r#"json Unknown - - "b""#,
    );
    check(
        &format!(
            r#"{{"n":-1.5e3,"o":{{"p":[{{}},[1]]}},"log":{{"level":{{"x":1}}}},"log.level":"warn",{at},"msg":true}}"#
        ),
        r#"json Warn - - "true""#,
    );
    check(
        &format!(
            r#"{{"\u0040timestamp":"soon",{at},"timestamp":"never","mess\u0061ge":"\u00e9 💥","level":40}}"#
        ),
        r#"json Warn - - "é 💥""#,
    );
    check(
        &format!(r#"{{{at},"stack_trace":[1,"a.B: x",null,true,1.5,-1,{{"a":1}},[2],"\tat y"]}}"#),
        r#"json Unknown - - "" exception="a.B" stack="a.B: x\n\tat y""#,
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(
        &format!(r#"{{{at},"deep":{deep},"log":{{"x":{deep}}},"message":"m"}}"#),
        r#"json Unknown - - "m""#,
    );
}

#[test]
fn f42_broken_lines_are_refused_one_by_one() {
    let deep = format!("{{\"timestamp\":1,\"a\":{}", "[".repeat(100_000));
    let wanted = format!(
        "{{\"timestamp\":1,\"error\":{}1",
        "{\"type\":".repeat(100_000)
    );
    for bad in [
        r#"{"timestamp":"2026-11-22T12:00:00Z","message":"#,
        r#"{"timestamp":"2026-11-22T12:00:00Z","message":"half"#,
        r#"{"timestamp":"2026-11-22T12:00:00Z"}}"#,
        r#"{"timestamp":1} {"timestamp":2}"#,
        r#"{"message":"no time"}"#,
        r#"{"timestamp":"never"}"#,
        r#"{"timestamp":1e9999}"#,
        r#"{"timestamp":1,"message":"\ud800"}"#,
        "{}",
        &deep,
        &wanted,
    ] {
        check(bad, "malformed");
    }
}

#[test]
fn the_beginning_of_a_cut_line_tells_what_it_can() {
    let cut = |text: &str| told(read(text.as_bytes(), true, &reading()));
    assert_eq!(
        cut(
            r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log":{"level":"ERROR","logger":"l"},"service":{"name":"pay"},"message":"m","error":{"type":"x.Y","stack_trace":"x.Y: n\n\tat"#
        ),
        r#"json Error pay l "m" exception="x.Y" cut"#
    );
    assert_eq!(
        cut(r#"{"@timestamp":"2026-11-22T12:00:00.250Z","level":"WARN","message":"lo"#),
        "json Warn - - \"{\\\"@timestamp\\\":\\\"2026-11-22T12:00:00.250Z\\\",\\\"level\\\":\\\"WARN\\\",\\\"message\\\":\\\"lo\" cut"
    );
    assert_eq!(cut(r#"{"message":"lo"#), "malformed");
    assert_eq!(
        cut("2026-11-22 12:00:00,250 lo"),
        r#"plain Unknown - - "lo" cut"#
    );
}

#[test]
fn springs_console_is_read() {
    let ids = "6b02e66f2c64dd10b48478652a45c5e4-b48478652a45c5e4";
    let at = "2026-11-22T13:00:00.250+01:00";
    check(
        &format!(
            "{at}  INFO 7846 --- [orders] [           main] [{ids}] d.o.Orders   : up in 2 s : yes"
        ),
        r#"plain Info orders d.o.Orders "up in 2 s : yes" trace="6b02e66f2c64dd10b48478652a45c5e4" span="b48478652a45c5e4""#,
    );
    check(
        &format!(
            "{at} ERROR 7846 --- [orders] [nio-8080-exec-1] [                                                 ] d.o.Orders : m"
        ),
        r#"plain Error orders d.o.Orders "m""#,
    );
    check(
        &format!("{at}  WARN 7846 --- [           main] d.o.Orders : m"),
        r#"plain Warn - d.o.Orders "m""#,
    );
    check(
        "2026-11-22 12:00:00.250  INFO [orders,6b02e66f2c64dd10,b48478652a45c5e4] 7846 --- [main] d.o.Orders : m",
        r#"plain Info orders d.o.Orders "m" trace="6b02e66f2c64dd10" span="b48478652a45c5e4""#,
    );
    check(
        "2026-11-22 12:00:00.250  INFO [orders,,] 7846 --- [main] d.o.Orders : m",
        r#"plain Info orders d.o.Orders "m""#,
    );
    check(
        "\u{1b}[2m2026-11-22T12:00:00.250Z\u{1b}[0;39m \u{1b}[32m INFO\u{1b}[0;39m \u{1b}[35m1\u{1b}[0;39m \u{1b}[2m--- [orders] [main]\u{1b}[0;39m \u{1b}[36md.o.Orders\u{1b}[0;39m \u{1b}[2m:\u{1b}[0;39m m\u{1b}[2J",
        r#"plain Info orders d.o.Orders "m␛[2J""#,
    );
}

#[test]
fn plain_text_of_many_kinds_is_read() {
    for (text, expected) in [
        (
            "2026-11-22 12:00:00,250 [main] ERROR a.b.Orders - java.lang.IllegalStateException: x",
            r#"plain Error - a.b.Orders "java.lang.IllegalStateException: x" exception="java.lang.IllegalStateException""#,
        ),
        (
            "2026-11-22 12:00:00,250 [main] INFO  a.b.Orders -- m - n",
            r#"plain Info - a.b.Orders "m - n""#,
        ),
        (
            "2026-11-22 12:00:00,250 INFO a.b.Orders:42 - traceId=abc, spanId=d-e m",
            r#"plain Info - a.b.Orders "traceId=abc, spanId=d-e m" trace="abc" span="d-e""#,
        ),
        (
            "2026-11-22 12:00:00,250 ERROR [main] boom",
            r#"plain Error - - "ERROR [main] boom""#,
        ),
        (
            "2026-11-22 12:00:00,250 no error here",
            r#"plain Unknown - - "no error here""#,
        ),
        (
            "[2026-11-22 12:00:00.250] plain",
            r#"plain Unknown - - "plain""#,
        ),
        (
            "[2026-11-22T12:00:00.250Z][warn ][gc] m",
            r#"plain Warn - - "[warn ][gc] m""#,
        ),
        (
            "INFO  [2026-11-22 12:00:00,250] a.b.C: m",
            r#"plain Info - - "a.b.C: m""#,
        ),
        ("1795348800.250 WARN x", r#"plain Warn - - "WARN x""#),
        (
            r#"time="2026-11-22T12:00:00.250Z" level=error msg="m""#,
            r#"plain Error - - "level=error msg=\"m\"""#,
        ),
        (
            r#"127.0.0.1 - - [22/Nov/2026:13:00:00.250 +0100] "GET /x HTTP/1.1" 500 12"#,
            r#"plain Unknown - - "127.0.0.1 - - [22/Nov/2026:13:00:00.250 +0100] \"GET /x HTTP/1.1\" 500 12""#,
        ),
        (
            "22-Nov-2026 12:00:00.250 SEVERE [main] org.apache.X m",
            r#"plain Error - - "SEVERE [main] org.apache.X m""#,
        ),
        (
            "2026/11/22 12:00:00.250 [error] 7#7: *1 m",
            r#"plain Error - - "[error] 7#7: *1 m""#,
        ),
        (
            "Nov 22 12:00:00.250 host app[42]: m: n",
            r#"plain Unknown - - "m: n""#,
        ),
        (
            "<35>Nov 22 12:00:00.250 host app: m",
            r#"plain Error - - "m""#,
        ),
        (
            r#"<165>1 2026-11-22T12:00:00.250Z host app 42 ID47 [x@1 a="b"] m"#,
            r#"plain Info - - "m""#,
        ),
        (
            "<164>1 2026-11-22T12:00:00.250Z host app 42 - - m",
            r#"plain Warn - - "m""#,
        ),
        (
            "E1122 12:00:00.250000       1 server.go:42] m",
            r#"plain Error - - "m""#,
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn other_text_goes_on() {
    for text in [
        "\tat a.B(C.java:1)",
        "  2026-11-22T12:00:00.250Z in a message",
        "Caused by: x",
        "12 apples",
        "404 Not Found",
        "12:00:00.250 [main] INFO a.B -- m",
        "2026-11-22 is a date",
        "12345 bytes were read",
        "Error of 2026",
        "E1122",
        "{ not an object",
        "{",
        "name | of a table",
        "<script>",
        "[",
        "é",
    ] {
        check(text, &format!("goes on: {text}"));
    }
    check(" \t\r", "blank");
    check("\u{feff}", "blank");
}

#[test]
fn the_wrappings_of_containers_come_off() {
    let json = r#"{"@timestamp":"2026-11-22T12:00:00.250Z","level":"ERROR","message":"m"}"#;
    let docker = |line: &str| {
        serde_json::json!({"log": line, "stream": "stdout", "time": "2026-11-22T12:00:00.250999999Z"})
            .to_string()
    };
    let cri = |line: &str| format!("2026-11-22T12:00:00.250999999Z stderr F {line}");
    let wrappings: [&dyn Fn(&str) -> String; 2] = [&docker, &cri];
    for wrap in wrappings {
        check(&wrap(&format!("{json}\n")), r#"json Error - - "m""#);
        check(
            &wrap("2026-11-22T12:00:00.250Z  INFO 1 --- [main] a.B : m\n"),
            r#"plain Info - a.B "m""#,
        );
        check(
            &wrap("12:00:00.250 [main] INFO a.B -- m\n"),
            r#"plain Info - a.B "m""#,
        );
        check(
            &wrap("WARN: no time\n"),
            r#"plain Warn - - "WARN: no time""#,
        );
        check(
            &wrap(r#"{"message":"m","level":"WARN"}"#),
            r#"json Warn - - "m""#,
        );
        check(&wrap("\tat a.B(C.java:1)\n"), "goes on: \tat a.B(C.java:1)");
        check(&wrap("java.lang.Error: x\n"), "goes on: java.lang.Error: x");
        check(&wrap("Caused by: x\n"), "goes on: Caused by: x");
        check(
            &wrap("Error: no main class\n"),
            r#"plain Unknown - - "Error: no main class""#,
        );
        check(&wrap("\n"), "blank");
        check(&wrap(r#"{"message":"half"#), "malformed");
    }
    check(&docker(&cri(json)), r#"json Error - - "m""#);
    check(&docker(&docker(&docker(json))), "malformed");
    check(
        "2026-11-22T12:00:00.250Z stdout P {\"level\":\"WARN\",\"message\":\"m\",\"stack_trace\":\"a",
        r#"json Warn - - "m" cut"#,
    );
    check(
        "2026-11-22T12:00:01Z stdout F .B.c(B.java:1)\"}}",
        "malformed",
    );
    let long = "x".repeat(20_000);
    let piece = &format!(r#"{{"level":"WARN","message":"m","stack_trace":"{long}"#)[..16 << 10];
    check(&docker(piece), r#"json Warn - - "m" cut"#);
    check(
        &docker(&format!(r#"{{"level":"WARN","message":"m","x":"{long}"}}"#)),
        r#"json Warn - - "m""#,
    );
    check(&format!("orders-1  | {json}"), r#"json Error - - "m""#);
    check(
        &format!("2026-11-22T11:00:00Z {json}"),
        r#"json Error - - "m""#,
    );
    check(
        r#"2026-11-22T12:00:00.250Z INFO 1 --- [main] a.B : {"timestamp":1,"message":"data"}"#,
        r#"plain Info - a.B "{\"timestamp\":1,\"message\":\"data\"}""#,
    );
}

#[test]
fn f48_escape_sequences_are_text_and_colours_go() {
    check(
        "{\"@timestamp\":\"2026-11-22T12:00:00.250Z\",\"message\":\"\\u001b[2J<script>\\u202eevil \\u001b[31;1mred\\u001b[0m\\u0000\",\"service\":\"\\u0007\"}",
        "json Unknown ␇ - \"␛[2J<script><U+202E>evil red␀\"",
    );
}

#[test]
fn levels_of_many_kinds_are_read() {
    for (level, is) in [
        ("\"error\"", LogLevel::Error),
        ("\"Warning\"", LogLevel::Warn),
        ("\" INFO \"", LogLevel::Info),
        ("\"CRITICAL\"", LogLevel::Error),
        ("\"EMERG\"", LogLevel::Error),
        ("\"FINEST\"", LogLevel::Trace),
        ("40000", LogLevel::Error),
        ("\"30000\"", LogLevel::Warn),
        ("20000.0", LogLevel::Unknown),
        ("5000", LogLevel::Trace),
        ("3", LogLevel::Error),
        ("6", LogLevel::Info),
        ("60", LogLevel::Error),
        ("900", LogLevel::Warn),
        ("-1", LogLevel::Unknown),
        ("99999999999999999999", LogLevel::Unknown),
        ("\"loud\"", LogLevel::Unknown),
    ] {
        let text = format!("{{\"timestamp\":1,\"level\":{level}}}");
        let Record::Json(read) = read(text.as_bytes(), false, &reading()) else {
            panic!("{text}");
        };
        assert_eq!(read.line.level, is, "{text}");
    }
}

/// The lines of a real service, and what each tells.
#[test]
fn nothing_of_springs_own_lines_is_lost() {
    let read = |line: &str| match read(line.as_bytes(), false, &reading()) {
        Record::Json(read) => read,
        other => panic!("{other:?}"),
    };
    let ecs: Vec<Read> = include_str!("../../../tests/fixtures/ecs.jsonl")
        .lines()
        .map(read)
        .collect();
    let logstash: Vec<Read> = include_str!("../../../tests/fixtures/logstash.jsonl")
        .lines()
        .map(read)
        .collect();
    assert_eq!((ecs.len(), logstash.len()), (4, 4));
    for read in ecs.iter().chain(&logstash) {
        let line = &read.line;
        assert!(line.level >= LogLevel::Info && !line.cut, "{line:?}");
        assert!(line.logger.is_some() && !line.message.is_empty());
        assert_eq!(line.exception.is_some(), line.stack_trace.is_some());
        assert_eq!(line.trace_id.is_some(), line.span_id.is_some());
    }
    for read in &ecs {
        assert_eq!(read.service.as_deref(), Some("orders"));
    }
    assert!(logstash.iter().all(|read| read.service.is_none()));
    let causes = |reads: &[Read]| -> Vec<String> {
        reads
            .iter()
            .map(|read| read.line.causes().join(" < "))
            .collect()
    };
    assert_eq!(
        causes(&ecs),
        [
            "",
            "",
            "java.lang.IllegalStateException < java.lang.NumberFormatException",
            "java.lang.NumberFormatException"
        ]
    );
    let refused = "org.springframework.web.client.HttpServerErrorException$InternalServerError";
    assert_eq!(causes(&logstash), ["", "", refused, refused]);
}

proptest! {
    /// Three bytes of text become eight at most, as `<U+202E>` does.
    #[test]
    fn no_bytes_make_it_panic_or_grow(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cut in any::<bool>(),
    ) {
        bounded_reading(&bytes, cut)?;
    }

    #[test]
    fn no_damage_to_a_line_makes_it_panic(
        line in 0..LINES.len(),
        at in any::<prop::sample::Index>(),
        until in any::<prop::sample::Index>(),
        noise in "\\PC{0,3}|[0-9 :.,+{}\\[\\]\"\\\\-]{0,6}",
        cut in any::<bool>(),
    ) {
        let mut bytes = LINES[line].as_bytes().to_vec();
        let at = at.index(bytes.len());
        let until = at + until.index(bytes.len() - at).min(12);
        bytes.splice(at..until, noise.bytes());
        bounded_reading(&bytes, cut)?;
    }

    #[test]
    fn any_message_comes_back(message in "\\PC{1,80}", level in "[A-Z]{0,6}") {
        let message = format!("m{message}m");
        let line = serde_json::json!({"message": message, "timestamp": 1, "level": level});
        let Record::Json(read) = read(line.to_string().as_bytes(), false, &reading()) else {
            panic!("{line}");
        };
        prop_assert_eq!(read.line.message, visible(&message));
    }
}

const LINES: [&str; 10] = [
    r#"{"@timestamp":"2026-11-22T12:00:00.250Z","log":{"level":"ERROR"},"service":{"name":"pay"},"message":"m \u00e9","error":{"stack_trace":["x.Y: n"]}}"#,
    r#"{"log":"2026-11-22T12:00:00.250Z INFO 1 --- [a] [main] a.B : m\n","stream":"stdout","time":"2026-11-22T12:00:00.250999999Z"}"#,
    "2026-11-22T12:00:00.250999999Z stderr P {\"message\":\"m\"}",
    "2026-11-22T13:00:00.250+01:00[Europe/Berlin]  INFO 7846 --- [orders] [main] [6b02e66f2c64dd10-b48478652a45c5e4] d.o.Orders : é",
    "\u{1b}[2m2026-11-22 12:00:00,250\u{1b}[0m [main] ERROR a.b.C - java.lang.Error: x",
    r#"127.0.0.1 - - [22/Nov/2026:13:00:00 +0100] "GET /x HTTP/1.1" 500 12"#,
    r#"<165>1 2026-11-22T12:00:00.250Z host app 42 ID47 [x@1 a="b"] m"#,
    "Sun Nov 22 12:00:00.250 CET 2026 host app[42]: m",
    "E1122 12:00:00.250000       1 server.go:42] m",
    "orders-1  | Nov 22, 2026 12:00:00 PM a.B m traceId=abc",
];

fn bounded_reading(bytes: &[u8], cut: bool) -> Result<(), TestCaseError> {
    let reading = Reading {
        text_bytes: 60,
        ..reading()
    };
    let within =
        |text: &Option<String>, most: usize| text.as_deref().unwrap_or_default().len() <= 3 * most;
    match read(bytes, cut, &reading) {
        Record::Json(read) | Record::Plain(read) => {
            let line = read.line;
            prop_assert!(line.message.len() <= 180 && within(&line.stack_trace, 60));
            for id in [
                line.logger,
                line.trace_id,
                line.span_id,
                read.service,
                line.exception,
            ] {
                prop_assert!(within(&id, 512));
            }
        }
        Record::Continuation(text) => prop_assert!(text.len() <= 180),
        Record::Blank | Record::Malformed => {}
    }
    Ok(())
}
