//! How well lines are grouped by the statement that printed them, and how fast.
//!
//! The figures are those of the log parsing literature (Jiang et al., "A Large-Scale Evaluation for
//! Log Parsing Techniques", ISSTA 2024): grouping accuracy over lines, and F1 over groups.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Instant;

use domain::LogLevel;
use incident::{GroupId, LogMiner};
use serde::Serialize;
use thiserror::Error;

/// Figures of the peer that others measure by: label, GA, FGA, as measured with its defaults on the
/// development half of the labelled Spring Boot lines.
const PEER: [(&str, f64, f64); 2] = [
    ("Drain3 0.9.11, raw", 0.552, 0.314),
    ("Drain3 0.9.11, masked", 0.535, 0.324),
];
/// Passes over the lines; the fastest counts, as the others waited for something else.
const PASSES: usize = 3;

/// A line of a log, as it is given to the miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub service: String,
    pub logger: Option<String>,
    pub level: LogLevel,
    pub message: String,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected service, logger, level and message with tabs between, found {found} fields")]
pub struct LineError {
    pub found: usize,
}

impl Line {
    /// Reads four fields with tabs between; in the message `\t`, `\n` and `\\` are a tab, a line
    /// break and a backslash. An empty logger is none.
    ///
    /// # Errors
    /// More fields, or fewer.
    pub fn parse(text: &str) -> Result<Line, LineError> {
        let fields: Vec<&str> = text.split('\t').collect();
        let &[service, logger, level, message] = fields.as_slice() else {
            let found = fields.len();
            return Err(LineError { found });
        };
        Ok(Line {
            service: service.to_owned(),
            logger: (!logger.is_empty()).then(|| logger.to_owned()),
            level: LogLevel::of(level),
            message: unescaped(message),
        })
    }
}

/// Anything else after a backslash is kept with it.
fn unescaped(text: &str) -> String {
    let mut message = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        message.push_str(&rest[..at]);
        let (character, length) = match rest.as_bytes().get(at + 1) {
            Some(b't') => ('\t', 2),
            Some(b'n') => ('\n', 2),
            Some(b'\\') => ('\\', 2),
            _ => ('\\', 1),
        };
        message.push(character);
        rest = &rest[at + length..];
    }
    message.push_str(rest);
    message
}

/// The lines in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Mined {
    /// The group of each line, after all merges.
    pub ids: Vec<GroupId>,
    /// On one core, from message to group, without reading the file.
    pub lines_per_second: f64,
}

/// Groups the lines with the product's settings.
pub fn mine(lines: &[Line]) -> Mined {
    let mut ids = Vec::new();
    let mut seconds = f64::INFINITY;
    for _ in 0..PASSES {
        let start = Instant::now();
        ids = grouped(lines);
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let lines_per_second = lines.len() as f64 / seconds.max(1e-9);
    Mined {
        ids,
        lines_per_second,
    }
}

fn grouped(lines: &[Line]) -> Vec<GroupId> {
    let mut miner = LogMiner::default();
    let group = |line: &Line| {
        miner.group(
            &line.service,
            line.logger.as_deref(),
            line.level,
            &line.message,
        )
    };
    let mut ids: Vec<GroupId> = lines.iter().map(group).collect();
    for id in &mut ids {
        *id = miner.root(*id);
    }
    ids
}

/// Groups against the statements that printed the lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The share of lines whose group has all lines of one statement and no others, 0 to 1.
    pub ga: f64,
    /// The F1 of groups that are exactly one statement, 0 to 1.
    pub fga: f64,
    pub statements: usize,
}

/// Compares the groups of lines with their statements, line by line; both are of one length.
pub fn score<T: Ord, G: Ord>(statements: &[T], groups: &[G]) -> Score {
    let lines_of = counted(statements);
    let lines_of_group = counted(groups);
    let shared = counted(statements.iter().zip(groups));
    // A statement and a group are the same lines if they share as many as either has.
    let right = shared
        .iter()
        .filter(|((statement, group), lines)| {
            lines_of[*statement] == **lines && lines_of_group[*group] == **lines
        })
        .map(|(_, lines)| *lines);
    let (right_groups, right_lines) = right.fold((0, 0), |(n, sum), lines| (n + 1, sum + lines));
    let share = |of: usize, all: usize| of as f64 / all.max(1) as f64;
    Score {
        ga: share(right_lines, statements.len()),
        // 2pr / (p + r), with p and r over their numbers of groups.
        fga: share(2 * right_groups, lines_of.len() + lines_of_group.len()),
        statements: lines_of.len(),
    }
}

fn counted<K: Ord>(items: impl IntoIterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts
}

/// What came of a set of lines; its fields are the JSON's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogReport {
    /// None where the true statements aren't known.
    pub ga: Option<f64>,
    pub fga: Option<f64>,
    pub groups: usize,
    pub lines: usize,
    pub lines_per_second: f64,
    #[serde(skip)]
    statements: Option<usize>,
}

