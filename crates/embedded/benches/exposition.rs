//! How fast a page of a real service is read, beside the crate prometheus-parse in the same run.
//!
//! `cargo bench -p embedded --bench exposition`; one thread. With `BELLWETHER_FIGURES` the lines of
//! figures are added to that file, as scripts/lines.sh reads them.

use std::fs::{self, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use embedded::exposition::{Entry, Format, Parser};
use prometheus_parse::Scrape;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../simulator/tests/fixtures/gateway.g1.prom"
);
/// What is promised, in megabytes (10^6 bytes) a second.
const BAR: f64 = 100.0;
const ROUND: Duration = Duration::from_millis(300);
const ROUNDS: usize = 7;

/// Reads a page and answers something that depends on all of it.
type Reader = fn(&str) -> f64;

fn main() {
    let page = fs::read_to_string(PAGE).expect("the fixture lies there");
    let readers: [(&str, Reader); 3] = [
        ("every sample with its value", values),
        ("every sample with its labels unescaped", labels),
        ("peer: prometheus-parse 0.2", peer),
    ];
    // In turns, so that whatever else the machine does falls on all alike.
    let mut speeds = vec![Vec::new(); readers.len()];
    for _ in 0..ROUNDS {
        for (reader, speeds) in readers.iter().zip(&mut speeds) {
            speeds.push(speed(&page, reader.1));
        }
    }
    for ((what, _), speeds) in readers.iter().zip(&mut speeds) {
        speeds.sort_by(f64::total_cmp);
        let (slowest, median) = (speeds[0], speeds[ROUNDS / 2]);
        let figure = format!("{median:.0} MB/s (slowest of {ROUNDS} rounds {slowest:.0})");
        if what.starts_with("peer") {
            report(what, &figure, "-", "pass");
        } else {
            let verdict = if median >= BAR { "pass" } else { "short" };
            report(what, &figure, &format!(">= {BAR} MB/s"), verdict);
        }
    }
}

/// Megabytes a second.
fn speed(page: &str, read: Reader) -> f64 {
    let began = Instant::now();
    let mut pages = 0.0;
    while began.elapsed() < ROUND {
        black_box(read(black_box(page)));
        pages += 1.0;
    }
    pages * page.len() as f64 / 1e6 / began.elapsed().as_secs_f64()
}

/// As the scraper does for series that it knows, with the check that bytes are text.
fn values(page: &str) -> f64 {
    let parser = Parser::of_bytes(page.as_bytes(), Format::Text).expect("a page is text");
    let samples = parser.filter_map(|entry| match entry.expect("the page is sound") {
        Entry::Sample(line) => Some(line.value),
        _ => None,
    });
    samples.sum()
}

fn labels(page: &str) -> f64 {
    let parser = Parser::of_bytes(page.as_bytes(), Format::Text).expect("a page is text");
    let mut sum = 0.0;
    for entry in parser {
        if let Entry::Sample(line) = entry.expect("the page is sound") {
            let lengths = line.labels().map(|(name, value)| name.len() + value.len());
            sum += line.value + lengths.sum::<usize>() as f64;
        }
    }
    sum
}

fn peer(page: &str) -> f64 {
    let lines = page.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).expect("the peer reads the page");
    scrape.samples.len() as f64
}

fn report(what: &str, figure: &str, bar: &str, verdict: &str) {
    let line = format!("embedded 3\tparser: {what}\t{figure}\t{bar}\t{verdict}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the file of figures can be written");
    }
}
