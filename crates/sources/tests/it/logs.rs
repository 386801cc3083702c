//! Windows of log files, and what must not be read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use domain::{LogLevel, LogOutcome, LogWindow, ServiceId, Timestamp};
use sources::{
    FollowReport, LogCursor, LogIndex, LogLimits, LogOrder, LogPage, LogQuery, LogReader,
    LogSource, LogTemplate,
};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_millis(1_795_348_800_000);

struct Logs {
    folder: TempDir,
    reader: LogReader,
    sources: Vec<LogSource>,
    index: Arc<LogIndex>,
}

impl Logs {
    fn new() -> Logs {
        Logs::with(LogLimits::default())
    }

    fn with(limits: LogLimits) -> Logs {
        Logs::at("{service}/app.json", limits)
    }

    fn at(template: &str, limits: LogLimits) -> Logs {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let sources = sources(&[format!("{}/log/{template}", folder.path().display())]);
        let index = Arc::new(LogIndex::open(folder.path().join("index")));
        Logs {
            reader: LogReader::new(sources.clone(), limits, index.clone()),
            folder,
            sources,
            index,
        }
    }

    /// Follows until nothing is left.
    fn follow(&self) -> FollowReport {
        follow(&self.index, &self.sources)
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

fn follow(index: &LogIndex, sources: &[LogSource]) -> FollowReport {
    let mut report = index.follow(sources, 1 << 30, &|| false);
    for _ in 0..100 {
        if report.bytes_behind == 0 {
            return report;
        }
        report = index.follow(sources, 1 << 30, &|| false);
    }
    panic!("still behind: {report:?}");
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
    while_rotating(Rotation::Rename);
}

#[test]
fn f44_rotation_by_truncation_loses_and_doubles_nothing_that_was_copied() {
    while_rotating(Rotation::Copy);
}

/// Reads in all ways while a writer rotates and the index follows.
fn while_rotating(rotation: Rotation) {
    let logs = Logs::new();
    logs.write("app.json", line(0, "INFO", "m0"));
    let folder = logs.path("");
    let (stop, written) = (AtomicBool::new(false), AtomicI64::new(1));
    std::thread::scope(|scope| {
        scope.spawn(|| rotate_for_ever(&folder, rotation, &stop, &written));
        scope.spawn(|| {
            while !stop.load(SeqCst) {
                logs.index.follow(&logs.sources, 1 << 20, &|| false);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let end = StopAtEnd(&stop);
        while written.load(SeqCst) < 1500 {
            let to = written.load(SeqCst) - 1;
            // Forty files of twenty lines are kept, so that the newest hundred are surely there.
            let from = (to - 100).max(0);
            let expected: Vec<i64> = (from..=to).collect();
            let window = logs.of("pay", from, to, 10_000);
            assert_eq!(numbers(messages(&window)), expected, "window");
            let mut visited = Vec::new();
            logs.reader
                .visit(&pay(), at(from), at(to), 1 << 30, &mut |line| {
                    visited.push(line.message.clone());
                });
            // A file that is cut off under a visit can't be visited again.
            if rotation == Rotation::Rename {
                let visited = visited.iter().map(String::as_str).collect();
                assert_eq!(numbers(visited), expected, "visit");
            }
            for order in [LogOrder::OldestFirst, LogOrder::NewestFirst] {
                let query = LogQuery {
                    limit: 17,
                    order,
                    ..query(from, to)
                };
                let lines: Vec<String> = pages(&logs.reader, query).concat();
                let paged: Vec<i64> = lines.iter().map(|m| m[1..].parse().unwrap()).collect();
                let mut expected = expected.clone();
                if order == LogOrder::NewestFirst {
                    expected.reverse();
                }
                assert_eq!(paged, expected, "pages");
            }
        }
        drop(end);
    });
}

/// Lets threads end, also when a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn numbers(messages: Vec<&str>) -> Vec<i64> {
    let mut numbers: Vec<i64> = messages.iter().map(|m| m[1..].parse().unwrap()).collect();
    numbers.sort();
    numbers
}

fn query(from: i64, to: i64) -> LogQuery {
    LogQuery {
        from: at(from),
        to: at(to),
        level_min: None,
        text: None,
        after: None,
        limit: 100,
        order: LogOrder::OldestFirst,
    }
}

fn pay() -> ServiceId {
    ServiceId::new("pay").unwrap()
}

/// The messages of all pages; each cursor goes through its text.
fn pages(reader: &LogReader, mut query: LogQuery) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = reader.page(&pay(), &query);
        pages.push(page.lines.iter().map(|line| line.message.clone()).collect());
        assert!(pages.len() < 10_000, "pages without end");
        let Some(next) = page.next else { return pages };
        query.after = Some(next.to_string().parse::<LogCursor>().unwrap());
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rotation {
    Rename,
    Copy,
}

fn rotate(folder: &Path, rotation: Rotation) {
    shift(folder);
    let (live, first) = (folder.join("app.json"), folder.join("app.json.1"));
    match rotation {
        Rotation::Rename => fs::rename(live, first).unwrap(),
        Rotation::Copy => {
            fs::copy(&live, first).unwrap();
            fs::write(live, "").unwrap();
        }
    }
}

fn shift(folder: &Path) {
    for n in (1..40).rev() {
        let name = |n| folder.join(format!("app.json.{n}"));
        let _ = fs::rename(name(n), name(n + 1));
    }
}

fn rotate_for_ever(folder: &Path, rotation: Rotation, stop: &AtomicBool, written: &AtomicI64) {
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
            std::thread::sleep(Duration::from_millis(1));
        }
        rotate(folder, rotation);
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

/// Messages of a window by their numbers.
fn seconds_of(logs: &Logs, from: i64, to: i64) -> Vec<i64> {
    numbers(messages(&logs.window(from * 1000, to * 1000)))
}

#[test]
fn the_index_grows_with_its_files() {
    let logs = Logs::new();
    logs.write("app.json", lines(0..1000));
    logs.write("app.json.1.gz", gzip(&lines(-100..0)));
    let report = logs.follow();
    assert_eq!((report.files, report.lines), (2, 1100));
    assert!(report.remarks.is_empty(), "{report:?}");
    // Nothing changed, so nothing is read.
    assert_eq!(logs.follow().bytes_indexed, 0);
    let half = line(1_000_000, "INFO", "m1000");
    let (begin, end) = half.split_at(20);
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(logs.path("app.json"))
        .unwrap();
    file.write_all(begin.as_bytes()).unwrap();
    let report = logs.follow();
    assert_eq!((report.lines, report.bytes_indexed), (1100, 20));
    assert_eq!(seconds_of(&logs, 995, 1005), [995, 996, 997, 998, 999]);
    file.write_all(end.as_bytes()).unwrap();
    assert_eq!(logs.follow().lines, 1101);
    assert_eq!(seconds_of(&logs, 999, 1005), [999, 1000]);
    // Renamed: the same file, whatever its name.
    fs::rename(logs.path("app.json"), logs.path("app.json.2")).unwrap();
    logs.write("app.json", lines(1001..1010));
    let report = logs.follow();
    assert_eq!((report.files, report.lines), (3, 1110));
    assert!(report.bytes_indexed < 1000, "{report:?}");
    assert_eq!(seconds_of(&logs, 999, 1002), [999, 1000, 1001, 1002]);
    // Truncated: anew. Gone: forgotten, after a while.
    logs.write("app.json", lines(2000..2002));
    assert_eq!(logs.follow().lines, 1103);
    assert_eq!(seconds_of(&logs, 1001, 2010), [2000, 2001]);
    fs::remove_file(logs.path("app.json.2")).unwrap();
    (0..3).for_each(|_| drop(logs.follow()));
    assert_eq!(logs.follow().lines, 102);
}

#[test]
fn disorder_of_any_size_is_read_exactly() {
    let logs = Logs::new();
    // Minutes in no order, with stack traces, in a file of many blocks.
    let mut text = String::new();
    for i in 0..120_000_i64 {
        let minute = (i / 600 * 77) % 200;
        let second = minute * 600 + i % 600;
        text += &format!(
            "{} INFO m{second}\n\tat a.b(C.java:{second})\n",
            at(second * 1000)
        );
    }
    logs.write("app.json", &text);
    let report = logs.follow();
    assert_eq!(report.lines, 120_000);
    for from in [0, 599, 600, 45_678, 119_000] {
        let window = logs.window(from * 1000, (from + 20) * 1000);
        let expected: Vec<i64> = (from..=(from + 20).min(119_999)).collect();
        let mut found = Vec::new();
        for line in &window.lines {
            let number = line.message.strip_prefix("INFO m").unwrap();
            let trace = format!("\tat a.b(C.java:{number})");
            assert_eq!(line.stack_trace.as_deref(), Some(trace.as_str()));
            found.push(number.parse::<i64>().unwrap());
        }
        assert_eq!(found, expected);
        assert_eq!(window.malformed, 0);
    }
}

#[test]
fn one_huge_file_starves_no_other() {
    let logs = Logs::new();
    logs.write("app.json", lines(0..100_000));
    let other = logs.folder.path().join("log/orders");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("app.json"), lines(0..100)).unwrap();
    let report = logs.index.follow(&logs.sources, 1 << 20, &|| false);
    assert!(report.bytes_behind > 0 && report.lines > 100, "{report:?}");
    let first = report.bytes_behind;
    let report = logs.index.follow(&logs.sources, 1 << 20, &|| false);
    assert!(report.bytes_behind < first && report.bytes_behind > 0);
    // Told to stop, it does nothing.
    let stopped = logs.index.follow(&logs.sources, 1 << 20, &|| true);
    assert_eq!(stopped.bytes_indexed, 0);
    assert_eq!(logs.follow().lines, 100_100);
    // What is only half indexed is read whole all the same.
    assert_eq!(seconds_of(&logs, 99_990, 100_005).len(), 10);
}

#[test]
fn a_saved_index_is_used_again() {
    let logs = Logs::new();
    logs.write("app.json", lines(0..50_000));
    logs.write("app.json.1.gz", gzip(&lines(-100..0)));
    logs.follow();
    assert!(logs.index.save().unwrap() > 0);
    assert_eq!(logs.index.save().unwrap(), 0, "nothing changed");
    let again = LogIndex::open(logs.folder.path().join("index"));
    let report = follow(&again, &logs.sources);
    assert_eq!((report.lines, report.bytes_indexed), (50_100, 0));
    assert!(report.remarks.is_empty());
    // Another file under a known number is seen by its first bytes.
    logs.write("app.json", lines(1..50_010));
    assert_eq!(follow(&again, &logs.sources).lines, 50_009 + 100);
}

#[test]
fn a_damaged_index_is_set_aside_and_built_anew() {
    let logs = Logs::new();
    logs.write("app.json", lines(0..20_000));
    logs.follow();
    logs.index.save().unwrap();
    let folder = logs.folder.path().join("index");
    let path = folder.join("log-index");
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    let mut newer = good.clone();
    newer[16] += 1;
    let check = |says: &str| {
        let index = LogIndex::open(&folder);
        let report = follow(&index, &logs.sources);
        assert_eq!(report.lines, 20_000);
        assert_eq!(report.remarks.len(), 1, "{says}: {report:?}");
        assert!(report.remarks[0].contains(says), "{says}: {report:?}");
        assert!(
            follow(&index, &logs.sources).remarks.is_empty(),
            "told once"
        );
        index.save().unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), good.len());
    };
    for (bytes, says) in [
        (&good[..good.len() / 2], "its checksum is wrong"),
        (&flipped, "its checksum is wrong"),
        (&newer, "it has another version"),
        (b"".as_slice(), "it is too short"),
        (&[b'x'; 4000], "it is no log index"),
    ] {
        fs::write(&path, bytes).unwrap();
        check(says);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "kept").unwrap();
    check("it is no regular file");
    assert!(folder.join("log-index.damaged/inside").exists());
    // A folder that can't be written to is an error, and no more.
    let nowhere = LogIndex::open("/proc/nowhere");
    follow(&nowhere, &logs.sources);
    assert!(nowhere.save().is_err());
}

#[test]
fn globs_find_the_files_of_a_service() {
    let logs = Logs::at("{service}-*_*.log", LogLimits::default());
    let write = |name: &str, text: String| {
        fs::write(logs.folder.path().join("log").join(name), text).unwrap();
    };
    write("pay-7c9_default.log", lines(0..10));
    write("pay-7c9_default.log.1", lines(-10..0));
    write("pay-8d0_default.log", lines(10..20));
    write("orders-7c9_default.log", lines(100..110));
    write("pay-7c9.log", lines(200..210));
    assert_eq!(seconds_of(&logs, -100, 300), Vec::from_iter(-10..20));
    let report = logs.follow();
    assert_eq!((report.files, report.lines), (4, 40));
    assert_eq!(seconds_of(&logs, -100, 300), Vec::from_iter(-10..20));
    // The rotated file of one whose live one is away.
    fs::rename(
        logs.folder.path().join("log/pay-8d0_default.log"),
        logs.folder.path().join("log/pay-8d0_default.log-20261122"),
    )
    .unwrap();
    assert_eq!(seconds_of(&logs, -100, 300), Vec::from_iter(-10..20));
    let nobody = unreadable(&logs.of("nobody", 0, 1, 1)).to_owned();
    assert!(
        nobody.contains("nobody-*_*.log: there is no such file"),
        "{nobody}"
    );
    // Folders may be unknown, too; a file that two templates stand for is read once.
    let logs = Logs::at("*/{service}?/x*.json", LogLimits::default());
    for folder in ["a/pay1", "b/pay2", "b/pay33", ".c/pay1"] {
        let folder = logs.folder.path().join("log").join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("x.json"), lines(0..2)).unwrap();
    }
    let twice = [&logs.sources[..], &logs.sources[..]].concat();
    let reader = LogReader::new(twice, LogLimits::default(), logs.index.clone());
    assert_eq!(reader.window(&pay(), at(0), at(9000), 100).lines.len(), 4);
}

