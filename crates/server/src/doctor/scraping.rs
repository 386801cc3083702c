//! Scraping for a look: the targets of a scrape configuration, asked once or twice, kept nowhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use embedded::SeriesSource;
use embedded::scrape::{Keep, ScrapeConfig, Scraper, TargetStatus};
use embedded::store::{Store, StoreSettings};
use sources::Prometheus;
use sources::prometheus::{Evaluator, RangeSeries, Target, TargetHealth, VectorSample};

use super::looking::{Asked, look};
use super::observed::{Observed, Origin};
use crate::clock;
use crate::config::Config;
use crate::offline::progress_bar;
use crate::source::{Evaluation, by_name, targets};

/// The distance of the two looks: long enough that clocks and counters move.
const BETWEEN: Duration = Duration::from_secs(5);

/// Asks all targets, and then the same of their pages as of a Prometheus.
///
/// # Errors
/// The file can't be read or isn't a scrape configuration; a question can't be evaluated.
pub(super) async fn at_targets(
    path: &Path,
    once: bool,
    config: &Config,
) -> anyhow::Result<Observed> {
    let (scraped, mut not_seen) = targets(path)?;
    let settings = StoreSettings::default();
    let store = Arc::new(Store::open(settings, clock::now().as_millis())?.store);
    let milliseconds = Arc::new(|| clock::now().as_millis());
    let mut scraper = Scraper::new(
        scraped.clone(),
        Arc::clone(&store),
        Keep::everything(),
        milliseconds,
    )
    .with_context(|| path.display().to_string())?;
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
    let answering = Arc::new(Answering::of(store));
    let prometheus = Prometheus::within(answering, "the targets", config.prometheus.timeout);
    look(&prometheus, config, asked).await
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
        labels: by_name(&status.labels),
        url: status.url,
        health,
        error: sources::excerpt(&status.error.unwrap_or_default(), 500),
        interval: job.map(|job| job.interval),
        timeout: job.map(|job| job.timeout),
        took: status.last_scrape_ms.map(|_| status.duration),
        scraped: status.last_scrape_ms.map(Timestamp::from_millis),
    }
}

/// Scraped samples that answer as a Prometheus.
pub(super) struct Answering<S>(Evaluation<S>);

impl<S: SeriesSource> Answering<S> {
    pub(super) fn of(samples: Arc<S>) -> Answering<S> {
        Answering(Evaluation::of(samples))
    }
}

impl<S: SeriesSource + Send + Sync> Evaluator for Answering<S> {
    fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String> {
        self.0.instant(query, time)
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
