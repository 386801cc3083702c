//! Reading the directory at start: blocks first, then the logs of what wasn't sealed, each in order
//! of time. What is damaged is set aside and said; the rest serves.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bits::ByteReader;
use super::block_file::{self, StoredTarget, runs_of};
use super::chunk::{Birth, Chunk, Cursor};
use super::column::hole;
use super::disk::{Disk, FileKind, FileName};
use super::label_list::read_label_list;
use super::log::{Change, LogReader, Record};
use super::target::Target;
use super::{Store, write};
use crate::Labels;

/// The series of a target as a block file told them last, and what they are here.
type Told = HashMap<Labels, (Vec<u8>, Vec<Birth>)>;

/// A target as a log tells of it.
struct Followed {
    target: Arc<Target>,
    /// Where each column of the log stands in the rows of the target.
    positions: Vec<usize>,
    row: Vec<f64>,
    time_ms: i64,
}

impl Store {
    /// Reads everything that is kept, and returns what is to be said.
    pub(super) fn load(&self, now_ms: i64) -> Vec<String> {
        let mut remarks = Vec::new();
        let Some(disk) = &self.disk else {
            return remarks;
        };
        let retention = i64::try_from(self.settings.retention.as_millis()).unwrap_or(i64::MAX);
        let kept_from = now_ms.saturating_sub(retention);
        disk.remove(|file| file.block_ms.saturating_add(self.block_ms) <= kept_from);
        self.drop_files_over_memory(disk, &mut remarks);
        let mut told = Told::new();
        // Of each block, the number of the newest file that was read.
        let mut sealed: BTreeMap<i64, u64> = BTreeMap::new();
        for (file, _) in disk.files() {
            let bytes = match disk.read(file) {
                Ok(bytes) => bytes,
                Err(error) => {
                    remarks.push(format!("{} can't be read: {error}", file.text()));
                    continue;
                }
            };
            match file.kind {
                FileKind::Block => match self.load_block(&bytes, &mut told) {
                    Ok(()) => {
                        sealed.insert(file.block_ms, file.number);
                    }
                    Err(why) => remarks.push(set_aside(disk, file, why)),
                },
                FileKind::Log if sealed.get(&file.block_ms) > Some(&file.number) => {
                    disk.remove(|other| other == file);
                }
                FileKind::Log => remarks.extend(self.load_log(disk, file, &bytes)),
            }
        }
        self.resume();
        remarks
    }

    /// What certainly has no place isn't read at all.
    fn drop_files_over_memory(&self, disk: &Disk, remarks: &mut Vec<String>) {
        const HOUR_MS: i64 = 3_600_000;
        let mut sum = 0_u64;
        let mut over = None;
        for (file, size) in disk.files().into_iter().rev() {
            if file.kind == FileKind::Block {
                sum = sum.saturating_add(size);
            }
            // Files hold labels, too, which are in memory once.
            if sum / 2 > self.settings.memory_max {
                over = over.max(Some(file.block_ms.div_euclid(HOUR_MS)));
            }
        }
        if let Some(hour) = over {
            disk.remove(|file| file.block_ms.div_euclid(HOUR_MS) <= hour);
            remarks.push(format!(
                "samples before {} were dropped: there are more than the limit on memory allows",
                domain::Timestamp::from_millis((hour + 1) * HOUR_MS)
            ));
        }
    }

