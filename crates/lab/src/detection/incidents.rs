//! What a person would have been told: of a series an incident for each episode of anomalies, of a
//! service an early warning whenever it begins to be odd.

use std::time::Duration;

use super::index::{Entry, Kind};
use super::table::Table;
use super::walk::Whole;
use crate::settings::Settings;

/// Anomalies no further apart than this, and of a series than the quiet period, are one episode.
const MERGED_SAMPLES: u32 = 2;

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
    let quiet_period = match entry.kind {
        Kind::Series => Settings::product().engine.decide.quiet_period,
        Kind::Entity | Kind::Pod => Duration::ZERO,
    };
    let merged = quiet_period.max(entry.interval * MERGED_SAMPLES);
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
