//! Where metrics come from: a Prometheus that somebody else runs, or targets that are scraped here
//! into the embedded store. Behind the same face, so that nothing else knows which.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use embedded::promql::{self, Expression};
use embedded::scrape::{Keep, ScrapeConfig, ScrapeView, Scraper, Targets};
use embedded::store::{Opened, Store, StoreSettings};
use embedded::{Labels, MatchOperator, Matcher, SeriesSource};
use sources::{Asked, Evaluator, Prometheus, RangeSeries, VectorSample};
use tokio::sync::{Semaphore, watch};

use crate::app::prometheus;
use crate::clock;
use crate::config::Config;
use crate::stopping::stopped;
use crate::telemetry;

/// What is said where the address of a Prometheus would be.
pub const NAME: &str = "the embedded store";
/// Where the store lies in the data directory.
pub const FOLDER: &str = "embedded";
/// What was appended is safe on disk after this.
const FLUSH_EVERY: Duration = Duration::from_secs(10);
/// What is too old or too much goes after this.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// A larger file of targets is not read.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Queries of people at the same time; those of the engine don't wait for them.
const ASKERS: usize = 4;
/// Expressions that stay parsed; incidents ask for further ones, with names of services in them.
const PARSED_MAX: usize = 2_000;

/// Where metrics come from.
pub struct Source {
    pub prometheus: Prometheus,
    /// The embedded store and what fills it, where there is no Prometheus.
    pub embedded: Option<(Arc<Embedded>, Scraper)>,
}

/// The embedded store, and how the targets that fill it are.
pub struct Embedded {
    pub store: Arc<Store>,
    pub targets: ScrapeView,
    /// So many queries of people are evaluated at the same time; the others wait.
    pub askers: Arc<Semaphore>,
}

/// What was checked of the configuration before anything is opened.
pub enum Prepared {
    Prometheus(Prometheus),
    Targets(ScrapeConfig, Keep),
}

impl Prepared {
    /// As configured; nothing is opened or asked.
    ///
    /// # Errors
    /// Settings that make no client; targets or expressions that the embedded store can't take.
    pub fn of(config: &Config) -> anyhow::Result<Prepared> {
        let Some(file) = &config.scrape else {
            return Ok(Prepared::Prometheus(prometheus(config)?));
        };
        let (targets, warnings) = targets(file)?;
        for warning in warnings {
            tracing::warn!(warning, "targets");
        }
        let questions = expressions(config, interval(&targets))?;
        let keep = Keep::new(selectors(&questions).into_values());
        Ok(Prepared::Targets(targets, keep))
    }

    /// The data directory must be ours already.
    ///
    /// # Errors
    /// A store that a newer version wrote; targets that can't be asked as they want it.
    pub fn open(self, config: &Config, now: Timestamp) -> anyhow::Result<Source> {
        let (targets, keep) = match self {
            Prepared::Prometheus(prometheus) => {
                return Ok(Source {
                    prometheus,
                    embedded: None,
                });
            }
            Prepared::Targets(targets, keep) => (targets, keep),
        };
        let store = Arc::new(open_store(config, now)?);
        let clock = Arc::new(|| clock::now().as_millis());
        let scraper = Scraper::new(targets, Arc::clone(&store), keep, clock)?;
        let embedded = Embedded {
            store: Arc::clone(&store),
            targets: scraper.view(),
            askers: Arc::new(Semaphore::new(ASKERS)),
        };
        Ok(Source {
            prometheus: within(store, config.prometheus.timeout),
            embedded: Some((Arc::new(embedded), scraper)),
        })
    }
}

/// The face of a store that the rest of the program knows.
pub fn within(store: Arc<Store>, timeout: Duration) -> Prometheus {
    Prometheus::within(Arc::new(Evaluation::of(store)), NAME, timeout)
}

/// Opens the store of the data directory and says what was found damaged.
///
/// # Errors
/// A store that a newer version wrote, or that can't be read.
pub fn open_store(config: &Config, now: Timestamp) -> anyhow::Result<Store> {
    let settings = StoreSettings {
        dir: Some(config.data_dir.join(FOLDER)),
        retention: config.embedded.retention,
        memory_max: config.embedded.memory_bytes_max,
        ..StoreSettings::default()
    };
    let Opened { store, remarks } =
        Store::open(settings, now.as_millis()).context("open the embedded store")?;
    for remark in remarks {
        tracing::warn!(remark, "put right at start");
    }
    Ok(store)
}

