//! A store without any cleverness, and helpers to compare with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use embedded::store::{Absent, Opened, Store, StoreSettings};
use embedded::{Labels, Matcher, SeriesSource, is_stale, stale_marker};

/// Bits of values by series and time.
pub type Content = BTreeMap<Labels, BTreeMap<i64, u64>>;

/// What a store promises, in maps.
#[derive(Clone, Default)]
pub struct Plain {
    pub content: Content,
    last: BTreeMap<u32, BTreeMap<Labels, f64>>,
}

impl Plain {
    pub fn append(&mut self, target: u32, time_ms: i64, values: &[(Labels, f64)], absent: Absent) {
        let mut row: BTreeMap<Labels, f64> = BTreeMap::new();
        for (labels, value) in values {
            row.entry(labels.clone()).or_insert(*value);
        }
        if absent == Absent::Stale {
            for (labels, value) in self.last.get(&target).into_iter().flatten() {
                if !row.contains_key(labels) && !is_stale(*value) {
                    row.insert(labels.clone(), stale_marker());
                }
            }
        }
        for (labels, value) in &row {
            let samples = self.content.entry(labels.clone()).or_default();
            samples.insert(time_ms, value.to_bits());
        }
        self.last.insert(target, row);
    }

    pub fn select(&self, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Content {
        let mut found = Content::new();
        for (labels, samples) in &self.content {
            let samples: BTreeMap<i64, u64> = samples
                .range(from_ms..=to_ms.max(from_ms))
                .filter(|(time, _)| **time <= to_ms)
                .map(|(time, bits)| (*time, *bits))
                .collect();
            if !samples.is_empty()
                && matchers
                    .iter()
                    .all(|matcher| matcher.matches_labels(labels))
            {
                found.insert(labels.clone(), samples);
            }
        }
        found
    }
}

pub fn settings(dir: Option<&Path>) -> StoreSettings {
    StoreSettings {
        dir: dir.map(Path::to_owned),
        block: Duration::from_secs(300),
        ..StoreSettings::default()
    }
}

pub fn open(settings: &StoreSettings, now_ms: i64) -> (Store, Vec<String>) {
    let Opened { store, remarks } = Store::open(settings.clone(), now_ms).unwrap();
    (store, remarks)
}

pub fn select(store: &Store, matchers: &[Matcher], from_ms: i64, to_ms: i64) -> Content {
    let mut found = Content::new();
    store.select(matchers, from_ms, to_ms, &mut |labels, samples| {
        assert!(samples.is_sorted_by_key(|sample| sample.time_ms));
        let samples = samples
            .iter()
            .map(|sample| (sample.time_ms, sample.value.to_bits()));
        let before = found.insert(labels.clone(), samples.collect());
        assert_eq!(before, None, "{labels} comes once");
    });
    found
}

pub fn everything(store: &Store) -> Content {
    select(store, &[], i64::MIN, i64::MAX)
}

pub fn identity(target: u32) -> Labels {
    Labels::new([("job", "fleet"), ("instance", &format!("host-{target}"))])
}

pub fn series(target: u32, name: &str, zone: u32) -> Labels {
    Labels::new([
        ("__name__", name),
        ("instance", &format!("host-{target}")),
        ("zone", &zone.to_string()),
    ])
}

/// Appends by labels, as a scraper without a cache would.
pub fn append(store: &Store, target: u32, time_ms: i64, values: &[(Labels, f64)], absent: Absent) {
    let target = store.target(&identity(target));
    let values: Vec<_> = values
        .iter()
        .map(|(labels, value)| (store.series(target, labels), *value))
        .collect();
    store.append(target, time_ms, &values, absent).unwrap();
}
