//! Draws a script for any fleet: every kind in turn, services, magnitudes, lengths and times by
//! seed, until enough of them affect something.

use std::collections::BTreeMap;

use simulator::{Fault, FaultError, FaultKind, Fleet, Span, Topology};

use crate::script::Calendar;
use crate::settings::Settings;
use crate::truth::{FaultTruth, Rules, Stretch, alone};

/// Faults that affect something.
const WANTED: usize = 30;
const MAGNITUDES: (f64, f64) = (0.8, 2.0);
/// A kind that affects nothing so often in a row can't here.
const WITHOUT_EFFECT_MAX: usize = 12;
/// A fault for which no place is found so often has none.
const PLACES_TRIED: usize = 200;

/// The drawn faults, and what had to be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// In the order they begin; `at` counts from the first judged day.
    pub faults: Vec<Fault>,
    /// What could not be had in this fleet, and why.
    pub remarks: Vec<String>,
}

/// Draws the faults of a script.
///
/// Two faults never touch the same service within two quiet periods and a measuring range: nearer
/// ones are one episode by definition, because means still carry the first when the second begins.
///
/// # Errors
/// A topology that no fleet can be made of.
pub fn generate(
    topology: &Topology,
    seed: u64,
    calendar: Calendar,
    settings: &Settings,
) -> Result<Generated, FaultError> {
    Generator {
        topology,
        calendar,
        rules: settings.rules(),
        twin: Fleet::new(topology.clone(), Vec::new(), seed, calendar.epoch_ms())?,
        apart_ms: 2 * settings.quiet_ms() + simulator::RANGE_MS,
        random: Random(seed ^ 0x5eed_0ffa_1750),
        placed: Vec::new(),
        touched: BTreeMap::new(),
        remarks: Vec::new(),
    }
    .run()
}

struct Generator<'a> {
    topology: &'a Topology,
    calendar: Calendar,
    rules: Rules,
    twin: Fleet,
    apart_ms: i64,
    random: Random,
    placed: Vec<Fault>,
    touched: BTreeMap<String, Vec<Stretch>>,
    remarks: Vec<String>,
}

/// How far a kind has come.
struct Kind {
    kind: FaultKind,
    effective: usize,
    /// Without effect in a row.
    idle: usize,
}

impl Generator<'_> {
    fn run(mut self) -> Result<Generated, FaultError> {
        let mut kinds = self.kinds();
        let mut effective = 0;
        while effective < WANTED && !kinds.is_empty() {
            let index = self.next_kind(&kinds);
            match self.place(kinds[index].kind)? {
                Some(true) => {
                    kinds[index].effective += 1;
                    kinds[index].idle = 0;
                    effective += 1;
                }
                Some(false) => kinds[index].idle += 1,
                None => {
                    let kind = kinds.remove(index).kind;
                    self.remarks.push(format!(
                        "no more {kind}: no service has room for another one in {} days",
                        self.calendar.judged_days
                    ));
                    continue;
                }
            }
            if kinds[index].idle == WITHOUT_EFFECT_MAX {
                let kind = kinds.remove(index).kind;
                self.remarks.push(format!(
                    "no more {kind}: {WITHOUT_EFFECT_MAX} of them in a row affected nothing"
                ));
            }
        }
        self.placed.sort_by_key(|fault| fault.at);
        Ok(Generated {
            faults: self.placed,
            remarks: self.remarks,
        })
    }

    /// The kinds that this fleet can have.
    fn kinds(&mut self) -> Vec<Kind> {
        let has_pool = self.topology.services().iter().any(|service| service.pool);
        if !has_pool {
            self.remarks.push(format!(
                "no {}: no service has a connection pool",
                FaultKind::PoolExhausted
            ));
        }
        let possible = |kind: &FaultKind| *kind != FaultKind::PoolExhausted || has_pool;
        let kinds = FaultKind::ALL.into_iter().filter(possible);
        kinds
            .map(|kind| Kind {
                kind,
                effective: 0,
                idle: 0,
            })
            .collect()
    }

    /// One of those that affected something least often.
    fn next_kind(&mut self, kinds: &[Kind]) -> usize {
        let least = kinds.iter().map(|kind| kind.effective).min().unwrap_or(0);
        let candidates: Vec<usize> = (0..kinds.len())
            .filter(|index| kinds[*index].effective == least)
            .collect();
        candidates[self.random.below(candidates.len())]
    }

    /// Places a fault of a kind where it stands apart from all others; says whether it affects
    /// anything, or that there is no room.
    fn place(&mut self, kind: FaultKind) -> Result<Option<bool>, FaultError> {
        for _ in 0..PLACES_TRIED {
            let fault = self.draw(kind);
            let in_fleet = Fault {
                at: Span::from_millis(
                    fault.at.as_millis() + self.calendar.from_ms - self.calendar.epoch_ms(),
                ),
                ..fault.clone()
            };
            let truth = alone(self.topology, &in_fleet, &self.twin, &self.rules)?;
            if !self.stands_apart(&truth) || only_affects_others(&truth) {
                continue;
            }
            for (service, touched) in &truth.services {
                self.touched
                    .entry(service.clone())
                    .or_default()
                    .push(Stretch {
                        from_ms: touched.onset_ms,
                        until_ms: touched.until_ms,
                    });
            }
            self.placed.push(fault);
            return Ok(Some(truth.has_effect()));
        }
        Ok(None)
    }

    fn stands_apart(&self, truth: &FaultTruth) -> bool {
        truth.services.iter().all(|(service, touched)| {
            self.touched
                .get(service)
                .into_iter()
                .flatten()
                .all(|other| {
                    touched.onset_ms >= other.until_ms + self.apart_ms
                        || other.from_ms >= touched.until_ms + self.apart_ms
                })
        })
    }

    /// A fault that ends, with all it leaves in means and incidents, within the judged days.
    fn draw(&mut self, kind: FaultKind) -> Fault {
        let able: Vec<&str> = self
            .topology
            .services()
            .iter()
            .filter(|service| kind != FaultKind::PoolExhausted || service.pool)
            .map(|service| service.name.as_str())
            .collect();
        let service = able[self.random.below(able.len())].to_owned();
        let (shortest, longest) = minutes_of(kind);
        let length_s = shortest * 60 + self.random.below((longest - shortest) * 60 + 1);
        let length_s = length_s as i64;
        let latest_s = (self.calendar.judged_ms() - self.apart_ms) / 1_000 - length_s;
        let (low, high) = MAGNITUDES;
        let magnitude = low + (high - low) * self.random.uniform();
        Fault {
            at: Span::from_secs(self.random.below(latest_s.max(1) as usize) as i64),
            r#for: Span::from_secs(length_s),
            service,
            kind,
            magnitude: (magnitude * 1_000.0).round() / 1_000.0,
        }
    }
}

