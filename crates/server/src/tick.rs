//! The second half of the tick: step the engine, store what it decided, publish the snapshot.
//!
//! One task owns the engine's state; everyone else sends messages. What was decided is stored
//! before it is published. A store that fails is said, tried again at the next tick, and stops
//! neither detection nor the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    EvidenceRequest, Gathered, Incident, IncidentId, PostedEvent, SeriesId, ServiceId, SourceState,
    Timestamp,
};
use engine::{State, Swap, TickInput, TickOutput};
use incident::ledger::Ledger;
use incident::{Answer, Change, Command};
use jiff::SignedDuration;
use sources::Collected;
use store::{Evaluated, LedgerRecord, TickCommit};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;
use crate::hole::{Hole, Stretch};
use crate::paging::Desk;
use crate::recorder::Recorder;
use crate::restore::encode_decide;
use crate::snapshot::{ServiceView, Snapshot};
use crate::storage::Storage;
use crate::telemetry;

/// Messages that may wait; senders wait beyond.
pub const QUEUE: usize = 256;
/// Memories stored, and dataset files synced, at each tick.
const SAVED_AT_ONCE: usize = 8;
const SYNCED_AT_ONCE: usize = 32;
/// Ledger entries that wait for a store that fails.
const UNSAVED_LEDGER_MAX: usize = 100_000;

/// What the engine's task is told.
pub enum Message {
    Collected(Box<Collected>),
    Command {
        command: Command,
        reply: oneshot::Sender<Answer>,
    },
    /// Take effect at the next tick.
    Swaps(Vec<Swap>),
    Gathered(IncidentId, Box<Gathered>),
    /// Is stored already.
    Event(Arc<PostedEvent>),
    /// What is muted has changed in the database.
    Muted {
        reply: oneshot::Sender<()>,
    },
    /// Is in force from now on.
    Configured(Box<engine::Config>),
    Stop,
}

/// The task that owns the engine.
pub struct Ticking {
    pub state: State,
    pub storage: Arc<Storage>,
    pub publisher: watch::Sender<Arc<Snapshot>>,
    pub recorder: Option<Recorder>,
    pub evidence: mpsc::Sender<EvidenceRequest>,
    /// Widened by stretches that were not evaluated, once they are over, or not written.
    pub hole: Arc<Hole>,
    pub inbox: mpsc::Receiver<Message>,
    pub swaps: Vec<Swap>,
    pub stored_decide: Vec<u8>,
    pub unsaved: BTreeMap<IncidentId, Arc<Incident>>,
    pub ledger: Ledger,
    /// What the ledger took down and is not stored yet, oldest first.
    pub unsaved_ledger: Vec<LedgerRecord>,
    pub last_seen: BTreeMap<ServiceId, Timestamp>,
    /// The series whose memory was stored last; none at the beginning of a round.
    pub saved_last: Option<SeriesId>,
    pub commands: u64,
    pub desk: Desk,
    /// The source's clock minus ours.
    pub skew: SignedDuration,
}

impl Ticking {
    /// Runs until told to stop; then stores what is still to be stored.
    pub async fn run(mut self) {
        while let Some(message) = self.inbox.recv().await {
            match message {
                Message::Collected(collected) => self.tick(*collected).await,
                Message::Swaps(swaps) => self.swaps.extend(swaps),
                Message::Command { command, reply } => self.command(command, reply).await,
                Message::Gathered(incident, gathered) => {
                    let input = TickInput {
                        gathered: vec![(incident, *gathered)],
                        ..TickInput::between(clock::now())
                    };
                    self.between(input).await;
                }
                Message::Event(event) => {
                    let input = TickInput {
                        events: vec![event],
                        ..TickInput::between(clock::now())
                    };
                    self.between(input).await;
                }
                Message::Configured(config) => {
                    let input = TickInput {
                        config: Some(*config),
                        ..TickInput::between(clock::now())
                    };
                    self.between(input).await;
                }
                Message::Muted { reply } => {
                    self.read_mutes().await;
                    let _ = reply.send(());
                }
                Message::Stop => break,
            }
        }
        self.storage.database.close().await;
    }

