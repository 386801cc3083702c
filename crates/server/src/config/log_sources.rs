//! From raw log sources to checked ones.

use jiff::tz::TimeZone;
use sources::{LogFields, LogTemplate};

use super::LogSource;
use super::keys::key;
use super::nearest::nearest;
use super::problem::quoted;
use super::raw::{RawLogFields, RawLogSource};
use super::resolve::Resolver;

const FIELD_BYTES_MAX: usize = 200;
const FIELD_PARTS_MAX: usize = 16;

impl Resolver<'_> {
    pub(super) fn logs(&mut self, raw: Vec<RawLogSource>) -> Vec<LogSource> {
        let mut sources = Vec::new();
        for (index, source) in raw.into_iter().enumerate() {
            let index = index.to_string();
            let fields = self.log_fields(&index, source.fields.unwrap_or_default());
            let zone = self.log_zone(&index, source.zone);
            if let Some(path) = self.log_path(&index, source.path) {
                sources.push(LogSource { path, fields, zone });
            }
        }
        sources
    }

    fn log_path(&mut self, index: &str, given: Option<String>) -> Option<String> {
        let Some(path) = given.filter(|path| !path.is_empty()) else {
            let what = format!("log source {index} has no path");
            let advice = "write e.g. /var/log/{service}/app.json";
            self.refuse(&["logs", index], what, advice);
            return None;
        };
        if path.replace("{service}", "").contains(['{', '}', '\0']) {
            let what = format!("the path of log source {index} is {}", quoted(&path));
            let advice = "`{service}` is its only placeholder";
            self.refuse(&["logs", index, "path"], what, advice);
        } else if let Err(error) = LogTemplate::new(&path) {
            let what = format!("the path of log source {index} is not usable");
            self.refuse(&["logs", index, "path"], what, error.to_string());
        }
        Some(path)
    }

    /// Each name is one that a field can have, and stands for one thing.
    fn log_fields(&mut self, index: &str, raw: RawLogFields) -> LogFields {
        let given = [
            ("time", &raw.time),
            ("level", &raw.level),
            ("logger", &raw.logger),
            ("message", &raw.message),
            ("exception", &raw.exception),
            ("stack_trace", &raw.stack_trace),
            ("trace_id", &raw.trace_id),
            ("span_id", &raw.span_id),
            ("service", &raw.service),
        ];
        let mut names: Vec<(&str, &str)> = Vec::new();
        for (field, name) in given {
            let Some(name) = name else { continue };
            let what = format!("`fields.{field}` of log source {index} is {}", quoted(name));
            let path = ["logs", index, "fields", field];
            if !is_field(name) {
                let key = key(&format!("logs[].fields.{field}"));
                let advice = format!("it must be {} ({})", key.range, key.meaning());
                self.refuse(&path, what, advice);
            } else if let Some((other, _)) = names.iter().find(|(_, known)| known == name) {
                let what = format!("{what}, as `fields.{other}` is");
                self.refuse(&path, what, "a field is read as one thing; name it once");
            }
            names.push((field, name));
        }
        LogFields {
            time: raw.time,
            level: raw.level,
            logger: raw.logger,
            message: raw.message,
            exception: raw.exception,
            stack_trace: raw.stack_trace,
            trace_id: raw.trace_id,
            span_id: raw.span_id,
            service: raw.service,
        }
    }

    fn log_zone(&mut self, index: &str, given: Option<String>) -> TimeZone {
        let key = key("logs[].zone");
        let name = given.unwrap_or_else(|| key.default.to_owned());
        TimeZone::get(&name).unwrap_or_else(|_| {
            let what = format!("`zone` of log source {index} is {}", quoted(&name));
            let advice = match nearest_zone(&name) {
                Some(zone) => format!("did you mean {}?", quoted(&zone)),
                None => format!("it must be {} ({})", key.range, key.meaning()),
            };
            self.refuse(&["logs", index, "zone"], what, advice);
            TimeZone::UTC
        })
    }
}

/// Parts between dots, none of them empty.
fn is_field(name: &str) -> bool {
    name.len() <= FIELD_BYTES_MAX
        && !name.chars().any(char::is_control)
        && name.split('.').count() <= FIELD_PARTS_MAX
        && name.split('.').all(|part| !part.trim().is_empty())
}

/// The zone that was probably meant.
fn nearest_zone(name: &str) -> Option<String> {
    let zones: Vec<(String, String)> = jiff::tz::db()
        .available()
        .map(|zone| (zone.as_str().to_lowercase(), zone.as_str().to_owned()))
        .collect();
    let lower = nearest(name, zones.iter().map(|(lower, _)| lower.as_str()))?;
    let zone = zones.iter().find(|(known, _)| known == lower);
    zone.map(|(_, zone)| zone.clone())
}
