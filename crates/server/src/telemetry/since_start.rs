//! What `GET /api/v1/status` says of the ticks since the start: counted beside the telemetry, whose
//! figures can be written out and not read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use domain::Gap;

static COUNTED: Counted = Counted::new();

struct Counted {
    evaluated: AtomicU64,
    missed: AtomicU64,
    last_micros: AtomicU64,
    slowest_micros: AtomicU64,
    /// In the order of [`Gap::ALL`].
    gaps: [AtomicU64; Gap::ALL.len()],
}

/// The evaluation instants since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    pub evaluated: u64,
    pub missed: u64,
    /// How long the newest and the slowest took; none before the first.
    pub took: Option<(Duration, Duration)>,
}

impl Counted {
    const fn new() -> Counted {
        Counted {
            evaluated: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            last_micros: AtomicU64::new(0),
            slowest_micros: AtomicU64::new(0),
            gaps: [const { AtomicU64::new(0) }; Gap::ALL.len()],
        }
    }

    fn ticked(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.last_micros.store(micros, Relaxed);
        self.slowest_micros.fetch_max(micros, Relaxed);
        self.evaluated.fetch_add(1, Relaxed);
    }

    fn note_gaps(&self, gap: Gap, count: u64) {
        for (known, counted) in Gap::ALL.iter().zip(&self.gaps) {
            if *known == gap {
                counted.fetch_add(count, Relaxed);
            }
        }
    }

    fn ticks(&self) -> Ticks {
        let evaluated = self.evaluated.load(Relaxed);
        let micros = |of: &AtomicU64| Duration::from_micros(of.load(Relaxed));
        let took = (micros(&self.last_micros), micros(&self.slowest_micros));
        Ticks {
            evaluated,
            missed: self.missed.load(Relaxed),
            took: (evaluated > 0).then_some(took),
        }
    }

    fn gaps(&self) -> Vec<(Gap, u64)> {
        let counted = self.gaps.iter().map(|count| count.load(Relaxed));
        Gap::ALL.into_iter().zip(counted).collect()
    }
}

pub(super) fn ticked(took: Duration) {
    COUNTED.ticked(took);
}

pub(super) fn missed(instants: u64) {
    COUNTED.missed.fetch_add(instants, Relaxed);
}

pub(super) fn note_gaps(gap: Gap, count: u64) {
    COUNTED.note_gaps(gap, count);
}

/// The evaluation instants of this process.
pub fn ticks() -> Ticks {
    COUNTED.ticks()
}

/// Series without a usable sample at an instant, by every reason that there is.
pub fn gaps() -> Vec<(Gap, u64)> {
    COUNTED.gaps()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_took_any_time_before_the_first_tick() {
        let counted = Counted::new();
        counted.missed.fetch_add(2, Relaxed);
        let ticks = counted.ticks();
        assert_eq!((ticks.evaluated, ticks.missed, ticks.took), (0, 2, None));
    }

    #[test]
    fn the_newest_and_the_slowest_tick_are_kept() {
        let counted = Counted::new();
        let millis = Duration::from_millis;
        for took in [40, 90, 20] {
            counted.ticked(millis(took));
        }
        let ticks = counted.ticks();
        assert_eq!(ticks.evaluated, 3);
        assert_eq!(ticks.took, Some((millis(20), millis(90))));
    }

    #[test]
    fn gaps_are_counted_by_reason() {
        let counted = Counted::new();
        counted.note_gaps(Gap::Stale, 3);
        counted.note_gaps(Gap::SourceDown, 1);
        counted.note_gaps(Gap::Stale, 2);
        let some: Vec<_> = counted.gaps().into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(some, [(Gap::Stale, 5), (Gap::SourceDown, 1)]);
        assert_eq!(counted.gaps().len(), Gap::ALL.len());
    }
}
