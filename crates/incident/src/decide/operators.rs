//! Operators: what people ask for, and what becomes of it.

use std::sync::Arc;

use domain::{Actor, IncidentId, Resolution, Snooze, Status, TimelineEvent};

use super::{Change, Step};
use crate::command::{Answer, Command, CommandKind, Refusal, SnoozeUntil};

impl Step<'_> {
    pub(super) fn command(&mut self, command: &Command) {
        let result = self
            .obey(command)
            .map(|()| Arc::clone(&self.state.incidents[&command.incident]));
        self.output.answers.push(Answer {
            number: command.number,
            result,
        });
    }

    fn obey(&mut self, command: &Command) -> Result<(), Refusal> {
        let id = command.incident;
        if let Some(stored) = &command.stored
            && stored.id == id
        {
            let incidents = &mut self.state.incidents;
            incidents.entry(id).or_insert_with(|| Arc::clone(stored));
        }
        let incident = self.state.incidents.get(&id).ok_or(Refusal::Unknown)?;
        let revision = incident.revision();
        if command.expected.is_some_and(|seen| seen != revision) {
            return Err(Refusal::Stale { revision });
        }
        let note = command.note.clone();
        match &command.kind {
            CommandKind::Acknowledge => self.acknowledge(command, note),
            CommandKind::Resolve { decommissioned } => {
                self.resolve_by(id, command.actor.clone(), note, *decommissioned)
            }
            CommandKind::Reopen => {
                self.reopen(command, note);
                Ok(())
            }
            CommandKind::Assign { owner } => {
                self.assign(command, owner.clone(), note);
                Ok(())
            }
            CommandKind::Snooze { until } => self.snooze(command, *until, note),
            CommandKind::Comment => {
                if let Some(text) = note {
                    let what = TimelineEvent::Commented { text };
                    self.tell(id, command.actor.clone(), what);
                }
                Ok(())
            }
            CommandKind::SetSeverity { severity } => {
                if incident.operator_severity != *severity {
                    let severity = *severity;
                    self.edit(id, |incident| incident.operator_severity = severity);
                    let what = TimelineEvent::SeveritySet { severity, note };
                    self.tell(id, command.actor.clone(), what);
                }
                Ok(())
            }
        }
    }

    fn acknowledge(&mut self, command: &Command, note: Option<String>) -> Result<(), Refusal> {
        let id = command.incident;
        match self.state.incidents[&id].status {
            Status::Resolved => Err(Refusal::AlreadyResolved),
            Status::Acknowledged => Ok(()),
            Status::Open => {
                self.edit(id, |incident| incident.status = Status::Acknowledged);
                let what = TimelineEvent::Acknowledged { note };
                self.tell(id, command.actor.clone(), what);
                Ok(())
            }
        }
    }

    /// Resolves an incident; a repeat changes nothing.
    pub(super) fn resolve_by(
        &mut self,
        id: IncidentId,
        by: Actor,
        note: Option<String>,
        decommissioned: bool,
    ) -> Result<(), Refusal> {
        let incident = &self.state.incidents[&id];
        if incident.status == Status::Resolved {
            return Ok(());
        }
        let service = incident.service.clone();
        if decommissioned {
            let tracker = self.state.services.entry(service.clone()).or_default();
            if tracker.gone_since.is_none() || tracker.firing != Some(id) {
                return Err(Refusal::NotGone);
            }
            tracker.decommission();
        }
        let at = self.input.now;
        self.edit(id, |incident| {
            incident.status = Status::Resolved;
            incident.snooze = None;
            incident.resolution = Some(Resolution {
                at,
                by: by.clone(),
                note: note.clone(),
                decommissioned,
            });
        });
        self.tell(id, by, TimelineEvent::Resolved { note });
        self.announce(Change::Resolved(id));
        if decommissioned {
            self.end(&service, id);
        }
        Ok(())
    }

    /// Takes an acknowledgement or a resolution back; the world's state stays what it is.
    fn reopen(&mut self, command: &Command, note: Option<String>) {
        let id = command.incident;
        let before = self.state.incidents[&id].status;
        if before == Status::Open {
            return;
        }
        self.edit(id, |incident| {
            incident.status = Status::Open;
            incident.resolution = None;
        });
        self.tell(id, command.actor.clone(), TimelineEvent::Reopened { note });
        if before == Status::Resolved {
            self.announce(Change::Reopened(id));
        }
    }

    fn assign(&mut self, command: &Command, owner: Option<String>, note: Option<String>) {
        let id = command.incident;
        if self.state.incidents[&id].owner == owner {
            return;
        }
        self.edit(id, |incident| incident.owner = owner.clone());
        let what = TimelineEvent::Assigned { owner, note };
        self.tell(id, command.actor.clone(), what);
    }

    fn snooze(
        &mut self,
        command: &Command,
        until: SnoozeUntil,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        let id = command.incident;
        let incident = &self.state.incidents[&id];
        if incident.status == Status::Resolved {
            return Err(Refusal::AlreadyResolved);
        }
        let until = match until {
            SnoozeUntil::Now => {
                if incident.snooze.is_some() {
                    let because = note.map_or("by hand".into(), |note| format!("by hand: {note}"));
                    self.wake_up(id, command.actor.clone(), &because);
                }
                return Ok(());
            }
            SnoozeUntil::Time(time) if time <= self.input.now => {
                return Err(Refusal::SnoozeInThePast);
            }
            SnoozeUntil::Time(time) => Some(time),
            SnoozeUntil::Change => None,
        };
        let is_repeat = incident
            .snooze
            .as_ref()
            .is_some_and(|snooze| snooze.until == until);
        if !is_repeat {
            let by = command.actor.clone();
            self.edit(id, |incident| incident.snooze = Some(Snooze { by, until }));
            let what = TimelineEvent::Snoozed { until, note };
            self.tell(id, command.actor.clone(), what);
        }
        Ok(())
    }

    /// Snoozes whose time is over end.
    pub(super) fn wake(&mut self) {
        let now = self.input.now;
        let is_over = |snooze: &Snooze| snooze.until.is_some_and(|until| until <= now);
        let due: Vec<IncidentId> = self
            .state
            .incidents
            .values()
            .filter(|incident| incident.snooze.as_ref().is_some_and(is_over))
            .map(|incident| incident.id)
            .collect();
        for id in due {
            self.wake_up(id, Actor::Bellwether, "its time was over");
        }
    }

    /// A snooze that lasts until a change ends with one.
    pub(super) fn wake_on_change(&mut self, id: IncidentId, because: &str) {
        let snooze = &self.state.incidents[&id].snooze;
        if snooze.as_ref().is_some_and(|snooze| snooze.until.is_none()) {
            self.wake_up(id, Actor::Bellwether, because);
        }
    }

    fn wake_up(&mut self, id: IncidentId, actor: Actor, because: &str) {
        self.edit(id, |incident| incident.snooze = None);
        let because = because.to_owned();
        self.tell(id, actor, TimelineEvent::Woke { because });
    }
}
