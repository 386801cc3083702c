//! Rate: how many messages a receiver gets in a minute.

use std::collections::VecDeque;
use std::time::Duration;

use domain::Timestamp;

const WINDOW: Duration = Duration::from_secs(60);

/// At most so many messages in any minute, for one receiver.
#[derive(Clone, Debug)]
pub struct Rate {
    messages_max: usize,
    /// Of the last minute, oldest first.
    sent: VecDeque<Timestamp>,
}

impl Rate {
    pub const MESSAGES_PER_MINUTE: usize = 10;

    /// One message a minute at least.
    pub fn new(messages_per_minute: usize) -> Rate {
        Rate {
            messages_max: messages_per_minute.max(1),
            sent: VecDeque::new(),
        }
    }

    /// Takes a place for a message that is sent now.
    ///
    /// # Errors
    /// How long until there is a place.
    pub fn ready(&mut self, now: Timestamp) -> Result<(), Duration> {
        // A clock that was set back must not silence a receiver.
        self.sent
            .retain(|sent| *sent <= now && now.since(*sent) < WINDOW);
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.messages_max => {
                Err((*oldest + WINDOW).since(now))
            }
            _ => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }
}

impl Default for Rate {
    fn default() -> Rate {
        Rate::new(Rate::MESSAGES_PER_MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn no_minute_has_more_than_its_messages() {
        let mut rate = Rate::new(2);
        assert_eq!(rate.ready(at(0)), Ok(()));
        assert_eq!(rate.ready(at(30)), Ok(()));
        assert_eq!(rate.ready(at(40)), Err(Duration::from_secs(20)));
        assert_eq!(rate.ready(at(60)), Ok(()));
        assert_eq!(rate.ready(at(61)), Err(Duration::from_secs(29)));
    }

    #[test]
    fn a_clock_set_back_silences_nobody() {
        let mut rate = Rate::new(1);
        assert_eq!(rate.ready(at(100_000)), Ok(()));
        assert_eq!(rate.ready(at(5)), Ok(()));
    }
}
