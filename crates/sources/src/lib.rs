//! Reads the world: the Prometheus client, discovery and collection, backfill, log files.
//!
//! Everything here turns what others say into the words of [`domain`], with a reason wherever
//! something is missing. No wall clock is read: instants are arguments, and the client gets a
//! [`Clock`] to measure the distance to the server's `Date`. Names from outside are never pasted
//! into a query or a path unescaped.

pub mod prometheus;

mod combine;
mod expression;
mod identity;
mod selection;

mod asked;
mod backfill;
mod collect;
mod discover;

mod evidence;

mod logs;

mod visible;

pub use asked::{Asked, asked};
pub use backfill::{Backfill, BackfillReport, BackfillRequest, BackfillSlice};
pub use collect::{CollectSettings, Collected, Collector, QueryTiming};
pub use evidence::{EvidenceAnswer, EvidenceFailure, EvidenceQueries, ROWS_MAX};
pub use expression::{filled, range};
pub use identity::{DEFAULT_IDENTITY, Identity, Named, SettingsError};
pub use logs::{
    FILES_MAX, FollowReport, LogCoverage, LogCursor, LogFields, LogIndex, LogIndexError, LogLimits,
    LogOrder, LogPage, LogQuery, LogReader, LogSource, LogTemplate, LogTemplateError,
    ParseCursorError,
};
pub use prometheus::{
    Answer, Clock, Evaluator, Prometheus, PrometheusError, PrometheusSettings, QueryError,
    RangeSeries, Secret, VectorSample,
};
pub use visible::excerpt;
