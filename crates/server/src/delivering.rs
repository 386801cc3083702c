//! Paging, the part beside the tick: what is due is taken from the database and sent, each receiver
//! by a task of its own, so that one that fails holds up no other.
//!
//! What is sent together is named in the database before it is sent, and its end is noted after:
//! killed in between, the same message is sent again under the same key.

mod courier;
mod heartbeat;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use notify::{Endpoint, EndpointError, Secret};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock;
use crate::config::{Auth, Notify, Receiver, ReceiverKind};
use crate::live::Live;
use crate::paging::Paged;
use crate::snapshot::Snapshot;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::tick::chain;

use courier::Courier;
use heartbeat::Heart;

/// The task that keeps one courier for each receiver that is configured.
pub struct Delivering {
    pub live: Live,
    pub storage: Arc<Storage>,
    pub paged: watch::Receiver<Arc<Paged>>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub stop: watch::Receiver<bool>,
}

/// A courier under way, and what it was made of.
struct Running {
    receiver: Receiver,
    messages_per_minute: usize,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Delivering {
    /// Runs until told to stop; what is being sent then is finished.
    pub async fn run(mut self) {
        let mut running: BTreeMap<String, Running> = BTreeMap::new();
        let heart = tokio::spawn(
            Heart {
                live: self.live.clone(),
                storage: Arc::clone(&self.storage),
                paged: self.paged.clone(),
                snapshots: self.snapshots.clone(),
                stop: self.stop.clone(),
            }
            .run(),
        );
        loop {
            let notify = self.live.config().notify.clone();
            self.dismiss(&mut running, &notify).await;
            self.engage(&mut running, &notify);
            tokio::select! {
                () = stopped(&mut self.stop) => break,
                () = self.live.changed() => {}
            }
        }
        self.dismiss(&mut running, &Notify::nobody()).await;
        let _ = heart.await;
    }

    /// Ends the couriers of receivers that are gone or changed, and waits for what they are at.
    async fn dismiss(&self, running: &mut BTreeMap<String, Running>, notify: &Notify) {
        let stays = |courier: &Running| {
            courier.messages_per_minute == notify.messages_per_minute
                && notify.receivers.contains(&courier.receiver)
        };
        let (staying, leaving): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(running)
            .into_iter()
            .partition(|(_, courier)| stays(courier));
        *running = staying;
        for courier in leaving.values() {
            courier.stop.send_replace(true);
        }
        for courier in leaving.into_values() {
            let _ = courier.task.await;
        }
        if *self.stop.borrow() {
            return;
        }
        let known: BTreeSet<String> = notify.receivers.iter().map(|r| r.name.clone()).collect();
        let abandoned = self.storage.database.outbox_abandon(&known, clock::now());
        if let Err(error) = abandoned.await {
            tracing::error!(error = %chain(&error), "notices of receivers that are gone could not be given up");
        }
    }

    fn engage(&self, running: &mut BTreeMap<String, Running>, notify: &Notify) {
        for receiver in &notify.receivers {
            if running.contains_key(&receiver.name) {
                continue;
            }
            let (stop, stopped) = watch::channel(false);
            let courier = Courier::new(
                receiver,
                notify.messages_per_minute,
                self.live.clone(),
                Arc::clone(&self.storage),
                self.paged.clone(),
                stopped,
            );
            let courier = match courier {
                Ok(courier) => courier,
                Err(error) => {
                    let name = &receiver.name;
                    tracing::error!(receiver = %name, error = %chain(&error), "this receiver can't be told");
                    continue;
                }
            };
            let started = Running {
                receiver: receiver.clone(),
                messages_per_minute: notify.messages_per_minute,
                stop,
                task: tokio::spawn(courier.run()),
            };
            running.insert(receiver.name.clone(), started);
        }
    }
}

impl Notify {
    /// No receiver at all.
    fn nobody() -> Notify {
        Notify {
            receivers: Vec::new(),
            ..crate::config::Config::default().notify
        }
    }
}

/// The way to a receiver.
///
/// # Errors
/// An address, a header or a CA file that can't be used.
pub fn delivery(receiver: &Receiver) -> Result<notify::Delivery, EndpointError> {
    let (kind, url) = match &receiver.kind {
        ReceiverKind::Webhook(address) => (notify::ReceiverKind::Webhook, address.expose()),
        ReceiverKind::Alertmanager(url) => (notify::ReceiverKind::Alertmanager, url.as_str()),
    };
    let mut endpoint = Endpoint::at(url);
    endpoint.ca_file = receiver.ca_file.clone();
    endpoint.headers = receiver
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value.expose())))
        .collect();
    match &receiver.auth {
        None => {}
        Some(Auth::Basic { username, password }) => {
            endpoint.basic_auth = Some((username.clone(), Secret::new(password.expose())));
        }
        Some(Auth::Bearer(token)) => match token.file() {
            Some(file) => endpoint.bearer_token_file = Some(file.to_owned()),
            None => {
                let value = Secret::new(format!("Bearer {}", token.expose()));
                endpoint.headers.push(("Authorization".to_owned(), value));
            }
        },
    }
    notify::Delivery::new(kind, endpoint)
}
