//! The log of what isn't sealed yet: a file for each block, to which each scrape adds a record.
//!
//! A record is its length, the CRC-32 of its content, and the content. It tells what a target is,
//! which series it has, or what changed since its scrape before. A file stands alone: the first
//! scrape of a target in it is told in full.

use super::bits::{ByteReader, put_varint, unzigzag, zigzag};
use super::column::{hole, is_hole};
use super::label_list::{put_label_list, read_label_list};
use crate::{Labels, is_stale, stale_marker};

/// What a log file begins with, before the start of its block in milliseconds as 8 bytes.
const MAGIC: &[u8; 8] = b"BWLOG\0\0\x01";

const HEADER: usize = MAGIC.len() + 8;

/// No record is larger, in bytes.
const RECORD_MAX: usize = 1 << 28;

/// The most columns that a target can have in a log.
const COLUMNS_MAX: usize = 1 << 24;

// What a record is.
const TARGET: u8 = 1;
const COLUMNS: u8 = 2;
const ROW: u8 = 3;

// How a changed value is written, in the two low bits.
const STEP: u64 = 0;
const BITS: u64 = 1;
const ABSENT: u64 = 2;
const ENDED: u64 = 3;

/// Whole numbers up to here are told as steps.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

pub(super) fn header(block_ms: i64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&block_ms.to_le_bytes());
    bytes
}

/// From now on `number` means this target, which has no columns yet.
pub(super) fn put_target(number: u64, identity: &Labels, bytes: &mut Vec<u8>) {
    put_record(bytes, |bytes| {
        bytes.push(TARGET);
        put_varint(bytes, number);
        put_label_list(std::slice::from_ref(identity), bytes);
    });
}

/// The target has these columns, too.
pub(super) fn put_columns(number: u64, columns: &[Labels], bytes: &mut Vec<u8>) {
    put_record(bytes, |bytes| {
        bytes.push(COLUMNS);
        put_varint(bytes, number);
        put_label_list(columns, bytes);
    });
}

/// A scrape: what differs from the one `before`, whose missing columns are holes.
pub(super) fn put_row(
    number: u64,
    since_ms: i64,
    time_ms: i64,
    before: &[f64],
    row: &[f64],
    bytes: &mut Vec<u8>,
) {
    put_record(bytes, |bytes| {
        bytes.push(ROW);
        put_varint(bytes, number);
        put_varint(bytes, zigzag(time_ms - since_ms));
        put_varint(bytes, row.len() as u64);
        let mut gap = 0;
        for (at, value) in row.iter().enumerate() {
            let before = before.get(at).copied().unwrap_or_else(hole);
            if value.to_bits() == before.to_bits() {
                gap += 1;
                continue;
            }
            put_varint(bytes, gap);
            gap = 0;
            put_change(before, *value, bytes);
        }
    });
}

fn put_change(before: f64, value: f64, bytes: &mut Vec<u8>) {
    if is_hole(value) {
        put_varint(bytes, ABSENT);
    } else if is_stale(value) {
        put_varint(bytes, ENDED);
    } else if let Some(whole) = whole_of(value) {
        let step = whole - whole_of(before).unwrap_or(0);
        put_varint(bytes, zigzag(step) << 2 | STEP);
    } else {
        put_varint(bytes, BITS);
        bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

fn whole_of(value: f64) -> Option<i64> {
    // Not for NaN, either.
    if !(-WHOLE_MAX..=WHOLE_MAX).contains(&value) {
        return None;
    }
    let whole = value as i64;
    ((whole as f64).to_bits() == value.to_bits()).then_some(whole)
}

fn put_record(bytes: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let from = bytes.len();
    bytes.extend_from_slice(&[0; 8]);
    content(bytes);
    let length = (bytes.len() - from - 8) as u32;
    let sum = crc32fast::hash(&bytes[from + 8..]);
    bytes[from..from + 4].copy_from_slice(&length.to_le_bytes());
    bytes[from + 4..from + 8].copy_from_slice(&sum.to_le_bytes());
}

/// A record, read.
#[derive(Debug, PartialEq)]
pub(super) enum Record {
    Target {
        number: u64,
        identity: Labels,
    },
    Columns {
        number: u64,
        columns: Vec<Labels>,
    },
    Row {
        number: u64,
        since: i64,
        column_count: usize,
        changes: Vec<Change>,
    },
}

/// A value of a row that isn't that of the row before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) column: usize,
    told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Step(i64),
    Value(f64),
}

impl Change {
    pub(super) fn value(self, before: f64) -> f64 {
        match self.told {
            Told::Value(value) => value,
            Told::Step(step) => whole_of(before).unwrap_or(0).wrapping_add(step) as f64,
        }
    }
}

/// Reads a log file from its beginning.
pub(super) struct LogReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> LogReader<'a> {
    /// The start of its block, too; none if the bytes don't begin as a log file.
    pub(super) fn new(bytes: &'a [u8]) -> Option<(LogReader<'a>, i64)> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let block_ms = i64::from_le_bytes(*rest.first_chunk::<8>()?);
        (magic == MAGIC).then_some((LogReader { bytes, at: HEADER }, block_ms))
    }

    /// How many bytes were read without damage.
    pub(super) fn sound(&self) -> usize {
        self.at
    }

    /// The next record; none at the end and where the file is damaged.
    pub(super) fn record(&mut self) -> Option<Record> {
        let mut reader = ByteReader::new(self.bytes, self.at);
        let length = reader.u32() as usize;
        let sum = reader.u32();
        let content = reader.take(length);
        if reader.overrun() || length > RECORD_MAX || crc32fast::hash(content) != sum {
            return None;
        }
        let record = read_record(content)?;
        self.at = reader.at();
        Some(record)
    }
}

