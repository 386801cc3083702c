//! One job of a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{Reader, is_without_meaning, joined, shown};
use super::tree::{Entry, Node};
use super::{
    Authorization, Global, Job, ScrapeConfigError, Tls, authorization, groups, is_empty,
    timeout_above,
};

/// What to do where we can't follow.
const KEEP_PROMETHEUS: &str = "keep the Prometheus that follows this file, and name it under prometheus.url instead of scraping here";

pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    global: &Global,
) -> Result<Job, ScrapeConfigError> {
    let entries = reader.map(node, key)?;
    let mut job = Job {
        name: String::new(),
        interval: global.interval,
        timeout: global.timeout,
        scheme: "http".to_owned(),
        metrics_path: "/metrics".to_owned(),
        params: Vec::new(),
        honor_labels: false,
        authorization: authorization::read(reader, entries, key)?,
        tls: Tls::default(),
        sample_limit: global.sample_limit,
        body_size_limit: global.body_size_limit,
        groups: Vec::new(),
        files: Vec::new(),
    };
    let mut timeout = None;
    for entry in entries {
        let at = joined(key, &entry.key);
        if entry.key == "scrape_timeout" {
            timeout = Some((entry.line, reader.duration(&entry.node, &at)?));
        } else if !setting(reader, entry, &at, &mut job)? {
            other(reader, entry, key, &at)?;
        }
    }
    if job.name.is_empty() {
        let what = "it is missing; every job needs a name";
        return Err(reader.error(node.line, &joined(key, "job_name"), what));
    }
    job.timeout = match timeout {
        Some((line, timeout)) if timeout > job.interval => {
            let what = timeout_above(timeout, job.interval);
            return Err(reader.error(line, &joined(key, "scrape_timeout"), what));
        }
        Some((_, timeout)) => timeout,
        None => global.timeout.min(job.interval),
    };
    warn_of_password_in_clear(reader, node, key, &job);
    Ok(job)
}

