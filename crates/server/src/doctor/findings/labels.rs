//! Findings about labels: who names the service, and what is mixed in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::ServiceId;

use super::super::observed::ServiceSeen;
use super::super::report::{APPLICATION, BELLWETHER, Cure, Finding, Kind, Level, SCRAPE};
use super::few;
use crate::config::Config;

/// Labels that tell environments apart, and how bad it is where one service has several values.
pub(crate) const SEPARATING: [(&str, Level); 7] = [
    ("env", Level::Problem),
    ("environment", Level::Problem),
    ("stage", Level::Problem),
    ("deployment_environment", Level::Problem),
    ("deployment_environment_name", Level::Problem),
    ("namespace", Level::Problem),
    // One service in two clusters may well be one.
    ("cluster", Level::Warning),
];

/// What a scrape puts before a label of the page that it sets itself.
pub(crate) const RENAMED: &str = "exported_";

pub(super) fn findings(id: &ServiceId, service: &ServiceSeen, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(renamed(service, config));
    found.extend(unlabelled(id, service, config));
    found.extend(two_ways(service));
    found.extend(environments(service, config));
    found.extend(jobs(service));
    found.extend(no_instance(service));
    found.into_iter().map(|finding| finding.of(id)).collect()
}

/// Named by what only the scrape configuration says.
fn unlabelled(id: &ServiceId, service: &ServiceSeen, config: &Config) -> Option<Finding> {
    let by_scrape = |label: &String| matches!(label.as_str(), "job" | "instance");
    if service.named_by.is_empty() || !service.named_by.iter().all(by_scrape) {
        return None;
    }
    // What the application says was renamed; said by itself.
    if renamed(service, config).is_some() {
        return None;
    }
    let label = few(&service.named_by);
    let what = format!("its series have no service label, so the {label} names it");
    let before = config.identity.iter().take_while(|l| !by_scrape(l));
    let finding = Finding::new(Level::Warning, Kind::NoServiceLabel, what)
        .shown_by(format!(
            "none of {} is on its series",
            before.cloned().collect::<Vec<_>>().join(", ")
        ))
        .cure(Cure::copy(
            "let the application name itself",
            APPLICATION,
            "management.metrics.tags.service: ${spring.application.name}",
        ));
    Some(finding.cure(Cure::copy(
        "or let the scrape configuration name it",
        SCRAPE,
        format!(
            "scrape_configs:\n  - job_name: …   # that of the service\n    static_configs:\n      - targets: [{}]\n        \
             labels: {{ service: {} }}",
            few(instances(service).iter().map(|i| format!("'{i}'"))),
            yaml(id.as_str())
        ),
    )))
}

fn instances(service: &ServiceSeen) -> BTreeSet<&str> {
    service.values("instance")
}

/// The identity labels that the page has under another name.
fn renamed(service: &ServiceSeen, config: &Config) -> Option<Finding> {
    let (label, theirs) = config
        .identity
        .iter()
        .filter(|label| !matches!(label.as_str(), "job" | "instance"))
        .find_map(|label| {
            let values = service.values(&format!("{RENAMED}{label}"));
            (!values.is_empty()).then_some((label, values))
        })?;
    let ours = service.values(label);
    let agree = ours == theirs;
    let level = if agree { Level::Note } else { Level::Problem };
    let what = if agree {
        format!("both the application and the scrape configuration set {label}, and agree")
    } else {
        format!(
            "the application says {label} is {}, and the scrape configuration overwrites it with {}",
            few(&theirs),
            few(&ours)
        )
    };
    Some(
        Finding::new(level, Kind::LabelRenamed, what)
            .shown_by(format!("its series have the label {RENAMED}{label}"))
            .cure(Cure::copy(
                "let the application's own label count",
                SCRAPE,
                "scrape_configs:\n  - job_name: …   # that of the service\n    honor_labels: true",
            ))
            .cure(Cure::say(format!(
                "or take the label {label} out of the scrape configuration"
            ))),
    )
}

