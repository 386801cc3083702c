//! From raw settings to the resolved configuration: defaults filled in, bounds kept.
//!
//! Defaults and bounds come from the table of keys. A refused value is noted and its default
//! taken, so that all problems are found at once; with problems the result is not used.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use super::document::Node;
use super::duration::{Size, Span};
use super::keys::{Key, Range, key};
use super::problem::{Problem, quoted};
use super::raw::{Raw, RawDecide, RawRetention, RawTraining};
use super::{
    Config, Decide, Embedded, Limits, Log, LogFormat, LogLevel, Retention, Schedule, Season,
    Training,
};

const IDENTITY_MAX: usize = 16;
const SCOPE_MAX: usize = 8;
const SCHEDULE_MAX: Duration = Duration::from_secs(30 * 86_400);

pub(super) struct Resolver<'a> {
    root: &'a Node,
    pub problems: Vec<Problem>,
}

impl<'a> Resolver<'a> {
    pub fn new(root: &'a Node) -> Resolver<'a> {
        Resolver {
            root,
            problems: Vec::new(),
        }
    }

    pub fn config(&mut self, raw: Raw) -> Config {
        let training = self.training(raw.training.unwrap_or_default());
        let retention = self.retention(raw.retention.unwrap_or_default(), training.window);
        let identity = self.identity(raw.identity);
        let scope = self.scope(raw.scope.unwrap_or_default(), &identity);
        let server = self.server(raw.server.unwrap_or_default());
        let limits = raw.limits.unwrap_or_default();
        let embedded = raw.embedded.unwrap_or_default();
        let packs = self.packs(raw.packs);
        let scrape = self.scrape(raw.scrape, raw.prometheus.as_ref());
        let log = raw.log.unwrap_or_default();
        Config {
            prometheus: self.prometheus(raw.prometheus.unwrap_or_default()),
            scrape,
            embedded: Embedded {
                retention: self.duration("embedded.retention", embedded.retention),
                memory_bytes_max: self.bytes("embedded.memory", embedded.memory),
            },
            tick: self.duration("tick", raw.tick),
            evaluation_delay: self.duration("evaluation_delay", raw.evaluation_delay),
            identity,
            scope,
            metrics: self.catalogue(
                &packs,
                raw.metrics.unwrap_or_default(),
                raw.services.unwrap_or_default(),
            ),
            packs,
            training,
            decide: self.decide(raw.decide.unwrap_or_default()),
            auto_resolve: self.auto_resolve(raw.auto_resolve.unwrap_or_default()),
            season: self.season(raw.season.unwrap_or_default().timezone),
            logs: self.logs(raw.logs.unwrap_or_default()),
            listen: self.listen(raw.listen, &server),
            data_dir: self.data_dir(raw.data_dir),
            retention,
            limits: Limits {
                services: self.count("limits.services", limits.services),
                series: self.count("limits.series", limits.series),
                streams: self.count("limits.streams", limits.streams),
                connections: self.count("limits.connections", limits.connections),
            },
            notify: self.notify(raw.notify.unwrap_or_default()),
            server,
            log: Log {
                level: log.level.unwrap_or(LogLevel::Info),
                format: log.format.unwrap_or(LogFormat::Text),
            },
        }
    }

    fn training(&mut self, raw: RawTraining) -> Training {
        Training {
            window: self.duration("training.window", raw.window),
            window_min_samples: self.count("training.window_min_samples", raw.window_min_samples),
            min_samples: self.count("training.min_samples", raw.min_samples),
            contamination: self.share("training.contamination", raw.contamination),
            schedule: self.schedule(raw.schedule),
            max_age: self.duration("training.max_age", raw.max_age),
            trees: self.count("training.trees", raw.trees),
            sample_size: self.count("training.sample_size", raw.sample_size),
            seed: raw.seed.unwrap_or_else(|| default("training.seed")),
        }
    }

    fn schedule(&mut self, given: Option<String>) -> Schedule {
        let text = given.unwrap_or_else(|| key("training.schedule").default.to_owned());
        if let Ok(Span(period)) = text.parse() {
            if !(Duration::from_secs(1)..=SCHEDULE_MAX).contains(&period) {
                self.refuse_value("training.schedule", &text);
            }
            return Schedule::Every(period);
        }
        let fields = text.split_whitespace().count();
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        match parser.parse(&text) {
            Ok(cron) if fields == 5 => Schedule::Cron {
                text,
                cron: Box::new(cron),
            },
            Err(error) if fields == 5 => {
                let what = format!("`training.schedule` is {}", quoted(&text));
                let advice = format!("as a cron expression: {error}");
                self.refuse(&["training", "schedule"], what, advice);
                Schedule::Every(SCHEDULE_MAX)
            }
            _ => {
                self.refuse_value("training.schedule", &text);
                Schedule::Every(SCHEDULE_MAX)
            }
        }
    }

    fn decide(&mut self, raw: RawDecide) -> Decide {
        Decide {
            open_after: self.duration("decide.open_after", raw.open_after),
            critical_after: self.duration("decide.critical_after", raw.critical_after),
            quiet_period: self.duration("decide.quiet_period", raw.quiet_period),
            hysteresis: self.within("decide.hysteresis", raw.hysteresis),
            down_after: self.duration("decide.down_after", raw.down_after),
            alarm_budget: self.share("decide.alarm_budget", raw.alarm_budget),
            source_fault_share: self.share("decide.source_fault_share", raw.source_fault_share),
        }
    }

    fn season(&mut self, given: Option<String>) -> Season {
        let name = given.unwrap_or_else(|| key("season.timezone").default.to_owned());
        let timezone = TimeZone::get(&name).unwrap_or_else(|_| {
            self.refuse_value("season.timezone", &name);
            TimeZone::UTC
        });
        Season { timezone }
    }

    fn data_dir(&mut self, given: Option<PathBuf>) -> PathBuf {
        let path = given.unwrap_or_else(|| key("data_dir").default.into());
        if path.as_os_str().is_empty() {
            self.refuse_value("data_dir", "");
        }
        path
    }

    fn retention(&mut self, raw: RawRetention, window: Duration) -> Retention {
        let datasets = self.duration("retention.datasets", raw.datasets);
        if datasets < window {
            let (datasets, window) = (Span(datasets), Span(window));
            if raw.datasets.is_some() {
                let what = format!("`retention.datasets` is `{datasets}`");
                let advice = format!("it must be at least `training.window` ({window})");
                self.refuse(&["retention", "datasets"], what, advice);
            } else {
                let what = format!("`training.window` is `{window}`");
                let advice = format!("it must be at most `retention.datasets` ({datasets})");
                self.refuse(&["training", "window"], what, advice);
            }
        }
        Retention {
            datasets,
            incidents: self.duration("retention.incidents", raw.incidents),
            ledger: self.duration("retention.ledger", raw.ledger),
            ledger_entries: self.count("retention.ledger_entries", raw.ledger_entries),
            disk_bytes_max: self.bytes("retention.disk_max", raw.disk_max),
        }
    }

    fn identity(&mut self, given: Option<Vec<String>>) -> Vec<String> {
        let labels = given.unwrap_or_else(|| {
            let names = key("identity").default.split(", ");
            names.map(str::to_owned).collect()
        });
        if labels.is_empty() {
            self.refuse_value("identity", "[]");
        }
        self.labels("identity", &labels, IDENTITY_MAX, &[]);
        labels
    }

    fn scope(&mut self, labels: Vec<String>, identity: &[String]) -> Vec<String> {
        self.labels("scope", &labels, SCOPE_MAX, identity);
        labels
    }

    fn labels(&mut self, path: &str, labels: &[String], most: usize, taken: &[String]) {
        if labels.len() > most {
            self.refuse_value(path, &format!("a list of {}", labels.len()));
        }
        let mut seen: BTreeSet<&str> = taken.iter().map(String::as_str).collect();
        for (index, label) in labels.iter().enumerate() {
            let advice = if !is_label(label) {
                "a label name is made of letters, digits and _, and does not begin with a digit"
            } else if !seen.insert(label) {
                "it is there already"
            } else {
                continue;
            };
            let what = format!("`{path}` has the label {}", quoted(label));
            self.refuse(&[path, &index.to_string()], what, advice);
        }
    }
}

/// Values with bounds, and refusals.
impl Resolver<'_> {
    pub(super) fn duration(&mut self, path: &str, given: Option<Span>) -> Duration {
        let within = |span: &Span, range: Range| match range {
            Range::Duration(least, most) => (least..=most).contains(&span.0),
            _ => true,
        };
        self.bounded(path, given, within).0
    }

