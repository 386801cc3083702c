//! Configurations as Prometheus has them: what is understood, warned of and refused.

use std::path::Path;
use std::time::Duration;

use embedded::scrape::{Authorization, ScrapeConfig, Secret, SecretSource};

const PATH: &str = "conf/prometheus.yml";

fn parse(yaml: &str) -> (ScrapeConfig, Vec<String>) {
    ScrapeConfig::parse(yaml, PATH).unwrap_or_else(|error| panic!("{error} in {yaml}"))
}

/// What is said of a job with these lines, which begin at line 4.
fn refusal_of_job(lines: &str) -> String {
    let lines = lines.replace('\n', "\n    ");
    refusal(&format!(
        "scrape_configs:\n\n  - job_name: shop\n    {lines}\n"
    ))
}

fn refusal(yaml: &str) -> String {
    match ScrapeConfig::parse(yaml, PATH) {
        Ok(read) => panic!("{yaml} was taken: {read:?}"),
        Err(error) => error.to_string(),
    }
}

const WHOLE: &str = r#"
global:
  scrape_interval: 15s
  evaluation_interval: 15s
  external_labels: {monitor: codelab}
  sample_limit: 9000
rule_files: [rules.yml]
alerting:
  alertmanagers: []
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:9090"]
  - job_name: 'shop'
    scrape_interval: 1m30s
    scrape_timeout: 5s
    metrics_path: /actuator/prometheus
    scheme: https
    params:
      b: [x, 2]
      a: ["y z"]
    honor_labels: true
    honor_timestamps: true
    sample_limit: 5000
    body_size_limit: 10MB
    basic_auth: {username: me, password_file: secrets/password}
    tls_config: {ca_file: /etc/ca.pem, insecure_skip_verify: false}
    scrape_protocols: [PrometheusText0.0.4]
    relabel_configs: []
    static_configs:
      - targets: [orders:8080, "[::1]:80", "10.0.0.1"]
        labels: {env: 1, on: true, zone: "a b", version: 1.10}
      - targets: []
    file_sd_configs:
      - files: ["targets/*.json"]
        refresh_interval: 1m
"#;

