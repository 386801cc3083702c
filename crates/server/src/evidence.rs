//! Gathers the logs around an incident: at once, and again when its window has passed, so that
//! late lines are seen. Never blocks a tick; what is found is an input of the engine.

use std::sync::Arc;
use std::time::Duration;

use domain::LogOutcome;
use engine::LogRequest;
use sources::LogReader;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::clock;
use crate::stopping::stopped;
use crate::telemetry;
use crate::tick::Message;

/// Requests that may wait.
pub const QUEUE: usize = 1024;
/// Windows read at the same time.
const READERS: usize = 2;
/// Lines kept with an incident.
const LINES_MAX: usize = 200;
/// After a restart, incidents opened within this time are asked for again.
const RESUMED_WITHIN: Duration = Duration::from_secs(3600);
/// Writers flush late: the second look waits so long after the window's end.
const FLUSH: Duration = Duration::from_secs(2);

/// The task that reads logs for incidents.
pub struct Gathering {
    pub logs: Arc<LogReader>,
    pub requests: mpsc::Receiver<LogRequest>,
    pub engine: mpsc::Sender<Message>,
    pub stop: watch::Receiver<bool>,
}

impl Gathering {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        let readers = Arc::new(Semaphore::new(READERS));
        loop {
            let request = tokio::select! {
                () = stopped(&mut self.stop) => return,
                request = self.requests.recv() => request,
            };
            let Some(request) = request else { return };
            let task = gather(
                Arc::clone(&self.logs),
                Arc::clone(&readers),
                request,
                self.engine.clone(),
            );
            let mut stop = self.stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = task => {}
                }
            });
        }
    }
}

async fn gather(
    logs: Arc<LogReader>,
    readers: Arc<Semaphore>,
    request: LogRequest,
    engine: mpsc::Sender<Message>,
) {
    read(&logs, &readers, &request, &engine).await;
    let remaining = (request.to + FLUSH).since(clock::now());
    if !remaining.is_zero() {
        tokio::time::sleep(remaining).await;
        read(&logs, &readers, &request, &engine).await;
    }
}

async fn read(
    logs: &Arc<LogReader>,
    readers: &Semaphore,
    request: &LogRequest,
    engine: &mpsc::Sender<Message>,
) {
    let Ok(_permit) = readers.acquire().await else {
        return;
    };
    let (logs, wanted) = (Arc::clone(logs), request.clone());
    let window = tokio::task::spawn_blocking(move || {
        logs.window(&wanted.service, wanted.from, wanted.to, LINES_MAX)
    })
    .await;
    match window {
        Ok(window) => {
            telemetry::logs_read(match window.outcome {
                LogOutcome::Found => "found",
                LogOutcome::NoneInWindow(_) => "none_in_window",
                LogOutcome::NotConfigured => "not_configured",
                LogOutcome::Unreadable(_) => "unreadable",
            });
            let _ = engine.send(Message::Logs(request.incident, window)).await;
        }
        Err(error) => tracing::error!(incident = %request.incident, %error, "reading logs failed"),
    }
}

/// Asks again for the logs of incidents that a restart left without.
pub fn resume<'a>(
    incidents: impl Iterator<Item = &'a domain::Incident>,
    requests: &mpsc::Sender<LogRequest>,
    now: domain::Timestamp,
) {
    let recent = |incident: &&domain::Incident| now.since(incident.opened) < RESUMED_WITHIN;
    for incident in incidents.filter(|i| i.logs.is_none()).filter(recent) {
        let _ = requests.try_send(LogRequest::around(incident));
    }
}
