//! The ledger: what was decided of each series, written down when it changes. A record holds from
//! its instant until the next one of its series; what a record says, the engine knows.

use domain::{MetricId, SeriesId, ServiceId, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::listing::{PAGE_DEFAULT, PAGE_MAX};
use super::seal::Seal;
use super::{Database, DatabaseError};

/// Rows of one statement; SQLite bounds the values in one.
const ROWS_AT_ONCE: usize = 100;
/// Records that one transaction drops, so that a tick needn't wait for all of them.
const DROPPED_AT_ONCE: i64 = 5_000;

/// What holds of a series from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRecord {
    pub series: SeriesId,
    pub from: Timestamp,
    /// JSON, opaque here.
    pub body: String,
}

/// A record that held at the instant that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub record: LedgerRecord,
    /// The next record's instant; none if it still holds.
    pub valid_to: Option<Timestamp>,
}

/// Which records of a series to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionFilter {
    pub series: SeriesId,
    /// With the record that already holds at this instant.
    pub from: Timestamp,
    /// Up to this instant, inclusive.
    pub to: Timestamp,
    /// Goes on after the record of this instant; the `next` of the page before.
    pub after: Option<Timestamp>,
    /// 1 to [`PAGE_MAX`]; anything else is brought within.
    pub limit: usize,
}

impl DecisionFilter {
    /// The first page.
    pub fn new(series: SeriesId, from: Timestamp, to: Timestamp) -> DecisionFilter {
        DecisionFilter {
            series,
            from,
            to,
            after: None,
            limit: PAGE_DEFAULT,
        }
    }
}

/// Some records of a series, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionPage {
    pub records: Vec<LedgerRecord>,
    /// Where the next page goes on; none at the end.
    pub next: Option<Timestamp>,
    /// The record after the last one, be it on another page or after `to`; none if the last one
    /// still holds.
    pub valid_to: Option<Timestamp>,
}

impl Database {
    /// What held of a series at a time; none if it is before all records that are kept. Whether
    /// ticks were evaluated then, [`Database::run_at`] says.
    ///
    /// # Errors
    /// The database can't be read, or the record is damaged.
    pub async fn decision_at(
        &self,
        series: &SeriesId,
        time: Timestamp,
    ) -> Result<Option<Decision>, DatabaseError> {
        let failed = DatabaseError::query("read a decision");
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let row = sqlx::query(
            "SELECT * FROM ledger WHERE service = ? AND metric = ? AND from_ms <= ?
             ORDER BY from_ms DESC LIMIT 1",
        )
        .bind(series.service.as_str())
        .bind(series.metric.as_str())
        .bind(time.as_millis())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Decision {
            record: record_of(&row)?,
            valid_to: begins_after(&mut transaction, series, time).await?,
        }))
    }

    /// A page of what held of a series between two times. Damaged records are left out.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn decisions(&self, filter: &DecisionFilter) -> Result<DecisionPage, DatabaseError> {
        let failed = DatabaseError::query("list decisions");
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let (service, metric) = (&filter.series.service, &filter.series.metric);
        let mut transaction = self.readers.begin().await.map_err(&failed)?;
        let first = match filter.after {
            Some(after) => after.as_millis().saturating_add(1),
            None => holding_from(&mut transaction, &filter.series, filter.from).await?,
        };
        let mut rows = sqlx::query(
            "SELECT * FROM ledger
             WHERE service = ? AND metric = ? AND from_ms >= ? AND from_ms <= ?
             ORDER BY from_ms LIMIT ?",
        )
        .bind(service.as_str())
        .bind(metric.as_str())
        .bind(first)
        .bind(filter.to.as_millis())
        .bind(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await
        .map_err(&failed)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let Some(last) = rows.last() else {
            return Ok(DecisionPage::default());
        };
        let last = last.try_get("from_ms").map(Timestamp::from_millis);
        let last = last.map_err(&failed)?;
        Ok(DecisionPage {
            records: rows.iter().filter_map(whole).collect(),
            next: more.then_some(last),
            valid_to: begins_after(&mut transaction, &filter.series, last).await?,
        })
    }

    /// Drops records before a time, but not the one of each series that holds at it, and then the
    /// oldest of all beyond `entries_max`, but never the newest of a series; says how many.
    ///
    /// # Errors
    /// The database can't be written. What was dropped until then stays dropped.
    pub async fn prune_ledger(
        &self,
        before: Timestamp,
        entries_max: u64,
    ) -> Result<u64, DatabaseError> {
        let failed = DatabaseError::query("drop old decisions");
        let mut dropped = 0;
        loop {
            let result = sqlx::query(
                "DELETE FROM ledger WHERE rowid IN (
                     SELECT rowid FROM ledger AS old WHERE from_ms < ?1 AND EXISTS (
                         SELECT 1 FROM ledger AS later
                         WHERE later.service = old.service AND later.metric = old.metric
                             AND later.from_ms > old.from_ms AND later.from_ms <= ?1)
                     ORDER BY from_ms LIMIT ?2)",
            )
            .bind(before.as_millis())
            .bind(DROPPED_AT_ONCE)
            .execute(&self.writer)
            .await
            .map_err(&failed)?;
            dropped += result.rows_affected();
            if result.rows_affected() < DROPPED_AT_ONCE as u64 {
                break;
            }
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM ledger")
            .fetch_one(&self.readers)
            .await
            .map_err(&failed)?;
        let mut excess = count.saturating_sub(i64::try_from(entries_max).unwrap_or(i64::MAX));
        while excess > 0 {
            let result = sqlx::query(
                "DELETE FROM ledger WHERE rowid IN (
                     SELECT rowid FROM ledger AS old WHERE EXISTS (
                         SELECT 1 FROM ledger AS later
                         WHERE later.service = old.service AND later.metric = old.metric
                             AND later.from_ms > old.from_ms)
                     ORDER BY from_ms LIMIT ?)",
            )
            .bind(excess.min(DROPPED_AT_ONCE))
            .execute(&self.writer)
            .await
            .map_err(&failed)?;
            if result.rows_affected() == 0 {
                break;
            }
            dropped += result.rows_affected();
            excess -= i64::try_from(result.rows_affected()).unwrap_or(excess);
        }
        Ok(dropped)
    }
}

