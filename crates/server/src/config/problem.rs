//! What is wrong with the settings, said so that it can be put right.

use std::fmt;
use std::path::PathBuf;

use super::document::Origin;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "{path} is larger than {} bytes, the most that a configuration may have",
        super::FILE_BYTES_MAX
    )]
    TooLarge { path: PathBuf },
    #[error("{path} is not UTF-8 text")]
    NotText { path: PathBuf },
    /// Everything that was found, one problem a line.
    #[error("{}", lines(.0))]
    Refused(Vec<Problem>),
}

/// One thing that is wrong: what, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    what: String,
    origin: Option<Origin>,
    advice: String,
    /// The keys it concerns; empty for the whole file.
    pub(super) path: Vec<String>,
}

impl Problem {
    pub(super) fn new(
        what: impl Into<String>,
        origin: Option<Origin>,
        advice: impl Into<String>,
    ) -> Problem {
        Problem {
            what: what.into(),
            origin,
            advice: advice.into(),
            path: Vec::new(),
        }
    }

    pub(super) fn of(mut self, path: &[String]) -> Problem {
        self.path = path.to_vec();
        self
    }

    /// Where it was written; nothing where a default is concerned.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// In the order of the file; what is not in it comes after.
    pub(super) fn position(&self) -> (u64, u64) {
        match &self.origin {
            Some(Origin::File { line, column, .. }) => (*line, *column),
            _ => (u64::MAX, 0),
        }
    }

    /// Whether one concerns the other, so that it may be nothing but its consequence.
    pub(super) fn overlaps(&self, other: &Problem) -> bool {
        self.path.starts_with(&other.path) || other.path.starts_with(&self.path)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(origin) = &self.origin {
            write!(f, " in {origin}")?;
        }
        if self.advice.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", self.advice)
    }
}

fn lines(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
    texts.join("\n")
}

/// `training.window`, from its parts.
pub(super) fn path_text(path: &[String]) -> String {
    path.join(".")
}

/// A text from outside, short enough to be quoted.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut short: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}
