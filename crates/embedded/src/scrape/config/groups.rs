//! Groups of targets, in a job or in a file of their own.

use std::collections::BTreeMap;

use super::keys::{Reader, joined, shown};
use super::tree::Node;
use super::{ScrapeConfigError, TargetGroup};

/// The most targets of one group.
const TARGETS_MAX: usize = 10_000;

pub(super) fn read(
    reader: &Reader<'_>,
    node: &Node,
    at: &str,
) -> Result<Vec<TargetGroup>, ScrapeConfigError> {
    let items = reader.list(node, at)?.iter().enumerate();
    items
        .map(|(i, item)| group(reader, item, &format!("{at}[{i}]")))
        .collect()
}

fn group(reader: &Reader<'_>, node: &Node, at: &str) -> Result<TargetGroup, ScrapeConfigError> {
    let mut targets = Vec::new();
    let mut labels = BTreeMap::new();
    for entry in reader.map(node, at)? {
        let key = joined(at, &entry.key);
        match entry.key.as_str() {
            "targets" => {
                let items = reader.list(&entry.node, &key)?;
                if items.len() > TARGETS_MAX {
                    let what = format!("it has more than {TARGETS_MAX} targets");
                    return Err(reader.error(entry.line, &key, what));
                }
                for item in items {
                    targets.push(address(reader, item, &key)?);
                }
            }
            "labels" => {
                for entry in reader.map(&entry.node, &key)? {
                    let key = joined(&key, &shown(&entry.key));
                    label_name(reader, entry.line, &key, &entry.key)?;
                    let value = match entry.node.value {
                        super::Value::Null => "",
                        _ => reader.text(&entry.node, &key)?,
                    };
                    way(reader, entry.line, &key, &entry.key, value)?;
                    labels.insert(entry.key.clone(), value.to_owned());
                }
            }
            _ => return Err(reader.unknown(entry, at)),
        }
    }
    let labels = labels.into_iter().collect();
    Ok(TargetGroup { targets, labels })
}

/// `host` or `host:port`; an address of IPv6 stands in brackets.
fn address(reader: &Reader<'_>, node: &Node, at: &str) -> Result<String, ScrapeConfigError> {
    let text = reader.text(node, at)?;
    let refused = |what: &str| {
        let what = format!("the target {:?} {what}", shown(text));
        Err(reader.error(node.line, at, what))
    };
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return refused(&format!(
            "has a scheme; write {:?} here and the rest under scheme and metrics_path",
            shown(host)
        ));
    }
    if text.contains(['/', '?', '#']) {
        return refused("has a path; write host:port here and the path under metrics_path");
    }
    let (host, port) = match text.rsplit_once(':') {
        // Of IPv6 without a port, the last colon is its own.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let sound = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            !host.is_empty() && host.chars().all(letter)
        }
    };
    let port_sound = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    if !sound || !port_sound {
        return refused("is none; write host:port, e.g. orders:8080");
    }
    Ok(text.to_owned())
}

fn label_name(
    reader: &Reader<'_>,
    line: u64,
    key: &str,
    name: &str,
) -> Result<(), ScrapeConfigError> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let sound = name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit());
    if !sound || name == "__name__" {
        let what = format!(
            "{:?} is no name of a label: letters, digits and _, not beginning with a digit",
            shown(name)
        );
        return Err(reader.error(line, key, what));
    }
    Ok(())
}

/// Labels that steer Prometheus: those that say how a target is asked are followed, those of
/// discovery vanish here as there, and those that say when or whom are refused.
fn way(
    reader: &Reader<'_>,
    line: u64,
    key: &str,
    name: &str,
    value: &str,
) -> Result<(), ScrapeConfigError> {
    let what = match name {
        "__scheme__" if !matches!(value, "http" | "https") => {
            format!("{:?} is neither http nor https", shown(value))
        }
        "__metrics_path__" if value.is_empty() || value.contains(['?', '#']) => {
            format!(
                "{:?} is no path; write e.g. /actuator/prometheus",
                shown(value)
            )
        }
        "__address__" | "__scrape_interval__" | "__scrape_timeout__" => {
            "write it under targets, scrape_interval or scrape_timeout".to_owned()
        }
        _ => return Ok(()),
    };
    Err(reader.error(line, key, what))
}
