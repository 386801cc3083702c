//! The pack on a simulated fleet, of which only what the catalogue reads is laid down: each fault
//! moves the metrics that it should, to where the noise-free truth is.

use domain::Catalogue;
use simulator::{Families, Fault, Fleet, Span, Topology, TruthMetric, write_openmetrics};

use super::{Found, TO};

const TOPOLOGY: &str = "
services:
  - {name: gateway, instances: 1, rps: 60}
  - {name: burst, instances: 2, rps: 30}
  - {name: jammed, instances: 1, rps: 30, pool: true}
  - {name: locked, instances: 1, rps: 30}
  - {name: leaking, instances: 1, rps: 30}
  - {name: released, instances: 3, rps: 30}
  - {name: halved, instances: 2, rps: 30}
";
const FAULTS: &str = "
- {at: 10m, for: 30m, service: burst, kind: error-burst, magnitude: 3}
- {at: 10m, for: 30m, service: jammed, kind: pool-exhausted, magnitude: 3}
- {at: 10m, for: 30m, service: locked, kind: deadlock, magnitude: 2}
- {at: 0m, for: 32m, service: leaking, kind: heap-leak, magnitude: 1.25}
- {at: 27m, for: 30m, service: released, kind: bad-release}
- {at: 20m, for: 30m, service: halved, kind: stopped, magnitude: 0.5}
";

#[tokio::test]
async fn faults_of_the_fleet_move_the_metrics_that_they_should() {
    let to = TO;
    let from = to - 1800;
    let topology = Topology::parse(TOPOLOGY).unwrap();
    let faults = Fault::parse_list(FAULTS).unwrap();
    let mut fleet = Fleet::new(topology, faults, 7, from * 1000).unwrap();
    let mut history = Vec::new();
    let step = Span::from_secs(15);
    let families = Families::Catalogue;
    write_openmetrics(
        &mut fleet,
        from * 1000,
        to * 1000,
        step,
        families,
        &mut history,
        "fleet",
    )
    .unwrap();
    let Some(found) = Found::in_openmetrics(&history, to).await else {
        return;
    };
    let near = |service: &str, metric: TruthMetric, share: f64| {
        let truth = fleet.truth(service, metric, to * 1000).unwrap();
        let value = found.of(service, metric.id()).unwrap();
        let far = (value - truth).abs();
        assert!(
            far <= share * truth,
            "{service} {metric}: {value}, truly {truth}"
        );
        truth
    };
    assert!(near("burst", TruthMetric::ErrorRatio, 0.1) > 14.0);
    assert!(near("jammed", TruthMetric::PoolPending, 0.2) > 14.0);
    assert!(near("locked", TruthMetric::BlockedThreads, 0.0) > 9.0);
    assert!(near("leaking", TruthMetric::Mem, 0.07) > 90.0);
    assert!(near("leaking", TruthMetric::HeapAfterGc, 0.1) > 80.0);
    assert!(near("leaking", TruthMetric::GcOverhead, 0.15) > 8.0);
    near("gateway", TruthMetric::RequestRate, 0.1);
    found.assert("released", "restarts", Ok(3.0));
    found.assert("halved", "availability", Ok(50.0));
    assert!(found.of("burst", "log_errors").unwrap() > 0.5);
    // And leave alone those that they shouldn't.
    found.assert("gateway", "restarts", Ok(0.0));
    found.assert("gateway", "availability", Ok(100.0));
    found.assert("gateway", "blocked_threads", Ok(0.0));
    assert!(found.of("gateway", "error_ratio").unwrap() < 1.0);
    for spec in Catalogue::spring_pack().iter() {
        let value = found.of("jammed", spec.id.as_str());
        assert!(value.is_ok(), "{}: {value:?}", spec.id);
    }
}
