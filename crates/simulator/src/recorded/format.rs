//! A recording as text: a first line with the version, a few lines about it, then a line for each series.
//!
//! ```text
//! bellwether recording 1
//! # Scrapes of real services in a quiet stretch …
//! from 2026-11-23T14:00:00Z
//! length 15m
//! step 15s
//! job spring
//! factor 1
//! gauge +3127ms up{instance="127.0.0.11:8480",job="spring"} 1 1 1 …
//! counter +3127ms logback_events_total{instance="127.0.0.11:8480",…} - - 1 1 4 …
//! ```
//!
//! `+3127ms` is how long after the beginning of each step its target was scraped; `-` stands where the series wasn't
//! there. Lines of comment begin with `#`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::recording::{MAX_SERIES, Recording, RecordingError, check_shape};
use super::series::{Kind, RecordedSeries};
use crate::duration::Span;
use crate::labels::{excerpt, is_metric_name, parse_labels};

/// Longer texts are refused, also when they come out of a small `.gz`.
pub const MAX_TEXT_BYTES: u64 = 256 << 20;
const FIRST_LINE: &str = "bellwether recording 1";
const ABOUT: &str = "# Every scrape of real services in a quiet stretch, as Prometheus had them: type, when in each step the\n# target was scraped, series, and one value for each scrape (- where the series wasn't there).";
const ABSENT: &str = "-";

#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("line {line}: {problem}")]
    Line { line: usize, problem: String },
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Recording {
    /// Compressed where the name ends in `.gz`.
    pub fn read(path: &Path) -> Result<Recording, FormatError> {
        let file = File::open(path)?;
        if is_compressed(path) {
            Recording::read_text(GzDecoder::new(file))
        } else {
            Recording::read_text(file)
        }
    }

    pub fn read_text(text: impl Read) -> Result<Recording, FormatError> {
        let mut lines = Lines::new(text);
        let header = Header::read(&mut lines)?;
        let scrapes = header.scrapes;
        let mut series = Vec::new();
        while let Some(text) = lines.next()? {
            let one = parse_series(text).and_then(|one| {
                one.check(scrapes, header.step.as_millis())?;
                if series.len() >= MAX_SERIES {
                    return Err(format!("there are more than {MAX_SERIES} series"));
                }
                Ok(one)
            });
            series.push(one.map_err(|problem| lines.refuse(problem))?);
        }
        Ok(Recording::new(
            header.from_ms,
            header.step,
            scrapes,
            &header.job,
            series,
        )?)
    }

    /// Whole or not at all; compressed where the name ends in `.gz`.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".tmp");
        let out = BufWriter::new(File::create(&draft)?);
        if is_compressed(path) {
            let mut out = GzEncoder::new(out, Compression::best());
            self.write_text(&mut out)?;
            out.finish()?.flush()?;
        } else {
            self.write_text(out)?;
        }
        std::fs::rename(&draft, path)
    }

    pub fn write_text(&self, mut out: impl Write) -> io::Result<()> {
        let from = Timestamp::from_millisecond(self.from_ms()).map_err(io::Error::other)?;
        writeln!(out, "{FIRST_LINE}\n{ABOUT}")?;
        writeln!(out, "from {from}\nlength {}", self.length())?;
        writeln!(out, "step {}\njob {}", self.step(), self.job())?;
        writeln!(out, "factor {}", Recording::FACTOR)?;
        for series in self.series() {
            write!(
                out,
                "{} +{}ms {series}",
                series.kind.name(),
                series.offset_ms
            )?;
            for value in &series.values {
                match value {
                    Some(value) => write!(out, " {value}")?,
                    None => write!(out, " {ABSENT}")?,
                }
            }
            writeln!(out)?;
        }
        out.flush()
    }
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix == "gz")
}

/// Lines with their numbers, without those of comment.
struct Lines<R> {
    text: BufReader<io::Take<R>>,
    line: String,
    number: usize,
}

impl<R: Read> Lines<R> {
    fn new(text: R) -> Self {
        Lines {
            text: BufReader::new(text.take(MAX_TEXT_BYTES)),
            line: String::new(),
            number: 0,
        }
    }

