//! Gathers what explains an incident: logs and their patterns, further series, label tables, precedents and similar
//! incidents; at once, and what still moves again when its window has passed. Never blocks a tick;
//! what is found is an input of the engine.

pub mod patterns;

use std::sync::Arc;
use std::time::Duration;

use domain::{
    EvidenceRequest, Gathered, GatheredSeries, Incident, IncidentId, LogPatterns, Part,
    RequestMember, Sample, SeriesId, Timestamp,
};
use incident::LogShiftWindows;
use sources::{EvidenceAnswer, EvidenceQueries, LogReader};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::clock;
use crate::collecting::Wish;
use crate::live::Live;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::telemetry;
use crate::tick::{Message, chain};

/// Requests that may wait.
pub const QUEUE: usize = 1024;
/// Log windows read, and datasets looked through, at the same time.
const READERS: usize = 2;
/// Incidents whose queries are asked at the same time: the tick's go first.
const ASKERS: usize = 1;
/// Lines kept with an incident.
const LINES_MAX: usize = 200;
/// Past incidents that are compared.
const PAST_MAX: usize = 50;
/// After a restart, incidents opened within this time are asked for again.
const RESUMED_WITHIN: Duration = Duration::from_secs(3600);
/// Writers flush late: the second look waits so long after the window's end.
const FLUSH: Duration = Duration::from_secs(2);

/// The task that gathers evidence.
pub struct Gathering {
    pub gatherer: Gatherer,
    pub requests: mpsc::Receiver<EvidenceRequest>,
    pub stop: watch::Receiver<bool>,
}

/// Everything that gathering reaches; cheap to clone.
#[derive(Clone)]
pub struct Gatherer {
    pub logs: Arc<LogReader>,
    pub storage: Arc<Storage>,
    /// The catalogue, the tick, and the stretch of the datasets that models learn from.
    pub live: Live,
    pub engine: mpsc::Sender<Message>,
    /// Only the collector knows how a service is named.
    pub wishes: mpsc::Sender<Wish>,
    pub readers: Arc<Semaphore>,
    pub askers: Arc<Semaphore>,
}

impl Gatherer {
    pub fn limits() -> (Arc<Semaphore>, Arc<Semaphore>) {
        (
            Arc::new(Semaphore::new(READERS)),
            Arc::new(Semaphore::new(ASKERS)),
        )
    }
}

impl Gathering {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        loop {
            let request = tokio::select! {
                () = stopped(&mut self.stop) => return,
                request = self.requests.recv() => request,
            };
            let Some(request) = request else { return };
            let gatherer = self.gatherer.clone();
            let mut stop = self.stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = gatherer.gather(request) => {}
                }
            });
        }
    }
}

impl Gatherer {
    /// All that was asked for; what goes on after an opening is looked at again once its window has
    /// passed.
    async fn gather(self, request: EvidenceRequest) {
        if request.opening {
            self.read_logs(&request).await;
        }
        for member in &request.members {
            self.look_for_precedent(&request, member).await;
        }
        self.ask(&request, request.at).await;
        let remaining = (request.logs_to + FLUSH).since(clock::now());
        if request.opening && !remaining.is_zero() {
            tokio::time::sleep(remaining).await;
            self.read_logs(&request).await;
            self.ask(&request, request.logs_to).await;
        }
    }

    async fn send(&self, incident: IncidentId, gathered: Gathered) {
        let message = Message::Gathered(incident, Box::new(gathered));
        let _ = self.engine.send(message).await;
    }

    async fn read_logs(&self, request: &EvidenceRequest) {
        let Ok(permit) = self.readers.acquire().await else {
            return;
        };
        let (logs, wanted) = (Arc::clone(&self.logs), request.clone());
        let window = tokio::task::spawn_blocking(move || {
            logs.window(&wanted.service, wanted.logs_from, wanted.logs_to, LINES_MAX)
        })
        .await;
        drop(permit);
        match window {
            Ok(window) => {
                telemetry::logs_read(window.outcome.as_str());
                let gathered = Gathered::Logs(Arc::new(window));
                self.send(request.incident, gathered).await;
            }
            Err(error) => {
                tracing::error!(incident = %request.incident, %error, "reading logs failed");
            }
        }
        self.compare(request).await;
    }

    /// What the logs say that they didn't say before, and which past incidents are like that.
    async fn compare(&self, request: &EvidenceRequest) {
        let database = &self.storage.database;
        let found = async {
            let incident = database.incident(request.incident).await?;
            let past = database
                .past_of(&request.service, request.incident, PAST_MAX)
                .await?;
            Ok::<_, store::DatabaseError>(incident.map(|incident| (incident, past)))
        };
        match found.await {
            Ok(Some((mut incident, past))) => {
                let patterns = self.read_patterns(request, &incident, &past).await;
                if let Some(patterns) = patterns {
                    let evidence = Arc::make_mut(&mut incident.evidence);
                    evidence.patterns = Some(patterns.clone());
                    let gathered = Gathered::Patterns(Box::new(patterns));
                    self.send(request.incident, gathered).await;
                }
                let gathered = Gathered::Similar(incident::similar(&incident, &past));
                self.send(request.incident, gathered).await;
            }
            // Not stored yet, which is said elsewhere.
            Ok(None) => {}
            Err(error) => {
                let why = format!("similar incidents: {}", chain(&error));
                self.send(request.incident, Gathered::Failed(why)).await;
            }
        }
    }

