//! An expression: parsed, and checked to lie within the subset.

use std::time::Duration;

use promql_parser::parser;

use super::check;
use super::error::PromqlError;
use super::guard;
use super::plan::{Plan, Source};
use crate::Matcher;

/// Parsed and checked: whatever it holds can be evaluated.
///
/// ```
/// use embedded::promql::Expression;
/// assert!(Expression::parse("sum by (job) (rate(http_requests_total[5m]))").is_ok());
/// let error = Expression::parse("predict_linear(free_bytes[1h], 3600)").unwrap_err();
/// assert!(error.to_string().contains("predict_linear"));
/// ```
#[derive(Debug)]
pub struct Expression {
    text: String,
    pub(super) plan: Plan,
}

/// The series that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    pub matchers: Vec<Matcher>,
    /// The oldest sample that counts is younger than this before the evaluation: range or lookback,
    /// and offset.
    pub reach: Duration,
}

impl Expression {
    /// # Errors
    /// Text that is no PromQL, is longer or nests deeper than is read, or uses what is not in the
    /// subset; the error names it.
    pub fn parse(text: &str) -> Result<Expression, PromqlError> {
        guard::check(text)?;
        let tree = parser::parse(text).map_err(check::unparsed)?;
        let plan = check::check(&tree)?;
        let text = text.to_owned();
        Ok(Expression { text, plan })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In the order in which they are written, each as often as it is.
    pub fn selectors(&self) -> Vec<Selector> {
        let sources = self.plan.sources().into_iter();
        sources.map(Source::selector).collect()
    }

    /// How far back the selector reads that reads furthest.
    pub fn reach(&self) -> Duration {
        let selectors = self.selectors().into_iter();
        selectors
            .map(|selector| selector.reach)
            .max()
            .unwrap_or_default()
    }
}

impl Source {
    fn selector(&self) -> Selector {
        let reach_ms = self.span_ms.saturating_add(self.offset_ms).max(0);
        Selector {
            matchers: self.matchers.clone(),
            reach: Duration::from_millis(reach_ms.unsigned_abs()),
        }
    }
}
