//! Findings about targets: why one is down, or slow, or says nothing new.

use sources::prometheus::{Target, TargetHealth};

use super::super::observed::{Observed, Origin, TargetSeen};
use super::super::report::{APPLICATION, Cure, Finding, Kind, Level, SCRAPE};
use super::source::without_exemplars;
use super::{counted, few};
use crate::config::Span;

/// A scrape that takes more of its timeout is too near to failing.
const SLOW_SHARE: f64 = 0.7;

pub(super) fn findings(observed: &Observed) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for seen in &observed.targets {
        match seen.target.health {
            TargetHealth::Down => found.push(down(seen, &observed.origin)),
            TargetHealth::Up => found.extend(slow(seen)),
            TargetHealth::Unknown => {}
        }
    }
    found.extend(unknown(observed));
    for (id, service) in &observed.services {
        if !service.frozen.is_empty() {
            let what = format!(
                "the uptime of {} stands still while it is scraped",
                few(&service.frozen)
            );
            found.push(
                Finding::new(Level::Problem, Kind::PageFrozen, what)
                    .of(id)
                    .cure(Cure::say(
                        "look at what answers there: a cache or a proxy before the application, a \
                         stored page, or a process that hangs",
                    )),
            );
        }
    }
    found
}

fn down(seen: &TargetSeen, origin: &Origin) -> Finding {
    let target = &seen.target;
    let kind = cause(&target.error);
    let who = match origin {
        Origin::Prometheus {
            version: Some(version),
            ..
        } => format!("Prometheus {version}"),
        Origin::Prometheus { version: None, .. } => "Prometheus".into(),
        Origin::Pages { .. } => "the scraper".into(),
    };
    let what = format!("{} is down: {}", name(target), in_words(kind, &who));
    let mut finding = Finding::new(Level::Problem, kind, what).at(target.url.clone());
    finding.service = seen.service.clone();
    if !target.error.is_empty() {
        finding = finding.shown_by(format!("{who} says: {}", target.error));
    }
    finding.cures = cures(kind, target);
    finding
}

/// What the last error of a target is about, by the words of Prometheus 2.42 to 3 and our own.
fn cause(error: &str) -> Kind {
    let error = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if has(&["exemplar"]) {
        Kind::ExemplarsRefused
    } else if has(&["limit exceeded", "unpacked; raise", "raise sample_limit"]) {
        Kind::LimitExceeded
    } else if has(&["status 404", "answered 404"]) {
        Kind::EndpointMissing
    } else if has(&["status 401", "status 403", "answered 401", "answered 403"]) {
        Kind::AccessDenied
    } else if has(&["connection refused"]) {
        Kind::ConnectionRefused
    } else if has(&[
        "no such host",
        "name resolution",
        "name or service not known",
        "dns error",
        "failed to lookup address",
    ]) {
        Kind::HostUnknown
    } else if has(&["deadline exceeded", "timeout", "no whole answer"]) {
        Kind::ScrapeTimeout
    } else if has(&["tls", "x509", "certificate"]) {
        Kind::TlsFailed
    } else if has(&[
        "start token",
        "can't be read",
        "no page of metrics",
        "content-type",
        "parse",
        "expected",
        "invalid",
        "line ",
    ]) {
        Kind::PageUnreadable
    } else {
        Kind::TargetDown
    }
}

fn in_words(kind: Kind, who: &str) -> String {
    match kind {
        Kind::ExemplarsRefused => {
            format!("{who} refuses the exemplars that a traced Spring Boot 4.1 sends on _count")
        }
        Kind::LimitExceeded => "its page is over a limit of the scrape configuration".into(),
        Kind::EndpointMissing => "there is no such endpoint (404)".into(),
        Kind::AccessDenied => "it wants to know who asks (401 or 403)".into(),
        Kind::ConnectionRefused => "nobody listens at its address".into(),
        Kind::HostUnknown => "its host has no address".into(),
        Kind::ScrapeTimeout => "it doesn't answer within the scrape timeout".into(),
        Kind::TlsFailed => "no secure connection comes about".into(),
        Kind::PageUnreadable => "what it answers is not a page of metrics".into(),
        _ => "it doesn't answer as it should".into(),
    }
}

