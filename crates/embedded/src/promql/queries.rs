//! Lists of range queries: `START END STEP EXPRESSION`, one a line.

use domain::Timestamp;
use promql_parser::util::parse_duration;

use super::{Expression, PromqlError};

/// A list has no more than these.
const QUERIES_MAX: usize = 100_000;
/// Three thousand years.
const SECONDS_MAX: f64 = 1e11;

/// One range query.
#[derive(Debug)]
pub struct Query {
    /// From one.
    pub line: usize,
    pub start_ms: i64,
    /// Included.
    pub end_ms: i64,
    /// Above zero.
    pub step_ms: i64,
    pub expression: Expression,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QueriesError {
    #[error("line {line}: {found} words where START END STEP EXPRESSION belong")]
    Words { line: usize, found: usize },
    #[error(
        "line {line}: {text:?} is no time; write seconds since the epoch or 2026-03-01T12:00:00Z"
    )]
    Time { line: usize, text: String },
    #[error("line {line}: {text:?} is no step; write seconds or a length of time like 15s or 1m")]
    Step { line: usize, text: String },
    #[error("line {line}")]
    Expression { line: usize, source: PromqlError },
    #[error("line {line}: more than {limit} queries")]
    TooMany { line: usize, limit: usize },
}

/// Reads a list; empty lines and those that begin with `#` are left out.
///
/// Times are seconds since the epoch, with fractions, or RFC 3339; steps are seconds or lengths of
/// time as PromQL writes them.
///
/// ```
/// let list = "# rates\n0 3600 15s rate(requests_total[5m])\n";
/// let queries = embedded::promql::queries::read(list)?;
/// assert_eq!((queries[0].line, queries[0].end_ms, queries[0].step_ms), (2, 3_600_000, 15_000));
/// # Ok::<(), embedded::promql::queries::QueriesError>(())
/// ```
///
/// # Errors
/// The first line that is no such query.
pub fn read(text: &str) -> Result<Vec<Query>, QueriesError> {
    each(text).collect()
}

/// As [`read`], one by one: an expression that can't be evaluated doesn't hold up the others.
///
/// # Errors
/// A line that is no such query.
pub fn each(text: &str) -> impl Iterator<Item = Result<Query, QueriesError>> {
    let lines = text.lines().map(str::trim).zip(1..);
    let written = lines.filter(|(text, _)| !text.is_empty() && !text.starts_with('#'));
    let counted = written.enumerate().take(QUERIES_MAX + 1);
    counted.map(|(before, (text, line))| match before {
        QUERIES_MAX => Err(QueriesError::TooMany {
            line,
            limit: QUERIES_MAX,
        }),
        _ => query(text, line),
    })
}

fn query(text: &str, line: usize) -> Result<Query, QueriesError> {
    let (start, rest) = word(text);
    let (end, rest) = word(rest);
    let (step, expression) = word(rest);
    if expression.is_empty() {
        let found = text.split_whitespace().count();
        return Err(QueriesError::Words { line, found });
    }
    let no_time = |text: &str| QueriesError::Time {
        line,
        text: text.to_owned(),
    };
    let no_step = || QueriesError::Step {
        line,
        text: step.to_owned(),
    };
    Ok(Query {
        line,
        start_ms: time_ms(start).ok_or_else(|| no_time(start))?,
        end_ms: time_ms(end).ok_or_else(|| no_time(end))?,
        step_ms: length_ms(step).filter(|ms| *ms > 0).ok_or_else(no_step)?,
        expression: Expression::parse(expression)
            .map_err(|source| QueriesError::Expression { line, source })?,
    })
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// Seconds since the epoch, or RFC 3339.
pub fn time_ms(text: &str) -> Option<i64> {
    match text.parse() {
        Ok(seconds) => milliseconds(seconds),
        Err(_) => text.parse().ok().map(Timestamp::as_millis),
    }
}

/// Seconds, or a length of time as PromQL writes it.
pub fn length_ms(text: &str) -> Option<i64> {
    match text.parse() {
        Ok(seconds) => milliseconds(seconds),
        Err(_) => milliseconds(parse_duration(text).ok()?.as_secs_f64()),
    }
}

fn milliseconds(seconds: f64) -> Option<i64> {
    (seconds.abs() <= SECONDS_MAX).then_some((seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps_are_read_in_each_way() {
        let text = "\n# a comment\n1435781430.781 2015-07-01T20:11:00Z 1m30s  up  == 1 \n-1 0 .5 1";
        let queries = read(text).unwrap();
        let read: Vec<_> = queries
            .iter()
            .map(|q| (q.line, q.start_ms, q.end_ms, q.step_ms))
            .collect();
        assert_eq!(
            read,
            [
                (3, 1_435_781_430_781, 1_435_781_460_000, 90_000),
                (4, -1_000, 0, 500)
            ]
        );
        assert_eq!(queries[0].expression.text(), "up  == 1");
    }

    #[test]
    fn what_is_no_query_is_refused_with_its_line() {
        let says = |text: &str| read(text).unwrap_err().to_string();
        assert!(says("0 1 15s up\n0 1 15s").starts_with("line 2: 3 words"));
        assert!(says("\nnever 1 15s up").contains("line 2: \"never\" is no time"));
        assert!(says("0 NaN 15s up").contains("\"NaN\" is no time"));
        for step in ["0", "-1", "0s", "inf", "1e300", "1.5d", "x"] {
            let text = format!("0 1 {step} up");
            assert!(says(&text).contains("is no step"), "{step}");
        }
        let refused = read("0 1 1 deriv(x[5m])").unwrap_err();
        assert!(
            matches!(refused, QueriesError::Expression { line: 1, .. }),
            "{refused}"
        );
    }
}
