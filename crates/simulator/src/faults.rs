//! The vocabulary of faults, and which of them hold at an instant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::duration::Span;
use crate::topology::Topology;

/// What can go wrong. Magnitude 1 just reaches High in the noise-free truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Process CPU goes to 85 %.
    CpuBurn,
    /// Heap grows linearly to 85 % at the end of the fault.
    HeapLeak,
    /// The service answers slowly (p99 1000 ms) and its callers wait.
    SlowDependency,
    /// 5 % of requests fail with 500.
    ErrorBurst,
    /// A restart with another version whose code is slower (p99 1000 ms); rolled back at the end.
    BadRelease,
    /// Instances do not answer; the magnitude is the share of them.
    Stopped,
    /// 5 requests wait for a database connection.
    PoolExhausted,
    /// 5 threads block each other; throughput falls and requests time out.
    Deadlock,
}

impl FaultKind {
    pub const ALL: [FaultKind; 8] = [
        FaultKind::CpuBurn,
        FaultKind::HeapLeak,
        FaultKind::SlowDependency,
        FaultKind::ErrorBurst,
        FaultKind::BadRelease,
        FaultKind::Stopped,
        FaultKind::PoolExhausted,
        FaultKind::Deadlock,
    ];

    pub fn name(self) -> &'static str {
        match self {
            FaultKind::CpuBurn => "cpu-burn",
            FaultKind::HeapLeak => "heap-leak",
            FaultKind::SlowDependency => "slow-dependency",
            FaultKind::ErrorBurst => "error-burst",
            FaultKind::BadRelease => "bad-release",
            FaultKind::Stopped => "stopped",
            FaultKind::PoolExhausted => "pool-exhausted",
            FaultKind::Deadlock => "deadlock",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FaultKind::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| FaultError::UnknownKind {
                kind: text.to_owned(),
            })
    }
}

/// One line of `faults.yaml`; `at` counts from the start of the fleet's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub at: Span,
    pub r#for: Span,
    pub service: String,
    pub kind: FaultKind,
    #[serde(default = "just_high")]
    pub magnitude: f64,
}

fn just_high() -> f64 {
    1.0
}

/// A fault with its place in time; what the fleet keeps and the API shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledFault {
    pub id: u64,
    pub service: String,
    pub kind: FaultKind,
    pub magnitude: f64,
    pub from_ms: i64,
    /// The first instant at which it no longer holds.
    pub until_ms: i64,
    /// Where it would have ended had nobody removed it; a leak is paced by this.
    pub planned_until_ms: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error("read faults")]
    Parse(#[source] Box<serde_saphyr::Error>),
    #[error("unknown fault kind {kind:?} (known: {})", FaultKind::ALL.map(FaultKind::name).join(", "))]
    UnknownKind { kind: String },
    #[error("unknown service {service:?} (known: {known})")]
    UnknownService { service: String, known: String },
    #[error("{kind} on {service}: magnitude must be above 0 and at most 10, not {magnitude}")]
    Magnitude {
        service: String,
        kind: FaultKind,
        magnitude: f64,
    },
    #[error("{kind} on {service}: `for` must be longer than 0s")]
    NoDuration { service: String, kind: FaultKind },
    #[error("pool-exhausted on {service}: it has no connection pool (pool: false)")]
    NoPool { service: String },
    #[error("no fault has id {id}")]
    UnknownId { id: u64 },
}

impl Fault {
    /// Reads a `faults.yaml`: a list of `{at: 3d4h10m, for: 20m, service, kind, magnitude: 1.0}`.
    pub fn parse_list(yaml: &str) -> Result<Vec<Fault>, FaultError> {
        serde_saphyr::from_str(yaml).map_err(|error| FaultError::Parse(Box::new(error)))
    }

    /// Whether a topology can have it; gives the position of its service there.
    ///
    /// # Errors
    /// A service that isn't there or lacks what fails, a magnitude or length out of range.
    pub fn check(&self, topology: &Topology) -> Result<usize, FaultError> {
        let (service, kind) = (self.service.clone(), self.kind);
        let Some(position) = topology.position(&service) else {
            return Err(FaultError::UnknownService {
                service,
                known: topology.names(),
            });
        };
        if !(self.magnitude > 0.0 && self.magnitude <= 10.0) {
            return Err(FaultError::Magnitude {
                service,
                kind,
                magnitude: self.magnitude,
            });
        }
        if self.r#for.as_millis() == 0 {
            return Err(FaultError::NoDuration { service, kind });
        }
        if kind == FaultKind::PoolExhausted && !topology.services()[position].pool {
            return Err(FaultError::NoPool { service });
        }
        Ok(position)
    }
}

impl ScheduledFault {
    pub fn holds_at(&self, t_ms: i64) -> bool {
        self.from_ms <= t_ms && t_ms < self.until_ms
    }
}

/// Magnitudes of all that holds on one service at one instant; the strongest of a kind counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Effects {
    pub(crate) cpu_burn: f64,
    /// Already multiplied by how far the leak has come.
    pub(crate) heap_leak: f64,
    pub(crate) slow: f64,
    pub(crate) error_burst: f64,
    pub(crate) bad_release: f64,
    pub(crate) stopped: f64,
    pub(crate) pool_exhausted: f64,
    pub(crate) deadlock: f64,
}

impl Effects {
    pub(crate) fn at(faults: &[ScheduledFault], t_ms: i64) -> Self {
        let mut effects = Effects::default();
        for fault in faults.iter().filter(|fault| fault.holds_at(t_ms)) {
            let (strength, slot) = match fault.kind {
                FaultKind::CpuBurn => (1.0, &mut effects.cpu_burn),
                FaultKind::HeapLeak => (fault.progress(t_ms), &mut effects.heap_leak),
                FaultKind::SlowDependency => (1.0, &mut effects.slow),
                FaultKind::ErrorBurst => (1.0, &mut effects.error_burst),
                FaultKind::BadRelease => (1.0, &mut effects.bad_release),
                FaultKind::Stopped => (1.0, &mut effects.stopped),
                FaultKind::PoolExhausted => (1.0, &mut effects.pool_exhausted),
                FaultKind::Deadlock => (1.0, &mut effects.deadlock),
            };
            *slot = slot.max(fault.magnitude * strength);
        }
        effects
    }

    /// How many of `instances` still answer.
    pub(crate) fn alive(&self, instances: usize) -> usize {
        instances.saturating_sub((self.stopped * instances as f64 + 1e-9) as usize)
    }
}

impl ScheduledFault {
    fn progress(&self, t_ms: i64) -> f64 {
        (t_ms - self.from_ms) as f64 / (self.planned_until_ms - self.from_ms).max(1) as f64
    }
}
