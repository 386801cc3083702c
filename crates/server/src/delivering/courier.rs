//! One receiver's task: takes what is due, sends it, notes what came of it.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use notify::{
    Alert, BATCH_MAX, Delivery, EndpointError, Message, NoticeBody, Outcome, REFRESH_INTERVAL,
    Rate, Seen,
};
use store::{Batch, DatabaseError, Notice};
use tokio::sync::watch;

use crate::clock;
use crate::config::{Receiver, ReceiverKind};
use crate::live::Live;
use crate::paging::{Paged, policy};
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::telemetry;
use crate::tick::chain;

use super::delivery;

/// The longest wait without looking: a clock may be set.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// After a database that failed.
const PAUSE: Duration = Duration::from_secs(5);
/// What waited so long is said in one notice for each incident, the newest.
const COLLAPSED_AFTER: Duration = Duration::from_secs(600);

/// Tells one receiver.
pub struct Courier {
    receiver: Receiver,
    delivery: Delivery,
    rate: Rate,
    live: Live,
    storage: Arc<Storage>,
    paged: watch::Receiver<Arc<Paged>>,
    /// When an Alertmanager was told last of all that fires.
    refreshed: Option<Timestamp>,
    stop: watch::Receiver<bool>,
}

impl Courier {
    /// # Errors
    /// An address, a header or a CA file that can't be used.
    pub fn new(
        receiver: &Receiver,
        messages_per_minute: usize,
        live: Live,
        storage: Arc<Storage>,
        paged: watch::Receiver<Arc<Paged>>,
        stop: watch::Receiver<bool>,
    ) -> Result<Courier, EndpointError> {
        Ok(Courier {
            delivery: delivery(receiver)?,
            receiver: receiver.clone(),
            rate: Rate::new(messages_per_minute),
            live,
            storage,
            paged,
            refreshed: None,
            stop,
        })
    }

    /// Runs until told to stop.
    pub async fn run(mut self) {
        loop {
            let wait = match self.work().await {
                Ok(wait) => wait,
                Err(error) => {
                    telemetry::store_failed("database");
                    tracing::error!(receiver = %self.receiver.name, error = %chain(&error), "the outbox can't be used; tried again soon");
                    PAUSE
                }
            };
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return,
                changed = self.paged.changed() => {
                    // The engine has ended, and the server with it.
                    if changed.is_err() {
                        return;
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due; says how long to wait then.
    async fn work(&mut self) -> Result<Duration, DatabaseError> {
        let mut wait = LOOK_EVERY;
        if matches!(self.receiver.kind, ReceiverKind::Alertmanager(_)) {
            wait = wait.min(self.refresh().await);
        }
        while !*self.stop.borrow() {
            let now = clock::now();
            let database = self.storage.database.clone();
            let Some(next) = database.outbox_next(&self.receiver.name).await? else {
                break;
            };
            if next > now {
                wait = wait.min(next.since(now));
                break;
            }
            if let Err(full) = self.place(now) {
                wait = wait.min(full);
                break;
            }
            let name = &self.receiver.name;
            let before = now - COLLAPSED_AFTER;
            let Some(batch) = database.outbox_take(name, now, BATCH_MAX, before).await? else {
                break;
            };
            self.send(batch).await?;
        }
        Ok(wait)
    }

    /// A place among the messages of this minute; an Alertmanager groups by itself.
    fn place(&mut self, now: Timestamp) -> Result<(), Duration> {
        match self.receiver.kind {
            ReceiverKind::Alertmanager(_) => Ok(()),
            ReceiverKind::Webhook(_) => self.rate.ready(now),
        }
    }

    async fn send(&self, batch: Batch) -> Result<(), DatabaseError> {
        let database = &self.storage.database;
        let bodies = readable(&batch.notices);
        if bodies.is_empty() {
            let why = "its content can't be read any more";
            return database
                .outbox_given_up(&batch.key, clock::now(), why)
                .await;
        }
        let message = self.message(&batch.key, &bodies);
        let result = self.delivery.send(&message, clock::now()).await;
        let attempts = batch.attempts + 1;
        let now = clock::now();
        let due = batch.notices.iter().map(|notice| notice.created).min();
        let seed = batch.notices.first().map_or(0, |notice| notice.seq);
        let outcome = Outcome::of(result, attempts, due.unwrap_or(now), now, seed);
        self.note(&batch, attempts, &outcome);
        match outcome {
            Outcome::Delivered => database.outbox_delivered(&batch.key, now).await,
            Outcome::Retry { next, why, .. } => {
                database
                    .outbox_failed(&batch.key, attempts, next, &why)
                    .await
            }
            Outcome::GaveUp { why, .. } => database.outbox_given_up(&batch.key, now, &why).await,
        }
    }

    fn message(&self, key: &str, bodies: &[NoticeBody]) -> Message {
        let name = &self.receiver.name;
        match self.receiver.kind {
            ReceiverKind::Alertmanager(_) => Message::alerts(&Alert::of(bodies)),
            ReceiverKind::Webhook(_) => {
                let in_full = self.live.config().notify.notices_per_message;
                Message::webhook(name, key, bodies, in_full)
            }
        }
    }

    fn note(&self, batch: &Batch, attempts: u32, outcome: &Outcome) {
        let (receiver, notices) = (&self.receiver.name, batch.notices.len());
        telemetry::notified(outcome, notices);
        match outcome {
            Outcome::Delivered => {
                tracing::info!(%receiver, notices, key = batch.key, "told");
            }
            Outcome::Retry { next, why, .. } => {
                tracing::warn!(%receiver, notices, attempts, why, %next, "this receiver could not be told; tried again");
            }
            Outcome::GaveUp { why, .. } => {
                tracing::error!(%receiver, notices, attempts, why, "this receiver was not told, and it is not tried any more");
            }
        }
    }

    /// Tells an Alertmanager what fires, lest it be taken for ended; says when that is due again.
    async fn refresh(&mut self) -> Duration {
        let now = clock::now();
        let since = self.refreshed.map(|refreshed| now.since(refreshed));
        if let Some(since) = since.filter(|since| *since < REFRESH_INTERVAL) {
            return REFRESH_INTERVAL - since;
        }
        self.refreshed = Some(now);
        let paged = self.paged.borrow_and_update().clone();
        let seen = Seen {
            now,
            incidents: &paged.incidents,
            source: paged.source(),
        };
        let policy = policy(&self.live.config());
        let alerts = paged
            .pager
            .firing_alerts(&policy, &self.receiver.name, &seen);
        for part in alerts.chunks(BATCH_MAX) {
            if let Err(error) = self.delivery.send(&Message::alerts(part), now).await {
                tracing::warn!(receiver = %self.receiver.name, %error, "firing alerts could not be sent again; tried again soon");
                // Well before it takes them for ended.
                self.refreshed = Some(now - REFRESH_INTERVAL + PAUSE);
                return PAUSE;
            }
        }
        REFRESH_INTERVAL
    }
}

/// What of the notices can be told. One of a newer program can't; it is left out and said.
fn readable(notices: &[Notice]) -> Vec<NoticeBody> {
    let read = |notice: &Notice| match serde_json::from_value(notice.body.clone()) {
        Ok(body) => Some(body),
        Err(error) => {
            tracing::error!(key = notice.key, %error, "a notice can't be read; it is not told");
            None
        }
    };
    notices.iter().filter_map(read).collect()
}
