//! A storm: two hundred services cross Critical at one instant, and nobody's phone melts.
//! `BELLWETHER_STORM_SECONDS` says for how long the messages are counted.

use std::time::Duration;

use super::receiver::Receiver;
use super::{CRITICAL, SOON};
use crate::harness::{Bellwether, figure, folder, from_environment, until};
use crate::knobs::scripted::Scripted;

const SERVICES: usize = 200;
/// As a receiver is told by default.
const MESSAGES_PER_MINUTE: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_services_that_go_critical_at_once_are_a_handful_of_messages() {
    let seconds = from_environment("BELLWETHER_STORM_SECONDS", 10);
    let dir = folder();
    let names: Vec<String> = (0..SERVICES).map(|n| format!("service-{n}")).collect();
    let services: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 20.0)).collect();
    let prometheus = Scripted::start(&services, Duration::from_secs(600)).await;
    let receiver = Receiver::start().await;
    let notify = format!(
        "  receivers: [ {{ name: oncall, webhook: '{}' }} ]",
        receiver.url
    );
    let config = super::config(&prometheus.url, &notify);
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    until("all are watched", SOON, || async {
        let (_, page) = bellwether.get("/services").await;
        (page["items"].as_array()?.len() == SERVICES).then_some(())
    })
    .await;

    for name in &names {
        prometheus.shift(name, CRITICAL);
    }
    let messages = told_of_all(&receiver).await;
    let first = tokio::time::Instant::now();
    until("the first while", 2 * SOON, || async {
        (first.elapsed().as_secs() >= seconds).then_some(())
    })
    .await;
    let messages = messages.max(receiver.count());
    let summaries = receiver
        .taken()
        .iter()
        .filter(|taken| taken.body["summary"] == true)
        .count();
    let (_, page) = bellwether.get("/api/v1/incidents?limit=1000").await;
    let shown = page["items"].as_array().unwrap().len();
    let passes = messages <= MESSAGES_PER_MINUTE && summaries >= 1 && shown == SERVICES;
    figure(
        "api 3",
        "a storm of 200 Critical services: messages, summaries among them, incidents in the API",
        format!("{messages} within {seconds} s, {summaries}, {shown}"),
        "≤ 10 in a minute, ≥ 1, 200",
        passes,
    );
    assert!(
        passes,
        "{messages} messages, {summaries} summaries, {shown} incidents"
    );
}

/// Waits until each service is named by a message; says how many there are then.
async fn told_of_all(receiver: &Receiver) -> usize {
    until("all are told", SOON, || async {
        let taken = receiver.taken();
        let counted = taken
            .iter()
            .flat_map(|taken| taken.body["incidents"].as_array());
        let incidents: std::collections::BTreeSet<u64> = counted
            .flatten()
            .filter_map(serde_json::Value::as_u64)
            .collect();
        (incidents.len() == SERVICES).then_some(taken.len())
    })
    .await
}
