//! `bellwether incidents`: lists, shows and changes incidents of the running server.

mod page;
mod table;

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::json;

use crate::cli::{Incidents, IncidentsChange, IncidentsCommand, IncidentsList, IncidentsShow};
use crate::clock;
use crate::remote::{Problem, Remote};

/// The most that the server changes at once.
const CHANGED_AT_ONCE: usize = 200;

/// Asks and prints.
///
/// # Errors
/// The server doesn't answer, or refuses as a whole.
pub async fn incidents(asked: &Incidents) -> anyhow::Result<ExitCode> {
    match &asked.command {
        IncidentsCommand::List(list) => self::list(list).await,
        IncidentsCommand::Show(show) => self::show(show).await,
        IncidentsCommand::Ack(change) => self::change(change, "ack", "acknowledged").await,
        IncidentsCommand::Resolve(change) => self::change(change, "resolve", "resolved").await,
    }
}

async fn list(asked: &IncidentsList) -> anyhow::Result<ExitCode> {
    let remote = Remote::of(&asked.running)?;
    let (status, severity) = (asked.status.join(","), asked.severity.join(","));
    let limit = asked.limit.to_string();
    let query = [
        (
            "status",
            Some(status.as_str()).filter(|words| !words.is_empty()),
        ),
        ("service", asked.service.as_deref()),
        (
            "severity",
            Some(severity.as_str()).filter(|words| !words.is_empty()),
        ),
        ("text", asked.text.as_deref()),
        ("limit", Some(limit.as_str())),
    ];
    let query: Vec<(&str, &str)> = query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let answer = remote.get("/api/v1/incidents", &query).await?;
    if asked.json {
        println!("{}", answer.trim_end());
    } else {
        let list: table::List = remote.read(&answer)?;
        print!("{}", table::text(&list, clock::now(), Paint::of_stdout()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(asked: &IncidentsShow) -> anyhow::Result<ExitCode> {
    let remote = Remote::of(&asked.running)?;
    let path = format!("/api/v1/incidents/{}", asked.id);
    let answer = remote.get(&path, &[]).await?;
    if asked.json {
        println!("{}", answer.trim_end());
    } else {
        let incident: page::Incident = remote.read(&answer)?;
        print!("{}", page::text(&incident, Paint::of_stdout()));
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Deserialize)]
struct Changed {
    items: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    id: u64,
    problem: Option<Problem>,
}

/// Says what came of each.
async fn change(asked: &IncidentsChange, action: &str, done: &str) -> anyhow::Result<ExitCode> {
    let remote = Remote::of(&asked.running)?;
    let ids: Vec<u64> = asked
        .ids
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut code = ExitCode::SUCCESS;
    for ids in ids.chunks(CHANGED_AT_ONCE) {
        let mut body = json!({"ids": ids, "action": action});
        if let Some(note) = &asked.note {
            body["note"] = json!(note);
        }
        let path = "/api/v1/incidents/bulk";
        let answer = remote.post(path, &body, asked.operator.as_deref()).await?;
        for outcome in remote.read::<Changed>(&answer)?.items {
            match outcome.problem {
                None => println!("#{} {done}", outcome.id),
                Some(problem) => {
                    code = ExitCode::FAILURE;
                    let why = plain(&problem.to_string());
                    println!("#{} not {done}: {why}", outcome.id);
                }
            }
        }
    }
    Ok(code)
}

/// Whether severities are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    Colours,
    Plain,
}

impl Paint {
    /// Only on a terminal, and not where NO_COLOR is set.
    fn of_stdout() -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match std::io::stdout().is_terminal() && !refused && !dumb {
            true => Paint::Colours,
            false => Paint::Plain,
        }
    }

    /// The worst severities in colour; `text` is how the severity is written.
    fn severity(self, severity: &str, text: &str) -> String {
        match (self, severity) {
            (Paint::Colours, "Critical") => format!("\x1b[1;31m{text}\x1b[0m"),
            (Paint::Colours, "High") => format!("\x1b[33m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// A text from outside on one line, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\t' => ' ',
            // Marks that turn the direction of text hide as well as control characters do.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded_from_outside() {
        let text = plain("a\x1b[31mb\nc\td\u{7f}\u{9b}e\u{202e}f\r\u{7}é");
        assert_eq!(
            text,
            "a\u{fffd}[31mb c d\u{fffd}\u{fffd}e\u{fffd}f\u{fffd}\u{fffd}é"
        );
    }

    #[test]
    fn only_the_worst_are_coloured_and_only_where_asked() {
        assert_eq!(
            Paint::Colours.severity("Critical", "C "),
            "\x1b[1;31mC \x1b[0m"
        );
        assert_eq!(Paint::Colours.severity("Normal", "N"), "N");
        assert_eq!(Paint::Plain.severity("Critical", "C "), "C ");
    }
}
