//! Detection of one series: featurise, judge by components, calibrate, predict; and train.
//!
//! Pure: no clock, disk or network. [`SeriesState::step`] is the only path by which a sample is
//! judged, live, in replay and while a training window is walked; [`featurise::Featuriser`] is the
//! only place where features are computed.

mod band;
mod calibrate;
pub mod featurise;
mod judge;
mod model;
mod season;
mod train;

pub use band::SeasonalBand;
pub use calibrate::{Calibrator, RARITY_MAX};
pub use judge::{Context, Judgement, SeriesState, StateError};
pub use model::{Model, ModelError, ModelHeader};
pub use season::{Season, UnknownTimezone};
pub use train::{Outcome, Settings, Trained, TrainingSet, median_spacing, train};
