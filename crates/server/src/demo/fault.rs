//! Which story is told: the fault, on which service, how strong, for how long.

use anyhow::Context;
use simulator::{Fault, FaultKind, Span, Topology};

use crate::cli::{Demo, Faults};

/// A fault to come, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    pub fault: Option<Fault>,
    /// Seconds of calm before it.
    pub after: u64,
}

impl Story {
    /// As asked for. Where strength and length aren't given, they are such that the fault shows
    /// within three minutes in values that are means over five.
    ///
    /// # Errors
    /// A fault, service or strength that doesn't exist, with what does.
    pub fn of(demo: &Demo, topology: &Topology) -> anyhow::Result<Story> {
        if demo.faults == Some(Faults::None) {
            return Ok(Story {
                fault: None,
                after: 0,
            });
        }
        let kind: FaultKind = demo.fault.parse()?;
        let (magnitude, length) = usual(kind);
        let fault = Fault {
            at: Span::default(),
            r#for: demo.length.unwrap_or(length),
            service: demo.service.clone(),
            kind,
            magnitude: demo.magnitude.unwrap_or(magnitude),
        };
        fault.check(topology).context("the fault")?;
        Ok(Story {
            fault: Some(fault),
            after: demo.fault_after,
        })
    }
}

/// Strength and length of a fault that nobody chose.
fn usual(kind: FaultKind) -> (f64, Span) {
    let minutes = |minutes: i64| Span::from_secs(minutes * 60);
    match kind {
        // A mean over five minutes must rise first.
        FaultKind::CpuBurn => (1.5, minutes(7)),
        // It grows until its end: past High halfway.
        FaultKind::HeapLeak => (2.0, minutes(3)),
        // A share of the requests of five minutes must fail.
        FaultKind::ErrorBurst => (5.0, minutes(5)),
        FaultKind::Stopped => (1.0, minutes(5)),
        _ => (1.5, minutes(5)),
    }
}

/// What a fault looks like, and when it can show.
pub fn told(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::CpuBurn => {
            "its CPU is busy; judged is the mean of five minutes, which must rise first: four to six minutes to the incident"
        }
        FaultKind::HeapLeak => "its heap fills up; past High about halfway",
        FaultKind::SlowDependency => "it answers slowly, and those who call it wait",
        FaultKind::ErrorBurst => {
            "it answers with errors; judged is their share of five minutes, which must rise first"
        }
        FaultKind::BadRelease => "it restarts with another version, which is slower",
        FaultKind::Stopped => "it doesn't answer any more; that opens an incident after a minute",
        FaultKind::PoolExhausted => "its requests wait for a database connection",
        FaultKind::Deadlock => "threads of it block each other",
    }
}
