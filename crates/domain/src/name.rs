//! Names of services and metrics, checked once.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a service name is empty")]
    EmptyService,
    #[error("a service name has {0} bytes, more than {max}", max = ServiceId::MAX_BYTES)]
    LongService(usize),
    #[error("metric id {0:?} is not 1 to 64 characters of a-z, 0-9 and _, beginning with a letter")]
    Metric(String),
}

/// The identity of a service: its name, or `scope/name` where scopes are configured.
///
/// It comes from labels, that is from outside, and may hold any character. It is escaped wherever
/// it leaves: in PromQL, paths, CSV, JSON.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ServiceId(Arc<str>);

impl ServiceId {
    pub const MAX_BYTES: usize = 1024;

    /// # Errors
    /// Empty, or longer than [`ServiceId::MAX_BYTES`].
    pub fn new(name: &str) -> Result<ServiceId, NameError> {
        match name.len() {
            0 => Err(NameError::EmptyService),
            length if length > ServiceId::MAX_BYTES => Err(NameError::LongService(length)),
            _ => Ok(ServiceId(name.into())),
        }
    }

    /// `scope/name`; the bare name where `scope` is empty.
    ///
    /// # Errors
    /// As [`ServiceId::new`].
    pub fn scoped(scope: &[&str], name: &str) -> Result<ServiceId, NameError> {
        if name.is_empty() {
            return Err(NameError::EmptyService);
        }
        let mut parts: Vec<&str> = scope.to_vec();
        parts.push(name);
        ServiceId::new(&parts.join("/"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id of a metric, such as `cpu`: 1 to 64 characters of `a-z`, `0-9`, `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MetricId(Arc<str>);

impl MetricId {
    /// # Errors
    /// Anything but 1 to 64 characters of `a-z`, `0-9` and `_` that begin with a letter.
    pub fn new(id: &str) -> Result<MetricId, NameError> {
        let first_is_letter = id.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let all_allowed = id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if first_is_letter && all_allowed && id.len() <= 64 {
            Ok(MetricId(id.into()))
        } else {
            Err(NameError::Metric(id.chars().take(80).collect()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One metric of one service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesId {
    pub service: ServiceId,
    pub metric: MetricId,
}

impl SeriesId {
    pub fn new(service: ServiceId, metric: MetricId) -> SeriesId {
        SeriesId { service, metric }
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.metric)
    }
}

macro_rules! name_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = String::deserialize(deserializer)?;
                $name::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
name_text!(ServiceId);
name_text!(MetricId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_ids_are_path_and_query_safe() {
        for good in ["cpu", "lat", "queue_depth", "p99"] {
            assert_eq!(MetricId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "CPU", "9p", "../x", "a b", &"x".repeat(65)] {
            assert!(MetricId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_stands_before_the_name() {
        assert_eq!(
            ServiceId::scoped(&["prod"], "pay").unwrap().as_str(),
            "prod/pay"
        );
        assert_eq!(ServiceId::scoped(&[], "pay").unwrap().as_str(), "pay");
        assert!(ServiceId::scoped(&["prod"], "").is_err());
    }
}
