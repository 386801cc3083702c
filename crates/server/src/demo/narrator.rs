//! Tells what happens, from the server's own API, each thing once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use simulator::SharedFleet;
use tokio::sync::watch;
use tokio::time::Instant;

use super::fault::{Story, told as told_of};
use super::{say, tell};
use crate::stopping::stopped;

const LOOK_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Fewer models for a service aren't all: the default metrics.
const MODELS_OF_SERVICE: u64 = 3;
/// No training began for so many looks: they are all there.
const SETTLED_LOOKS: u32 = 4;

/// Looks at the server every second and tells what is new.
pub struct Narrator {
    address: SocketAddr,
    client: reqwest::Client,
    fleet: SharedFleet,
    story: Story,
    services: usize,
    /// The demo ends after this.
    length: Option<Duration>,
    began: Instant,
    /// What was told, so that it is told once.
    said: BTreeSet<String>,
    calm_since: Option<Instant>,
    fault: Option<Begun>,
}

/// The fault that goes on, or is over.
struct Begun {
    id: u64,
    at: Instant,
}

impl Narrator {
    /// # Errors
    /// A client that can't be built.
    pub fn new(
        address: SocketAddr,
        fleet: SharedFleet,
        story: Story,
        services: usize,
        length: Option<Duration>,
    ) -> anyhow::Result<Narrator> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Narrator {
            address,
            client,
            fleet,
            story,
            services,
            length,
            began: Instant::now(),
            said: BTreeSet::new(),
            calm_since: None,
            fault: None,
        })
    }

    /// Tells until told to stop, or until the length is over.
    ///
    /// # Errors
    /// The fault can't begin.
    pub async fn tell(mut self, mut told: watch::Receiver<bool>) -> anyhow::Result<()> {
        self.tell_addresses();
        let mut settled = 0;
        loop {
            tokio::select! {
                () = stopped(&mut told) => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Some(length) = self.length
                && self.began.elapsed() >= length
            {
                say(&format!("{} seconds are over.", length.as_secs()));
                return Ok(());
            }
            if self.calm_since.is_none() {
                settled = if self.models_are_there().await {
                    settled + 1
                } else {
                    0
                };
                if settled < SETTLED_LOOKS {
                    continue;
                }
                self.tell_calm().await;
            }
            self.begin_fault_if_due()?;
            self.tell_fault_over();
            self.look().await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An answer, or nothing where there is none: the next look will tell.
    async fn get(&self, path: &str) -> Value {
        let answer = async {
            let answer = self.client.get(self.url(path)).send().await?;
            answer.bytes().await
        };
        match answer.await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            Err(error) => {
                tracing::warn!(%error, path, "the demo got no answer");
                Value::Null
            }
        }
    }

    /// Whether this is told for the first time.
    fn once(&mut self, what: impl Into<String>) -> bool {
        self.said.insert(what.into())
    }

    fn tell_addresses(&self) {
        say(&format!(
            "All parts are up. Bellwether reads the past of the {} services and trains a model for each metric.",
            self.services
        ));
        let service = match &self.story.fault {
            Some(fault) => fault.service.as_str(),
            None => "payments",
        };
        tell(&format!(
            "\n    Bellwether    {}\n\n    curl -s {}\n    curl -s '{}'\n    curl -s {}\n    curl -s {}\n",
            self.url(""),
            self.url("/services"),
            self.url(&format!("/metrics?service={service}")),
            self.url("/api/v1/incidents"),
            self.url("/api/v1/status"),
        ));
    }

    async fn models_are_there(&self) -> bool {
        let status = self.get("/api/v1/status").await;
        let models = status["models"].as_u64().unwrap_or(0);
        models >= MODELS_OF_SERVICE * self.services as u64
            && status["training"]["running"].is_null()
            && status["ready"] == Value::Bool(true)
    }

    async fn tell_calm(&mut self) {
        self.calm_since = Some(Instant::now());
        let status = self.get("/api/v1/status").await;
        say(&format!(
            "{} models are in use, {} s after Bellwether's start.",
            status["models"],
            self.began.elapsed().as_secs()
        ));
        match &self.story.fault {
            Some(fault) => say(&format!(
                "All is calm. In {} s {} gets a fault: {}, magnitude {}, for {}. ({}.)",
                self.story.after,
                fault.service,
                fault.kind,
                fault.magnitude,
                fault.r#for,
                told_of(fault.kind)
            )),
            None => say("No fault is started. Nothing should open. Ctrl-C ends everything."),
        }
    }

    fn begin_fault_if_due(&mut self) -> anyhow::Result<()> {
        let due = self
            .calm_since
            .is_some_and(|since| since.elapsed() >= Duration::from_secs(self.story.after));
        let (Some(fault), None, true) = (&self.story.fault, &self.fault, due) else {
            return Ok(());
        };
        let now = crate::clock::now().as_millis();
        let mut fleet = self.fleet.lock().unwrap_or_else(|e| e.into_inner());
        fleet.advance(now);
        let begun = fleet
            .start_fault(fault.clone())
            .context("begin the fault")?;
        drop(fleet);
        self.fault = Some(Begun {
            id: begun.id,
            at: Instant::now(),
        });
        say(&format!(
            "FAULT      {} begins on {}. Nobody tells Bellwether.",
            fault.kind, fault.service
        ));
        Ok(())
    }

    fn tell_fault_over(&mut self) {
        let Some(begun) = &self.fault else { return };
        let id = begun.id;
        let over = {
            let fleet = self.fleet.lock().unwrap_or_else(|e| e.into_inner());
            let now = fleet.now_ms();
            let faults = fleet.faults();
            faults.iter().any(|f| f.id == id && f.until_ms <= now)
        };
        if over && self.once("fault over") {
            say(
                "FAULT      It is over. Rates reach back five minutes, so values fall with a delay.",
            );
        }
    }

    fn since_fault(&self) -> String {
        match &self.fault {
            Some(begun) => format!("{} s after the fault", begun.at.elapsed().as_secs()),
            None => "without a fault".to_owned(),
        }
    }

    async fn look(&mut self) {
        let services = self.get("/services").await;
        for service in items(&services) {
            let id = text(service, "id");
            match text(service, "state") {
                "early_warning" if self.fault.is_some() => self.tell_early(id).await,
                "high" | "critical" => self.tell_crossings(id).await,
                _ => {}
            }
        }
        let incidents = self.get("/api/v1/incidents?limit=50").await;
        let numbers: BTreeSet<u64> = items(&incidents)
            .filter_map(|incident| incident["id"].as_u64())
            .collect();
        for number in numbers {
            self.tell_incident(number).await;
        }
    }

    /// What is unlike itself and still below its thresholds: seen, never paging.
    async fn tell_early(&mut self, service: &str) {
        if !self.once(format!("early {service}")) {
            return;
        }
        let metrics = self.get(&format!("/metrics?service={service}")).await;
        let unlike = metrics["metrics"].as_array().into_iter().flatten();
        let unlike = unlike
            .into_iter()
            .find(|m| text(m, "prediction") == "Anomaly");
        if let Some(metric) = unlike {
            say(&format!(
                "EARLY      {service}, {}: {} ({}).",
                text(metric, "title"),
                text(metric, "why"),
                self.since_fault()
            ));
        }
    }

    async fn tell_crossings(&mut self, service: &str) {
        let metrics = self.get(&format!("/metrics?service={service}")).await;
        for metric in metrics["metrics"].as_array().into_iter().flatten() {
            let past = matches!(text(metric, "severity"), "High" | "Critical");
            if past && self.once(format!("crossing {service} {}", text(metric, "id"))) {
                say(&format!(
                    "CROSSING   {service}, {}: {} ({}).",
                    text(metric, "title"),
                    text(metric, "why"),
                    self.since_fault()
                ));
            }
        }
    }

    async fn tell_incident(&mut self, number: u64) {
        let incident = self.get(&format!("/api/v1/incidents/{number}")).await;
        let of = text(&incident, "service");
        if of.is_empty() {
            return;
        }
        if self.once(format!("opened {number}")) {
            say(&format!(
                "INCIDENT   #{number} on {of} is open ({}): {}.",
                self.since_fault(),
                text(&incident, "summary")
            ));
            if self.once("what to look at") {
                self.tell_commands(number, &incident);
            }
        }
        self.tell_logs(number, &incident);
        let timeline = incident["timeline"].as_array().into_iter().flatten();
        let joined = timeline
            .clone()
            .any(|e| text(e, "event") == "member_joined");
        if joined && self.once(format!("joined {number}")) {
            say(&format!(
                "JOINED     Another metric of {of} is past its threshold and belongs to #{number}."
            ));
        }
        let status = text(&incident, "status");
        if status == "RESOLVED" && self.once(format!("resolved {number}")) {
            say(&format!(
                "RESOLVED   #{number} was resolved by an operator."
            ));
        }
        if incident["firing"] == Value::Bool(false) && self.once(format!("quiet {number}")) {
            say(&format!(
                "QUIET      #{number} has been calm for five minutes. It stays {status}: only you resolve it."
            ));
        }
    }

    fn tell_commands(&self, number: u64, incident: &Value) {
        let of = text(incident, "service");
        let metric = text(&incident["members"][0], "metric");
        let metric = if metric.is_empty() { "lat" } else { metric };
        let program = std::env::args()
            .next()
            .unwrap_or_else(|| "bellwether".into());
        tell(&format!(
            "\n    When it began, what changed, which metrics moved, how unusual it is, its timeline and its logs:\n    curl -s {incident}\n    What was decided about one of its metrics, now or at any other time, and why:\n    {program} why {of} {metric} now --url {base}\n    curl -s '{logs}'\n    When it is dealt with:\n    curl -s {incident}/resolve -H 'content-type: application/json' -d '{{\"note\": \"rolled back\"}}'\n",
            incident = self.url(&format!("/api/v1/incidents/{number}")),
            base = self.url(""),
            logs = self.url(&format!(
                "/logs?service={of}&event_ts={}",
                text(incident, "event_ts")
            )),
        ));
    }

    fn tell_logs(&mut self, number: u64, incident: &Value) {
        let lines: Vec<&Value> = items(&incident["logs"]).collect();
        if lines.is_empty() || !self.once(format!("logs {number}")) {
            return;
        }
        say(&format!(
            "LOGS       {} lines around it are attached to #{number}, errors first. The first: {}",
            lines.len(),
            text(lines[0], "message")
        ));
    }
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