impl LogReport {
    /// The truth has a statement for each line, or is not known.
    pub fn of(mined: &Mined, truth: Option<&[String]>) -> LogReport {
        let score = truth.map(|truth| score(truth, &mined.ids));
        LogReport {
            ga: score.map(|score| score.ga),
            fga: score.map(|score| score.fga),
            groups: counted(&mined.ids).len(),
            lines: mined.ids.len(),
            lines_per_second: mined.lines_per_second,
            statements: score.map(|score| score.statements),
        }
    }
}

impl Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
        writeln!(
            f,
            "{:24}{:>8}{:>8}{:>9}{:>14}",
            "", "GA", "FGA", "groups", "lines/s"
        )?;
        writeln!(
            f,
            "{:24}{:>8}{:>8}{:>9}{:>14.0}",
            "Bellwether",
            figure(self.ga),
            figure(self.fga),
            self.groups,
            self.lines_per_second,
        )?;
        for (name, ga, fga) in PEER {
            let (ga, fga) = (figure(Some(ga)), figure(Some(fga)));
            writeln!(f, "{name:24}{ga:>8}{fga:>8}{:>9}{:>14}", "-", "-")?;
        }
        writeln!(f)?;
        match self.statements {
            Some(statements) => writeln!(f, "Lines: {}, statements: {statements}.", self.lines)?,
            None => writeln!(
                f,
                "Lines: {}; their statements are not known, so nothing is scored.",
                self.lines
            )?,
        }
        writeln!(
            f,
            "GA: share of lines whose group is exactly one statement. FGA: F1 over groups. Speed: one\n\
             core, masking included, reading excluded. Drain3's figures are always those of the development\n\
             half of the labelled Spring Boot lines."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> Line {
        Line {
            service: "orders".into(),
            logger: None,
            level: LogLevel::Warn,
            message: message.into(),
        }
    }

    #[test]
    fn lines_are_read_with_their_escapes() {
        let read = Line::parse("orders\t\tWARN\ta\\tb\\nc\\\\td\\x\\").unwrap();
        assert_eq!(read, line("a\tb\nc\\td\\x\\"));
        let read = Line::parse("orders\to.S\tINFO\t").unwrap();
        assert_eq!(
            (read.logger.as_deref(), read.message.as_str()),
            (Some("o.S"), "")
        );
        assert_eq!(Line::parse("a\tb\tc").unwrap_err().found, 3);
        assert_eq!(Line::parse("a\tb\tc\td\te").unwrap_err().found, 5);
        assert_eq!(Line::parse("").unwrap_err().found, 1);
    }

    /// Checked by hand against the definitions.
    #[test]
    fn groups_are_scored_as_whole_groups() {
        let check = |truth: &str, groups: &str, ga: f64, fga: f64| {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let score = score(&letters(truth), &letters(groups));
            assert!((score.ga - ga).abs() < 1e-12, "{score:?}");
            assert!((score.fga - fga).abs() < 1e-12, "{score:?}");
        };
        check("aabb", "xxyy", 1.0, 1.0);
        check("aabb", "xxxx", 0.0, 0.0);
        check(
            "aabb",
            "xxyz",
            0.5,
            2.0 * (1.0 / 3.0) * 0.5 / (1.0 / 3.0 + 0.5),
        );
        check(
            "aaabbc",
            "xxxyyy",
            0.5,
            2.0 * 0.5 * (1.0 / 3.0) / (0.5 + 1.0 / 3.0),
        );
        check("abab", "xyyx", 0.0, 0.0);
        check("", "", 0.0, 0.0);
    }

    #[test]
    fn ids_are_those_after_all_merges() {
        let names = [
            "ada", "ben", "cem", "dan", "eva", "fay", "gus", "hal", "ida",
        ];
        let lines: Vec<Line> = names
            .iter()
            .map(|name| line(&format!("User {name} logged in")))
            .collect();
        let mined = mine(&lines);
        assert_eq!(counted(&mined.ids).len(), 1);
        assert!(mined.lines_per_second > 0.0);
        let truth = vec!["login".to_owned(); lines.len()];
        let report = LogReport::of(&mined, Some(&truth));
        assert_eq!(
            (report.ga, report.fga, report.groups),
            (Some(1.0), Some(1.0), 1)
        );
        assert!(
            report.to_string().contains("Lines: 9, statements: 1."),
            "{report}"
        );
    }

    #[test]
    fn without_truth_nothing_is_scored() {
        let report = LogReport::of(&mine(&[line("a")]), None);
        assert_eq!((report.ga, report.fga, report.lines), (None, None, 1));
        let json = serde_json::to_value(&report).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["fga", "ga", "groups", "lines", "lines_per_second"]);
    }
}
