//! Which files there are: the logs that a place stands for, and their rotated siblings.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::beneath::{self, Unopened};
use super::glob::Glob;
use super::index::Seen;
use super::template::Place;

/// The most files that one template stands for; beyond, the newest are taken.
pub const FILES_MAX: usize = 16_384;
/// The most names that are looked at.
const NAMES_MAX: usize = 262_144;

/// A file is the same under any name.
pub(super) type Identity = (u64, u64);

/// A file as it was listed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// Beneath the root.
    pub relative: PathBuf,
    /// The live file of its log, there or not.
    pub log: PathBuf,
    pub live: bool,
    pub packed: bool,
    pub identity: Identity,
    pub length: u64,
    /// Nanoseconds since the epoch.
    pub modified: i128,
    /// Reached over a link.
    linked: bool,
    /// The number of what was under the name when the folder was read.
    number: u64,
}

impl Listed {
    /// The entry of the folder. All entries of a folder are of the same instant, or nearly so; what
    /// is known of the file itself is younger.
    pub(super) fn entry(&self) -> (PathBuf, u64) {
        (self.relative.clone(), self.number)
    }

    pub(super) fn seen(&self) -> Seen {
        (self.length, self.modified)
    }

    pub(super) fn open(&self, place: &Place) -> Result<fs::File, Unopened> {
        if !self.linked
            && let Some(file) = beneath::open_seen(&place.root, &self.relative)
        {
            return Ok(file);
        }
        let shown = place.shown_at(&self.relative);
        beneath::open(&place.root, &self.relative, shown)
    }
}

/// What was found of a place.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Live files first, then the newest.
    pub files: Vec<Listed>,
    /// Why files with a right name are not among them.
    pub refused: Vec<Unopened>,
    /// There are more files than are looked at.
    pub is_cut: bool,
}

/// Lists the files of a place; at most `files_max`.
pub(super) fn walk(place: &Place, files_max: usize) -> Walk {
    let mut walker = Walker {
        place,
        root: None,
        names: 0,
        walk: Walk::default(),
    };
    match place.root.canonicalize() {
        Ok(root) => {
            walker.root = Some(root);
            walker.descend(Path::new(""), &place.parts);
        }
        Err(source) => walker.fail(Path::new(""), source),
    }
    let mut walk = walker.walk;
    if walk.files.is_empty() && walk.refused.is_empty() {
        walk.refused.push(Unopened::Failed {
            path: place.shown(),
            source: io::Error::from(io::ErrorKind::NotFound),
        });
    }
    walk.files.sort_by(|a, b| {
        let key = |file: &Listed| (!file.live, file.packed, -file.modified);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.relative.cmp(&b.relative))
    });
    if walk.files.len() > files_max {
        walk.files.truncate(files_max);
        walk.is_cut = true;
    }
    walk
}

struct Walker<'a> {
    place: &'a Place,
    /// The true one.
    root: Option<PathBuf>,
    names: usize,
    walk: Walk,
}

impl Walker<'_> {
    /// Says so once for each place.
    fn fail(&mut self, relative: &Path, source: io::Error) {
        if source.kind() != io::ErrorKind::NotFound && self.walk.refused.is_empty() {
            let path = self.place.shown_at(relative);
            self.walk.refused.push(Unopened::Failed { path, source });
        }
    }

    fn descend(&mut self, folder: &Path, parts: &[Glob]) {
        let [part, inner @ ..] = parts else { return };
        if inner.is_empty() {
            self.list(folder, part);
        } else if let Some(name) = part.only() {
            self.descend(&folder.join(name), inner);
        } else {
            for name in self.names_in(folder).into_keys() {
                if part.matches(&name) {
                    self.descend(&folder.join(name), inner);
                }
            }
        }
    }

    /// The names in a folder that truly lies beneath the root, with the numbers of what they stand
    /// for; any other folder isn't even listed.
    fn names_in(&mut self, folder: &Path) -> BTreeMap<String, u64> {
        let path = self.place.root.join(folder);
        match path.canonicalize() {
            Ok(true_path) if !self.root.as_ref().is_some_and(|r| true_path.starts_with(r)) => {
                if self.walk.refused.is_empty() {
                    self.walk.refused.push(Unopened::Refused {
                        path: self.place.shown_at(folder),
                        what: "it leads out of the log folder, so it isn't read",
                    });
                }
                return BTreeMap::new();
            }
            Ok(_) => {}
            Err(error) => {
                // A file where a folder could be is no folder of logs.
                self.fail(folder, error);
                return BTreeMap::new();
            }
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return BTreeMap::new(),
            Err(error) => {
                self.fail(folder, error);
                return BTreeMap::new();
            }
        };
        let left = NAMES_MAX.saturating_sub(self.names);
        let mut names = BTreeMap::new();
        for entry in entries.flatten() {
            if names.len() >= left {
                self.walk.is_cut = true;
                break;
            }
            let name = entry.file_name().into_string().ok();
            names.extend(name.map(|name| (name, entry.ino())));
        }
        self.names += names.len();
        names
    }

    fn list(&mut self, folder: &Path, glob: &Glob) {
        let names = self.names_in(folder);
        for (name, number) in &names {
            let Some(role) = role(name, glob, &names) else {
                continue;
            };
            let relative = folder.join(name);
            // Where both are there, packing is under way.
            let packing = role.packed && names.contains_key(&name[..name.len() - ".gz".len()]);
            if packing && !role.live {
                continue;
            }
            match self.look(&relative) {
                Ok(Some((metadata, linked))) => self.walk.files.push(Listed {
                    log: folder.join(role.log),
                    live: role.live,
                    packed: role.packed,
                    identity: identity(&metadata),
                    length: metadata.len(),
                    modified: modified(&metadata),
                    linked,
                    number: *number,
                    relative,
                }),
                // It is gone since.
                Ok(None) => {}
                Err(refused) if role.live => self.walk.refused.push(refused),
                Err(_) => {}
            }
        }
    }

    /// What is under a name; links are followed as far as they stay beneath the root.
    fn look(&self, relative: &Path) -> Result<Option<(Metadata, bool)>, Unopened> {
        match fs::symlink_metadata(self.place.root.join(relative)) {
            Ok(metadata) if metadata.is_file() => Ok(Some((metadata, false))),
            Ok(_) => {
                let shown = self.place.shown_at(relative);
                match beneath::open(&self.place.root, relative, shown) {
                    Ok(file) => Ok(file.metadata().ok().map(|metadata| (metadata, true))),
                    Err(error) if error.is_missing() => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Err(_) => Ok(None),
        }
    }
}

pub(super) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

pub(super) fn seen(metadata: &Metadata) -> Seen {
    (metadata.len(), modified(metadata))
}

fn modified(metadata: &Metadata) -> i128 {
    i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec())
}

