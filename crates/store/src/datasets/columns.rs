//! One row as one line of text, and back.

use std::fmt::Write;

use domain::{Band, Features, Row, Timestamp};

/// The columns of every dataset file, in order.
pub const COLUMNS: [&str; 12] = [
    "timestamp",
    "value",
    "severity",
    "prediction",
    "score",
    "delta",
    "rolling_mean",
    "rolling_std",
    "zscore",
    "expected",
    "lower",
    "upper",
];

/// Why a line is no row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    #[error("the line does not end: it was cut short")]
    Torn,
    #[error("the line is longer than {0} bytes")]
    TooLong(usize),
    #[error("the line is not UTF-8 text")]
    NotText,
    #[error("{found} columns instead of {expected}")]
    Columns { found: usize, expected: usize },
    #[error("{0:?} is not a time")]
    Time(String),
    #[error("{column} {text:?} is not a finite number")]
    Number { column: &'static str, text: String },
    #[error("{0}")]
    Word(String),
    #[error("some cells of {0} are empty and some are not")]
    HalfEmpty(&'static str),
    #[error("a second row of the same time")]
    Repeated,
}

/// Where the columns of a file are. A file edited by hand may have more of them, or another order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    Ours,
    /// The position of each of our columns, and how many the file has.
    Moved([usize; 12], usize),
}

/// The header line that we write.
pub fn header() -> String {
    COLUMNS.join(",") + "\n"
}

impl Layout {
    /// The layout that a first line names; none if it isn't a header.
    pub fn of_header(line: &[u8]) -> Option<Layout> {
        with_cells(std::str::from_utf8(line).ok()?, |cells| {
            if cells == COLUMNS {
                return Some(Layout::Ours);
            }
            let mut positions = [0; 12];
            for (position, column) in positions.iter_mut().zip(COLUMNS) {
                *position = cells.iter().position(|cell| cell.trim() == column)?;
            }
            Some(Layout::Moved(positions, cells.len()))
        })
    }

    /// Reads a line without its line end.
    ///
    /// # Errors
    /// Whatever keeps it from being a row.
    pub fn row(&self, line: &[u8]) -> Result<Row, BadRow> {
        let text = std::str::from_utf8(line).map_err(|_| BadRow::NotText)?;
        with_cells(text, |cells| self.row_of_cells(cells))
    }

    fn row_of_cells(&self, cells: &[&str]) -> Result<Row, BadRow> {
        let (found, ours) = (cells.len(), COLUMNS.len());
        match self {
            Layout::Ours if found == ours => row_of(|column| cells[column].trim()),
            Layout::Moved(positions, width) if found == *width => {
                row_of(|column| cells[positions[column]].trim())
            }
            // A row that we appended below somebody's wider header.
            Layout::Moved(_, width) if found == ours && found < *width => {
                Layout::Ours.row_of_cells(cells)
            }
            Layout::Ours => Err(BadRow::Columns {
                found,
                expected: ours,
            }),
            Layout::Moved(_, width) => Err(BadRow::Columns {
                found,
                expected: *width,
            }),
        }
    }
}

/// Appends the row's line to `out`; false, and nothing appended, if a number isn't finite.
pub fn write(row: &Row, out: &mut String) -> bool {
    let features = row.features.map(|f| f.as_array());
    let feature = |index: usize| features.map(|f| f[index]);
    let band = |pick: fn(Band) -> f64| row.band.map(pick);
    let numbers = [
        row.score,
        feature(1),
        feature(2),
        feature(3),
        feature(4),
        band(|b| b.expected),
        band(|b| b.lower),
        band(|b| b.upper),
    ];
    let finite = |number: &Option<f64>| number.is_none_or(f64::is_finite);
    if !row.value.is_finite() || !numbers.iter().all(finite) {
        return false;
    }
    let _ = write!(out, "{},", row.timestamp);
    number(row.value, out);
    let _ = write!(out, ",{},{}", row.severity, row.prediction);
    for cell in numbers {
        out.push(',');
        if let Some(value) = cell {
            number(value, out);
        }
    }
    out.push('\n');
    true
}

/// The shortest digits that read back as the same number; very large and very small ones with an
/// exponent.
fn number(value: f64, out: &mut String) {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
    let _ = match plain {
        true => write!(out, "{value}"),
        false => write!(out, "{value:e}"),
    };
}

fn row_of<'a>(cell: impl Fn(usize) -> &'a str) -> Result<Row, BadRow> {
    let timestamp: Timestamp = cell(0).parse().map_err(|_| BadRow::Time(clip(cell(0))))?;
    let optional = |column: usize| match cell(column) {
        "" => Ok(None),
        text => finite(column, text).map(Some),
    };
    let value = finite(1, cell(1))?;
    let features = all_or_none("delta to zscore", (5..9).map(optional))?;
    let band = all_or_none("expected to upper", (9..12).map(optional))?;
    Ok(Row {
        timestamp,
        value,
        severity: cell(2)
            .parse()
            .map_err(|why: String| BadRow::Word(clip(&why)))?,
        prediction: cell(3)
            .parse()
            .map_err(|why: String| BadRow::Word(clip(&why)))?,
        score: optional(4)?,
        features: features.map(|[delta, rolling_mean, rolling_std, zscore]| Features {
            value,
            delta,
            rolling_mean,
            rolling_std,
            zscore,
        }),
        band: band.map(|[expected, lower, upper]| Band {
            expected,
            lower,
            upper,
        }),
    })
}

fn finite(column: usize, text: &str) -> Result<f64, BadRow> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(BadRow::Number {
            column: COLUMNS[column],
            text: clip(text),
        }),
    }
}

