//! Where the answer goes: made aside, and put in its place when all of it is there.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::DetectionError;
use super::incidents::Opened;
use super::walk::Scored;

const INCIDENTS: &str = "incidents.csv";

/// A folder under way; what was not published goes away with it.
pub(crate) struct Output {
    out: PathBuf,
    aside: PathBuf,
}

impl Output {
    /// Begins an answer that is to lie in `out`, which may be there already.
    pub fn beside(out: &Path) -> Result<Output, DetectionError> {
        let failed = |path: &Path, source| write_failed(path, source);
        let out = std::path::absolute(out).map_err(|source| failed(out, source))?;
        if out.exists() && !out.is_dir() {
            return Err(DetectionError::OutIsNoFolder(out));
        }
        let process = std::process::id();
        // Within a folder that is there, as it may be a file system of its own.
        let aside = match (out.is_dir(), out.file_name()) {
            (false, Some(name)) => {
                out.with_file_name(format!("{}.{process}.partial", name.to_string_lossy()))
            }
            _ => out.join(format!("{process}.partial")),
        };
        fs::create_dir_all(&aside).map_err(|source| failed(&aside, source))?;
        Ok(Output { out, aside })
    }

    /// One file of scores, a row for each of the data, gzipped files without their `.gz`.
    pub fn scores(
        &self,
        file: &str,
        stamps: &[String],
        rows: &[Scored],
    ) -> Result<(), DetectionError> {
        let file = file.strip_suffix(".gz").unwrap_or(file);
        self.write(file, |out| {
            writeln!(out, "timestamp,score,is_anomaly")?;
            for (stamp, Scored { score, is_anomaly }) in stamps.iter().zip(rows) {
                writeln!(out, "{stamp},{score:.6},{}", u8::from(*is_anomaly))?;
            }
            Ok(())
        })
    }

    pub fn incidents(&self, incidents: &[Opened]) -> Result<(), DetectionError> {
        self.write(INCIDENTS, |out| {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(["entity", "opened_ts", "metric", "suspect"])?;
            for opened in incidents {
                csv.write_record([&opened.entity, &opened.at, &opened.metric, &opened.suspect])?;
            }
            csv.flush()
        })
    }

    fn write(
        &self,
        file: &str,
        fill: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
    ) -> Result<(), DetectionError> {
        let path = self.aside.join(file);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut out = BufWriter::new(fs::File::create(&path)?);
            fill(&mut out)?;
            out.flush()
        };
        write().map_err(|source| write_failed(&path, source))
    }

    /// Puts everything in its place, each file at once; the incidents last.
    pub fn publish(self) -> Result<(), DetectionError> {
        let published = if self.out.is_dir() {
            place(&self.aside, &self.out)
        } else {
            fs::rename(&self.aside, &self.out)
        };
        published.map_err(|source| write_failed(&self.out, source))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Gone already where all went well.
        let _ = fs::remove_dir_all(&self.aside);
    }
}

/// Moves the files of a folder into another, folder by folder.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut entries: Vec<PathBuf> = fs::read_dir(from)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort_by_key(|path| (path.ends_with(INCIDENTS), path.clone()));
    for path in entries {
        let Some(name) = path.file_name() else {
            continue;
        };
        let target = to.join(name);
        if path.is_dir() {
            place(&path, &target)?;
        } else {
            fs::rename(&path, &target)?;
        }
    }
    Ok(())
}

fn write_failed(path: &Path, source: io::Error) -> DetectionError {
    DetectionError::Write {
        path: path.to_owned(),
        source,
    }
}
