//! The index on disk: one file, whole or not there.
//!
//! Magic, version, length and checksum of the rest, then the files' indexes. What doesn't agree
//! with that is set aside and never believed; nothing is lost but a pass over the logs.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Crc;

use super::blocks::FileIndex;
use super::walk::Identity;

const NAME: &str = "log-index";
const MAGIC: [u8; 16] = *b"bellwether logs\n";
const VERSION: u32 = 1;
/// Magic, version, length, checksum.
const HEADER_BYTES: usize = 16 + 4 + 8 + 4;
/// No index is as large as this.
const BYTES_MAX: u64 = 64 << 20;

/// The index could not be saved.
#[derive(Debug, thiserror::Error)]
#[error("write the log index {path}")]
pub struct LogIndexError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// What was saved; else a remark about what became of it.
pub(super) fn load(folder: &Path) -> Result<Vec<(Identity, FileIndex)>, String> {
    let path = folder.join(NAME);
    let why = match read(&path) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(bytes)) => match decode(&bytes) {
            Ok(files) => return Ok(files),
            Err(why) => why.to_owned(),
        },
        Err(error) => error.to_string(),
    };
    let aside = folder.join(format!("{NAME}.damaged"));
    let done = match set_aside(&path, &aside) {
        Ok(()) => "set aside".to_owned(),
        Err(error) => format!("left there ({error})"),
    };
    Err(format!(
        "the log index {} could not be used: {why}; it was {done} and is built anew",
        path.display()
    ))
}

/// One damaged index is kept; an older one makes room.
fn set_aside(path: &Path, aside: &Path) -> io::Result<()> {
    match fs::symlink_metadata(aside) {
        Ok(old) if old.is_dir() => fs::remove_dir(aside)?,
        Ok(_) => fs::remove_file(aside)?,
        Err(_) => {}
    }
    fs::rename(path, aside)
}

/// None where there is none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn decode(bytes: &[u8]) -> Result<Vec<(Identity, FileIndex)>, &'static str> {
    let (header, body) = bytes
        .split_at_checked(HEADER_BYTES)
        .ok_or("it is too short")?;
    if header[..16] != MAGIC {
        return Err("it is no log index");
    }
    if header[16..20] != VERSION.to_le_bytes() {
        return Err("it has another version");
    }
    if header[..] != self::header(body) {
        return Err("its checksum is wrong");
    }
    postcard::from_bytes(body).map_err(|_| "it is not understood")
}

fn header(body: &[u8]) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((body.len() as u64).to_le_bytes());
    let mut sum = Crc::new();
    sum.update(&header);
    sum.update(body);
    header.extend(sum.sum().to_le_bytes());
    header
}

/// Says how many bytes were written.
pub(super) fn save(
    folder: &Path,
    files: &[(Identity, Arc<FileIndex>)],
) -> Result<u64, LogIndexError> {
    let path = folder.join(NAME);
    write(folder, &path, files).map_err(|source| LogIndexError { path, source })
}

fn write(folder: &Path, path: &Path, files: &[(Identity, Arc<FileIndex>)]) -> io::Result<u64> {
    let files: Vec<(Identity, &FileIndex)> =
        files.iter().map(|(id, index)| (*id, &**index)).collect();
    let body = postcard::to_stdvec(&files).map_err(io::Error::other)?;
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{NAME}.{}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(&header(&body))?;
            file.write_all(&body)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()?;
    Ok((HEADER_BYTES + body.len()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn some() -> Vec<(Identity, Arc<FileIndex>)> {
        let mut index = FileIndex::new(7);
        for i in 0..1000 {
            index.add(70_000, Some(Timestamp::from_millis(i * 1000)));
        }
        vec![((1, 2), Arc::new(index)), ((1, 3), Arc::default())]
    }

    #[test]
    fn every_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &some()).unwrap();
        let path = folder.path().join(NAME);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(decode(&bytes).unwrap().len(), 2);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bytes).is_err(), "bit {bit}");
        }
        assert!(decode(&[&bytes[..], b"more"].concat()).is_err());
    }
}
