//! One incident as a page: what it is, then the answers when, what changed, which, how unusual,
//! what the logs say, and what happened to it.

use std::fmt::Write;

use domain::Timestamp;
use serde::Deserialize;

use super::{Paint, plain};

/// Lines of logs that are shown; --json has all.
const LINES_MAX: usize = 10;
const ITEMS_MAX: usize = 5;

/// What the page needs of the answer; what else it holds is passed over.
#[derive(Debug, Deserialize)]
pub struct Incident {
    id: u64,
    service: String,
    status: String,
    severity: String,
    firing: bool,
    owner: Option<String>,
    summary: String,
    follows: Option<u64>,
    explanation: Option<Explanation>,
    logs: Option<Logs>,
    #[serde(default)]
    timeline: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Explanation {
    when: Answer,
    what_changed: Answer,
    shifts: Answer,
    which: Which,
    how_unusual: Vec<Unusual>,
    logs: Answer,
    similar: Answer,
    missing: Vec<String>,
}

/// A sentence, and what it rests on.
#[derive(Debug, Deserialize)]
struct Answer {
    answer: String,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    text: Option<String>,
    /// Of another incident.
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    summary: Option<String>,
}

impl Item {
    fn told(&self) -> Option<String> {
        if let Some(text) = &self.text {
            let at = self.at.map(|at| format!("{at} ")).unwrap_or_default();
            return Some(format!("{at}{}", plain(text)));
        }
        let id = self.id.map(|id| format!("#{id} ")).unwrap_or_default();
        Some(format!("{id}{}", plain(self.summary.as_deref()?)))
    }
}

#[derive(Debug, Deserialize)]
struct Which {
    answer: String,
    breakdowns: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Unusual {
    title: String,
    text: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Logs {
    items: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    time: Timestamp,
    level: String,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    actor: String,
    text: String,
}

/// The page.
pub fn text(incident: &Incident, paint: Paint) -> String {
    let mut page = Page(String::new());
    let state = match incident.firing {
        true => "it fires",
        false => "it is quiet",
    };
    let severity = plain(&incident.severity);
    let head = format!(
        "#{} {} {}, {}, {state}{}{}",
        incident.id,
        plain(&incident.service),
        paint.severity(&incident.severity, &severity),
        plain(&incident.status).to_lowercase(),
        match &incident.owner {
            Some(owner) => format!(", owned by {}", plain(owner)),
            None => String::new(),
        },
        match incident.follows {
            Some(before) => format!(", after #{before}"),
            None => String::new(),
        },
    );
    page.line(&head);
    page.line(&plain(&incident.summary));
    if let Some(explanation) = &incident.explanation {
        page.explanation(explanation);
    }
    if let Some(logs) = &incident.logs
        && !logs.items.is_empty()
    {
        page.lines(logs);
    }
    page.timeline(&incident.timeline);
    page.0
}

struct Page(String);

impl Page {
    /// What comes from outside is made plain before.
    fn line(&mut self, line: &str) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn explanation(&mut self, explanation: &Explanation) {
        self.answer("When", &explanation.when.answer, &[]);
        let changes = &explanation.what_changed;
        self.answer("What changed", &changes.answer, &changes.items);
        let shifts = &explanation.shifts;
        self.answer("What else moved", &shifts.answer, &shifts.items);
        let which = &explanation.which;
        self.answer("Which", &which.answer, &which.breakdowns);
        if !explanation.how_unusual.is_empty() {
            self.line("\nHow unusual");
        }
        for unusual in &explanation.how_unusual {
            self.line(&format!("  {}", plain(&unusual.title)));
            for sentence in &unusual.text {
                self.line(&format!("  - {}", plain(sentence)));
            }
        }
        let logs = &explanation.logs;
        self.answer("What the logs say", &logs.answer, &logs.items);
        let similar = &explanation.similar;
        self.answer("Before", &similar.answer, &similar.items);
        if !explanation.missing.is_empty() {
            self.line("\nWhat could not be found out");
            for why in &explanation.missing {
                self.line(&format!("  - {}", plain(why)));
            }
        }
    }

    fn answer(&mut self, question: &str, answer: &str, items: &[Item]) {
        self.line(&format!("\n{question}\n  {}", plain(answer)));
        let told: Vec<String> = items.iter().filter_map(Item::told).collect();
        for item in told.iter().take(ITEMS_MAX) {
            self.line(&format!("  - {item}"));
        }
        let more = told.len().saturating_sub(ITEMS_MAX);
        if more > 0 {
            self.line(&format!("  … and {more} more: --json has all"));
        }
    }

    fn lines(&mut self, logs: &Logs) {
        self.line("\nLog lines");
        for line in logs.items.iter().take(LINES_MAX) {
            let (level, message) = (plain(&line.level), plain(&line.message));
            self.line(&format!("  {} {level:<5} {message}", line.time));
        }
        let more = logs.items.len().saturating_sub(LINES_MAX);
        if more > 0 {
            self.line(&format!("  … and {more} more: --json has all"));
        }
    }

    fn timeline(&mut self, timeline: &[Entry]) {
        self.line("\nTimeline");
        for entry in timeline {
            let (actor, text) = (plain(&entry.actor), plain(&entry.text));
            self.line(&format!("  {} {actor}: {text}", entry.at));
        }
    }
}
