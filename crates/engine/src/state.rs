//! What the engine remembers between ticks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use detect::{Model, Season, SeriesState, ServiceState};
use domain::{Finding, Incident, IncidentId, ModelRef, PostedEvent, SeriesId, ServiceId};
use incident::DecideState;
use serde::{Deserialize, Serialize};

use crate::input::{Config, ConfigError};

/// The memory of the engine. Made once, changed only by [`crate::step`].
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) config: Config,
    pub(crate) season: Season,
    pub(crate) series: BTreeMap<SeriesId, Series>,
    pub(crate) services: BTreeMap<ServiceId, ServiceState>,
    pub(crate) decide: DecideState,
}

/// The memory of one series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub memory: SeriesState,
    pub model: Option<(Arc<Model>, ModelRef)>,
    /// The newest finding with a sample of its own, which a repeat repeats.
    pub last: Option<Finding>,
    /// The distance of its samples at the newest tick.
    pub step: Option<Duration>,
}

/// Why bytes are not a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the engine's state is malformed: {0}")]
    Malformed(#[from] postcard::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the model of {series} in the engine's state: {source}")]
    Model {
        series: SeriesId,
        source: detect::ModelError,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredSeries {
    series: SeriesId,
    memory: SeriesState,
    model: Option<Vec<u8>>,
    last: Option<Finding>,
    step: Option<Duration>,
}

impl State {
    /// # Errors
    /// The configured time zone is unknown.
    pub fn new(config: Config) -> Result<State, ConfigError> {
        let season = Season::new(&config.timezone)?;
        Ok(State {
            config,
            season,
            series: BTreeMap::new(),
            services: BTreeMap::new(),
            decide: DecideState::default(),
        })
    }

    /// A state that goes on from stored decisions and incidents; `newest` is the greatest number
    /// ever given.
    ///
    /// # Errors
    /// The configured time zone is unknown.
    pub fn restored(
        config: Config,
        mut decide: DecideState,
        incidents: Vec<Arc<Incident>>,
        newest: Option<IncidentId>,
    ) -> Result<State, ConfigError> {
        decide.restore_incidents(incidents, newest);
        Ok(State {
            decide,
            ..State::new(config)?
        })
    }

    /// Takes posted events back that were stored and may be missing in the decisions.
    pub fn restore_events(&mut self, events: impl IntoIterator<Item = Arc<PostedEvent>>) {
        self.decide.restore_events(events);
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn decide(&self) -> &DecideState {
        &self.decide
    }

    /// The memory of every series, to be stored.
    pub fn memories(&self) -> impl Iterator<Item = (&SeriesId, &SeriesState)> {
        self.series.iter().map(|(id, series)| (id, &series.memory))
    }

    /// The model of a series and its name.
    pub fn model(&self, series: &SeriesId) -> Option<(&Arc<Model>, &ModelRef)> {
        self.series
            .get(series)?
            .model
            .as_ref()
            .map(|(model, reference)| (model, reference))
    }

    pub fn models(&self) -> impl Iterator<Item = (&SeriesId, &Arc<Model>)> {
        self.series
            .iter()
            .filter_map(|(id, series)| Some((id, &series.model.as_ref()?.0)))
    }

    /// The whole state, for the head of a recording.
    pub fn encode(&self) -> Vec<u8> {
        let series: Vec<StoredSeries> = self
            .series
            .iter()
            .map(|(id, series)| StoredSeries {
                series: id.clone(),
                memory: series.memory.clone(),
                model: series.model.as_ref().map(|(model, _)| model.encode()),
                last: series.last.clone(),
                step: series.step,
            })
            .collect();
        postcard::to_stdvec(&(&self.config, &self.decide, series, &self.services))
            .expect("a state is plain data")
    }

    /// # Errors
    /// Bytes that [`State::encode`] didn't make.
    pub fn decode(bytes: &[u8]) -> Result<State, StateError> {
        let (config, decide, stored, services): (
            Config,
            DecideState,
            Vec<StoredSeries>,
            BTreeMap<ServiceId, ServiceState>,
        ) = postcard::from_bytes(bytes)?;
        let mut state = State {
            decide,
            services,
            ..State::new(config)?
        };
        for StoredSeries {
            series,
            memory,
            model,
            last,
            step,
        } in stored
        {
            let model = model
                .map(|bytes| decode_model(&bytes, &series))
                .transpose()
                .map_err(|source| StateError::Model {
                    series: series.clone(),
                    source,
                })?;
            state.series.insert(
                series,
                Series {
                    memory,
                    model,
                    last,
                    step,
                },
            );
        }
        Ok(state)
    }
}

pub(crate) fn decode_model(
    bytes: &[u8],
    series: &SeriesId,
) -> Result<(Arc<Model>, ModelRef), detect::ModelError> {
    let model = Model::decode(bytes, series)?;
    let reference = model.reference(bytes);
    Ok((Arc::new(model), reference))
}
