//! The heartbeat's task: calls an address as long as ticks are evaluated.

use std::sync::Arc;
use std::time::Duration;

use notify::{Delivery, Endpoint, Heartbeat, Paging};
use tokio::sync::watch;

use crate::clock;
use crate::collecting::shifted;
use crate::config::{self, Config};
use crate::live::Live;
use crate::paging::{Paged, standing};
use crate::snapshot::Snapshot;
use crate::stopping::stopped;
use crate::storage::Storage;
use crate::tick::chain;

/// How often it is looked whether a call is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Ticks after which the newest is not young any more.
const YOUNG_TICKS: u32 = 3;
/// A tick may take a little.
const LEEWAY: Duration = Duration::from_secs(5);

pub struct Heart {
    pub live: Live,
    pub storage: Arc<Storage>,
    pub paged: watch::Receiver<Arc<Paged>>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub stop: watch::Receiver<bool>,
}

impl Heart {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        loop {
            let config = self.live.config();
            let way = config.notify.heartbeat.as_ref().and_then(way);
            let (mut stop, mut live) = (self.stop.clone(), self.live.clone());
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = live.changed() => self.live = live,
                () = self.beat(&config, way) => {}
            }
        }
    }

    async fn beat(&self, config: &Config, way: Option<(Heartbeat, Delivery)>) {
        let Some((mut heartbeat, delivery)) = way else {
            return std::future::pending().await;
        };
        let young_for = config.tick * YOUNG_TICKS + config.evaluation_delay + LEEWAY;
        let mut was_heard = true;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let snapshot = self.snapshots.borrow().clone();
            let evaluated = snapshot.at.map(|at| shifted(at, -snapshot.skew));
            let now = clock::now();
            let paging = Paging::Off("not known yet".to_owned());
            // The state of paging is asked only where a call is due.
            if heartbeat
                .clone()
                .beat(now, evaluated, young_for, &paging)
                .is_none()
            {
                continue;
            }
            let paging = self.paging(config).await;
            let Some(message) = heartbeat.beat(now, evaluated, young_for, &paging) else {
                continue;
            };
            match delivery.send(&message, now).await {
                Ok(()) => was_heard = true,
                Err(error) if was_heard => {
                    was_heard = false;
                    tracing::warn!(address = delivery.address(), %error, "the heartbeat was not heard");
                }
                Err(_) => {}
            }
        }
    }

    async fn paging(&self, config: &Config) -> Paging {
        let now = clock::now();
        let withhold = self.paged.borrow().withhold.clone();
        match standing(&self.storage.database, config, &withhold, now).await {
            Ok(standing) if standing.because.is_empty() => Paging::On,
            Ok(standing) => Paging::Off(standing.because.join("; ")),
            Err(error) => Paging::Off(chain(&error)),
        }
    }
}

fn way(heartbeat: &config::Heartbeat) -> Option<(Heartbeat, Delivery)> {
    let endpoint = Endpoint::at(heartbeat.url.expose());
    match Delivery::new(notify::ReceiverKind::Webhook, endpoint) {
        Ok(delivery) => Some((Heartbeat::new(heartbeat.interval), delivery)),
        Err(error) => {
            tracing::error!(error = %chain(&error), "the heartbeat has no usable address");
            None
        }
    }
}
