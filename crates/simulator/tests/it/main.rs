//! What the simulated fleet promises to those who scrape it, read its logs or ask for its truth.

mod alike;
mod exposition;
mod faults;
mod history;
mod logs;
mod observer;
mod prom_text;
mod recorded;
mod serving;
mod topology;

use simulator::{Fault, FaultKind, Fleet, Span, Topology};

/// 2026-11-22T12:00:00Z, near the daily peak.
pub const NOON_MS: i64 = 1_795_348_800_000;
pub const MINUTE_MS: i64 = 60_000;

pub fn fault(service: &str, kind: FaultKind, magnitude: f64, at: &str, length: &str) -> Fault {
    let span = |text: &str| text.parse::<Span>().expect("a span");
    Fault {
        at: span(at),
        r#for: span(length),
        service: service.to_owned(),
        kind,
        magnitude,
    }
}

pub fn shop(faults: Vec<Fault>) -> Fleet {
    Fleet::new(Topology::shop(), faults, 7, NOON_MS).expect("the faults fit the shop")
}
