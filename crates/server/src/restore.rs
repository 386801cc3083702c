//! What the engine begins with: stored decisions, models and memories, brought up to date from the
//! datasets. The same path rebuilds a memory after an outage was filled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use detect::{Context, Model, SeriesState, median_spacing};
use domain::{Part, Sample, SeriesId, Timestamp};
use engine::{Config as EngineConfig, State, Swap};
use incident::DecideState;
use incident::Masks;
use rayon::prelude::*;
use store::EngineState;

use crate::storage::Storage;
use crate::tick::chain;
use crate::training::Recipe;

/// The version of the stored [`DecideState`].
const DECIDE_VERSION: u32 = 2;
/// Posted events so old are not looked at again.
const EVENTS_SINCE: Duration = Duration::from_secs(2 * 86_400);

/// What was found on disk.
pub struct Restored {
    pub state: State,
    /// Models and memories, to be swapped in at the first tick.
    pub swaps: Vec<Swap>,
    /// The bytes of the stored decisions.
    pub stored_decide: Vec<u8>,
    /// Series that have a dataset or a model.
    pub series: BTreeSet<SeriesId>,
    /// The newest row of each series.
    pub last_rows: BTreeMap<SeriesId, Timestamp>,
    /// Series without a usable model, or with one past `max_age`.
    pub stale: BTreeSet<SeriesId>,
    pub remarks: Vec<String>,
}

/// The decisions as they are stored; the incidents lie beside them.
pub fn encode_decide(decide: &DecideState) -> EngineState {
    let bytes = postcard::to_stdvec(&decide.without_incidents()).expect("trackers are plain data");
    EngineState {
        key: EngineState::ENGINE.to_owned(),
        version: DECIDE_VERSION,
        bytes,
    }
}

/// Reads everything; what is damaged is set aside and said.
///
/// # Errors
/// The database can't be read, or the data directory can't be listed.
pub async fn restore(
    storage: &Storage,
    config: EngineConfig,
    recipe: &Recipe,
    now: Timestamp,
) -> anyhow::Result<Restored> {
    let mut remarks = Vec::new();
    let stored = match storage.database.engine_state(EngineState::ENGINE).await {
        Ok(stored) => stored,
        Err(error) => {
            remarks.push(format!(
                "{}; decisions go on from the incidents alone",
                chain(&error)
            ));
            None
        }
    };
    let decide = stored.as_ref().and_then(|stored| match decode_decide(stored) {
        Ok(decide) => Some(decide),
        Err(why) => {
            remarks.push(format!("the stored decisions can't be read ({why}); they go on from the incidents alone"));
            None
        }
    });
    let newest = storage.database.newest_incident().await?;
    let incidents = storage.database.all_open().await?;
    let incidents = incidents.into_iter().map(Arc::new).collect();
    let mut state = State::restored(config, decide.unwrap_or_default(), incidents, newest)?;
    let events = storage.database.recent_events(now - EVENTS_SINCE).await?;
    state.restore_events(events.into_iter().map(Arc::new));

    let masks = crate::training::masks(storage, recipe, now).await?;
    finish_moves(storage, &masks, recipe.tick, &mut remarks);
    let mut series: BTreeSet<SeriesId> = storage.datasets().list()?.into_iter().collect();
    series.extend(storage.models.list()?);
    let known: Vec<SeriesId> = series
        .iter()
        .filter(|id| recipe.catalogue.get(&id.metric).is_some())
        .cloned()
        .collect();
    let memories: Vec<Memory> = known
        .par_iter()
        .map(|series| memory(storage, recipe, &masks, series, now, Rebuilt::AfterIt))
        .collect();
    let mut restored = Restored {
        state,
        swaps: Vec::new(),
        stored_decide: stored.map(|stored| stored.bytes).unwrap_or_default(),
        last_rows: last_rows(storage, &series),
        series,
        stale: BTreeSet::new(),
        remarks,
    };
    for (series, memory) in known.into_iter().zip(memories) {
        restored.remarks.extend(memory.remarks);
        if memory.is_stale {
            restored.stale.insert(series);
        }
        restored.swaps.push(memory.swap);
    }
    Ok(restored)
}

fn last_rows(storage: &Storage, series: &BTreeSet<SeriesId>) -> BTreeMap<SeriesId, Timestamp> {
    let datasets = storage.datasets();
    series
        .iter()
        .filter_map(|id| Some((id.clone(), datasets.last_time(id)?)))
        .collect()
}

fn decode_decide(stored: &EngineState) -> Result<DecideState, String> {
    if stored.version != DECIDE_VERSION {
        return Err(format!("version {}, not {DECIDE_VERSION}", stored.version));
    }
    postcard::from_bytes(&stored.bytes).map_err(|error| error.to_string())
}

/// Moves that a crash left undone between the database and the datasets.
fn finish_moves(storage: &Storage, masks: &Masks, tick: Duration, remarks: &mut Vec<String>) {
    let mut datasets = storage.datasets_mut();
    for (series, from, to) in masks.moves(tick) {
        match datasets.move_rows(&series, from, to) {
            Ok(0) => {}
            Ok(rows) => remarks.push(format!(
                "{rows} rows of {series} were moved to anomaly, which the last run had not finished"
            )),
            Err(error) => remarks.push(format!("rows of {series}: {}", chain(&error))),
        }
    }
}

/// The model and memory of one series, up to date with its dataset.
pub struct Memory {
    pub swap: Swap,
    /// There is no model, or it is past its age.
    pub is_stale: bool,
    pub remarks: Vec<String>,
}

/// Which rows are new to a memory.
#[derive(Clone, Copy, Debug)]
pub enum Rebuilt {
    /// Those after its newest sample.
    AfterIt,
    /// Also those since a time, which were put in between.
    Since(Timestamp),
}