    fn next(&mut self) -> Result<Option<&str>, FormatError> {
        loop {
            self.line.clear();
            self.number += 1;
            if self.text.read_line(&mut self.line)? == 0 {
                return Ok(None);
            }
            // The last line of a text that was cut off has no end.
            if !self.line.ends_with('\n') {
                return Err(self.refuse(format!(
                    "the text breaks off here, or is longer than {} MiB",
                    MAX_TEXT_BYTES >> 20
                )));
            }
            if !self.line.starts_with('#') {
                return Ok(Some(self.line.trim_end()));
            }
        }
    }

    fn refuse(&self, problem: String) -> FormatError {
        FormatError::Line {
            line: self.number,
            problem,
        }
    }
}

struct Header {
    from_ms: i64,
    step: Span,
    scrapes: usize,
    job: String,
}

impl Header {
    fn read<R: Read>(lines: &mut Lines<R>) -> Result<Header, FormatError> {
        let first = lines.next()?.unwrap_or_default().to_owned();
        if first != FIRST_LINE {
            return Err(lines.refuse(format!(
                "{:?} isn't {FIRST_LINE:?}: this is no recording, or one of another version",
                excerpt(&first)
            )));
        }
        let from: Timestamp = header(lines, "from")?;
        let length: Span = header(lines, "length")?;
        let step: Span = header(lines, "step")?;
        let scrapes = length
            .as_millis()
            .checked_div(step.as_millis())
            .unwrap_or_default();
        let scrapes = usize::try_from(scrapes).unwrap_or_default();
        check_shape(step, scrapes).map_err(|problem| lines.refuse(problem))?;
        let job: String = header(lines, "job")?;
        let factor: f64 = header(lines, "factor")?;
        if factor != Recording::FACTOR {
            return Err(lines.refuse(format!(
                "it was recorded at {factor} times the load; only recordings at factor {} are tiled",
                Recording::FACTOR
            )));
        }
        Ok(Header {
            from_ms: from.as_millisecond(),
            step,
            scrapes,
            job,
        })
    }
}

fn header<R: Read, T: std::str::FromStr>(
    lines: &mut Lines<R>,
    name: &str,
) -> Result<T, FormatError> {
    let line = lines.next()?.unwrap_or_default();
    let value = line
        .split_once(' ')
        .filter(|(word, _)| *word == name)
        .and_then(|(_, value)| value.parse().ok());
    match value {
        Some(value) => Ok(value),
        None => {
            let problem = format!("{:?} should be `{name} …`", excerpt(line));
            Err(lines.refuse(problem))
        }
    }
}

fn parse_series(line: &str) -> Result<RecordedSeries, String> {
    let mut words = line.splitn(3, ' ');
    let kind = words.next().unwrap_or_default();
    let kind = Kind::named(kind)
        .ok_or_else(|| format!("{:?} is neither counter nor gauge", excerpt(kind)))?;
    let offset = words.next().unwrap_or_default();
    let offset_ms = offset
        .strip_prefix('+')
        .and_then(|offset| offset.strip_suffix("ms"))
        .and_then(|offset| offset.parse().ok())
        .ok_or_else(|| format!("{:?} isn't an offset like +3127ms", excerpt(offset)))?;
    let rest = words.next().unwrap_or_default();
    let (name, rest) = rest
        .split_once('{')
        .ok_or_else(|| format!("{:?} has no labels", excerpt(rest)))?;
    if !is_metric_name(name) {
        return Err(format!("{:?} is no name of a metric", excerpt(name)));
    }
    let (labels, rest) = parse_labels(rest)?;
    let values = rest
        .split_ascii_whitespace()
        .map(parse_value)
        .collect::<Result<Vec<_>, String>>()?;
    Ok(RecordedSeries {
        kind,
        name: name.to_owned(),
        labels,
        offset_ms,
        values,
    })
}

fn parse_value(text: &str) -> Result<Option<f64>, String> {
    if text == ABSENT {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| format!("{:?} is no value", excerpt(text)))
}
