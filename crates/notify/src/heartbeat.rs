//! The heartbeat: a call each minute while ticks go on, so that a dead-man's switch notices when
//! they don't.

use std::time::Duration;

use domain::Timestamp;
use serde::Serialize;

use crate::message::Message;

/// When to call. Its address is a [`Delivery`](crate::Delivery) like another.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    interval: Duration,
    sent: Option<Timestamp>,
}

/// Whether pages are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paging {
    On,
    /// And why: shadow mode, no receiver, a receiver that fails.
    Off(String),
}

#[derive(Serialize)]
struct Beat {
    version: u32,
    now: Timestamp,
    evaluated_at: Timestamp,
    paging: String,
}

impl Heartbeat {
    pub const INTERVAL: Duration = Duration::from_secs(60);

    pub fn new(interval: Duration) -> Heartbeat {
        Heartbeat {
            interval,
            sent: None,
        }
    }

    /// The call that is due now, if one is. None while the newest tick is older than `young_for`:
    /// the switch is to trip when nothing is watched. Three ticks and the evaluation delay are a
    /// good `young_for`.
    pub fn beat(
        &mut self,
        now: Timestamp,
        evaluated_at: Option<Timestamp>,
        young_for: Duration,
        paging: &Paging,
    ) -> Option<Message> {
        let evaluated_at = evaluated_at.filter(|at| now.since(*at) <= young_for)?;
        // A clock that was set back must not silence it.
        let is_recent = |sent: Timestamp| sent <= now && now.since(sent) < self.interval;
        if self.sent.is_some_and(is_recent) {
            return None;
        }
        self.sent = Some(now);
        let beat = Beat {
            version: 1,
            now,
            evaluated_at,
            paging: match paging {
                Paging::On => "on".into(),
                Paging::Off(why) => format!("off: {why}"),
            },
        };
        Some(Message {
            idempotency_key: None,
            json: serde_json::to_vec(&beat).expect("a plain struct is always JSON"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn it_beats_each_minute_and_stops_with_the_ticks() {
        let mut heartbeat = Heartbeat::new(Heartbeat::INTERVAL);
        let mut beat = |now, evaluated_at| {
            let young_for = Duration::from_secs(45);
            heartbeat
                .beat(at(now), evaluated_at, young_for, &Paging::On)
                .is_some()
        };
        assert!(!beat(0, None));
        assert!(beat(10, Some(at(0))));
        assert!(!beat(60, Some(at(60))));
        assert!(beat(70, Some(at(60))));
        assert!(!beat(130, Some(at(60))), "the newest tick is old");
        assert!(beat(5, Some(at(0))), "the clock was set back");
    }

    #[test]
    fn it_says_when_paging_is_off() {
        let mut heartbeat = Heartbeat::new(Heartbeat::INTERVAL);
        let paging = Paging::Off("shadow mode".into());
        let message = heartbeat.beat(at(1), Some(at(0)), Duration::from_secs(45), &paging);
        assert_eq!(
            String::from_utf8(message.unwrap().json).unwrap(),
            r#"{"version":1,"now":"1970-01-01T00:00:01.000Z","evaluated_at":"1970-01-01T00:00:00.000Z","paging":"off: shadow mode"}"#
        );
    }
}
