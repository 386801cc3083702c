//! The source: a server that sees nothing says so, once for each blindness.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Line, Source, Standing, Step, Subject};
use crate::body::{Heading, NoticeBody};
use crate::notice::NoticeKind;
use crate::policy::{Policy, ReceiverKind};
use crate::text;

const WHY_CHARS: usize = 300;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SourceMemory {
    /// Since when it is blind, or has been for the last time.
    blind_since: Option<Timestamp>,
    is_blind: bool,
    /// How often it went blind.
    blindness: u64,
    receivers: BTreeMap<String, SourceLine>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct SourceLine {
    /// The blindness that was paged.
    paged: u64,
    line: Line,
}

impl SourceMemory {
    pub(super) fn forget_receivers(&mut self, names: &BTreeSet<&str>) {
        self.receivers
            .retain(|name, _| names.contains(name.as_str()));
    }

    /// Since when it is blind, where a receiver was told so.
    pub(super) fn blind_since_for(&self, receiver: &str) -> Option<Timestamp> {
        let told = self.receivers.get(receiver)?;
        self.blind_since.filter(|_| told.line.is_told_firing())
    }
}

impl Step<'_> {
    pub(super) fn source(&mut self, source: Source<'_>) {
        let mut memory = mem::take(&mut self.pager.source);
        match source {
            Source::Unknown => {}
            Source::Answers => {
                memory.is_blind = false;
                self.source_answers(&mut memory);
            }
            Source::Blind { since, why } => {
                if !memory.is_blind {
                    memory.is_blind = true;
                    memory.blindness += 1;
                    memory.blind_since = Some(since);
                }
                // After a restart the caller knows less than what is remembered.
                let since = memory.blind_since.unwrap_or(since);
                if self.now.since(since) >= self.policy.blind_after {
                    self.source_is_blind(&mut memory, since, why);
                }
            }
        }
        self.pager.source = memory;
    }

    fn source_is_blind(&mut self, memory: &mut SourceMemory, since: Timestamp, why: Option<&str>) {
        let (policy, withhold, now) = (self.policy, self.withhold, self.now);
        let subject = Subject::Source {
            blind_since: since,
            why,
        };
        for receiver in &policy.receivers {
            let held = withhold.everything(now);
            let told = memory.receivers.entry(receiver.name.clone()).or_default();
            let is_alert = receiver.kind == ReceiverKind::Alertmanager;
            if is_alert && told.line.is_told_firing() && held.is_some() {
                self.say(&mut told.line, receiver, NoticeKind::Muted, subject, None);
                continue;
            }
            let was_muted = told
                .line
                .told
                .is_some_and(|told| told.standing == Standing::Muted);
            if told.paged == memory.blindness && (!was_muted || held.is_some()) {
                continue;
            }
            if held.is_none() {
                told.paged = memory.blindness;
            }
            self.say(&mut told.line, receiver, NoticeKind::Source, subject, held);
        }
    }

    fn source_answers(&mut self, memory: &mut SourceMemory) {
        let Some(blind_since) = memory.blind_since else {
            return;
        };
        let (policy, withhold, now) = (self.policy, self.withhold, self.now);
        let subject = Subject::Source {
            blind_since,
            why: None,
        };
        for receiver in &policy.receivers {
            let Some(told) = memory.receivers.get_mut(&receiver.name) else {
                continue;
            };
            if told.line.is_told_firing() {
                let is_alert = receiver.kind == ReceiverKind::Alertmanager;
                let held = withhold.everything(now).filter(|_| !is_alert);
                let kind = NoticeKind::SourceRecovered;
                self.say(&mut told.line, receiver, kind, subject, held);
            }
        }
        let owed = |told: &SourceLine| told.line.is_told_firing();
        memory.receivers.retain(|_, told| owed(told));
    }
}

/// "the source has not answered since …: connection refused; nothing is watched".
pub(super) fn body(
    heading: Heading,
    blind_since: Timestamp,
    why: Option<&str>,
    policy: &Policy,
) -> NoticeBody {
    let is_blind = heading.kind != NoticeKind::SourceRecovered;
    let why = text::line(why.unwrap_or("no reason is known"), WHY_CHARS);
    let summary = if is_blind {
        format!("the source of the metrics has not answered since {blind_since}: {why}")
    } else {
        format!("the source of the metrics answers again; it did not since {blind_since}")
    };
    let mut body = NoticeBody::of_source(heading, is_blind, summary, policy);
    body.onset_ts = Some(blind_since);
    body
}
