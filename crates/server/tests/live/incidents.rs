//! `bellwether incidents`: against a server that runs, and one that doesn't.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Bellwether, folder, free_port, run, scaled, until};
use crate::knobs::scripted::Scripted;

const HOUR: Duration = Duration::from_secs(3_600);

fn incidents(arguments: &[&str]) -> Output {
    let arguments = [&["incidents"], arguments].concat();
    run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments)
}

/// What it says; it ends well.
fn said(arguments: &[&str]) -> String {
    let output = incidents(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_listed_shown_and_changed_from_the_command_line() {
    let dir = folder();
    let services = [("busy", 30.0), ("calm", 30.0)];
    let prometheus = Scripted::start(&services, 12 * HOUR).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\n{}",
        prometheus.url,
        scaled(Duration::from_secs(1))
    );
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(2, Duration::from_secs(60)).await;
    let url = bellwether.url.clone();
    let list = |more: &[&str]| said(&[&["list", "--url", &url], more].concat());
    assert_eq!(list(&[]), "no incident is like that\n");
    prometheus.shift("busy", 97.0);
    until("an incident", Duration::from_secs(60), || async {
        (!bellwether.incidents().await.is_empty()).then_some(())
    })
    .await;

    let table = list(&[]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("#  severity  status"), "{table}");
    assert!(
        lines[1].starts_with("1  ") && lines[1].contains("  busy  "),
        "{table}"
    );
    assert!(
        !table.contains('\u{1b}'),
        "colours are for terminals: {table}"
    );
    for (filter, found) in [
        (["--status", "open,acknowledged"], true),
        (["--status", "RESOLVED"], false),
        (["--service", "busy"], true),
        (["--service", "calm"], false),
        (["--text", "BUSY cpu"], true),
        (["--text", "nowhere"], false),
        (["--limit", "1"], true),
    ] {
        assert_eq!(list(&filter).contains("busy"), found, "{filter:?}");
    }
    let page: Value = serde_json::from_str(&list(&["--json"])).unwrap();
    assert_eq!(page["items"][0]["id"], 1);

    let output = incidents(&[
        "ack", "#1", "1", "7", "--note", "looking", "--as", "Kim", "--url", &url,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let outcome = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = outcome.lines().collect();
    assert_eq!(lines[0], "#1 acknowledged");
    assert!(
        lines[1].starts_with("#7 not acknowledged: no such incident"),
        "{outcome}"
    );
    let shown = said(&["show", "1", "--url", &url]);
    for part in [
        "#1 busy ",
        ", acknowledged, ",
        "\nWhen\n  ",
        "\nWhat changed\n  ",
        "\nWhich\n  ",
        "\nHow unusual\n  ",
        "\nWhat the logs say\n  ",
        "\nTimeline\n  ",
        " Kim",
        "looking",
    ] {
        assert!(shown.contains(part), "{part:?} is missing: {shown}");
    }
    let resolved = said(&["resolve", "1", "--note", "rolled back", "--url", &url]);
    assert_eq!(resolved, "#1 resolved\n");
    let whole: Value =
        serde_json::from_str(&said(&["show", "1", "--json", "--url", &url])).unwrap();
    assert_eq!(
        (&whole["status"], &whole["resolution"]["note"]),
        (&json!("RESOLVED"), &json!("rolled back"))
    );
    assert!(list(&["--status", "resolved"]).contains("busy"));
    let missing = incidents(&["show", "99", "--url", &url]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no incident #99"));
}

#[test]
fn a_server_that_is_off_and_a_wrong_command_line_are_said() {
    let dir = folder();
    let file = dir.path().join("token");
    std::fs::write(&file, "two words\n").unwrap();
    let off = format!("http://127.0.0.1:{}", free_port());
    for (arguments, code, part) in [
        (
            vec!["list", "--url", &off],
            1,
            "no Bellwether answers at http://127.0.0.1:",
        ),
        (
            vec!["ack", "1", "--url", &off],
            1,
            "start it with `bellwether serve`",
        ),
        (
            vec!["list", "--url", "ftp://b"],
            2,
            "neither http nor https",
        ),
        (vec!["show", "0", "--url", &off], 2, "1 or more"),
        (vec!["ack", "--url", &off], 2, "required"),
        (
            vec!["list", "--status", "odd", "--url", &off],
            2,
            "possible values",
        ),
        (vec!["list", "--limit", "5000", "--url", &off], 2, "5000"),
        (
            vec![
                "list",
                "--url",
                &off,
                "--token-file",
                file.to_str().unwrap(),
            ],
            2,
            "holds no token",
        ),
    ] {
        let output = incidents(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }
}