/// The targets of a file in the format of prometheus.yml, and what in it has no meaning here.
///
/// # Errors
/// A file that can't be read or understood, with the place.
pub fn targets(file: &Path) -> Result<(ScrapeConfig, Vec<String>), TargetsError> {
    let name = file.display().to_string();
    let refused = |why: &dyn std::fmt::Display| TargetsError(format!("{name}: {why}"));
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| refused(&error))?;
    let length = opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    if length.map_err(|error| refused(&error))? as u64 > FILE_BYTES_MAX {
        return Err(refused(&format!(
            "it is larger than {FILE_BYTES_MAX} bytes"
        )));
    }
    ScrapeConfig::parse(&text, &name).map_err(|error| TargetsError(error.to_string()))
}

/// The longest scrape interval.
fn interval(targets: &ScrapeConfig) -> Duration {
    let intervals = targets.jobs.iter().map(|job| job.interval);
    intervals.max().unwrap_or_default()
}

/// A file of targets, or an expression, that the embedded store can't take.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TargetsError(String);

/// An expression that is asked, parsed.
pub struct Question {
    pub asked: Asked,
    pub expression: Expression,
}

/// All that will be asked of the embedded store.
///
/// # Errors
/// An expression outside the subset of PromQL, with the function that is missing; all of them at
/// once.
pub fn expressions(config: &Config, interval: Duration) -> anyhow::Result<Vec<Question>> {
    let asked = sources::asked(&config.metrics, &config.identity, &config.scope, interval)?;
    let (mut questions, mut refused) = (Vec::new(), Vec::new());
    for asked in asked {
        match Expression::parse(&asked.query) {
            Ok(expression) => questions.push(Question { asked, expression }),
            Err(error) => refused.push(format!("{}: {error}", asked.purpose)),
        }
    }
    if refused.is_empty() {
        Ok(questions)
    } else {
        let why = format!(
            "the embedded store can't evaluate every query; change them, or use a Prometheus (`prometheus: {{ url: … }}`):\n  {}",
            refused.join("\n  ")
        );
        Err(TargetsError(why).into())
    }
}

/// The selectors of all expressions, each once, as PromQL writes them.
pub fn selectors(questions: &[Question]) -> BTreeMap<String, Vec<Matcher>> {
    let all = questions.iter().flat_map(|q| q.expression.selectors());
    all.map(|selector| (written(&selector.matchers), selector.matchers))
        .collect()
}

/// A selector in PromQL.
fn written(matchers: &[Matcher]) -> String {
    let is_name =
        |matcher: &&Matcher| matcher.name == "__name__" && matcher.operator == MatchOperator::Equal;
    let name = matchers.iter().find(is_name);
    let others: Vec<String> = matchers
        .iter()
        .filter(|matcher| !is_name(matcher))
        .map(|matcher| {
            format!(
                "{}{}{:?}",
                matcher.name,
                sign(matcher.operator),
                matcher.value
            )
        })
        .collect();
    let name = name.map_or("", |matcher| &matcher.value);
    if others.is_empty() && !name.is_empty() {
        return name.to_owned();
    }
    format!("{name}{{{}}}", others.join(","))
}

fn sign(operator: MatchOperator) -> &'static str {
    match operator {
        MatchOperator::Equal => "=",
        MatchOperator::NotEqual => "!=",
        MatchOperator::Regex => "=~",
        MatchOperator::NotRegex => "!~",
    }
}

/// What the embedded store scrapes and keeps, in lines for people; nothing where a Prometheus is
/// asked.
///
/// # Errors
/// Targets or queries that the embedded store can't take.
pub fn kept(config: &Config) -> anyhow::Result<Vec<String>> {
    let Some(file) = &config.scrape else {
        return Ok(Vec::new());
    };
    let (targets, warnings) = targets(file)?;
    let questions = expressions(config, interval(&targets))?;
    let mut lines: Vec<String> = warnings.iter().map(|w| format!("warning: {w}")).collect();
    lines.push(format!(
        "{} targets of {} are scraped; of their series these are kept, for {} queries:",
        Targets::default().find(&targets).0.len(),
        file.display(),
        questions.len()
    ));
    lines.extend(selectors(&questions).into_keys().map(|s| format!("  {s}")));
    Ok(lines)
}

