//! What paging rests on: receivers and their wishes, and what withholds pages for now.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{ServiceId, Severity, Timestamp};
use incident::matches_pattern;
use serde::{Deserialize, Serialize};

use crate::text;

/// Who is told of what, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Names are unique.
    pub receivers: Vec<ReceiverPolicy>,
    /// What nobody acknowledges is said again so long after it was said last.
    pub repeat_interval: Duration,
    /// A source that hasn't answered for so long is a page of its own.
    pub blind_after: Duration,
    /// Where people reach this server, for links: `https://bellwether.example/prefix`.
    pub external_url: Option<String>,
}

impl Policy {
    pub const REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);
    pub const BLIND_AFTER: Duration = Duration::from_secs(300);

    /// The page of an incident, where `external_url` is known.
    pub(crate) fn link(&self, path: &str) -> Option<String> {
        let base = self.external_url.as_deref()?.trim_end_matches('/');
        Some(format!("{base}{path}"))
    }
}

/// One receiver and what it wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverPolicy {
    pub name: String,
    pub kind: ReceiverKind,
    /// Incidents below are not told, by the severity that is shown.
    pub min_severity: Severity,
    /// Patterns of service ids, where `*` stands for any text; empty means all.
    pub services: Vec<String>,
}

impl ReceiverPolicy {
    /// Whether it wants to hear of a service.
    pub fn covers(&self, service: &ServiceId) -> bool {
        let fits = |pattern: &String| matches_pattern(pattern, service.as_str());
        self.services.is_empty() || self.services.iter().any(fits)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiverKind {
    Webhook,
    Alertmanager,
}

/// Somebody's wish that nothing be sent for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    pub by: String,
    /// None: until it is taken back.
    pub until: Option<Timestamp>,
    pub note: Option<String>,
}

impl Mute {
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// "by kim until 2026-11-23T06:00:00.000Z: load test".
    fn in_words(&self) -> String {
        let mut words = format!("by {}", text::line(&self.by, 80));
        match self.until {
            Some(until) => words += &format!(" until {until}"),
            None => words += " until it is taken back",
        }
        if let Some(note) = &self.note {
            words += &format!(": {}", text::line(note, 200));
        }
        words
    }
}

/// What withholds pages now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Withhold {
    /// Shadow mode: nothing is sent to anybody.
    pub shadow: Option<Mute>,
    pub services: BTreeMap<ServiceId, Mute>,
}

impl Withhold {
    /// Why nothing is sent at all, in words.
    pub(crate) fn everything(&self, now: Timestamp) -> Option<String> {
        let shadow = self.shadow.as_ref().filter(|mute| !mute.is_over(now))?;
        Some(format!("shadow mode is on, set {}", shadow.in_words()))
    }

    /// Why nothing is sent of a service, in words.
    pub(crate) fn service(&self, service: &ServiceId, now: Timestamp) -> Option<String> {
        self.everything(now).or_else(|| {
            let mute = self
                .services
                .get(service)
                .filter(|mute| !mute.is_over(now))?;
            let service = text::line(service.as_str(), 200);
            Some(format!("service {service} is muted {}", mute.in_words()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_says_who_until_when_and_why_and_ends() {
        let until = Timestamp::from_millis(60_000);
        let service = ServiceId::new("payments").unwrap();
        let mute = Mute {
            by: "kim".into(),
            until: Some(until),
            note: Some("load test".into()),
        };
        let withhold = Withhold {
            shadow: None,
            services: [(service.clone(), mute)].into(),
        };
        assert_eq!(
            withhold.service(&service, Timestamp::EPOCH).unwrap(),
            "service payments is muted by kim until 1970-01-01T00:01:00.000Z: load test"
        );
        assert_eq!(withhold.service(&service, until), None);
    }
}
