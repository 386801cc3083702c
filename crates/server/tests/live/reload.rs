//! A new configuration while the server runs: taken over, refused, or named for the next start.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Bellwether, folder, until};
use crate::knobs::scripted::Scripted;

const HOUR: Duration = Duration::from_secs(3_600);

/// Writes the configuration anew, as a person would while it runs.
fn write(server: &Bellwether, config: &str) {
    let file = server.dir.join("bellwether.yaml");
    let old = fs::read_to_string(&file).unwrap();
    let fixed: Vec<&str> = old
        .lines()
        .filter(|line| line.starts_with("listen:") || line.starts_with("data_dir:"))
        .collect();
    fs::write(&file, format!("{config}\n{}\n", fixed.join("\n"))).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_over_what_it_can_and_names_the_rest() {
    let dir = folder();
    let prometheus = Scripted::start(&[("alpha", 50.0)], HOUR).await;
    let base = format!(
        "prometheus: {{ url: '{}' }}\ntick: 1s\nevaluation_delay: 1s\n",
        prometheus.url
    );
    let server = Bellwether::start(dir.path(), &base, &[]).await;
    let severity = |high: &'static str| {
        let server = &server;
        until(
            "the severity",
            Duration::from_secs(30),
            move || async move {
                let (_, answer) = server.get("/metrics?service=alpha").await;
                let cpu = answer["metrics"]
                    .as_array()?
                    .iter()
                    .find(|m| m["id"] == "cpu")?;
                (cpu["severity"] == high).then_some(())
            },
        )
    };
    severity("Normal").await;

    write(
        &server,
        &(base.replace("tick: 1s", "tick: 2s")
            + "services: { alpha: { metrics: { cpu: { high: 40 } } } }\nlog: { level: debug }\n"),
    );
    let (status, answer) = server.post("/-/reload", None).await;
    assert_eq!(status, 200, "{answer}");
    let changed = answer["changed"].to_string();
    for key in ["log.level", "services.alpha.metrics.cpu.high", "tick"] {
        assert!(changed.contains(key), "{answer}");
    }
    assert_eq!(answer["needs_restart"], serde_json::json!(["tick"]));
    severity("High").await;
    let (_, status) = server.get("/api/v1/status").await;
    assert_eq!(status["configuration"]["needs_restart"][0], "tick");
    assert_eq!(status["tick_seconds"], 1.0);

    // A metric that is added is collected.
    let added = "metrics: { twice: { query: 'max by ($identity, instance) (avg_over_time(process_cpu_usage[$range]))', high: 2 } }\n";
    write(&server, &(base.clone() + added));
    let _ = Command::new("kill")
        .args(["-HUP", &server.pid().to_string()])
        .status();
    until("the added metric", Duration::from_secs(30), || async {
        let (_, answer) = server.get("/metrics?service=alpha").await;
        let metrics = answer["metrics"].as_array()?;
        metrics.iter().find(|m| m["id"] == "twice")?;
        Some(())
    })
    .await;
    severity("Normal").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_leaves_the_one_before_in_force() {
    let dir = folder();
    let prometheus = Scripted::start(&[("alpha", 50.0)], HOUR).await;
    let base = format!(
        "prometheus: {{ url: '{}' }}\ntick: 1s\ndecide: {{ open_after: 7s }}\n",
        prometheus.url
    );
    let server = Bellwether::start(dir.path(), &base, &[]).await;
    let lol: String = (1..9)
        .map(|n| {
            format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{}", n - 1); 9].join(", ")
            )
        })
        .collect();
    let bad = [
        ("not YAML", "tick: [", "bellwether.yaml"),
        ("an unknown key", "tikc: 1s", "did you mean `tick`?"),
        (
            "an impossible value",
            "decide: { open_after: -1s }",
            "decide.open_after",
        ),
        ("half a file", "decide: { open_after: 9s", "bellwether.yaml"),
        (
            "a billion laughs",
            &format!("a0: &a0 [lol]\n{lol}"),
            "bellwether.yaml",
        ),
        (
            "a receiver without an address",
            "notify: { receivers: [ { name: a } ] }",
            "has no address",
        ),
    ];
    for (what, text, expected) in bad {
        write(&server, text);
        let (status, answer) = server.post("/-/reload", None).await;
        assert_eq!(status, 400, "{what}: {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{what}: {detail}");
        let (_, status) = server.get("/api/v1/status").await;
        let refused = status["configuration"]["refused"].as_str();
        assert!(
            refused.is_some_and(|why| why.contains(expected)),
            "{what}: {status}"
        );
    }
    let file = server.dir.join("bellwether.yaml");
    fs::rename(&file, server.dir.join("away.yaml")).unwrap();
    let (status, answer) = server.post("/-/reload", None).await;
    assert_eq!(status, 400, "{answer}");
    assert!(
        server
            .text("/metrics")
            .await
            .contains("bellwether_config_last_reload_successful 0")
    );

    fs::write(&file, "").unwrap();
    fs::rename(server.dir.join("away.yaml"), &file).unwrap();
    write(&server, &base);
    for _ in 0..100 {
        let (status, answer) = server.post("/-/reload", None).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["changed"], serde_json::json!([]), "{answer}");
    }
    assert!(
        server
            .text("/metrics")
            .await
            .contains("bellwether_config_last_reload_successful 1")
    );
    let (_, status) = server.get("/api/v1/status").await;
    assert!(status["configuration"]["refused"].is_null(), "{status}");
    assert!(server.log().contains("the one before stays in force"));
}
