//! One log source: where its files lie and how their lines are read.

use domain::{ServiceId, Timestamp};
use jiff::tz::TimeZone;

use super::fields::LogFields;
use super::record::{self, Reading, Record};
use super::template::{LogTemplate, Place};
use super::{LogLimits, stamp};

/// A source of logs, as configured.
#[derive(Clone, Debug)]
pub struct LogSource {
    pub(super) template: LogTemplate,
    how: Reading,
    /// Lines are read by the built-in fields, and times without a zone are UTC's.
    is_plain: bool,
    reading: u32,
}

impl LogSource {
    /// Lines are read by the built-in fields, and times that name no zone are UTC's.
    pub fn new(template: LogTemplate) -> LogSource {
        LogSource::with(template, &LogFields::default(), TimeZone::UTC)
    }

    /// `fields` are tried before the built-in ones, and times that name no zone are `zone`'s.
    pub fn with(template: LogTemplate, fields: &LogFields, zone: TimeZone) -> LogSource {
        let is_plain = *fields == LogFields::default() && zone == TimeZone::UTC;
        let named = format!("{fields:?} {:?}", zone.iana_name());
        LogSource {
            template,
            how: Reading::new(fields, zone, LogLimits::default().text_bytes),
            is_plain,
            reading: if is_plain { 0 } else { fnv(&named) },
        }
    }

    /// Messages and stack traces are cut at so many bytes.
    pub(super) fn bound(&mut self, text_bytes: usize) {
        self.how.text_bytes = text_bytes;
    }

    /// Where the service's files lie.
    pub(super) fn place(&self, service: &ServiceId) -> Place {
        self.template.place(service)
    }

    /// The meaning of a line; `cut` says that its end is missing.
    pub(super) fn record(&self, bytes: &[u8], cut: bool) -> Record {
        record::read(bytes, cut, &self.how)
    }

    /// The time of a line: [`Self::record`]'s where that has one.
    pub(super) fn time(&self, bytes: &[u8], cut: bool) -> Option<Timestamp> {
        if self.is_plain {
            match stamp::glance(bytes, cut) {
                stamp::Glance::Time(time) => return Some(time),
                stamp::Glance::Nothing => return None,
                stamp::Glance::Unsure => {}
            }
        }
        self.record(bytes, cut).time()
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
        self.reading
    }
}

/// FNV-1a, 32 bits; not 0, which is the plain reading's.
fn fnv(text: &str) -> u32 {
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, hash).max(1)
}
