//! The flow itself: `step(state, TickInput) -> TickOutput`, pure. What the server runs live and a
//! replay recomputes, bit for bit: everything that can influence a decision is in the input.

mod input;
mod output;
mod recording;
mod state;
mod step;

pub use input::{Config, ConfigError, Swap, TickInput};
pub use output::{PlacedRow, TickOutput};
pub use recording::{Frame, FrameError, decode_frame, encode_frame};
pub use state::{State, StateError};
pub use step::step;
