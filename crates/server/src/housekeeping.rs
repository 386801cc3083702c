//! Retention: soon after a start and then once an hour, rows, decisions, events, notices, mutes, the audit trail and
//! resolved incidents past their age go; at least the training window is kept.

use std::sync::Arc;
use std::time::Duration;

use store::Usage;
use tokio::sync::watch;

use crate::clock;
use crate::config::Retention;
use crate::live::Live;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::telemetry;
use crate::tick::chain;

const EVERY: Duration = Duration::from_secs(3600);
/// A start comes first. But who makes room by other bounds and a restart shouldn't wait an hour for it,
/// and what restarts more often than that must stay within its bounds, too.
const AFTER_START: Duration = Duration::from_secs(10);
/// Of what is kept, so much more goes at a time while the disk's bound is passed.
const STEP_BACK: f64 = 0.9;

/// Runs until told to stop.
pub async fn run(storage: Arc<Storage>, live: Live, mut stop: watch::Receiver<bool>) {
    let mut wait = AFTER_START;
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = EVERY;
        let config = live.config();
        let (retention, window) = (config.retention.clone(), config.training.window);
        if let Err(error) = prune_database(&storage, &retention).await {
            telemetry::store_failed("database");
            tracing::error!(error = %chain(&error), "old incidents, decisions or events could not be dropped");
        }
        let storage = Arc::clone(&storage);
        let pruned = tokio::task::spawn_blocking(move || prune(&storage, &retention, window)).await;
        if let Ok(Err(error)) = pruned {
            telemetry::store_failed("datasets");
            tracing::error!(error = %format!("{error:#}"), "old rows could not be dropped");
        }
    }
}

async fn prune_database(
    storage: &Storage,
    retention: &Retention,
) -> Result<(), store::DatabaseError> {
    let (database, now) = (&storage.database, clock::now());
    database.prune(now - retention.incidents).await?;
    let before = now - retention.ledger;
    let entries_max = u64::try_from(retention.ledger_entries).unwrap_or(u64::MAX);
    database.prune_ledger(before, entries_max).await?;
    database.prune_events(before).await?;
    database.prune_runs(before).await?;
    database.prune_outbox(before).await?;
    database.prune_mutes(before).await?;
    database.prune_audit(now - retention.incidents).await?;
    Ok(())
}

fn prune(storage: &Storage, retention: &Retention, window: Duration) -> anyhow::Result<()> {
    let now = clock::now();
    let mut age = retention.datasets.max(window);
    storage.datasets_mut().prune(now - age)?;
    while Usage::of(storage.data_dir.paths())?.total() > retention.disk_bytes_max {
        let less = age.mul_f64(STEP_BACK);
        if less < window {
            tracing::warn!(
                "disk_max is passed, but the training window is kept whole; raise retention.disk_max or shorten training.window"
            );
            break;
        }
        age = less;
        storage.datasets_mut().prune(now - age)?;
        tracing::info!(kept = ?age, "rows were dropped early to stay within disk_max");
    }
    Ok(())
}

/// What the data directory takes, by store; the text says why where it can't be known.
pub fn usage(storage: &Storage) -> Result<Usage, String> {
    Usage::of(storage.data_dir.paths()).map_err(|error| chain(&error))
}