/// Loads the model and the memory of a series; rows of the dataset that are new to the memory are
/// judged again, so that it stands where the dataset ends. A memory that passed over some of them
/// is made anew.
pub fn memory(
    storage: &Storage,
    recipe: &Recipe,
    masks: &Masks,
    series: &SeriesId,
    now: Timestamp,
    rebuilt: Rebuilt,
) -> Memory {
    let mut remarks = Vec::new();
    let loaded = load_model(storage, series, &mut remarks);
    let mut state = load_state(storage, series, &mut remarks).filter(|state| match rebuilt {
        Rebuilt::AfterIt => true,
        Rebuilt::Since(time) => state.newest().is_none_or(|newest| newest.time < time),
    });
    let since = state
        .as_ref()
        .and_then(|state| state.newest())
        .map(|sample| sample.time);
    let mut samples = match storage
        .datasets()
        .read(series, since.unwrap_or(Timestamp::EPOCH))
    {
        Ok(dataset) => {
            let skipped = dataset.skipped.iter().take(3);
            remarks.extend(
                skipped
                    .map(|line| format!("{line}; it is passed over; correct or delete the line")),
            );
            let rows = dataset.rows.into_iter();
            rows.map(|(row, _)| Sample {
                time: row.timestamp,
                value: row.value,
            })
            .collect()
        }
        Err(error) => {
            remarks.push(chain(&error));
            Vec::new()
        }
    };
    samples.retain(|sample: &Sample| since.is_none_or(|since| sample.time > since));
    let state = state.get_or_insert_default();
    if let Some(spec) = recipe.catalogue.get(&series.metric) {
        let step = median_spacing(&samples).unwrap_or(recipe.tick);
        let step = step.max(recipe.tick);
        let intervals = masks.of(series, step);
        let context = Context {
            spec,
            season: &recipe.season,
            step,
            alarm_budget: recipe.settings.alarm_budget,
            masked: false,
        };
        let is_masked = |time| {
            intervals
                .iter()
                .any(|(from, to, _)| *from <= time && time <= *to)
        };
        let model = loaded.as_ref().map(|(model, _)| model);
        state.follow(model, &samples, context, is_masked);
    }
    let is_stale = loaded
        .as_ref()
        .is_none_or(|(model, _)| now.since(model.header.trained_at) >= recipe.settings.max_age);
    let swap = Swap {
        series: series.clone(),
        model: loaded.map(|(_, bytes)| bytes.into()),
        state: Some(state.encode().into()),
    };
    Memory {
        swap,
        is_stale,
        remarks,
    }
}

fn load_model(
    storage: &Storage,
    series: &SeriesId,
    remarks: &mut Vec<String>,
) -> Option<(Model, Vec<u8>)> {
    let bytes = match storage.models.load(series) {
        Ok(bytes) => bytes?,
        Err(error) => {
            remarks.push(set_aside(
                storage.models.quarantine(series, &chain(&error)),
                "model",
                series,
                chain(&error),
            ));
            return None;
        }
    };
    match Model::decode(&bytes, series) {
        Ok(model) => Some((model, bytes)),
        Err(error) => {
            let moved = storage.models.quarantine(series, &error.to_string());
            remarks.push(set_aside(moved, "model", series, error.to_string()));
            None
        }
    }
}

fn load_state(
    storage: &Storage,
    series: &SeriesId,
    remarks: &mut Vec<String>,
) -> Option<SeriesState> {
    let decoded = match storage.models.load_state(series) {
        Ok(bytes) => SeriesState::decode(&bytes?).map_err(|error| error.to_string()),
        Err(error) => Err(chain(&error)),
    };
    decoded
        .map_err(|why| {
            let moved = storage.models.quarantine_state(series, &why);
            remarks.push(set_aside(moved, "memory", series, why));
        })
        .ok()
}

fn set_aside(
    moved: Result<PathBuf, store::ModelError>,
    what: &str,
    series: &SeriesId,
    why: String,
) -> String {
    match moved {
        Ok(path) => format!(
            "the {what} of {series} is set aside in {}: {why}; it is made anew",
            path.display()
        ),
        Err(error) => format!(
            "the {what} of {series} is bad ({why}) and could not be set aside: {}",
            chain(&error)
        ),
    }
}

/// Where a past row belongs, and its bare judgement: severity and features, no prediction.
pub fn past_rows(
    recipe: &Recipe,
    masks: &Masks,
    series: &SeriesId,
    before: &[Sample],
    samples: &[Sample],
    step: Duration,
) -> Vec<(Part, domain::Row)> {
    let Some(spec) = recipe.catalogue.get(&series.metric) else {
        return Vec::new();
    };
    let thresholds = spec.thresholds_for(&series.service);
    let intervals: Vec<_> = masks
        .of(series, step)
        .into_iter()
        .filter(|(_, _, touch)| *touch == incident::Touch::Member)
        .collect();
    let mut featuriser = detect::featurise::Featuriser::default();
    for sample in before {
        featuriser.push(*sample, step);
    }
    samples
        .iter()
        .map(|sample| {
            let anomaly = intervals
                .iter()
                .any(|(from, to, _)| *from <= sample.time && sample.time <= *to);
            let row = domain::Row {
                timestamp: sample.time,
                value: sample.value,
                severity: thresholds.severity(sample.value, spec.direction),
                prediction: domain::Prediction::Unknown,
                score: None,
                features: featuriser.push(*sample, step),
                band: None,
            };
            (
                if anomaly {
                    Part::Anomaly
                } else {
                    Part::History
                },
                row,
            )
        })
        .collect()
}