/// A fault is found by an incident on its own service; one that stays below High there and drives
/// only callers past it can't be.
fn only_affects_others(truth: &FaultTruth) -> bool {
    let own = truth.services.get(&truth.fault.service);
    truth.has_effect() && own.is_none_or(|own| own.affected.is_empty())
}

/// The shortest and the longest fault of a kind.
fn minutes_of(kind: FaultKind) -> (usize, usize) {
    match kind {
        FaultKind::HeapLeak => (60, 240),
        FaultKind::Stopped => (5, 30),
        FaultKind::BadRelease => (15, 60),
        FaultKind::PoolExhausted | FaultKind::Deadlock => (10, 45),
        FaultKind::CpuBurn | FaultKind::SlowDependency | FaultKind::ErrorBurst => (10, 60),
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In 0..1.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `count`, which is above 0.
    fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Truth;

    fn drawn(topology: &Topology, seed: u64) -> (Generated, Truth) {
        let (settings, calendar) = (Settings::product(), Calendar::WEEK);
        let rules = settings.rules();
        let generated = generate(topology, seed, calendar, &settings).unwrap();
        let script = crate::Script::new(
            topology.clone(),
            seed,
            calendar,
            generated.faults.clone(),
            "generated",
        )
        .unwrap();
        let truth = Truth::of(
            topology,
            &script.faults_of_fleet(),
            seed,
            calendar.epoch_ms(),
            calendar.until_ms(),
            &rules,
        );
        (generated, truth.unwrap())
    }

    #[test]
    fn thirty_affect_something_and_every_kind_is_among_them() {
        for seed in [1, 77] {
            let (generated, truth) = drawn(&Topology::generated(12, seed), seed);
            assert!(generated.remarks.is_empty(), "{:?}", generated.remarks);
            let effective: Vec<_> = truth.faults.iter().filter(|f| f.has_effect()).collect();
            assert_eq!(effective.len(), 30);
            for kind in FaultKind::ALL {
                let of_kind = effective.iter().filter(|f| f.fault.kind == kind).count();
                assert!((3..=4).contains(&of_kind), "{kind}: {of_kind}");
            }
            let magnitudes = truth.faults.iter().map(|f| f.fault.magnitude);
            assert!(magnitudes.clone().all(|m| (0.8..=2.0).contains(&m)));
        }
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let topology = Topology::shop();
        assert_eq!(drawn(&topology, 5).0, drawn(&topology, 5).0);
        assert_ne!(drawn(&topology, 5).0.faults, drawn(&topology, 6).0.faults);
    }

    #[test]
    fn one_service_without_a_pool_gets_what_it_can_have() {
        let lonely = Topology::parse("services: [{name: lonely, pool: false}]").unwrap();
        let (generated, truth) = drawn(&lonely, 3);
        assert_eq!(generated.remarks.len(), 1, "{:?}", generated.remarks);
        assert!(generated.remarks[0].contains("connection pool"));
        assert_eq!(truth.faults.iter().filter(|f| f.has_effect()).count(), 30);
    }
}