/// Adds records; one that is there already, by series and instant, is replaced.
pub async fn save(
    connection: &mut SqliteConnection,
    records: &[LedgerRecord],
) -> Result<(), DatabaseError> {
    for chunk in records.chunks(ROWS_AT_ONCE) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO ledger (service, metric, from_ms, body, seal) ",
        );
        query.push_values(chunk, |mut row, record| {
            let (service, metric) = (
                record.series.service.as_str(),
                record.series.metric.as_str(),
            );
            let from_ms = record.from.as_millis();
            row.push_bind(service.to_owned())
                .push_bind(metric.to_owned())
                .push_bind(from_ms)
                .push_bind(record.body.clone())
                .push_bind(seal(service, metric, from_ms, &record.body));
        });
        query.push(
            " ON CONFLICT (service, metric, from_ms) DO UPDATE SET
                 body = excluded.body, seal = excluded.seal",
        );
        query
            .build()
            // One statement for each number of rows would push all others out of the cache.
            .persistent(false)
            .execute(&mut *connection)
            .await
            .map_err(DatabaseError::query("save decisions"))?;
    }
    Ok(())
}

/// The instant of the record that holds at `time`; `time` itself if there is none.
async fn holding_from(
    connection: &mut SqliteConnection,
    series: &SeriesId,
    time: Timestamp,
) -> Result<i64, DatabaseError> {
    let holding: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(from_ms) FROM ledger WHERE service = ? AND metric = ? AND from_ms <= ?",
    )
    .bind(series.service.as_str())
    .bind(series.metric.as_str())
    .bind(time.as_millis())
    .fetch_one(connection)
    .await
    .map_err(DatabaseError::query("list decisions"))?;
    Ok(holding.unwrap_or(time.as_millis()))
}

/// The instant of the first record after a time.
async fn begins_after(
    connection: &mut SqliteConnection,
    series: &SeriesId,
    time: Timestamp,
) -> Result<Option<Timestamp>, DatabaseError> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(from_ms) FROM ledger WHERE service = ? AND metric = ? AND from_ms > ?",
    )
    .bind(series.service.as_str())
    .bind(series.metric.as_str())
    .bind(time.as_millis())
    .fetch_one(connection)
    .await
    .map_err(DatabaseError::query("read a decision"))?;
    Ok(next.map(Timestamp::from_millis))
}

fn is_whole(row: &SqliteRow) -> Result<bool, Error> {
    let seal = seal(
        row.try_get("service")?,
        row.try_get("metric")?,
        row.try_get("from_ms")?,
        row.try_get("body")?,
    );
    Ok(seal == row.try_get::<Vec<u8>, _>("seal")?)
}

fn record_of(row: &SqliteRow) -> Result<LedgerRecord, DatabaseError> {
    let unreadable = |detail: String| DatabaseError::Unreadable {
        what: "a decision".to_owned(),
        detail,
    };
    if !is_whole(row).unwrap_or(false) {
        return Err(unreadable("it is damaged".to_owned()));
    }
    let column = |name: &str| -> Result<String, DatabaseError> {
        row.try_get(name)
            .map_err(|error| unreadable(error.to_string()))
    };
    let service = ServiceId::new(&column("service")?);
    let metric = MetricId::new(&column("metric")?);
    let from: i64 = row
        .try_get("from_ms")
        .map_err(|error| unreadable(error.to_string()))?;
    Ok(LedgerRecord {
        series: SeriesId::new(
            service.map_err(|error| unreadable(error.to_string()))?,
            metric.map_err(|error| unreadable(error.to_string()))?,
        ),
        from: Timestamp::from_millis(from),
        body: column("body")?,
    })
}

fn whole(row: &SqliteRow) -> Option<LedgerRecord> {
    match record_of(row) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::error!(%error, "left out a decision");
            None
        }
    }
}

fn seal(service: &str, metric: &str, from_ms: i64, body: &str) -> Vec<u8> {
    Seal::of("ledger")
        .text(service)
        .text(metric)
        .number(from_ms)
        .text(body)
        .finish()
}
