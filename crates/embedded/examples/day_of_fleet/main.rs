//! Measures the sample store with a day of 200 services that have the series of the fixtures: what
//! it takes in memory and on disk, and how it comes back after a kill.
//!
//! A child appends the day faster than live and goes on until it is killed; another opens what is
//! left. Lines `line what figure bar verdict`, parted by tabs, go to stdout and are added to the
//! file that `BELLWETHER_FIGURES` names. Run with `--release`; `day_of_fleet kept` measures only
//! the series that the catalogue and explanations query, `day_of_fleet all` every series.

mod fleet;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use embedded::store::{Opened, Store, StoreSettings, StoreStatus};
use embedded::{MatchOperator, Matcher, SeriesSource};

use fleet::{START_MS, Service};

const SERVICES: u32 = 200;
const INTERVAL_MS: i64 = 15_000;
const ROUNDS: i64 = 24 * 3_600_000 / INTERVAL_MS;
const THREADS: u32 = 2;

/// How long the child goes on after the day before it is killed.
const MORE: Duration = Duration::from_secs(4);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => {
            measure("kept")?;
            measure("all")
        }
        [which @ ("kept" | "all")] => measure(which),
        ["append", which, dir] => append(which, Path::new(dir)),
        ["read", dir, acknowledged_ms] => read(Path::new(dir), acknowledged_ms.parse()?),
        other => bail!("{other:?}: use no argument, `kept` or `all`"),
    }
}

fn measure(which: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir
        .path()
        .to_str()
        .context("the directory has no name in UTF-8")?;
    let mut appending = child(&["append", which, path])?;
    let mut lines = BufReader::new(appending.stdout.take().context("no stdout")?).lines();
    for line in lines.by_ref() {
        let line = line?;
        match line.strip_prefix("figure\t") {
            Some(figure) => say(which, figure)?,
            None if line == "day" => break,
            None => println!("{which}: {line}"),
        }
    }
    let mut acknowledged = None;
    let until = Instant::now() + MORE;
    for line in lines.by_ref() {
        acknowledged = Some(line?);
        if Instant::now() > until {
            break;
        }
    }
    appending.kill()?;
    appending.wait()?;
    // What was still in the pipe was acknowledged, too.
    for line in lines {
        acknowledged = Some(line?);
    }
    let acknowledged = acknowledged.context("nothing was appended after the day")?;
    let mut reading = child(&["read", path, &acknowledged])?;
    for line in BufReader::new(reading.stdout.take().context("no stdout")?).lines() {
        let line = line?;
        match line.strip_prefix("figure\t") {
            Some(figure) => say(which, figure)?,
            None => println!("{which}: {line}"),
        }
    }
    if !reading.wait()?.success() {
        bail!("the store could not be read after the kill");
    }
    Ok(())
}

fn child(arguments: &[&str]) -> Result<Child> {
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    Ok(command.args(arguments).stdout(Stdio::piped()).spawn()?)
}

fn say(which: &str, figure: &str) -> Result<()> {
    let line = format!("embedded 4\t{which}: {figure}");
    println!("{line}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{line}")?;
    }
    Ok(())
}

/// What the parent reads and says.
fn figure(what: &str, figure: &str, bar: &str, passed: Option<bool>) {
    let verdict = match passed {
        Some(true) => "pass",
        Some(false) => "short",
        None => "-",
    };
    println!("figure\t{what}\t{figure}\t{bar}\t{verdict}");
}

fn settings(dir: &Path) -> StoreSettings {
    StoreSettings {
        dir: Some(dir.to_owned()),
        ..StoreSettings::default()
    }
}

fn append(which: &str, dir: &Path) -> Result<()> {
    let Opened { store, remarks } = Store::open(settings(dir), START_MS)?;
    remarks.iter().for_each(|remark| println!("{remark}"));
    let services: Result<Vec<Service>> = (0..SERVICES)
        .map(|number| Service::new(number, which == "all", &store))
        .collect();
    let mut services = services?;
    let began = Instant::now();
    let barrier = Barrier::new(THREADS as usize);
    let rest = Mutex::new(());
    let share = services.len().div_ceil(THREADS as usize);
    std::thread::scope(|scope| {
        for (thread, services) in services.chunks_mut(share).enumerate() {
            let (store, barrier, rest) = (&store, &barrier, &rest);
            scope.spawn(move || {
                for round in 0.. {
                    for service in services.iter_mut() {
                        service.scrape(store, round, INTERVAL_MS);
                    }
                    // All are at the same time, as live.
                    barrier.wait();
                    if thread == 0 {
                        let _alone = rest.lock();
                        upkeep(store, round, began);
                    }
                    barrier.wait();
                }
            });
        }
    });
    Ok(())
}

