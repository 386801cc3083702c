//! The past of real services: a recorded quiet stretch, repeated until it fills days.
//!
//! A [`Recording`] holds every scrape of a quarter of an hour or so of real services, in a text that a person can read.
//! [`Tiling`] lays copies of it end to end, back from an instant, so that models can be trained before anybody has
//! waited for two days.
//!
//! What is true of such a past: names, labels, levels, the noise from scrape to scrape and how the families hang
//! together are those of the very services. Counters go on across the seams (there by their mean increase), buckets
//! stay cumulative and agree with their `_count`, and the load follows the curve of the day: increments of counters and
//! `process_cpu_usage` are multiplied by it.
//!
//! What isn't: noise repeats with every tile, so two days hold no more surprises than the recorded stretch did, apart
//! from a gentle, seeded variation of the load of a few per cent. All other gauges (heap, threads, pools, queues, the
//! `_max` of timers) are as recorded at whatever load, and the latency of a moment is that of the recorded moment,
//! since its buckets are scaled together. Nothing rare has happened. So it is labelled: wherever such a past lies, the
//! series [`MARKER`] says from when the recording is.

mod curve;
mod families;
mod format;
mod recording;
mod series;
mod tiling;

pub use curve::{Curve, CurveError};
pub use families::{FAMILIES, RecordedFamily, Scaling};
pub use format::{FormatError, MAX_TEXT_BYTES};
pub use recording::{MAX_SCRAPES, MAX_SERIES, Recording, RecordingError};
pub use series::{Kind, RecordedSeries};
pub use tiling::{MARKER, Plan, Tiling, TilingError};
