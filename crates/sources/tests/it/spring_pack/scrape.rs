//! Real scrapes, and series of samples made of them: what a Prometheus would have kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

pub const SCRAPE: i64 = 15;

pub type Labels = BTreeMap<String, String>;

/// One series over time, in epoch seconds.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub labels: Labels,
    pub points: Vec<(i64, f64)>,
}

impl Series {
    pub fn new(name: &str, labels: &[(&str, &str)], points: Vec<(i64, f64)>) -> Series {
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        Series {
            name: name.into(),
            labels: labels.iter().map(own).collect(),
            points,
        }
    }

    pub fn with(mut self, labels: &[(&str, &str)]) -> Series {
        for (name, value) in labels {
            self.labels.insert(name.to_string(), value.to_string());
        }
        self
    }

    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    pub fn last(&self) -> f64 {
        self.points.last().unwrap().1
    }

    /// Events in the `range` before `to` by the samples alone: of a series that is younger than the
    /// range all of them, else what it grew by.
    pub fn counted(&self, to: i64, range: i64) -> f64 {
        let before = self.points.iter().rfind(|(time, _)| *time <= to - range);
        self.last() - before.map_or(0.0, |(_, value)| *value)
    }
}

/// The instants of a scrape from `from` to `to`.
pub fn times(from: i64, to: i64) -> impl Iterator<Item = i64> + Clone {
    (from..=to).step_by(SCRAPE as usize)
}

/// A fixture of a real service, each series with its one value; only what `reads` names, without the
/// label `service`.
pub fn scrape(file: &str, reads: &[&str]) -> Vec<Series> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/spring");
    let simulator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simulator/tests/fixtures");
    let path = [tests, simulator].map(|folder| folder.join(file));
    let path = path.iter().find(|path| path.exists()).expect(file);
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if file.ends_with(".gz") {
        let mut unpacked = flate2::read::GzDecoder::new(&bytes[..]);
        unpacked.read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut all: Vec<Series> = lines
        .map(line)
        .filter(|series| reads.contains(&series.name.as_str()))
        .collect();
    for series in &mut all {
        series.labels.remove("service");
    }
    assert!(!all.is_empty(), "{file}");
    all
}

fn line(line: &str) -> Series {
    let (head, value) = line.rsplit_once(' ').unwrap();
    let (name, mut rest) = head.split_once('{').unwrap_or((head, ""));
    let mut labels = Labels::new();
    while let Some((label, more)) = rest.split_once("=\"") {
        let (value, more) = more.split_once('"').unwrap();
        labels.insert(label.trim_start_matches(',').into(), value.into());
        rest = more;
    }
    Series {
        name: name.into(),
        labels,
        points: vec![(0, value.parse().unwrap())],
    }
}

/// As OpenMetrics with timestamps, in the order given.
pub fn openmetrics(all: &[Series]) -> String {
    let mut text = String::new();
    for series in all {
        let labels: Vec<String> = series
            .labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let labels = labels.join(",");
        for (time, value) in &series.points {
            writeln!(text, "{}{{{labels}}} {value} {time}", series.name).unwrap();
        }
    }
    text.push_str("# EOF\n");
    text
}
