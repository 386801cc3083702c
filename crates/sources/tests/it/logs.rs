//! Windows of log files, and what must not be read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{LogLevel, LogOutcome, LogWindow, ServiceId, Timestamp};
use sources::{LogIndex, LogLimits, LogReader, LogSource, LogTemplate};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_millis(1_795_348_800_000);

struct Logs {
    folder: TempDir,
    reader: LogReader,
}

impl Logs {
    fn new() -> Logs {
        Logs::with(LogLimits::default())
    }

    fn with(limits: LogLimits) -> Logs {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let template = format!("{}/log/{{service}}/app.json", folder.path().display());
        Logs {
            reader: reader(&[template], limits),
            folder,
        }
    }

    /// A path beneath the folder of `pay`.
    fn path(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join("log/pay");
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn window(&self, from: i64, to: i64) -> LogWindow {
        self.of("pay", from, to, 1000)
    }

    fn of(&self, service: &str, from: i64, to: i64, limit: usize) -> LogWindow {
        let service = ServiceId::new(service).unwrap();
        self.reader.window(&service, at(from), at(to), limit)
    }
}

fn reader(templates: &[String], limits: LogLimits) -> LogReader {
    LogReader::new(sources(templates), limits, Arc::new(LogIndex::in_memory()))
}

fn sources(templates: &[String]) -> Vec<LogSource> {
    let source = |template: &String| LogSource::new(LogTemplate::new(template).unwrap());
    templates.iter().map(source).collect()
}

/// Milliseconds from T0.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(T0.as_millis() + millis)
}

fn line(millis: i64, level: &str, message: &str) -> String {
    let time = at(millis);
    let message = serde_json::to_string(message).unwrap();
    format!("{{\"@timestamp\":\"{time}\",\"level\":\"{level}\",\"message\":{message}}}\n")
}

fn lines(range: std::ops::Range<i64>) -> String {
    range
        .map(|i| line(i * 1000, "INFO", &format!("m{i}")))
        .collect()
}

fn messages(window: &LogWindow) -> Vec<&str> {
    window
        .lines
        .iter()
        .map(|line| line.message.as_str())
        .collect()
}