    fn load_block(&self, bytes: &[u8], told: &mut Told) -> Result<(), &'static str> {
        let (_, targets) = block_file::read(bytes).map_err(|why| why.0)?;
        for stored in targets {
            self.load_target(stored, told)?;
        }
        Ok(())
    }

    fn load_target(&self, stored: StoredTarget<'_>, told: &mut Told) -> Result<(), &'static str> {
        let target = self.held(self.target(&stored.identity));
        let target = target.ok_or("its target was forgotten")?;
        let known = told
            .get(&stored.identity)
            .filter(|known| known.0 == stored.series);
        if known.is_none() {
            let mut reader = ByteReader::new(stored.series, 0);
            let labels =
                read_label_list(&mut reader).ok_or("the labels of its series make no sense")?;
            let births = self.births(&target, &labels);
            told.insert(stored.identity.clone(), (stored.series.to_vec(), births));
        }
        let births = told
            .get(&stored.identity)
            .map_or(&[][..], |known| known.1.as_slice());
        let mut state = write(&target.state);
        for mut chunk in stored.chunks {
            let of_columns: Option<Vec<Birth>> = chunk
                .births()
                .map(|place| births.get(place as usize).copied())
                .collect();
            let of_columns = of_columns.ok_or("it has a series without labels")?;
            let times_fit = {
                let cursor = Cursor::new(&chunk);
                cursor.times().is_sorted_by(|one, next| one < next)
                    && cursor.times().last() == Some(&chunk.last_ms)
            };
            if !times_fit
                || state
                    .newest_ms
                    .is_some_and(|newest| newest >= chunk.first_ms)
            {
                return Err("its times don't follow each other");
            }
            if of_columns.is_sorted_by(|one, next| one < next) {
                chunk.runs = runs_of(of_columns.into_iter()).into();
            } else {
                chunk = chunk
                    .in_order_of(&of_columns)
                    .ok_or("its columns can't be read")?;
            }
            state.newest_ms = Some(chunk.last_ms);
            state.keep(chunk, true);
        }
        Ok(())
    }

    fn births(&self, target: &Target, labels: &[Labels]) -> Vec<Birth> {
        let mut state = write(&target.state);
        let mut names = write(&self.names);
        let births = labels
            .iter()
            .map(|labels| state.add(names.add(labels, target.slot)));
        births.collect()
    }

    fn load_log(&self, disk: &Disk, file: FileName, bytes: &[u8]) -> Option<String> {
        let Some((mut reader, _)) = LogReader::new(bytes) else {
            return Some(set_aside(
                disk,
                file,
                "it doesn't begin as a log of this version",
            ));
        };
        let mut followed: HashMap<u64, Followed> = HashMap::new();
        let mut nonsense = 0;
        while let Some(record) = reader.record() {
            nonsense += u64::from(self.follow(record, &mut followed).is_none());
        }
        let (sound, rest) = bytes.split_at(reader.sound());
        if rest.is_empty() {
            return (nonsense > 0).then(|| {
                format!(
                    "{}: {nonsense} records make no sense and are left out",
                    file.text()
                )
            });
        }
        let length = ByteReader::new(rest, 0).u32() as usize;
        if rest.len() < 8 || length >= rest.len() - 8 {
            let cut = match disk.keep_sound(file, sound) {
                Ok(()) => String::new(),
                Err(error) => format!(", which failed: {error}"),
            };
            return Some(format!(
                "{}: the last {} bytes were not written in full and are cut off{cut}",
                file.text(),
                rest.len()
            ));
        }
        let remark = set_aside(
            disk,
            file,
            &format!("it is damaged at byte {}", sound.len()),
        );
        Some(match disk.keep_sound(file, sound) {
            Ok(()) => format!("{remark}; what stands before is used"),
            Err(error) => {
                format!("{remark}; what stands before is used, but can't be kept: {error}")
            }
        })
    }

    /// Takes over a record; none if it makes no sense.
    fn follow(&self, record: Record, followed: &mut HashMap<u64, Followed>) -> Option<()> {
        match record {
            Record::Target { number, identity } => {
                let known = Followed {
                    target: self.held(self.target(&identity))?,
                    positions: Vec::new(),
                    row: Vec::new(),
                    time_ms: 0,
                };
                followed.insert(number, known);
            }
            Record::Columns { number, columns } => {
                let known = followed.get_mut(&number)?;
                let births = self.births(&known.target, &columns);
                let state = super::read(&known.target.state);
                let positions = births.iter().filter_map(|birth| state.position(*birth));
                known.positions.extend(positions);
            }
            Record::Row {
                number,
                since,
                column_count,
                changes,
            } => {
                let known = followed.get_mut(&number)?;
                let time_ms = known.time_ms.checked_add(since)?;
                self.take_row(known, time_ms, column_count, &changes)?;
            }
        }
        Some(())
    }

    fn take_row(
        &self,
        known: &mut Followed,
        time_ms: i64,
        column_count: usize,
        changes: &[Change],
    ) -> Option<()> {
        if column_count > known.positions.len() || !(0..=super::TIME_MAX).contains(&time_ms) {
            return None;
        }
        known.row.resize(column_count, hole());
        for change in changes {
            let value = known.row.get_mut(change.column)?;
            *value = change.value(*value);
        }
        known.time_ms = time_ms;
        let mut state = write(&known.target.state);
        // A scrape that came while its block was written is in the block, too.
        if state.newest_ms.is_none_or(|newest| newest < time_ms) {
            let mut row = vec![hole(); state.columns.len()];
            for (value, position) in known.row.iter().zip(&known.positions) {
                row[*position] = *value;
            }
            state.push(self.block_of(time_ms), time_ms, &row);
        }
        Some(())
    }

    /// Goes on where the process before ended.
    fn resume(&self) {
        for target in self.all_targets() {
            let mut state = write(&target.state);
            if let Some(newest_ms) = state.newest_ms {
                self.newest_ms.fetch_max(newest_ms, Ordering::Relaxed);
            }
            let last = state.chunks.last().map(|kept| Arc::clone(&kept.chunk));
            if let Some(last) = last
                && state.head.times().is_empty()
            {
                state.resume_after(&last);
            }
            self.recount(&mut state);
        }
    }
}

impl Chunk {
    /// The same chunk with its columns in order of these `births`, which are those of its columns.
    fn in_order_of(&self, births: &[Birth]) -> Option<Chunk> {
        let mut order: Vec<(Birth, Birth)> = births.iter().copied().zip(self.births()).collect();
        order.sort_unstable();
        let mut cursor = Cursor::new(self);
        let times = cursor.times().to_vec();
        let mut encoder = super::column::Encoder::default();
        let mut sealing = super::chunk::Sealing::new(self.block_ms, &times, &mut encoder);
        for (birth, place) in order {
            sealing.column(birth, cursor.column(place)?);
        }
        Some(sealing.finish())
    }
}

fn set_aside(disk: &Disk, file: FileName, why: &str) -> String {
    match disk.set_aside(file) {
        Ok(aside) => format!("{} is set aside as {aside}: {why}", file.text()),
        Err(error) => format!("{}: {why}; it can't be set aside: {error}", file.text()),
    }
}