/// Whether the key is one that we follow.
fn setting(
    reader: &mut Reader<'_>,
    entry: &Entry,
    at: &str,
    job: &mut Job,
) -> Result<bool, ScrapeConfigError> {
    let node = &entry.node;
    match entry.key.as_str() {
        "job_name" => job.name = reader.text(node, at)?.to_owned(),
        "scrape_interval" => job.interval = interval(reader, node, at)?,
        "metrics_path" => job.metrics_path = metrics_path(reader, node, at)?,
        "scheme" => job.scheme = scheme(reader, node, at)?,
        "params" => job.params = params(reader, node, at)?,
        "honor_labels" => job.honor_labels = reader.flag(node, at)?,
        "sample_limit" => job.sample_limit = reader.limit(node, at)?,
        "body_size_limit" => job.body_size_limit = reader.size(node, at)?,
        "static_configs" => job.groups = groups::read(reader, node, at)?,
        "file_sd_configs" => job.files = files(reader, node, at)?,
        "tls_config" => job.tls = tls(reader, node, at)?,
        // Read before, because they belong together.
        "basic_auth" | "authorization" | "bearer_token" | "bearer_token_file" => {}
        "honor_timestamps" => {
            if reader.flag(node, at)? {
                let what =
                    "the times on a page are not used: its samples get the time of the scrape";
                reader.warn(entry.line, at, what);
            }
        }
        "follow_redirects" => {
            if reader.flag(node, at)? {
                let what = "redirects are not followed: name the address that answers";
                reader.warn(entry.line, at, what);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Keys that we don't follow: ignored where that changes nothing, refused where it would.
fn other(
    reader: &mut Reader<'_>,
    entry: &Entry,
    key: &str,
    at: &str,
) -> Result<(), ScrapeConfigError> {
    let refused = match entry.key.as_str() {
        _ if is_empty(&entry.node) => return Ok(()),
        word if is_without_meaning(word) => {
            reader.ignored(entry, key, "it has no meaning here");
            return Ok(());
        }
        "relabel_configs" | "metric_relabel_configs" => {
            format!(
                "labels are not rewritten here, and without it the series would be others; write labels into static_configs, or {KEEP_PROMETHEUS}"
            )
        }
        word if word.ends_with("_sd_configs") => format!(
            "targets are only found by static_configs and file_sd_configs; write them there, or {KEEP_PROMETHEUS}"
        ),
        "proxy_url"
        | "proxy_from_environment"
        | "proxy_connect_header"
        | "no_proxy"
        | "oauth2"
        | "http_headers" => format!(
            "targets are only asked directly, with basic_auth or authorization; {KEEP_PROMETHEUS}"
        ),
        _ => return Err(reader.unknown(entry, key)),
    };
    Err(reader.error(entry.line, at, refused))
}

fn interval(reader: &Reader<'_>, node: &Node, at: &str) -> Result<Duration, ScrapeConfigError> {
    let interval = reader.duration(node, at)?;
    if interval < Duration::from_millis(100) {
        let what = "scraping more often than every 100ms is not possible";
        return Err(reader.error(node.line, at, what));
    }
    Ok(interval)
}

/// As Prometheus, the slash at its beginning may be left out.
fn metrics_path(reader: &Reader<'_>, node: &Node, at: &str) -> Result<String, ScrapeConfigError> {
    let path = reader.text(node, at)?;
    if path.is_empty() || path.contains(['?', '#']) {
        let what = format!(
            "{:?} is no path; write e.g. /actuator/prometheus, and what follows a ? under params",
            shown(path)
        );
        return Err(reader.error(node.line, at, what));
    }
    Ok(format!("/{}", path.trim_start_matches('/')))
}

pub(super) fn scheme(
    reader: &Reader<'_>,
    node: &Node,
    at: &str,
) -> Result<String, ScrapeConfigError> {
    match reader.text(node, at)? {
        scheme @ ("http" | "https") => Ok(scheme.to_owned()),
        other => {
            let what = format!("{:?} is neither http nor https", shown(other));
            Err(reader.error(node.line, at, what))
        }
    }
}

fn params(
    reader: &Reader<'_>,
    node: &Node,
    at: &str,
) -> Result<Vec<(String, Vec<String>)>, ScrapeConfigError> {
    let entries = reader.map(node, at)?.iter();
    let mut params: Vec<(String, Vec<String>)> = entries
        .map(|entry| {
            let at = joined(at, &shown(&entry.key));
            let values = reader.list(&entry.node, &at)?.iter();
            let values = values.map(|value| reader.text(value, &at).map(str::to_owned));
            Ok((entry.key.clone(), values.collect::<Result<_, _>>()?))
        })
        .collect::<Result<_, ScrapeConfigError>>()?;
    params.sort();
    Ok(params)
}

fn files(reader: &Reader<'_>, node: &Node, at: &str) -> Result<Vec<PathBuf>, ScrapeConfigError> {
    let mut files = Vec::new();
    for (i, item) in reader.list(node, at)?.iter().enumerate() {
        let at = format!("{at}[{i}]");
        for entry in reader.map(item, &at)? {
            let at = joined(&at, &entry.key);
            match entry.key.as_str() {
                "files" => {
                    for file in reader.list(&entry.node, &at)? {
                        files.push(pattern(reader, file, &at)?);
                    }
                }
                // Files are looked at every few seconds anyway.
                "refresh_interval" => drop(reader.duration(&entry.node, &at)?),
                _ => return Err(reader.unknown(entry, &at)),
            }
        }
    }
    Ok(files)
}

/// A file of targets; only its name may have a star.
fn pattern(reader: &Reader<'_>, node: &Node, at: &str) -> Result<PathBuf, ScrapeConfigError> {
    let path = reader.file(node, at)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let known = matches!(
        extension.map(str::to_ascii_lowercase).as_deref(),
        Some("json" | "yml" | "yaml")
    );
    let folder = path.parent().unwrap_or(Path::new(""));
    let starred = folder.to_string_lossy().contains('*') || name.matches('*').count() > 1;
    if !known || starred {
        let what = format!(
            "{:?} must end in .json, .yml or .yaml, with at most one * in the last part",
            shown(&path.to_string_lossy())
        );
        return Err(reader.error(node.line, at, what));
    }
    Ok(path)
}

fn tls(reader: &mut Reader<'_>, node: &Node, at: &str) -> Result<Tls, ScrapeConfigError> {
    let mut tls = Tls::default();
    for entry in reader.map(node, at)? {
        let key = joined(at, &entry.key);
        match entry.key.as_str() {
            "ca_file" => tls.ca_file = Some(reader.file(&entry.node, &key)?),
            "insecure_skip_verify" => tls.insecure_skip_verify = reader.flag(&entry.node, &key)?,
            "min_version" | "max_version" => {
                reader.ignored(entry, at, "TLS 1.2 and 1.3 are spoken");
            }
            "ca" | "cert" | "ca_ref" | "cert_file" | "cert_ref" | "key" | "key_file"
            | "key_ref" | "server_name" => {
                let what = format!(
                    "of tls_config, ca_file and insecure_skip_verify are understood; {KEEP_PROMETHEUS}"
                );
                return Err(reader.error(entry.line, &key, what));
            }
            _ => return Err(reader.unknown(entry, at)),
        }
    }
    Ok(tls)
}

fn warn_of_password_in_clear(reader: &mut Reader<'_>, node: &Node, key: &str, job: &Job) {
    let shown = matches!(job.authorization, Some(Authorization::Basic { .. }));
    if shown && job.tls.insecure_skip_verify {
        let what = "the password is sent to whoever answers, because insecure_skip_verify is set";
        reader.warn(node.line, key, what);
    }
}
