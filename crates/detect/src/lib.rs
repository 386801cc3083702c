//! Detection of one series: featurise, judge by components, calibrate, predict; and train. Of a
//! service: the strongest of its series, calibrated again.
//!
//! Pure: no clock, disk or network. [`SeriesState::step`] is the only path by which a sample is
//! judged, live, in replay and while a training window is walked; [`featurise::Featuriser`] is the
//! only place where features are computed.

mod band;
mod calibrate;
pub mod featurise;
mod judge;
mod limits;
mod model;
mod season;
mod service;
mod train;

pub use band::SeasonalBand;
pub use calibrate::{Calibrator, RARITY_MAX};
pub use judge::{Context, Judgement, SeriesState, StateError};
pub use limits::limits_of;
pub use model::{Model, ModelError, ModelHeader};
pub use season::{Season, UnknownTimezone};
pub use service::{STRONGEST, ServiceContext, ServiceJudgement, ServiceState};
pub use train::{Outcome, Settings, Trained, TrainingSet, median_spacing, train};
