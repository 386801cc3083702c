//! The task that watches what is published elsewhere and tells of what changed.
//!
//! Snapshots, paging, jobs and progress are only looked at: nothing waits for this task. What it sees is
//! compared with what it saw before; that comparison is pure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{Incident, IncidentId, ServiceId, SourceState, Timestamp};
use tokio::sync::watch;

use super::Hub;
use super::events::{Event, IncidentChange, Job, Paging, ServiceChange, Status, Tick};
use crate::api::{entry, judged};
use crate::clock;
use crate::history::Progress;
use crate::live::Live;
use crate::paging::{Paged, standing};
use crate::snapshot::Snapshot;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::training::{Queue, TrainingJob};

/// Jobs and the backfill are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The task that publishes events.
pub struct Publishing {
    pub hub: Arc<Hub>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub paged: watch::Receiver<Arc<Paged>>,
    pub live: Live,
    pub queue: Arc<Queue>,
    pub progress: Arc<Mutex<Progress>>,
    pub storage: Arc<Storage>,
    /// What was restored is nothing new.
    pub seen: Seen,
    pub stop: watch::Receiver<bool>,
}

/// What was told of already.
#[derive(Debug, Default)]
pub struct Seen {
    at: Option<Timestamp>,
    services: BTreeMap<ServiceId, ServiceChange>,
    /// The revision of each incident that isn't both resolved and quiet.
    incidents: BTreeMap<IncidentId, u64>,
    status: Option<Status>,
    paging: Option<Paging>,
    jobs: Vec<Job>,
    backfill: Option<(&'static str, u64, bool)>,
}

impl Publishing {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => {
                        self.snapshot().await;
                        self.paging().await;
                    }
                    Err(_) => return,
                },
                changed = self.paged.changed() => match changed {
                    Ok(()) => self.paging().await,
                    Err(_) => return,
                },
                _ = look.tick() => self.progress(),
            }
        }
    }

    async fn snapshot(&mut self) {
        let snapshot = self.snapshots.borrow_and_update().clone();
        let mut events = self.seen.snapshot(&snapshot);
        for id in self.seen.vanished(&snapshot) {
            // It was stored before it went from the snapshot, unless the store fails: then later.
            match self.storage.database.incident(id).await {
                Ok(Some(incident)) => {
                    events.extend(self.seen.incident(&incident));
                    if snapshot.unsaved.is_none() {
                        self.seen.forget(id);
                    }
                }
                Ok(None) => self.seen.forget(id),
                Err(error) => {
                    tracing::error!(%id, error = %crate::tick::chain(&error), "the end of an incident could not be read");
                }
            }
        }
        events.iter().for_each(|event| self.hub.publish(event));
    }

    /// Deliveries that fail are seen at the next tick.
    async fn paging(&mut self) {
        let config = self.live.config();
        let withhold = self.paged.borrow_and_update().withhold.clone();
        let now = clock::now();
        match standing(&self.storage.database, &config, &withhold, now).await {
            Ok(standing) => {
                let now = Paging {
                    state: standing.state.word(),
                    because: standing.because,
                };
                let event = self.seen.paging(now);
                event.iter().for_each(|event| self.hub.publish(event));
            }
            Err(error) => {
                tracing::error!(error = %crate::tick::chain(&error), "how paging stands could not be read");
            }
        }
    }

    fn progress(&mut self) {
        let progress = self.progress.lock();
        let progress = progress.unwrap_or_else(PoisonError::into_inner).clone();
        let backfill = self.seen.backfill(progress);
        let jobs = self.seen.jobs(&self.queue);
        let events = backfill.into_iter().chain(jobs);
        events.for_each(|event| self.hub.publish(&event));
    }
}

