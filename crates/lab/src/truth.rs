//! What faults really do, from the noise-free fleet and its fault-free twin alone: which services
//! they touch and affect, and since when. Known before anything is judged; knows nothing of
//! detection or incidents.

use std::collections::BTreeMap;

use simulator::{Condition, Fault, FaultError, Fleet, ScheduledFault, Topology, TruthMetric};

/// The noise-free fleet is looked at so often, and where a fault begins or ends.
const LOOK_EVERY_MS: i64 = 15_000;

/// One metric with where High begins, and the least difference that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    pub metric: TruthMetric,
    pub high: f64,
    pub minimum_effect: f64,
}

/// When a service counts as touched and as affected.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    pub watched: Vec<Watched>,
    /// Past High for so long is affected.
    pub open_after_ms: i64,
    /// So long without an answer is affected.
    pub down_after_ms: i64,
}

/// A stretch of time; `until_ms` is the first instant after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from_ms: i64,
    pub until_ms: i64,
}

/// What one fault does to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceTruth {
    /// The first instant touched.
    pub onset_ms: i64,
    /// The first instant after the last one touched.
    pub until_ms: i64,
    /// Metrics that are past High for long enough, the service being gone among them.
    pub affected: Vec<TruthMetric>,
    /// The metric that goes furthest past its threshold, or comes nearest to it.
    pub peak: (TruthMetric, f64),
}

/// A fault and all it does.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultTruth {
    pub fault: ScheduledFault,
    /// By service, those it touches.
    pub services: BTreeMap<String, ServiceTruth>,
}

/// The truth of a whole script.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// In the order they begin.
    pub faults: Vec<FaultTruth>,
    /// By service, when any faults together touch it.
    pub touched: BTreeMap<String, Vec<Stretch>>,
}

impl Stretch {
    fn meets(&self, other: &Stretch) -> bool {
        self.from_ms < other.until_ms && other.from_ms < self.until_ms
    }

    fn length_ms(&self) -> i64 {
        self.until_ms - self.from_ms
    }
}

impl FaultTruth {
    /// The services that are affected, with what is past High there.
    pub fn affected(&self) -> impl Iterator<Item = (&String, &ServiceTruth)> {
        self.services
            .iter()
            .filter(|(_, service)| !service.affected.is_empty())
    }

    pub fn has_effect(&self) -> bool {
        self.affected().next().is_some()
    }
}

impl Truth {
    /// Looks at all that happens from `epoch_ms`, where `at` of the faults counts from, to `until_ms`.
    ///
    /// # Errors
    /// A fault that the topology can't have.
    pub fn of(
        topology: &Topology,
        faults: &[Fault],
        seed: u64,
        epoch_ms: i64,
        until_ms: i64,
        rules: &Rules,
    ) -> Result<Truth, FaultError> {
        let fleet =
            |faults: &[Fault]| Fleet::new(topology.clone(), faults.to_vec(), seed, epoch_ms);
        let (faulty, twin) = (fleet(faults)?, fleet(&[])?);
        let whole = Stretch {
            from_ms: epoch_ms,
            until_ms,
        };
        let together = Comparison::of(&faulty, &twin, whole, rules);
        let mut truths = Vec::new();
        for fault in faults {
            let alone = alone(topology, fault, &twin, rules)?;
            truths.push(together.with_what_lasts(alone));
        }
        truths.sort_by_key(|truth| (truth.fault.from_ms, truth.fault.until_ms));
        Ok(Truth {
            faults: truths,
            touched: together.touched,
        })
    }

    /// Whether any fault touches the service at an instant, or did within `after_ms` before it.
    pub fn is_touched(&self, service: &str, at_ms: i64, after_ms: i64) -> bool {
        self.touched.get(service).is_some_and(|stretches| {
            stretches
                .iter()
                .any(|s| s.from_ms <= at_ms && at_ms <= s.until_ms.saturating_add(after_ms))
        })
    }
}

/// What a fault does where it is the only one.
///
/// # Errors
/// The topology can't have it.
pub(crate) fn alone(
    topology: &Topology,
    fault: &Fault,
    twin: &Fleet,
    rules: &Rules,
) -> Result<FaultTruth, FaultError> {
    let faults = vec![fault.clone()];
    let fleet = Fleet::new(topology.clone(), faults, twin.seed(), twin.epoch_ms())?;
    let scheduled = fleet.faults()[0].clone();
    let span = Stretch {
        from_ms: scheduled.from_ms,
        until_ms: scheduled.until_ms,
    };
    let comparison = Comparison::of(&fleet, twin, span, rules);
    let services = comparison.touched.iter().filter_map(|(name, stretches)| {
        let (first, last) = (stretches.first()?, stretches.last()?);
        let truth = ServiceTruth {
            onset_ms: first.from_ms,
            until_ms: last.until_ms,
            affected: comparison.lasting_within(name, &span),
            peak: comparison.peaks.get(name).copied()?,
        };
        Some((name.clone(), truth))
    });
    Ok(FaultTruth {
        services: services.collect(),
        fault: scheduled,
    })
}

