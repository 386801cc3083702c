//! The audit trail: who changed what, and who tried to.

use domain::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite};

use super::listing::{PAGE_DEFAULT, PAGE_MAX};
use super::numbers::{next_number, numbered_page};
use super::seal::Seal;
use super::{Database, DatabaseError};

/// Rows that one transaction drops, so that a tick needn't wait for all of them.
const DROPPED_AT_ONCE: i64 = 5_000;

/// A change, or the attempt of one, that was answered. Whoever makes one bounds its texts.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAudit {
    pub at: Timestamp,
    pub actor: String,
    /// Whether the actor proved who they are.
    pub verified: bool,
    /// Where the request came from.
    pub address: String,
    /// What was asked for, such as `POST /api/v1/incidents/{id}/ack`.
    pub action: String,
    /// What it was asked for, such as `12`; empty where the action says all.
    pub target: String,
    /// The HTTP status that it was answered with.
    pub outcome: u16,
    /// What else is worth keeping.
    pub body: serde_json::Value,
}

/// An entry of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    pub id: u64,
    pub what: NewAudit,
}

/// Which entries to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// This actor's, written just so.
    pub actor: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// At this time or earlier.
    pub to: Option<Timestamp>,
    /// Goes on after this entry; the `next` of the page before.
    pub after: Option<u64>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl Default for AuditFilter {
    fn default() -> AuditFilter {
        AuditFilter {
            actor: None,
            from: None,
            to: None,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some entries, the last that was written first.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where the next page goes on; none at the end.
    pub next: Option<u64>,
}

impl Database {
    /// Writes an entry; says its number.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn audit_add(&self, new: NewAudit) -> Result<u64, DatabaseError> {
        let failed = DatabaseError::query("write to the audit trail");
        let mut transaction = self.writer.begin().await.map_err(&failed)?;
        let id = next_number(&mut transaction, "audit", "id").await?;
        let columns = Columns::new(id, &new);
        sqlx::query(
            "INSERT INTO audit (id, at_ms, actor, verified, address, action, target, outcome,
                 body, seal)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.id)
        .bind(columns.at_ms)
        .bind(&columns.actor)
        .bind(columns.verified)
        .bind(&columns.address)
        .bind(&columns.action)
        .bind(&columns.target)
        .bind(columns.outcome)
        .bind(&columns.body)
        .bind(columns.seal())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(u64::try_from(id).unwrap_or_default())
    }

    /// A page of the entries that pass the filter. Damaged ones are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<AuditPage, DatabaseError> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let query = select(filter, limit + 1);
        let page = numbered_page(&self.readers, query, limit, "id");
        let (rows, next) = page
            .await
            .map_err(DatabaseError::query("list the audit trail"))?;
        Ok(AuditPage {
            entries: rows.iter().filter_map(whole).collect(),
            next,
        })
    }

    /// Drops the entries before a time; says how many.
    ///
    /// # Errors
    /// The database can't be written. What was dropped until then stays dropped.
    pub async fn prune_audit(&self, before: Timestamp) -> Result<u64, DatabaseError> {
        let mut dropped = 0;
        loop {
            let result = sqlx::query(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < ? LIMIT ?)",
            )
            .bind(before.as_millis())
            .bind(DROPPED_AT_ONCE)
            .execute(&self.writer)
            .await
            .map_err(DatabaseError::query("drop old entries of the audit trail"))?;
            dropped += result.rows_affected();
            if result.rows_affected() < DROPPED_AT_ONCE as u64 {
                return Ok(dropped);
            }
        }
    }
}

fn select(filter: &AuditFilter, rows: usize) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM audit WHERE TRUE");
    if let Some(actor) = &filter.actor {
        query.push(" AND actor = ").push_bind(actor.clone());
    }
    let numbers = [
        (" AND at_ms >= ", filter.from.map(Timestamp::as_millis)),
        (" AND at_ms <= ", filter.to.map(Timestamp::as_millis)),
        (
            " AND id < ",
            filter.after.map(|id| i64::try_from(id).unwrap_or(i64::MAX)),
        ),
    ];
    for (condition, number) in numbers {
        if let Some(number) = number {
            query.push(condition).push_bind(number);
        }
    }
    query
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(i64::try_from(rows).unwrap_or(i64::MAX));
    query
}

struct Columns {
    id: i64,
    at_ms: i64,
    actor: String,
    verified: i64,
    address: String,
    action: String,
    target: String,
    outcome: i64,
    body: String,
}

impl Columns {
    fn new(id: i64, new: &NewAudit) -> Columns {
        Columns {
            id,
            at_ms: new.at.as_millis(),
            actor: new.actor.clone(),
            verified: i64::from(new.verified),
            address: new.address.clone(),
            action: new.action.clone(),
            target: new.target.clone(),
            outcome: i64::from(new.outcome),
            body: new.body.to_string(),
        }
    }

    fn of(row: &SqliteRow) -> Result<Columns, Error> {
        Ok(Columns {
            id: row.try_get("id")?,
            at_ms: row.try_get("at_ms")?,
            actor: row.try_get("actor")?,
            verified: row.try_get("verified")?,
            address: row.try_get("address")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            outcome: row.try_get("outcome")?,
            body: row.try_get("body")?,
        })
    }

    fn seal(&self) -> Vec<u8> {
        Seal::of("audit")
            .number(self.id)
            .number(self.at_ms)
            .text(&self.actor)
            .number(self.verified)
            .text(&self.address)
            .text(&self.action)
            .text(&self.target)
            .number(self.outcome)
            .text(&self.body)
            .finish()
    }
}

pub fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    Ok(Columns::of(row)?.seal() == row.try_get::<Vec<u8>, _>("seal")?)
}

fn entry_of(row: &SqliteRow) -> Result<AuditEntry, DatabaseError> {
    let unreadable = |id: i64, detail: String| DatabaseError::Unreadable {
        what: format!("entry {id} of the audit trail"),
        detail,
    };
    let columns = Columns::of(row).map_err(|error| unreadable(0, error.to_string()))?;
    let id = columns.id;
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable(id, "it is damaged".to_owned()));
    }
    Ok(AuditEntry {
        id: u64::try_from(id).unwrap_or_default(),
        what: NewAudit {
            at: Timestamp::from_millis(columns.at_ms),
            verified: columns.verified != 0,
            outcome: u16::try_from(columns.outcome)
                .map_err(|error| unreadable(id, error.to_string()))?,
            body: serde_json::from_str(&columns.body)
                .map_err(|error| unreadable(id, error.to_string()))?,
            actor: columns.actor,
            address: columns.address,
            action: columns.action,
            target: columns.target,
        },
    })
}

fn whole(row: &SqliteRow) -> Option<AuditEntry> {
    match entry_of(row) {
        Ok(entry) => Some(entry),
        Err(error) => {
            tracing::error!(%error, "left out an entry of the audit trail");
            None
        }
    }
}
