//! Messages: what goes over the wire, one POST each.

use std::collections::BTreeMap;

use domain::Severity;
use serde::Serialize;

use crate::alert::Alert;
use crate::body::NoticeBody;
use crate::notice::NoticeKind;

/// Notices that a webhook gets in detail; of more it gets these and a summary of all.
pub const DETAILED_MAX: usize = 20;
/// Notices of one message; a caller with more sends more messages.
pub const BATCH_MAX: usize = 1_000;

/// One JSON body for one POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Sent as `Idempotency-Key`: the same message again has the same.
    pub idempotency_key: Option<String>,
    pub json: Vec<u8>,
}

impl Message {
    /// For a generic webhook: at most [`BATCH_MAX`] notices, `detailed_max` of them in detail.
    pub fn webhook(
        receiver: &str,
        batch_key: &str,
        bodies: &[NoticeBody],
        detailed_max: usize,
    ) -> Message {
        let bodies = &bodies[..bodies.len().min(BATCH_MAX)];
        let mut worst_first: Vec<&NoticeBody> = bodies.iter().collect();
        let is_summary = bodies.len() > detailed_max;
        if is_summary {
            worst_first.sort_by_key(|body| (body.kind.is_end(), std::cmp::Reverse(body.severity)));
        }
        let mut incidents: Vec<u64> = bodies.iter().filter_map(|body| body.incident).collect();
        incidents.sort_unstable();
        incidents.dedup();
        let content = Webhook {
            version: NoticeBody::VERSION,
            key: batch_key,
            receiver,
            summary: is_summary,
            text: text(&worst_first),
            counts: Counts::of(bodies),
            truncated: bodies.len().saturating_sub(detailed_max),
            notices: worst_first.into_iter().take(detailed_max).collect(),
            incidents,
            keys: bodies.iter().map(|body| body.key.as_str()).collect(),
        };
        Message {
            idempotency_key: Some(batch_key.to_owned()),
            json: json(&content),
        }
    }

    /// For an Alertmanager.
    pub fn alerts(alerts: &[Alert]) -> Message {
        Message {
            idempotency_key: None,
            json: json(&alerts),
        }
    }
}

/// The name of a batch: the same notices in the same order have the same.
pub fn batch_key(bodies: &[NoticeBody]) -> String {
    let mut hasher = blake3::Hasher::new();
    for body in bodies {
        hasher.update(body.key.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[derive(Serialize)]
struct Webhook<'a> {
    version: u32,
    key: &'a str,
    receiver: &'a str,
    summary: bool,
    text: String,
    notices: Vec<&'a NoticeBody>,
    counts: Counts,
    /// Notices that are counted, but not in detail.
    truncated: usize,
    /// The numbers of all incidents.
    incidents: Vec<u64>,
    /// The keys of all notices.
    keys: Vec<&'a str>,
}

#[derive(Default, Serialize)]
struct Counts {
    total: usize,
    by_kind: BTreeMap<NoticeKind, usize>,
    by_severity: BTreeMap<Severity, usize>,
}

impl Counts {
    fn of(bodies: &[NoticeBody]) -> Counts {
        let mut counts = Counts::default();
        for body in bodies {
            counts.total += 1;
            *counts.by_kind.entry(body.kind).or_default() += 1;
            *counts.by_severity.entry(body.severity).or_default() += 1;
        }
        counts
    }
}

/// The only notice's line, or how many there are and the first one's.
fn text(bodies: &[&NoticeBody]) -> String {
    match bodies {
        [] => "nothing to tell".into(),
        [only] => only.text.clone(),
        [first, ..] => format!("{} notices, first of them: {}", bodies.len(), first.text),
    }
}

fn json(content: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(content).expect("plain structs with text keys are always JSON")
}
