//! How a Prometheus finds the fleet: discovery documents and a configuration that keeps the application's own labels.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::duration::Span;
use crate::topology::Topology;

/// The job under which history and live scrapes are laid down by default.
pub const DEFAULT_JOB: &str = "fleet";

/// Where the list of targets comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// The address of `/sd`.
    Http(String),
    File(PathBuf),
    /// The targets themselves, in the configuration.
    Static(Vec<TargetGroup>),
}

/// One entry of a discovery document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetGroup {
    pub targets: [String; 1],
    pub labels: TargetLabels,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetLabels {
    #[serde(rename = "__metrics_path__")]
    pub metrics_path: String,
    pub instance: String,
}

pub(crate) fn instance_label(service: &str, instance: usize) -> String {
    format!("{service}-{instance}")
}

/// All instances, each at its path behind `address` (`host:port`).
pub fn target_groups(topology: &Topology, address: &str) -> Vec<TargetGroup> {
    let mut groups = Vec::new();
    for service in topology.services() {
        for instance in 1..=service.instances {
            groups.push(TargetGroup {
                targets: [address.to_owned()],
                labels: TargetLabels {
                    metrics_path: format!("/svc/{}/{instance}/actuator/prometheus", service.name),
                    instance: instance_label(&service.name, instance),
                },
            });
        }
    }
    groups
}

/// Writes the discovery document for `file_sd_configs`, whole or not at all.
pub fn write_sd_file(path: &Path, topology: &Topology, address: &str) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&target_groups(topology, address))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, path)
}

/// A `prometheus.yml` that scrapes the fleet. `service` and `version` are the application's own labels, so discovery
/// sets only `instance`, and `honor_labels` keeps them even where somebody adds one of the same name.
pub fn prometheus_config(discovery: &Discovery, scrape_interval: Span, job: &str) -> String {
    let timeout = Span::from_millis((scrape_interval.as_millis()).min(10_000));
    let mut config = format!(
        "global:\n  scrape_interval: {scrape_interval}\n  scrape_timeout: {timeout}\n  evaluation_interval: {scrape_interval}\nscrape_configs:\n  - job_name: {job}\n    honor_labels: true\n"
    );
    // Writing into a String cannot fail.
    let _ = match discovery {
        Discovery::Http(url) => {
            write!(
                config,
                "    http_sd_configs:\n      - url: {url:?}\n        refresh_interval: 10s\n"
            )
        }
        Discovery::File(path) => {
            let path = path.display().to_string();
            write!(
                config,
                "    file_sd_configs:\n      - files: [{path:?}]\n        refresh_interval: 10s\n"
            )
        }
        Discovery::Static(groups) => {
            config.push_str("    static_configs:\n");
            groups.iter().try_for_each(|group| {
                let [target] = &group.targets;
                let TargetLabels {
                    metrics_path,
                    instance,
                } = &group.labels;
                writeln!(
                    config,
                    "      - {{ targets: [{target:?}], labels: {{ instance: {instance:?}, __metrics_path__: {metrics_path:?} }} }}"
                )
            })
        }
    };
    config
}