fn unreadable(window: &LogWindow) -> &str {
    match &window.outcome {
        LogOutcome::Unreadable(why) => why,
        other => panic!("{other:?}"),
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn spring_boots_own_lines_are_read() {
    let logs = Logs::new();
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let (from, to) = (time("2026-11-22T12:56:00Z"), time("2026-11-22T12:57:00Z"));
    let read = |file: &str| {
        logs.write("app.json", file);
        logs.reader
            .window(&ServiceId::new("pay").unwrap(), from, to, 100)
    };
    let ecs = read(include_str!("../fixtures/ecs.jsonl"));
    assert_eq!((&ecs.outcome, ecs.malformed), (&LogOutcome::Found, 0));
    let first = &ecs.lines[0];
    assert_eq!(first.level, LogLevel::Error);
    assert_eq!(first.message, "order processing failed");
    assert_eq!(
        first.exception.as_deref(),
        Some("java.lang.IllegalStateException")
    );
    assert_eq!(
        first.trace_id.as_deref(),
        Some("6b02e672499fa3644afaa06aacefd956")
    );
    assert!(
        first
            .stack_trace
            .as_deref()
            .unwrap()
            .starts_with("java.lang.IllegalStateException: stock")
    );

    let logstash = read(include_str!("../fixtures/logstash.jsonl"));
    assert_eq!(logstash.malformed, 0);
    let first = logstash
        .lines
        .iter()
        .find(|l| l.message == "orders call failed")
        .unwrap();
    assert_eq!(first.logger.as_deref(), Some("demo.gateway.ApiController"));
    assert_eq!(
        first.exception.as_deref(),
        Some("org.springframework.web.client.HttpServerErrorException$InternalServerError")
    );
    assert!(first.stack_trace.is_some() && first.trace_id.is_some());
}

#[test]
fn errors_come_first_then_time_and_the_rest_is_counted() {
    let logs = Logs::new();
    let mut text = String::new();
    for (millis, level) in [
        (0, "INFO"),
        (1, "WARN"),
        (2, "ERROR"),
        (3, "INFO"),
        (4, "FATAL"),
        (5, "WARNING"),
    ] {
        text += &line(millis, level, &format!("{level}{millis}"));
    }
    logs.write("app.json", &text);
    let window = logs.window(0, 5);
    assert_eq!(
        messages(&window),
        ["ERROR2", "FATAL4", "WARN1", "WARNING5", "INFO0", "INFO3"]
    );
    let cut = logs.of("pay", 0, 5, 3);
    assert_eq!(
        (messages(&cut), cut.omitted),
        (vec!["ERROR2", "FATAL4", "WARN1"], 3)
    );
}

#[test]
fn the_window_is_found_in_a_large_file_without_reading_it() {
    let limits = LogLimits {
        read_bytes: 2 << 20,
        ..LogLimits::default()
    };
    let logs = Logs::with(limits);
    logs.write("app.json", lines(0..200_000));
    assert!(fs::metadata(logs.path("app.json")).unwrap().len() > 12 << 20);
    for middle in [0, 1, 77_777, 150_000, 199_990] {
        let window = logs.window(middle * 1000, (middle + 9) * 1000);
        let expected: Vec<String> = (middle..middle + 10).map(|i| format!("m{i}")).collect();
        assert_eq!(messages(&window), expected);
    }
    let after = logs.window(300_000_000, 300_001_000);
    let LogOutcome::NoneInWindow(text) = &after.outcome else {
        panic!("{:?}", after.outcome);
    };
    assert!(
        text.starts_with("nearest line 1 d 3 h before the window"),
        "{text}"
    );
}

#[test]
fn an_empty_window_says_what_a_wider_one_has() {
    let logs = Logs::new();
    logs.write("app.json", line(0, "INFO", "a") + &line(1000, "INFO", "b"));
    let check = |from, to, says: &str| match logs.window(from, to).outcome {
        LogOutcome::NoneInWindow(text) => assert_eq!(text, says),
        other => panic!("{other:?}"),
    };
    check(
        251_000,
        261_000,
        "nearest line 4 m 10 s before the window; a window of ±5 m has 2 lines",
    );
    check(
        -7_000,
        -2_000,
        "nearest line 2 s after the window; a window of ±10 s has 2 lines",
    );
    check(
        400,
        600,
        "nearest line 400 ms before the window; a window of ±10 s has 2 lines",
    );
    logs.write("app.json", "");
    check(0, 1, "the log has no lines with a time");
}

#[test]
fn without_a_source_or_a_file_the_answer_says_so() {
    let logs = Logs::new();
    let none = reader(&[], LogLimits::default());
    let pay = ServiceId::new("pay").unwrap();
    assert_eq!(
        none.window(&pay, T0, T0, 1).outcome,
        LogOutcome::NotConfigured
    );
    let missing = logs.window(0, 1);
    assert!(
        unreadable(&missing).contains("pay/app.json: there is no such file"),
        "{missing:?}"
    );
}

#[test]
fn f41_a_line_being_written_is_held_back() {
    let logs = Logs::new();
    let whole = line(0, "INFO", "whole");
    let next = line(1, "ERROR", "next");
    for cut in [1, 10, next.len() - 1] {
        logs.write("app.json", format!("{whole}{}", &next[..cut]));
        let window = logs.window(0, 10);
        assert_eq!((messages(&window), window.malformed), (vec!["whole"], 0));
    }
    logs.write("app.json", whole + &next);
    assert_eq!(messages(&logs.window(0, 10)), ["next", "whole"]);
}

#[test]
fn f42_each_bad_line_is_one_count() {
    let logs = Logs::new();
    let mut bytes = line(0, "INFO", "first").into_bytes();
    let deep = format!("{{\"a\":{}\n", "[".repeat(100_000));
    for bad in [
        b"{\"@timestamp\":\"2026-11-22T12:00:00Z\",\"message\":\n".as_slice(),
        b"{\"@timestamp\":1e9999}\n",
        b"{\"@timestamp\":\"2026-11-22T12:00:00Z\",\"message\":\"\\ud800\"}\n",
        b"not json, no time\n",
        b"\x00\x00\x00\n",
        deep.as_bytes(),
    ] {
        bytes.extend_from_slice(bad);
    }
    bytes.extend_from_slice(
        b"{\"@timestamp\":\"2026-11-22T12:00:00.001Z\",\"message\":\"inv\xfflid \\u0000\"}\n\n",
    );
    logs.write("app.json", bytes);
    let window = logs.window(0, 10);
    assert_eq!(window.malformed, 6);
    assert_eq!(messages(&window), ["first", "inv\u{fffd}lid ␀"]);
}

#[test]
fn f43_a_giant_line_is_cut_and_marked() {
    let logs = Logs::new();
    let mut file = fs::File::create(logs.path("app.json")).unwrap();
    file.write_all(line(0, "INFO", "before").as_bytes())
        .unwrap();
    write!(
        file,
        "{{\"@timestamp\":\"{}\",\"level\":\"ERROR\",\"message\":\"",
        at(1)
    )
    .unwrap();
    for _ in 0..40 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    file.write_all(b"\"}\n").unwrap();
    file.write_all(line(2, "INFO", "after").as_bytes()).unwrap();
    let window = logs.window(0, 10);
    assert_eq!(window.lines.len(), 3);
    let giant = &window.lines[0];
    assert_eq!(
        (giant.level, giant.time, giant.cut),
        (LogLevel::Error, at(1), true)
    );
    assert!(giant.message.len() <= 32 << 10);
    // A line of nothing but zeros stops neither what is before it nor what is after.
    let zeros = vec![0; 8 << 20];
    let text = [
        line(0, "INFO", "before").as_bytes(),
        &zeros,
        b"\n",
        line(2, "INFO", "after").as_bytes(),
    ]
    .concat();
    logs.write("app.json", text);
    let window = logs.window(0, 10);
    assert_eq!(
        (messages(&window), window.malformed),
        (vec!["before", "after"], 1)
    );
}

#[test]
fn f44_rotated_files_are_read_where_the_window_reaches_them() {
    let logs = Logs::new();
    logs.write("app.json", lines(300..400));
    logs.write("app.json.1", lines(200..300));
    logs.write("app.json.2026-11-22.0.gz", gzip(&lines(100..200)));
    logs.write("app.json.3.gz", gzip(&lines(0..100)));
    logs.write("app.json-gateway.1", lines(0..400));
    let check = |from: i64, to: i64| {
        let window = logs.window(from * 1000, to * 1000);
        let expected: Vec<String> = (from..=to).map(|i| format!("m{i}")).collect();
        assert_eq!(messages(&window), expected, "{from} to {to}");
        assert_eq!(window.malformed, 0);
    };
    check(310, 320);
    check(290, 310);
    check(250, 260);
    check(150, 160);
    check(50, 350);
    check(0, 399);
    fs::remove_file(logs.path("app.json")).unwrap();
    check(250, 260);
}

#[test]
fn f44_a_copy_before_truncation_is_not_read_twice() {
    let logs = Logs::new();
    logs.write("app.json", lines(100..200));
    logs.write("app.json.1", lines(100..200));
    logs.write("app.json.2", lines(0..100));
    assert_eq!(logs.window(90_000, 110_000).lines.len(), 21);
    // Truncated while we aren't looking: the copy is all there is.
    logs.write("app.json", "");
    assert_eq!(logs.window(90_000, 110_000).lines.len(), 21);
}

#[test]
fn f44_broken_archives_are_counted_and_stop_nothing() {
    let logs = Logs::new();
    logs.write("app.json", lines(100..200));
    let packed = gzip(&lines(0..100));
    logs.write("app.json.1.gz", &packed[..packed.len() / 2]);
    logs.write("app.json.2.gz", b"no archive");
    let window = logs.window(0, 110_000);
    assert!(window.lines.len() >= 11);
    assert!(window.malformed >= 1);
}

#[test]
fn f44_rotation_by_rename_at_full_rate_loses_and_doubles_nothing() {
    let logs = Logs::new();
    logs.write("app.json", line(0, "INFO", "m0"));
    let folder = logs.path("");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let written = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1));
    let writer = std::thread::spawn({
        let (stop, written) = (stop.clone(), written.clone());
        move || rotate_for_ever(&folder, &stop, &written)
    });
    while written.load(std::sync::atomic::Ordering::SeqCst) < 1500 {
        let known = written.load(std::sync::atomic::Ordering::SeqCst);
        let to = known - 1;
        let window = logs.of("pay", 0, to, 10_000);
        let mut seen: Vec<i64> = messages(&window)
            .iter()
            .map(|message| message[1..].parse().unwrap())
            .collect();
        seen.sort();
        // Forty files of twenty lines are kept, so that the newest hundred are surely there.
        let expected: Vec<i64> = ((to - 100).max(0)..=to).collect();
        let newest: Vec<i64> = seen.iter().copied().filter(|i| *i >= to - 100).collect();
        assert_eq!(newest, expected);
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    writer.join().unwrap();
}

fn rotate_for_ever(
    folder: &Path,
    stop: &std::sync::atomic::AtomicBool,
    written: &std::sync::atomic::AtomicI64,
) {
    use std::sync::atomic::Ordering::SeqCst;
    let live = folder.join("app.json");
    let mut i = 1;
    while !stop.load(SeqCst) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&live)
            .unwrap();
        for _ in 0..20 {
            file.write_all(line(i, "INFO", &format!("m{i}")).as_bytes())
                .unwrap();
            i += 1;
            written.store(i, SeqCst);
            std::thread::sleep(Duration::from_micros(500));
        }
        for n in (1..40).rev() {
            let name = |n| folder.join(format!("app.json.{n}"));
            let _ = fs::rename(name(n), name(n + 1));
        }
        fs::rename(&live, folder.join("app.json.1")).unwrap();
    }
}