impl Seen {
    /// What is known of at the start.
    pub fn restored<'a>(incidents: impl Iterator<Item = &'a Arc<Incident>>) -> Seen {
        Seen {
            incidents: incidents
                .map(|incident| (incident.id, incident.revision()))
                .collect(),
            ..Seen::default()
        }
    }

    /// What a snapshot has that the one before had not: incidents first, so that who then asks for
    /// the services finds them told.
    fn snapshot(&mut self, snapshot: &Snapshot) -> Vec<Event> {
        let mut events: Vec<Event> = snapshot
            .incidents
            .iter()
            .flat_map(|incident| self.incident(incident))
            .collect();
        let status = status_of(snapshot);
        if status.is_some() && status != self.status {
            events.extend(status.clone().map(Event::Status));
            self.status = status;
        }
        if let Some(at) = snapshot.at.filter(|at| self.at != Some(*at)) {
            self.at = Some(at);
            let services = self.services(snapshot);
            events.push(Event::Tick(Tick { at, services }));
        }
        events
    }

    fn paging(&mut self, now: Paging) -> Option<Event> {
        let is_new = self.paging.as_ref() != Some(&now);
        is_new.then(|| Event::Paging(self.paging.insert(now).clone()))
    }

    /// The entries of an incident's timeline that are new.
    fn incident(&mut self, incident: &Incident) -> Vec<Event> {
        let known = self.incidents.entry(incident.id).or_default();
        let new = usize::try_from(*known).unwrap_or(usize::MAX);
        *known = incident.revision();
        let entries = incident.timeline.iter().zip(1_u64..).skip(new);
        entries
            .map(|(told, revision)| {
                let entry = entry(told);
                Event::Incident(IncidentChange {
                    id: incident.id.0,
                    service: incident.service.clone(),
                    status: incident.status,
                    firing: incident.firing,
                    severity: incident.shown_severity(),
                    revision,
                    change: entry.event,
                    text: entry.text,
                    at: told.at,
                })
            })
            .collect()
    }

    /// Incidents that were in the snapshot and aren't any more.
    fn vanished(&self, snapshot: &Snapshot) -> Vec<IncidentId> {
        if snapshot.at.is_none() {
            return Vec::new();
        }
        let there = |id: &IncidentId| snapshot.incidents.iter().any(|i| i.id == *id);
        let known = self.incidents.keys().copied();
        known.filter(|id| !there(id)).collect()
    }

    fn forget(&mut self, id: IncidentId) {
        self.incidents.remove(&id);
    }

    /// The services that are otherwise than before.
    fn services(&mut self, snapshot: &Snapshot) -> Vec<ServiceChange> {
        let firing: BTreeMap<&ServiceId, u64> = snapshot
            .incidents
            .iter()
            .filter(|incident| incident.firing)
            .map(|incident| (&incident.service, incident.id.0))
            .collect();
        let now: BTreeMap<ServiceId, ServiceChange> = snapshot
            .services
            .iter()
            .map(|(id, view)| {
                let (state, severity) = judged(view);
                let change = ServiceChange {
                    id: id.clone(),
                    state,
                    severity,
                    incident: firing.get(id).copied(),
                };
                (id.clone(), change)
            })
            .collect();
        let changed = now
            .values()
            .filter(|service| self.services.get(&service.id) != Some(service));
        let removed = self.services.values().filter(|s| !now.contains_key(&s.id));
        let removed = removed.map(|service| ServiceChange {
            id: service.id.clone(),
            state: "removed",
            severity: domain::Severity::Unavailable,
            incident: None,
        });
        let changes = changed.cloned().chain(removed).collect();
        self.services = now;
        changes
    }

    fn jobs(&mut self, queue: &Queue) -> Vec<Event> {
        let jobs = queue.each(job_of);
        let changed = jobs.iter().filter(|job| !self.jobs.contains(*job));
        let changed = changed.cloned().map(Event::Job).collect();
        self.jobs = jobs;
        changed
    }

    /// By whole percents, so that an event isn't sent for each sample.
    fn backfill(&mut self, progress: Progress) -> Option<Event> {
        let percent = (progress.done * 100.0) as u64;
        let now = Some((progress.phase, percent, progress.failure.is_some()));
        let changed = self.backfill != now;
        self.backfill = now;
        (changed && !progress.phase.is_empty()).then_some(Event::Backfill(progress))
    }
}

fn job_of(job: &TrainingJob) -> Job {
    Job {
        id: job.id.clone(),
        state: job.state.clone(),
        trigger: job.trigger,
        selection: job.selection.clone(),
        done: job.done,
        total: job.total,
        error: job.error.clone(),
    }
}

/// None before the source was looked at.
fn status_of(snapshot: &Snapshot) -> Option<Status> {
    let (source, why) = match snapshot.source.as_ref()? {
        SourceState::Healthy => ("healthy", None),
        SourceState::Partial(why) => ("partial", Some(why.clone())),
        SourceState::Down(why) => ("down", Some(why.clone())),
    };
    Some(Status {
        source,
        why,
        unsaved: snapshot.unsaved.clone(),
    })
}

#[cfg(test)]
mod tests {
    use domain::{Actor, TimelineEntry, TimelineEvent};

