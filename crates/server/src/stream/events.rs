//! What is told of: its own JSON, made once for all who follow.

use domain::{ServiceId, Severity, Timestamp};
use serde::Serialize;

use crate::history::Progress;
use crate::training::{Selection, Trigger};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    Tick(Tick),
    Incident(IncidentChange),
    Job(Job),
    Backfill(Progress),
    Status(Status),
    Paging(Paging),
}

/// An evaluation, with the services that are otherwise than at the one before.
#[derive(Clone, Debug)]
pub struct Tick {
    pub at: Timestamp,
    pub services: Vec<ServiceChange>,
}

/// How a service is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceChange {
    pub id: ServiceId,
    /// As in `GET /services`; `removed` where it isn't listed any more.
    pub state: &'static str,
    pub severity: Severity,
    /// The incident that fires.
    pub incident: Option<u64>,
}

/// One entry of an incident's timeline, and how the incident is after it.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentChange {
    pub id: u64,
    pub service: ServiceId,
    pub status: domain::Status,
    pub firing: bool,
    pub severity: Severity,
    pub revision: u64,
    /// As `event` and `text` in the incident's timeline.
    pub change: &'static str,
    pub text: String,
    pub at: Timestamp,
}

/// How a training job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    pub id: String,
    pub state: String,
    pub trigger: Trigger,
    pub selection: Selection,
    pub done: usize,
    pub total: usize,
    pub error: Option<String>,
}

/// How Bellwether itself stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// As `source.state` and `source.why` in `/api/v1/status`.
    pub source: &'static str,
    pub why: Option<String>,
    /// What could not be stored yet.
    pub unsaved: Option<String>,
}

/// Whether people are told of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// As `paging.state` and `paging.because` in `/api/v1/status`.
    pub state: &'static str,
    pub because: Vec<String>,
}

/// The data of an event, so that those who follow one service get their part of it.
#[derive(Clone, Debug)]
pub enum Text {
    /// Concerns one service, or all.
    Plain(Option<ServiceId>, String),
    /// A list of which each item concerns one service, and what stands around it.
    Listed {
        before: String,
        items: Vec<(ServiceId, String)>,
        after: &'static str,
    },
}

/// How much of an event concerns a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    None,
    Of(String),
    Whole,
}

impl Event {
    pub fn name(&self) -> &'static str {
        match self {
            Event::Tick(_) => "tick",
            Event::Incident(_) => "incident",
            Event::Job(_) => "job",
            Event::Backfill(_) => "backfill",
            Event::Status(_) => "status",
            Event::Paging(_) => "paging",
        }
    }

    pub fn text(&self) -> Text {
        match self {
            Event::Tick(tick) => Text::Listed {
                before: format!("{{\"at\":{},\"services\":[", json(&tick.at)),
                items: tick
                    .services
                    .iter()
                    .map(|service| (service.id.clone(), json(service)))
                    .collect(),
                after: "]}",
            },
            Event::Incident(change) => Text::Plain(Some(change.service.clone()), json(change)),
            Event::Job(job) => Text::Plain(job.selection.service.clone(), json(job)),
            Event::Backfill(progress) => Text::Plain(None, json(progress)),
            Event::Status(status) => Text::Plain(None, json(status)),
            Event::Paging(paging) => Text::Plain(None, json(paging)),
        }
    }
}

impl Text {
    /// As those read it who follow everything.
    pub fn whole(&self) -> String {
        match self {
            Text::Plain(_, text) => text.clone(),
            Text::Listed {
                before,
                items,
                after,
            } => {
                let items: Vec<&str> = items.iter().map(|(_, item)| item.as_str()).collect();
                format!("{before}{}{after}", items.join(","))
            }
        }
    }

    /// What those read of it who follow one service.
    pub fn of(&self, service: &ServiceId) -> Part {
        match self {
            Text::Plain(Some(concerned), _) if concerned != service => Part::None,
            Text::Plain(..) => Part::Whole,
            Text::Listed {
                before,
                items,
                after,
            } => {
                let item = items.iter().find(|(concerned, _)| concerned == service);
                let item = item.map_or("", |(_, item)| item);
                Part::Of(format!("{before}{item}{after}"))
            }
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Text::Plain(_, text) => text.len(),
            Text::Listed { before, items, .. } => {
                let items = items.iter();
                let items = items.map(|item| size_of_val(item) + item.1.len());
                before.len() + items.sum::<usize>()
            }
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("an event is plain data")
}
