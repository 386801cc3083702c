//! One log source: where its files lie and how their lines are read.

use domain::{ServiceId, Timestamp};

use super::record::{self, Record};
use super::stamp;
use super::template::{LogTemplate, Place};

/// A source of logs, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    pub template: LogTemplate,
}

impl LogSource {
    pub fn new(template: LogTemplate) -> LogSource {
        LogSource { template }
    }

    /// Where the service's files lie.
    pub(super) fn place(&self, service: &ServiceId) -> Place {
        self.template.place(service)
    }

    /// The meaning of a line; `cut` says that its end is missing.
    pub(super) fn record(&self, bytes: &[u8], cut: bool, text_bytes: usize) -> Record {
        record::read(bytes, cut, text_bytes)
    }

    /// The time of a line: [`Self::record`]'s where that has one.
    pub(super) fn time(&self, bytes: &[u8], cut: bool) -> Option<Timestamp> {
        match stamp::glance(bytes, cut) {
            stamp::Glance::Time(time) => Some(time),
            stamp::Glance::Nothing => None,
            stamp::Glance::Unsure => self.record(bytes, cut, 0).time(),
        }
    }

    /// Lines of several services lie in its files.
    pub(super) fn is_shared(&self) -> bool {
        !self.template.names_service()
    }

    /// Whether a line that names `named` is one of the service. In files of its own all are.
    pub(super) fn is_of(&self, service: &ServiceId, named: Option<&str>) -> bool {
        !self.is_shared() || named == Some(service.as_str())
    }

    /// Changes when the same line may get another time, so that what is known of its files is
    /// found out anew.
    pub(super) fn reading(&self) -> u32 {
        0
    }
}

/// Which service a line names.
// Until `Record` carries it.
pub(super) fn named_service(bytes: &[u8]) -> Option<String> {
    let object: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let flat = ["service.name", "service", "application", "app"];
    let named = flat.iter().find_map(|name| object.get(name)?.as_str());
    let nested = || object.get("service")?.get("name")?.as_str();
    named.or_else(nested).map(str::to_owned)
}
