//! `bellwether notify test`: what it sends, what it prints, and what it never prints.

use std::path::Path;

use super::receiver::Receiver;
use crate::harness::{folder, run};

/// Exit code and all that was printed.
fn notify_test(config: &Path, receiver: &str) -> (Option<i32>, String) {
    let arguments = ["notify", "test", receiver, "--config"];
    let arguments: Vec<&str> = arguments
        .into_iter()
        .chain([config.to_str().unwrap()])
        .collect();
    let output = run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments);
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_the_whole_way_and_its_outcome_is_said_without_secrets() {
    let dir = folder();
    let receiver = Receiver::start().await;
    let config = dir.path().join("config.yaml");
    let text = format!(
        "notify: {{ receivers: [ {{ name: oncall, webhook: '{0}/T0/hunter3', bearer_token: hunter2 }}, {{ name: am, alertmanager: '{0}/am' }} ] }}\n",
        receiver.url
    );
    std::fs::write(&config, text).unwrap();

    let (code, said) = notify_test(&config, "oncall");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&receiver.url) && said.contains("it was taken"),
        "{said}"
    );
    assert!(said.contains("server.external_url"), "{said}");
    assert!(!said.contains("hunter"), "{said}");
    let taken = receiver.taken().remove(0);
    assert_eq!(taken.path, "/T0/hunter3");
    assert_eq!(taken.headers["authorization"], "Bearer hunter2");
    assert_eq!(taken.body["notices"][0]["kind"], "test");

    let (code, said) = notify_test(&config, "am");
    assert_eq!(code, Some(0), "{said}");
    let taken = receiver.taken().remove(1);
    assert_eq!(taken.path, "/am/api/v2/alerts");
    assert_eq!(taken.body[0]["labels"]["alertname"], "BellwetherTest");

    receiver.refuse(1000);
    let (code, said) = notify_test(&config, "oncall");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("it was not taken"), "{said}");
    assert!(!said.contains("hunter"), "{said}");
    assert_eq!(receiver.count(), 2);

    let (code, said) = notify_test(&config, "nobody");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there are oncall, am"), "{said}");
}
