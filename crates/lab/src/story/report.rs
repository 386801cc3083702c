//! What came of a story: the expectations that failed, and the incidents with their timelines.

use std::fmt::{self, Write};
use std::sync::Arc;

use domain::{Incident, LogPattern, TimelineEntry, TimelineEvent, Timestamp};

use super::script::Clock;

/// An expectation that doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub line: usize,
    /// What was expected, and what was found.
    pub what: String,
}

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Report {
    pub file: String,
    /// Expectations that were looked at.
    pub checked: usize,
    /// In the order of the file.
    pub failures: Vec<Failure>,
    /// As they stand at the end.
    pub incidents: Vec<Arc<Incident>>,
    pub(crate) starts: Timestamp,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }

    /// Every incident with its timeline and evidence.
    pub fn told(&self) -> String {
        let mut text = String::new();
        if self.incidents.is_empty() {
            text += "  there was no incident\n";
        }
        for incident in &self.incidents {
            self.tell(incident, &mut text)
                .expect("a text can be written to");
        }
        text
    }

    fn tell(&self, incident: &Incident, f: &mut String) -> fmt::Result {
        let clock = |at| Clock {
            starts: self.starts,
            at,
        };
        let members: Vec<&str> = incident.members.iter().map(|m| m.metric.as_str()).collect();
        writeln!(
            f,
            "  {} {} {} {} {}, members {:?}, onset {}, crossed {}, opened {}, last seen {}",
            incident.id,
            incident.service,
            incident.status.as_str(),
            if incident.firing { "firing" } else { "quiet" },
            incident.shown_severity(),
            members,
            clock(incident.onset),
            clock(incident.first_crossing),
            clock(incident.opened),
            clock(incident.last_seen),
        )?;
        for entry in &incident.timeline {
            writeln!(
                f,
                "    {:>8} {}",
                clock(entry.at).to_string(),
                text_of(entry)
            )?;
        }
        let evidence = &incident.evidence;
        let changes = evidence.changes.iter().flat_map(|changes| &changes.facts);
        for fact in changes {
            writeln!(f, "    changed at {}: {}", clock(fact.at), fact.kind)?;
        }
        for shift in evidence.shifts.iter().flat_map(|shifts| &shifts.ranked) {
            writeln!(f, "    shift: {}", shift.text)?;
        }
        for text in evidence.unusual.iter().flat_map(|unusual| &unusual.text) {
            writeln!(f, "    unusual: {text}")?;
        }
        if let Some(patterns) = &evidence.patterns {
            writeln!(
                f,
                "    logs {}: {}",
                patterns.outcome.as_str(),
                patterns.text
            )?;
            for pattern in &patterns.ranked {
                writeln!(f, "    logs: {}; {}", logged(pattern), pattern.text)?;
            }
        }
        for similar in evidence.similar.iter().flatten() {
            writeln!(
                f,
                "    similar: {} by {:.2}",
                similar.id, similar.similarity
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds() {
            return writeln!(f, "{}: all {} expectations hold", self.file, self.checked);
        }
        for failure in &self.failures {
            writeln!(f, "{}:{}: {}", self.file, failure.line, failure.what)?;
        }
        f.write_str(&self.told())
    }
}

/// A log pattern with how it moved.
pub(crate) fn logged(pattern: &LogPattern) -> String {
    let (change, level) = (pattern.change.as_str(), pattern.level.as_str());
    format!(
        "{change} {level} {:?} by {:.1}",
        pattern.template, pattern.effect
    )
}

/// A timeline entry with who did it.
pub(crate) fn text_of(entry: &TimelineEntry) -> String {
    let noted = |did: &str, note: &Option<String>| match note {
        Some(note) => format!("{did}: {note}"),
        None => did.to_owned(),
    };
    let text = match &entry.what {
        TimelineEvent::Opened { because, text } => {
            format!("opened, {}: {text}", because.in_words())
        }
        TimelineEvent::MemberJoined { metric, text } => format!("{metric} joined: {text}"),
        TimelineEvent::SeverityChanged { from, to } => format!("severity went from {from} to {to}"),
        TimelineEvent::Quiet => "went quiet".to_owned(),
        TimelineEvent::Acknowledged { note } => noted("acknowledged", note),
        TimelineEvent::Resolved { note } => noted("resolved", note),
        TimelineEvent::Reopened { note } => noted("reopened", note),
        TimelineEvent::Assigned { owner, note } => {
            let owner = owner.as_deref().unwrap_or("nobody");
            noted(&format!("assigned to {owner}"), note)
        }
        TimelineEvent::Snoozed { until, note } => {
            let until = until.map_or("it changes".to_owned(), |until| until.to_string());
            noted(&format!("snoozed until {until}"), note)
        }
        TimelineEvent::Woke { because } => format!("the snooze ended: {because}"),
        TimelineEvent::Commented { text } => format!("commented: {text}"),
        TimelineEvent::SeveritySet { severity, note } => {
            let severity = severity.map_or("computed", |severity| severity.as_str());
            noted(&format!("severity set to {severity}"), note)
        }
        TimelineEvent::FollowedBy { incident } => format!("followed by {incident}"),
        TimelineEvent::LogsAttached { lines } => format!("{lines} log lines attached"),
    };
    format!("{}: {text}", entry.actor)
}
