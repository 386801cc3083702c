//! What a person would have been told: an incident for each episode of anomalies.

use std::time::Duration;

use super::index::{Entry, Kind};
use super::table::Table;
use super::walk::Whole;

/// Anomalies closer than this, and than so many samples, are one episode.
const MERGED: Duration = Duration::from_secs(3_600);
const MERGED_SAMPLES: u32 = 3;

/// An incident that would have opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub entity: String,
    /// The time of the row, as it is written in the file.
    pub at: String,
    /// The strongest metric at that time.
    pub metric: String,
    pub suspect: String,
}

/// One for each anomaly after a stretch without.
pub(crate) fn opened(entry: &Entry, table: &Table, whole: &Whole) -> Vec<Opened> {
    let merged = MERGED.max(entry.interval * MERGED_SAMPLES);
    let mut newest = None;
    let mut opened = Vec::new();
    for (row, scored) in whole.rows.iter().enumerate() {
        if !scored.is_anomaly {
            continue;
        }
        let time = table.times[row];
        if newest.is_none_or(|newest| time.since(newest) > merged) {
            opened.push(Opened {
                entity: entry.entity(),
                at: table.stamps[row].clone(),
                metric: match entry.kind {
                    Kind::Series => "value".to_owned(),
                    Kind::Entity | Kind::Pod => table.columns[whole.strongest[row]].name.clone(),
                },
                suspect: entry.suspect().to_owned(),
            });
        }
        newest = Some(time);
    }
    opened
}