fn two_ways(service: &ServiceSeen) -> Option<Finding> {
    (service.named_by.len() > 1).then(|| {
        let ways: Vec<&str> = service.named_by.iter().map(String::as_str).collect();
        let what = format!(
            "some of its series are named by {}",
            ways.join(", others by ")
        );
        Finding::new(Level::Warning, Kind::NamedInTwoWays, what)
            .cure(Cure::say("nothing, if it is one application"))
            .cure(Cure::copy(
                "else let every application name itself in the same way",
                APPLICATION,
                "management.metrics.tags.service: ${spring.application.name}",
            ))
    })
}

fn environments(service: &ServiceSeen, config: &Config) -> Option<Finding> {
    let mixed: Vec<(&str, Level)> = SEPARATING
        .into_iter()
        .filter(|(label, _)| {
            !config
                .scope
                .iter()
                .chain(&config.identity)
                .any(|l| l == label)
        })
        .filter(|(label, _)| service.values(label).len() > 1)
        .collect();
    let level = mixed.iter().map(|(_, level)| *level).min()?;
    let values = mixed
        .iter()
        .map(|(label, _)| format!("{label} is {}", few(service.values(label))));
    let what = format!(
        "one name, several places: {}",
        values.collect::<Vec<_>>().join("; ")
    );
    let mut finding = Finding::new(level, Kind::EnvironmentsMixed, what);
    for (label, _) in &mixed {
        for value in service.values(label).into_iter().take(5) {
            let there = service.places.iter();
            let there = there.filter(|place| place.get(*label).is_some_and(|v| v == value));
            let instances = there.filter_map(|place| place.get("instance"));
            finding = finding.shown_by(format!("{label}={value}: {}", few(instances)));
        }
    }
    let mut scope: Vec<&str> = config.scope.iter().map(String::as_str).collect();
    // The first says it; the others mostly follow from it.
    scope.extend(mixed.first().map(|(label, _)| *label));
    Some(finding.cure(Cure::copy(
        "let the label stand before the name, so that each place is a service of its own",
        BELLWETHER,
        format!("scope: [{}]", scope.join(", ")),
    )))
}

/// Several jobs in one service: two applications of one name, or one that is scraped twice.
fn jobs(service: &ServiceSeen) -> Option<Finding> {
    let jobs = service.values("job");
    if jobs.len() < 2 {
        return None;
    }
    let mut of_instance: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in &service.places {
        if let (Some(instance), Some(job)) = (place.get("instance"), place.get("job")) {
            of_instance.entry(instance).or_default().insert(job);
        }
    }
    let twice: Vec<&str> = of_instance
        .iter()
        .filter(|(_, jobs)| jobs.len() > 1)
        .map(|(instance, _)| *instance)
        .collect();
    if !twice.is_empty() {
        let what = format!("{} is scraped by the jobs {}", few(&twice), few(&jobs));
        return Some(
            Finding::new(Level::Problem, Kind::ScrapedTwice, what)
                .cure(Cure::say("take the target out of one of the jobs")),
        );
    }
    let what = format!("its series come from the jobs {}", few(&jobs));
    Some(
        Finding::new(Level::Warning, Kind::JobsMixed, what)
            .cure(Cure::say(
                "nothing, if it is one application in several jobs",
            ))
            .cure(Cure::copy(
                "else let the job stand before the name",
                BELLWETHER,
                "scope: [job]",
            )),
    )
}

fn no_instance(service: &ServiceSeen) -> Option<Finding> {
    let without = service.places.iter();
    let without = without.filter(|place| place.get("instance").is_none_or(String::is_empty));
    (without.count() > 0).then(|| {
        Finding::new(
            Level::Warning,
            Kind::NoInstance,
            "it has series without the label instance",
        )
        .cure(Cure::say(
            "keep instance in relabelling, federation (honor_labels: true) and recording rules",
        ))
    })
}

/// A text as YAML, quoted where it must be.
pub(super) fn yaml(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", sources::excerpt(text, 100).replace('\'', "''"))
    }
}
