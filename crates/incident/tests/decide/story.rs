//! A timeline that anyone can read: what is seen of each metric from now on, then time passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Actor, Catalogue, ChangeFact, Collection, Finding, Gap, Gathered, Incident, IncidentId,
    MetricId, PostedEvent, Prediction, Presence, Sample, SeriesId, ServiceId, ServiceObservation,
    Severity, Silence, SourceState, Timestamp,
};
use incident::{
    Change, Command, CommandKind, DecideInput, DecideOutput, DecideState, Refusal, Settings,
    Verdict,
};

pub const TICK: u64 = 15;
pub const OPEN_AFTER: u64 = 30;
pub const CRITICAL_AFTER: u64 = 120;
pub const QUIET_PERIOD: u64 = 300;
pub const DOWN_AFTER: u64 = 60;

/// What is seen of a metric at a tick: a value with what the model says, or a gap.
pub type Seen = Result<(f64, Prediction), Gap>;

pub const CALM: Seen = Ok((30.0, Prediction::Normal));
pub const STRANGE: Seen = Ok((60.0, Prediction::Anomaly));
pub const HIGH: Seen = Ok((90.0, Prediction::Normal));
pub const CRITICAL: Seen = Ok((97.0, Prediction::Normal));
pub const CRITICAL_WITHOUT_MODEL: Seen = Ok((97.0, Prediction::Unknown));
/// Past High and anomalous: what opens an incident.
pub const BAD: Seen = Ok((90.0, Prediction::Anomaly));
/// Past Critical and anomalous.
pub const WORSE: Seen = Ok((98.0, Prediction::Anomaly));

pub const RESOLVE: CommandKind = CommandKind::Resolve {
    decommissioned: false,
};

pub struct Story {
    pub state: DecideState,
    pub now: Timestamp,
    /// What the newest step gave, and what it was given.
    pub output: DecideOutput,
    pub judged: Vec<Finding>,
    /// All changes so far.
    pub changes: Vec<Change>,
    /// Every incident so far, as it last was.
    pub incidents: BTreeMap<IncidentId, Arc<Incident>>,
    source: SourceState,
    services: BTreeMap<ServiceId, Presence>,
    seen: BTreeMap<SeriesId, Seen>,
    past: BTreeMap<SeriesId, Vec<Sample>>,
    catalogue: Catalogue,
    pub settings: Settings,
    /// Processes of services that differ from one instance without a start time or version.
    pub processes: BTreeMap<ServiceId, Processes>,
}

#[derive(Clone, Debug, Default)]
pub struct Processes {
    pub instances: u32,
    pub started: Option<Timestamp>,
    pub version: Option<&'static str>,
}

/// What happens between ticks.
#[derive(Default)]
struct Between {
    commands: Vec<Command>,
    gathered: Vec<(IncidentId, Gathered)>,
    events: Vec<Arc<PostedEvent>>,
    own_changes: Vec<ChangeFact>,
}

/// A command of kim's without a note.
pub fn command(id: u64, kind: CommandKind) -> Command {
    Command {
        number: 7,
        incident: IncidentId(id),
        actor: Actor::Unverified("kim".into()),
        kind,
        note: None,
        expected: None,
        stored: None,
    }
}

pub fn service(name: &str) -> ServiceId {
    ServiceId::new(name).unwrap()
}