#[test]
fn one_file_may_hold_several_services() {
    let logs = Logs::at("all*.json", LogLimits::default());
    let write = |name: &str, text: &str| {
        fs::write(logs.folder.path().join("log").join(name), text).unwrap();
    };
    let of = |service: &str, i: i64| {
        line(i * 1000, "INFO", &format!("m{i}")).replacen(
            '{',
            &format!("{{\"service\":{{\"name\":\"{service}\"}},"),
            1,
        )
    };
    let mut text = String::new();
    for i in 0..20_000 {
        text += &of(if i % 10 == 0 { "pay" } else { "orders" }, i);
    }
    write("all.json", &text);
    write("all.json.1", &(of("pay", -1) + &line(-2000, "INFO", "m-2")));
    for _ in 0..2 {
        assert_eq!(seconds_of(&logs, -100, 30), [-1, 0, 10, 20, 30]);
        assert_eq!(logs.of("orders", 0, 30_000, 100).lines.len(), 27);
        logs.follow();
    }
    let none = logs.of("stock", 0, 30_000, 100);
    let LogOutcome::NoneInWindow(text) = &none.outcome else {
        panic!("{none:?}");
    };
    assert_eq!(text, "no line in or near the window names the service");
    let all: Vec<String> = pages(&logs.reader, query(0, 200_000)).concat();
    assert_eq!(all.len(), 21);
}