    use super::super::ring::{Ask, Next};
    use super::*;
    use crate::training::{Selection, Trigger};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_348_800_000 + seconds * 1_000)
    }

    fn snapshot(seconds: i64, incidents: Vec<Incident>) -> Snapshot {
        Snapshot {
            at: Some(at(seconds)),
            source: Some(SourceState::Healthy),
            incidents: Arc::new(incidents.into_iter().map(Arc::new).collect()),
            ..Snapshot::default()
        }
    }

    fn incident(events: Vec<TimelineEvent>) -> Incident {
        let entry = |what| TimelineEntry {
            at: at(0),
            actor: Actor::Bellwether,
            what,
        };
        Incident {
            id: IncidentId(7),
            service: ServiceId::new("pay").unwrap(),
            kind: domain::IncidentKind::Metrics,
            status: domain::Status::Open,
            firing: true,
            severity: domain::Severity::High,
            worst_severity: domain::Severity::High,
            operator_severity: None,
            owner: None,
            snooze: None,
            resolution: None,
            opened_because: domain::OpenedBecause::ThresholdOnly,
            summary: String::new(),
            onset: at(0),
            first_crossing: at(0),
            opened: at(0),
            last_seen: at(0),
            ended: None,
            members: Vec::new(),
            follows: None,
            logs: None,
            evidence: Arc::default(),
            timeline: events.into_iter().map(entry).collect(),
        }
    }

    fn opened() -> TimelineEvent {
        TimelineEvent::Opened {
            because: domain::OpenedBecause::ThresholdOnly,
            text: "slow".into(),
        }
    }

    fn names(events: &[Event]) -> Vec<String> {
        let name = |event: &Event| match event {
            Event::Incident(change) => format!("{} {}", change.change, change.revision),
            Event::Tick(tick) => format!("tick of {}", tick.services.len()),
            event => event.name().to_owned(),
        };
        events.iter().map(name).collect()
    }

    #[test]
    fn each_entry_of_a_timeline_is_told_once() {
        let mut seen = Seen::default();
        let acknowledged = TimelineEvent::Acknowledged { note: None };
        let events = seen.snapshot(&snapshot(0, vec![incident(vec![opened()])]));
        assert_eq!(names(&events), ["opened 1", "status", "tick of 0"]);
        let both = incident(vec![opened(), acknowledged, TimelineEvent::Quiet]);
        let events = seen.snapshot(&snapshot(0, vec![both.clone()]));
        assert_eq!(names(&events), ["acknowledged 2", "quiet 3"]);
        assert_eq!(
            names(&seen.snapshot(&snapshot(1, vec![both]))),
            ["tick of 0"]
        );
        assert_eq!(seen.vanished(&snapshot(2, vec![])), [IncidentId(7)]);
        seen.forget(IncidentId(7));
        assert_eq!(seen.vanished(&snapshot(2, vec![])), []);
    }

    #[test]
    fn what_was_restored_is_nothing_new() {
        let known = Arc::new(incident(vec![opened()]));
        let mut seen = Seen::restored([&known].into_iter());
        // Before the first tick nothing has gone.
        assert_eq!(seen.vanished(&Snapshot::default()), []);
        let events = seen.snapshot(&snapshot(0, vec![(*known).clone()]));
        assert_eq!(names(&events), ["status", "tick of 0"]);
    }

    #[test]
    fn the_source_is_told_of_when_it_changes() {
        let mut seen = Seen::default();
        seen.snapshot(&snapshot(0, vec![]));
        let down = Snapshot {
            source: Some(SourceState::Down("refused".into())),
            ..snapshot(1, vec![])
        };
        assert_eq!(names(&seen.snapshot(&down)), ["status", "tick of 0"]);
        assert_eq!(names(&seen.snapshot(&down)), [""; 0]);
    }

    #[test]
    fn paging_is_told_of_when_it_changes() {
        let mut seen = Seen::default();
        let paging = |state| Paging {
            state,
            because: Vec::new(),
        };
        let told = ["on", "on", "off"].map(|state| seen.paging(paging(state)).is_some());
        assert_eq!(told, [true, false, true]);
    }

    #[test]
    fn a_job_is_told_of_while_it_waits_and_progress_by_percents() {
        let (mut seen, queue) = (Seen::default(), Queue::default());
        let job = queue
            .request(Selection::default(), Trigger::Request)
            .unwrap();
        let told = seen.jobs(&queue);
        assert!(matches!(&told[..], [Event::Job(told)] if told.id == job.id));
        assert_eq!(names(&seen.jobs(&queue)), [""; 0]);
        let progress = |done| Progress {
            phase: "recent",
            done,
            ..Progress::default()
        };
        let tells = [0.101, 0.109, 0.11].map(|done| seen.backfill(progress(done)).is_some());
        assert_eq!(tells, [true, false, true]);
        assert!(seen.backfill(Progress::default()).is_none());
    }

    #[test]
    fn published_events_reach_those_who_follow() {
        let hub = Hub::new(at(0), 1);
        let position = hub.begin(Ask::Now).unwrap();
        let waiting = hub.subscribe();
        assert_eq!(hub.next(position, None), Next::Wait);
        hub.publish(&Event::Backfill(Progress::default()));
        assert!(waiting.has_changed().unwrap());
        let Next::Event(Some(text), _) = hub.next(position, None) else {
            panic!("an event");
        };
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(
            text.starts_with("id: 1795348800000-1\nevent: backfill\ndata: {"),
            "{text}"
        );
        assert!(text.ends_with("}\n\n"));
        let place = hub.enter();
        assert!(place.is_some() && hub.enter().is_none());
        drop(place);
        assert!(hub.enter().is_some());
    }
}
