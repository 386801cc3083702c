//! Incidents: what a receiver ought to hear of one now, and what keeps it from being said.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use domain::{Incident, IncidentId, Status, Timestamp};

use super::{IncidentMemory, Line, Standing, Step, Subject, Told};
use crate::body::acknowledged_by;
use crate::notice::NoticeKind;
use crate::policy::{ReceiverKind, ReceiverPolicy, Withhold};
use crate::text;

impl Step<'_> {
    pub(super) fn incidents(&mut self, incidents: &[Arc<Incident>]) {
        // Of one that is given twice, the later is the newer.
        let seen: BTreeMap<IncidentId, &Incident> = incidents
            .iter()
            .map(|incident| (incident.id, &**incident))
            .collect();
        let mut memories = mem::take(&mut self.pager.incidents);
        for incident in seen.values() {
            let memory = memories
                .entry(incident.id)
                .or_insert_with(|| IncidentMemory {
                    service: incident.service.clone(),
                    acknowledged_at: None,
                    receivers: BTreeMap::new(),
                });
            self.incident(incident, memory);
        }
        memories.retain(|id, memory| seen.contains_key(id) || self.is_owed(*id, memory));
        self.pager.incidents = memories;
    }

    fn incident(&mut self, incident: &Incident, memory: &mut IncidentMemory) {
        memory.note_acknowledgement(incident);
        let policy = self.policy;
        for receiver in &policy.receivers {
            let mut line = memory.receivers.remove(&receiver.name).unwrap_or_default();
            let judged = Judged {
                incident,
                receiver,
                told: line.told,
                acknowledged_at: memory.acknowledged_at,
                now: self.now,
            };
            if let Some((kind, withheld)) = judged.judge(policy.repeat_interval, self.withhold) {
                self.say(
                    &mut line,
                    receiver,
                    kind,
                    Subject::Incident(incident),
                    withheld,
                );
            }
            if line != Line::default() {
                memory.receivers.insert(receiver.name.clone(), line);
            }
        }
    }

    /// An incident that is gone is resolved and quiet: says so to those who don't know, and whether
    /// somebody must still hear of it when a mute is over.
    fn is_owed(&mut self, id: IncidentId, memory: &mut IncidentMemory) -> bool {
        let policy = self.policy;
        for receiver in &policy.receivers {
            let Some(mut line) = memory.receivers.remove(&receiver.name) else {
                continue;
            };
            let Some(told) = line.told.filter(|_| line.is_told_firing()) else {
                continue;
            };
            let subject = Subject::Forgotten {
                id,
                service: &memory.service,
                severity: told.severity,
            };
            let withheld = match receiver.kind {
                ReceiverKind::Webhook => self.withhold.service(&memory.service, self.now),
                ReceiverKind::Alertmanager => None,
            };
            self.say(&mut line, receiver, NoticeKind::Resolved, subject, withheld);
            if line.is_told_firing() {
                memory.receivers.insert(receiver.name.clone(), line);
            }
        }
        !memory.receivers.is_empty()
    }
}

impl IncidentMemory {
    fn note_acknowledgement(&mut self, incident: &Incident) {
        self.acknowledged_at = match incident.status {
            Status::Acknowledged => self
                .acknowledged_at
                .or_else(|| Some(incident.shown_severity())),
            Status::Open | Status::Resolved => None,
        };
    }
}

/// One incident in one receiver's eyes.
struct Judged<'a> {
    incident: &'a Incident,
    receiver: &'a ReceiverPolicy,
    told: Option<Told>,
    acknowledged_at: Option<domain::Severity>,
    now: Timestamp,
}

impl Judged<'_> {
    /// What is to be said, and why it is withheld if it is.
    fn judge(
        &self,
        repeat_interval: Duration,
        withhold: &Withhold,
    ) -> Option<(NoticeKind, Option<String>)> {
        let muted = withhold.service(&self.incident.service, self.now);
        let ends_by_mute = muted.is_some() && self.is_firing_at_alertmanager();
        let kind = match self.due(repeat_interval) {
            // The end of an alert is no page, and a true end says more than "muted".
            Some(kind) if kind.is_end() && self.is_alertmanager() => return Some((kind, None)),
            _ if ends_by_mute => return Some((NoticeKind::Muted, None)),
            // That it was muted has been said, and stands for all that is withheld.
            _ if muted.is_some() && self.stands(Standing::Muted) => return None,
            kind => kind?,
        };
        Some((kind, muted.or_else(|| self.withheld_by_people(kind))))
    }

    /// What it ought to hear, were nothing withheld.
    fn due(&self, repeat_interval: Duration) -> Option<NoticeKind> {
        let incident = self.incident;
        let shown = incident.shown_severity();
        let is_resolved = incident.status == Status::Resolved;
        let is_alive = incident.firing && !is_resolved;
        let is_severe = shown >= self.receiver.min_severity;
        let is_acknowledged = incident.status == Status::Acknowledged;
        let Some(told) = self.told else {
            let wanted = is_alive && is_severe && self.receiver.covers(&incident.service);
            let got_worse = self.acknowledged_at.is_some_and(|before| shown > before);
            return wanted.then_some(if got_worse {
                NoticeKind::SeverityRaised
            } else {
                NoticeKind::Opened
            });
        };
        if told.standing != Standing::Firing {
            return (is_alive && is_severe).then_some(
                if is_acknowledged && shown > told.severity {
                    NoticeKind::SeverityRaised
                } else {
                    NoticeKind::Reopened
                },
            );
        }
        let is_calm_open = incident.status == Status::Open && incident.snooze.is_none();
        if is_resolved {
            Some(NoticeKind::Resolved)
        } else if !is_alive {
            self.is_alertmanager().then_some(NoticeKind::Quiet)
        } else if shown > told.severity {
            Some(NoticeKind::SeverityRaised)
        } else if self.is_alertmanager() {
            // It repeats by itself.
            (shown < told.severity).then_some(NoticeKind::SeverityLowered)
        } else {
            let is_long_ago = self.now.since(told.at) >= repeat_interval;
            (is_calm_open && is_severe && is_long_ago).then_some(NoticeKind::Repeat)
        }
    }

    /// The wish of those who look after the incident.
    fn withheld_by_people(&self, kind: NoticeKind) -> Option<String> {
        if kind.is_end() {
            return None;
        }
        if let Some(snooze) = &self.incident.snooze {
            let by = text::line(&snooze.by.to_string(), 80);
            return Some(match snooze.until {
                Some(until) => format!("snoozed by {by} until {until}"),
                None => format!("snoozed by {by} until it changes"),
            });
        }
        let is_news = matches!(
            kind,
            NoticeKind::SeverityRaised | NoticeKind::SeverityLowered
        );
        if self.incident.status == Status::Acknowledged && !is_news {
            let by = acknowledged_by(self.incident).map(|actor| format!(" by {actor}"));
            return Some(format!(
                "acknowledged{}",
                text::line(&by.unwrap_or_default(), 80)
            ));
        }
        None
    }

    fn is_alertmanager(&self) -> bool {
        self.receiver.kind == ReceiverKind::Alertmanager
    }

    fn stands(&self, standing: Standing) -> bool {
        self.told.is_some_and(|told| told.standing == standing)
    }

    fn is_firing_at_alertmanager(&self) -> bool {
        self.is_alertmanager() && self.stands(Standing::Firing)
    }
}
