//! All lines of a stretch of time, one by one; of a long one an even share.

use domain::LogOutcome;

use super::gather::Gathered;

/// What was visited of a stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCoverage {
    pub outcome: LogOutcome,
    /// Lines that were visited.
    pub lines: u64,
    /// The share of the stretch's bytes that was read, 0 to 1.
    pub share: f64,
    /// Lines that could not be understood.
    pub malformed: u64,
}

/// The blocks to read, and what share of the bytes they are.
pub(super) struct Sample {
    /// Of each file, in order.
    pub places: Vec<Vec<usize>>,
    pub share: f64,
}

/// Picks from the blocks of each file, evenly by bytes, so that at most about `bytes_max` are read.
pub(super) fn sample(gathered: &Gathered, touching: Vec<Vec<usize>>, bytes_max: u64) -> Sample {
    let bytes_of = |file: usize, place: &usize| {
        let blocks = gathered.files[file].index.blocks();
        blocks.get(*place).map_or(0, |block| block.bytes())
    };
    let all = touching.iter().enumerate();
    let all: u64 = all
        .flat_map(|(file, places)| places.iter().map(move |place| bytes_of(file, place)))
        .sum();
    let ratio = (bytes_max as f64 / all.max(1) as f64).min(1.0);
    let (mut due, mut bytes) = (0.0, 0);
    let picked = touching.into_iter().enumerate().map(|(file, places)| {
        let is_due = |place: &usize| {
            let own = bytes_of(file, place);
            due += own as f64 * ratio;
            let is_due = bytes as f64 + own as f64 / 2.0 <= due && bytes + own <= bytes_max;
            bytes += if is_due { own } else { 0 };
            is_due
        };
        places.into_iter().filter(is_due).collect()
    });
    let places = picked.collect();
    let whole = all + gathered.unread_bytes;
    let share = match whole {
        0 => 1.0,
        whole => bytes as f64 / whole as f64,
    };
    Sample { places, share }
}
