//! Where in a file that isn't indexed a time begins: binary search over the times of its lines.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use domain::Timestamp;
use flate2::read::MultiGzDecoder;

use super::lines::{Budget, Lines};
use super::source::LogSource;

/// The search ends at this distance.
const NEAR_BYTES: u64 = 64 << 10;
/// Lines may be out of order by so many bytes.
const DISORDER_BYTES: u64 = 64 << 10;
/// So far behind where a time begins lines before it may lie.
pub(super) const BEYOND_BYTES: u64 = NEAR_BYTES + 4 * DISORDER_BYTES;
/// Where so many bytes have no line with a time, none are taken to follow.
const PROBE_BYTES: u64 = 1 << 20;
/// The middle of so many times speaks for a place, so that one wild one doesn't.
const PROBED: usize = 3;

/// An offset in the stretch from which on lines of `target` and later lie; at a line's start or
/// within a line before them. Lines out of order by less than [`DISORDER_BYTES`] are behind it,
/// too.
pub(super) fn start_of(
    source: &LogSource,
    file: &File,
    stretch: Range<u64>,
    target: Timestamp,
    budget: &mut Budget,
) -> io::Result<u64> {
    let (mut low, mut high) = (stretch.start, stretch.end);
    while high - low > NEAR_BYTES && !budget.is_spent() {
        let middle = low + (high - low) / 2;
        let near = high.min(middle + PROBE_BYTES);
        match probe(source, file, middle..near, budget)? {
            Some((start, time)) if time < target => low = start,
            _ => high = middle,
        }
    }
    Ok(low.saturating_sub(DISORDER_BYTES).max(stretch.start))
}

/// Where the first line with a time begins in the stretch, and the middle one of a few times from
/// there.
fn probe(
    source: &LogSource,
    file: &File,
    stretch: Range<u64>,
    budget: &mut Budget,
) -> io::Result<Option<(u64, Timestamp)>> {
    let mut lines = lines_from(file, stretch)?;
    let mut bytes = Vec::new();
    lines.next(&mut bytes, budget)?;
    let mut first = None;
    let mut times = Vec::with_capacity(PROBED);
    while times.len() < PROBED
        && let Some(line) = lines.next(&mut bytes, budget)?
    {
        if let Some(time) = source.time(&bytes, line.cut) {
            first.get_or_insert(line.start);
            times.push(time);
        }
    }
    times.sort();
    let middle = times.get(times.len() / 2).copied();
    Ok(first.zip(middle))
}

/// The time of an archive's first lines: the middle of the first few.
pub(super) fn unpacked_first(
    source: &LogSource,
    file: &File,
    budget: &mut Budget,
) -> io::Result<Option<Timestamp>> {
    let mut packed = file;
    packed.rewind()?;
    let mut lines = Lines::new(MultiGzDecoder::new(packed), 0);
    let mut bytes = Vec::new();
    let mut times = Vec::with_capacity(PROBED);
    while times.len() < PROBED
        && let Some(line) = lines.next(&mut bytes, budget)?
    {
        times.extend(source.time(&bytes, line.cut));
    }
    times.sort();
    Ok(times.get(times.len().saturating_sub(1) / 2).copied())
}

/// The lines of a stretch of a file.
pub(super) fn lines_from(file: &File, stretch: Range<u64>) -> io::Result<Lines<io::Take<&File>>> {
    let mut reader = file;
    reader.seek(SeekFrom::Start(stretch.start))?;
    let length = stretch.end.saturating_sub(stretch.start);
    Ok(Lines::new(reader.take(length), stretch.start))
}
