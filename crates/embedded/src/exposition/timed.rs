//! Files of samples with times: OpenMetrics as `promtool tsdb create-blocks-from openmetrics`
//! reads it.

use std::collections::HashMap;

use super::error::{ExpositionError, ExpositionProblem, excerpt};
use super::{Entry, Format, Parser};
use crate::{Labels, Sample};

/// The samples of a file of OpenMetrics in which each has a time, in the order of the file.
pub fn samples(text: &str) -> TimedSamples<'_> {
    TimedSamples {
        parser: Parser::new(text, Format::OpenMetrics),
        known: HashMap::new(),
    }
}

/// See [`samples`]; after an error it ends.
pub struct TimedSamples<'a> {
    parser: Parser<'a>,
    /// Series by how they are written, so that the labels of a series are made once.
    known: HashMap<&'a str, Labels>,
}

impl Iterator for TimedSamples<'_> {
    type Item = Result<(Labels, Sample), ExpositionError>;

    /// # Errors
    /// What the parser refuses, and a sample without a time.
    fn next(&mut self) -> Option<Result<(Labels, Sample), ExpositionError>> {
        let line = loop {
            match self.parser.next()? {
                Ok(Entry::Sample(line)) => break line,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        };
        let Some(time_ms) = line.time_ms else {
            self.parser.stop();
            return Some(Err(ExpositionError {
                line: self.parser.line(),
                problem: ExpositionProblem::TimeMissing {
                    series: excerpt(line.series),
                },
            }));
        };
        let labels = self.known.entry(line.series);
        let labels = labels.or_insert_with(|| line.to_labels([])).clone();
        let value = line.value;
        Some(Ok((labels, Sample { time_ms, value })))
    }
}
