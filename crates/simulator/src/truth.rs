//! The metrics the noise-free truth can be asked for, in the units of the metric catalogue.

use std::fmt;
use std::str::FromStr;

use crate::conditions::Condition;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TruthMetric {
    Cpu,
    Mem,
    Lat,
    ErrorRatio,
    RequestRate,
    HeapAfterGc,
    GcOverhead,
    BlockedThreads,
    PoolPending,
    ExecutorQueue,
    Up,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TruthError {
    #[error("unknown metric {metric:?} (known: {})", TruthMetric::ALL.map(TruthMetric::id).join(", "))]
    UnknownMetric { metric: String },
    #[error("unknown service {service:?} (known: {known})")]
    UnknownService { service: String, known: String },
}

impl TruthMetric {
    pub const ALL: [TruthMetric; 11] = [
        TruthMetric::Cpu,
        TruthMetric::Mem,
        TruthMetric::Lat,
        TruthMetric::ErrorRatio,
        TruthMetric::RequestRate,
        TruthMetric::HeapAfterGc,
        TruthMetric::GcOverhead,
        TruthMetric::BlockedThreads,
        TruthMetric::PoolPending,
        TruthMetric::ExecutorQueue,
        TruthMetric::Up,
    ];

    pub fn id(self) -> &'static str {
        match self {
            TruthMetric::Cpu => "cpu",
            TruthMetric::Mem => "mem",
            TruthMetric::Lat => "lat",
            TruthMetric::ErrorRatio => "error_ratio",
            TruthMetric::RequestRate => "request_rate",
            TruthMetric::HeapAfterGc => "heap_after_gc",
            TruthMetric::GcOverhead => "gc_overhead",
            TruthMetric::BlockedThreads => "blocked_threads",
            TruthMetric::PoolPending => "pool_pending",
            TruthMetric::ExecutorQueue => "executor_queue",
            TruthMetric::Up => "up",
        }
    }

    /// The value of this metric; NaN where nothing answers and so nothing can be measured.
    pub fn of(self, condition: &Condition) -> f64 {
        match self {
            TruthMetric::Up => f64::from(u8::from(condition.alive > 0)),
            _ if condition.alive == 0 => f64::NAN,
            TruthMetric::Cpu => condition.cpu,
            TruthMetric::Mem => condition.mem,
            TruthMetric::Lat => condition.lat,
            TruthMetric::ErrorRatio => condition.error_ratio,
            TruthMetric::RequestRate => condition.request_rate,
            TruthMetric::HeapAfterGc => condition.heap_after_gc,
            TruthMetric::GcOverhead => condition.gc_overhead,
            TruthMetric::BlockedThreads => condition.blocked_threads,
            TruthMetric::PoolPending => condition.pool_pending,
            TruthMetric::ExecutorQueue => condition.executor_queue,
        }
    }
}

impl fmt::Display for TruthMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for TruthMetric {
    type Err = TruthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        TruthMetric::ALL
            .into_iter()
            .find(|metric| metric.id() == text)
            .ok_or_else(|| TruthError::UnknownMetric {
                metric: text.to_owned(),
            })
    }
}