#[test]
fn a_visit_sees_all_or_an_even_share() {
    let logs = Logs::new();
    logs.write("app.json", lines(50_000..100_000));
    logs.write("app.json.1.gz", gzip(&lines(0..50_000)));
    let visit = |from: i64, to: i64, bytes: u64| {
        let mut seen = Vec::new();
        let coverage =
            logs.reader
                .visit(&pay(), at(from * 1000), at(to * 1000), bytes, &mut |line| {
                    seen.push(line.message[1..].parse::<i64>().unwrap());
                });
        assert_eq!(coverage.lines, seen.len() as u64);
        (coverage, seen)
    };
    for _ in 0..2 {
        let (coverage, seen) = visit(1000, 98_999, 1 << 30);
        assert_eq!((coverage.share, coverage.malformed), (1.0, 0));
        assert_eq!(seen, Vec::from_iter(1000..=98_999));
        let (coverage, seen) = visit(0, 100_000, 2 << 20);
        assert!((0.15..0.35).contains(&coverage.share), "{coverage:?}");
        let share = seen.len() as f64 / 100_000.0;
        assert!(
            (share - coverage.share).abs() < 0.05,
            "{share} {coverage:?}"
        );
        for tenth in 0..5 {
            let tenth = tenth * 20_000..(tenth + 1) * 20_000;
            assert!(seen.iter().any(|i| tenth.contains(i)), "{tenth:?}");
        }
        let (coverage, seen) = visit(200_000, 200_001, 1 << 30);
        assert!(matches!(coverage.outcome, LogOutcome::NoneInWindow(_)));
        assert!(seen.is_empty());
        logs.follow();
    }
}

