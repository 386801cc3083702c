//! Held against the crate prometheus-parse on real scrapes.

use std::collections::BTreeMap;

use embedded::exposition::{Entry, Parser, SampleLine};
use prometheus_parse::{Scrape, Value};

use crate::fixtures::scrapes;

type Read = (String, BTreeMap<String, String>, u64);

/// The peer splits at commas and equals signs and ends at the first closing brace wherever they
/// stand, so lines with these in a value can't be compared.
fn comparable(line: &SampleLine<'_>) -> bool {
    line.labels()
        .all(|(_, value)| !value.contains([',', '=', '}', '"']))
}

fn ours(line: &SampleLine<'_>) -> Read {
    let labels = line.labels();
    let labels = labels.map(|(name, value)| (name.into_owned(), value.into_owned()));
    (
        line.name().into_owned(),
        labels.collect(),
        line.value.to_bits(),
    )
}

/// Without types, the peer answers sample for sample instead of whole histograms.
fn theirs(lines: &[&str]) -> Vec<Read> {
    let lines = lines.iter().map(|line| Ok((*line).to_owned()));
    let scrape = Scrape::parse(lines).expect("the peer reads what we read");
    let samples = scrape.samples.into_iter();
    samples
        .map(|sample| {
            let labels = sample.labels.iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.clone()));
            let Value::Untyped(value) = sample.value else {
                panic!("a sample without type is untyped: {sample:?}");
            };
            (sample.metric, labels.collect(), value.to_bits())
        })
        .collect()
}

#[test]
fn real_scrapes_are_read_as_another_parser_reads_them() {
    for (name, format, text) in scrapes() {
        let entries: Result<Vec<Entry<'_>>, _> = Parser::new(&text, format).collect();
        let entries = entries.unwrap_or_else(|error| panic!("{name}: {error}"));
        let samples = entries.iter().filter_map(|entry| match entry {
            Entry::Sample(line) => Some(line),
            _ => None,
        });
        let samples: Vec<&SampleLine<'_>> = samples.collect();
        let written: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(samples.len(), written.len(), "{name}");
        let both = || {
            samples
                .iter()
                .zip(&written)
                .filter(|(line, _)| comparable(line))
        };
        let ours: Vec<Read> = both().map(|(line, _)| ours(line)).collect();
        let theirs = theirs(&both().map(|(_, line)| *line).collect::<Vec<_>>());
        assert!(
            2 * ours.len() >= samples.len(),
            "{name}: only {} compared",
            ours.len()
        );
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn a_family_of_a_real_scrape_has_type_and_help() {
    for (name, format, text) in scrapes() {
        let entries = Parser::new(&text, format).map(|entry| entry.expect("a real scrape is read"));
        let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
        let (mut types, mut helps, mut exemplars) = (0, 0, 0);
        for entry in entries {
            match entry {
                Entry::Type { .. } => types += 1,
                Entry::Help { .. } => helps += 1,
                Entry::Sample(line) => exemplars += usize::from(line.exemplar),
                Entry::Unit { .. } => {}
            }
        }
        assert_eq!((types, helps), (count("# TYPE"), count("# HELP")), "{name}");
        let written = text.lines().filter(|line| line.contains(" # {")).count();
        assert_eq!(exemplars, written, "{name}");
    }
}
