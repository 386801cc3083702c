//! Files whose lines are of several formats, through a source's fields and zone.

use std::fs;
use std::sync::Arc;

use domain::{LogLevel, LogOutcome, LogWindow, ServiceId, Timestamp};
use sources::{LogFields, LogIndex, LogLimits, LogReader, LogSource, LogTemplate};

/// What a source reads of a text between 12:00 and 12:01.
fn window(text: impl AsRef<[u8]>, fields: LogFields, zone: &str) -> LogWindow {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pay.log"), text).unwrap();
    let path = format!("{}/{{service}}.log", folder.path().display());
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let source = LogSource::with(LogTemplate::new(path).unwrap(), &fields, zone);
    let index = Arc::new(LogIndex::in_memory());
    let reader = LogReader::new(vec![source], LogLimits::default(), index);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (from, to) = (at("2026-11-22T12:00:00Z"), at("2026-11-22T12:01:00Z"));
    reader.window(&ServiceId::new("pay").unwrap(), from, to, 100)
}

/// Level and message of each line.
fn told(window: &LogWindow) -> Vec<(LogLevel, &str)> {
    let lines = window.lines.iter();
    lines
        .map(|line| (line.level, line.message.as_str()))
        .collect()
}

#[test]
fn a_file_may_mix_all_formats() {
    let text = concat!(
        r#"{"@timestamp":"2026-11-22T12:00:01Z","log":{"level":"INFO"},"message":"nested"}"#,
        "\n",
        r#"{"@timestamp":"2026-11-22T12:00:02Z","log.level":"INFO","message":"flat"}"#,
        "\n",
        r#"{"version":"1.1","host":"h","timestamp":1795348803,"level":6,"short_message":"gelf"}"#,
        "\n",
        "2026-11-22 12:00:04,000  INFO 1 --- [main] a.B : plain\n",
        r#"{"@timestamp":"2026-11-22T12:00:05Z","message":"half"#,
        "\n",
        r#"{"log":"{\"time\":\"2026-11-22T12:00:06Z\",\"level\":\"INFO\",\"msg\":\"docker\"}\n","stream":"stdout","time":"2026-11-22T12:00:06.001Z"}"#,
        "\n",
        "2026-11-22T12:00:07.001Z stdout F 2026-11-22 12:00:07.000 INFO cri\n",
        r#"{"@timestamp":"9999-01-01T00:00:00Z","log.level":"ERROR","message":"in the future"}"#,
        "\n",
        "\u{0}\u{1}\u{7f}\n",
    );
    let window = window(text, LogFields::default(), "UTC");
    let messages = ["nested", "flat", "gelf", "plain", "docker", "INFO cri"];
    let expected: Vec<_> = messages.map(|message| (LogLevel::Info, message)).into();
    assert_eq!(told(&window), expected);
    // What broke off; what is no text lies behind a line of another time.
    assert_eq!((window.malformed, &window.outcome), (1, &LogOutcome::Found));
}

#[test]
fn a_source_has_names_and_a_zone_of_its_own() {
    let fields = LogFields {
        time: Some("event.when".to_owned()),
        message: Some("text".to_owned()),
        ..LogFields::default()
    };
    let text = concat!(
        r#"{"event":{"when":"2026-11-22 13:00:01,000"},"severity":"warning","text":"a","message":"b"}"#,
        "\n",
        "2026-11-22 13:00:02,000 ERROR [main] plain\n",
        "2026-11-22 12:00:03,000 ERROR [main] an hour too early\n",
    );
    let window = window(text, fields, "Europe/Berlin");
    assert_eq!(
        told(&window),
        [
            (LogLevel::Error, "ERROR [main] plain"),
            (LogLevel::Warn, "a")
        ]
    );
}

#[test]
fn stack_traces_are_folded_behind_the_wrapping_of_a_container() {
    let trace = [
        "2026-11-22T12:00:01.000Z ERROR 1 --- [pay] [main] a.B : failed",
        "a.Outer: m",
        "\tat a.B.c(B.java:1)",
        "Caused by: a.Root: n",
        "\t... 1 more",
        "2026-11-22T12:00:02.000Z  INFO 1 --- [pay] [main] a.B : on",
    ];
    let docker = |line: &str| {
        let line = serde_json::json!({"log": format!("{line}\n"), "stream": "stdout", "time": "2026-11-22T12:00:02.1Z"});
        format!("{line}\n")
    };
    let cri = |line: &str| format!("2026-11-22T12:00:02.100000000Z stdout F {line}\n");
    for text in [trace.map(docker).concat(), trace.map(cri).concat()] {
        let window = window(text, LogFields::default(), "UTC");
        assert_eq!(
            told(&window),
            [(LogLevel::Error, "failed"), (LogLevel::Info, "on")]
        );
        let failed = &window.lines[0];
        assert_eq!(failed.exception.as_deref(), Some("a.Outer"));
        assert_eq!(failed.causes(), ["a.Outer", "a.Root"]);
        assert_eq!(window.malformed, 0);
    }
}
