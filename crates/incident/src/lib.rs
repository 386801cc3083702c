//! Decide: from findings to incidents, one per episode, each step and each non-step with its reason.
//!
//! Pure: reads findings, doesn't know how they were made. [`DecideState::step`] is called once a
//! tick with everything that was judged; commands of operators come in the same way.

mod command;
mod decide;
mod masks;
mod onset;
mod summary;
mod tracker;

pub use command::{Answer, Command, CommandKind, Refusal};
pub use decide::{Change, DecideInput, DecideOutput, DecideState, RowMove};
pub use masks::{Masks, Touch};
pub use onset::{masked_from, onset};
pub use summary::{amount, in_words, number};
pub use tracker::{Decision, Settings, Verdict};
