//! The files that a question touches: each opened once, whatever it is called meanwhile, and
//! indexed as far as the question goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{ServiceId, Timestamp};

use super::LogLimits;
use super::beneath::Unopened;
use super::blocks::{FileIndex, Reach, read_beginning};
use super::index::{LogIndex, Seen};
use super::indexer::Indexer;
use super::lines::Budget;
use super::search::{BEYOND_BYTES, start_of, unpacked_first};
use super::source::LogSource;
use super::template::Place;
use super::walk::{FILES_MAX, Identity, Listed, identity, seen, walk};

/// Rotation may go on while we look; after so many looks the last is taken.
const LOOKS_MAX: usize = 8;
/// So many files are open at once.
const OPEN_MAX: usize = 256;
/// Up to so many bytes are indexed on the way to an answer; in longer stretches, what was asked for
/// is searched for.
const ON_THE_WAY_BYTES: u64 = 64 << 20;

/// A file that a question touches.
#[derive(Debug)]
pub(super) struct LogFile<'a> {
    pub source: &'a LogSource,
    pub file: File,
    /// Bytes at the time of opening; what is written later isn't read.
    pub length: u64,
    pub packed: bool,
    pub live: bool,
    /// Of the whole file, or of the stretch that was asked for.
    pub index: Arc<FileIndex>,
    log: PathBuf,
    identity: Identity,
    seen: Seen,
    /// It became shorter while it was looked at.
    is_short: bool,
}

impl<'a> LogFile<'a> {
    fn open(
        source: &'a LogSource,
        place: &Place,
        listed: &Listed,
    ) -> Result<LogFile<'a>, Unopened> {
        let file = listed.open(place)?;
        let metadata = file.metadata().map_err(|source| Unopened::Failed {
            path: place.shown_at(&listed.relative),
            source,
        })?;
        Ok(LogFile {
            source,
            file,
            length: metadata.len(),
            packed: listed.packed,
            live: listed.live,
            index: Arc::default(),
            log: listed.log.clone(),
            identity: identity(&metadata),
            seen: seen(&metadata),
            is_short: false,
        })
    }

    /// Takes note of what was written since it was opened.
    fn look_again(&mut self) {
        if let Ok(metadata) = self.file.metadata() {
            self.is_short |= metadata.len() < self.length;
            self.length = metadata.len();
            self.seen = seen(&metadata);
        }
    }

    /// It isn't the file that it was: what was read of it may be of two.
    pub(super) fn was_truncated(&self) -> bool {
        let now = self.file.metadata().map_or(0, |metadata| metadata.len());
        let is_same =
            now >= self.length && self.index.is_of(&self.file, now, self.source.reading());
        self.live && (self.is_short || !is_same)
    }
}

/// What was found for a question.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    /// By their first times.
    pub files: Vec<LogFile<'a>>,
    /// Lines of files that lie outside: the newest before, and the oldest after.
    pub before: Option<Timestamp>,
    pub after: Option<Timestamp>,
    /// The sources of which nothing could be read.
    pub unread: Vec<Unopened>,
    /// Not every file could be looked at, for they are too many or too large.
    pub is_cut: bool,
    /// Bytes, as far as they are known, that may have lines of the window and were not looked at.
    pub unread_bytes: u64,
}

impl Gathered<'_> {
    pub(super) fn was_truncated(&self) -> bool {
        self.files.iter().any(LogFile::was_truncated)
    }

    /// Lines of blocks beyond the window, of which the index knows; in shared files they may be another
    /// service's.
    fn note_outside(&mut self, source: &LogSource, index: &FileIndex, window: &Window) {
        if source.is_shared() {
            return;
        }
        let (early, late) = window.outside();
        let Window { from, to } = *window;
        for block in index.blocks().iter().filter(|b| !b.touches(from, to)) {
            self.before = self.before.max(early.and_then(|time| block.last_to(time)));
            let after = late.and_then(|time| block.first_from(time));
            self.after = earlier(self.after, after);
        }
    }
}

/// The earlier of those that there are.
pub(super) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// From when to when lines are asked for, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub(super) fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time <= self.to
    }

    /// The last instant before, and the first after; none at the ends of time.
    fn outside(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let beside = |time: Timestamp, millis: i64| {
            let beside = Timestamp::from_millis(time.as_millis().saturating_add(millis));
            (beside != time).then_some(beside)
        };
        (beside(self.from, -1), beside(self.to, 1))
    }
}

