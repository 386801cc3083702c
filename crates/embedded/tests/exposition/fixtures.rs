//! Real scrapes of Spring Boot services.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use embedded::exposition::Format;

/// Name, format and text of every scrape there is.
pub fn scrapes() -> Vec<(String, Format, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in ["../simulator/tests/fixtures", "tests/fixtures/spring"] {
        let entries = fs::read_dir(root.join(folder)).expect("the fixtures lie there");
        found.extend(entries.map(|entry| entry.expect("a readable folder").path()));
    }
    found.sort();
    let scrapes: Vec<_> = found.iter().filter_map(|path| scrape(path)).collect();
    assert_eq!(scrapes.len(), 13, "scrapes among {found:?}");
    scrapes
}

fn scrape(path: &Path) -> Option<(String, Format, String)> {
    let name = path.file_name()?.to_str()?.to_owned();
    let format = match name.trim_end_matches(".gz").rsplit_once('.')?.1 {
        "prom" => Format::Text,
        "om" => Format::OpenMetrics,
        _ => return None,
    };
    let bytes = fs::read(path).expect("a fixture is readable");
    let mut text = String::new();
    if name.ends_with(".gz") {
        let mut packed = flate2::read::GzDecoder::new(bytes.as_slice());
        packed.read_to_string(&mut text).expect("a fixture unpacks");
    } else {
        text = String::from_utf8(bytes).expect("a fixture is text");
    }
    Some((name, format, text))
}
