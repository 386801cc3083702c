//! The single node of `docs/single-node.md`: its commands for upgrade, backup and restore are taken
//! from the page and run, and its disk stays within its bound.

mod aged;
mod installed;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::backup::{files, rows};
use crate::harness::{Bellwether, figure, folder, scaled, until};
use crate::knobs::scripted::{Scripted, now};
use aged::Aged;
use installed::Installed;

const LINE: &str = "spring 5";
const PATIENCE: Duration = Duration::from_secs(60);
/// The least that may be set.
const DISK_MAX: u64 = 64 * 1024 * 1024;
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn upgrade_backup_and_restore_of_the_page_keep_what_was() {
    let prometheus = Scripted::start(&[("busy", 30.0), ("calm", 30.0)], DAY / 2).await;
    let node = Installed::new(&prometheus.url);
    node.systemctl("start");
    node.wait_up().await;
    until("models", PATIENCE, || async {
        let status = node.get("/api/v1/status").await;
        (status["models"].as_u64()? >= 2).then_some(())
    })
    .await;
    prometheus.shift("busy", 97.0);
    until("an incident", PATIENCE, || async {
        let page = node.get("/api/v1/incidents").await;
        (page["items"].as_array()?.len() == 1).then_some(())
    })
    .await;

    let old = node.running();
    node.run("upgrade");
    assert_ne!(node.running(), old, "the old program is running");
    node.comment("before the backup").await;
    let before = node.get("/api/v1/incidents/1").await;
    // Backups bear the second of their beginning, and the upgrade has made one.
    let second = || now().as_millis().div_euclid(1_000);
    let upgraded = second();
    until("the next second", PATIENCE, || async {
        (second() > upgraded).then_some(())
    })
    .await;
    node.run("backup");
    node.comment("after the backup").await;
    node.run("restore");

    let after = node.get("/api/v1/incidents/1").await;
    for key in ["service", "status", "opened_ts", "onset_ts", "severity"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    let told = |incident: &Value| incident["timeline"].as_array().unwrap().clone();
    assert_eq!(told(&after)[..told(&before).len()], told(&before)[..]);
    let text = after.to_string();
    assert!(text.contains("before the backup") && !text.contains("after the backup"));

    let (backup, data) = (node.newest_backup(), node.path("/var/lib/bellwether"));
    same_models_and_rows(&backup, &data);
    assert!(!data.join("quarantine").exists());
    assert!(node.path("/var/lib/bellwether.old/bellwether.db").exists());
    figure(
        LINE,
        "upgrade, backup and restore by the commands of the page",
        "incidents, models and rows are those of the backup",
        "the same",
        true,
    );
}

/// Models by their bytes; rows may have gone from one part to the other, and new ones have come.
fn same_models_and_rows(backup: &Path, data: &Path) {
    let models = files(&backup.join("models"), "model");
    assert!(models.len() >= 2, "{:?}", models.keys());
    assert!(files(&data.join("models"), "model") == models);
    let (kept, found) = (rows(backup), rows(data));
    assert!(kept.values().map(Vec::len).sum::<usize>() > 1_000);
    for (series, lines) in kept {
        let found = &found[&series];
        let lost = lines.iter().find(|line| !found.contains(line));
        assert_eq!(lost, None, "of {series}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_stays_within_its_bound_and_the_newest_rows_stay() {
    let dir = folder();
    let prometheus = Scripted::start(&[("calm", 30.0)], DAY / 2).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\n{}training: {{ window: 1d }}\nretention: {{ disk_max: 64MiB }}\n",
        prometheus.url,
        scaled(Duration::from_secs(1))
    );
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.terminate().await;
    let aged = Aged::lay_down(&bellwether.data_dir(), now());
    let laid_down = aged.bytes();
    assert!(laid_down > DISK_MAX * 5 / 4, "{laid_down}");

    bellwether.start_again(&config).await;
    until("rows to go", PATIENCE, || async {
        (bytes_below(&bellwether.data_dir()) <= DISK_MAX).then_some(())
    })
    .await;
    let left = bytes_below(&bellwether.data_dir());
    figure(
        LINE,
        "data_dir after retention, disk_max 64 MiB",
        format!(
            "{:.1} MiB, before {:.1} MiB",
            left as f64 / (1 << 20) as f64,
            laid_down as f64 / (1 << 20) as f64
        ),
        "≤ 64 MiB",
        left <= DISK_MAX,
    );
    let log = bellwether.log();
    assert!(log.contains("to stay within disk_max"), "{log}");
    assert!(!log.contains("could not be dropped"), "{log}");
    for (rows, newest) in aged.left() {
        // Some went and most stayed; what is left is the end, and all of it.
        assert!(rows > Aged::ROWS / 3 && rows < Aged::ROWS, "{rows}");
        assert_eq!(newest, rows, "none is missing within");
    }
    let (status, _) = bellwether.get("/readyz").await;
    assert_eq!(status, 200);
}

/// As `du` counts them.
fn bytes_below(folder: &Path) -> u64 {
    let output = Command::new("du").arg("-sb").arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    said.split('\t').next().unwrap().parse().unwrap()
}
