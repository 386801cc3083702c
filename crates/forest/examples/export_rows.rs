//! Writes the rows of the tests to a folder, for other isolation forests: `train.f64` and
//! `test.f64` (rows of five little-endian f64) and `labels.u8` (one byte a test row), as
//! `forest_json` and `tests/fixtures/sklearn_scores.py` read them.
//!
//! `export_rows FOLDER [TEST_ROWS]`, 500 test rows by default, which are those of the fixture.

use std::error::Error;
use std::fs;
use std::path::Path;

use series::Series;

#[path = "../tests/all/series.rs"]
mod series;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("expected FOLDER [TEST_ROWS]")?;
    let test_rows = arguments
        .next()
        .map_or(Ok(series::TEST_ROWS), |count| count.parse())?;

    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let test = series::labelled(test_rows);
    fs::write(folder.join("train.f64"), bytes(&series::training()))?;
    fs::write(folder.join("test.f64"), bytes(&test))?;
    let labels: Vec<u8> = test.anomalous.into_iter().map(u8::from).collect();
    fs::write(folder.join("labels.u8"), labels)?;
    Ok(())
}

fn bytes(series: &Series) -> Vec<u8> {
    let values = series.rows.iter();
    values.flat_map(|value| value.to_le_bytes()).collect()
}