#[test]
fn a_whole_file_is_understood() {
    let (config, warnings) = parse(WHOLE);
    let [first, shop] = config.jobs.as_slice() else {
        panic!("{config:?}");
    };
    assert_eq!(
        (first.interval, first.timeout),
        (Duration::from_secs(15), Duration::from_secs(10))
    );
    assert_eq!(
        (first.metrics_path.as_str(), first.scheme.as_str()),
        ("/metrics", "http")
    );
    assert_eq!(
        (first.sample_limit, first.honor_labels),
        (Some(9000), false)
    );
    assert_eq!(
        (shop.interval, shop.timeout),
        (Duration::from_secs(90), Duration::from_secs(5))
    );
    assert_eq!(
        (shop.sample_limit, shop.body_size_limit),
        (Some(5000), Some(10 << 20))
    );
    assert_eq!(
        shop.params,
        [
            ("a".to_owned(), vec!["y z".to_owned()]),
            ("b".to_owned(), vec!["x".to_owned(), "2".to_owned()]),
        ]
    );
    assert_eq!(
        shop.authorization,
        Some(Authorization::Basic {
            username: SecretSource::Given(Secret::new("me")),
            password: SecretSource::File("conf/secrets/password".into()),
        })
    );
    assert_eq!(shop.tls.ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
    assert_eq!(shop.files, [Path::new("conf/targets/*.json")]);
    // Numbers and truth values are labels as they are written.
    let labels = shop.groups[0].labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(labels, ["env=1", "on=true", "version=1.10", "zone=a b"]);
    assert_eq!(
        shop.groups[0].targets,
        ["orders:8080", "[::1]:80", "10.0.0.1"]
    );
    assert_eq!(
        warnings,
        [
            "conf/prometheus.yml:7: rule_files: ignored: it has no meaning here",
            "conf/prometheus.yml:8: alerting: ignored: it has no meaning here",
            "conf/prometheus.yml:23: scrape_configs[1].honor_timestamps: the times on a page are not used: its samples get the time of the scrape",
            "conf/prometheus.yml:28: scrape_configs[1].scrape_protocols: ignored: it has no meaning here",
        ]
    );
}

#[test]
fn a_short_interval_brings_its_timeout_along() {
    let (config, _) = parse("global: {scrape_interval: 5s}\nscrape_configs: [{job_name: a}]");
    assert_eq!(config.jobs[0].timeout, Duration::from_secs(5));
    let (config, _) = parse("scrape_configs: [{job_name: a, scrape_interval: 2s}]");
    assert_eq!(config.jobs[0].timeout, Duration::from_secs(2));
}

#[test]
fn a_path_may_lack_its_slash() {
    let (config, _) = parse("scrape_configs: [{job_name: a, metrics_path: actuator/prometheus}]");
    assert_eq!(config.jobs[0].metrics_path, "/actuator/prometheus");
}

#[test]
fn nothing_to_scrape_is_said() {
    for empty in ["", "# nothing\n", "global: {}", "scrape_configs: []"] {
        let (config, warnings) = parse(empty);
        let said = "conf/prometheus.yml:1: scrape_configs: it names no job, so nothing is scraped";
        assert_eq!(
            (config.jobs.len(), warnings.as_slice()),
            (0, [said.to_owned()].as_slice())
        );
    }
}

#[test]
fn what_would_change_the_data_is_refused_with_a_way_out() {
    for (lines, said) in [
        (
            "relabel_configs: [{action: drop}]",
            "relabel_configs: labels are not rewritten here, and without it the series would be others; write labels into static_configs, or keep the Prometheus",
        ),
        (
            "metric_relabel_configs: [{action: drop}]",
            "metric_relabel_configs: labels are not rewritten",
        ),
        (
            "kubernetes_sd_configs: [{role: pod}]",
            "kubernetes_sd_configs: targets are only found by static_configs and file_sd_configs",
        ),
        (
            "http_sd_configs: [{url: http://x}]",
            "http_sd_configs: targets are only found",
        ),
        (
            "proxy_url: http://proxy",
            "proxy_url: targets are only asked directly",
        ),
        (
            "tls_config: {cert_file: a}",
            "tls_config.cert_file: of tls_config, ca_file",
        ),
    ] {
        let refusal = refusal_of_job(lines);
        let expected = format!("conf/prometheus.yml:4: scrape_configs[0].{said}");
        assert!(refusal.starts_with(&expected), "{refusal}");
        assert!(
            refusal.contains("keep the Prometheus that follows this file"),
            "{refusal}"
        );
    }
}

#[test]
fn what_prometheus_refuses_is_refused_with_its_place() {
    for (lines, said) in [
        (
            "scrape_interval: 15",
            "scrape_interval: \"15\" is no duration; write e.g. 15s or 1m30s",
        ),
        (
            "scrape_interval: 0s",
            "scrape_interval: \"0s\" is no duration; write e.g. 15s or 1m30s",
        ),
        (
            "scrape_interval: 1ms",
            "scrape_interval: scraping more often than every 100ms is not possible",
        ),
        (
            "scrape_timeout: 2m",
            "scrape_timeout: the timeout 2m is longer than the interval 1m; choose one that isn't",
        ),
        (
            "metrics_path: /metrics?a=b",
            "metrics_path: \"/metrics?a=b\" is no path; write e.g. /actuator/prometheus, and what follows a ? under params",
        ),
        ("scheme: ftp", "scheme: \"ftp\" is neither http nor https"),
        (
            "honor_labels: maybe",
            "honor_labels: \"maybe\" is neither true nor false",
        ),
        (
            "sample_limit: many",
            "sample_limit: \"many\" is no number of samples; write e.g. 5000",
        ),
        (
            "body_size_limit: 1PB",
            "body_size_limit: \"1PB\" is no size; write e.g. 10MB",
        ),
        (
            "params: {a: b}",
            "params.a: it must be a list, not a single value",
        ),
        (
            "static_configs: {targets: []}",
            "static_configs: it must be a list, not a map",
        ),
        (
            "static_configs: [{targets: [a, 'http://b:80/x']}]",
            "static_configs[0].targets: the target \"http://b:80/x\" has a scheme; write \"b:80\" here and the rest under scheme and metrics_path",
        ),
        (
            "static_configs: [{targets: ['b:80/x']}]",
            "static_configs[0].targets: the target \"b:80/x\" has a path; write host:port here and the path under metrics_path",
        ),
        (
            "static_configs: [{targets: ['b:http']}]",
            "static_configs[0].targets: the target \"b:http\" is none; write host:port, e.g. orders:8080",
        ),
        (
            "static_configs: [{targets: ['']}]",
            "static_configs[0].targets: the target \"\" is none; write host:port, e.g. orders:8080",
        ),
        (
            "static_configs: [{targets: ['b:99999']}]",
            "static_configs[0].targets: the target \"b:99999\" is none; write host:port, e.g. orders:8080",
        ),
        (
            "static_configs: [{labels: {a-b: c}}]",
            "static_configs[0].labels.a-b: \"a-b\" is no name of a label: letters, digits and _, not beginning with a digit",
        ),
        (
            "static_configs: [{labels: {__address__: c}}]",
            "static_configs[0].labels.__address__: write it under targets, scrape_interval or scrape_timeout",
        ),
        (
            "file_sd_configs: [{files: ['a.txt']}]",
            "file_sd_configs[0].files: \"conf/a.txt\" must end in .json, .yml or .yaml, with at most one * in the last part",
        ),
        (
            "basic_auth: {username: a, password: b, password_file: c}",
            "basic_auth.password_file: it is given as text and as a file; choose one",
        ),
        (
            "authorization: {type: basic, credentials: x}",
            "authorization.type: write basic_auth for that",
        ),
        (
            "authorization: {type: Bearer}",
            "authorization: it needs credentials or credentials_file",
        ),
        (
            "job_nam: x",
            "job_nam: there is no such key in Prometheus's configuration, or none that is understood here; take it out",
        ),
    ] {
        let expected = format!("conf/prometheus.yml:4: scrape_configs[0].{said}");
        assert_eq!(refusal_of_job(lines), expected, "{lines}");
    }
    assert_eq!(
        refusal_of_job("bearer_token: a\nbearer_token_file: b"),
        "conf/prometheus.yml:5: scrape_configs[0].bearer_token_file: choose one of basic_auth, authorization, bearer_token and bearer_token_file"
    );
    assert_eq!(
        refusal("scrape_configs:\n- job_name: a\n- job_name: b\n- job_name: a\n"),
        "conf/prometheus.yml:4: scrape_configs[2].job_name: another job is called \"a\"; give each its own name"
    );
    assert_eq!(
        refusal("scrape_configs:\n- scheme: http\n"),
        "conf/prometheus.yml:2: scrape_configs[0].job_name: it is missing; every job needs a name"
    );
    assert_eq!(
        refusal("global:\n  scrape_interval: 5s\n  scrape_timeout: 6s\n"),
        "conf/prometheus.yml:3: global.scrape_timeout: the timeout 6s is longer than the interval 5s; choose one that isn't"
    );
    assert_eq!(
        refusal("a: 1\na: 2\n"),
        "conf/prometheus.yml:2: the key \"a\" is given twice"
    );
    assert!(refusal("scrape_configs: [").starts_with("conf/prometheus.yml:1: "));
}

#[test]
fn a_secret_is_never_shown() {
    let file = "scrape_configs: [{job_name: a, basic_auth: {username: hush, password: hush}}]";
    assert!(!format!("{:?}", parse(file)).contains("hush"));
    let refusal = refusal_of_job("bearer_token: \"hush\\n\"");
    assert!(!refusal.contains("hush"), "{refusal}");
}