/// Finds the files of a service that have lines in a window.
pub(super) struct Gatherer<'a> {
    pub sources: &'a [LogSource],
    pub index: &'a LogIndex,
    pub limits: &'a LogLimits,
    pub service: &'a ServiceId,
    pub window: Window,
}

impl<'a> Gatherer<'a> {
    pub(super) fn gather(&self) -> Gathered<'a> {
        let mut gathered = Gathered::default();
        let mut seen = BTreeSet::new();
        let mut budget = Budget::new(self.limits.read_bytes);
        for source in self.sources {
            match self.of_source(source, &mut seen, &mut gathered, &mut budget) {
                Ok(files) => gathered.files.extend(files),
                Err(unopened) => gathered.unread.push(unopened),
            }
        }
        gathered.is_cut |= budget.is_spent();
        // The live one stays last, even while it is empty.
        let key = |file: &LogFile| (file.index.first(), file.live);
        gathered.files.sort_by_key(key);
        gathered
    }

    /// The folder is read again after opening: where it changed, a file may have moved from under
    /// us. A file that is open stays what it is, and is looked at again: before one was rotated
    /// away, lines may have come that are older than those of the file that is live now.
    fn of_source(
        &self,
        source: &'a LogSource,
        seen: &mut BTreeSet<Identity>,
        gathered: &mut Gathered<'a>,
        budget: &mut Budget,
    ) -> Result<Vec<LogFile<'a>>, Unopened> {
        let place = source.place(self.service);
        let mut look = Look::default();
        for _ in 0..LOOKS_MAX {
            let walk = walk(&place, FILES_MAX);
            gathered.is_cut |= walk.is_cut;
            let has_live = walk.files.iter().any(|file| file.live);
            if let Some(refused) = walk.refused.into_iter().next()
                && !has_live
            {
                return Err(refused);
            }
            let names = walk.files.iter().map(Listed::entry).collect();
            let is_same = names == look.names;
            let there = walk.files.iter().map(|file| file.identity).collect();
            let before = std::mem::replace(&mut look.there, there);
            look.names = names;
            look.failed = None;
            for listed in &walk.files {
                if !seen.contains(&listed.identity) {
                    look.look_at(self, source, &place, listed, budget);
                }
            }
            // Nothing was renamed between the last two looks.
            if is_same {
                let there = look.there.union(&before).copied().collect();
                look.keep_only(&there);
                break;
            }
        }
        look.settle(self, budget);
        look.unpack(self, budget);
        gathered.is_cut |= look.is_cut;
        gathered.unread_bytes += look.unread_bytes;
        if let Some(failed) = look.failed
            && look.files.is_empty()
        {
            return Err(failed);
        }
        let mut files = Vec::new();
        for (identity, found) in look.files {
            seen.insert(identity);
            match found {
                Found::Outside(index, _) => gathered.note_outside(source, &index, &self.window),
                Found::Opened(file) | Found::Touched(file) | Found::Unknown(file, _) => {
                    gathered.note_outside(source, &file.index, &self.window);
                    files.push(file);
                }
            }
        }
        drop_copies(&mut files);
        Ok(files)
    }
}

/// The files of one source, as they are being found.
#[derive(Default)]
struct Look<'a> {
    names: BTreeSet<(PathBuf, u64)>,
    there: BTreeSet<Identity>,
    files: BTreeMap<Identity, Found<'a>>,
    /// A live file that is there but could not be opened.
    failed: Option<Unopened>,
    open: usize,
    is_cut: bool,
    unread_bytes: u64,
}

