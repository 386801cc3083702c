//! What a new configuration changes: at once, and at the next start.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::raw::Raw;
use super::{Config, Log, Server};

/// A new configuration held against the one in force.
#[derive(Clone, Debug)]
pub struct Change {
    /// What is in force from now on: the old one with everything new that takes effect at once.
    pub in_force: Config,
    /// The keys that differ from what was in force, in order.
    pub changed: Vec<String>,
    /// Those that take effect at the next start.
    pub needs_restart: Vec<String>,
}

/// Takes over what can be changed while running.
pub fn change(old: &Config, new: Config) -> Change {
    let mut in_force = Config {
        training: new.training.clone(),
        decide: new.decide.clone(),
        auto_resolve: new.auto_resolve.clone(),
        retention: new.retention.clone(),
        notify: new.notify.clone(),
        server: server(&old.server, &new.server),
        log: Log {
            level: new.log.level,
            ..old.log.clone()
        },
        ..old.clone()
    };
    // Which samples are kept of what is scraped here is decided at the start.
    if old.scrape.is_none() {
        in_force.packs = new.packs.clone();
        in_force.metrics = new.metrics.clone();
    }
    Change {
        changed: differences(old, &new),
        needs_restart: differences(&in_force, &new),
        in_force,
    }
}

/// Access control is never taken away while running: the address that it let be listened on stays.
fn server(old: &Server, new: &Server) -> Server {
    let mut server = Server {
        hosts: new.hosts.clone(),
        external_url: new.external_url.clone(),
        ..old.clone()
    };
    if new.auth.is_on() {
        server.auth = new.auth.clone();
        server.trusted_proxies = new.trusted_proxies.clone();
    }
    server
}

/// The keys in which two configurations differ; a secret by the key that holds it.
fn differences(old: &Config, new: &Config) -> Vec<String> {
    let (before, after) = (leaves(old), leaves(new));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut differ: Vec<String> = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect();
    for (section, equal) in [
        ("prometheus", old.prometheus == new.prometheus),
        ("notify", old.notify == new.notify),
        ("server", old.server == new.server),
    ] {
        let prefix = format!("{section}.");
        if !equal && !differ.iter().any(|key| key.starts_with(&prefix)) {
            differ.push(format!("{section} (a secret)"));
        }
    }
    differ
}

/// Every value by its key path, as it would be written.
fn leaves(config: &Config) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let whole = serde_json::to_value(Raw::of(config)).expect("settings are plain data");
    collect(String::new(), whole, &mut found);
    found
}

fn collect(path: String, value: Value, found: &mut BTreeMap<String, Value>) {
    let Value::Object(map) = value else {
        found.insert(path, value);
        return;
    };
    for (key, value) in map {
        let path = match path.as_str() {
            "" => key,
            parent => format!("{parent}.{key}"),
        };
        collect(path, value, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::from_yaml(text).unwrap().config
    }

    #[test]
    fn what_needs_a_restart_is_named_and_the_rest_is_in_force() {
        let old = config("tick: 15s");
        let new = config(
            "{ tick: 30s, decide: { open_after: 1m }, log: { level: debug, format: json }, services: { pay: { metrics: { lat: { high: 400 } } } }, notify: { receivers: [ { name: a, webhook: 'http://127.0.0.1:9/x' } ] } }",
        );
        let change = change(&old, new.clone());
        assert_eq!(change.needs_restart, ["log.format", "tick"]);
        assert_eq!(
            change.changed,
            [
                "decide.open_after",
                "log.format",
                "log.level",
                "notify.receivers",
                "services.pay.metrics.lat.critical",
                "services.pay.metrics.lat.high",
                "tick"
            ]
        );
        assert_eq!(change.in_force.tick, old.tick);
        assert_eq!(change.in_force.decide, new.decide);
        assert_eq!(change.in_force.metrics, new.metrics);
    }

    #[test]
    fn a_changed_secret_is_named_without_its_text() {
        let with = |token: &str| {
            config(&format!(
                "notify: {{ receivers: [ {{ name: a, webhook: 'http://127.0.0.1:9/{token}' }} ] }}"
            ))
        };
        let change = change(&with("hunter2"), with("hunter3"));
        assert_eq!(change.changed, ["notify (a secret)"]);
        assert!(change.needs_restart.is_empty());
    }

    #[test]
    fn access_control_is_not_taken_away_while_running() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let (_, line) = access::new_token("ci", access::Role::Viewer).unwrap();
        std::fs::write(&path, line).unwrap();
        let on = config(&format!(
            "{{ listen: '0.0.0.0:1', server: {{ trusted_proxies: [10.0.0.1], auth: {{ tokens_file: {} }} }} }}",
            path.display()
        ));
        let off = config("tick: 15s");
        let away = change(&on, off.clone());
        assert!(away.in_force.server.auth.is_on());
        assert!(
            away.needs_restart
                .contains(&"server.auth.tokens_file".to_owned())
        );
        assert!(change(&off, on).in_force.server.auth.is_on());
    }

    #[test]
    fn metrics_of_scraped_targets_wait_for_a_restart() {
        let change = change(
            &config("scrape: targets.yml"),
            config("{ scrape: targets.yml, packs: [spring] }"),
        );
        assert!(change.needs_restart.contains(&"packs".to_owned()));
        assert!(change.in_force.packs.is_empty());
    }
}