#[test]
fn f45_only_regular_files_beneath_the_root_are_read() {
    let logs = Logs::new();
    let secret = logs.folder.path().join("secret");
    fs::write(&secret, line(0, "ERROR", "secret")).unwrap();
    let live = logs.path("app.json");
    let refused = |says: &str| {
        let window = logs.window(-1000, 1000);
        assert!(unreadable(&window).contains(says), "{:?}", window.outcome);
        assert!(window.lines.is_empty());
        let _ = fs::remove_file(&live);
    };
    symlink(&secret, &live).unwrap();
    refused("leads out of the log folder");
    symlink("../../secret", &live).unwrap();
    refused("leads out of the log folder");
    symlink("app.json", &live).unwrap();
    refused("app.json");
    symlink("/dev/zero", &live).unwrap();
    refused("leads out of the log folder");
    let fifo = std::process::Command::new("mkfifo").arg(&live).status();
    if fifo.is_ok_and(|status| status.success()) {
        let begun = Instant::now();
        refused("not a regular file");
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    fs::create_dir(&live).unwrap();
    refused("it is a folder; logs[].path must name a file");
    fs::remove_dir(&live).unwrap();
    // A rotated sibling is no way out, either.
    logs.write("app.json", line(500, "INFO", "own"));
    symlink(&secret, logs.path("app.json.1")).unwrap();
    assert_eq!(messages(&logs.window(-1000, 1000)), ["own"]);
    // Nor is the service's folder.
    symlink(logs.folder.path(), logs.folder.path().join("log/out")).unwrap();
    fs::write(
        logs.folder.path().join("app.json"),
        line(0, "ERROR", "secret"),
    )
    .unwrap();
    assert!(unreadable(&logs.of("out", -1000, 1000, 10)).contains("leads out"));
}

#[test]
fn links_that_stay_beneath_the_root_are_followed() {
    let logs = Logs::new();
    logs.write("real.json", line(0, "INFO", "own"));
    symlink("real.json", logs.path("app.json")).unwrap();
    assert_eq!(messages(&logs.window(-1000, 1000)), ["own"]);
}

#[test]
fn s02_no_service_name_reads_outside() {
    let logs = Logs::new();
    fs::write(
        logs.folder.path().join("app.json"),
        line(0, "ERROR", "secret"),
    )
    .unwrap();
    for name in [
        "..",
        "../",
        "../../etc/passwd",
        "..%2f",
        "%2e%2e/",
        "..\\",
        "\0",
        "....//",
        "/etc",
        "pay/..",
        ".",
    ] {
        let window = logs.of(name, -1000, 1000, 10);
        assert!(
            unreadable(&window).contains("app.json"),
            "{name:?}: {:?}",
            window.outcome
        );
    }
    let long = "x".repeat(1024);
    unreadable(&logs.of(&long, -1000, 1000, 10));
    fs::create_dir(logs.folder.path().join("log/prod%2Fpay")).unwrap();
    fs::write(
        logs.folder.path().join("log/prod%2Fpay/app.json"),
        line(0, "INFO", "scoped"),
    )
    .unwrap();
    assert_eq!(messages(&logs.of("prod/pay", -1000, 1000, 10)), ["scoped"]);
}

#[test]
fn a_file_of_proc_is_empty_not_endless() {
    let reader = reader(&["/proc/{service}/environ".into()], LogLimits::default());
    let window = reader.window(&ServiceId::new("self").unwrap(), T0, T0, 10);
    assert!(window.lines.is_empty(), "{window:?}");
}

#[test]
fn f46_disorder_and_wild_times_hide_nothing() {
    let logs = Logs::new();
    let mut text = String::new();
    for i in 0..60_000 {
        // Neighbours swapped, and now and then a line from 1970 or 9999.
        text += &line((i ^ 1) * 1000, "INFO", &format!("m{}", i ^ 1));
        if i % 50 == 0 {
            text += "{\"timestamp\":\"9999-01-01T00:00:00Z\",\"message\":\"far\"}\n";
            text += "{\"timestamp\":0,\"message\":\"past\"}\n";
            text += "{\"message\":\"no time\"}\n";
        }
    }
    assert!(text.len() > 3 << 20);
    logs.write("app.json", &text);
    for middle in [0, 1000, 30_000, 59_980] {
        let window = logs.window(middle * 1000, (middle + 9) * 1000);
        let expected: Vec<String> = (middle..middle + 10).map(|i| format!("m{i}")).collect();
        assert_eq!(messages(&window), expected, "{middle}");
    }
}

#[test]
fn f47_a_burst_is_bounded_and_counted() {
    let logs = Logs::new();
    let mut text = String::new();
    for i in 0..100_000 {
        text += &line(
            i / 100,
            if i % 1000 == 0 { "ERROR" } else { "INFO" },
            &format!("m{i}"),
        );
    }
    logs.write("app.json", &text);
    let window = logs.of("pay", 0, 999, 200);
    assert_eq!((window.lines.len(), window.omitted), (200, 99_800));
    assert_eq!(
        window
            .lines
            .iter()
            .filter(|l| l.level == LogLevel::Error)
            .count(),
        100
    );
}

#[test]
fn f47_long_stack_traces_are_kept_up_to_their_limit() {
    let logs = Logs::new();
    let trace: String = (0..2000)
        .map(|i| format!("\n\tat demo.Orders.deep(Orders.java:{i})"))
        .collect();
    let trace = format!("java.lang.StackOverflowError: deep{trace}");
    let json = serde_json::json!({"@timestamp": T0.to_string(), "level": "ERROR", "message": "m", "stack_trace": trace});
    logs.write("app.json", format!("{json}\n"));
    let window = logs.window(0, 1);
    let kept = window.lines[0].stack_trace.as_deref().unwrap();
    assert!(kept.len() <= 32 << 10 && kept.len() > 31 << 10);
    assert!(window.lines[0].cut);
    assert_eq!(
        window.lines[0].exception.as_deref(),
        Some("java.lang.StackOverflowError")
    );
}

#[test]
fn plain_text_folds_stack_traces_into_their_line() {
    let logs = Logs::new();
    logs.write(
        "app.json",
        format!(
            "\tat left.over(From.java:1)\n{}  INFO 1 --- [main] demo.Orders : up\n{} ERROR 1 --- [main] demo.Orders : failed\njava.lang.IllegalStateException: stock\n\tat a.B(C.java:1)\nCaused by: x\n{}  INFO 1 --- [main] demo.Orders : on\n",
            at(0),
            at(1),
            at(2)
        ),
    );
    let window = logs.window(0, 10);
    assert_eq!(messages(&window), ["failed", "up", "on"]);
    let failed = &window.lines[0];
    assert_eq!(
        failed.exception.as_deref(),
        Some("java.lang.IllegalStateException")
    );
    assert_eq!(
        failed.stack_trace.as_deref(),
        Some("java.lang.IllegalStateException: stock\n\tat a.B(C.java:1)\nCaused by: x")
    );
}

#[test]
fn several_templates_are_read_together() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pay.json"), line(0, "INFO", "a")).unwrap();
    fs::write(folder.path().join("pay.gc.json"), line(1, "INFO", "b")).unwrap();
    let templates = ["{service}.json", "{service}.gc.json", "{service}.missing"]
        .map(|name| format!("{}/{name}", folder.path().display()));
    let reader = reader(&templates, LogLimits::default());
    let window = reader.window(&ServiceId::new("pay").unwrap(), at(0), at(10), 10);
    assert_eq!(messages(&window), ["a", "b"]);
}
