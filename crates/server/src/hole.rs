//! The stretch of time whose rows may be missing: it was not evaluated, or not written. There is
//! one: several are filled as one, for what is there already is left as it is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use tokio::sync::Notify;

/// From the last instant that was evaluated to the first that was again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Widened by the tick, closed by history.
#[derive(Debug, Default)]
pub struct Hole {
    stretch: Mutex<Option<Stretch>>,
    widened: Notify,
}

impl Hole {
    pub fn stretch(&self) -> Option<Stretch> {
        *self.lock()
    }

    pub fn widen(&self, by: Stretch) {
        let mut stretch = self.lock();
        let there = stretch.unwrap_or(by);
        *stretch = Some(Stretch {
            from: there.from.min(by.from),
            to: there.to.max(by.to),
        });
        drop(stretch);
        self.widened.notify_one();
    }

    /// Closes it, unless it is wider than what was filled.
    pub fn close(&self, filled: Stretch) {
        let mut stretch = self.lock();
        if *stretch == Some(filled) {
            *stretch = None;
        }
    }

    /// Waits until it is widened; at once if it was since the last time.
    pub async fn widened(&self) {
        self.widened.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stretch>> {
        self.stretch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_while_it_was_filled_stays() {
        let stretch = |from, to| Stretch {
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(to),
        };
        let hole = Hole::default();
        hole.close(stretch(1, 2));
        assert_eq!(hole.stretch(), None);
        hole.widen(stretch(10, 20));
        hole.widen(stretch(40, 50));
        assert_eq!(hole.stretch(), Some(stretch(10, 50)));
        hole.close(stretch(10, 20));
        assert_eq!(hole.stretch(), Some(stretch(10, 50)));
        hole.close(stretch(10, 50));
        assert_eq!(hole.stretch(), None);
    }
}