fn cures(kind: Kind, target: &Target) -> Vec<Cure> {
    match kind {
        Kind::ExemplarsRefused => vec![
            Cure::say("update Prometheus to 2.43 or later"),
            without_exemplars(),
        ],
        Kind::EndpointMissing => vec![
            Cure::copy(
                "expose the endpoint, with spring-boot-starter-actuator and \
                 io.micrometer:micrometer-registry-prometheus on the class path",
                APPLICATION,
                "management.endpoints.web.exposure.include: health,prometheus",
            ),
            Cure::copy(
                "or scrape the path where it lies: a context path or a management.server.port of \
                 its own moves it",
                SCRAPE,
                "scrape_configs:\n  - job_name: …   # that of the target\n    metrics_path: /actuator/prometheus",
            ),
        ],
        Kind::AccessDenied => vec![
            Cure::copy(
                "give the scraper what it needs to be let in",
                SCRAPE,
                "scrape_configs:\n  - job_name: …   # that of the target\n    basic_auth:\n      username: prometheus\n      \
                 password_file: /run/secrets/scrape",
            ),
            Cure::say(
                "or permit EndpointRequest.to(\"prometheus\") in the application's SecurityFilterChain",
            ),
        ],
        Kind::ConnectionRefused => vec![Cure::say(format!(
            "start the application, or correct the address {} in the scrape configuration; a \
             management.server.port moves the endpoint, and management.server.address: 127.0.0.1 \
             hides it from other machines",
            instance(target)
        ))],
        Kind::HostUnknown => vec![Cure::say(format!(
            "correct the host name in {}, or the DNS of the machine that scrapes",
            instance(target)
        ))],
        Kind::ScrapeTimeout => vec![longer(target)],
        Kind::TlsFailed => vec![Cure::copy(
            "scrape with the scheme that the application speaks, and name the authority of its \
             certificate",
            SCRAPE,
            "scrape_configs:\n  - job_name: …   # that of the target\n    scheme: https   # http where server.ssl is not set\n    \
             tls_config:\n      ca_file: /etc/ssl/ca.pem",
        )],
        Kind::LimitExceeded => vec![Cure::say(
            "raise sample_limit or body_size_limit of the job, or find out what makes so many \
             series: mostly raw paths in the label uri",
        )],
        Kind::PageUnreadable => vec![Cure::say(format!(
            "open {} and look: a login page, a proxy's error page or JSON means that the path or \
             the access is wrong; /actuator/prometheus is where Spring Boot answers",
            target.url
        ))],
        _ => vec![Cure::say(format!(
            "open {} from the machine that scrapes, and look at the application's log",
            target.url
        ))],
    }
}

fn longer(target: &Target) -> Cure {
    let timeout = target.timeout.unwrap_or(std::time::Duration::from_secs(10));
    let interval = target.interval.unwrap_or(timeout * 2);
    let longer = timeout * 2;
    let snippet = format!(
        "scrape_configs:\n  - job_name: …   # that of the target\n    scrape_interval: {}\n    scrape_timeout: {}",
        Span(interval.max(longer)),
        Span(longer)
    );
    Cure::copy(
        "make the page smaller (uri values, histograms nobody reads), give the application CPU, or \
         wait longer",
        SCRAPE,
        snippet,
    )
}

fn slow(seen: &TargetSeen) -> Option<Finding> {
    let target = &seen.target;
    let (took, timeout) = (target.took?, target.timeout?);
    (took.as_secs_f64() > SLOW_SHARE * timeout.as_secs_f64()).then(|| {
        let what = format!(
            "the last scrape of {} took {:.1} s of the {} that it may take",
            name(target),
            took.as_secs_f64(),
            Span(timeout)
        );
        let mut finding =
            Finding::new(Level::Warning, Kind::ScrapeSlow, what).at(target.url.clone());
        finding.service = seen.service.clone();
        finding.cure(longer(target))
    })
}

