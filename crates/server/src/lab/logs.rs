//! `bellwether lab logs`: reads labelled lines, prints how well they were grouped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::read::MultiGzDecoder;
use lab::logs::{Line, LineError, LogReport, Mined, mine};

use crate::cli::LabLogs;

/// More is refused: the lines lie in memory, so that reading isn't measured.
const BYTES_MAX: u64 = 2 << 30;

/// What is wrong with a folder of lines.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error("{} has neither {name}.gz nor {name}; name a folder that has", folder.display())]
    Missing { folder: PathBuf, name: &'static str },
    #[error("{} is no folder; name the one that lines.tsv.gz or lines.tsv lies in", .0.display())]
    NoFolder(PathBuf),
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} has more than {} GiB of text; take a part of it",
        .0.display(),
        BYTES_MAX >> 30
    )]
    TooLarge(PathBuf),
    #[error("{}, line {number}", path.display())]
    Line {
        path: PathBuf,
        /// From 1.
        number: usize,
        source: LineError,
    },
    #[error("{} has no lines", .0.display())]
    Empty(PathBuf),
    #[error(
        "{} has {statements} lines, but there are {lines} log lines; there must be one for each",
        path.display()
    )]
    OtherLength {
        path: PathBuf,
        statements: usize,
        lines: usize,
    },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Groups the lines of a folder and prints what came of it.
///
/// # Errors
/// [`LogsError`] for a folder that can't be used, or ids that can't be written.
pub fn logs(asked: &LabLogs) -> anyhow::Result<ExitCode> {
    if !asked.folder.is_dir() {
        return Err(LogsError::NoFolder(asked.folder.clone()).into());
    }
    let lines = lines(&asked.folder)?;
    let truth = truth(&asked.folder, lines.len())?;
    let mined = mine(&lines);
    if let Some(path) = &asked.ids {
        write_ids(path, &mined)?;
    }
    let report = LogReport::of(&mined, truth.as_deref());
    if asked.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(folder: &Path) -> Result<Vec<Line>, LogsError> {
    let name = "lines.tsv";
    let folder = folder.to_owned();
    let Some(path) = found(&folder, name) else {
        return Err(LogsError::Missing { folder, name });
    };
    let mut lines = Vec::new();
    each_line(&path, |number, text| {
        let line = Line::parse(text).map_err(|source| LogsError::Line {
            path: path.clone(),
            number,
            source,
        })?;
        lines.push(line);
        Ok(())
    })?;
    if lines.is_empty() {
        return Err(LogsError::Empty(path));
    }
    Ok(lines)
}

/// The statement of each line, where they are told.
fn truth(folder: &Path, lines: usize) -> Result<Option<Vec<String>>, LogsError> {
    let Some(path) = found(folder, "truth.txt") else {
        return Ok(None);
    };
    let mut truth = Vec::new();
    each_line(&path, |_, text| {
        truth.push(text.to_owned());
        Ok(())
    })?;
    let statements = truth.len();
    if statements != lines {
        return Err(LogsError::OtherLength {
            path,
            statements,
            lines,
        });
    }
    Ok(Some(truth))
}

/// The file of this name, gzipped or not.
fn found(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [format!("{name}.gz"), name.to_owned()];
    let mut paths = names.into_iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}

/// Hands over each line with its number from 1; what is no UTF-8 is replaced.
fn each_line(
    path: &Path,
    mut take: impl FnMut(usize, &str) -> Result<(), LogsError>,
) -> Result<(), LogsError> {
    let failed = |source| LogsError::Read {
        path: path.to_owned(),
        source,
    };
    let mut reader = open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        if reader.limit() == 0 {
            return Err(LogsError::TooLarge(path.to_owned()));
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        take(number, text.strip_suffix('\r').unwrap_or(text))?;
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<io::Take<Box<dyn BufRead>>> {
    let file = File::open(path)?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn BufRead> = if is_gzip {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    Ok(reader.take(BYTES_MAX))
}

fn write_ids(path: &Path, mined: &Mined) -> Result<(), LogsError> {
    let ids: String = mined.ids.iter().map(|id| format!("{}\n", id.0)).collect();
    let written = File::create(path).and_then(|mut file| file.write_all(ids.as_bytes()));
    written.map_err(|source| LogsError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
