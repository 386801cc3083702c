//! Follows the log files: once a second what was written since is indexed, and the index is saved
//! now and then. No line is kept or judged here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sources::{LogIndex, LogSource};
use tokio::sync::watch;

use crate::stopping::stopped;
use crate::telemetry;
use crate::tick::chain;

const EVERY: Duration = Duration::from_secs(1);
/// Read in one pass; what is left comes with the next, at once.
const PASS_BYTES_MAX: u64 = 256 << 20;
/// Passes between two savings: what is lost is indexed again.
const SAVED_EVERY: u64 = 60;

/// The task that keeps the index of log files up to date.
pub struct Following {
    pub index: Arc<LogIndex>,
    pub sources: Arc<Vec<LogSource>>,
    pub stop: watch::Receiver<bool>,
}

impl Following {
    /// Runs until told to stop, and saves the index at the end.
    pub async fn run(mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let mut passes: u64 = 0;
        loop {
            passes += 1;
            let pass = self.pass(Arc::clone(&stop), passes.is_multiple_of(SAVED_EVERY));
            let behind = tokio::select! {
                behind = pass => behind,
                () = stopped(&mut self.stop) => {
                    stop.store(true, Ordering::Relaxed);
                    break;
                }
            };
            let pause = if behind > 0 { Duration::ZERO } else { EVERY };
            tokio::select! {
                () = stopped(&mut self.stop) => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        let index = Arc::clone(&self.index);
        let _ = tokio::task::spawn_blocking(move || save(&index)).await;
    }

    /// One pass over all files; says how many bytes are left.
    fn pass(&self, stop: Arc<AtomicBool>, is_saved: bool) -> impl Future<Output = u64> + use<> {
        let (index, sources) = (Arc::clone(&self.index), Arc::clone(&self.sources));
        let work = tokio::task::spawn_blocking(move || {
            let is_stopped = || stop.load(Ordering::Relaxed);
            let report = index.follow(&sources, PASS_BYTES_MAX, &is_stopped);
            for remark in &report.remarks {
                tracing::warn!(remark, "following logs");
            }
            telemetry::logs_followed(report.files, report.bytes_indexed, report.bytes_behind);
            if is_saved {
                save(&index);
            }
            report.bytes_behind
        });
        async move {
            work.await.unwrap_or_else(|error| {
                tracing::error!(%error, "following logs failed");
                0
            })
        }
    }
}

fn save(index: &LogIndex) {
    if let Err(error) = index.save() {
        telemetry::store_failed("log_index");
        tracing::error!(error = %chain(&error), "the index of logs could not be saved");
    }
}
