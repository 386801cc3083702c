//! Which targets there are at present, under which labels and addresses.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use reqwest::Url;

use super::config::{Job, ScrapeConfig, TargetGroup};
use super::files;
use crate::Labels;

/// The most targets that are scraped.
pub const TARGETS_MAX: usize = 10_000;

/// Something that is asked for its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The place of its job in the configuration.
    pub job: usize,
    pub url: Url,
    /// Of every series of it, `job` and `instance` among them. No two targets have the same.
    pub labels: Labels,
}

/// Finds targets, and remembers what files said while they can't be read.
#[derive(Default)]
pub struct Targets {
    by_file: BTreeMap<PathBuf, Vec<TargetGroup>>,
}

impl Targets {
    /// The targets of a configuration as it and the files that it names are now, and what is wrong
    /// with them, each a sentence. Reads the disk.
    pub fn find(&mut self, config: &ScrapeConfig) -> (Vec<Target>, Vec<String>) {
        let mut remarks = Vec::new();
        let mut found: Vec<Target> = Vec::new();
        let mut seen: HashSet<Labels> = HashSet::new();
        let mut seen_urls: HashSet<(Labels, Url)> = HashSet::new();
        self.reread(config, &mut remarks);
        for (at, job) in config.jobs.iter().enumerate() {
            let paths = job
                .files
                .iter()
                .flat_map(|pattern| files::matching(pattern));
            let paths: Vec<PathBuf> = paths.collect();
            let listed = paths.iter().filter_map(|path| self.by_file.get(path));
            for group in job.groups.iter().chain(listed.flatten()) {
                for target in of_group(at, job, group, &mut remarks) {
                    if found.len() == TARGETS_MAX {
                        remarks.push(format!("only the first {TARGETS_MAX} targets are scraped"));
                        return (found, remarks);
                    }
                    let key = (target.labels.clone(), target.url.clone());
                    if !seen.insert(target.labels.clone()) {
                        // Twice the same is once, as in Prometheus.
                        if seen_urls.insert(key) {
                            remarks.push(format!(
                                "{} is not scraped: another target has the same labels {}; give one of them a label of its own",
                                target.url, target.labels
                            ));
                        }
                        continue;
                    }
                    seen_urls.insert(key);
                    found.push(target);
                }
            }
        }
        (found, remarks)
    }

    /// A file that can't be read keeps what it said before; one that is gone is forgotten.
    fn reread(&mut self, config: &ScrapeConfig, remarks: &mut Vec<String>) {
        let patterns = config.jobs.iter().flat_map(|job| &job.files);
        let mut now = BTreeMap::new();
        for path in patterns.flat_map(|pattern| files::matching(pattern)) {
            let groups = files::read(&path).unwrap_or_else(|error| {
                let known = self.by_file.get(&path).cloned();
                let so = if known.is_some() {
                    "its targets stay as they were"
                } else {
                    "it adds no targets"
                };
                remarks.push(format!("{error}; {so}"));
                known.unwrap_or_default()
            });
            now.insert(path, groups);
        }
        self.by_file = now;
    }
}

fn of_group(at: usize, job: &Job, group: &TargetGroup, remarks: &mut Vec<String>) -> Vec<Target> {
    let mut targets = Vec::with_capacity(group.targets.len());
    for address in &group.targets {
        match url(job, group, address) {
            Some(url) => targets.push(Target {
                job: at,
                url,
                labels: labels(job, group, address),
            }),
            None => remarks.push(format!("{address} of {} is no address", job.name)),
        }
    }
    targets
}

/// Labels that begin with two underscores steer, and are not stored.
fn labels(job: &Job, group: &TargetGroup, address: &str) -> Labels {
    let own = group.labels.iter();
    let own = own.filter(|(name, value)| !name.starts_with("__") && !value.is_empty());
    let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
    let ours = [("job", job.name.as_str()), ("instance", address)];
    Labels::new(ours.into_iter().chain(own))
}

fn url(job: &Job, group: &TargetGroup, address: &str) -> Option<Url> {
    let steered = |name: &str| {
        let label = group.labels.iter().find(|(known, _)| known == name);
        label.map(|(_, value)| value.as_str())
    };
    let scheme = steered("__scheme__").unwrap_or(&job.scheme);
    let path = steered("__metrics_path__").unwrap_or(&job.metrics_path);
    let mut url = Url::parse(&format!("{scheme}://{address}/")).ok()?;
    url.set_path(path);
    let mut params: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, values) in &job.params {
        params.insert(name, values.iter().map(String::as_str).collect());
    }
    for (name, value) in &group.labels {
        if let Some(name) = name.strip_prefix("__param_") {
            // As Prometheus: in the place of the first value.
            let values = params.entry(name).or_default();
            match values.first_mut() {
                Some(first) => *first = value,
                None => values.push(value),
            }
        }
    }
    let pairs = params
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let pairs: Vec<_> = pairs.collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Some(url)
}