enum Found<'a> {
    /// Not looked into yet.
    Opened(LogFile<'a>),
    Touched(LogFile<'a>),
    /// An archive that isn't indexed, and the time of its first lines.
    Unknown(LogFile<'a>, Option<Timestamp>),
    /// It has no lines in the window.
    Outside(Arc<FileIndex>, PathBuf),
}

impl<'a> Found<'a> {
    fn file(&mut self) -> Option<&mut LogFile<'a>> {
        match self {
            Found::Opened(file) | Found::Touched(file) | Found::Unknown(file, _) => Some(file),
            Found::Outside(..) => None,
        }
    }

    /// The log that it belongs to, and its first time.
    fn first(&self) -> (&Path, Option<Timestamp>) {
        match self {
            Found::Opened(file) | Found::Touched(file) => (&file.log, file.index.first()),
            Found::Unknown(file, first) => (&file.log, *first),
            Found::Outside(index, log) => (log, index.first()),
        }
    }
}

impl<'a> Look<'a> {
    /// Opens the file, unless its index says that it isn't needed. To be quick comes first: names
    /// may be on the move.
    fn look_at(
        &mut self,
        question: &Gatherer<'a>,
        source: &'a LogSource,
        place: &Place,
        listed: &Listed,
        budget: &mut Budget,
    ) {
        let opened = self.files.get_mut(&listed.identity).and_then(Found::file);
        if let Some(file) = opened {
            file.look_again();
            return;
        }
        if let Some(index) = question.index.of_unchanged(listed.identity, listed.seen())
            && !index.touches(question.window.from, question.window.to)
            && !index.broken
        {
            let outside = Found::Outside(index, listed.log.clone());
            self.files.insert(listed.identity, outside);
            return;
        }
        if self.open >= OPEN_MAX {
            self.settle(question, budget);
        }
        if self.open >= OPEN_MAX {
            self.is_cut = true;
            self.unread_bytes += listed.length;
            return;
        }
        match LogFile::open(source, place, listed) {
            // Another one may be there by now, which is as good: the next look finds this one.
            Ok(file) => {
                let found = self.files.get_mut(&file.identity).and_then(Found::file);
                if found.is_none() {
                    self.files.insert(file.identity, Found::Opened(file));
                    self.open += 1;
                }
            }
            Err(error) if listed.live && !error.is_missing() => {
                self.failed.get_or_insert(error);
            }
            Err(_) => {}
        }
    }

    /// Looks into what was opened.
    fn settle(&mut self, question: &Gatherer<'a>, budget: &mut Budget) {
        let Window { from, to } = question.window;
        self.files = std::mem::take(&mut self.files)
            .into_iter()
            .map(|(identity, found)| {
                let mut file = match found {
                    Found::Opened(file) | Found::Touched(file) => file,
                    found => return (identity, found),
                };
                // What can't be read on is read as far as it is known.
                let found = match question.prepare(&mut file, budget) {
                    Ok(Prepared::Unknown(first)) => Found::Unknown(file, first),
                    prepared => {
                        if matches!(prepared, Ok(Prepared::Partly)) {
                            self.is_cut = true;
                            self.unread_bytes += file.length.saturating_sub(file.index.covered);
                        }
                        let touched = file.index.touches(from, to) || file.index.broken;
                        if touched || file.is_short {
                            Found::Touched(file)
                        } else {
                            Found::Outside(file.index, file.log)
                        }
                    }
                };
                (identity, found)
            })
            .collect();
        let is_open = |found: &&Found| !matches!(found, Found::Outside(..));
        self.open = self.files.values().filter(is_open).count();
    }

    /// Drops what is gone, such as a file that was packed meanwhile.
    fn keep_only(&mut self, there: &BTreeSet<Identity>) {
        self.files.retain(|identity, _| there.contains(identity));
    }

    /// Unpacks the archives that may have lines of the window: they don't begin after it, nor does
    /// the next file of their log begin before it.
    fn unpack(&mut self, question: &Gatherer<'a>, budget: &mut Budget) {
        let Window { from, to } = question.window;
        let mut firsts: BTreeMap<PathBuf, Vec<Timestamp>> = BTreeMap::new();
        for (log, first) in self.files.values().map(Found::first) {
            firsts.entry(log.to_owned()).or_default().extend(first);
        }
        let unknown = self.files.iter_mut().rev();
        for found in unknown.map(|(_, found)| found) {
            let Found::Unknown(file, first) = found else {
                continue;
            };
            let others = firsts.get(&file.log).into_iter().flatten();
            let next = others.filter(|other| Some(**other) > *first).min();
            let outside =
                first.is_some_and(|first| first > to) || next.is_some_and(|next| *next < from);
            if !outside {
                match question.unpack(file, budget) {
                    Ok(true) | Err(_) => {}
                    Ok(false) => {
                        self.is_cut = true;
                        self.unread_bytes += file.length;
                    }
                }
            }
        }
    }
}

/// How far the index of a file goes.
enum Prepared {
    /// As far as the question.
    Wholly,
    /// The budget didn't suffice.
    Partly,
    /// Nothing is known but the time of the first lines.
    Unknown(Option<Timestamp>),
}

impl From<Reach> for Prepared {
    fn from(reach: Reach) -> Prepared {
        match reach {
            Reach::End { .. } => Prepared::Wholly,
            Reach::Partly => Prepared::Partly,
        }
    }
}

impl Gatherer<'_> {
    /// Finds the index of a file for the window: what is known of it, and what is missing at its
    /// end.
    fn prepare(&self, file: &mut LogFile, budget: &mut Budget) -> io::Result<Prepared> {
        let (source, length) = (file.source, file.length);
        let known = self.index.get(file.identity).filter(|index| {
            index.is_of(&file.file, length, source.reading())
                && index.packed_bytes.is_some() == file.packed
        });
        if let Some(index) = &known {
            file.index = index.clone();
            if index.is_whole(length) {
                self.index
                    .keep(file.identity, index.clone(), Some(file.seen));
                return Ok(Prepared::Wholly);
            }
        }
        if file.packed {
            let first = unpacked_first(source, &file.file, budget);
            return Ok(Prepared::Unknown(first.ok().flatten()));
        }
        let mut index = known.map_or_else(
            || FileIndex::new(source.reading()),
            |index| FileIndex::clone(&index),
        );
        let mut indexer = Indexer::new(&|| false);
        let reach = if length - index.covered <= ON_THE_WAY_BYTES {
            let was_short = std::mem::replace(&mut file.is_short, true);
            let reach = indexer.extend(source, &file.file, length, &mut index, budget)?;
            file.is_short = was_short;
            let mut seen = None;
            if let Reach::End { rest } = reach {
                file.is_short |= index.covered + (rest as u64) < length;
                seen = Some(file.seen);
            }
            self.index
                .keep(file.identity, Arc::new(index.clone()), seen);
            reach
        } else {
            self.search(file, &mut index, &mut indexer, budget)?
        };
        if !file.live {
            indexer.finish(source, &mut index, reach);
        }
        file.index = Arc::new(index);
        Ok(reach.into())
    }

    /// No where the budget didn't suffice.
    fn unpack(&self, file: &mut LogFile, budget: &mut Budget) -> io::Result<bool> {
        let mut indexer = Indexer::new(&|| false);
        let Some(index) = indexer.unpack(file.source, &file.file, file.length, budget)? else {
            return Ok(false);
        };
        file.index = Arc::new(index);
        let seen = Some(file.seen);
        self.index.keep(file.identity, file.index.clone(), seen);
        Ok(true)
    }

    /// Indexes only where the window lies, by the times of the lines. What is found isn't kept.
    fn search(
        &self,
        file: &LogFile,
        index: &mut FileIndex,
        indexer: &mut Indexer,
        budget: &mut Budget,
    ) -> io::Result<Reach> {
        let (source, length) = (file.source, file.length);
        if index.covered == 0 {
            // By its first lines a file has its place among others.
            let some = length.min(BEYOND_BYTES);
            indexer.extend(source, &file.file, some, index, budget)?;
        }
        let Window { from, to } = self.window;
        let stretch = index.covered..length;
        let start = start_of(source, &file.file, stretch.clone(), from, budget)?;
        if start > index.covered {
            index.skip(start - index.covered, true);
        }
        let after = Timestamp::from_millis(to.as_millis().saturating_add(1));
        let end = start_of(source, &file.file, stretch, after, budget)?;
        let end = length.min(end.saturating_add(BEYOND_BYTES));
        let end = end.max(index.covered);
        match indexer.extend(source, &file.file, end, index, budget)? {
            Reach::End { .. } if end < length => Ok(Reach::End { rest: 0 }),
            reach => Ok(reach),
        }
    }
}

/// A rotated file that is a copy of the live one, which is about to be truncated, begins with the
/// same bytes. The live one is read.
fn drop_copies(files: &mut Vec<LogFile>) {
    let live: Vec<(PathBuf, u64, Vec<u8>)> = files
        .iter()
        .filter(|file| file.live && !file.packed)
        .filter_map(|file| {
            let beginning = read_beginning(&file.file, file.length).ok()?;
            Some((file.log.clone(), file.length, beginning))
        })
        .collect();
    files.retain(|file| {
        let of_live = live.iter().find(|(log, ..)| *log == file.log);
        let Some((_, length, beginning)) = of_live else {
            return true;
        };
        let is_copy = !file.live
            && !file.packed
            && file.length > 0
            && file.length <= *length
            && read_beginning(&file.file, file.length).is_ok_and(|own| beginning.starts_with(&own));
        !is_copy
    });
}
