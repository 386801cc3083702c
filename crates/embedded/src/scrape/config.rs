//! The static part of Prometheus's configuration: what is scraped, and how.
//!
//! What has no meaning here is ignored with a warning; what would change the data if it were
//! ignored is refused.

mod authorization;
mod groups;
mod job;
mod keys;
mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;
use super::units;
use keys::Reader;
use tree::{Node, Value};

/// What is scraped.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrapeConfig {
    /// In the order of the file; no two have one name.
    pub jobs: Vec<Job>,
}

/// Targets that are asked in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub name: String,
    pub interval: Duration,
    /// Not above the interval.
    pub timeout: Duration,
    /// `http` or `https`.
    pub scheme: String,
    pub metrics_path: String,
    /// Sent with each request; by name.
    pub params: Vec<(String, Vec<String>)>,
    /// Whether labels of the page win over those of the target.
    pub honor_labels: bool,
    pub authorization: Option<Authorization>,
    pub tls: Tls,
    /// The most samples of a page, kept or not.
    pub sample_limit: Option<u64>,
    /// The most bytes of a page, unpacked.
    pub body_size_limit: Option<u64>,
    pub groups: Vec<TargetGroup>,
    /// Files with more groups, read anew when they change. The last part may have one `*`.
    pub files: Vec<PathBuf>,
}

/// Targets with labels in common.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetGroup {
    /// Each `host` or `host:port`.
    pub targets: Vec<String>,
    /// By name, among them `__scheme__`, `__metrics_path__` and `__param_…`, which say how the
    /// targets are asked.
    pub labels: Vec<(String, String)>,
}

/// What a request shows to be let in.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    Basic {
        username: SecretSource,
        password: SecretSource,
    },
    /// Such as `Bearer` with a token.
    Scheme {
        scheme: String,
        credentials: SecretSource,
    },
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq)]
pub enum SecretSource {
    Given(Secret),
    /// Read anew for each request, so that rotated secrets are followed; blanks at its ends don't
    /// count.
    File(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tls {
    /// PEM certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    pub insecure_skip_verify: bool,
}

/// Why a file is no scrape configuration for us.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}:{line}: {}{what}", key_shown(.key))]
pub struct ScrapeConfigError {
    pub path: String,
    /// From 1.
    pub line: u64,
    /// Such as `scrape_configs[0].job_name`; empty for the whole file.
    pub key: String,
    /// What is wrong, and what to do.
    pub what: String,
}

fn key_shown(key: &str) -> String {
    match key {
        "" => String::new(),
        key => format!("{key}: "),
    }
}

impl ScrapeConfig {
    /// Reads a `prometheus.yml`. Files that it names are relative to the folder of `path`, and are
    /// not read here. The second of the pair are warnings, each a sentence with file and line.
    ///
    /// ```
    /// use embedded::scrape::ScrapeConfig;
    /// let file = "scrape_configs: [{job_name: shop, static_configs: [{targets: ['orders:8080']}]}]";
    /// let (config, warnings) = ScrapeConfig::parse(file, "prometheus.yml")?;
    /// assert_eq!((config.jobs[0].groups[0].targets[0].as_str(), warnings.len()), ("orders:8080", 0));
    /// # Ok::<(), embedded::scrape::ScrapeConfigError>(())
    /// ```
    ///
    /// # Errors
    /// What Prometheus would refuse, and what we can't follow but may not ignore, such as
    /// relabeling and other ways to discover targets.
    pub fn parse(yaml: &str, path: &str) -> Result<(ScrapeConfig, Vec<String>), ScrapeConfigError> {
        let mut reader = Reader::new(path);
        let tree = Node::parse(yaml).map_err(|error| reader.error(error.line, "", error.why))?;
        let mut global = Global::default();
        let mut jobs = None;
        for entry in reader.map(&tree, "")? {
            match entry.key.as_str() {
                "global" => global = Global::read(&mut reader, &entry.node)?,
                "scrape_configs" => jobs = Some(&entry.node),
                "scrape_config_files" if is_empty(&entry.node) => {}
                "scrape_config_files" => {
                    let what = "jobs in other files are not read; write them into this one";
                    return Err(reader.error(entry.line, &entry.key, what));
                }
                "rule_files" | "alerting" | "remote_write" | "remote_read" | "storage"
                | "tracing" | "otlp" => {
                    if !is_empty(&entry.node) {
                        reader.ignored(entry, "", "it has no meaning here");
                    }
                }
                "runtime" => {}
                _ => return Err(reader.unknown(entry, "")),
            }
        }
        let jobs = match jobs {
            Some(node) => read_jobs(&mut reader, node, &global)?,
            None => Vec::new(),
        };
        if jobs.is_empty() {
            reader.warn(
                1,
                "scrape_configs",
                "it names no job, so nothing is scraped",
            );
        }
        Ok((ScrapeConfig { jobs }, reader.warnings))
    }
}

/// The groups of a file of targets: a list as under `static_configs`.
///
/// # Errors
/// As of a configuration.
pub(super) fn read_groups(text: &str, path: &str) -> Result<Vec<TargetGroup>, ScrapeConfigError> {
    let reader = Reader::new(path);
    let tree = Node::parse(text).map_err(|error| reader.error(error.line, "", error.why))?;
    groups::read(&reader, &tree, "")
}

fn read_jobs(
    reader: &mut Reader<'_>,
    node: &Node,
    global: &Global,
) -> Result<Vec<Job>, ScrapeConfigError> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (at, item) in reader.list(node, "scrape_configs")?.iter().enumerate() {
        let key = format!("scrape_configs[{at}]");
        let job = job::read(reader, item, &key, global)?;
        if !names.insert(job.name.clone()) {
            let what = format!(
                "another job is called {:?}; give each its own name",
                job.name
            );
            return Err(reader.error(item.line, &format!("{key}.job_name"), what));
        }
        jobs.push(job);
    }
    Ok(jobs)
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Scalar(_) => false,
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    }
}

