//! From what was seen to what is wrong with it: a pure function.

mod buckets;
mod intervals;
pub(super) mod labels;
mod metrics;
mod source;
mod targets;

use super::observed::Observed;
use super::report::Report;
use crate::config::Config;

/// Everything that can be said of what was seen, worst first.
///
/// The same input gives the same report; nothing is asked, and no clock is read.
pub fn findings(observed: &Observed, config: &Config) -> Report {
    let mut found = source::findings(observed, config);
    found.extend(targets::findings(observed));
    for (id, service) in &observed.services {
        found.extend(labels::findings(id, service, config));
        found.extend(metrics::findings(id, service, config));
        found.extend(buckets::findings(id, service, config));
        found.extend(intervals::findings(id, service, config));
    }
    Report::new(observed, found)
}

/// `1 service`, `2 services`.
fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}

/// The first few of many, with how many more there are.
fn few<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 5;
    const CHARS: usize = 80;
    let all: Vec<String> = texts
        .into_iter()
        .map(|text| sources::excerpt(text.as_ref(), CHARS))
        .collect();
    let mut text = all[..all.len().min(SHOWN)].join(", ");
    if all.len() > SHOWN {
        text.push_str(&format!(" and {} more", all.len() - SHOWN));
    }
    text
}
