//! Who is told of incidents: from raw receivers to checked ones, and back for showing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use domain::Severity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::connection::{checked_address, credentials};
use super::duration::Span;
use super::keys::key;
use super::problem::quoted;
use super::raw::{RawHeartbeat, RawNotify, RawReceiver, whole};
use super::resolve::Resolver;
use super::{Auth, Config, HttpUrl, Secret};

const NAME_BYTES_MAX: usize = 64;

/// Who is told, how often, and how much at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Notify {
    pub receivers: Vec<Receiver>,
    pub repeat_interval: Duration,
    pub blind_after: Duration,
    pub messages_per_minute: usize,
    pub notices_per_message: usize,
    pub heartbeat: Option<Heartbeat>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    pub name: String,
    pub kind: ReceiverKind,
    /// The least that it is told of.
    pub severity: Severity,
    /// Ids with `*`; empty for all.
    pub services: Vec<String>,
    pub headers: BTreeMap<String, Secret>,
    pub auth: Option<Auth>,
    pub ca_file: Option<PathBuf>,
}

/// What is spoken with a receiver, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub enum ReceiverKind {
    Webhook(Address),
    Alertmanager(HttpUrl),
}

/// Who is called as long as ticks are evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    pub url: Address,
    pub interval: Duration,
}

/// An `http` or `https` address whose path and query may be a secret: shown without them.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Secret);

impl Address {
    /// The whole, for the one place that calls it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.expose();
        let from = text.find("://").map_or(0, |at| at + 3);
        match text[from..].find(['/', '?', '#']) {
            Some(length) => write!(f, "{}/<secret>", &text[..from + length]),
            None => f.write_str(text),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        String::deserialize(deserializer).map(|text| Address(Secret::new(text)))
    }
}

impl Resolver<'_> {
    pub(super) fn notify(&mut self, raw: RawNotify) -> Notify {
        Notify {
            receivers: self.receivers(raw.receivers.unwrap_or_default()),
            repeat_interval: self.duration("notify.repeat_interval", raw.repeat_interval),
            blind_after: self.duration("notify.blind_after", raw.blind_after),
            messages_per_minute: self.count("notify.messages_per_minute", raw.messages_per_minute),
            notices_per_message: self.count("notify.notices_per_message", raw.notices_per_message),
            heartbeat: self.heartbeat(raw.heartbeat.unwrap_or_default()),
        }
    }

    fn receivers(&mut self, raw: Vec<RawReceiver>) -> Vec<Receiver> {
        let mut names = BTreeSet::new();
        let mut receivers = Vec::new();
        for (index, mut raw) in raw.into_iter().enumerate() {
            let index = index.to_string();
            let path = ["notify", "receivers", index.as_str()];
            let name = raw.name.take().unwrap_or_default();
            if !is_name(&name) || !names.insert(name.clone()) {
                let what = format!("receiver {index} has the name {}", quoted(&name));
                let advice = format!("it must be {}", key("notify.receivers[].name").range);
                self.refuse(&[&path[..], &["name"]].concat(), what, advice);
            }
            let severity = raw.severity.unwrap_or(Severity::High);
            if severity < Severity::High {
                let what = format!("`severity` of receiver {} is {severity}", quoted(&name));
                let advice = "incidents are High or Critical";
                self.refuse(&[&path[..], &["severity"]].concat(), what, advice);
            }
            let kind = self.receiver_kind(&path, &name, &mut raw);
            let receiver = kind.map(|kind| Receiver {
                kind,
                severity,
                services: raw.services.unwrap_or_default(),
                headers: self.headers(&path, raw.headers.unwrap_or_default()),
                auth: self.auth(
                    &path,
                    raw.basic_auth,
                    raw.bearer_token,
                    raw.bearer_token_file,
                ),
                ca_file: raw
                    .ca_file
                    .map(|file| self.readable(&[&path[..], &["ca_file"]].concat(), file)),
                name,
            });
            receivers.extend(receiver);
        }
        receivers
    }

    fn receiver_kind(
        &mut self,
        path: &[&str],
        name: &str,
        raw: &mut RawReceiver,
    ) -> Option<ReceiverKind> {
        let webhook = self.secret(
            &[path, &["webhook"]].concat(),
            raw.webhook.take().map(|address| address.0),
            raw.webhook_file.take(),
        );
        match (webhook, raw.alertmanager.take()) {
            (Some(secret), None) => {
                let address = self.address(&[path, &["webhook"]].concat(), Address(secret));
                Some(ReceiverKind::Webhook(address))
            }
            (None, Some(url)) => {
                let path = [path, &["alertmanager"]].concat().join(".");
                Some(ReceiverKind::Alertmanager(self.url(&path, url)))
            }
            (webhook, _) => {
                let what = match webhook {
                    Some(_) => format!("receiver {} has two addresses", quoted(name)),
                    None => format!("receiver {} has no address", quoted(name)),
                };
                let advice = "give it one of `webhook`, `webhook_file` and `alertmanager`";
                self.refuse(path, what, advice);
                None
            }
        }
    }

    fn heartbeat(&mut self, raw: RawHeartbeat) -> Option<Heartbeat> {
        let interval = self.duration("notify.heartbeat.interval", raw.interval);
        let url = self.address(&["notify", "heartbeat", "url"], raw.url?);
        Some(Heartbeat { url, interval })
    }

    fn address(&mut self, path: &[&str], address: Address) -> Address {
        if let Err(must) = checked_address(address.expose()) {
            // Not quoted: it may hold a secret.
            let what = format!("`{}` is not usable", path.join("."));
            self.refuse(path, what, must);
        }
        address
    }
}

/// As it would be written.
pub(super) fn written(config: &Config) -> RawNotify {
    let notify = &config.notify;
    RawNotify {
        receivers: Some(notify.receivers.iter().map(receiver).collect()),
        repeat_interval: Some(Span(notify.repeat_interval)),
        blind_after: Some(Span(notify.blind_after)),
        messages_per_minute: Some(whole(notify.messages_per_minute)),
        notices_per_message: Some(whole(notify.notices_per_message)),
        heartbeat: notify.heartbeat.as_ref().map(|heartbeat| RawHeartbeat {
            url: Some(heartbeat.url.clone()),
            interval: Some(Span(heartbeat.interval)),
        }),
    }
}

fn receiver(receiver: &Receiver) -> RawReceiver {
    let (webhook, webhook_file, alertmanager) = match &receiver.kind {
        ReceiverKind::Alertmanager(url) => (None, None, Some(url.to_string())),
        ReceiverKind::Webhook(address) => match address.0.file() {
            Some(file) => (None, Some(PathBuf::from(file)), None),
            None => (Some(address.clone()), None, None),
        },
    };
    let (basic_auth, bearer_token, bearer_token_file) = credentials(receiver.auth.as_ref());
    RawReceiver {
        name: Some(receiver.name.clone()),
        webhook,
        webhook_file,
        alertmanager,
        severity: Some(receiver.severity),
        services: Some(receiver.services.clone()),
        headers: Some(receiver.headers.clone()),
        basic_auth,
        bearer_token,
        bearer_token_file,
        ca_file: receiver.ca_file.clone(),
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}
