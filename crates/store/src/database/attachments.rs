//! Attachments: the large parts of an incident, its logs and its evidence, each in a table of its
//! own. A firing incident is saved at every tick; these are written only when they changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use domain::{Evidence, Incident, IncidentId, LogWindow, Status};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Error, Row, SqliteConnection};

use super::DatabaseError;
use super::body::{Body, read, written};
use super::seal::Seal;

/// Which attachments of incidents are known to be stored as they are, by their address: what is
/// behind an [`Arc`] doesn't change, so the same address needs no look. Held weakly: that keeps
/// the address from being used again, not the content.
#[derive(Clone, Debug, Default)]
pub struct Stored(Arc<Mutex<BTreeMap<IncidentId, Attached>>>);

/// The attachments of one incident.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    evidence: Weak<Evidence>,
    logs: Weak<LogWindow>,
}

impl Attached {
    pub fn of(incident: &Incident) -> Attached {
        Attached {
            evidence: Arc::downgrade(&incident.evidence),
            logs: incident
                .logs
                .as_ref()
                .map(Arc::downgrade)
                .unwrap_or_default(),
        }
    }
}

impl Stored {
    /// Says what is known to be stored, and forgets it: whether the coming save succeeds is open.
    pub fn take(&self, id: IncidentId) -> Attached {
        self.lock().remove(&id).unwrap_or_default()
    }

    /// To be called once these are committed.
    pub fn remember(&self, saved: Vec<(IncidentId, Attached)>) {
        self.lock().extend(saved);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IncidentId, Attached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Saves what is attached and not known to be stored. Logs that are absent, and evidence that is
/// empty, leave what is there. Says what to remember; none for incidents that are over, which are
/// hardly saved again.
pub async fn save(
    connection: &mut SqliteConnection,
    incident: &Incident,
    id: i64,
    stored: &Attached,
) -> Result<Option<Attached>, DatabaseError> {
    let mut attached = Attached::of(incident);
    match &incident.logs {
        Some(logs) if !Weak::ptr_eq(&attached.logs, &stored.logs) => {
            write(connection, LOGS, id, logs.as_ref()).await?;
        }
        Some(_) => {}
        None => attached.logs = stored.logs.clone(),
    }
    if !Weak::ptr_eq(&attached.evidence, &stored.evidence)
        && *incident.evidence != Evidence::default()
    {
        write(connection, EVIDENCE, id, incident.evidence.as_ref()).await?;
    }
    let is_over = incident.status == Status::Resolved && !incident.firing;
    Ok((!is_over).then_some(attached))
}

pub async fn logs_of(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<Arc<LogWindow>>, DatabaseError> {
    Ok(attachment(connection, LOGS, id).await?.map(Arc::new))
}

/// Empty where there is none.
pub async fn evidence_of(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Arc<Evidence>, DatabaseError> {
    Ok(Arc::new(
        attachment(connection, EVIDENCE, id)
            .await?
            .unwrap_or_default(),
    ))
}

pub fn logs_are_whole(row: &SqliteRow) -> Result<bool, Error> {
    is_whole(LOGS, row)
}

pub fn evidence_is_whole(row: &SqliteRow) -> Result<bool, Error> {
    is_whole(EVIDENCE, row)
}

/// A table of attachments; all have the same columns.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    holds: &'static str,
}

const LOGS: Table = Table {
    name: "incident_logs",
    holds: "the logs",
};
const EVIDENCE: Table = Table {
    name: "incident_evidence",
    holds: "the evidence",
};

async fn write<T: Body>(
    connection: &mut SqliteConnection,
    table: Table,
    id: i64,
    content: &T,
) -> Result<(), DatabaseError> {
    let body = written(content).map_err(|error| DatabaseError::Unsavable {
        what: format!("{} of incident #{id}", table.holds),
        detail: error.to_string(),
    })?;
    let statement = AssertSqlSafe(format!(
        "INSERT INTO {} (incident_id, body, seal) VALUES (?, ?, ?)
         ON CONFLICT (incident_id) DO UPDATE SET body = excluded.body, seal = excluded.seal
         WHERE seal <> excluded.seal",
        table.name
    ));
    sqlx::query(statement)
        .bind(id)
        .bind(&body)
        .bind(seal(table, id, &body))
        .execute(connection)
        .await
        .map_err(DatabaseError::query("save what is attached to an incident"))?;
    Ok(())
}

async fn attachment<T: Body>(
    connection: &mut SqliteConnection,
    table: Table,
    id: i64,
) -> Result<Option<T>, DatabaseError> {
    let failed = DatabaseError::query("read what is attached to an incident");
    let select = AssertSqlSafe(format!(
        "SELECT * FROM {} WHERE incident_id = ?",
        table.name
    ));
    let row = sqlx::query(select)
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(&failed)?;
    let Some(row) = row else { return Ok(None) };
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: format!("{} of incident #{id}", table.holds),
        detail,
    };
    if !is_whole(table, &row).unwrap_or(false) {
        return Err(unreadable("damaged".to_owned()));
    }
    let body: &str = row.try_get("body").map_err(&failed)?;
    read(body).map(Some).map_err(unreadable)
}

fn is_whole(table: Table, row: &SqliteRow) -> Result<bool, Error> {
    let seal = seal(table, row.try_get("incident_id")?, row.try_get("body")?);
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn seal(table: Table, id: i64, body: &str) -> Vec<u8> {
    Seal::of(table.name).number(id).text(body).finish()
}