/// What is done beside scraping, and what is said of it.
fn upkeep(store: &Store, round: i64, began: Instant) {
    let now_ms = START_MS + (round + 1) * INTERVAL_MS;
    let mut remarks = store.flush();
    if round % 4 == 0 {
        remarks.extend(store.expire(now_ms));
    }
    remarks.iter().for_each(|remark| println!("{remark}"));
    if round + 1 == ROUNDS {
        report_day(&store.status(), began.elapsed());
        println!("day");
    }
    if round >= ROUNDS {
        // By now every service has been scraped after this.
        println!("{}", START_MS + round * INTERVAL_MS);
    }
}

fn report_day(status: &StoreStatus, took: Duration) {
    let (resident, peak) = memory();
    let each = status.memory_bytes as f64 / status.samples.max(1) as f64;
    println!("{status:?}");
    let what = format!(
        "{} services, {} series, 15 s, 24 h: resident",
        status.targets, status.series
    );
    figure(
        &what,
        &gibibytes(resident),
        "1.20 GiB",
        Some(resident <= 1.2 * GIB),
    );
    figure(
        "at most resident on the way",
        &gibibytes(peak),
        "1.20 GiB",
        Some(peak <= 1.2 * GIB),
    );
    figure(
        "counted by the store",
        &gibibytes(status.memory_bytes as f64),
        "-",
        None,
    );
    figure("bytes a sample", &format!("{each:.3}"), "-", None);
    figure("on disk", &gibibytes(status.disk_bytes as f64), "-", None);
    let rate = status.samples as f64 / took.as_secs_f64() / 1e6;
    figure(
        "made and appended",
        &format!("{rate:.1} M samples/s"),
        "-",
        None,
    );
}

fn read(dir: &Path, acknowledged_ms: i64) -> Result<()> {
    let began = Instant::now();
    let Opened { store, remarks } = Store::open(settings(dir), acknowledged_ms)?;
    let opened = began.elapsed();
    let bucket = ("__name__", "http_server_requests_seconds_bucket");
    let (series, samples) = select(&store, &[bucket, ("service", "service-7")], i64::MIN)?;
    let usable = began.elapsed();
    remarks.iter().for_each(|remark| println!("{remark}"));
    let (resident, peak) = memory();
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    figure("opened after kill -9", &seconds(opened), "-", None);
    figure(
        &format!("usable: opened and {series} series with {samples} samples answered"),
        &seconds(usable),
        "20 s",
        Some(usable <= Duration::from_secs(20) && series > 0),
    );
    figure(
        "resident after it",
        &gibibytes(resident),
        "1.20 GiB",
        Some(resident <= 1.2 * GIB),
    );
    figure(
        "at most resident after it",
        &gibibytes(peak),
        "1.20 GiB",
        Some(peak <= 1.2 * GIB),
    );
    let lost_ms = (acknowledged_ms - newest_of_all(&store)?).max(0);
    figure(
        "lost of what was acknowledged",
        &format!("{:.1} s", lost_ms as f64 / 1000.0),
        "30 s",
        Some(lost_ms <= 30_000),
    );
    for (what, from_ms) in [
        ("5 min", acknowledged_ms - 300_000),
        ("1 h", acknowledged_ms - 3_600_000),
    ] {
        let began = Instant::now();
        let (series, samples) = select(&store, &[bucket], from_ms)?;
        let took = seconds(began.elapsed());
        figure(
            &format!("{what} of {series} series with {samples} samples read"),
            &took,
            "-",
            None,
        );
    }
    let began = Instant::now();
    let (series, samples) = select(&store, &[("__name__", "process_cpu_usage")], i64::MIN)?;
    let took = seconds(began.elapsed());
    figure(
        &format!("24 h of {series} series with {samples} samples read"),
        &took,
        "-",
        None,
    );
    Ok(())
}

/// The newest time that no service is behind.
fn newest_of_all(store: &Store) -> Result<i64> {
    let matchers = [Matcher::new("__name__", MatchOperator::Equal, "up")?];
    let mut newest = Vec::new();
    store.select(&matchers, i64::MIN, i64::MAX, &mut |_, samples| {
        newest.extend(samples.last().map(|sample| sample.time_ms));
    });
    if newest.len() != SERVICES as usize {
        bail!("{} services are there, not {SERVICES}", newest.len());
    }
    newest.into_iter().min().context("no service is there")
}

/// How many series and samples there are.
fn select(store: &Store, labels: &[(&str, &str)], from_ms: i64) -> Result<(usize, usize)> {
    let equal = |(name, value): &(&str, &str)| Matcher::new(*name, MatchOperator::Equal, *value);
    let matchers: Result<Vec<Matcher>, _> = labels.iter().map(equal).collect();
    let mut found = (0, 0);
    store.select(&matchers?, from_ms, i64::MAX, &mut |_, samples| {
        found = (found.0 + 1, found.1 + samples.len());
    });
    Ok(found)
}

const GIB: f64 = (1_u64 << 30) as f64;

fn gibibytes(bytes: f64) -> String {
    format!("{:.2} GiB", bytes / GIB)
}

/// Resident now and at most, in bytes.
fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kibibytes.unwrap_or(f64::NAN) * 1024.0
    };
    (of("VmRSS:"), of("VmHWM:"))
}
