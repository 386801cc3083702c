//! Targets with their addresses and labels, from the configuration and from files beside it.

use std::fs;

use embedded::scrape::{ScrapeConfig, Targets};

fn found(yaml: &str) -> (Vec<String>, Vec<String>) {
    let (config, _) = ScrapeConfig::parse(yaml, "prometheus.yml").expect("a sound file");
    let (targets, remarks) = Targets::default().find(&config);
    let targets = targets
        .iter()
        .map(|target| format!("{} {}", target.url, target.labels));
    (targets.collect(), remarks)
}

#[test]
fn labels_of_a_group_win_and_those_with_underscores_steer() {
    let yaml = r#"
scrape_configs:
  - job_name: shop
    metrics_path: /m
    params: {a: [x y, z], b: ["1"]}
    static_configs:
      - targets: ["a:80", "[::1]:8080"]
      - targets: [b]
        labels:
          instance: bee
          job: other
          empty: ""
          __scheme__: https
          __metrics_path__: /actuator/prometheus
          __param_a: "&"
          __param_c: c
          __meta_zone: gone
"#;
    let (targets, remarks) = found(yaml);
    assert_eq!(
        targets,
        [
            r#"http://a/m?a=x+y&a=z&b=1 {instance="a:80",job="shop"}"#,
            r#"http://[::1]:8080/m?a=x+y&a=z&b=1 {instance="[::1]:8080",job="shop"}"#,
            r#"https://b/actuator/prometheus?a=%26&a=z&b=1&c=c {instance="bee",job="other"}"#,
        ]
    );
    assert_eq!(remarks, [""; 0]);
}

#[test]
fn targets_that_could_not_be_told_apart_are_scraped_once() {
    let yaml = r#"
scrape_configs:
  - job_name: a
    static_configs: [{targets: [x, x]}, {targets: [x], labels: {zone: b}}]
  - job_name: b
    metrics_path: /other
    static_configs: [{targets: [x], labels: {job: a}}]
"#;
    let (targets, remarks) = found(yaml);
    assert_eq!(
        targets,
        [
            r#"http://x/metrics {instance="x",job="a"}"#,
            r#"http://x/metrics {instance="x",job="a",zone="b"}"#,
        ]
    );
    assert_eq!(
        remarks,
        [
            r#"http://x/other is not scraped: another target has the same labels {instance="x",job="a"}; give one of them a label of its own"#
        ]
    );
}

#[test]
fn files_add_targets_and_keep_them_while_they_can_not_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    let yaml =
        "scrape_configs: [{job_name: a, file_sd_configs: [{files: ['t-*.json', 'more.yml']}]}]";
    let (config, _) = ScrapeConfig::parse(yaml, path.to_str().unwrap()).unwrap();
    let mut targets = Targets::default();
    let mut instances = || {
        let (found, remarks) = targets.find(&config);
        let instances = found
            .iter()
            .filter_map(|target| target.labels.get("instance"));
        (instances.collect::<Vec<_>>().join(" "), remarks)
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();

    let (none, remarks) = instances();
    assert!(none.is_empty() && remarks.len() == 1, "{none} {remarks:?}");
    assert!(remarks[0].ends_with("it adds no targets"), "{remarks:?}");

    write("more.yml", "- targets: [c]\n");
    write(
        "t-1.json",
        r#"[{"targets": ["a:1", "a:2"], "labels": {"__meta_x": "y", "zone": "1"}}]"#,
    );
    write("t-1.txt", "nothing");
    assert_eq!(instances(), ("a:1 a:2 c".to_owned(), vec![]));

    write("t-1.json", r#"[{"targets": ["a:1", "#);
    write("t-2.json", r#"[{"targets": ["b:1"]}]"#);
    let (kept, remarks) = instances();
    assert_eq!(kept, "a:1 a:2 b:1 c");
    assert!(
        remarks.len() == 1 && remarks[0].ends_with("its targets stay as they were"),
        "{remarks:?}"
    );
    assert!(remarks[0].contains("t-1.json:1: "), "{remarks:?}");

    fs::remove_file(folder.path().join("t-1.json")).unwrap();
    assert_eq!(instances(), ("b:1 c".to_owned(), vec![]));
}