#[derive(Debug, PartialEq, Eq)]
struct Role<'a> {
    /// The name of the log's live file.
    log: &'a str,
    live: bool,
    packed: bool,
}

/// What a file is to the logs whose live files `glob` matches: none of theirs, a live one, or a
/// rotated sibling (`app.json.1`, `app.json.2026-11-22.0.gz`, `app.json-20261122`).
///
/// A name that may be both is a sibling where the other file is there.
fn role<'a>(name: &'a str, glob: &Glob, names: &BTreeMap<String, u64>) -> Option<Role<'a>> {
    let own = glob.matches(name);
    let (plain, packed) = match name.strip_suffix(".gz") {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let is_log = |log: &&str| glob.matches(log) && (!own || names.contains_key(*log));
    let whole = packed.then_some(plain);
    if let Some(log) = whole.into_iter().chain(bases(plain)).find(is_log) {
        return Some(Role {
            log,
            live: false,
            packed,
        });
    }
    own.then_some(Role {
        log: name,
        live: true,
        packed,
    })
}

/// What a rotated file may have been called, the shortest first: behind a dot, a dash or an
/// underscore come digits and what separates them, so that `pay.log-gateway` isn't one of
/// `pay.log`.
fn bases(name: &str) -> impl Iterator<Item = &str> {
    let is_tail = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'_' | b'T' | b'Z');
    let bytes = name.as_bytes();
    let tail = bytes.iter().rposition(|byte| !is_tail(*byte));
    let tail = tail.map_or(0, |last| last + 1);
    let digits_end = bytes.iter().rposition(u8::is_ascii_digit).unwrap_or(0);
    (tail.max(1)..digits_end)
        .filter(move |at| matches!(bytes[*at], b'.' | b'-' | b'_'))
        .map(move |at| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::template::LogTemplate;

    fn glob(pattern: &str) -> Glob {
        let mut glob = Glob::default();
        glob.push_pattern(pattern);
        glob
    }

    #[test]
    fn rotated_names_are_known() {
        let check = |pattern: &str, name: &str, expected: Option<(&str, bool, bool)>| {
            let names = ["a.json", name].map(|name| (name.to_owned(), 0)).into();
            let role = role(name, &glob(pattern), &names);
            let role = role.map(|role| (role.log, role.live, role.packed));
            assert_eq!(role, expected, "{pattern} {name}");
        };
        for pattern in ["a.json", "*.json", "?.json", "a*"] {
            check(pattern, "a.json", Some(("a.json", true, false)));
            check(pattern, "a.json.1", Some(("a.json", false, false)));
            check(pattern, "a.json.1.gz", Some(("a.json", false, true)));
            check(pattern, "a.json.gz", Some(("a.json", false, true)));
            check(
                pattern,
                "a.json.2026-11-22.0.gz",
                Some(("a.json", false, true)),
            );
            check(pattern, "a.json-20261122", Some(("a.json", false, false)));
        }
        check("a.json", "b.json.1", None);
        check("*.json", "b.json.1", Some(("b.json", false, false)));
        check("a.json", "a.json.gz.tmp", None);
        check("a.json", "a.json-gateway.1", None);
        check("*", "b-7", Some(("b-7", true, false)));
        check("b-*", "b-7", Some(("b-7", true, false)));
        check("*.gz", "b.gz", Some(("b.gz", true, true)));
        check("*.json", "é.json.1", Some(("é.json", false, false)));
        check("*", "1", Some(("1", true, false)));
    }

    #[test]
    fn beyond_the_bound_the_newest_files_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in 0..5 {
            let file = fs::File::create(folder.path().join(format!("{name}.json"))).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(name);
            file.set_modified(time).unwrap();
        }
        let path = format!("{}/*.json", folder.path().display());
        let place = LogTemplate::new(path).unwrap().everywhere();
        let found = |files_max| {
            let walk = walk(&place, files_max);
            let names = walk.files.into_iter().map(|file| file.relative);
            (names.collect::<Vec<PathBuf>>(), walk.is_cut)
        };
        let newest = ["4.json", "3.json", "2.json"].map(PathBuf::from);
        assert_eq!(found(3), (newest.to_vec(), true));
        assert!(!found(5).1);
    }
}