#[test]
fn pages_follow_on_each_other() {
    let logs = Logs::new();
    // Ten lines of each second, in several files, and a bad one now and then.
    let text = |range: std::ops::Range<i64>| -> String {
        range
            .map(|i| {
                let bad = if i % 100 == 0 { "{\"broken\n" } else { "" };
                line(i / 10 * 1000, "INFO", &format!("m{i}")) + bad
            })
            .collect()
    };
    logs.write("app.json", text(2005..3000));
    logs.write("app.json.1", text(1000..2005));
    logs.write("app.json.2.gz", gzip(&text(0..1000)));
    for order in [LogOrder::OldestFirst, LogOrder::NewestFirst] {
        for (limit, from, to) in [(1, 100, 102), (7, 95, 205), (100, 0, 300), (10_000, 0, 300)] {
            let query = LogQuery {
                limit,
                order,
                ..query(from * 1000, to * 1000)
            };
            let pages = pages(&logs.reader, query);
            let full = pages.iter().rev().skip(1).all(|page| page.len() == limit);
            assert!(full, "{limit}");
            let mut lines: Vec<i64> = pages
                .concat()
                .iter()
                .map(|m| m[1..].parse().unwrap())
                .collect();
            if order == LogOrder::NewestFirst {
                lines.reverse();
            }
            assert_eq!(lines, Vec::from_iter(from * 10..((to + 1) * 10).min(3000)));
        }
    }
    // Rotated, packed and copied between two pages.
    let mut query = LogQuery {
        limit: 995,
        ..query(0, 300_000)
    };
    let mut seen: Vec<String> = Vec::new();
    let mut turn = 0;
    loop {
        let page: LogPage = logs.reader.page(&pay(), &query);
        seen.extend(page.lines.iter().map(|line| line.message.clone()));
        let Some(next) = page.next else { break };
        query.after = Some(next);
        turn += 1;
        match turn {
            1 => {
                let bytes = fs::read(logs.path("app.json.1")).unwrap();
                logs.write("app.json.3.gz", gzip(&String::from_utf8(bytes).unwrap()));
                fs::remove_file(logs.path("app.json.1")).unwrap();
            }
            2 => {
                fs::copy(logs.path("app.json"), logs.path("app.json.1")).unwrap();
                logs.write("app.json", "");
            }
            _ => {}
        }
    }
    let expected: Vec<String> = (0..3000).map(|i| format!("m{i}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn pages_are_filtered_and_say_how_far_they_searched() {
    let logs = Logs::with(LogLimits {
        read_bytes: 1 << 20,
        ..LogLimits::default()
    });
    let text: String = (0..100_000)
        .map(|i| match i {
            77_777 => line(i * 1000, "ERROR", "a Needle in the HAY"),
            i if i % 1000 == 0 => line(i * 1000, "WARN", &format!("m{i}")),
            i => line(i * 1000, "INFO", &format!("m{i}")),
        })
        .collect();
    logs.write("app.json", text);
    logs.follow();
    for order in [LogOrder::OldestFirst, LogOrder::NewestFirst] {
        let needle = LogQuery {
            text: Some("needle IN the hay".into()),
            order,
            ..query(0, 100_000_000)
        };
        let page = logs.reader.page(&pay(), &needle);
        assert!(page.lines.is_empty() && page.searched_to.is_some() && page.next.is_some());
        assert_eq!(page.outcome, LogOutcome::Found);
        let pages = pages(&logs.reader, needle);
        assert!(pages.len() > 5, "{}", pages.len());
        assert_eq!(pages.concat(), ["a Needle in the HAY"]);
        let warnings = LogQuery {
            level_min: Some(LogLevel::Warn),
            order,
            limit: 30,
            ..query(0, 100_000_000)
        };
        assert_eq!(self::pages(&logs.reader, warnings).concat().len(), 101);
    }
    let nothing = logs.reader.page(&pay(), &query(-9000, -1000));
    assert!(matches!(nothing.outcome, LogOutcome::NoneInWindow(_)));
    let none = reader(&[], LogLimits::default());
    assert_eq!(
        none.page(&pay(), &query(0, 1)).outcome,
        LogOutcome::NotConfigured
    );
}

#[test]
fn f43_a_line_of_a_gibibyte_takes_little_memory() {
    const FOLDER: &str = "BELLWETHER_TEST_GIANT_LINE";
    // Measured in a process of its own, for memory is counted by process.
    let Ok(folder) = std::env::var(FOLDER) else {
        let logs = Logs::new();
        let mut file = fs::File::create(logs.path("app.json")).unwrap();
        file.write_all(line(0, "INFO", "before").as_bytes())
            .unwrap();
        let begin = file.metadata().unwrap().len();
        file.set_len(begin + (1 << 30)).unwrap();
        drop(file);
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(logs.path("app.json"))
            .unwrap();
        write!(file, "\n{}", line(1, "INFO", "after")).unwrap();
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "logs::f43_a_line_of_a_gibibyte_takes_little_memory",
            ])
            .env(FOLDER, logs.folder.path())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success(), "{output}");
        return;
    };
    let before = memory_peak_bytes();
    let sources = sources(&[format!("{folder}/log/{{service}}/app.json")]);
    let index = Arc::new(LogIndex::in_memory());
    let reader = LogReader::new(sources.clone(), LogLimits::default(), index.clone());
    // Before it is indexed, as far as the search comes.
    let window = reader.window(&pay(), at(0), at(10), 10);
    assert_eq!(messages(&window)[0], "before");
    // In passes that end within the line.
    while index.follow(&sources, 100 << 20, &|| false).bytes_behind > 0 {}
    let window = reader.window(&pay(), at(0), at(10), 10);
    assert_eq!(messages(&window), ["before", "after"]);
    assert_eq!(window.malformed, 1);
    let paged: Vec<String> = pages(&reader, query(0, 10)).concat();
    assert_eq!(paged, ["before", "after"]);
    let rise = memory_peak_bytes() - before;
    assert!(rise < 16 << 20, "{} MiB", rise >> 20);
}