    async fn tick(&mut self, collected: Collected) {
        let began = tokio::time::Instant::now();
        let mut input = TickInput::between(collected.collection.at).with(collected.collection);
        input.swaps = std::mem::take(&mut self.swaps);
        let output = self.step(&input);
        self.skew = collected.skew.unwrap_or(self.skew);
        if let Some(collection) = &input.collection {
            let answered = self.publisher.borrow().answered_at;
            self.desk.note_source(&collection.source, answered);
        }
        for (series, why) in &output.refused_swaps {
            tracing::error!(%series, why, "a new model was refused; the old one goes on");
        }
        self.take_down(&output);
        let stored = self.store(&output, Some(input.at)).await;
        self.publish_tick(&input, &output, stored);
        self.request_evidence(&output);
        let models = self.state.models().count();
        telemetry::ticked(&output, self.firing(), models, began.elapsed());
        tokio::task::block_in_place(|| self.save_some());
    }

    async fn command(&mut self, mut command: Command, reply: oneshot::Sender<Answer>) {
        self.commands += 1;
        command.number = self.commands;
        self.recall(&mut command).await;
        let input = TickInput {
            commands: vec![command],
            ..TickInput::between(clock::now())
        };
        let output = self.between(input).await;
        if let Some(answer) = output.decided.answers.into_iter().next() {
            let _ = reply.send(answer);
        }
    }

    /// Gives a command its incident where the engine doesn't hold it any more.
    async fn recall(&self, command: &mut Command) {
        if self.state.decide().incident(command.incident).is_some() {
            return;
        }
        match self.storage.database.incident(command.incident).await {
            Ok(found) => command.stored = found.map(Arc::new),
            Err(error) => {
                tracing::error!(incident = %command.incident, error = %chain(&error), "an incident could not be read");
            }
        }
    }

    /// What happens between ticks: commands, events and evidence.
    async fn between(&mut self, input: TickInput) -> TickOutput {
        let output = self.step(&input);
        let stored = self.store(&output, None).await;
        self.publish_incidents(stored);
        output
    }

    async fn read_mutes(&mut self) {
        let now = clock::now();
        if let Err(error) = self.desk.read_mutes(&self.storage.database, now).await {
            tracing::error!(error = %chain(&error), "mutes could not be read; what was muted stays so");
        }
        self.between(TickInput::between(now)).await;
    }

    fn step(&mut self, input: &TickInput) -> TickOutput {
        let output = tokio::task::block_in_place(|| engine::step(&mut self.state, input));
        if let Some(recorder) = &mut self.recorder {
            recorder.add(input, output.hash());
        }
        for change in &output.decided.changes {
            self.say(*change);
        }
        if let Some(fault) = &output.decided.source_fault {
            tracing::warn!(
                fault,
                "the source is at fault; no availability incident is opened"
            );
        }
        output
    }

    fn say(&self, change: Change) {
        let id = change.incident();
        let Some(incident) = self.state.decide().incident(id) else {
            return;
        };
        let (service, severity) = (&incident.service, incident.severity);
        match change {
            Change::Opened(_) => {
                telemetry::opened();
                tracing::warn!(%id, %service, %severity, why = incident.summary, "incident opened");
            }
            Change::SeverityRaised(_) => {
                tracing::warn!(%id, %service, %severity, "severity raised")
            }
            Change::WentQuiet(_) => tracing::info!(%id, %service, "incident went quiet"),
            Change::Resolved(_) => tracing::info!(%id, %service, "incident resolved"),
            Change::Reopened(_) => tracing::info!(%id, %service, "incident reopened"),
        }
    }

    /// What the ledger adds; beyond its bound the oldest that could not be stored go.
    fn take_down(&mut self, output: &TickOutput) {
        let tick = self.state.config().tick;
        let entries = self
            .ledger
            .note(output.at, tick, &output.findings, &output.decided);
        for entry in entries {
            let body = serde_json::to_string(&entry).expect("an entry is plain data");
            self.unsaved_ledger.push(LedgerRecord {
                series: entry.series,
                from: entry.from,
                body,
            });
        }
        let excess = self.unsaved_ledger.len().saturating_sub(UNSAVED_LEDGER_MAX);
        self.unsaved_ledger.drain(..excess);
    }

