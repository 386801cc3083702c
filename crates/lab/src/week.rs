//! The week itself: history is laid down, models are trained, and the engine is stepped minute by
//! minute over what is measured, with training on schedule, as the server does it.

use std::collections::BTreeMap;
use std::sync::Arc;

use detect::Season;
use domain::{Episode, Incident, IncidentId, SeriesId, ServiceId, Timestamp};
use engine::{State, Swap, TickInput, TickOutput};
use incident::Masks;
use rayon::prelude::*;
use simulator::{FaultError, Fleet, Observer};

use crate::dataset::Dataset;
use crate::measure::collection;
use crate::script::Script;
use crate::settings::Settings;

/// How far a run has come, in minutes of simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// Why a week can't be run.
#[derive(Debug, thiserror::Error)]
pub enum WeekError {
    #[error(transparent)]
    Fault(#[from] FaultError),
    #[error(transparent)]
    Timezone(#[from] detect::UnknownTimezone),
    #[error(transparent)]
    Config(#[from] engine::ConfigError),
}

/// What a week came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every incident, by number, as it stands at the end.
    pub incidents: Vec<Arc<Incident>>,
    /// When a service began to be warned about, having been left alone for a quiet period.
    pub early_warnings: Vec<(Timestamp, ServiceId)>,
}

/// Runs a script through the engine.
///
/// # Errors
/// A fault that the topology can't have; a time zone that isn't known.
pub fn run(
    script: &Script,
    settings: &Settings,
    progress: &dyn Fn(Progress),
) -> Result<Outcome, WeekError> {
    let calendar = script.calendar;
    let fleet = Fleet::new(
        script.topology.clone(),
        script.faults_of_fleet(),
        script.seed,
        calendar.epoch_ms(),
    )?;
    let mut week = Week {
        settings,
        season: Season::new(&settings.engine.timezone)?,
        observer: Observer::new(fleet),
        state: State::new(settings.engine.clone())?,
        datasets: BTreeMap::new(),
        incidents: BTreeMap::new(),
        warned: BTreeMap::new(),
        early_warnings: Vec::new(),
        swaps: Vec::new(),
    };
    let tick_ms = settings.tick_ms();
    let from_ms = calendar.history_from_ms();
    let retrain_ms = i64::try_from(settings.retrain_every.as_millis()).unwrap_or(i64::MAX);
    let ticks = (calendar.until_ms() - from_ms) / tick_ms;
    for tick in 0..ticks {
        let at_ms = from_ms + tick * tick_ms;
        if at_ms < calendar.from_ms {
            week.remember(at_ms);
        } else {
            if (at_ms - calendar.from_ms) % retrain_ms == 0 {
                week.train(at_ms);
            }
            week.step(at_ms);
        }
        progress(Progress {
            done: tick as u64 + 1,
            total: ticks as u64,
        });
    }
    Ok(Outcome {
        incidents: week.incidents.into_values().collect(),
        early_warnings: week.early_warnings,
    })
}

struct Week<'a> {
    settings: &'a Settings,
    season: Season,
    observer: Observer,
    state: State,
    datasets: BTreeMap<SeriesId, Dataset>,
    incidents: BTreeMap<IncidentId, Arc<Incident>>,
    /// When each service was last warned about.
    warned: BTreeMap<ServiceId, Timestamp>,
    early_warnings: Vec<(Timestamp, ServiceId)>,
    /// For the next step.
    swaps: Vec<Swap>,
}

impl Week<'_> {
    /// One minute of history: samples are kept, nothing is judged.
    fn remember(&mut self, at_ms: i64) {
        for observation in self.look(at_ms).series {
            if let Ok(sample) = observation.outcome {
                let dataset = self.datasets.entry(observation.series).or_default();
                dataset.push(sample);
            }
        }
    }

    fn step(&mut self, at_ms: i64) {
        let input = TickInput {
            swaps: std::mem::take(&mut self.swaps),
            ..TickInput::of(self.look(at_ms))
        };
        let output = engine::step(&mut self.state, &input);
        self.keep(&output);
    }

    fn look(&mut self, at_ms: i64) -> domain::Collection {
        self.observer.advance(at_ms);
        let at = Timestamp::from_millis(at_ms);
        collection(&self.observer.observe(), at, self.settings)
    }

    /// What the server writes: incidents, moved rows, new rows.
    fn keep(&mut self, output: &TickOutput) {
        for incident in &output.decided.incidents {
            self.incidents.insert(incident.id, Arc::clone(incident));
        }
        for moved in &output.decided.moves {
            let dataset = self.datasets.entry(moved.series.clone()).or_default();
            dataset.give_to_anomaly(moved.from);
        }
        for row in &output.rows {
            let dataset = self.datasets.entry(row.series.clone()).or_default();
            dataset.append(row);
        }
        let quiet_period = self.settings.engine.decide.quiet_period;
        for service in &output.early_warnings {
            let before = self.warned.insert(service.clone(), output.at);
            if before.is_none_or(|before| output.at.since(before) > quiet_period) {
                self.early_warnings.push((output.at, service.clone()));
            }
        }
    }

    /// Trains every series on what lies before; the next step swaps the models in.
    fn train(&mut self, at_ms: i64) {
        let now = Timestamp::from_millis(at_ms);
        let episodes = self
            .incidents
            .values()
            .map(|incident| Episode::from(&**incident))
            .collect();
        let masks = Masks::new(episodes, self.settings.engine.decide.quiet_period);
        let (settings, season) = (self.settings, &self.season);
        self.swaps = self
            .datasets
            .par_iter_mut()
            .filter_map(|(series, dataset)| dataset.train(series, &masks, settings, season, now))
            .collect();
    }
}
