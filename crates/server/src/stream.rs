//! The newest events for those who follow along, and who may follow.
//!
//! One ring of finished texts is shared by all clients: each holds only its position in it, so a
//! slow one costs nothing, and one that falls behind is told so. The ring knows nothing of HTTP;
//! `publishing` fills it, `api::stream` reads it.

mod events;
mod publishing;
mod ring;

use std::sync::{Arc, PoisonError, RwLock};

use domain::{ServiceId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub use events::Event;
pub use publishing::{Publishing, Seen};
pub use ring::{Ask, Next, Position, Ring};

/// Where events are published and followed.
pub struct Hub {
    ring: RwLock<Ring>,
    /// Counts what was published, for those who wait.
    published: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

impl Hub {
    /// `started_at` is a part of every position, so that those of another start are known.
    pub fn new(started_at: Timestamp, clients_max: usize) -> Hub {
        Hub {
            ring: RwLock::new(Ring::new(started_at)),
            published: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(clients_max)),
        }
    }

    pub fn publish(&self, event: &Event) {
        let text = event.text();
        self.ring
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.name(), text);
        self.published.send_modify(|count| *count += 1);
    }

    /// A place among the clients, for as long as the permit is held; none where all are taken.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Wakes whenever something was published.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// Where a client begins.
    pub fn begin(&self, ask: Ask) -> Result<Position, Position> {
        self.read().begin(ask)
    }

    /// What comes at a position, in the form for those who follow one service or all.
    pub fn next(&self, position: Position, service: Option<&ServiceId>) -> Next {
        self.read().next(position, service)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}
