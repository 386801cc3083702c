//! The past of the shop, laid into the embedded store as if it had been scraped.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use embedded::Labels;
use embedded::exposition::{Entry, Format, Parser};
use embedded::store::{Absent, SeriesRef, Store, TargetRef};
use simulator::{DEFAULT_JOB, Families, Fleet, PastScrape, past_scrapes};

use crate::config::Config;
use crate::source::open_store;

/// Scrapes the fleet every `step` from `from` to `to`, in time of the store, and closes the store.
///
/// # Errors
/// A store that can't be opened or written, a page that can't be read.
pub fn lay_down(
    fleet: &mut Fleet,
    config: &Config,
    (from, to): (Timestamp, Timestamp),
    step: Duration,
) -> anyhow::Result<()> {
    let store = open_store(config, to)?;
    let mut targets: HashMap<String, Target> = HashMap::new();
    let times = (
        from.as_millis(),
        // The first live scrape comes after it.
        to.as_millis() - 1,
        i64::try_from(step.as_millis())?,
    );
    past_scrapes(fleet, times, Families::Catalogue, |scrape| {
        let instance = format!("{}-{}", scrape.service, scrape.instance);
        let target = targets
            .entry(instance)
            .or_insert_with_key(|instance| Target::new(&store, instance));
        target.take(&store, &scrape)
    })?;
    store.flush();
    Ok(())
}

/// One instance, with the series that its lines stand for.
struct Target {
    known: TargetRef,
    instance: String,
    up: SeriesRef,
    series: HashMap<String, SeriesRef>,
}

impl Target {
    fn new(store: &Store, instance: &str) -> Target {
        let own = [("job", DEFAULT_JOB), ("instance", instance)];
        let known = store.target(&Labels::new(own));
        let up = Labels::new([("__name__", "up")].into_iter().chain(own));
        Target {
            known,
            instance: instance.to_owned(),
            up: store.series(known, &up),
            series: HashMap::new(),
        }
    }

    fn take(&mut self, store: &Store, scrape: &PastScrape<'_>) -> anyhow::Result<()> {
        let up = f64::from(u8::from(scrape.page.is_some()));
        let mut values = vec![(self.up, up)];
        let own = [("job", DEFAULT_JOB), ("instance", self.instance.as_str())];
        for entry in Parser::new(scrape.page.unwrap_or_default(), Format::Text) {
            let Entry::Sample(line) = entry.context("a page of the simulator")? else {
                continue;
            };
            let series = match self.series.get(line.series) {
                Some(series) => *series,
                None => {
                    let series = store.series(self.known, &line.to_labels(own));
                    self.series.insert(line.series.to_owned(), series);
                    series
                }
            };
            values.push((series, line.value));
        }
        store.append(self.known, scrape.t_ms, &values, Absent::Stale)?;
        Ok(())
    }
}
