//! How fast lines get their template, beside the crate `logdrain` with its masks, in one run on one
//! core:
//!
//! `cargo run --release -p lab --example log_peer [FOLDER]`
//!
//! FOLDER has `lines.tsv.gz` or `lines.tsv`, as `bellwether lab logs` reads them; without it lines
//! of about 470 bytes are made up.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use domain::LogLevel;
use flate2::read::MultiGzDecoder;
use incident::LogMiner;
use lab::logs::Line;
use logdrain::{Miner, builtin_masks};

/// The two take turns this often; the fastest of each counts, so that a moment in which the machine
/// was busy counts against neither.
const TURNS: usize = 5;
const MADE_UP: u64 = 50_000;

fn main() -> ExitCode {
    let lines = match std::env::args_os().nth(1) {
        Some(folder) => match read(Path::new(&folder)) {
            Ok(lines) => lines,
            Err(error) => {
                eprintln!("log_peer: read {}: {error}", folder.display());
                return ExitCode::FAILURE;
            }
        },
        None => made_up(),
    };
    compare(&lines);
    ExitCode::SUCCESS
}

fn compare(lines: &[Line]) {
    let bytes: usize = lines.iter().map(|line| line.message.len()).sum();
    let (mut ours, mut peers) = ((0.0_f64, 0), (0.0_f64, 0));
    for _ in 0..TURNS {
        let (rate, groups) = timed(lines, bellwether);
        ours = (ours.0.max(rate), groups);
        let (rate, groups) = timed(lines, drain);
        peers = (peers.0.max(rate), groups);
    }
    let count = lines.len().max(1);
    println!("{} lines, mean {} bytes", lines.len(), bytes / count);
    println!(
        "bellwether       {:>10.0} lines/s  {:>6} groups",
        ours.0, ours.1
    );
    println!(
        "logdrain, masked {:>10.0} lines/s  {:>6} groups",
        peers.0, peers.1
    );
    println!("ratio            {:>10.1}", ours.0 / peers.0);
}

/// Lines per second of one pass with a new miner, and how many groups it found.
fn timed(lines: &[Line], pass: impl Fn(&[Line]) -> usize) -> (f64, usize) {
    let start = Instant::now();
    let groups = black_box(pass(black_box(lines)));
    (lines.len() as f64 / start.elapsed().as_secs_f64(), groups)
}

fn bellwether(lines: &[Line]) -> usize {
    let mut miner = LogMiner::default();
    for line in lines {
        let (logger, message) = (line.logger.as_deref(), &line.message);
        black_box(miner.group(&line.service, logger, line.level, message));
    }
    miner.groups()
}

/// With its defaults and all of its own masks.
fn drain(lines: &[Line]) -> usize {
    let masks = [
        builtin_masks::uuid(),
        builtin_masks::hex32(),
        builtin_masks::email(),
        builtin_masks::ipv4(),
        builtin_masks::jwt(),
    ];
    let miner = Miner::builder().masks(masks).build();
    let miner = miner.expect("the defaults are valid");
    for line in lines {
        black_box(miner.add(&line.message));
    }
    miner.len()
}

fn read(folder: &Path) -> io::Result<Vec<Line>> {
    let gzipped = folder.join("lines.tsv.gz");
    let reader: Box<dyn BufRead> = if gzipped.is_file() {
        Box::new(BufReader::new(MultiGzDecoder::new(File::open(gzipped)?)))
    } else {
        Box::new(BufReader::new(File::open(folder.join("lines.tsv"))?))
    };
    let line = |line: io::Result<String>| Line::parse(&line?).map_err(io::Error::other);
    reader.lines().map(line).collect()
}

/// Lines as services print them that dump their objects.
fn made_up() -> Vec<Line> {
    (0..MADE_UP).map(made_up_line).collect()
}

fn made_up_line(n: u64) -> Line {
    let step = ["received", "checked", "priced", "reserved", "paid", "sent"][n as usize % 6];
    let id = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let item = |i: u64| {
        let sku = id.rotate_left(i as u32) % 9_973;
        format!(
            "Item(sku=S{sku}, name=Cup of tea, price={}.50, tags=[hot, {i}])",
            sku % 40
        )
    };
    let items: Vec<String> = (1..6).map(item).collect();
    let message = format!(
        "[placeOrder][Order {step}][order: Order(id={id:08x}-1c2d-4e5f-8a9b-{id:016x}, customer=alice{}@example.org, items=[{}], total={})] in {} ms",
        n % 997,
        items.join(", "),
        id % 100_000,
        id % 300,
    );
    Line {
        service: format!("service-{}", n % 20),
        logger: Some(format!("org.example.orders.Service{}", n % 3)),
        level: LogLevel::Info,
        message,
    }
}
