//! Opening a file beneath a root, or not at all.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unopened {
    #[error("{path}: {what}")]
    Refused { path: String, what: &'static str },
    #[error("{path}: {}", in_words(.source))]
    Failed { path: String, source: io::Error },
}

impl Unopened {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Unopened::Failed { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file; check logs[].path".into(),
        io::ErrorKind::PermissionDenied => {
            "reading it is not permitted; let the user of Bellwether read it".into()
        }
        _ => error.to_string(),
    }
}

/// Opens what was seen to be a regular file, without a link on the way: a few system calls.
/// None where that isn't so any more; [`open`] tells why.
pub(super) fn open_seen(root: &Path, relative: &Path) -> Option<File> {
    let file = open_inner(root, relative).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

/// Opens `root/relative` for reading: a regular file whose true place is beneath the true root.
/// Never blocks, not even on a FIFO.
pub(super) fn open(root: &Path, relative: &Path, shown: String) -> Result<File, Unopened> {
    let failed = |source| Unopened::Failed {
        path: shown.clone(),
        source,
    };
    let refused = |what| Unopened::Refused {
        path: shown.clone(),
        what,
    };
    let root = root.canonicalize().map_err(failed)?;
    let path = root.join(relative).canonicalize().map_err(failed)?;
    let Ok(inner) = path.strip_prefix(&root) else {
        return Err(refused("it leads out of the log folder, so it isn't read"));
    };
    let kind = path.metadata().map_err(failed)?.file_type();
    if !kind.is_file() {
        return Err(refused(if kind.is_dir() {
            "it is a folder; logs[].path must name a file"
        } else {
            "it is not a regular file, so it isn't read"
        }));
    }
    let file = open_inner(&root, inner).map_err(failed)?;
    // What was checked by name may have been swapped before it was opened.
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(refused("it is not a regular file, so it isn't read"));
    }
    Ok(file)
}

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// The kernel keeps the way beneath the root and free of links, where it can.
#[cfg(target_os = "linux")]
fn open_inner(root: &Path, inner: &Path) -> io::Result<File> {
    use rustix::fs::{ResolveFlags, openat2};
    use rustix::io::Errno;
    let folder = File::open(root)?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match openat2(&folder, inner, FLAGS, Mode::empty(), resolve) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::NOSYS | Errno::PERM) => open_checked(root, inner),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn open_inner(root: &Path, inner: &Path) -> io::Result<File> {
    open_checked(root, inner)
}

/// Where the kernel can't, no part of the way may be a link.
fn open_checked(root: &Path, inner: &Path) -> io::Result<File> {
    let root = root.canonicalize()?;
    let path = root.join(inner);
    if path.canonicalize()? != path {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(File::from(rustix::fs::open(path, FLAGS, Mode::empty())?))
}
