//! Backoff: when to try again, and when to give up and say so.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::SendError;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// What a receiver refuses it will hardly take a second later; people may mend it, though.
const FIRST_OF_REFUSED: Duration = Duration::from_secs(60);
const LONGEST_OF_REFUSED: Duration = Duration::from_secs(1800);
/// What couldn't be delivered for so long is given up.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What became of an attempt, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Delivered,
    Retry {
        next: Timestamp,
        /// A word of a small fixed set, for metric labels.
        kind: String,
        why: String,
    },
    /// Not delivered, and not tried again.
    GaveUp {
        kind: String,
        why: String,
    },
}

impl Outcome {
    /// `attempts` counts this one; `due` is when the oldest notice of the message became due; `seed`
    /// is any number of the message's own, so that many don't come back at one instant.
    pub fn of(
        result: Result<(), SendError>,
        attempts: u32,
        due: Timestamp,
        now: Timestamp,
        seed: u64,
    ) -> Outcome {
        let Err(error) = result else {
            return Outcome::Delivered;
        };
        let (kind, why) = (error.kind().to_owned(), error.to_string());
        if now.since(due) >= GIVE_UP_AFTER {
            return Outcome::GaveUp { kind, why };
        }
        let next = match error {
            SendError::Refused { .. } | SendError::Redirect { .. } | SendError::Address { .. } => {
                now + wait((FIRST_OF_REFUSED, LONGEST_OF_REFUSED), attempts, seed)
            }
            _ => next_attempt(attempts, now, seed),
        };
        let asked = error.retry_after().map_or(next, |after| now + after);
        Outcome::Retry {
            next: next.max(asked),
            kind,
            why,
        }
    }
}

/// When to try again after `attempts` failed ones: 1 s, doubling up to 5 min, ±20 % by the seed.
pub fn next_attempt(attempts: u32, now: Timestamp, seed: u64) -> Timestamp {
    now + wait((FIRST, LONGEST), attempts, seed)
}

fn wait((first, longest): (Duration, Duration), attempts: u32, seed: u64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&attempts.to_le_bytes());
    let share = f64::from(hasher.finalize().as_bytes()[0]) / 255.0;
    doubled.min(longest).mul_f64(0.8 + 0.4 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(attempts: u32, seed: u64) -> f64 {
        let now = Timestamp::from_millis(1_000_000);
        next_attempt(attempts, now, seed).since(now).as_secs_f64()
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_differ_by_a_fifth_at_most() {
        for (attempts, wait) in [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0), (10, 300.0)] {
            for seed in 0..50 {
                let seconds = seconds(attempts, seed);
                let bounds = 0.8 * wait - 0.001..=1.2 * wait;
                assert!(bounds.contains(&seconds), "{attempts}: {seconds} s");
            }
        }
        assert!(seconds(u32::MAX, 7) <= 360.0);
        assert_ne!(seconds(5, 1), seconds(5, 2));
        assert_eq!(seconds(5, 1), seconds(5, 1));
    }

    fn outcome(error: SendError, hours: u64) -> Outcome {
        let now = Timestamp::EPOCH + Duration::from_secs(hours * 3600);
        Outcome::of(Err(error), 1, Timestamp::EPOCH, now, 1)
    }

    #[test]
    fn a_receiver_that_names_its_time_is_obeyed() {
        let retry_after = Some(Duration::from_secs(90));
        let busy = SendError::Busy {
            status: 429,
            retry_after,
        };
        let Outcome::Retry { next, kind, .. } = outcome(busy, 0) else {
            panic!("it is tried again");
        };
        assert_eq!((next.as_millis(), kind.as_str()), (90_000, "busy"));
    }

    #[test]
    fn what_is_refused_is_tried_again_but_later() {
        let refused = SendError::Refused {
            status: 400,
            said: "no".into(),
        };
        let Outcome::Retry { next, .. } = outcome(refused, 0) else {
            panic!("it is tried again");
        };
        assert!(next.as_millis() >= 48_000, "{next}");
    }

    #[test]
    fn after_a_day_it_is_given_up_and_said_why() {
        let timeout = || SendError::Timeout {
            after: Duration::from_secs(10),
        };
        assert!(matches!(outcome(timeout(), 23), Outcome::Retry { .. }));
        let Outcome::GaveUp { kind, why } = outcome(timeout(), 24) else {
            panic!("it is given up");
        };
        assert_eq!(
            (kind.as_str(), why.as_str()),
            ("timeout", "no answer within 10s")
        );
    }
}