/// One finding for all of them: an exporter of machines or queues is nothing wrong.
fn unknown(observed: &Observed) -> Option<Finding> {
    let unknown: Vec<String> = observed
        .targets
        .iter()
        .filter(|seen| seen.target.health == TargetHealth::Up && !seen.known)
        .map(|seen| name(&seen.target))
        .collect();
    // Where nothing is known at all, that is said by itself.
    if unknown.is_empty() || observed.services.is_empty() {
        return None;
    }
    // Whoever writes a scrape configuration for Bellwether means every target of it.
    let level = match observed.origin {
        Origin::Prometheus { .. } => Level::Note,
        Origin::Pages { .. } => Level::Warning,
    };
    let what = format!(
        "{} without any of the series that services have",
        counted(unknown.len(), "target")
    );
    Some(
        Finding::new(level, Kind::TargetUnknown, what)
            .shown_by(few(&unknown))
            .cure(Cure::say(
                "nothing, if these are no services; else add io.micrometer:micrometer-registry-prometheus, \
                 or metrics of your own to `metrics` in config.yaml",
            )),
    )
}

fn name(target: &Target) -> String {
    let job = target.labels.get("job").map_or("", String::as_str);
    format!("{} of job {}", instance(target), sources::excerpt(job, 60))
}

fn instance(target: &Target) -> String {
    let instance = target.labels.get("instance");
    sources::excerpt(instance.unwrap_or(&target.url), 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Prometheus 2.42 and 3 say it.
    #[test]
    fn errors_of_prometheus_are_told_apart() {
        for (error, kind) in [
            (
                "metric name hikaricp_connections_acquire_seconds_count does not support exemplars",
                Kind::ExemplarsRefused,
            ),
            (
                "server returned HTTP status 404 Not Found",
                Kind::EndpointMissing,
            ),
            (
                "server returned HTTP status 401 Unauthorized",
                Kind::AccessDenied,
            ),
            (
                "server returned HTTP status 403 Forbidden",
                Kind::AccessDenied,
            ),
            (
                "server returned HTTP status 500 Internal Server Error",
                Kind::TargetDown,
            ),
            (
                "Get \"http://127.0.0.1:18998/metrics\": dial tcp 127.0.0.1:18998: connect: connection refused",
                Kind::ConnectionRefused,
            ),
            (
                "Get \"http://no-such-host.invalid:80/metrics\": dial tcp: lookup no-such-host.invalid on 10.255.255.53:53: no such host",
                Kind::HostUnknown,
            ),
            (
                "Get \"http://127.0.0.1:18999/slow\": context deadline exceeded",
                Kind::ScrapeTimeout,
            ),
            (
                "Get \"https://127.0.0.1:18999/metrics\": tls: first record does not look like a TLS handshake",
                Kind::TlsFailed,
            ),
            (
                "\"INVALID\" is not a valid start token",
                Kind::PageUnreadable,
            ),
            (
                "expected a valid start token, got \"<\" (\"INVALID\") while parsing: \"<\"",
                Kind::PageUnreadable,
            ),
            (
                "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target",
                Kind::PageUnreadable,
            ),
            ("sample limit exceeded", Kind::LimitExceeded),
            ("body size limit exceeded", Kind::LimitExceeded),
            // Our own scraper's.
            (
                "can't connect to 127.0.0.1:18998: Connection refused (os error 111)",
                Kind::ConnectionRefused,
            ),
            (
                "can't connect to h.invalid: failed to lookup address information: Name or service not known",
                Kind::HostUnknown,
            ),
            (
                "can't speak TLS with h:1: invalid peer certificate: UnknownIssuer",
                Kind::TlsFailed,
            ),
            (
                "it didn't answer in full within the timeout of 1s",
                Kind::ScrapeTimeout,
            ),
            (
                "it answered 404; is metrics_path right?",
                Kind::EndpointMissing,
            ),
            (
                "it answered 401; give it basic_auth or authorization",
                Kind::AccessDenied,
            ),
            (
                "it answered text/html, which is no page of metrics: are metrics_path and port right?",
                Kind::PageUnreadable,
            ),
            (
                "its page can't be read: line 3: no value",
                Kind::PageUnreadable,
            ),
            (
                "its page has 9 samples, and 5 are allowed; raise sample_limit or let it say less",
                Kind::LimitExceeded,
            ),
            ("", Kind::TargetDown),
        ] {
            assert_eq!(cause(error), kind, "{error}");
        }
    }
}
