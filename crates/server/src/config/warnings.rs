//! What is allowed, but probably not meant.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::MetricSpec;

use super::connection::{is_local, is_loopback};
use super::document::{Node, Origin};
use super::duration::Span;
use super::layers::{File, open_to_others};
use super::{Auth, Config, HttpUrl, ReceiverKind, Schedule, Secret};

/// Everything worth a remark about a valid configuration.
pub(super) fn of(config: &Config, root: &Node, file: Option<&File>) -> Vec<String> {
    let mut warnings = Vec::new();
    times(config, &mut warnings);
    training(config, &mut warnings);
    prometheus(config, root, &mut warnings);
    serving(config, &mut warnings);
    notify(config, &mut warnings);
    if let Some(file) = file.filter(|file| file.open_to_others) {
        for path in inline_secrets(config, root) {
            warnings.push(format!(
                "`{path}` stands in {}, which others than its owner may read; use a file or the environment",
                file.path.display()
            ));
        }
    }
    warnings
}

fn times(config: &Config, warnings: &mut Vec<String>) {
    let decide = &config.decide;
    if decide.critical_after < decide.open_after {
        warnings.push(format!(
            "`decide.critical_after` ({}) is shorter than `decide.open_after` ({}): a Critical opens without waiting for the model",
            Span(decide.critical_after),
            Span(decide.open_after)
        ));
    }
    if decide.quiet_period < config.tick * 2 {
        warnings.push(format!(
            "`decide.quiet_period` ({}) is shorter than two ticks ({}): one missed sample splits an incident",
            Span(decide.quiet_period),
            Span(config.tick * 2)
        ));
    }
    for spec in config.metrics.iter() {
        for range in short_ranges(spec, config.tick * 2) {
            warnings.push(format!(
                "`metrics.{}` averages over [{range}], less than two ticks: with a scrape interval like the tick it has too few samples",
                spec.id
            ));
        }
    }
}

fn training(config: &Config, warnings: &mut Vec<String>) {
    let training = &config.training;
    if training.min_samples > training.window_min_samples {
        warnings.push(format!(
            "`training.min_samples` ({}) is above `training.window_min_samples` ({}): a sparse series may never be trained",
            training.min_samples, training.window_min_samples
        ));
    }
    if let Schedule::Every(period) = training.schedule
        && period > training.max_age
    {
        warnings.push(format!(
            "`training.schedule` ({}) is longer than `training.max_age` ({}): models grow older than they may",
            Span(period),
            Span(training.max_age)
        ));
    }
}

fn prometheus(config: &Config, root: &Node, warnings: &mut Vec<String>) {
    let prometheus = &config.prometheus;
    let url = &prometheus.url;
    if config.scrape.is_none() && origin(root, &["prometheus", "url"]).is_none() {
        warnings.push(format!("`prometheus.url` is not given: {url} is used"));
    }
    let sends_secrets = prometheus.auth.is_some() || !prometheus.headers.is_empty();
    if sends_secrets && url.as_str().starts_with("http://") && !is_local(url.as_str()) {
        warnings.push(format!(
            "secrets are sent to {url} unencrypted; use https if there is a network between"
        ));
    }
}

fn serving(config: &Config, warnings: &mut Vec<String>) {
    let server = &config.server;
    let https = |url: &HttpUrl| url.as_str().starts_with("https://");
    if !is_loopback(config.listen.ip()) {
        if !server.auth.is_on() {
            warnings.push(format!(
                "`listen` is {} without authentication: whoever reaches it can read and change everything",
                config.listen
            ));
        } else if !server.external_url.as_ref().is_some_and(https) {
            warnings.push(format!(
                "`listen` is {} and `server.external_url` is not https: passwords and tokens may cross the network unencrypted; put a proxy with https before it",
                config.listen
            ));
        }
    }
    let files = [
        ("users_file", &server.auth.users_file),
        ("tokens_file", &server.auth.tokens_file),
    ];
    for (name, path) in files {
        let metadata = path.as_ref().and_then(|path| path.metadata().ok());
        if metadata.is_some_and(|metadata| open_to_others(&metadata)) {
            warnings.push(format!(
                "`server.auth.{name}` may be read by others than its owner; `chmod 600` it"
            ));
        }
    }
    let is_empty = |directory: access::Directory| directory.users() + directory.tokens() == 0;
    if server.auth.is_on() && server.auth.read().is_ok_and(is_empty) {
        warnings.push("`server.auth` names nobody: nobody can come in; add a line with `bellwether access password NAME`".to_owned());
    }
    if let Some(url) = &server.external_url
        && !url.as_str().ends_with(&server.base_path)
    {
        warnings.push(format!(
            "`server.external_url` ({url}) does not end with `server.base_path` ({}): links will lead nowhere unless the proxy adds it",
            server.base_path
        ));
    }
}

