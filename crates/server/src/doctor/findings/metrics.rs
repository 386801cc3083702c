//! Findings about metrics: what is missing, and what would bring it.

use domain::{MetricSpec, ServiceId};

use super::super::observed::{Reading, ServiceSeen};
use super::super::reads;
use super::super::report::{APPLICATION, Cure, Finding, Kind, Level};
use super::buckets::histogram;
use super::few;
use crate::config::Config;

/// More values of `uri` are not templates but raw paths. Spring's own limit is 100 for each of the
/// server and the client.
const URIS_MAX: u64 = 200;

pub(super) fn findings(id: &ServiceId, service: &ServiceSeen, config: &Config) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for spec in config.metrics.iter() {
        let Some(reading) = service.readings.get(&spec.id) else {
            continue;
        };
        let finding = match reading {
            Reading::Value(value) => past(id, spec, *value),
            Reading::Proxy(_) | Reading::Missing => Some(missing(id, service, spec, reading)),
            Reading::Idle => {
                let what = format!("{} is idle: it had nothing to measure", spec.id);
                Some(Finding::new(Level::Note, Kind::MetricIdle, what))
            }
            Reading::Odd(value) => Some(odd(spec, *value)),
            // Said once, not for each service.
            Reading::NotAsked(_) => None,
        };
        found.extend(finding.map(|finding| finding.about(&spec.id)));
    }
    found.extend(uris(service));
    found.into_iter().map(|finding| finding.of(id)).collect()
}

fn missing(id: &ServiceId, service: &ServiceSeen, spec: &MetricSpec, reading: &Reading) -> Finding {
    let names = reads::names(spec);
    let bases = names.iter().filter_map(|name| name.strip_suffix("_bucket"));
    let unbucketed = bases.filter(|base| !service.has(&format!("{base}_bucket")));
    let counted = unbucketed.filter_map(|base| Some((base, counted_in(service, base)?)));
    if let Some((base, counted)) = counted.into_iter().next() {
        return no_buckets(id, spec, reading, base, counted);
    }
    if let Reading::Proxy(value) = reading {
        let what = format!(
            "{} has no value of its own; {value:.1} {} is the fallback's",
            spec.id, spec.unit
        );
        return Finding::new(Level::Warning, Kind::MetricMissing, what).shown_by(format!(
            "the fallback is {}",
            spec.fallback.as_deref().unwrap_or("none")
        ));
    }
    let reads_heap = names.iter().any(|name| name == "jvm_memory_max_bytes");
    if reads_heap && service.has("jvm_memory_used_bytes") && !service.heap_has_maximum {
        return no_heap_maximum(spec);
    }
    absent(service, spec, &names)
}

/// How many series count the events of a histogram or summary.
fn counted_in(service: &ServiceSeen, base: &str) -> Option<u64> {
    service.series.get(&format!("{base}_count")).copied()
}

fn no_buckets(
    id: &ServiceId,
    spec: &MetricSpec,
    reading: &Reading,
    base: &str,
    counted: u64,
) -> Finding {
    let instead = match reading {
        Reading::Proxy(value) => format!(
            "; its slowest request ({value:.0} {}) stands in for it, as a proxy",
            spec.unit
        ),
        _ => String::new(),
    };
    let what = format!("{} has no buckets to be computed from{instead}", spec.id);
    Finding::new(Level::Problem, Kind::LatencyBucketsMissing, what)
        .shown_by(format!(
            "{counted} series of {base}_count, none of {base}_bucket"
        ))
        .cure(Cure::copy(
            "switch the histogram on",
            APPLICATION,
            histogram(&spec.thresholds_for(id), spec),
        ))
}

fn no_heap_maximum(spec: &MetricSpec) -> Finding {
    let what = format!("{} has used bytes and no maximum of any heap pool", spec.id);
    Finding::new(Level::Problem, Kind::HeapMaxMissing, what)
        .shown_by("no series of jvm_memory_max_bytes{area=\"heap\"} is above 0")
        .cure(Cure::copy(
            "let the JVM have a limit, which it then says",
            "environment of the service",
            "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75",
        ))
        .cure(Cure::copy(
            "and if the series are switched off or dropped, bring them back",
            APPLICATION,
            "management.metrics.enable.jvm: true",
        ))
}

/// What families need of a service, by the beginning of their names.
struct Family {
    prefix: &'static str,
    level: Level,
    when: &'static str,
    meters: &'static str,
}