    /// Stores what was decided, then the rows; `evaluated` is the instant of a tick. Gives what
    /// could not be stored.
    async fn store(
        &mut self,
        output: &TickOutput,
        evaluated: Option<Timestamp>,
    ) -> Result<(), String> {
        for incident in &output.decided.incidents {
            self.unsaved.insert(incident.id, Arc::clone(incident));
        }
        let held = self.incidents();
        self.desk
            .step(clock::now(), &held, &output.decided.incidents);
        let committed = self.commit(evaluated, held).await;
        let written = tokio::task::block_in_place(|| self.write_rows(output));
        if let (Err(_), Some(from)) = (&written, self.publisher.borrow().answered_at) {
            self.hole.widen(Stretch {
                from,
                to: output.at,
            });
        }
        committed.and(written)
    }

    async fn commit(
        &mut self,
        evaluated: Option<Timestamp>,
        held: Arc<Vec<Arc<Incident>>>,
    ) -> Result<(), String> {
        let decide = encode_decide(self.state.decide());
        let decide = (decide.bytes != self.stored_decide).then_some(decide);
        let (notices, pager) = self.desk.to_store();
        let has_news = decide.is_some() || pager.is_some();
        if !has_news && self.unsaved.is_empty() && notices.is_empty() && evaluated.is_none() {
            self.desk.stored(None, held);
            return Ok(());
        }
        let commit = TickCommit {
            incidents: self.unsaved.values().map(|i| (**i).clone()).collect(),
            ledger: self.unsaved_ledger.clone(),
            evaluated: evaluated.map(|at| Evaluated {
                at,
                run_from: self.ledger.run_began_at().unwrap_or(at),
            }),
            engine_states: decide.iter().chain(&pager).cloned().collect(),
            notices,
            ..TickCommit::default()
        };
        match self.storage.database.commit_tick(commit).await {
            Ok(()) => {
                self.unsaved.clear();
                self.unsaved_ledger.clear();
                self.desk.stored(pager, held);
                self.stored_decide =
                    decide.map_or_else(|| std::mem::take(&mut self.stored_decide), |d| d.bytes);
                Ok(())
            }
            Err(error) => {
                telemetry::store_failed("database");
                tracing::error!(error = %chain(&error), "decisions could not be stored; they are kept and stored at the next tick");
                Err(format!(
                    "{} incidents are not stored: {}",
                    self.unsaved.len(),
                    chain(&error)
                ))
            }
        }
    }

    fn write_rows(&self, output: &TickOutput) -> Result<(), String> {
        let mut result = Ok(());
        let mut failed = |error: &dyn std::error::Error| {
            telemetry::store_failed("datasets");
            tracing::error!(error = %chain(error), "dataset rows could not be written");
            result = Err(format!("dataset rows are not written: {}", chain(error)));
        };
        if output.decided.moves.is_empty() && output.rows.is_empty() {
            return Ok(());
        }
        let mut datasets = self.storage.datasets_mut();
        for moved in &output.decided.moves {
            if let Err(error) = datasets.move_rows(&moved.series, moved.from, output.at) {
                failed(&error);
            }
        }
        let rows = output
            .rows
            .iter()
            .map(|placed| (placed.series.clone(), placed.part, placed.row));
        let appended = datasets.append(rows);
        telemetry::rows_written(appended.rows);
        if let Some(error) = &appended.error {
            failed(error);
        }
        result
    }