fn read_record(content: &[u8]) -> Option<Record> {
    let mut reader = ByteReader::new(content, 0);
    let kind = reader.byte();
    let number = reader.varint();
    let record = match kind {
        TARGET => Record::Target {
            number,
            identity: read_label_list(&mut reader)?.pop()?,
        },
        COLUMNS => Record::Columns {
            number,
            columns: read_label_list(&mut reader)?,
        },
        ROW => Record::Row {
            number,
            since: unzigzag(reader.varint()),
            column_count: usize::try_from(reader.varint()).ok()?,
            changes: read_changes(&mut reader)?,
        },
        _ => return None,
    };
    (!reader.overrun() && reader.is_at_end()).then_some(record)
}

fn read_changes(reader: &mut ByteReader<'_>) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let mut column = 0_usize;
    while !reader.is_at_end() {
        column = column.checked_add(usize::try_from(reader.varint()).ok()?)?;
        if column >= COLUMNS_MAX {
            return None;
        }
        let change = reader.varint();
        let told = match change & 3 {
            STEP => Told::Step(unzigzag(change >> 2)),
            BITS => Told::Value(f64::from_bits(reader.u64())),
            ABSENT => Told::Value(hole()),
            _ => Told::Value(stale_marker()),
        };
        changes.push(Change { column, told });
        column += 1;
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(hole()),
            Just(stale_marker()),
            (-50_i64..50).prop_map(|whole| whole as f64),
            any::<u64>().prop_map(f64::from_bits),
            any::<i64>().prop_map(|whole| whole as f64),
        ]
    }

    proptest! {
        #[test]
        fn rows_read_back(before in prop::collection::vec(any_value(), 0..20), row in prop::collection::vec(any_value(), 0..30)) {
            let mut bytes = header(7);
            put_row(3, 100, 115, &before, &row, &mut bytes);
            let (mut reader, block_ms) = LogReader::new(&bytes).unwrap();
            prop_assert_eq!(block_ms, 7);
            let Some(Record::Row { number: 3, since: 15, column_count, changes }) = reader.record() else {
                panic!("no row");
            };
            prop_assert_eq!(column_count, row.len());
            let mut read = before;
            read.resize(column_count, hole());
            for change in changes {
                read[change.column] = change.value(read[change.column]);
            }
            let bits = |row: &[f64]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&read), bits(&row));
            prop_assert_eq!((reader.record(), reader.sound()), (None, bytes.len()));
        }

        #[test]
        fn content_that_is_no_record_is_no_panic(content in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut bytes = header(0);
            put_record(&mut bytes, |bytes| bytes.extend_from_slice(&content));
            let (mut reader, _) = LogReader::new(&bytes).unwrap();
            let _ = reader.record();
        }
    }

    #[test]
    fn an_unchanged_scrape_takes_a_dozen_bytes() {
        let mut bytes = Vec::new();
        put_row(
            3,
            1_000_000,
            1_015_000,
            &[5.0; 1000],
            &[5.0; 1000],
            &mut bytes,
        );
        assert!(bytes.len() <= 16, "{}", bytes.len());
    }
}