fn all_or_none<const N: usize>(
    what: &'static str,
    cells: impl Iterator<Item = Result<Option<f64>, BadRow>>,
) -> Result<Option<[f64; N]>, BadRow> {
    let mut found = [0.0; N];
    let mut full = 0;
    for (place, cell) in found.iter_mut().zip(cells) {
        if let Some(value) = cell? {
            *place = value;
            full += 1;
        }
    }
    match full {
        0 => Ok(None),
        full if full == N => Ok(Some(found)),
        _ => Err(BadRow::HalfEmpty(what)),
    }
}

/// Our own lines have no quotes; those that a spreadsheet wrote may.
fn with_cells<T>(line: &str, read: impl FnOnce(&[&str]) -> T) -> T {
    if !line.contains('"') {
        let mut cells = Vec::with_capacity(COLUMNS.len());
        cells.extend(line.split(','));
        return read(&cells);
    }
    let mut record = csv::StringRecord::new();
    let parsed = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(line.as_bytes())
        .read_record(&mut record);
    match parsed {
        Ok(true) => read(&record.iter().collect::<Vec<_>>()),
        _ => read(&[]),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use domain::{Prediction, Severity};
    use proptest::prelude::*;

    use super::*;
    use crate::datasets::samples;

    fn line(row: &Row) -> String {
        let mut text = String::new();
        assert!(write(row, &mut text));
        text.pop();
        text
    }

    fn finite_number() -> impl Strategy<Value = f64> {
        any::<f64>().prop_filter("finite", |value| value.is_finite())
    }

    prop_compose! {
        fn any_row()(
            millis in -62_167_219_200_000_i64..=253_402_207_199_999,
            value in finite_number(),
            severity in prop::sample::select(vec![
                Severity::Unavailable, Severity::Normal, Severity::High, Severity::Critical,
            ]),
            prediction in prop::sample::select(vec![
                Prediction::Normal, Prediction::Anomaly, Prediction::Unknown,
            ]),
            score in prop::option::of(finite_number()),
            features in prop::option::of(prop::array::uniform4(finite_number())),
            band in prop::option::of(prop::array::uniform3(finite_number())),
        ) -> Row {
            Row {
                timestamp: Timestamp::from_millis(millis),
                value,
                severity,
                prediction,
                score,
                features: features.map(|[delta, rolling_mean, rolling_std, zscore]| Features {
                    value, delta, rolling_mean, rolling_std, zscore,
                }),
                band: band.map(|[expected, lower, upper]| Band { expected, lower, upper }),
            }
        }
    }

    proptest! {
        #[test]
        fn rows_round_trip(row in any_row()) {
            let text = line(&row);
            prop_assert_eq!(Layout::Ours.row(text.as_bytes()), Ok(row));
            prop_assert!(text.len() < 400);
        }

        #[test]
        fn no_line_is_a_panic(text in "[0-9TZ:,.e\"+-]{0,200}", bytes in any::<Vec<u8>>()) {
            let _ = Layout::Ours.row(text.as_bytes());
            let _ = Layout::Ours.row(&bytes);
            let _ = Layout::of_header(&bytes);
        }
    }

    #[test]
    fn a_line_looks_like_this() {
        assert_eq!(
            line(&samples::row(1)),
            "2026-11-22T12:00:15.000Z,0.3333333333333333,Normal,Normal,0.25,-0.1,1e-9,0,-50,,,"
        );
    }

    /// Rows hold times, words of ours and numbers only, so no cell can be a formula, and negative
    /// numbers may stay numbers.
    #[test]
    fn no_cell_is_a_formula_for_a_spreadsheet() {
        for index in 0..4 {
            for cell in line(&samples::row(index)).split(',') {
                let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula || cell.parse::<f64>().is_ok(), "{cell}");
            }
        }
        assert!(line(&samples::row(0)).contains(",-50,"));
    }

    #[test]
    fn a_bad_row_says_what_is_wrong() {
        let good = line(&samples::row(0));
        let check = |text: String, expected: &str| {
            let why = Layout::Ours.row(text.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(expected), "{text}: {why}");
        };
        check(String::new(), "1 columns instead of 12");
        check(format!("{good},"), "13 columns instead of 12");
        check(good.replace(",0,", ",zero,"), "value \"zero\" is not");
        check(
            good.replace(",0,", ",NaN,"),
            "value \"NaN\" is not a finite",
        );
        check(good.replace(",-50,", ",-inf,"), "zscore \"-inf\" is not");
        check(good.replace(",-50,", ",,"), "delta to zscore");
        check(good.replace("2026-", "20x6-"), "is not a time");
        check(
            good.replacen("Normal", "Bad", 1),
            "none of Unavailable, Normal",
        );
        check(good.replace(',', "\""), "columns instead of 12");
    }

    #[test]
    fn numbers_that_are_not_finite_are_not_written() {
        let mut text = String::new();
        let row = Row {
            score: Some(f64::NAN),
            ..samples::row(0)
        };
        assert!(!write(&row, &mut text));
        assert!(text.is_empty());
    }

    #[test]
    fn quotes_extra_columns_and_another_order_are_understood() {
        let header = "upper,note,".to_owned() + &COLUMNS[..11].join(",");
        let layout = Layout::of_header(header.as_bytes()).unwrap();
        let ours = line(&samples::row(0));
        let (rest, upper) = ours.rsplit_once(',').unwrap();
        let text = format!("\"{upper}\",\"seen, odd\",{rest}");
        assert_eq!(layout.row(text.as_bytes()), Ok(samples::row(0)));
        assert_eq!(Layout::of_header(ours.as_bytes()), None);
    }
}
