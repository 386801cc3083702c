//! A desk: a pager with a world around it that tests change by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Evidence, Incident, IncidentId, IncidentKind, Member, MetricId, OpenedBecause,
    Resolution, ServiceId, Severity, Snooze, Status, Thresholds, TimelineEntry, TimelineEvent,
    Timestamp,
};
use notify::{
    Mute, Notice, NoticeState, Pager, Policy, ReceiverKind, ReceiverPolicy, Seen, Source, Withhold,
};

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// 2026-11-22T12:00:00Z.
pub const NOON: Timestamp = Timestamp::from_millis(1_795_348_800_000);

pub struct Desk {
    pub pager: Pager,
    pub policy: Policy,
    pub withhold: Withhold,
    pub incidents: BTreeMap<u64, Incident>,
    pub source: Source<'static>,
    pub now: Timestamp,
}

impl Desk {
    pub fn new(receivers: Vec<ReceiverPolicy>) -> Desk {
        Desk {
            pager: Pager::default(),
            policy: policy(receivers),
            withhold: Withhold::default(),
            incidents: BTreeMap::new(),
            source: Source::Answers,
            now: NOON,
        }
    }

    /// One receiver of each kind, `oncall` and `am`, that want everything.
    pub fn usual() -> Desk {
        Desk::new(vec![
            receiver("oncall", ReceiverKind::Webhook),
            receiver("am", ReceiverKind::Alertmanager),
        ])
    }

    pub fn open(&mut self, id: u64, severity: Severity) {
        self.incidents.insert(id, incident(id, severity));
    }

    pub fn edit(&mut self, id: u64, change: impl FnOnce(&mut Incident)) {
        change(self.incidents.get_mut(&id).expect("it was opened"));
    }

    pub fn acknowledge(&mut self, id: u64) {
        let at = self.now;
        self.edit(id, |incident| {
            incident.status = Status::Acknowledged;
            incident.timeline.push(TimelineEntry {
                at,
                actor: kim(),
                what: TimelineEvent::Acknowledged { note: None },
            });
        });
    }

    pub fn resolve(&mut self, id: u64) {
        let at = self.now;
        self.edit(id, |incident| {
            incident.status = Status::Resolved;
            incident.snooze = None;
            incident.resolution = Some(Resolution {
                at,
                by: kim(),
                note: None,
                decommissioned: false,
            });
        });
    }

    pub fn go_quiet(&mut self, id: u64) {
        let at = self.now;
        self.edit(id, |incident| {
            incident.firing = false;
            incident.ended = Some(at);
        });
    }

    pub fn mute(&mut self) {
        let service = ServiceId::new("payments").expect("it is a name");
        self.withhold.services.insert(service, mute());
    }

    pub fn unmute(&mut self) {
        self.withhold.services.clear();
    }

    pub fn pass(&mut self, time: Duration) -> Vec<Notice> {
        self.now = self.now + time;
        self.step()
    }

    pub fn step(&mut self) -> Vec<Notice> {
        let incidents: Vec<Arc<Incident>> =
            self.incidents.values().cloned().map(Arc::new).collect();
        let seen = Seen {
            now: self.now,
            incidents: &incidents,
            source: self.source,
        };
        self.pager.step(&self.policy, &self.withhold, &seen)
    }

    /// A step, as "receiver kind" or "receiver kind withheld: why".
    pub fn told(&mut self) -> Vec<String> {
        in_words(&self.step())
    }

    pub fn told_after(&mut self, time: Duration) -> Vec<String> {
        in_words(&self.pass(time))
    }
}

pub fn in_words(notices: &[Notice]) -> Vec<String> {
    let words = |notice: &Notice| match &notice.state {
        NoticeState::Due => format!("{} {}", notice.receiver, notice.kind),
        NoticeState::Withheld { because } => {
            format!("{} {} withheld: {because}", notice.receiver, notice.kind)
        }
    };
    notices.iter().map(words).collect()
}

pub fn policy(receivers: Vec<ReceiverPolicy>) -> Policy {
    Policy {
        receivers,
        repeat_interval: 4 * HOUR,
        blind_after: 5 * MINUTE,
        external_url: Some("https://bellwether.example/".into()),
    }
}

pub fn receiver(name: &str, kind: ReceiverKind) -> ReceiverPolicy {
    ReceiverPolicy {
        name: name.into(),
        kind,
        min_severity: Severity::High,
        services: Vec::new(),
    }
}

pub fn mute() -> Mute {
    Mute {
        by: "kim".into(),
        until: None,
        note: None,
    }
}

pub fn kim() -> Actor {
    Actor::Unverified("kim".into())
}

pub fn snooze() -> Snooze {
    Snooze {
        by: kim(),
        until: None,
    }
}

/// Of `payments`, firing since three minutes before noon, with one member.
pub fn incident(id: u64, severity: Severity) -> Incident {
    Incident {
        id: IncidentId(id),
        service: ServiceId::new("payments").expect("it is a name"),
        kind: IncidentKind::Metrics,
        status: Status::Open,
        firing: true,
        severity,
        worst_severity: severity,
        operator_severity: None,
        owner: None,
        snooze: None,
        resolution: None,
        opened_because: OpenedBecause::CrossingAndAnomaly,
        summary: "payments: Latency p99 is 2,140 ms, past High 500 ms".into(),
        onset: NOON - 3 * MINUTE,
        first_crossing: NOON - 2 * MINUTE,
        opened: NOON - MINUTE,
        last_seen: NOON,
        ended: None,
        members: vec![Member {
            metric: MetricId::new("lat").expect("it is an id"),
            onset: NOON - 3 * MINUTE,
            onset_between: (NOON - 3 * MINUTE, NOON - 3 * MINUTE),
            first_crossing: NOON - 2 * MINUTE,
            last_firing: NOON,
            worst: 2140.5,
            worst_at: NOON - MINUTE,
            severity,
            thresholds: Thresholds {
                high: Some(500.0),
                critical: Some(3000.0),
            },
        }],
        follows: None,
        logs: None,
        evidence: Arc::new(Evidence::default()),
        timeline: Vec::new(),
    }
}