const FAMILIES: [Family; 8] = [
    Family {
        prefix: "http_server_request",
        level: Level::Warning,
        when: "every Spring MVC or WebFlux application with actuator has it; nothing is wrong if the service answers no HTTP",
        meters: "http.server.requests",
    },
    Family {
        prefix: "process_",
        level: Level::Problem,
        when: "every Spring Boot application with actuator has it",
        meters: "process",
    },
    Family {
        prefix: "jvm_",
        level: Level::Problem,
        when: "every Spring Boot application with actuator has it",
        meters: "jvm",
    },
    Family {
        prefix: "hikaricp_",
        level: Level::Note,
        when: "nothing is wrong if the service has no connection pool; HikariCP is measured by itself where it is used",
        meters: "hikaricp",
    },
    Family {
        prefix: "executor_",
        level: Level::Note,
        when: "nothing is wrong if the service has no task executor; executors that are beans are measured by themselves",
        meters: "executor",
    },
    Family {
        prefix: "logback_",
        level: Level::Note,
        when: "nothing is wrong if the service doesn't log by Logback",
        meters: "logback",
    },
    Family {
        prefix: "tomcat_",
        level: Level::Note,
        when: "it needs server.tomcat.mbeanregistry.enabled: true",
        meters: "tomcat",
    },
    Family {
        prefix: "db_client_",
        level: Level::Note,
        when: "nothing is wrong if the service has no connection pool",
        meters: "db.client",
    },
];

fn absent(service: &ServiceSeen, spec: &MetricSpec, names: &[String]) -> Finding {
    let (there, lacking): (Vec<&str>, Vec<&str>) = names
        .iter()
        .map(String::as_str)
        .partition(|name| service.has(name));
    let family_of = |name: &&str| {
        FAMILIES
            .iter()
            .find(|family| name.starts_with(family.prefix))
    };
    let family = lacking.iter().find_map(family_of);
    let level = match family {
        // Whatever isn't Spring's may well say it otherwise.
        Some(family) if is_spring(service) => family.level,
        Some(family) => family.level.max(Level::Warning),
        None => Level::Note,
    };
    let mut finding = Finding::new(
        level,
        Kind::MetricMissing,
        format!("{} has no value", spec.id),
    );
    if !lacking.is_empty() {
        finding = finding.shown_by(format!("there is no {}", few(&lacking)));
    }
    if !there.is_empty() {
        finding = finding.shown_by(format!("there is {}", few(&there)));
    }
    let finding = match family {
        Some(family) => finding.cure(Cure::copy(
            format!("{}; if it was switched off, switch it on", family.when),
            APPLICATION,
            format!("management.metrics.enable.{}: true", family.meters),
        )),
        None => finding.cure(Cure::say(
            "expose the series, or give the metric another query under `metrics` in config.yaml",
        )),
    };
    finding.cure(Cure::say(
        "and if metric_relabel_configs of the scrape drop it, keep it",
    ))
}

fn is_spring(service: &ServiceSeen) -> bool {
    service.has("process_uptime_seconds") || service.has("http_server_requests_seconds_count")
}

fn past(id: &ServiceId, spec: &MetricSpec, value: f64) -> Option<Finding> {
    let thresholds = spec.thresholds_for(id);
    let severity = thresholds.severity(value, spec.direction);
    let threshold = match severity {
        domain::Severity::Critical => thresholds.critical,
        domain::Severity::High => thresholds.high,
        _ => None,
    }?;
    let what = format!(
        "{} is {value:.1} {}, past {severity} ({threshold})",
        spec.id, spec.unit
    );
    Some(
        Finding::new(Level::Note, Kind::PastThreshold, what).cure(Cure::say(
            "nothing about the set-up; if the service always lives there, give it thresholds of \
             its own under `services` in config.yaml",
        )),
    )
}

fn odd(spec: &MetricSpec, value: f64) -> Finding {
    let (least, most) = spec.valid;
    let what = format!(
        "{} is {value} {}, outside of what it can be ({least} to {most})",
        spec.id, spec.unit
    );
    Finding::new(Level::Warning, Kind::MetricOdd, what)
        .shown_by(format!("it is asked as {}", spec.query))
        .cure(Cure::say(
            "correct the query, or its `valid` range, in config.yaml",
        ))
}

fn uris(service: &ServiceSeen) -> Option<Finding> {
    (service.uris > URIS_MAX).then(|| {
        let what = format!(
            "the label uri of its requests has {} values, which are raw paths rather than templates",
            service.uris
        );
        Finding::new(Level::Problem, Kind::UriCardinality, what)
            .cure(Cure::copy(
                "map paths by templates (@GetMapping(\"/orders/{id}\")), and let Spring stop at a limit",
                APPLICATION,
                "management.metrics.web.server.max-uri-tags: 100",
            ))
    })
}
