//! What operators ask for. A command takes effect at a tick and is answered by it.

use domain::{Actor, Incident, IncidentId};
use serde::{Deserialize, Serialize};

/// One request to change an incident. `number` pairs it with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub number: u64,
    pub incident: IncidentId,
    pub actor: Actor,
    pub kind: CommandKind,
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    Acknowledge,
    Resolve,
}

/// What became of a command. A repeat is answered with the present state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub number: u64,
    pub result: Result<Box<Incident>, Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The engine holds no such incident: it never was, or it is resolved and quiet.
    Unknown,
    /// A resolved incident can't be acknowledged.
    AlreadyResolved,
}
