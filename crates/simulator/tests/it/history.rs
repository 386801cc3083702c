//! History goes into a real Prometheus and has the labels a live scrape would have had.

use std::collections::BTreeSet;
use std::process::Command;

use simulator::{
    DEFAULT_JOB, Discovery, Families, FaultKind, Fleet, Span, Topology, prometheus_config,
    write_openmetrics, write_openmetrics_by_block,
};

use crate::prom_text::Text;
use crate::{MINUTE_MS, NOON_MS, fault, shop};

#[test]
fn promtool_takes_the_history() {
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("promtool is not installed; skipped");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.om");
    let data = folder.path().join("data");
    let mut fleet = shop(vec![
        fault("orders", FaultKind::BadRelease, 1.0, "20m", "10m"),
        fault("payments", FaultKind::Stopped, 1.0, "35m", "5m"),
    ]);
    let out = std::fs::File::create(&file).expect("a file");
    let to_ms = NOON_MS + 60 * MINUTE_MS;
    let summary = write_openmetrics(
        &mut fleet,
        NOON_MS,
        to_ms,
        Span::from_secs(60),
        Families::Catalogue,
        out,
        DEFAULT_JOB,
    )
    .expect("history is written");
    assert_eq!(fleet.now_ms(), to_ms);
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&file, &data])
        .output()
        .expect("promtool runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let listed = Command::new("promtool")
        .args(["tsdb", "list"])
        .arg(&data)
        .output()
        .expect("promtool runs");
    let listed = String::from_utf8_lossy(&listed.stdout);
    let samples: usize = listed
        .lines()
        .skip(1)
        .filter_map(|line| {
            line.split_whitespace()
                .nth(4)
                .and_then(|cell| cell.parse::<usize>().ok())
        })
        .sum();
    assert_eq!(samples, summary.samples, "{listed}");
}

#[test]
fn history_has_the_labels_of_a_live_scrape_and_goes_on() {
    let mut fleet = shop(vec![]);
    let mut out = Vec::new();
    let to_ms = NOON_MS + 5 * MINUTE_MS;
    write_openmetrics(
        &mut fleet,
        NOON_MS,
        to_ms,
        Span::from_secs(15),
        Families::All,
        &mut out,
        "fleet",
    )
    .expect("history is written");
    let text = String::from_utf8(out).expect("text");
    assert!(text.ends_with("\n# EOF\n"));
    assert!(!text.contains("\n\n"));

    let stamp = format!(" {}.{:03}", to_ms / 1_000, to_ms % 1_000);
    let last: String = text
        .lines()
        .filter_map(|line| line.strip_suffix(stamp.as_str()))
        .flat_map(|line| [line, "\n"])
        .collect();
    let history = Text::parse(&last);
    let of_instance: BTreeSet<String> = history
        .samples
        .iter()
        .filter(|sample| sample.labels["instance"] == "orders-2" && sample.name != "up")
        .map(|sample| {
            let mut labels = sample.labels.clone();
            assert_eq!(labels.remove("instance").as_deref(), Some("orders-2"));
            assert_eq!(labels.remove("job").as_deref(), Some("fleet"));
            format!("{}{labels:?} {}", sample.name, sample.value)
        })
        .collect();
    let live: BTreeSet<String> =
        Text::parse(&fleet.expose("orders", 2, to_ms).expect("orders answers"))
            .samples
            .iter()
            .map(|sample| format!("{}{:?} {}", sample.name, sample.labels, sample.value))
            .collect();
    assert_eq!(of_instance, live);
    assert_eq!(
        history
            .all("up", &[("instance", "orders-2")])
            .map(|s| s.value)
            .collect::<Vec<_>>(),
        [1.0]
    );
}

#[test]
fn blocks_together_are_the_whole_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from_ms, to_ms) = (NOON_MS - 50 * MINUTE_MS, NOON_MS + 130 * MINUTE_MS + 7);
    let step = Span::from_secs(7 * 60);
    let fleet = || Fleet::new(Topology::shop(), vec![], 7, from_ms).expect("a fleet");
    let mut whole = Vec::new();
    write_openmetrics(
        &mut fleet(),
        from_ms,
        to_ms,
        step,
        Families::All,
        &mut whole,
        "fleet",
    )
    .expect("history is written");
    let files = write_openmetrics_by_block(
        &mut fleet(),
        from_ms,
        to_ms,
        step,
        Families::All,
        folder.path(),
        "fleet",
    )
    .expect("history is written");
    assert_eq!(files.len(), 3);
    let parts: String = files
        .iter()
        .map(|file| {
            std::fs::read_to_string(file)
                .expect("a file")
                .replace("# EOF\n", "")
        })
        .collect();
    assert!(String::from_utf8(whole).expect("text") == parts + "# EOF\n");
}

#[test]
fn a_step_of_nothing_is_refused() {
    let result = write_openmetrics(
        &mut shop(vec![]),
        0,
        1,
        Span::default(),
        Families::All,
        Vec::new(),
        "fleet",
    );
    assert!(
        result
            .expect_err("no step")
            .to_string()
            .contains("longer than 0s")
    );
}

#[test]
fn prometheus_accepts_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, discovery) in [
        (
            "http.yml",
            Discovery::Http("http://127.0.0.1:9600/sd".to_owned()),
        ),
        ("file.yml", Discovery::File("targets.json".into())),
    ] {
        let config = prometheus_config(&discovery, Span::from_secs(15), DEFAULT_JOB);
        assert!(config.contains("honor_labels: true"));
        let path = folder.path().join(name);
        std::fs::write(&path, config).expect("a file");
        if let Ok(checked) = Command::new("promtool")
            .args(["check", "config"])
            .arg(&path)
            .output()
        {
            assert!(
                checked.status.success(),
                "{}",
                String::from_utf8_lossy(&checked.stderr)
            );
        }
    }
}
