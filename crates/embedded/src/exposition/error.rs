//! Why a page is refused.

use super::{LABEL_BYTES_MAX, LABELS_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX};

/// A page that can't be read, and the first line that says why.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ExpositionError {
    /// From 1.
    pub line: u64,
    pub problem: ExpositionProblem,
}

/// What is wrong with a line, and what would be right. Texts from the page are cut short.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExpositionProblem {
    #[error("it has {bytes} bytes; a line may have {LINE_BYTES_MAX}")]
    LineTooLong { bytes: usize },
    #[error("it has more than {LABELS_MAX} labels")]
    TooManyLabels,
    #[error("the name {name:?} is longer than {NAME_BYTES_MAX} bytes")]
    NameTooLong { name: String },
    #[error("the value of the label {label:?} is longer than {LABEL_BYTES_MAX} bytes")]
    LabelTooLong { label: String },
    #[error("the bytes from column {column} on are not UTF-8")]
    NotUtf8 { column: usize },
    #[error("it ends with a carriage return; lines end with a line feed alone")]
    CarriageReturn,
    #[error("{found:?} begins no sample: write e.g. name{{label=\"value\"}} 1")]
    NoName { found: String },
    #[error("the name of the metric is given twice, {first:?} and {second:?}")]
    TwoNames { first: String, second: String },
    #[error("the braces hold no name of a metric, and none stands before them")]
    NameMissing,
    #[error("the braces of {metric:?} are not closed")]
    Unclosed { metric: String },
    #[error("{found:?} is no label: write label=\"value\", separated by commas")]
    NoLabel { found: String },
    #[error("the label {label:?} needs = and a value in double quotes, not {found:?}")]
    NoLabelValue { label: String, found: String },
    #[error("the value of the label {label:?} isn't closed by a double quote")]
    UnclosedValue { label: String },
    #[error("the label {label:?} is given twice")]
    LabelTwice { label: String },
    #[error("the label __name__ is the name of the metric, which stands before the braces")]
    NameAsLabel,
    #[error("{series:?} has no value")]
    NoValue { series: String },
    #[error("{found:?} is no number: write e.g. 1, 2.5e-3, NaN, +Inf or -Inf")]
    NoNumber { found: String },
    #[error("{found:?} is no time: write milliseconds since 1970 as a whole number")]
    NoTimeMs { found: String },
    #[error("{found:?} is no time: write seconds since 1970")]
    NoTimeSeconds { found: String },
    #[error("{found:?} follows the sample: a value and a time is all there may be")]
    Trailing { found: String },
    #[error(
        "an exemplar follows the sample; only OpenMetrics has them, and the page is plain text"
    )]
    ExemplarInText,
    #[error("{found:?} is no exemplar: write # {{label=\"value\"}} 1")]
    NoExemplar { found: String },
    #[error("the comment {word} names no metric")]
    NoMetric { word: &'static str },
    #[error(
        "{found:?} is no type of a metric: counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown or untyped"
    )]
    NoType { found: String },
    #[error("it is blank, which OpenMetrics doesn't allow")]
    Blank,
    #[error("something follows # EOF")]
    AfterEnd,
    #[error("the page ends without # EOF: it was cut off, or isn't OpenMetrics")]
    NoEnd,
    #[error("the sample of {series:?} has no time")]
    TimeMissing { series: String },
}

/// The beginning of a text from the page.
pub(super) fn excerpt(text: &str) -> String {
    const CHARS: usize = 60;
    let mut beginning: String = text.chars().take(CHARS).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}