/// Keeps the store safe and within its bounds until told to stop.
pub async fn tend(store: Arc<Store>, mut stop: watch::Receiver<bool>) {
    let mut flush = tokio::time::interval(FLUSH_EVERY);
    let mut expire = tokio::time::interval(EXPIRE_EVERY);
    loop {
        let (ending, expiring) = tokio::select! {
            () = stopped(&mut stop) => (true, false),
            _ = flush.tick() => (false, false),
            _ = expire.tick() => (false, true),
        };
        let store = Arc::clone(&store);
        let work = tokio::task::spawn_blocking(move || {
            let mut remarks = store.flush();
            if expiring {
                remarks.extend(store.expire(clock::now().as_millis()));
            }
            (remarks, store.status())
        });
        match work.await {
            Ok((remarks, status)) => {
                for remark in remarks {
                    tracing::warn!(remark, "the embedded store");
                }
                telemetry::embedded(&status);
            }
            Err(error) => tracing::error!(%error, "the embedded store could not be tended"),
        }
        if ending {
            return;
        }
    }
}

/// Evaluates over samples that are here; the expressions stay parsed.
pub(crate) struct Evaluation<S> {
    samples: Arc<S>,
    parsed: Mutex<HashMap<String, Arc<Expression>>>,
}

impl<S: SeriesSource> Evaluation<S> {
    pub(crate) fn of(samples: Arc<S>) -> Evaluation<S> {
        Evaluation {
            samples,
            parsed: Mutex::default(),
        }
    }

    fn expression(&self, query: &str) -> Result<Arc<Expression>, String> {
        let parsed = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = parsed().get(query) {
            return Ok(Arc::clone(known));
        }
        let expression = Arc::new(Expression::parse(query).map_err(|e| e.to_string())?);
        let mut parsed = parsed();
        if parsed.len() >= PARSED_MAX {
            parsed.clear();
        }
        parsed.insert(query.to_owned(), Arc::clone(&expression));
        Ok(expression)
    }
}

impl<S: SeriesSource + Send + Sync> Evaluator for Evaluation<S> {
    fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String> {
        let expression = self.expression(query)?;
        let value = promql::instant(&*self.samples, &expression, time.as_millis());
        match value.map_err(|error| error.to_string())? {
            promql::Value::Vector(vector) => Ok(vector
                .into_iter()
                .map(|(labels, value)| VectorSample {
                    labels: by_name(&labels),
                    time,
                    value,
                })
                .collect()),
            promql::Value::Scalar(value) => Ok(vec![VectorSample {
                labels: BTreeMap::new(),
                time,
                value,
            }]),
            _ => Err("the query is neither a vector nor a number".to_owned()),
        }
    }

    fn range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<RangeSeries>, String> {
        let expression = self.expression(query)?;
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        let (from, to) = (from.as_millis(), to.as_millis());
        let matrix = promql::range(&*self.samples, &expression, from, to, step)
            .map_err(|error| error.to_string())?;
        let points = |series: promql::RangeSeries| RangeSeries {
            labels: by_name(&series.labels),
            points: series
                .points
                .into_iter()
                .map(|(time, value)| (Timestamp::from_millis(time), value))
                .collect(),
        };
        Ok(matrix.into_iter().map(points).collect())
    }
}

/// Labels as the client of Prometheus has them.
pub(crate) fn by_name(labels: &Labels) -> BTreeMap<String, String> {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_asked_lies_within_the_subset() {
        let yaml = "packs: [spring]";
        let config = Config::from_yaml(yaml).unwrap().config;
        let questions = expressions(&config, Duration::from_secs(15)).unwrap();
        assert!(questions.len() > 50, "{}", questions.len());
        let kept = selectors(&questions);
        assert!(kept.contains_key("process_cpu_usage"), "{:?}", kept.keys());
        let requests = r#"http_server_requests_seconds_bucket{uri!~"/actuator.*"}"#;
        assert!(kept.contains_key(requests), "{:?}", kept.keys());
    }

    #[test]
    fn a_query_outside_the_subset_is_refused_by_name() {
        let yaml = "metrics: { odd: { query: 'max by ($identity) (predict_linear(x[1h], 60))' } }";
        let config = Config::from_yaml(yaml).unwrap().config;
        let refused = expressions(&config, Duration::from_secs(15))
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains("metric odd: "), "{refused}");
        assert!(refused.contains("predict_linear"), "{refused}");
    }
}
