//! What operators do with the incidents, over HTTP, one thing after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::INCIDENTS_A_KILL;
use crate::harness::client;

/// What is done with each incident, in this order: it gives every kind of notice but the first.
const ACTIONS: [&str; 4] = ["severity", "resolve", "reopen", "resolve"];
/// Which of them is asked for many at once.
const IN_BULK: usize = 1;

/// How many actions were acknowledged of each incident; shared with the task that does them.
#[derive(Clone)]
pub struct Work(Arc<Mutex<BTreeMap<u64, usize>>>);

impl Work {
    pub fn new(incidents: u64) -> Work {
        let nothing_done = (1..=incidents).map(|id| (id, 0)).collect();
        Work(Arc::new(Mutex::new(nothing_done)))
    }

    /// An action and the incidents that wait for it: one, or where it can be asked for many, some.
    fn next(&self) -> Option<(&'static str, Vec<u64>)> {
        let done = self.0.lock().unwrap();
        let group: Vec<(u64, usize)> = done
            .iter()
            .filter(|(_, done)| **done < ACTIONS.len())
            .take(INCIDENTS_A_KILL as usize)
            .map(|(id, done)| (*id, *done))
            .collect();
        let least = group.iter().map(|(_, done)| *done).min()?;
        let mut ids: Vec<u64> = group
            .iter()
            .filter(|(_, done)| *done == least)
            .map(|(id, _)| *id)
            .collect();
        if least != IN_BULK {
            ids.truncate(1);
        }
        Some((ACTIONS[least], ids))
    }

    fn acknowledge(&self, ids: &[u64]) {
        let mut done = self.0.lock().unwrap();
        for id in ids {
            *done.get_mut(id).unwrap() += 1;
        }
    }

    /// Actions that were acknowledged, and those that are left.
    pub fn count(&self) -> (usize, usize) {
        let done = self.0.lock().unwrap();
        let acknowledged = done.values().sum();
        (acknowledged, done.len() * ACTIONS.len() - acknowledged)
    }

    /// Does one thing after the other until there is no answer, or nothing left.
    pub async fn go_on(self, url: String) {
        let client = client();
        while let Some((action, ids)) = self.next() {
            let (path, body) = request(action, &ids);
            let post = client.post(format!("{url}/api/v1/incidents/{path}"));
            let Ok(answer) = post.json(&body).send().await else {
                return;
            };
            let status = answer.status();
            let Ok(answer) = answer.json::<Value>().await else {
                return;
            };
            assert_eq!(status, 200, "{path} {body}: {answer}");
            assert!(answer["done"].is_null() || answer["done"] == ids.len());
            self.acknowledge(&ids);
        }
    }
}

/// Path and body.
fn request(action: &str, ids: &[u64]) -> (String, Value) {
    match (ids, action) {
        ([id], "severity") => (format!("{id}/severity"), json!({ "severity": "Critical" })),
        ([id], _) => (format!("{id}/{action}"), json!({ "note": "seen to" })),
        _ => ("bulk".to_owned(), json!({ "ids": ids, "action": action })),
    }
}