    pub(super) fn bytes(&mut self, path: &str, given: Option<Size>) -> u64 {
        let within = |size: &Size, range: Range| match range {
            Range::Bytes(least, most) => (least..=most).contains(&size.0),
            _ => true,
        };
        self.bounded(path, given, within).0
    }

    pub(super) fn count(&mut self, path: &str, given: Option<u64>) -> usize {
        let within = |count: &u64, range: Range| match range {
            Range::Count(least, most) => (least..=most).contains(count),
            _ => true,
        };
        usize::try_from(self.bounded(path, given, within)).unwrap_or(usize::MAX)
    }

    fn share(&mut self, path: &str, given: Option<f64>) -> f64 {
        self.bounded(path, given, |share, range| match range {
            Range::Share(above, most) => above < *share && *share <= most,
            _ => true,
        })
    }

    fn within(&mut self, path: &str, given: Option<f64>) -> f64 {
        self.bounded(path, given, |value, range| match range {
            Range::Within(least, most) => (least..=most).contains(value),
            _ => true,
        })
    }

    fn bounded<T: FromStr + Display>(
        &mut self,
        path: &str,
        given: Option<T>,
        within: impl Fn(&T, Range) -> bool,
    ) -> T {
        match given {
            Some(value) if within(&value, key(path).range) => value,
            Some(value) => {
                self.refuse_value(path, &value.to_string());
                default(path)
            }
            None => default(path),
        }
    }

    /// Refuses the value of a key of the table, with what is allowed and what the key means.
    pub(super) fn refuse_value(&mut self, path: &str, value: &str) {
        let Key { range, .. } = key(path);
        let parts: Vec<&str> = path.split('.').collect();
        let advice = format!("it must be {range} ({})", key(path).meaning());
        self.refuse(&parts, format!("`{path}` is {}", quoted(value)), advice);
    }

    pub(super) fn refuse(
        &mut self,
        path: &[&str],
        what: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        let origin = self.root.nearest(&path).map(|node| node.origin.clone());
        self.problems
            .push(Problem::new(what, origin, advice).of(&path));
    }
}

fn default<T: FromStr>(path: &str) -> T {
    let parsed = key(path).default.parse().ok();
    parsed.expect("every default of the table of keys parses")
}

fn is_label(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
