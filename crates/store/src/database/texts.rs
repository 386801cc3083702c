//! What an incident is found by: one text for each, the words in lower case of what people and logs
//! said of it. A word that is searched for holds no space, so it is enough to keep each word once:
//! logs repeat themselves. Written when it changes, made anew where it is missing.

use std::collections::HashSet;

use domain::{Evidence, Incident, LogWindow, TimelineEntry, TimelineEvent};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row, SqliteConnection};

use super::attachments::{evidence_of, logs_of};
use super::incidents::incident_of;
use super::seal::Seal;
use super::{Database, DatabaseError, timeline};

/// The longest text of one incident, and what is looked at of one thing in it.
const TEXT_BYTES_MAX: usize = 16 * 1024;
const PIECE_BYTES_MAX: usize = 512;
const PATTERNS_MAX: usize = 20;
const LINES_MAX: usize = 20;
/// Incidents of one transaction when texts are made anew.
const FILLED_AT_ONCE: i64 = 500;

/// The words of a search that are looked for; what is beyond is not.
pub const SEARCH_WORDS_MAX: usize = 32;

/// The different words of a search, in lower case.
pub fn words_of(search: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in search.split_whitespace().map(str::to_lowercase) {
        if words.len() < SEARCH_WORDS_MAX && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Saves what an incident, whole with all that is attached, is found by.
pub async fn save(
    connection: &mut SqliteConnection,
    id: i64,
    incident: &Incident,
) -> Result<(), DatabaseError> {
    let text = text_of(incident);
    sqlx::query(
        "INSERT INTO incident_texts (incident_id, text, seal) VALUES (?, ?, ?)
         ON CONFLICT (incident_id) DO UPDATE SET text = excluded.text, seal = excluded.seal
         WHERE seal <> excluded.seal",
    )
    .bind(id)
    .bind(&text)
    .bind(seal(id, &text))
    .execute(connection)
    .await
    .map_err(DatabaseError::query("save what an incident is found by"))?;
    Ok(())
}

impl Database {
    /// Makes the texts that are missing: of a database of before there were any, and of rows that
    /// were damaged.
    pub(super) async fn fill_texts(&self) -> Result<(), DatabaseError> {
        let failed = DatabaseError::query("make what incidents are found by");
        let mut after = 0;
        loop {
            let mut transaction = self.writer.begin().await.map_err(&failed)?;
            let rows = sqlx::query(
                "SELECT * FROM incidents
                 WHERE id > ? AND id NOT IN (SELECT incident_id FROM incident_texts)
                 ORDER BY id LIMIT ?",
            )
            .bind(after)
            .bind(FILLED_AT_ONCE)
            .fetch_all(&mut *transaction)
            .await
            .map_err(&failed)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.try_get("id").map_err(&failed)?;
            for row in &rows {
                fill(&mut transaction, row).await?;
            }
            transaction.commit().await.map_err(&failed)?;
        }
    }
}

/// Of what can't be read there is no text.
async fn fill(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<(), DatabaseError> {
    let mut incident = match incident_of(row) {
        Ok(incident) => incident,
        Err(error) => {
            tracing::error!(%error, "left an incident without a text to find it by");
            return Ok(());
        }
    };
    let id = i64::try_from(incident.id.0).unwrap_or(i64::MAX);
    incident.logs = logs_of(connection, id).await.unwrap_or_default();
    incident.evidence = evidence_of(connection, id).await.unwrap_or_default();
    timeline::add(connection, std::slice::from_mut(&mut incident)).await?;
    save(connection, id, &incident).await
}

/// The first things first, as what doesn't fit is left out.
fn text_of(incident: &Incident) -> String {
    let mut text = Text::default();
    text.add(&incident.id.to_string());
    text.add(incident.service.as_str());
    text.add(&incident.summary);
    text.add(incident.owner.as_deref().unwrap_or_default());
    for member in &incident.members {
        text.add(member.metric.as_str());
    }
    text.add_patterns(&incident.evidence);
    for said in incident.timeline.iter().rev().filter_map(said) {
        text.add(said);
    }
    if let Some(logs) = &incident.logs {
        text.add_lines(logs);
    }
    text.words
}

/// What somebody wrote.
fn said(entry: &TimelineEntry) -> Option<&str> {
    match &entry.what {
        TimelineEvent::Acknowledged { note }
        | TimelineEvent::Resolved { note }
        | TimelineEvent::Reopened { note }
        | TimelineEvent::Assigned { note, .. }
        | TimelineEvent::Snoozed { note, .. }
        | TimelineEvent::SeveritySet { note, .. } => note.as_deref(),
        TimelineEvent::Commented { text } => Some(text),
        TimelineEvent::Opened { .. }
        | TimelineEvent::MemberJoined { .. }
        | TimelineEvent::SeverityChanged { .. }
        | TimelineEvent::Quiet
        | TimelineEvent::Woke { .. }
        | TimelineEvent::FollowedBy { .. }
        | TimelineEvent::LogsAttached { .. } => None,
    }
}

#[derive(Default)]
struct Text {
    /// One on each line: what is searched for reaches over the end of none.
    words: String,
    seen: HashSet<String>,
}

impl Text {
    fn add(&mut self, piece: &str) {
        let piece = cut(piece, PIECE_BYTES_MAX).to_lowercase();
        for word in piece.split_whitespace() {
            let fits = self.words.len() + word.len() < TEXT_BYTES_MAX;
            if fits && self.seen.insert(word.to_owned()) {
                self.words.push_str(word);
                self.words.push('\n');
            }
        }
    }

    fn add_patterns(&mut self, evidence: &Evidence) {
        let patterns = evidence.patterns.iter().flat_map(|all| &all.ranked);
        for pattern in patterns.take(PATTERNS_MAX) {
            self.add(&pattern.template);
            self.add(pattern.exception.as_deref().unwrap_or_default());
            if let Some(line) = pattern.samples.first() {
                self.add(&line.message);
            }
        }
    }

    fn add_lines(&mut self, logs: &LogWindow) {
        for line in logs.lines.iter().take(LINES_MAX) {
            self.add(&line.message);
            self.add(line.exception.as_deref().unwrap_or_default());
        }
    }
}

/// At most so many bytes of a text, without half a character.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let seal = seal(row.try_get("incident_id")?, row.try_get("text")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn seal(id: i64, text: &str) -> Vec<u8> {
    Seal::of("incident_texts").number(id).text(text).finish()
}
