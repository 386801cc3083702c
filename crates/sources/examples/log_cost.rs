//! What reading logs costs: indexing, a window of ten seconds, a page, a visit, and following a
//! tail of 20,000 lines a second.
//!
//! ```text
//! cargo run --release -p sources --example log_cost -- [folder [gigabytes [lines a second]]]
//! ```
//!
//! Lines such as `window_indexed_ms 3.1` are for programs.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::{LogWindow, ServiceId, Timestamp};
use sources::{LogIndex, LogLimits, LogOrder, LogQuery, LogReader, LogSource, LogTemplate};

const BEGIN: Timestamp = Timestamp::from_millis(1_795_348_800_000);
const PASS_BYTES: u64 = 512 << 20;
const TAIL_LINES_PER_SECOND: u64 = 20_000;
const TAIL_SECONDS: u64 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("bellwether-log-cost"));
    let gigabytes: f64 = arguments.next().map_or(Ok(5.0), |text| text.parse())?;
    let rate: u64 = arguments.next().map_or(Ok(200), |text| text.parse())?;
    fs::create_dir_all(folder.join("orders"))?;
    fs::create_dir_all(folder.join("tail"))?;

    let path = folder.join("orders/app.json");
    let bytes = (gigabytes * 1e9) as u64;
    let lines = generate(&path, bytes, rate)?;
    let bytes = fs::metadata(&path)?.len();
    say("file_bytes", bytes);
    say("file_lines", lines);
    say("line_bytes", bytes / lines.max(1));
    say("file_lines_per_second", rate);
    say(
        "first_epoch_seconds",
        BEGIN.as_millis().unsigned_abs() / 1_000,
    );
    say(
        "last_epoch_seconds",
        BEGIN.as_millis().unsigned_abs() / 1_000 + lines / rate,
    );

    let template = LogTemplate::new(format!("{}/{{service}}/app.json", folder.display()))?;
    let sources = vec![LogSource::new(template)];
    let orders = ServiceId::new("orders")?;
    let middle = BEGIN + Duration::from_secs(lines / rate / 2);
    let reader_with = |index: &Arc<LogIndex>| {
        LogReader::new(sources.clone(), LogLimits::default(), index.clone())
    };

    let searched = reader_with(&Arc::new(LogIndex::in_memory()));
    let (window, took) = timed(|| ten_seconds(&searched, &orders, middle));
    say("window_lines", window.lines.len() as u64 + window.omitted);
    say_ms("window_unindexed_ms", took);

    let _ = fs::remove_dir_all(folder.join("index"));
    let index = Arc::new(LogIndex::open(folder.join("index")));
    let took = follow_all(&index, &sources);
    say_rate("index_first_mb_per_second", bytes, took);
    let again = LogIndex::in_memory();
    let took = follow_all(&again, &sources);
    say_rate("index_mb_per_second", bytes, took);
    drop(again);
    let (saved, took) = timed(|| index.save());
    say("index_bytes", saved?);
    say_ms("index_save_ms", took);
    let (index, took) = timed(|| Arc::new(LogIndex::open(folder.join("index"))));
    say_ms("index_open_ms", took);
    let (_, took) = timed(|| index.follow(&sources, PASS_BYTES, &|| false));
    say_ms("follow_unchanged_ms", took);

    let reader = reader_with(&index);
    let (_, took) = timed(|| ten_seconds(&reader, &orders, middle));
    say_ms("window_indexed_ms", took);
    let span = lines / rate;
    let mut later: Vec<Duration> = (0..50)
        .map(|i| {
            let at = BEGIN + Duration::from_secs(span * (2 * i + 1) / 100);
            timed(|| ten_seconds(&reader, &orders, at)).1
        })
        .collect();
    later.sort();
    say_ms("window_indexed_median_ms", later[later.len() / 2]);
    say_ms("window_indexed_max_ms", later[later.len() - 1]);
    say("memory_peak_mb", memory_peak_mb());

    let mut query = LogQuery {
        from: BEGIN,
        to: BEGIN + Duration::from_secs(span),
        level_min: None,
        text: None,
        after: None,
        limit: 200,
        order: LogOrder::NewestFirst,
    };
    let (page, took) = timed(|| reader.page(&orders, &query));
    say("page_lines", page.lines.len() as u64);
    say_ms("page_newest_ms", took);
    query.text = Some("no such text".into());
    let (_, took) = timed(|| reader.page(&orders, &query));
    say_rate(
        "search_mb_per_second",
        LogLimits::default().read_bytes,
        took,
    );
    let hour = middle + Duration::from_secs(3600);
    let mut visited = 0_u64;
    let (coverage, took) = timed(|| {
        let count = &mut |line: &domain::LogLine| visited += line.message.len() as u64;
        reader.visit(&orders, middle, hour, 64 << 20, count)
    });
    say("visit_lines", coverage.lines);
    println!("visit_share {:.3}", coverage.share);
    say_ms("visit_ms", took);
    say("memory_peak_with_pages_mb", memory_peak_mb());

    let (first, unchanged) = follow_many(&folder.join("many"))?;
    say_ms("follow_10000_files_first_ms", first);
    say_ms("follow_10000_files_unchanged_ms", unchanged);

    let cpu = follow_a_tail(&folder.join("tail/app.json"), &index, &sources)?;
    println!("tail_lines_per_second {TAIL_LINES_PER_SECOND}");
    println!("tail_cores {cpu:.4}");
    say("memory_peak_at_end_mb", memory_peak_mb());
    fs::remove_dir_all(folder.join("tail"))?;
    Ok(())
}

