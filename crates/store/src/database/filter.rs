//! Which incidents to list, and the query that finds them.

use domain::{IncidentKind, MetricId, ServiceId, Severity, Status, Timestamp};
use sqlx::{QueryBuilder, Sqlite};

use super::cursor::{Cursor, Key, Sort, SortBy};
use super::incidents::{kind_text, severity_rank};
use super::listing::PAGE_DEFAULT;
use super::texts::words_of;

/// Which incidents to list. Empty lists and absent values leave nothing out.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentFilter {
    pub service: Option<ServiceId>,
    /// Which the incident is about, among others.
    pub metric: Option<MetricId>,
    pub statuses: Vec<Status>,
    /// As shown: an operator's word goes before the computed severity.
    pub severities: Vec<Severity>,
    pub kind: Option<IncidentKind>,
    pub firing: Option<bool>,
    pub owner: Option<OwnerFilter>,
    /// Whether a snooze is set.
    pub snoozed: Option<bool>,
    /// Seen at this time or later.
    pub from: Option<Timestamp>,
    /// Opened at this time or earlier.
    pub to: Option<Timestamp>,
    /// Each of its words, in any case, occurs in what is said of the incident: service, summary,
    /// owner, metrics, notes and comments, log patterns, first log lines. Of more than
    /// [`super::SEARCH_WORDS_MAX`] words the first ones.
    pub text: Option<String>,
    pub sort: Sort,
    /// Goes on after the page whose `next` this is, in the order of that page.
    pub after: Option<Cursor>,
    /// 1 to [`super::PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

/// Whose incidents to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerFilter {
    /// Nobody's.
    Nobody,
    /// This person's, written just so.
    Person(String),
}

impl Default for IncidentFilter {
    fn default() -> IncidentFilter {
        IncidentFilter {
            service: None,
            metric: None,
            statuses: Vec::new(),
            severities: Vec::new(),
            kind: None,
            firing: None,
            owner: None,
            snoozed: None,
            from: None,
            to: None,
            text: None,
            sort: Sort::default(),
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

impl IncidentFilter {
    /// The order that rules: a cursor's own, where there is one.
    pub(super) fn order(&self) -> Sort {
        self.after.as_ref().map_or(self.sort, |cursor| cursor.sort)
    }

    /// Selects whole rows of `incidents` in order.
    pub(super) fn select(&self, rows: usize) -> QueryBuilder<Sqlite> {
        // Found in the narrow index first, so that only the page's own rows are read whole.
        let mut query = QueryBuilder::new(
            "SELECT * FROM incidents WHERE id IN (
                 SELECT id FROM incidents INDEXED BY incidents_listing WHERE TRUE",
        );
        self.push_conditions(&mut query);
        self.push_place(&mut query);
        let order = order_by(self.order());
        query.push(&order);
        query
            .push(" LIMIT ")
            .push_bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .push(")")
            .push(&order);
        query
    }

    fn push_conditions(&self, query: &mut QueryBuilder<Sqlite>) {
        if let Some(service) = &self.service {
            query.push(" AND service = ").push_bind(service.to_string());
        }
        push_in(
            query,
            " AND status IN (",
            self.statuses.iter().map(|s| s.as_str()),
        );
        push_in(
            query,
            " AND severity_rank IN (",
            self.severities.iter().map(|s| severity_rank(*s)),
        );
        if let Some(kind) = self.kind {
            query.push(" AND kind = ").push_bind(kind_text(kind));
        }
        match &self.owner {
            None => {}
            Some(OwnerFilter::Nobody) => {
                query.push(" AND owner IS NULL");
            }
            Some(OwnerFilter::Person(name)) => {
                query.push(" AND owner = ").push_bind(name.clone());
            }
        }
        let numbers = [
            (" AND firing = ", self.firing.map(i64::from)),
            (" AND snoozed = ", self.snoozed.map(i64::from)),
            (" AND last_seen_ms >= ", self.from.map(Timestamp::as_millis)),
            (" AND opened_ms <= ", self.to.map(Timestamp::as_millis)),
        ];
        for (condition, number) in numbers {
            if let Some(number) = number {
                query.push(condition).push_bind(number);
            }
        }
        self.push_metric(query);
        self.push_words(query);
    }

    /// Bodies are parsed only where the word is in them, and where they can be.
    fn push_metric(&self, query: &mut QueryBuilder<Sqlite>) {
        let Some(metric) = &self.metric else { return };
        query
            .push(" AND CASE WHEN instr(body, ")
            .push_bind(format!("\"{}\"", metric.as_str()))
            .push(
                ") = 0 OR NOT json_valid(body) THEN FALSE ELSE EXISTS (
                     SELECT 1 FROM json_each(body, '$.content.members')
                     WHERE json_extract(value, '$.metric') = ",
            )
            .push_bind(metric.as_str().to_owned())
            .push(") END");
    }

    /// `instr` knows no wildcards, so that nothing in a word needs escaping.
    fn push_words(&self, query: &mut QueryBuilder<Sqlite>) {
        let words = words_of(self.text.as_deref().unwrap_or_default());
        if words.is_empty() {
            return;
        }
        query.push(" AND EXISTS (SELECT 1 FROM incident_texts WHERE incident_id = incidents.id");
        for word in words {
            query
                .push(" AND instr(text, ")
                .push_bind(word)
                .push(") > 0");
        }
        query.push(")");
    }

    fn push_place(&self, query: &mut QueryBuilder<Sqlite>) {
        let Some(cursor) = &self.after else { return };
        query.push(format!(" AND ({}, id) ", column(cursor.sort.by)));
        query.push(if cursor.sort.descending { "< (" } else { "> (" });
        match &cursor.key {
            Key::Number(number) => query.push_bind(*number),
            Key::Text(text) => query.push_bind(text.clone()),
        };
        query
            .push(", ")
            .push_bind(i64::try_from(cursor.id.0).unwrap_or(i64::MAX))
            .push(")");
    }
}

pub(super) fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::Opened => "opened_ms",
        SortBy::LastSeen => "last_seen_ms",
        SortBy::Severity => "severity_rank",
        SortBy::Service => "service",
        SortBy::Id => "id",
    }
}

fn order_by(sort: Sort) -> String {
    let column = column(sort.by);
    let direction = if sort.descending { "DESC" } else { "ASC" };
    match sort.by {
        SortBy::Id => format!(" ORDER BY id {direction}"),
        _ => format!(" ORDER BY {column} {direction}, id {direction}"),
    }
}

fn push_in<T>(
    query: &mut QueryBuilder<Sqlite>,
    condition: &str,
    values: impl ExactSizeIterator<Item = T>,
) where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send + 'static,
{
    if values.len() == 0 {
        return;
    }
    query.push(condition);
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}
