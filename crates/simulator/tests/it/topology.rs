//! Topologies are read with defaults, and wrong ones refused with the reason.

use simulator::{Buckets, LogFormat, Topology};

#[test]
fn everything_but_the_name_has_a_default() {
    let topology = Topology::parse("services:\n  - name: b\n    calls: [a]\n  - name: a\n")
        .expect("a topology");
    let [b, a] = topology.services() else {
        panic!("two services")
    };
    assert_eq!(
        (b.instances, b.rps, b.uris, b.buckets, b.pool),
        (1, 10.0, 2, Buckets::Slo, true)
    );
    assert_eq!(
        (a.log_format, b.log_format),
        (LogFormat::Ecs, LogFormat::Logstash)
    );
}

#[test]
fn wrong_topologies_are_refused_with_the_reason() {
    for (yaml, needle) in [
        ("services: []", "no services"),
        ("services: [{name: a, colour: red}]", "colour"),
        ("servces: [{name: a}]", "servces"),
        ("services: [{name: a}, {name: a}]", "a is listed twice"),
        (
            "services: [{name: a, calls: [b]}]",
            "calls b, which is not in the topology (known: a)",
        ),
        (
            "services: [{name: a, calls: [b]}, {name: b, calls: [c]}, {name: c, calls: [b]}]",
            "b -> c -> b",
        ),
        ("services: [{name: a, calls: [a]}]", "a -> a"),
        (
            "services: [{name: a, calls: [b, b]}, {name: b}]",
            "calls b twice",
        ),
        ("services: [{name: a/b}]", "a/b"),
        ("services: [{name: ..}]", "\"..\""),
        (
            "services: [{name: a, instances: 0}]",
            "instances must be 1 to 100, not 0",
        ),
        ("services: [{name: a, rps: -1}]", "rps must be above 0"),
        (
            "services: [{name: a, uris: 4}]",
            "uris must be 1 to 3, not 4",
        ),
        ("services: [{name: a, log_format: gelf}]", "gelf"),
    ] {
        let error = Topology::parse(yaml).expect_err(yaml);
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        let text = format!("{error}: {cause}");
        assert!(text.contains(needle), "{yaml}: {text}");
    }
}

#[test]
fn generated_fleets_are_valid_and_repeatable() {
    for count in [1, 5, 200, 500] {
        let topology = Topology::generated(count, 3);
        assert_eq!(topology.services().len(), count);
        assert_eq!(topology, Topology::generated(count, 3));
    }
    assert_ne!(Topology::generated(200, 3), Topology::generated(200, 4));
    let callers = Topology::generated(200, 3)
        .services()
        .iter()
        .filter(|service| !service.calls.is_empty())
        .count();
    assert!(callers > 100);
}

#[test]
fn the_shop_has_its_services() {
    let shop = Topology::shop();
    for name in ["gateway", "orders", "catalog", "payments", "inventory"] {
        assert!(shop.position(name).is_some(), "{name}");
    }
}