pub fn series(service_name: &str, metric: &str) -> SeriesId {
    SeriesId::new(service(service_name), MetricId::new(metric).unwrap())
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Story {
    /// Services that are up, with calm `cpu` and `mem` (High 85, Critical 95), for ten minutes.
    pub fn of(names: &[&str]) -> Story {
        let mut story = Story {
            state: DecideState::default(),
            now: Timestamp::from_millis(1_800_000_000_000),
            output: DecideOutput::default(),
            judged: Vec::new(),
            changes: Vec::new(),
            incidents: BTreeMap::new(),
            source: SourceState::Healthy,
            services: BTreeMap::new(),
            seen: BTreeMap::new(),
            past: BTreeMap::new(),
            catalogue: Catalogue::default_three(),
            settings: Settings {
                open_after: seconds(OPEN_AFTER),
                critical_after: seconds(CRITICAL_AFTER),
                quiet_period: seconds(QUIET_PERIOD),
                hysteresis: 0.05,
                down_after: seconds(DOWN_AFTER),
                source_fault_share: 0.5,
                auto_resolve: Vec::new(),
            },
            processes: BTreeMap::new(),
        };
        for name in names {
            story.services.insert(service(name), Presence::Up);
            for metric in ["cpu", "mem"] {
                story.seen.insert(series(name, metric), CALM);
            }
        }
        story.pass(600);
        story
    }

    /// What is seen from the next tick on.
    pub fn see(&mut self, name: &str, metric: &str, seen: Seen) -> &mut Story {
        self.seen.insert(series(name, metric), seen);
        self
    }

    /// No instance of the service answers from the next tick on, and its metrics have no samples.
    pub fn goes(&mut self, name: &str) -> &mut Story {
        self.present(name, Presence::Gone, Err(Gap::NoData))
    }

    pub fn returns(&mut self, name: &str) -> &mut Story {
        self.present(name, Presence::Up, CALM)
    }

    fn present(&mut self, name: &str, presence: Presence, seen: Seen) -> &mut Story {
        self.services.insert(service(name), presence);
        for metric in ["cpu", "mem"] {
            self.see(name, metric, seen);
        }
        self
    }

    /// How the source is from the next tick on.
    pub fn source(&mut self, source: SourceState) -> &mut Story {
        self.source = source;
        self
    }

    pub fn outage(&mut self) -> &mut Story {
        self.source(SourceState::Down("connection refused".into()))
    }

    /// Ticks for so long; the first is one tick from now.
    pub fn pass(&mut self, seconds: u64) -> &mut Story {
        for _ in 0..seconds / TICK {
            self.tick();
        }
        self
    }

    pub fn tick(&mut self) -> &DecideOutput {
        self.now = self.now + seconds(TICK);
        let findings = self.findings();
        for finding in &findings {
            if let Ok(sample) = finding.sample {
                self.past
                    .entry(finding.series.clone())
                    .or_default()
                    .push(sample);
            }
        }
        let collection = self.collection();
        self.judged = findings.clone();
        self.step(Some(&collection), &findings, Between::default())
    }

    /// Asks between ticks.
    pub fn ask(&mut self, id: u64, kind: CommandKind) -> Result<Arc<Incident>, Refusal> {
        self.ask_with(command(id, kind))
    }

    pub fn ask_with(&mut self, command: Command) -> Result<Arc<Incident>, Refusal> {
        let output = self.step(
            None,
            &[],
            Between {
                commands: vec![command],
                ..Between::default()
            },
        );
        assert_eq!(output.answers[0].number, 7);
        output.answers[0].result.clone()
    }

    pub fn attach(&mut self, id: u64, gathered: Gathered) -> &DecideOutput {
        let gathered = vec![(IncidentId(id), gathered)];
        self.step(
            None,
            &[],
            Between {
                gathered,
                ..Between::default()
            },
        )
    }

    /// Tells of a change from outside.
    pub fn post(&mut self, event: PostedEvent) -> &DecideOutput {
        let events = vec![Arc::new(event)];
        self.step(
            None,
            &[],
            Between {
                events,
                ..Between::default()
            },
        )
    }

    /// What Bellwether itself did.
    pub fn do_itself(&mut self, fact: ChangeFact) -> &DecideOutput {
        self.step(
            None,
            &[],
            Between {
                own_changes: vec![fact],
                ..Between::default()
            },
        )
    }

    /// Stores what is stored and goes on from it.
    pub fn restart(&mut self) {
        let incidents: Vec<Arc<Incident>> = self.state.incidents().cloned().collect();
        let mut state = self.state.without_incidents();
        assert_eq!(state.incidents().count(), 0);
        state.restore_incidents(incidents, self.incidents.keys().last().copied());
        assert_eq!(state, self.state, "what is stored is the whole state");
        self.state = state;
    }

    pub fn firing(&self, name: &str) -> Option<&Arc<Incident>> {
        self.state.firing(&service(name))
    }

    /// The incident with this number, as it last was.
    pub fn incident(&self, id: u64) -> &Incident {
        &self.incidents[&IncidentId(id)]
    }

    /// What the newest tick decided about a series.
    pub fn verdict(&self, name: &str, metric: &str) -> Verdict {
        let decided = |d: &&incident::Decision| d.series == series(name, metric);
        let found = self.output.decisions.iter().find(decided);
        found.expect("every finding is decided on").verdict
    }

    /// How many incidents were opened so far.
    pub fn opened(&self) -> usize {
        let opened = |change: &&Change| matches!(change, Change::Opened(_));
        self.changes.iter().filter(opened).count()
    }

    fn step(
        &mut self,
        collection: Option<&Collection>,
        findings: &[Finding],
        between: Between,
    ) -> &DecideOutput {
        let past = |id: &SeriesId| self.past.get(id).cloned().unwrap_or_default();
        self.output = self.state.step(&DecideInput {
            now: self.now,
            tick: seconds(TICK),
            settings: &self.settings,
            catalogue: &self.catalogue,
            collection,
            findings,
            past: &past,
            commands: &between.commands,
            gathered: &between.gathered,
            events: &between.events,
            own_changes: &between.own_changes,
        });
        self.changes.extend(&self.output.changes);
        for incident in &self.output.incidents {
            self.incidents.insert(incident.id, incident.clone());
        }
        &self.output
    }

    fn collection(&self) -> Collection {
        let services = self.services.iter();
        Collection {
            at: self.now,
            source: self.source.clone(),
            services: services
                .map(|(id, presence)| {
                    let one = Processes {
                        instances: u32::from(*presence == Presence::Up),
                        ..Processes::default()
                    };
                    let processes = self.processes.get(id).cloned().unwrap_or(one);
                    ServiceObservation {
                        id: id.clone(),
                        presence: *presence,
                        instances: processes.instances,
                        started: processes.started,
                        version: processes.version.map(Arc::from),
                        step: seconds(TICK),
                    }
                })
                .collect(),
            series: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let seen = |seen: Seen| match self.source.is_down() {
            true => Err(Gap::SourceDown),
            false => seen,
        };
        let series = self.seen.iter();
        series
            .map(|(series, what)| self.finding(series, seen(*what)))
            .collect()
    }

    fn finding(&self, series: &SeriesId, seen: Seen) -> Finding {
        let spec = self.catalogue.get(&series.metric).unwrap();
        let newest = self.past.get(series).and_then(|past| past.last()).copied();
        let sample = seen.map(|(value, _)| Sample {
            time: self.now,
            value,
        });
        Finding {
            series: series.clone(),
            at: self.now,
            sample,
            newest: sample.ok().or(newest),
            instance: None,
            proxy: false,
            at_least: false,
            severity: sample.map_or(Severity::Unavailable, |sample| {
                spec.thresholds.severity(sample.value, spec.direction)
            }),
            thresholds: spec.thresholds,
            prediction: seen.map_or(Prediction::Unknown, |(_, prediction)| prediction),
            silence: sample.is_err().then_some(Silence::NoSample),
            reason: None,
            score: None,
            limit: None,
            held: false,
            features: None,
            band: None,
            components: Vec::new(),
            contributions: None,
            model: None,
        }
    }
}
