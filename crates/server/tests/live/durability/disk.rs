//! The data directory as anyone reads it: CSV lines, model headers, folders. Nothing here is
//! shared with the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

const HEADER: &str = "timestamp,value,severity,prediction,score,delta,rolling_mean,rolling_std,zscore,expected,lower,upper";

/// The rows of one file, by time.
pub type Rows = BTreeMap<i64, Row>;

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub value: f64,
    pub severity: String,
    pub line: String,
}

/// Both parts of one series.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub history: Rows,
    pub anomaly: Rows,
}

impl Series {
    pub fn times(&self) -> BTreeSet<i64> {
        self.history
            .keys()
            .chain(self.anomaly.keys())
            .copied()
            .collect()
    }
}

/// Every dataset below a data directory, by service and metric.
///
/// # Errors
/// A line that is no row, times out of order, a time in both parts.
pub fn datasets(data_dir: &Path) -> Result<BTreeMap<(String, String), Series>, String> {
    let mut found: BTreeMap<(String, String), Series> = BTreeMap::new();
    for service in names(&data_dir.join("datasets")) {
        for part in ["history", "anomaly"] {
            let folder = data_dir.join("datasets").join(&service).join(part);
            for file in names(&folder) {
                let metric = file.strip_suffix(".csv");
                let metric = metric.ok_or_else(|| format!("{part}/{file} is no dataset"))?;
                let rows = rows(&folder.join(&file))?;
                let series = found
                    .entry((service.clone(), metric.to_owned()))
                    .or_default();
                match part {
                    "history" => series.history = rows,
                    _ => series.anomaly = rows,
                }
            }
        }
    }
    for ((service, metric), series) in &found {
        let twice: Vec<&i64> = series
            .history
            .keys()
            .filter(|time| series.anomaly.contains_key(time))
            .collect();
        if !twice.is_empty() {
            return Err(format!(
                "{service}/{metric} has {} rows in both parts, such as {}",
                twice.len(),
                twice[0]
            ));
        }
    }
    Ok(found)
}

/// The rows of a CSV file.
///
/// # Errors
/// As [`datasets`], of one file.
pub fn rows(path: &Path) -> Result<Rows, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Rows::new()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let bad = |line: usize, what: &str| Err(format!("{}:{}: {what}", path.display(), line + 1));
    if !text.ends_with('\n') {
        return bad(text.lines().count(), "the last line is torn");
    }
    let mut rows = Rows::new();
    for (number, line) in text.lines().enumerate() {
        if number == 0 {
            if line != HEADER {
                return bad(0, "another header");
            }
            continue;
        }
        let cells: Vec<&str> = line.split(',').collect();
        if cells.len() != 12 {
            return bad(number, &format!("{} columns", cells.len()));
        }
        let Ok(time) = cells[0].parse::<domain::Timestamp>() else {
            return bad(number, "no time");
        };
        let numbers = cells[1..2].iter().chain(&cells[4..]);
        for cell in numbers.filter(|cell| !cell.is_empty()) {
            if !cell.parse::<f64>().is_ok_and(f64::is_finite) {
                return bad(number, &format!("{cell:?} is no number"));
            }
        }
        let time = time.as_millis();
        if rows.last_key_value().is_some_and(|(last, _)| *last >= time) {
            return bad(number, "not after the line before");
        }
        let Ok(value) = cells[1].parse() else {
            return bad(number, "no value");
        };
        let severity = cells[2].to_owned();
        rows.insert(
            time,
            Row {
                value,
                severity,
                line: line.to_owned(),
            },
        );
    }
    Ok(rows)
}

/// Writes a dataset file with these rows and nothing else.
pub fn write_rows(path: &Path, rows: &Rows) {
    let lines = rows.values().map(|row| row.line.as_str());
    let text: String = std::iter::once(HEADER)
        .chain(lines)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(path, text).expect("a dataset is writable");
}

/// The header of a model file: magic, length (u32, little-endian), JSON.
pub fn model_header(data_dir: &Path, service: &str, metric: &str) -> Value {
    let path = data_dir
        .join("models")
        .join(service)
        .join(format!("{metric}.model"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(&bytes[..8], b"BWMODEL2", "{}", path.display());
    let length = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")) as usize;
    serde_json::from_slice(&bytes[12..12 + length]).expect("the header is JSON")
}

/// What was set aside.
pub fn quarantine(data_dir: &Path) -> Vec<String> {
    names(&data_dir.join("quarantine"))
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("a folder can be listed").file_name();
        let name = name.into_string().expect("names are text");
        // A write that a kill cut short, or that is under way.
        (!name.ends_with(".tmp")).then_some(name)
    };
    let mut names: Vec<String> = entries.filter_map(name).collect();
    names.sort();
    names
}
