//! A copy made while the server runs and is asked things is used by another: the same incidents,
//! models and rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Bellwether, figure, folder, run, scaled, until};
use crate::knobs::scripted::Scripted;

const TICK: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const BACKUPS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_is_used_by_another() {
    let dir = folder();
    let prometheus = Scripted::start(&[("busy", 30.0), ("calm", 30.0)], 12 * HOUR).await;
    let config = config(&prometheus);
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(2, Duration::from_secs(60)).await;
    prometheus.shift("busy", 97.0);
    until("an incident", Duration::from_secs(60), || async {
        (!bellwether.incidents().await.is_empty()).then_some(())
    })
    .await;
    let (status, _) = bellwether
        .post(
            "/api/v1/incidents/1/comment",
            Some(json!({"note": "before the backup"})),
        )
        .await;
    assert_eq!(status, 200);

    // It goes on ticking, moving rows and answering meanwhile.
    let before = incidents(&bellwether).await;
    let mut copies = Vec::new();
    for number in 0..BACKUPS {
        let copy = dir.path().join(format!("backups/{number}"));
        let rows = rows(&bellwether.data_dir());
        let models = files(&bellwether.data_dir().join("models"), "model");
        backed_up(&bellwether.dir, &copy);
        copies.push((copy, rows, models));
    }
    let after = incidents(&bellwether).await;
    drop(bellwether);

    let (mut rows_compared, mut models_compared) = (0, 0);
    for (copy, rows_before, models_before) in copies {
        let found = rows(&copy);
        for (series, lines) in &rows_before {
            // A row may have gone from one part to the other meanwhile, but not away.
            let found = found.get(series).expect("the series is in the backup");
            for line in lines {
                assert!(found.contains(line), "{series} has lost {line}");
                rows_compared += 1;
            }
        }
        let models = files(&copy.join("models"), "model");
        assert_eq!(models.len(), models_before.len());
        for (name, bytes) in models_before {
            assert!(models.get(&name) == Some(&bytes), "{name} is another one");
            models_compared += 1;
        }
        assert!(!copy.join("LOCK").exists() && !copy.join("log-index").exists());
        restored(&copy, &config, &before, &after).await;
    }
    figure(
        "api 6",
        "backups of a running server, restored",
        BACKUPS,
        "all whole",
        true,
    );
    figure(
        "api 6",
        "incidents of restored backups",
        before.len() * BACKUPS,
        "all equal",
        !before.is_empty(),
    );
    figure(
        "api 6",
        "models of restored backups, by their bytes",
        models_compared,
        "all equal",
        models_compared > 0,
    );
    figure(
        "api 6",
        "rows of restored backups",
        rows_compared,
        "all there",
        rows_compared > 0,
    );
}

fn config(prometheus: &Scripted) -> String {
    format!(
        "prometheus: {{ url: '{}' }}\n{}",
        prometheus.url,
        scaled(TICK)
    )
}

fn backed_up(dir: &Path, to: &Path) {
    let config = dir.join("bellwether.yaml");
    let arguments = ["backup", path(to), "--config", path(&config)];
    let output = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments);
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{errors}");
    assert!(
        said.contains("is backed up in") && said.contains("database"),
        "{said}"
    );
    // Drawn on terminals only.
    assert_eq!(errors, "");
    let again = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments);
    let errors = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(1), "{errors}");
    assert!(errors.contains("something is there already"), "{errors}");
}

/// What another server on a copy of the backup says. Nobody answers where its metrics are, so that
/// nothing is seen anew.
async fn restored(copy: &Path, config: &str, before: &[Value], after: &[Value]) {
    let dir = folder();
    let copied = std::process::Command::new("cp")
        .args(["-a", path(copy), path(&dir.path().join("data"))])
        .status();
    assert!(copied.unwrap().success());
    let config: Vec<&str> = config.lines().skip(1).collect();
    let config = format!(
        "prometheus: {{ url: 'http://127.0.0.1:9' }}\n{}",
        config.join("\n")
    );
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    let found = incidents(&bellwether).await;
    assert_eq!(found.len(), before.len());
    for (found, (before, after)) in found.iter().zip(before.iter().zip(after)) {
        // What fires is seen at each tick; all else is as it was told before or after.
        let steady = |incident: &Value| {
            let mut incident = incident.clone();
            let whole = incident.as_object_mut().unwrap();
            for moves in [
                "last_seen_ts",
                "summary",
                "members",
                "explanation",
                "logs",
                "timeline",
                "revision",
            ] {
                whole.remove(moves);
            }
            incident
        };
        assert_eq!(steady(found), steady(before));
        let seen = |incident: &Value| incident["last_seen_ts"].as_str().unwrap().to_owned();
        assert!(
            seen(found) >= seen(before) && seen(found) <= seen(after),
            "{found:#}"
        );
        let told = |incident: &Value| incident["timeline"].as_array().unwrap().clone();
        assert_eq!(told(found)[..told(before).len()], told(before)[..]);
        assert!(told(found).iter().any(|entry| {
            entry["text"]
                .as_str()
                .unwrap()
                .contains("before the backup")
        }));
    }
    assert!(
        !bellwether.data_dir().join("quarantine").exists(),
        "{}",
        bellwether.log()
    );
}

/// All incidents, whole, by number.
async fn incidents(bellwether: &Bellwether) -> Vec<Value> {
    let mut found = Vec::new();
    for incident in bellwether.incidents().await.iter().rev() {
        let (status, whole) = bellwether
            .get(&format!("/api/v1/incidents/{}", incident["id"]))
            .await;
        assert_eq!(status, 200);
        found.push(whole);
    }
    found
}

/// The whole lines of each series, of both parts.
pub fn rows(data: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, bytes) in files(&data.join("datasets"), "csv") {
        let text = String::from_utf8(bytes).unwrap();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let series = name.replace("/history/", "/").replace("/anomaly/", "/");
        let lines = whole.lines().skip(1).map(str::to_owned);
        found.entry(series).or_default().extend(lines);
    }
    found
}

/// The files below a folder with an ending, by their path in it.
pub fn files(folder: &Path, ending: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read(path).unwrap_or_default());
            }
        }
    }
    found
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
