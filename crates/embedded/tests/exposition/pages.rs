//! Pages made at random: sound ones read back, and no bytes do harm.

use embedded::exposition::{Entry, Format, Parser};
use proptest::prelude::*;

use crate::harm::read_all;

#[derive(Clone, Debug)]
struct Line {
    name: String,
    /// By name, each once.
    labels: Vec<(String, String)>,
    value: f64,
    time_ms: Option<i64>,
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// As a page writes it: bare where the letters allow it, quoted otherwise.
fn written(line: &Line, format: Format) -> String {
    let bare = |name: &str, colon: bool| {
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || colon && c == ':';
        name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
    };
    let mut items: Vec<String> = Vec::new();
    let mut text = String::new();
    if bare(&line.name, true) {
        text.push_str(&line.name);
    } else {
        items.push(format!("\"{}\"", escaped(&line.name)));
    }
    for (name, value) in &line.labels {
        let name = match bare(name, false) {
            true => name.clone(),
            false => format!("\"{}\"", escaped(name)),
        };
        items.push(format!("{name}=\"{}\"", escaped(value)));
    }
    if !items.is_empty() {
        text.push_str(&format!("{{{}}}", items.join(",")));
    }
    text.push_str(&format!(" {}", line.value));
    if let Some(time_ms) = line.time_ms {
        match format {
            Format::Text => text.push_str(&format!(" {time_ms}")),
            Format::OpenMetrics => text.push_str(&format!(" {}", time_ms / 1000)),
        }
    }
    text
}

fn line() -> impl Strategy<Value = Line> {
    let name = || {
        prop_oneof![
            "[a-zA-Z_:][a-zA-Z0-9_:]{0,12}",
            "\\PC{1,8}",
            "[\"\\\\\na]{1,4}"
        ]
    };
    let label = prop_oneof!["[a-z_][a-z0-9_]{0,6}", "\\PC{1,5}"];
    let value = prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", "[\"\\\\\n},=]{0,5}"];
    let labels = prop::collection::btree_map(label, value, 0..9);
    // Times before and after the epoch, on whole seconds.
    let time = prop::option::of((-9_000_000_000i64..9_000_000_000).prop_map(|s| s * 1000));
    (name(), labels, any::<u64>(), time).prop_map(|(name, labels, bits, time_ms)| Line {
        name,
        labels: labels
            .into_iter()
            .filter(|(name, _)| name != "__name__")
            .collect(),
        value: f64::from_bits(bits),
        time_ms,
    })
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Text), Just(Format::OpenMetrics)]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(lines in prop::collection::vec(line(), 0..8), format in format()) {
        let mut page: String = lines.iter().map(|line| written(line, format) + "\n").collect();
        if format == Format::OpenMetrics {
            page.push_str("# EOF\n");
        }
        let read: Result<Vec<_>, _> = Parser::new(&page, format).collect();
        let read = read.map_err(|error| TestCaseError::fail(format!("{error} in {page:?}")))?;
        prop_assert_eq!(read.len(), lines.len());
        for (entry, expected) in read.iter().zip(&lines) {
            let Entry::Sample(line) = entry else {
                return Err(TestCaseError::fail(format!("{entry:?} for {expected:?}")));
            };
            let labels = line.labels().map(|(name, value)| (name.into_owned(), value.into_owned()));
            prop_assert_eq!(line.name(), expected.name.as_str());
            prop_assert_eq!(labels.collect::<Vec<_>>(), expected.labels.clone());
            let equal = line.value.to_bits() == expected.value.to_bits();
            prop_assert!(equal || line.value.is_nan() && expected.value.is_nan());
            prop_assert_eq!(line.time_ms, expected.time_ms);
        }
    }

    #[test]
    fn no_bytes_do_harm(page in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all(&page);
    }

    /// Of the letters that mean something, so that much of the grammar is reached.
    #[test]
    fn no_text_does_harm(page in "([a{}=,\"\\\\ #0-9.\n\tüN\r+-]|# TYPE|# HELP|# EOF\n){0,60}") {
        read_all(page.as_bytes());
    }
}
