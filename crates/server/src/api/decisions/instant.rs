//! What held of a series at one instant, with the numbers of that instant.

use std::sync::Arc;
use std::time::Duration;

use domain::{Part, Row, SeriesId, Timestamp};
use incident::ledger::Entry;
use serde::Serialize;
use store::Run;
use utoipa::ToSchema;

use super::runs::{Evaluated, Runs, end_within};
use super::view::{self, DecisionView, RowView};
use super::{entry, failed, unit};
use crate::api::Api;
use crate::api::openapi::Time;
use crate::api::problem::Problem;
use crate::tick::chain;

/// What held at an instant.
#[derive(Serialize, ToSchema)]
#[schema(as = DecisionAt)]
pub struct Answer {
    service: String,
    metric: String,
    /// Of the value, the thresholds and the band; empty if the metric isn't configured any more.
    unit: String,
    /// The instant that was asked for.
    #[schema(value_type = Time)]
    at: Timestamp,
    /// Whether ticks were evaluated then.
    evaluated: bool,
    /// The newest tick at or before the instant: what it decided is told.
    #[schema(value_type = Option<Time>)]
    evaluated_at: Option<Timestamp>,
    answer: String,
    /// With the numbers of the newest sample at that tick.
    decision: Option<DecisionView>,
    /// That sample, from the dataset.
    row: Option<RowView>,
}

/// A decision, and what is needed to find its numbers.
struct Held {
    entry: Entry,
    /// The next decision.
    next: Option<Entry>,
    /// When that begins.
    valid_to: Option<Timestamp>,
}

pub async fn answer(api: &Api, series: SeriesId, at: Timestamp) -> Result<Answer, Problem> {
    let runs = Runs::of(api);
    let unit = &unit(api, &series);
    let nothing = |answer: String, evaluated| Answer {
        service: series.service.to_string(),
        metric: series.metric.to_string(),
        unit: unit.to_owned(),
        at,
        evaluated,
        evaluated_at: None,
        answer,
        decision: None,
        row: None,
    };
    let (run, until) = match runs.at(at).await? {
        Evaluated::Yes { run, until } => (run, until),
        Evaluated::Future { newest } => return Ok(nothing(to_come(newest), false)),
        Evaluated::No { before, after } => return Ok(nothing(not_evaluated(before, after), false)),
    };
    let Some(held) = held_at(api, &series, run, until).await? else {
        let text = format!(
            "no decision of that time is kept about {} {}: it was not watched then, or what was decided is past its retention; ticks were evaluated from {} to {}",
            series.service, series.metric, run.from, run.last
        );
        return Ok(nothing(text, true));
    };
    let tick = newest_tick(&held.entry, until, api.config().tick);
    let row = row_at(api, &series, tick, &held).await?;
    let rests_on_first = row.is_none() && held.entry.sample.is_some() && tick > held.entry.from;
    let entry = match &row {
        Some((row, _)) => held.entry.as_of(row),
        None => held.entry,
    };
    let to = end_within(run, held.valid_to);
    let mut decision = view::decision(&entry, unit, to, tick);
    if rests_on_first {
        decision.why.push(format!(
            "the row of that tick is not in the datasets any more: the numbers are those of {}, when this decision began",
            entry.from
        ));
    }
    Ok(Answer {
        evaluated_at: Some(tick),
        decision: Some(decision),
        row: row.map(|(row, part)| view::row(row, part)),
        ..nothing(entry.sentences(unit).swap_remove(0), true)
    })
}

fn newest_tick(entry: &Entry, at: Timestamp, configured: Duration) -> Timestamp {
    if entry.tick.is_zero() {
        let tick = configured;
        return Entry {
            tick,
            ..entry.clone()
        }
        .newest_tick(at);
    }
    entry.newest_tick(at)
}

/// What the ticks of a run decided last until an instant.
async fn held_at(
    api: &Api,
    series: &SeriesId,
    run: Run,
    at: Timestamp,
) -> Result<Option<Held>, Problem> {
    let database = &api.storage.database;
    let read = async |time| {
        let decision = database.decision_at(series, time).await;
        decision.map_err(|error| failed(&error))
    };
    // What was decided before a run belongs to another one.
    let Some(held) = read(at).await?.filter(|held| held.record.from >= run.from) else {
        return Ok(None);
    };
    let next = match held.valid_to {
        Some(valid_to) => read(valid_to).await?,
        None => None,
    };
    Ok(Some(Held {
        entry: entry(&held.record)?,
        next: next.map(|next| entry(&next.record)).transpose()?,
        valid_to: held.valid_to,
    }))
}

/// The row that a tick's decision rests on.
async fn row_at(
    api: &Api,
    series: &SeriesId,
    tick: Timestamp,
    held: &Held,
) -> Result<Option<(Row, Part)>, Problem> {
    let Some((from, to)) = held.entry.rests_between(held.next.as_ref(), tick) else {
        return Ok(None);
    };
    let (storage, series) = (Arc::clone(&api.storage), series.clone());
    let read = tokio::task::spawn_blocking(move || {
        let newest = storage.datasets().newest_row(&series, from, to);
        newest.map_err(|error| chain(&error))
    });
    let read = read
        .await
        .map_err(|error| Problem::internal("reading the dataset", &error))?;
    read.map_err(|why| Problem::failed("reading the dataset", &why))
}

fn to_come(newest: Option<Timestamp>) -> String {
    let mut text = "nothing is decided yet: that time is still to come".to_owned();
    if let Some(newest) = newest {
        text += &format!("; the newest tick was at {newest}");
    }
    text
}

fn not_evaluated(before: Option<Run>, after: Option<Run>) -> String {
    let mut text = "nothing was decided: no tick was evaluated at that time".to_owned();
    match (before, after) {
        (None, None) => text += ", nor at any other that is kept",
        (before, after) => {
            if let Some(run) = before {
                text += &format!("; the last one before was at {}", run.last);
            }
            if let Some(run) = after {
                text += &format!("; the next one was at {}", run.from);
            }
        }
    }
    text
}