/// What holds for jobs that don't say otherwise.
struct Global {
    interval: Duration,
    timeout: Duration,
    sample_limit: Option<u64>,
    body_size_limit: Option<u64>,
}

impl Default for Global {
    /// As Prometheus has them.
    fn default() -> Global {
        Global {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            sample_limit: None,
            body_size_limit: None,
        }
    }
}

impl Global {
    fn read(reader: &mut Reader<'_>, node: &Node) -> Result<Global, ScrapeConfigError> {
        let mut global = Global::default();
        let mut timeout = None;
        for entry in reader.map(node, "global")? {
            let key = format!("global.{}", entry.key);
            match entry.key.as_str() {
                "scrape_interval" => global.interval = reader.duration(&entry.node, &key)?,
                "scrape_timeout" => timeout = Some((entry, reader.duration(&entry.node, &key)?)),
                "sample_limit" => global.sample_limit = reader.limit(&entry.node, &key)?,
                "body_size_limit" => global.body_size_limit = reader.size(&entry.node, &key)?,
                // External labels are not stored by Prometheus either.
                "external_labels"
                | "evaluation_interval"
                | "rule_query_offset"
                | "query_log_file"
                | "scrape_failure_log_file" => {}
                word if keys::is_without_meaning(word) => {
                    reader.ignored(entry, "global", "it has no meaning here");
                }
                _ => return Err(reader.unknown(entry, "global")),
            }
        }
        global.timeout = match timeout {
            Some((entry, timeout)) if timeout > global.interval => {
                let what = timeout_above(timeout, global.interval);
                return Err(reader.error(entry.line, "global.scrape_timeout", what));
            }
            Some((_, timeout)) => timeout,
            None => global.timeout.min(global.interval),
        };
        Ok(global)
    }
}

fn timeout_above(timeout: Duration, interval: Duration) -> String {
    format!(
        "the timeout {} is longer than the interval {}; choose one that isn't",
        units::shown(timeout),
        units::shown(interval)
    )
}
