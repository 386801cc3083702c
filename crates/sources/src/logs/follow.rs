//! Keeping the index up to date: one pass over all files, within a budget.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::blocks::{FileIndex, Reach};
use super::index::LogIndex;
use super::indexer::Indexer;
use super::lines::Budget;
use super::source::LogSource;
use super::template::Place;
use super::walk::{FILES_MAX, Identity, Listed, identity, seen, walk};

/// The most remarks of one pass.
const REMARKS_MAX: usize = 20;

/// What one pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowReport {
    /// Files of all sources.
    pub files: usize,
    /// Bytes that were read, of unpacked text.
    pub bytes_indexed: u64,
    /// Bytes that are left for the next passes, as they lie on disk.
    pub bytes_behind: u64,
    /// Lines with a time in all files, as far as they are indexed.
    pub lines: u64,
    /// What a person should know: files that can't be read, a damaged index. Each is told once, and
    /// again only after it was gone.
    pub remarks: Vec<String>,
}

/// A file that isn't indexed to its end.
struct Behind<'a> {
    source: &'a LogSource,
    place: &'a Place,
    listed: &'a Listed,
    bytes: u64,
}

impl LogIndex {
    /// Looks after all files of the sources once and reads what is new, at most about `bytes_max`
    /// bytes of it: first of those with the least, so that one huge file starves none, and archives
    /// last. `stop` is asked at every mebibyte.
    pub fn follow(
        &self,
        sources: &[LogSource],
        bytes_max: u64,
        stop: &dyn Fn() -> bool,
    ) -> FollowReport {
        let mut report = FollowReport::default();
        let mut remarks = Vec::new();
        let mut files: BTreeMap<Identity, (&LogSource, &Place, Listed)> = BTreeMap::new();
        let places: Vec<Place> = sources.iter().map(|s| s.template.everywhere()).collect();
        let mut is_cut = false;
        for (source, place) in sources.iter().zip(&places) {
            if stop() {
                return report;
            }
            let walk = walk(place, FILES_MAX);
            if walk.is_cut {
                is_cut = true;
                let shown = place.shown();
                remarks.push(format!(
                    "{shown} stands for more than {FILES_MAX} files: the newest are followed"
                ));
            }
            remarks.extend(walk.refused.iter().map(ToString::to_string));
            for listed in walk.files {
                let file = (source, place, listed);
                files.entry(file.2.identity).or_insert(file);
            }
        }
        report.files = files.len();

        let mut behind: Vec<Behind> = {
            let known = self.lock();
            let is_behind = |listed: &Listed| {
                let entry = known.files.get(&listed.identity);
                entry.is_none_or(|entry| entry.seen != Some(listed.seen()))
            };
            let changed = files.values().filter(|(_, _, listed)| is_behind(listed));
            changed
                .map(|(source, place, listed)| {
                    let entry = known.files.get(&listed.identity);
                    let covered = match entry {
                        Some(entry) if !listed.packed => entry.index.covered,
                        _ => 0,
                    };
                    Behind {
                        source,
                        place,
                        listed,
                        // Less than before: truncated, and so anew.
                        bytes: listed.length.checked_sub(covered).unwrap_or(listed.length),
                    }
                })
                .collect()
        };
        behind.sort_by_key(|behind| (behind.listed.packed, behind.bytes));

        let mut budget = Budget::new(bytes_max);
        let mut indexer = Indexer::new(stop);
        for behind in &behind {
            if budget.is_spent() || stop() {
                report.bytes_behind += behind.bytes;
                continue;
            }
            match self.advance(behind, &mut indexer, &mut budget) {
                Ok(left) => report.bytes_behind += left,
                // It was truncated just now; the next pass begins anew.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => remarks.push(format!(
                    "{}: {error}",
                    behind.place.shown_at(&behind.listed.relative)
                )),
            }
        }
        report.bytes_indexed = budget.spent();

        let mut known = self.lock();
        // What wasn't looked at isn't gone.
        known.tidy(|identity| is_cut || files.contains_key(identity));
        report.lines = known.files.values().map(|entry| entry.index.lines).sum();
        remarks.append(&mut known.remarks);
        remarks.sort();
        remarks.dedup();
        remarks.truncate(REMARKS_MAX);
        let told = std::mem::replace(&mut known.told, remarks.clone());
        remarks.retain(|remark| !told.contains(remark));
        report.remarks = remarks;
        report
    }

    /// Brings one file's index forward; says how many bytes are left.
    fn advance(
        &self,
        behind: &Behind,
        indexer: &mut Indexer,
        budget: &mut Budget,
    ) -> io::Result<u64> {
        let Behind { source, listed, .. } = behind;
        let file = match listed.open(behind.place) {
            Ok(file) => file,
            Err(error) if error.is_missing() => return Ok(0),
            Err(error) => return Err(io::Error::other(error)),
        };
        let metadata = file.metadata()?;
        let (identity, length) = (identity(&metadata), metadata.len());
        let seen = Some(seen(&metadata));
        let known = self.get(identity);
        let known = known.filter(|index| {
            index.is_of(&file, length, source.reading())
                && index.packed_bytes.is_some() == listed.packed
        });
        let (index, seen, left) = if listed.packed {
            match known {
                Some(index) => (index, seen, 0),
                None => {
                    // An archive is unpacked in one go, so the last one may go beyond the budget.
                    let mut unpacked = Budget::unlimited();
                    let index = indexer.unpack(source, &file, length, &mut unpacked);
                    budget.spend(unpacked.spent());
                    match index? {
                        Some(index) => (Arc::new(index), seen, 0),
                        None => return Ok(length),
                    }
                }
            }
        } else {
            let mut index = known.map_or_else(
                || FileIndex::new(source.reading()),
                |index| FileIndex::clone(&index),
            );
            let reach = indexer.extend(source, &file, length, &mut index, budget)?;
            let left = match reach {
                // A line that isn't finished is not behind.
                Reach::End { .. } => 0,
                Reach::Partly => length.saturating_sub(index.covered),
            };
            let seen = seen.filter(|_| left == 0);
            (Arc::new(index), seen, left)
        };
        self.keep(identity, index, seen);
        Ok(left)
    }
}
