//! The files of one log: the live one and its rotated siblings, each once.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::beneath::{Unopened, open};
use super::template::Place;

/// Rotation may go on while we look; after so many looks the last is taken.
const LOOKS_MAX: usize = 5;
const ENTRIES_MAX: usize = 10_000;

/// One opened file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    pub file: File,
    /// Bytes at the time of opening; what is written later isn't read.
    pub length: u64,
    pub packed: bool,
    pub live: bool,
    identity: (u64, u64),
}

impl LogFile {
    fn new(file: File, packed: bool, live: bool) -> Option<LogFile> {
        let metadata = file.metadata().ok()?;
        Some(LogFile {
            file,
            length: metadata.len(),
            packed,
            live,
            identity: (metadata.dev(), metadata.ino()),
        })
    }
}

/// The live file of a place.
pub(super) fn live(place: &Place) -> Result<LogFile, Unopened> {
    let shown = place.shown(&place.relative);
    let file = open(&place.root, &place.relative, shown.clone())?;
    LogFile::new(file, false, true).ok_or(Unopened::Refused {
        path: shown,
        what: "its size can't be read",
    })
}

/// The live file, where there is one, and its rotated siblings (`app.json.1`,
/// `app.json.2026-11-22.0.gz`, `app.json-20261122`), at most `files_max`, the newest first.
///
/// The folder is read again after opening: where it changed, a file may have moved from under us,
/// and all is opened anew.
pub(super) fn all(place: &Place, files_max: usize) -> (Option<LogFile>, Vec<LogFile>) {
    let mut seen = siblings(place, files_max);
    let mut opened = (None, Vec::new());
    for _ in 0..LOOKS_MAX {
        let live = live(place).ok();
        let mut identities: BTreeSet<(u64, u64)> = live.iter().map(|f| f.identity).collect();
        let rotated = seen
            .iter()
            .filter_map(|sibling| {
                let file = open(&place.root, &sibling.relative, String::new()).ok()?;
                let file = LogFile::new(file, sibling.packed, false)?;
                identities.insert(file.identity).then_some(file)
            })
            .collect();
        opened = (live, rotated);
        let again = siblings(place, files_max);
        if again == seen {
            break;
        }
        seen = again;
    }
    opened
}

#[derive(Debug, PartialEq, Eq)]
struct Sibling {
    relative: PathBuf,
    packed: bool,
    inode: u64,
    modified: i64,
}

fn siblings(place: &Place, files_max: usize) -> Vec<Sibling> {
    let Some(name) = place.relative.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let folder = place.relative.parent().unwrap_or(Path::new(""));
    let path = place.root.join(folder);
    // A folder that leads out of the root isn't even listed.
    let beneath = path.canonicalize().is_ok_and(|path| {
        place
            .root
            .canonicalize()
            .is_ok_and(|root| path.starts_with(root))
    });
    if !beneath {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(&path) else {
        return Vec::new();
    };
    let mut siblings: Vec<Sibling> = entries
        .take(ENTRIES_MAX)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok()?;
            let own = entry.file_name();
            let packed = is_rotated(name, own.to_str()?)?;
            Some(Sibling {
                relative: folder.join(own),
                packed,
                inode: metadata.ino(),
                modified: metadata.mtime(),
            })
        })
        .collect();
    let unpacked: BTreeSet<PathBuf> = siblings
        .iter()
        .filter(|sibling| !sibling.packed)
        .map(|sibling| sibling.relative.clone())
        .collect();
    // Where both are there, packing is under way.
    siblings.retain(|s| !s.packed || !unpacked.contains(&s.relative.with_extension("")));
    siblings.sort_by(|a, b| (b.modified, &a.relative).cmp(&(a.modified, &b.relative)));
    siblings.truncate(files_max);
    siblings
}

/// Whether `other` is a rotated form of `name`, and then whether it is packed: behind a dot or a
/// dash come digits and what separates them, so that `pay.log-gateway` isn't one of `pay.log`.
fn is_rotated(name: &str, other: &str) -> Option<bool> {
    let tail = other.strip_prefix(name)?;
    let (tail, packed) = match tail.strip_suffix(".gz") {
        Some(tail) => (tail, true),
        None => (tail, false),
    };
    let plain = tail.starts_with(['.', '-', '_'])
        && tail.contains(|c: char| c.is_ascii_digit())
        && tail
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | 'T' | 'Z'));
    (plain || (tail.is_empty() && packed)).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_are_known() {
        let check = |other, packed| assert_eq!(is_rotated("a.json", other), packed, "{other}");
        check("a.json.1", Some(false));
        check("a.json.1.gz", Some(true));
        check("a.json.gz", Some(true));
        check("a.json.2026-11-22.0.gz", Some(true));
        check("a.json-20261122", Some(false));
        check("a.json", None);
        check("a.json.gz.tmp", None);
        check("a.json-gateway.1", None);
        check("b.json.1", None);
    }
}
