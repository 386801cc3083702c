//! Detection of one series: featurise, judge by components, calibrate, predict; and train. Of a
//! service: the strongest of its series, calibrated again.
//!
//! Pure: no clock, disk or network. [`SeriesState::step`] is the only path by which a sample is
//! judged, live, in replay and while a training window is walked; [`featurise::Featuriser`] is the
//! only place where features are computed.

mod band;
mod calibrate;
mod components;
pub mod featurise;
mod histogram;
mod judge;
mod level;
mod limits;
mod model;
mod nearest;
mod past;
mod pattern;
mod residual_scale;
mod season;
mod seasonal;
mod service;
mod train;

pub use band::SeasonalBand;
pub use calibrate::{Calibrator, RARITY_MAX, keep_for_half_life, ln_of};
pub use components::{Components, Fitted, How, Statistics};
pub use judge::{Context, Judgement, SeriesState, StateError, effect, is_odd_now};
pub use level::Level;
pub use limits::limit_of;
pub use model::{Model, ModelError, ModelHeader};
pub use nearest::{LONG, Nearest, SHORT, Search};
pub use past::{PastBuckets, SameTime};
pub use pattern::Pattern;
pub use residual_scale::ResidualScale;
pub use season::{Season, UnknownTimezone};
pub use seasonal::{Distance, Seasonal};
pub use service::{MetricScore, STRONGEST, ServiceScore, ServiceState};
pub use train::{Outcome, Settings, Trained, TrainingSet, median_spacing, train};