fn ten_seconds(reader: &LogReader, service: &ServiceId, at: Timestamp) -> LogWindow {
    reader.window(service, at, at + Duration::from_secs(10), 200)
}

fn follow_all(index: &LogIndex, sources: &[LogSource]) -> Duration {
    let ((), took) = timed(|| {
        loop {
            let report = index.follow(sources, PASS_BYTES, &|| false);
            report
                .remarks
                .iter()
                .for_each(|remark| eprintln!("{remark}"));
            if report.bytes_behind == 0 {
                return;
            }
        }
    });
    took
}

/// Ten thousand small files in one folder: the first pass, and one when nothing changed.
fn follow_many(folder: &Path) -> Result<(Duration, Duration), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    for number in 0..10_000 {
        let mut file = File::create(folder.join(format!("service-{number}.json")))?;
        write_line(&mut file, number, 1)?;
    }
    let template = LogTemplate::new(format!("{}/{{service}}.json", folder.display()))?;
    let sources = [LogSource::new(template)];
    let index = LogIndex::in_memory();
    let (_, first) = timed(|| index.follow(&sources, PASS_BYTES, &|| false));
    let (_, unchanged) = timed(|| index.follow(&sources, PASS_BYTES, &|| false));
    fs::remove_dir_all(folder)?;
    Ok((first, unchanged))
}

/// The share of a core that following takes while another thread writes.
fn follow_a_tail(path: &Path, index: &LogIndex, sources: &[LogSource]) -> io::Result<f64> {
    let _ = fs::remove_file(path);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| -> io::Result<u64> {
            let mut file = BufWriter::new(File::create(path)?);
            let begun = Instant::now();
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let due = begun.elapsed().as_millis() as u64 * TAIL_LINES_PER_SECOND / 1000;
                while written < due {
                    write_line(&mut file, written, TAIL_LINES_PER_SECOND)?;
                    written += 1;
                }
                file.flush()?;
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(written)
        });
        let (begun, cpu) = (Instant::now(), thread_cpu_seconds());
        let (mut indexed, mut behind_max) = (0, 0);
        for pass in 1..=TAIL_SECONDS {
            let due = Duration::from_secs(pass);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let report = index.follow(sources, PASS_BYTES, &|| false);
            indexed += report.bytes_indexed;
            behind_max = behind_max.max(report.bytes_behind);
        }
        let share = (thread_cpu_seconds() - cpu) / begun.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        let written = writer
            .join()
            .map_err(|_| io::Error::other("the writer"))??;
        say("tail_lines_written", written);
        say("tail_bytes_indexed", indexed);
        say("tail_bytes_behind_max", behind_max);
        Ok(share)
    })
}

/// Writes the file, unless it has the size; says how many lines it has.
fn generate(path: &Path, bytes: u64, rate: u64) -> io::Result<u64> {
    let mut line = Vec::new();
    write_line(&mut line, 0, rate)?;
    let lines = bytes / line.len() as u64;
    let bytes = lines * line.len() as u64;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == bytes) {
        return Ok(lines);
    }
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for number in 0..lines {
        write_line(&mut file, number, rate)?;
    }
    file.flush()?;
    Ok(lines)
}

/// A line as Spring Boot's ECS format has it; all are equally long.
fn write_line(out: &mut impl Write, number: u64, rate: u64) -> io::Result<()> {
    let time = BEGIN + Duration::from_millis(number * 1000 / rate);
    let level = match number % 100 {
        0 => "ERROR",
        1..=4 => "WARN ",
        _ => "INFO ",
    };
    writeln!(
        out,
        r#"{{"@timestamp":"{time}","log":{{"level":"{level}","logger":"demo.orders.OrdersController"}},"process":{{"pid":7846,"thread":{{"name":"http-nio-18081-exec-10"}}}},"service":{{"name":"orders","version":"1.0.0","environment":"demo","node":{{}}}},"message":"created order {number:012} of 3 items for a customer in 41 ms, stock reserved, payment authorised","traceId":"6b02e672499fa3644afa{number:012x}","spanId":"{number:016x}","ecs":{{"version":"8.11"}}}}"#
    )
}

fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let answer = act();
    (answer, begun.elapsed())
}

fn say(key: &str, value: u64) {
    println!("{key} {value}");
}

fn say_ms(key: &str, took: Duration) {
    println!("{key} {:.2}", took.as_secs_f64() * 1000.0);
}

fn say_rate(key: &str, bytes: u64, took: Duration) {
    println!("{key} {:.0}", bytes as f64 / 1e6 / took.as_secs_f64());
}

/// Of this thread, in user and kernel mode.
fn thread_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    // The name, in parentheses, may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn memory_peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024 / 1_000_000
}
