//! Keys and values of a file into what they mean, with errors that name their place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tree::{Entry, Node, Value};
use super::{ScrapeConfigError, units};

/// The most of a text from the file that is shown.
const SHOWN_CHARS: usize = 80;

/// Reads a file and gathers what is to be said about it.
pub(super) struct Reader<'a> {
    path: &'a str,
    folder: &'a Path,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a str) -> Reader<'a> {
        Reader {
            path,
            folder: Path::new(path).parent().unwrap_or(Path::new("")),
            warnings: Vec::new(),
        }
    }

    pub(super) fn error(&self, line: u64, key: &str, what: impl Into<String>) -> ScrapeConfigError {
        ScrapeConfigError {
            path: self.path.to_owned(),
            line,
            key: key.to_owned(),
            what: what.into(),
        }
    }

    pub(super) fn warn(&mut self, line: u64, key: &str, what: &str) {
        let path = self.path;
        self.warnings.push(format!("{path}:{line}: {key}: {what}"));
    }

    /// Says that a key doesn't count.
    pub(super) fn ignored(&mut self, entry: &Entry, parent: &str, why: &str) {
        let key = joined(parent, &entry.key);
        self.warn(entry.line, &key, &format!("ignored: {why}"));
    }

    pub(super) fn unknown(&self, entry: &Entry, parent: &str) -> ScrapeConfigError {
        let key = joined(parent, &shown(&entry.key));
        let what = "there is no such key in Prometheus's configuration, or none that is understood here; take it out";
        self.error(entry.line, &key, what)
    }

    /// Nothing is an empty map.
    pub(super) fn map<'n>(
        &self,
        node: &'n Node,
        key: &str,
    ) -> Result<&'n [Entry], ScrapeConfigError> {
        match &node.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(&[]),
            _ => Err(self.wrong_kind(node, key, "a map of keys and values")),
        }
    }

    /// Nothing is an empty list.
    pub(super) fn list<'n>(
        &self,
        node: &'n Node,
        key: &str,
    ) -> Result<&'n [Node], ScrapeConfigError> {
        match &node.value {
            Value::List(items) => Ok(items),
            Value::Null => Ok(&[]),
            _ => Err(self.wrong_kind(node, key, "a list")),
        }
    }

    pub(super) fn text<'n>(&self, node: &'n Node, key: &str) -> Result<&'n str, ScrapeConfigError> {
        match &node.value {
            Value::Scalar(text) => Ok(text),
            _ => Err(self.wrong_kind(node, key, "a text")),
        }
    }

    pub(super) fn flag(&self, node: &Node, key: &str) -> Result<bool, ScrapeConfigError> {
        match self.text(node, key)? {
            "true" => Ok(true),
            "false" => Ok(false),
            other => {
                let what = format!("{:?} is neither true nor false", shown(other));
                Err(self.error(node.line, key, what))
            }
        }
    }

    /// More than nothing.
    pub(super) fn duration(&self, node: &Node, key: &str) -> Result<Duration, ScrapeConfigError> {
        let text = self.text(node, key)?;
        let duration = units::duration(text).filter(|duration| !duration.is_zero());
        duration.ok_or_else(|| {
            let what = format!("{:?} is no duration; write e.g. 15s or 1m30s", shown(text));
            self.error(node.line, key, what)
        })
    }

    /// A count; 0 is none.
    pub(super) fn limit(&self, node: &Node, key: &str) -> Result<Option<u64>, ScrapeConfigError> {
        let text = self.text(node, key)?;
        match text.parse() {
            Ok(0) => Ok(None),
            Ok(limit) => Ok(Some(limit)),
            Err(_) => {
                let what = format!("{:?} is no number of samples; write e.g. 5000", shown(text));
                Err(self.error(node.line, key, what))
            }
        }
    }

    /// Bytes; 0 is none.
    pub(super) fn size(&self, node: &Node, key: &str) -> Result<Option<u64>, ScrapeConfigError> {
        let text = self.text(node, key)?;
        let size = units::bytes(text).ok_or_else(|| {
            let what = format!("{:?} is no size; write e.g. 10MB", shown(text));
            self.error(node.line, key, what)
        })?;
        Ok((size > 0).then_some(size))
    }

    /// A file that is named relative to the configuration.
    pub(super) fn file(&self, node: &Node, key: &str) -> Result<PathBuf, ScrapeConfigError> {
        let text = self.text(node, key)?;
        if text.is_empty() || text.contains('\0') {
            return Err(self.error(node.line, key, format!("{text:?} is no file")));
        }
        Ok(self.folder.join(text))
    }

    fn wrong_kind(&self, node: &Node, key: &str, wanted: &str) -> ScrapeConfigError {
        let what = format!("it must be {wanted}, not {}", node.kind());
        self.error(node.line, key, what)
    }
}

/// Keys of a job that only steer Prometheus itself: formats it prefers, limits that protect it,
/// histograms of a kind that the text formats don't have.
pub(super) fn is_without_meaning(key: &str) -> bool {
    matches!(
        key,
        "track_timestamps_staleness"
            | "scrape_protocols"
            | "fallback_scrape_protocol"
            | "scrape_classic_histograms"
            | "always_scrape_classic_histograms"
            | "convert_classic_histograms_to_nhcb"
            | "scrape_native_histograms"
            | "native_histogram_bucket_limit"
            | "native_histogram_min_bucket_factor"
            | "enable_compression"
            | "enable_http2"
            | "extra_scrape_metrics"
            | "label_limit"
            | "label_name_length_limit"
            | "label_value_length_limit"
            | "target_limit"
            | "keep_dropped_targets"
            | "metric_name_validation_scheme"
            | "metric_name_escaping_scheme"
            | "scrape_failure_log_file"
            | "runtime"
    )
}

pub(super) fn joined(parent: &str, key: &str) -> String {
    match parent {
        "" => key.to_owned(),
        parent => format!("{parent}.{key}"),
    }
}

/// The beginning of a text from the file.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
