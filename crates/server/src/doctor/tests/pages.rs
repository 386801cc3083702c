//! Pages of metrics as if they had been scraped, with the labels of their targets.

use std::collections::BTreeMap;

use embedded::exposition::{Entry, ExpositionError, Format, Parser};
use embedded::{Labels, Matcher, Sample, SeriesSource};

use crate::doctor::findings::labels::RENAMED;

/// The series of all pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// By the name of the metric, so that a question looks at little.
    series: BTreeMap<String, BTreeMap<Labels, Vec<Sample>>>,
}

impl Pages {
    /// Takes a page that was scraped at `time_ms`, whole or not at all. `target` are the labels of
    /// the scrape configuration with job and instance; where the page has one of them too, it is
    /// kept under its `exported_` name, or wins where `honor_labels` is set. Later pages must be
    /// given later.
    ///
    /// # Errors
    /// A line that isn't one.
    pub(super) fn add(
        &mut self,
        page: &str,
        format: Format,
        target: &BTreeMap<String, String>,
        honor_labels: bool,
        time_ms: i64,
    ) -> Result<(), ExpositionError> {
        let mut samples: Vec<(Labels, f64)> = Vec::new();
        for entry in Parser::new(page, format) {
            let Entry::Sample(line) = entry? else {
                continue;
            };
            let own = line.to_labels(std::iter::empty::<(&str, &str)>());
            samples.push((combined(&own, target, honor_labels), line.value));
        }
        for (labels, value) in samples {
            self.push(labels, Sample { time_ms, value });
        }
        Ok(())
    }

    /// Takes whether a target answered, as the series `up` of a Prometheus.
    pub(super) fn add_up(&mut self, target: &BTreeMap<String, String>, up: bool, time_ms: i64) {
        let named = [("__name__".to_owned(), "up".to_owned())];
        let labels = target
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        let value = if up { 1.0 } else { 0.0 };
        self.push(Labels::new(labels.chain(named)), Sample { time_ms, value });
    }

    fn push(&mut self, labels: Labels, sample: Sample) {
        let name = labels.name().unwrap_or_default().to_owned();
        let named = self.series.entry(name).or_default();
        named.entry(labels).or_default().push(sample);
    }
}

fn combined(own: &Labels, target: &BTreeMap<String, String>, honor_labels: bool) -> Labels {
    let renamed = |name: &str| match target.contains_key(name) && !honor_labels {
        true => format!("{RENAMED}{name}"),
        false => name.to_owned(),
    };
    let own_labels = own
        .iter()
        .map(|(name, value)| (renamed(name), value.to_owned()));
    let added = target
        .iter()
        .filter(|(name, _)| !honor_labels || own.get(name).is_none());
    let added = added.map(|(name, value)| (name.clone(), value.clone()));
    Labels::new(own_labels.chain(added))
}

impl SeriesSource for Pages {
    fn select(
        &self,
        matchers: &[Matcher],
        from_ms: i64,
        to_ms: i64,
        visit: &mut dyn FnMut(&Labels, &[Sample]),
    ) {
        let (of_name, of_others): (Vec<&Matcher>, Vec<&Matcher>) = matchers
            .iter()
            .partition(|matcher| matcher.name == "__name__");
        for (name, series) in &self.series {
            if !of_name.iter().all(|matcher| matcher.matches(name)) {
                continue;
            }
            for (labels, samples) in series {
                let fits = |matcher: &&Matcher| matcher.matches_labels(labels);
                let within = |s: &&Sample| (from_ms..=to_ms).contains(&s.time_ms);
                let samples: Vec<Sample> = samples.iter().filter(within).copied().collect();
                if !samples.is_empty() && of_others.iter().all(fits) {
                    visit(labels, &samples);
                }
            }
        }
    }
}
