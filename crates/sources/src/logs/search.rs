//! Where in a file a time begins: binary search over the timestamps of its lines.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use domain::Timestamp;

use super::LogLimits;
use super::lines::{Budget, Lines};
use super::record::{self, Reading};

/// The search ends at this distance.
const NEAR_BYTES: u64 = 64 << 10;
/// Lines may be out of order by so many bytes.
pub(super) const DISORDER_BYTES: u64 = 64 << 10;
/// The middle of so many timestamps speaks for a place, so that one wild one doesn't.
const PROBED: usize = 3;

/// An offset from which on lines of `target` and later lie; at a line's start or within a line
/// before them. Lines out of order by less than [`DISORDER_BYTES`] are behind it, too.
pub(super) fn start_of(
    file: &File,
    length: u64,
    target: Timestamp,
    reading: &Reading,
    limits: &LogLimits,
    budget: &mut Budget,
) -> io::Result<u64> {
    let (mut low, mut high) = (0, length);
    while high - low > NEAR_BYTES && !budget.is_spent() {
        let middle = low + (high - low) / 2;
        match probe(file, middle, high, reading, limits, budget)? {
            Some((start, time)) if time < target => low = start,
            _ => high = middle,
        }
    }
    Ok(low.saturating_sub(DISORDER_BYTES))
}

/// The first line with a timestamp that begins after `from` and before `end`, and the middle one
/// of a few timestamps from there.
fn probe(
    file: &File,
    from: u64,
    end: u64,
    reading: &Reading,
    limits: &LogLimits,
    budget: &mut Budget,
) -> io::Result<Option<(u64, Timestamp)>> {
    let mut lines = lines_from(file, from, end, limits.line_bytes)?;
    let mut bytes = Vec::new();
    lines.next(&mut bytes, budget)?;
    let mut first = None;
    let mut times = Vec::with_capacity(PROBED);
    while times.len() < PROBED
        && let Some(line) = lines.next(&mut bytes, budget)?
    {
        if let Some(time) = record::read(&bytes, line.cut, reading).time() {
            first.get_or_insert(line.start);
            times.push(time);
        }
    }
    times.sort();
    let middle = times.get(times.len() / 2).copied();
    Ok(first.zip(middle))
}

/// The time of the file's first lines: the middle of the first few timestamps.
pub(super) fn first_time(
    reader: impl Read,
    reading: &Reading,
    limits: &LogLimits,
    budget: &mut Budget,
) -> io::Result<Option<Timestamp>> {
    let mut lines = Lines::new(reader, 0, limits.line_bytes);
    let mut bytes = Vec::new();
    let mut times = Vec::with_capacity(PROBED);
    while times.len() < PROBED
        && let Some(line) = lines.next(&mut bytes, budget)?
    {
        times.extend(record::read(&bytes, line.cut, reading).time());
    }
    times.sort();
    Ok(times.get(times.len().saturating_sub(1) / 2).copied())
}

/// The lines from an offset on, up to another.
pub(super) fn lines_from(
    file: &File,
    from: u64,
    end: u64,
    line_bytes: usize,
) -> io::Result<Lines<io::Take<&File>>> {
    let mut reader = file;
    reader.seek(SeekFrom::Start(from))?;
    Ok(Lines::new(
        reader.take(end.saturating_sub(from)),
        from,
        line_bytes,
    ))
}
