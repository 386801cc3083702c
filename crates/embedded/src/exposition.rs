//! The text formats in which targets say their metrics: Prometheus text 0.0.4 and OpenMetrics 1.0,
//! read line by line without copying.
//!
//! One bad line refuses the whole page, as in Prometheus: half a page would look like series that
//! have ended. The same holds for what goes beyond the bounds below. Where this reader differs from
//! Prometheus: a line break inside a label value must be escaped, as the format says; a text page
//! may hold negative times; in OpenMetrics blanks are as free as in text, a unit needn't be the end of
//! its metric's name, and any sample may carry an exemplar.

mod error;
mod labels;
mod number;
mod parser;
mod timed;

use std::borrow::Cow;

use crate::Labels;
use crate::labels::NAME;

pub use error::{ExpositionError, ExpositionProblem};
pub use parser::Parser;
pub use timed::{TimedSamples, samples};

/// The most bytes of a line.
pub const LINE_BYTES_MAX: usize = 256 << 10;
/// The most labels of a sample or an exemplar.
pub const LABELS_MAX: usize = 128;
/// The most bytes of the name of a metric or label.
pub const NAME_BYTES_MAX: usize = 1 << 10;
/// The most bytes of the value of a label, as it is written.
pub const LABEL_BYTES_MAX: usize = 64 << 10;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4; times are milliseconds.
    Text,
    /// OpenMetrics 1.0; times are seconds, and the page ends with `# EOF`.
    OpenMetrics,
}

impl Format {
    /// Of the header of that name. `None` for something that is no text of metrics, such as
    /// HTML, JSON or protobuf; anything else that is plain or unknown is taken for text.
    ///
    /// ```
    /// use embedded::exposition::Format;
    /// let of = |header| Format::of_content_type(header);
    /// assert_eq!(of("application/openmetrics-text; version=1.0.0; charset=utf-8"), Some(Format::OpenMetrics));
    /// assert_eq!(of("text/plain;version=0.0.4;charset=utf-8"), Some(Format::Text));
    /// assert_eq!(of(""), Some(Format::Text));
    /// assert_eq!(of("text/html; charset=utf-8"), None);
    /// ```
    pub fn of_content_type(header: &str) -> Option<Format> {
        let media = header.split(';').next().unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => Some(Format::OpenMetrics),
            "text/html"
            | "application/xhtml+xml"
            | "application/json"
            | "application/xml"
            | "text/xml"
            | "application/vnd.google.protobuf" => None,
            _ => Some(Format::Text),
        }
    }
}

/// What a line says. Comments and blank lines say nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    Sample(SampleLine<'a>),
    Type {
        name: Cow<'a, str>,
        kind: MetricKind,
    },
    Help {
        name: Cow<'a, str>,
        text: Cow<'a, str>,
    },
    Unit {
        name: Cow<'a, str>,
        unit: &'a str,
    },
}

/// What a family of series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    Unknown,
}

impl MetricKind {
    /// As Prometheus's API says it.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
            MetricKind::GaugeHistogram => "gaugehistogram",
            MetricKind::Summary => "summary",
            MetricKind::Info => "info",
            MetricKind::StateSet => "stateset",
            MetricKind::Unknown => "unknown",
        }
    }

    /// As a page says it; `untyped` is the word of the text format for unknown.
    fn of(word: &str) -> Option<MetricKind> {
        Some(match word {
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "gaugehistogram" => MetricKind::GaugeHistogram,
            "summary" => MetricKind::Summary,
            "info" => MetricKind::Info,
            "stateset" => MetricKind::StateSet,
            "unknown" | "untyped" => MetricKind::Unknown,
            _ => return None,
        })
    }
}

/// A sample as it stands on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleLine<'a> {
    /// Name and labels as they are written. The same text always means the same series, so it can
    /// be the key of a cache; one series can be written as several texts.
    pub series: &'a str,
    pub value: f64,
    /// Where the page gives a time; milliseconds since the epoch.
    pub time_ms: Option<i64>,
    /// Whether an exemplar follows; it is checked and not kept.
    pub exemplar: bool,
    /// As it is written, without quotes.
    name: &'a str,
    /// What is between the braces, after a quoted name.
    labels: &'a str,
}

impl<'a> SampleLine<'a> {
    /// The name of the metric.
    pub fn name(&self) -> Cow<'a, str> {
        labels::unescaped(self.name)
    }

    /// Name and value as they are meant, in the order of the page. No name comes twice, none is
    /// `__name__`; values can be empty.
    pub fn labels(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        labels::pairs(self.labels)
    }

    /// The labels of the series with its name, and `extra` ones, which win.
    pub fn to_labels<'e>(&self, extra: impl IntoIterator<Item = (&'e str, &'e str)>) -> Labels {
        let name = [(Cow::Borrowed(NAME), self.name())];
        let extra = extra
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        // Collected through one lifetime: the page's and the caller's texts are both only borrowed.
        let all: Vec<(Cow<'_, str>, Cow<'_, str>)> =
            name.into_iter().chain(self.labels()).chain(extra).collect();
        Labels::new(all)
    }
}
