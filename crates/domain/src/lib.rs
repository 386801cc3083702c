//! The words of the field: services, metrics, samples, findings, incidents.
//!
//! No I/O and no clock. Names are checked once in their constructors and trusted afterwards;
//! instants are [`Timestamp`]s, never bare numbers; whatever is "not a number" becomes a [`Gap`]
//! at one gate, [`Sample::admit`], so that every float behind it is finite.

mod change;
mod episode;
mod evidence;
mod finding;
mod incident;
mod label;
mod log;
mod log_pattern;
mod metric;
mod name;
mod observation;
mod row;
mod sample;
mod spring;
mod time;

pub use change::{ChangeFact, ChangeKind, PostedEvent};
pub use episode::{Episode, EpisodeMember};
pub use evidence::{
    Breakdown, BreakdownOutcome, BreakdownPart, Changes, Evidence, EvidenceRequest, Gathered,
    GatheredSeries, LabelTable, Precedent, RequestMember, Shift, Shifts, SimilarIncident, TableRow,
    TableStatistic, Unusual,
};
pub use finding::{
    Band, Component, ComponentScore, FEATURE_NAMES, Features, Finding, ModelRef, Prediction,
    Reason, Severity, Silence,
};
pub use incident::{
    Actor, Incident, IncidentId, IncidentKind, Member, OpenedBecause, Resolution, Snooze, Status,
    TimelineEntry, TimelineEvent,
};
pub use label::escape_label_value;
pub use log::{LogLevel, LogLine, LogOutcome, LogWindow, exception_class};
pub use log_pattern::{AlsoTold, LogPattern, LogPatterns, LogReach, PatternBasis, PatternChange};
pub use metric::{Catalogue, CatalogueError, Combine, Direction, MetricSpec, Thresholds};
pub use name::{MetricId, NameError, SeriesId, ServiceId};
pub use observation::{
    Collection, Past, Presence, SeriesObservation, ServiceObservation, SourceState,
};
pub use row::{Part, Row};
pub use sample::{Gap, Sample};
pub use time::{ParseTimeError, Timestamp};