    fn publish_tick(&mut self, input: &TickInput, output: &TickOutput, stored: Result<(), String>) {
        let Some(collection) = &input.collection else {
            return;
        };
        let mut services: BTreeMap<ServiceId, ServiceView> = collection
            .services
            .iter()
            .map(|observation| {
                if observation.presence == domain::Presence::Up && !collection.source.is_down() {
                    self.last_seen.insert(observation.id.clone(), input.at);
                }
                let view = ServiceView {
                    observation: observation.clone(),
                    last_seen: self.last_seen.get(&observation.id).copied(),
                    findings: Vec::new(),
                    early_warning: output.early_warnings.binary_search(&observation.id).is_ok(),
                };
                (observation.id.clone(), view)
            })
            .collect();
        for finding in &output.findings {
            if let Some(view) = services.get_mut(&finding.series.service) {
                view.findings.push(finding.clone());
            }
        }
        let previous = self.publisher.borrow().clone();
        let same_source = previous
            .source
            .as_ref()
            .is_some_and(|old| same_kind(old, &collection.source));
        let mut remarks = collection.remarks.clone();
        remarks.extend(output.decided.source_fault.clone());
        let answered = (!collection.source.is_down()).then_some(input.at);
        self.note_outage(previous.answered_at, answered);
        self.publisher.send_replace(Arc::new(Snapshot {
            at: Some(input.at),
            source: Some(collection.source.clone()),
            source_since: if same_source {
                previous.source_since
            } else {
                Some(input.at)
            },
            answered_at: answered.or(previous.answered_at),
            skew: self.skew,
            remarks,
            services: Arc::new(services),
            incidents: self.incidents(),
            unsaved: stored.err(),
            models: self.state.models().count(),
        }));
    }

    /// Where more than two instants lie between two answers, those between were not evaluated.
    fn note_outage(&self, last: Option<Timestamp>, answered: Option<Timestamp>) {
        let (Some(from), Some(to)) = (last, answered) else {
            return;
        };
        if to.since(from) > 2 * self.state.config().tick {
            self.hole.widen(Stretch { from, to });
        }
    }

    fn publish_incidents(&self, stored: Result<(), String>) {
        let previous = self.publisher.borrow().clone();
        self.publisher.send_replace(Arc::new(Snapshot {
            incidents: self.incidents(),
            unsaved: stored.err(),
            ..(*previous).clone()
        }));
    }

    fn incidents(&self) -> Arc<Vec<Arc<Incident>>> {
        Arc::new(self.state.decide().incidents().cloned().collect())
    }

    fn firing(&self) -> usize {
        self.state
            .decide()
            .incidents()
            .filter(|incident| incident.firing)
            .count()
    }

    fn request_evidence(&self, output: &TickOutput) {
        for request in &output.decided.requests {
            if let Err(error) = self.evidence.try_send(request.clone()) {
                tracing::warn!(incident = %request.incident, %error, "evidence is not gathered: too many requests wait");
            }
        }
    }

    /// Stores some memories and syncs some datasets: a little at each tick, so that none is held up.
    fn save_some(&mut self) {
        // What passed over a hole can't be stepped on from before it once it is filled.
        if self.hole.stretch().is_none() {
            self.save_memories();
        }
        if let Err(error) = self.storage.datasets_mut().flush_some(SYNCED_AT_ONCE) {
            telemetry::store_failed("datasets");
            tracing::error!(error = %chain(&error), "the datasets could not be synced");
        }
    }

    /// Stores the memories of the next few series, which could be rebuilt.
    fn save_memories(&mut self) {
        let after = self.saved_last.take();
        let next = self
            .state
            .memories()
            .filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
        let batch: Vec<(SeriesId, Vec<u8>)> = next
            .take(SAVED_AT_ONCE)
            .map(|(id, memory)| (id.clone(), memory.encode()))
            .collect();
        for (series, bytes) in &batch {
            if let Err(error) = self.storage.models.save_state(series, bytes) {
                telemetry::store_failed("models");
                tracing::error!(%series, error = %chain(&error), "the memory of a series could not be stored; it is rebuilt at the next start");
                break;
            }
        }
        self.saved_last = batch.into_iter().next_back().map(|(series, _)| series);
    }
}

fn same_kind(old: &SourceState, new: &SourceState) -> bool {
    std::mem::discriminant(old) == std::mem::discriminant(new)
}

/// An error with its causes, once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
