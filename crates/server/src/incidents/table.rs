//! Incidents as a table: one on each line.

use std::fmt::Write;
use std::time::Duration;

use domain::Timestamp;
use incident::length;
use serde::Deserialize;

use super::{Paint, plain};

/// Of a summary, in the table; `show` has the whole.
const SUMMARY_CHARS_MAX: usize = 100;

/// What the table needs of the answer; what else it holds is passed over.
#[derive(Debug, Deserialize)]
pub struct List {
    items: Vec<Item>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: u64,
    service: String,
    status: String,
    severity: String,
    firing: bool,
    owner: Option<String>,
    summary: String,
    opened_ts: Timestamp,
    onset_ts: Timestamp,
    ended_ts: Option<Timestamp>,
}

const HEADINGS: [&str; 8] = [
    "#",
    "severity",
    "status",
    "opened (UTC)",
    "lasts",
    "owner",
    "service",
    "summary",
];

/// The table, as wide as what is in it; a sentence where there is none.
pub fn text(list: &List, now: Timestamp, paint: Paint) -> String {
    if list.items.is_empty() {
        return "no incident is like that\n".to_owned();
    }
    let rows: Vec<[String; 8]> = list.items.iter().map(|item| item.cells(now)).collect();
    let mut widths = HEADINGS.map(|heading| heading.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    write_row(
        &mut text,
        &HEADINGS.map(str::to_owned),
        &widths,
        |_, cell| cell,
    );
    for (row, item) in rows.iter().zip(&list.items) {
        write_row(&mut text, row, &widths, |column, cell| match column {
            1 => paint.severity(&item.severity, &cell),
            _ => cell,
        });
    }
    if list.next_cursor.is_some() {
        text.push_str("… and more: narrow the list, or raise --limit\n");
    }
    text
}

fn write_row(
    text: &mut String,
    row: &[String; 8],
    widths: &[usize; 8],
    painted: impl Fn(usize, String) -> String,
) {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        // Padded before it is painted: colours have no width.
        let padded = format!("{cell:<width$}", width = *width);
        line.push_str(&painted(column, padded));
        line.push_str("  ");
    }
    // Writing to a string can't fail.
    let _ = writeln!(text, "{}", line.trim_end());
}

impl Item {
    fn cells(&self, now: Timestamp) -> [String; 8] {
        let lasts = self.ended_ts.unwrap_or(now).since(self.onset_ts);
        // Whole seconds say it.
        let lasts = length(Duration::from_secs(lasts.as_secs()));
        let status = match (self.status.as_str(), self.firing) {
            ("RESOLVED", true) => "resolved, fires".to_owned(),
            ("RESOLVED", false) => "resolved".to_owned(),
            (status, true) => status.to_lowercase(),
            (status, false) => format!("{}, quiet", status.to_lowercase()),
        };
        let mut summary = plain(&self.summary);
        if let Some((end, _)) = summary.char_indices().nth(SUMMARY_CHARS_MAX) {
            summary.truncate(end);
            summary.push('…');
        }
        [
            self.id.to_string(),
            plain(&self.severity),
            status,
            minute(self.opened_ts),
            lasts,
            plain(self.owner.as_deref().unwrap_or("–")),
            plain(&self.service),
            summary,
        ]
    }
}

/// Such as `2026-11-22 12:04`.
fn minute(time: Timestamp) -> String {
    let text: String = time.to_string().chars().take(16).collect();
    text.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: serde_json::Value, more: bool) -> List {
        let next = more.then_some("id.desc.3.3");
        serde_json::from_value(serde_json::json!({"items": items, "next_cursor": next})).unwrap()
    }

    fn item(id: u64, severity: &str, status: &str, ended: Option<&str>) -> serde_json::Value {
        serde_json::json!({
            "id": id, "service": "prod/pay\u{1b}[2J", "status": status, "severity": severity,
            "firing": ended.is_none(), "owner": null, "summary": "cpu 96.5 %, past 90 %\nfor 3 m",
            "opened_ts": "2026-11-22T12:04:30.000Z", "onset_ts": "2026-11-22T12:00:00.000Z",
            "ended_ts": ended, "kind": "metrics",
        })
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let list = list(
            serde_json::json!([
                item(12, "Critical", "OPEN", None),
                item(3, "High", "RESOLVED", Some("2026-11-22T12:02:00.000Z")),
            ]),
            true,
        );
        let now: Timestamp = "2026-11-22T13:30:00.900Z".parse().unwrap();
        let expected = "\
#   severity  status    opened (UTC)      lasts   owner  service        summary
12  Critical  open      2026-11-22 12:04  1 h 30 m  –      prod/pay\u{fffd}[2J  cpu 96.5 %, past 90 % for 3 m
";
        let text = text(&list, now, Paint::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{expected}\n{text}");
        let place = lines[0].find("service").unwrap();
        for line in &lines[1..3] {
            let before: String = line.chars().take(place).collect();
            assert!(
                line[before.len()..].starts_with("prod/pay\u{fffd}[2J"),
                "{line}"
            );
        }
        assert!(
            lines[1].starts_with("12  Critical  open      2026-11-22 12:04"),
            "{text}"
        );
        assert!(
            lines[2].contains("resolved  2026-11-22 12:04  2 m"),
            "{text}"
        );
        assert!(lines[3].contains("--limit"), "{text}");
        let coloured = super::text(&list, now, Paint::Colours);
        assert!(
            coloured.contains("\x1b[1;31mCritical\x1b[0m  open"),
            "{coloured}"
        );
    }

    #[test]
    fn an_empty_list_is_said() {
        let none = list(serde_json::json!([]), false);
        assert_eq!(
            text(&none, Timestamp::EPOCH, Paint::Plain),
            "no incident is like that\n"
        );
    }

    #[test]
    fn a_long_summary_is_cut() {
        let mut long = item(1, "High", "OPEN", None);
        long["summary"] = "ü".repeat(500).into();
        let text = text(
            &list(serde_json::json!([long]), false),
            Timestamp::EPOCH,
            Paint::Plain,
        );
        assert!(text.contains(&format!("{}…\n", "ü".repeat(SUMMARY_CHARS_MAX))));
    }
}
