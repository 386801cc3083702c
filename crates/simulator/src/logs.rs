//! JSON log files, one per service: what its instances say, as ECS or Logstash lines, in files that rotate by size.
//! Each second's lines are a function of seed and time, so any way of calling gives the same text.

mod events;
mod format;
mod rotation;

use std::io;
use std::path::{Path, PathBuf};

use crate::fleet::Fleet;
use rotation::RotatingFile;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// A file that would grow beyond this is put aside first.
    pub max_bytes: u64,
    /// How many files that were put aside are kept: `app.json.1` is the newest.
    pub keep: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            max_bytes: 10 * 1024 * 1024,
            keep: 7,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("write log {}", path.display())]
pub struct LogError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Writes `<dir>/<service>/app.json` for every service of a fleet.
#[derive(Debug)]
pub struct LogWriter {
    files: Vec<RotatingFile>,
    /// The first second that is not written yet.
    next_second: i64,
}

impl LogWriter {
    /// Lines begin at `from_ms`; existing files are continued.
    pub fn new(
        dir: &Path,
        fleet: &Fleet,
        from_ms: i64,
        options: LogOptions,
    ) -> Result<Self, LogError> {
        let files = fleet
            .topology()
            .services()
            .iter()
            .map(|service| {
                let path = dir.join(&service.name).join("app.json");
                RotatingFile::open(&path, options).map_err(|source| LogError { path, source })
            })
            .collect::<Result<_, _>>()?;
        Ok(LogWriter {
            files,
            next_second: from_ms.div_euclid(1_000),
        })
    }

    /// Writes every whole second before `to_ms` that is not written yet, and says how many lines that were.
    pub fn write_until(&mut self, fleet: &Fleet, to_ms: i64) -> Result<usize, LogError> {
        let mut lines = 0;
        let mut text = String::new();
        for second in self.next_second..to_ms.div_euclid(1_000) {
            let conditions = fleet.conditions_at(second * 1_000 + 500);
            for (position, file) in self.files.iter_mut().enumerate() {
                let service = &fleet.topology().services()[position];
                let speaker = events::Speaker::new(fleet, position, &conditions, second);
                text.clear();
                for event in speaker.events() {
                    format::push_line(&mut text, service, &speaker, &event);
                    lines += 1;
                }
                if !text.is_empty() {
                    file.append(text.as_bytes()).map_err(|source| LogError {
                        path: file.path().to_owned(),
                        source,
                    })?;
                }
            }
            self.next_second = second + 1;
        }
        Ok(lines)
    }
}