fn memory_peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}

#[test]
fn f42_binary_and_invalid_text_is_indexed_and_read_past() {
    let logs = Logs::new();
    let mut bytes = lines(0..100).into_bytes();
    let mut noise = 12_345_u32;
    for _ in 0..3_000_000 {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((noise >> 24) as u8);
    }
    bytes.push(b'\n');
    bytes.extend(lines(100..200).bytes());
    logs.write("app.json", &bytes);
    logs.write("app.json.1", b"\xff\xfe\x00\n\xc3\x28\n");
    logs.write("app.json.2.gz", &bytes[..100_000]);
    for _ in 0..2 {
        let window = logs.window(0, 200_000);
        assert_eq!(numbers(messages(&window)), Vec::from_iter(0..200));
        assert!(window.malformed > 0);
        assert_eq!(seconds_of(&logs, 99, 100), [99, 100]);
        logs.follow();
    }
}

#[test]
fn f46_times_in_the_future_do_not_break_the_index() {
    let logs = Logs::with(LogLimits {
        read_bytes: 2 << 20,
        ..LogLimits::default()
    });
    let mut text = String::new();
    for i in 0..100_000_i64 {
        text += &line(i * 1000, "INFO", &format!("m{i}"));
        if i % 50 == 0 {
            // A clock that is a year ahead, one of 1970, and the end of time.
            text += &line(31_536_000_000 + i, "INFO", "m-1");
            text += "{\"timestamp\":0,\"message\":\"m-2\"}\n";
            text += "{\"timestamp\":\"9999-12-30T00:00:00Z\",\"message\":\"m-3\"}\n";
        }
    }
    logs.write("app.json", text);
    logs.follow();
    for from in [0, 50_000, 99_990] {
        assert_eq!(
            seconds_of(&logs, from, from + 9),
            Vec::from_iter(from..from + 10)
        );
    }
    // Those are found, too.
    let future = logs.window(31_536_000_000 + 50_000, 31_536_000_000 + 50_100);
    assert_eq!(messages(&future), ["m-1"; 3]);
}

