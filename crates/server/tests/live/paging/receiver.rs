//! A receiver of webhooks that remembers what it took, and refuses what its script says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::any;
use serde_json::Value;
use tokio::task::JoinHandle;

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub path: String,
    /// The `Idempotency-Key`.
    pub key: String,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Answers until it is dropped.
pub struct Receiver {
    pub url: String,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Desk {
    taken: Mutex<Vec<Taken>>,
    /// Of a thousand messages so many are refused.
    refused_per_mille: AtomicU64,
    refused: AtomicU64,
    asked: AtomicU64,
    /// Between taking a message and saying so, at most; in milliseconds.
    answers_within: AtomicU64,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let desk = Arc::new(Desk::default());
        let router = Router::new()
            .fallback(any(take))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&desk));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Receiver { url, desk, task }
    }

    pub fn refuse(&self, per_mille: u64) {
        self.desk
            .refused_per_mille
            .store(per_mille, Ordering::Relaxed);
    }

    /// From now on takes a message at once, and says so up to so many milliseconds later.
    pub fn answer_within(&self, millis: u64) {
        self.desk.answers_within.store(millis, Ordering::Relaxed);
    }

    /// Messages that came, taken or refused.
    pub fn asked(&self) -> u64 {
        self.desk.asked.load(Ordering::Relaxed)
    }

    /// How many messages were taken.
    pub fn count(&self) -> usize {
        self.desk.taken.lock().unwrap().len()
    }

    pub fn refused(&self) -> u64 {
        self.desk.refused.load(Ordering::Relaxed)
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.desk.taken.lock().unwrap().clone()
    }

    /// All notices of webhooks that were taken, in order.
    pub fn notices(&self) -> Vec<Value> {
        let taken = self.taken();
        let notices = taken
            .iter()
            .flat_map(|taken| taken.body["notices"].as_array());
        notices.flatten().cloned().collect()
    }

    /// The kinds of the notices about a service, in order.
    pub fn kinds(&self, service: &str) -> Vec<String> {
        let of_service = |notice: &&Value| notice["service"] == service;
        let notices = self.notices();
        let notices = notices.iter().filter(of_service);
        notices
            .map(|notice| notice["kind"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let number = desk.asked.fetch_add(1, Ordering::Relaxed);
    // Spread evenly, and the same each time: 617 has no divisor in common with 1000.
    let refused = (number * 617) % 1000 < desk.refused_per_mille.load(Ordering::Relaxed);
    if refused {
        desk.refused.fetch_add(1, Ordering::Relaxed);
        // Not always at once, not always in the same words.
        tokio::time::sleep(Duration::from_millis(number % 7)).await;
        return match number % 3 {
            0 => StatusCode::INTERNAL_SERVER_ERROR,
            1 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::TOO_MANY_REQUESTS,
        };
    }
    let key = headers.get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    desk.taken.lock().unwrap().push(Taken {
        path: uri.path().to_owned(),
        key: key.to_owned(),
        headers: headers.clone(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let answers_within = desk.answers_within.load(Ordering::Relaxed);
    if answers_within > 0 {
        tokio::time::sleep(Duration::from_millis(number * 617 % answers_within)).await;
    }
    StatusCode::OK
}
