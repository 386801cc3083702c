//! Scraping for a look: the targets of a scrape configuration, asked once or twice, kept nowhere.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use embedded::SeriesSource;
use embedded::promql::{self, Expression, PromqlError, Value};
use embedded::scrape::{Keep, ScrapeConfig, Scraper, TargetStatus};
use embedded::store::{Store, StoreSettings};
use sources::Prometheus;
use sources::prometheus::{Evaluator, Labels, RangeSeries, Target, TargetHealth, VectorSample};

use super::DoctorError;
use super::looking::{Asked, look};
use super::observed::{Observed, Origin};
use crate::clock;
use crate::config::Config;
use crate::offline::progress_bar;

/// The distance of the two looks: long enough that clocks and counters move.
const BETWEEN: Duration = Duration::from_secs(5);
/// A larger scrape configuration is not read.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Asks all targets, and then the same of their pages as of a Prometheus.
///
/// # Errors
/// The file can't be read or isn't a scrape configuration; a question can't be evaluated.
pub(super) async fn at_targets(
    path: &Path,
    once: bool,
    config: &Config,
) -> anyhow::Result<Observed> {
    let (scraped, mut not_seen) = read(path)?;
    let settings = StoreSettings::default();
    let store = Arc::new(Store::open(settings, clock::now().as_millis())?.store);
    let milliseconds = Arc::new(|| clock::now().as_millis());
    let mut scraper = Scraper::new(
        scraped.clone(),
        Arc::clone(&store),
        Keep::everything(),
        milliseconds,
    )
    .map_err(|error| refused(path, &error))?;
    let bar = progress_bar(if once { 1 } else { 2 });
    bar.set_message("scraping");
    scraper.once().await;
    bar.inc(1);
    if !once {
        tokio::time::sleep(BETWEEN).await;
        scraper.once().await;
    }
    bar.finish_and_clear();
    not_seen.extend(scraper.view().remarks());
    let targets = scraper.view().targets().into_iter();
    let asked = Asked {
        at: clock::now(),
        origin: Origin::Pages {
            file: path.display().to_string(),
        },
        targets: targets.map(|status| target(status, &scraped)).collect(),
        not_seen,
        skew: None,
    };
    let answering = Arc::new(Answering(store));
    let prometheus = Prometheus::within(answering, "the targets", config.prometheus.timeout);
    look(&prometheus, config, asked).await
}

/// The configuration, and what in it has no meaning here.
fn read(path: &Path) -> Result<(ScrapeConfig, Vec<String>), DoctorError> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| refused(path, &error))?;
    let mut bounded = file.take(FILE_BYTES_MAX + 1);
    let length = bounded.read_to_string(&mut text);
    let length = length.map_err(|error| refused(path, &error))?;
    if length as u64 > FILE_BYTES_MAX {
        return Err(refused(
            path,
            &format!("it is larger than {FILE_BYTES_MAX} bytes"),
        ));
    }
    ScrapeConfig::parse(&text, &path.display().to_string()).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, why: &dyn std::fmt::Display) -> DoctorError {
    DoctorError::Scrape {
        path: path.display().to_string(),
        why: why.to_string(),
    }
}

/// As a Prometheus would say it.
fn target(status: TargetStatus, config: &ScrapeConfig) -> Target {
    let job = config.jobs.iter().find(|job| job.name == status.job);
    let health = match status.up {
        Some(true) => TargetHealth::Up,
        Some(false) => TargetHealth::Down,
        None => TargetHealth::Unknown,
    };
    Target {
        labels: labels(&status.labels),
        url: status.url,
        health,
        error: sources::excerpt(&status.error.unwrap_or_default(), 500),
        interval: job.map(|job| job.interval),
        timeout: job.map(|job| job.timeout),
        took: status.last_scrape_ms.map(|_| status.duration),
        scraped: status.last_scrape_ms.map(Timestamp::from_millis),
    }
}

fn labels(labels: &embedded::Labels) -> Labels {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Scraped samples that answer as a Prometheus.
pub(super) struct Answering<S>(pub(super) Arc<S>);

impl<S: SeriesSource + Send + Sync> Evaluator for Answering<S> {
    fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String> {
        let value = self
            .evaluated(query, time)
            .map_err(|error| error.to_string())?;
        let Value::Vector(series) = value else {
            return Err(format!("{query} is no vector"));
        };
        let sample = |(of, value): (embedded::Labels, f64)| VectorSample {
            labels: labels(&of),
            time,
            value,
        };
        Ok(series.into_iter().map(sample).collect())
    }

    /// Nothing: two pages have no past.
    fn range(
        &self,
        _: &str,
        _: Timestamp,
        _: Timestamp,
        _: Duration,
    ) -> Result<Vec<RangeSeries>, String> {
        Ok(Vec::new())
    }
}

impl<S: SeriesSource> Answering<S> {
    fn evaluated(&self, query: &str, time: Timestamp) -> Result<Value, PromqlError> {
        promql::instant(&*self.0, &Expression::parse(query)?, time.as_millis())
    }
}