#[test]
fn ten_thousand_files_are_followed_and_read() {
    let logs = Logs::at("{service}-*.json", LogLimits::default());
    let folder = logs.folder.path().join("log");
    for i in 0..10_000 {
        let service = if i < 1000 { "pay" } else { "orders" };
        fs::write(folder.join(format!("{service}-x{i}.json")), lines(i..i + 1)).unwrap();
    }
    assert_eq!(seconds_of(&logs, 100, 105), Vec::from_iter(100..=105));
    let report = logs.follow();
    assert_eq!((report.files, report.lines), (10_000, 10_000));
    assert_eq!(seconds_of(&logs, 990, 1005), Vec::from_iter(990..1000));
    let before = thread_cpu_ticks();
    assert_eq!(logs.follow().bytes_indexed, 0);
    // Hundredths of a second, with nothing optimised.
    let ticks = thread_cpu_ticks() - before;
    assert!(ticks < 100, "{ticks}");
}

fn thread_cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks = fields.skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn f45_no_link_leads_out_of_a_glob() {
    let logs = Logs::at("*/{service}*.json", LogLimits::default());
    let outside = logs.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("pay-2.json"), line(0, "ERROR", "secret")).unwrap();
    logs.write("pay-1.json", line(1, "INFO", "own"));
    // A file, a folder, a rotated sibling, and a way around.
    symlink(outside.join("pay-2.json"), logs.path("pay-2.json")).unwrap();
    symlink(&outside, logs.folder.path().join("log/away")).unwrap();
    symlink(outside.join("pay-2.json"), logs.path("pay-1.json.1")).unwrap();
    symlink("../../outside/pay-2.json", logs.path("pay-3.json")).unwrap();
    symlink(".", logs.path("pay-4.json")).unwrap();
    // One that stays inside is followed, once.
    symlink("pay-1.json", logs.path("pay-5.json")).unwrap();
    for _ in 0..2 {
        assert_eq!(messages(&logs.window(-1000, 1000)), ["own"]);
        let report = logs.index.follow(&logs.sources, 1 << 20, &|| false);
        assert_eq!((report.files, report.lines), (1, 1));
    }
    let report = LogIndex::in_memory().follow(&logs.sources, 1 << 20, &|| false);
    let remark = report
        .remarks
        .iter()
        .find(|r| r.contains("leads out of the log folder"));
    assert!(remark.is_some(), "{report:?}");
}