    /// None where the reading failed, which is said with the incident.
    async fn read_patterns(
        &self,
        request: &EvidenceRequest,
        incident: &Incident,
        past: &[Incident],
    ) -> Option<LogPatterns> {
        let _permit = self.readers.acquire().await.ok()?;
        let (logs, service) = (Arc::clone(&self.logs), request.service.clone());
        let windows = LogShiftWindows::of(request, past, clock::now());
        let labels = incident::exception_labels(&incident.evidence.breakdowns);
        let read = move || patterns::read(&logs, &service, windows, &labels);
        match tokio::task::spawn_blocking(read).await {
            Ok(patterns) => Some(patterns),
            Err(error) => {
                let why = format!("log patterns: {error}");
                self.send(request.incident, Gathered::Failed(why)).await;
                None
            }
        }
    }

    /// How often the training window saw such a value.
    async fn look_for_precedent(&self, request: &EvidenceRequest, member: &RequestMember) {
        let Ok(_permit) = self.readers.acquire().await else {
            return;
        };
        let series = SeriesId::new(request.service.clone(), member.metric.clone());
        let (storage, from) = (
            Arc::clone(&self.storage),
            request.onset - self.live.config().training.window,
        );
        let read = tokio::task::spawn_blocking(move || history(&storage, &series, from)).await;
        let gathered = match read {
            Ok(Ok(samples)) => Gathered::Precedent {
                metric: member.metric.clone(),
                precedent: incident::precedent(
                    &samples,
                    member.value,
                    member.direction,
                    request.onset,
                ),
            },
            Ok(Err(why)) => Gathered::Failed(format!("the past of {}: {why}", member.metric)),
            Err(error) => Gathered::Failed(format!("the past of {}: {error}", member.metric)),
        };
        self.send(request.incident, gathered).await;
    }

    /// Asks Prometheus: further series up to `at`, and the label tables of new members at `at`.
    async fn ask(&self, request: &EvidenceRequest, at: Timestamp) {
        let Ok(_permit) = self.askers.acquire().await else {
            return;
        };
        let (reply, queries) = oneshot::channel();
        let service = request.service.clone();
        let wish = Wish::Evidence { service, reply };
        if self.wishes.send(wish).await.is_err() {
            return;
        }
        let Ok(queries) = queries.await else { return };
        if request.opening {
            self.ask_series(&queries, request, at).await;
        }
        let config = self.live.config();
        for member in &request.members {
            let Some(spec) = config.metrics.get(&member.metric) else {
                continue;
            };
            let answer = queries.label_tables(spec, at).await;
            let tables = self.taken(request.incident, answer).await;
            if !tables.is_empty() {
                let metric = member.metric.clone();
                let gathered = Gathered::Tables { metric, tables };
                self.send(request.incident, gathered).await;
            }
        }
    }

    async fn ask_series(
        &self,
        queries: &EvidenceQueries,
        request: &EvidenceRequest,
        at: Timestamp,
    ) {
        let config = self.live.config();
        let from = request.baseline_from;
        let answer = queries.shift_series(from, at, config.tick).await;
        let mut series = self.taken(request.incident, answer).await;
        // The engine has the samples of these; only it doesn't know how the service is named.
        series.extend(config.metrics.iter().map(|spec| GatheredSeries {
            metric: spec.id.to_string(),
            title: spec.title.clone(),
            unit: spec.unit.clone(),
            minimum_deviation: spec.minimum_deviation,
            query: queries.catalogue_query(spec),
            samples: Vec::new(),
        }));
        self.send(request.incident, Gathered::Series(series)).await;
    }

    /// What an answer holds; what it lacks is said with the incident.
    async fn taken<T>(&self, incident: IncidentId, answer: EvidenceAnswer<T>) -> Vec<T> {
        telemetry::evidence_asked(answer.queries, answer.failures.len());
        for warning in &answer.warnings {
            tracing::warn!(%incident, warning, "Prometheus warns about evidence");
        }
        for failure in answer.failures {
            let why = failure.to_string();
            self.send(incident, Gathered::Failed(why)).await;
        }
        answer.found
    }
}

/// The samples that training may learn from since a time, oldest first.
fn history(storage: &Storage, series: &SeriesId, from: Timestamp) -> Result<Vec<Sample>, String> {
    let read = storage.datasets().read(series, from);
    let dataset = read.map_err(|error| chain(&error))?;
    let rows = dataset.rows.into_iter();
    let normal = rows.filter(|(_, part)| *part == Part::History);
    Ok(normal
        .map(|(row, _)| Sample {
            time: row.timestamp,
            value: row.value,
        })
        .collect())
}

/// Asks again for the evidence of incidents that a restart left without, or without what was to be
/// looked at again once their window had passed.
pub fn resume<'a>(
    incidents: impl Iterator<Item = &'a Arc<Incident>>,
    requests: &mpsc::Sender<EvidenceRequest>,
    now: Timestamp,
) {
    let recent = |incident: &&Arc<Incident>| now.since(incident.opened) < RESUMED_WITHIN;
    for incident in incidents.filter(recent) {
        let mut request = incident::evidence_request(incident, incident.opened, None);
        let evidence = &incident.evidence;
        let shifts_to = evidence.shifts.as_ref().map(|shifts| shifts.to);
        let patterns_to = evidence.patterns.as_ref().map(|patterns| patterns.to);
        let is_whole = incident.logs.is_some()
            && evidence.similar.is_some()
            && patterns_to.is_some_and(|to| to >= request.logs_to)
            && shifts_to.is_some_and(|to| to >= request.logs_to);
        if !is_whole {
            // The end of the window, once that has passed: it isn't looked at again then.
            request.at = request.logs_to.min(now);
            let _ = requests.try_send(request);
        }
    }
}