/// A fleet beside its fault-free twin over a stretch of time.
#[derive(Debug, Default)]
struct Comparison {
    touched: BTreeMap<String, Vec<Stretch>>,
    /// Past High, or without an answer, for long enough.
    lasting: BTreeMap<String, Vec<(TruthMetric, Stretch)>>,
    peaks: BTreeMap<String, (TruthMetric, f64)>,
}

impl Comparison {
    fn of(fleet: &Fleet, twin: &Fleet, span: Stretch, rules: &Rules) -> Comparison {
        let services = fleet.topology().services();
        let mut tracks: Vec<Track> = services.iter().map(|_| Track::new(rules)).collect();
        for at_ms in instants(fleet, span) {
            let (with, without) = (fleet.conditions_at(at_ms), twin.conditions_at(at_ms));
            for (track, (with, without)) in tracks.iter_mut().zip(with.iter().zip(&without)) {
                track.look(at_ms, with, without, rules);
            }
        }
        let mut comparison = Comparison::default();
        for (service, track) in services.iter().zip(tracks) {
            comparison.take(&service.name, track, span, rules);
        }
        comparison
    }

    fn take(&mut self, service: &str, mut track: Track, span: Stretch, rules: &Rules) {
        track.touched.close(span.until_ms);
        if track.touched.stretches.is_empty() {
            return;
        }
        self.touched
            .insert(service.to_owned(), track.touched.stretches);
        self.peaks.insert(service.to_owned(), track.peak);
        let metrics = rules
            .watched
            .iter()
            .map(|w| (w.metric, rules.open_after_ms));
        let metrics = metrics.chain([(TruthMetric::Up, rules.down_after_ms)]);
        let lasting = self.lasting.entry(service.to_owned()).or_default();
        for ((metric, least_ms), past) in metrics.zip(&mut track.past) {
            past.close(span.until_ms);
            let long = past.stretches.iter().filter(|s| s.length_ms() >= least_ms);
            lasting.extend(long.map(|stretch| (metric, *stretch)));
        }
    }

    /// Metrics of a service that are past High for long enough, within a stretch at least partly.
    fn lasting_within(&self, service: &str, span: &Stretch) -> Vec<TruthMetric> {
        let mut metrics: Vec<TruthMetric> = self
            .lasting
            .get(service)
            .into_iter()
            .flatten()
            .filter(|(_, stretch)| stretch.meets(span))
            .map(|(metric, _)| *metric)
            .collect();
        metrics.sort();
        metrics.dedup();
        metrics
    }

    /// What a fault touches by itself, affected as it is together with all others.
    fn with_what_lasts(&self, mut fault: FaultTruth) -> FaultTruth {
        for (name, service) in &mut fault.services {
            let span = Stretch {
                from_ms: service.onset_ms,
                until_ms: service.until_ms,
            };
            service.affected = self.lasting_within(name, &span);
        }
        fault
    }
}

