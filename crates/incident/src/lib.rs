//! Decide: from findings to incidents, one per episode, each step and each non-step with its reason.
//!
//! Pure: reads findings, doesn't know how they were made. [`DecideState::step`] is called once a
//! tick with everything that was judged; commands of operators come in the same way.

mod changes;
mod command;
mod decide;
mod explain;
pub mod ledger;
mod masks;
mod onset;
mod settings;
mod summary;
mod tracker;
mod verdict;

pub use command::{Answer, Command, CommandKind, Refusal, SnoozeUntil};
pub use decide::evidence_request;
pub use decide::{Change, DecideInput, DecideOutput, DecideState, RowMove};
pub use explain::logs::around::exception_labels;
pub use explain::logs::failures::ExceptionLabel;
pub use explain::logs::miner::{GroupId, LogMiner, MinerLimits};
pub use explain::logs::shift::LogShift;
pub use explain::logs::windows::LogShiftWindows;
pub use explain::precedent::precedent;
pub use explain::similar::similar;
pub use masks::{Masks, Touch};
pub use onset::{Onset, masked_from, onset};
pub use settings::{AutoResolve, ResolveWhen, Settings, matches_pattern};
pub use summary::{amount, in_words, length, number};
pub use verdict::{Decision, Notice, Verdict};