#[test]
fn s02_no_service_name_is_a_pattern_or_a_path() {
    let logs = Logs::at("{service}*.json", LogLimits::default());
    fs::write(logs.folder.path().join("secret.json"), lines(0..1)).unwrap();
    fs::write(logs.folder.path().join("log/pay.json"), lines(0..1)).unwrap();
    for name in [
        "..",
        "../secret",
        "p?y",
        "*",
        "pa*/",
        "/",
        "a/../pay",
        ".",
        "./pay",
    ] {
        let window = logs.of(name, -1000, 1000, 10);
        assert!(window.lines.is_empty(), "{name}");
        unreadable(&window);
    }
}

#[test]
fn f48_escapes_in_messages_are_shown() {
    let logs = Logs::new();
    let nasty = "\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}evil";
    let plain = format!("{} ERROR {nasty}\n\tat \u{1b}[31m\n", at(1));
    logs.write("app.json", line(0, "ERROR", nasty) + &plain);
    let query = LogQuery {
        text: Some("EVIL".into()),
        ..query(0, 10)
    };
    let page = logs.reader.page(&pay(), &query);
    assert_eq!(page.lines.len(), 2);
    for line in logs.window(0, 10).lines.iter().chain(&page.lines) {
        let all = format!("{}{:?}", line.message, line.stack_trace);
        assert!(!all.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{all}");
        assert!(line.message.contains("␛[2J␛]0;title␇<U+202E>evil"), "{all}");
    }
}

#[test]
fn texts_are_found_however_they_are_written() {
    let logs = Logs::new();
    let json = |millis: i64, message: &str| {
        let time = at(millis);
        format!("{{\"@timestamp\":\"{time}\",\"message\":\"{message}\",\"traceId\":\"6B02e6\"}}\n")
    };
    let plain = format!("{} ERROR failed\njava.lang.Oops: x\n", at(5));
    let text = json(0, "Abc 1")
        + &json(1, r"\u0061bc 2")
        + &json(2, r#"say \"hi\""#)
        + &json(3, r"\u00dcber")
        + &json(4, "Über")
        + &plain;
    logs.write("app.json", text);
    let check = |needle: &str, count: usize| {
        let query = LogQuery {
            text: Some(needle.into()),
            ..query(0, 10)
        };
        let page = logs.reader.page(&pay(), &query);
        assert_eq!(page.lines.len(), count, "{needle}");
        assert_eq!((page.outcome, page.malformed), (LogOutcome::Found, 0));
    };
    check("aBC", 2);
    check("say \"HI\"", 1);
    check("über", 2);
    check("6b02E6", 5);
    check("oops", 1);
    check("failed", 1);
    check("nowhere", 0);
    check("", 6);
}