/// Every look, and every instant at which a fault begins or ends; the truth is constant in nothing
/// but steps there.
fn instants(fleet: &Fleet, span: Stretch) -> Vec<i64> {
    let edges = fleet
        .faults()
        .into_iter()
        .flat_map(|f| [f.from_ms, f.until_ms]);
    let grid = (span.from_ms..span.until_ms).step_by(LOOK_EVERY_MS as usize);
    let mut instants: Vec<i64> = grid
        .chain(edges.filter(|at| (span.from_ms..span.until_ms).contains(at)))
        .collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// What is noted of one service from look to look.
struct Track {
    touched: Stretches,
    /// For each watched metric, and at the end for no answer.
    past: Vec<Stretches>,
    peak: (TruthMetric, f64),
    peak_share: f64,
}

impl Track {
    fn new(rules: &Rules) -> Track {
        Track {
            touched: Stretches::default(),
            past: vec![Stretches::default(); rules.watched.len() + 1],
            peak: (TruthMetric::Up, 1.0),
            peak_share: 0.0,
        }
    }

    fn look(&mut self, at_ms: i64, with: &Condition, without: &Condition, rules: &Rules) {
        let up = |condition| TruthMetric::Up.of(condition);
        let mut touched = up(with) != up(without);
        for (watched, past) in rules.watched.iter().zip(&mut self.past) {
            let (value, usual) = (watched.metric.of(with), watched.metric.of(without));
            let differs = (value - usual).abs() > watched.minimum_effect;
            touched |= differs;
            past.note(at_ms, value >= watched.high);
            if differs && value / watched.high > self.peak_share {
                self.peak = (watched.metric, value);
                self.peak_share = value / watched.high;
            }
        }
        let gone = up(with) == 0.0;
        if gone {
            self.peak = (TruthMetric::Up, 0.0);
            self.peak_share = f64::INFINITY;
        }
        if let Some(past) = self.past.last_mut() {
            past.note(at_ms, gone);
        }
        self.touched.note(at_ms, touched);
    }
}

/// Stretches in which something holds, as one goes through time.
#[derive(Clone, Debug, Default)]
struct Stretches {
    stretches: Vec<Stretch>,
    since_ms: Option<i64>,
}

impl Stretches {
    fn note(&mut self, at_ms: i64, holds: bool) {
        if holds {
            self.since_ms.get_or_insert(at_ms);
        } else {
            self.close(at_ms);
        }
    }

    fn close(&mut self, until_ms: i64) {
        if let Some(from_ms) = self.since_ms.take() {
            self.stretches.push(Stretch { from_ms, until_ms });
        }
    }
}

#[cfg(test)]
mod tests {
    use simulator::{FaultKind, Span};

    use super::*;

    const EPOCH_MS: i64 = 1_793_577_600_000;
    const HOUR_MS: i64 = 3_600_000;

    fn rules() -> Rules {
        let watch = |metric, high, minimum_effect| Watched {
            metric,
            high,
            minimum_effect,
        };
        Rules {
            watched: vec![
                watch(TruthMetric::Cpu, 85.0, 10.0),
                watch(TruthMetric::Mem, 85.0, 10.0),
                watch(TruthMetric::Lat, 1_000.0, 100.0),
                watch(TruthMetric::ErrorRatio, 5.0, 1.0),
            ],
            open_after_ms: 30_000,
            down_after_ms: 60_000,
        }
    }

    fn fault(at_min: i64, service: &str, kind: FaultKind, magnitude: f64, min: i64) -> Fault {
        Fault {
            at: Span::from_secs(at_min * 60),
            r#for: Span::from_secs(min * 60),
            service: service.into(),
            kind,
            magnitude,
        }
    }

    fn truth(faults: &[Fault]) -> Truth {
        let until_ms = EPOCH_MS + 12 * HOUR_MS;
        Truth::of(&Topology::shop(), faults, 1, EPOCH_MS, until_ms, &rules())
            .expect("the shop can have it")
    }

    #[test]
    fn a_weak_fault_touches_and_affects_nothing() {
        let truth = truth(&[fault(60, "orders", FaultKind::CpuBurn, 0.9, 20)]);
        let only = &truth.faults[0];
        assert!(only.services.contains_key("orders"));
        assert!(!only.has_effect());
    }

    #[test]
    fn a_step_begins_with_its_fault_and_ends_with_it() {
        let truth = truth(&[fault(61, "orders", FaultKind::CpuBurn, 1.1, 20)]);
        let orders = &truth.faults[0].services["orders"];
        assert_eq!(orders.onset_ms, EPOCH_MS + 61 * 60_000);
        assert_eq!(orders.until_ms, EPOCH_MS + 81 * 60_000);
        assert_eq!(orders.affected, [TruthMetric::Cpu]);
        assert!(truth.is_touched("orders", orders.until_ms + 60_000, 60_000));
        assert!(!truth.is_touched("orders", orders.until_ms + 60_001, 60_000));
        assert!(!truth.is_touched("ledger", orders.onset_ms, 0));
    }

    #[test]
    fn a_leak_touches_before_it_affects() {
        let truth = truth(&[fault(60, "orders", FaultKind::HeapLeak, 1.5, 120)]);
        let orders = &truth.faults[0].services["orders"];
        let rise_ms = orders.onset_ms - (EPOCH_MS + HOUR_MS);
        assert!((10 * 60_000..60 * 60_000).contains(&rise_ms), "{rise_ms}");
        assert_eq!(orders.affected, [TruthMetric::Mem]);
    }

    #[test]
    fn who_is_gone_is_affected_and_so_are_its_callers() {
        let truth = truth(&[fault(60, "payments", FaultKind::Stopped, 1.0, 20)]);
        let affected: Vec<_> = truth.faults[0].affected().collect();
        assert!(affected.iter().any(|(name, _)| *name == "orders"));
        let payments = &truth.faults[0].services["payments"];
        assert_eq!(payments.affected, [TruthMetric::Up]);
        assert_eq!(payments.peak, (TruthMetric::Up, 0.0));
    }

    #[test]
    fn too_short_is_not_affected() {
        let mut short = fault(60, "orders", FaultKind::CpuBurn, 1.5, 0);
        short.r#for = Span::from_secs(29);
        assert!(!truth(&[short.clone()]).faults[0].has_effect());
        short.r#for = Span::from_secs(30);
        assert!(truth(&[short]).faults[0].has_effect());
    }

    #[test]
    fn two_faults_at_once_are_told_apart() {
        let truth = truth(&[
            fault(60, "ledger", FaultKind::CpuBurn, 1.2, 30),
            fault(70, "catalog", FaultKind::ErrorBurst, 2.0, 30),
        ]);
        assert!(!truth.faults[0].services.contains_key("catalog"));
        assert!(!truth.faults[1].services.contains_key("ledger"));
        assert!(truth.faults.iter().all(FaultTruth::has_effect));
    }
}