fn notify(config: &Config, warnings: &mut Vec<String>) {
    let notify = &config.notify;
    if !notify.receivers.is_empty() && config.server.external_url.is_none() {
        warnings.push(
            "`notify.receivers` is given without `server.external_url`: notifications have no links"
                .to_owned(),
        );
    }
    for receiver in &notify.receivers {
        let address = match &receiver.kind {
            ReceiverKind::Webhook(address) => address.expose(),
            ReceiverKind::Alertmanager(url) => url.as_str(),
        };
        let sends_secrets = receiver.auth.is_some() || !receiver.headers.is_empty();
        if sends_secrets && address.starts_with("http://") && !is_local(address) {
            warnings.push(format!(
                "secrets are sent to the receiver {} unencrypted; use https if there is a network between",
                receiver.name
            ));
        }
    }
}

/// Literal ranges such as `[30s]` of its queries that are shorter than `least`.
fn short_ranges(spec: &MetricSpec, least: Duration) -> Vec<String> {
    let mut ranges: Vec<String> = std::iter::once(&spec.query)
        .chain(&spec.fallback)
        .flat_map(|query| query.split('[').skip(1))
        .filter_map(|rest| Some(rest.split([']', ':']).next()?.trim().to_owned()))
        .filter(|range| range.parse().is_ok_and(|Span(range)| range < least))
        .collect();
    ranges.dedup();
    ranges
}

/// The keys of secrets that stand in the file itself.
fn inline_secrets(config: &Config, root: &Node) -> Vec<String> {
    let prometheus = &config.prometheus;
    let owner = ["prometheus".to_owned()];
    let mut paths = secrets_of(&owner, &prometheus.headers, prometheus.auth.as_ref());
    for (index, receiver) in config.notify.receivers.iter().enumerate() {
        let owner = ["notify", "receivers", &index.to_string()].map(str::to_owned);
        paths.extend(secrets_of(
            &owner,
            &receiver.headers,
            receiver.auth.as_ref(),
        ));
        paths.push([&owner[..], &["webhook".to_owned()]].concat());
    }
    paths
        .into_iter()
        .filter(|path| {
            let node = root.at(path);
            node.is_some_and(|node| matches!(node.origin, Origin::File { .. }))
        })
        .map(|path| path.join("."))
        .collect()
}

/// Where secrets of a connection may stand.
fn secrets_of(
    owner: &[String],
    headers: &BTreeMap<String, Secret>,
    auth: Option<&Auth>,
) -> Vec<Vec<String>> {
    let under = |parts: &[&str]| {
        let parts = parts.iter().map(|&part| part.to_owned());
        owner.iter().cloned().chain(parts).collect()
    };
    let mut paths: Vec<Vec<String>> = headers
        .keys()
        .map(|name| under(&["headers", name]))
        .collect();
    match auth {
        Some(Auth::Bearer(token)) if token.file().is_none() => paths.push(under(&["bearer_token"])),
        Some(Auth::Basic { password, .. }) if password.file().is_none() => {
            paths.push(under(&["basic_auth", "password"]));
        }
        _ => {}
    }
    paths
}

/// Where exactly this key was given, if it was.
fn origin(root: &Node, path: &[&str]) -> Option<Origin> {
    let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
    root.at(&path).map(|node| node.origin.clone())
}
