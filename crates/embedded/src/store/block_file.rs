//! The file of a sealed block: its targets, their series by labels, and their chunks.
//!
//! A file stands alone. At its end stands the CRC-32 of all before.

use super::bits::{ByteReader, put_varint, unzigzag, zigzag};
use super::chunk::{Anchor, Birth, Chunk, ROWS_MAX, Run};
use super::label_list::{put_label_list, read_label_list};
use crate::Labels;

/// What a block file begins with, before the start of its block in milliseconds as 8 bytes.
const MAGIC: &[u8; 8] = b"BWBLOCK\x01";

/// A target in a block file.
pub(super) struct StoredTarget<'a> {
    pub(super) identity: Labels,
    /// The labels of its series as bytes, which are mostly those of the block before.
    pub(super) series: &'a [u8],
    /// Of which series the births are places in `series`.
    pub(super) chunks: Vec<Chunk>,
}

/// Why bytes are no block file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoBlock(pub(super) &'static str);

pub(super) fn header(block_ms: i64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&block_ms.to_le_bytes());
    bytes
}

/// Adds a target: its chunks, and the labels of the series of `births`, which are ascending and all
/// those of the chunks.
pub(super) fn put_target<'c>(
    identity: &Labels,
    births: &[Birth],
    labels: &[Labels],
    chunks: impl ExactSizeIterator<Item = &'c Chunk>,
    bytes: &mut Vec<u8>,
) {
    put_label_list(std::slice::from_ref(identity), bytes);
    let mut series = Vec::new();
    put_label_list(labels, &mut series);
    put_varint(bytes, series.len() as u64);
    bytes.extend_from_slice(&series);
    put_varint(bytes, chunks.len() as u64);
    for chunk in chunks {
        let places = chunk
            .births()
            .map(|birth| births.partition_point(|known| *known < birth));
        put_chunk(chunk, &runs_of(places.map(|place| place as Birth)), bytes);
    }
}

/// Ends the file.
pub(super) fn finish(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// The runs of ascending births.
pub(super) fn runs_of(births: impl Iterator<Item = Birth>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut next = None;
    for (column, birth) in births.enumerate() {
        if next != Some(birth) {
            let column = column as u32;
            runs.push(Run { birth, column });
        }
        next = Some(birth + 1);
    }
    runs
}

fn put_chunk(chunk: &Chunk, runs: &[Run], bytes: &mut Vec<u8>) {
    put_varint(bytes, u64::from(chunk.row_count));
    put_varint(bytes, zigzag(chunk.first_ms));
    put_varint(bytes, (chunk.last_ms - chunk.first_ms) as u64);
    put_varint(bytes, u64::from(chunk.column_count));
    put_varint(bytes, chunk.samples);
    put_varint(bytes, runs.len() as u64);
    for run in runs {
        put_varint(bytes, u64::from(run.birth));
        put_varint(bytes, u64::from(run.column));
    }
    put_varint(bytes, chunk.anchors.len() as u64);
    for anchor in &chunk.anchors {
        put_varint(bytes, u64::from(anchor.column));
        put_varint(bytes, u64::from(anchor.at));
    }
    put_varint(bytes, chunk.bytes.len() as u64);
    bytes.extend_from_slice(&chunk.bytes);
}

/// Reads the targets of a block file.
pub(super) fn read(bytes: &[u8]) -> Result<(i64, Vec<StoredTarget<'_>>), NoBlock> {
    let Some((content, sum)) = bytes.split_last_chunk::<4>() else {
        return Err(NoBlock("too short"));
    };
    let Some(rest) = content.strip_prefix(MAGIC) else {
        return Err(NoBlock("not a block of this version"));
    };
    if crc32fast::hash(content) != u32::from_le_bytes(*sum) {
        return Err(NoBlock("the checksum is another"));
    }
    let nonsense = NoBlock("the content makes no sense");
    let (block_ms, rest) = rest.split_first_chunk::<8>().ok_or(nonsense)?;
    let block_ms = i64::from_le_bytes(*block_ms);
    let mut reader = ByteReader::new(rest, 0);
    let mut targets = Vec::new();
    while !reader.is_at_end() {
        targets.push(read_target(&mut reader, block_ms).ok_or(nonsense)?);
    }
    Ok((block_ms, targets))
}

fn read_target<'a>(reader: &mut ByteReader<'a>, block_ms: i64) -> Option<StoredTarget<'a>> {
    let identity = read_label_list(reader)?.pop()?;
    let length = reader.count();
    let series = reader.take(length);
    let count = reader.count();
    let chunks: Option<Vec<Chunk>> = (0..count).map(|_| read_chunk(reader, block_ms)).collect();
    Some(StoredTarget {
        identity,
        series,
        chunks: chunks.filter(|_| !reader.overrun())?,
    })
}

fn read_chunk(reader: &mut ByteReader<'_>, block_ms: i64) -> Option<Chunk> {
    let row_count = u32::try_from(reader.varint()).ok()?;
    let first_ms = unzigzag(reader.varint());
    let last_ms = first_ms.checked_add(i64::try_from(reader.varint()).ok()?)?;
    let column_count = u32::try_from(reader.varint()).ok()?;
    let samples = reader.varint();
    let pairs = |reader: &mut ByteReader<'_>| -> Option<Vec<(u32, u32)>> {
        let count = reader.count();
        let number = |reader: &mut ByteReader<'_>| u32::try_from(reader.varint()).ok();
        (0..count)
            .map(|_| Some((number(reader)?, number(reader)?)))
            .collect()
    };
    let runs = pairs(reader)?
        .into_iter()
        .map(|(birth, column)| Run { birth, column });
    let runs: Box<[Run]> = runs.collect();
    let anchors = pairs(reader)?
        .into_iter()
        .map(|(column, at)| Anchor { column, at });
    let anchors: Box<[Anchor]> = anchors.collect();
    let length = reader.count();
    let bytes: Box<[u8]> = reader.take(length).into();
    let chunk = Chunk {
        block_ms,
        first_ms,
        last_ms,
        row_count,
        column_count,
        samples,
        runs,
        anchors,
        bytes,
    };
    is_sound(&chunk).then_some(chunk)
}

/// Whether the numbers of a chunk fit together.
fn is_sound(chunk: &Chunk) -> bool {
    let ascending = chunk.runs.windows(2).all(|two| {
        let length = two[1].column.checked_sub(two[0].column);
        let end = length.and_then(|length| two[0].birth.checked_add(length));
        two[0].column < two[1].column && end.is_some_and(|end| end <= two[1].birth)
    });
    let bounded = match (chunk.runs.first(), chunk.runs.last()) {
        (Some(first), Some(last)) => {
            let length = chunk.column_count.checked_sub(last.column);
            first.column == 0
                && length
                    .is_some_and(|length| length > 0 && last.birth.checked_add(length).is_some())
        }
        // Scrapes that found nothing.
        _ => chunk.column_count == 0 && chunk.samples == 0,
    };
    let anchored = chunk
        .anchors
        .windows(2)
        .all(|two| two[0].column < two[1].column);
    ascending
        && bounded
        && anchored
        && (1..=ROWS_MAX).contains(&(chunk.row_count as usize))
        // A column takes two bytes or more.
        && chunk.column_count as usize <= chunk.bytes.len()
}
