//! Pages of metrics that we scraped ourselves, as samples that questions can be asked about.

use std::collections::BTreeMap;

use std::time::Duration;

use domain::Timestamp;
use embedded::exposition::{Entry, ExpositionError, Format, Parser};
use embedded::promql::{self, Expression, PromqlError, Value};
use embedded::{Labels, Matcher, Sample, SeriesSource};
use sources::prometheus::{Evaluator, RangeSeries, VectorSample};

use super::findings::labels::RENAMED;

/// A page with more samples is no service's.
const SAMPLES_MAX: usize = 200_000;

/// Why a page isn't taken. The words are told apart by their findings.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Exposition(#[from] ExpositionError),
    #[error("sample limit exceeded: more than {SAMPLES_MAX} samples")]
    TooMany,
}

/// The series of all pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    series: BTreeMap<Labels, Vec<Sample>>,
}

impl Pages {
    /// Takes a page that was scraped at `time_ms`, whole or not at all. `target` are the labels of
    /// the scrape configuration with job and instance; where the page has one of them too, it is
    /// kept under its `exported_` name, or wins where `honor_labels` is set. Later pages must be
    /// given later.
    ///
    /// # Errors
    /// A line that isn't one, or too many of them.
    pub(super) fn add(
        &mut self,
        page: &str,
        format: Format,
        target: &BTreeMap<String, String>,
        honor_labels: bool,
        time_ms: i64,
    ) -> Result<(), PageError> {
        let mut samples: Vec<(Labels, f64)> = Vec::new();
        for entry in Parser::new(page, format) {
            let Entry::Sample(line) = entry? else {
                continue;
            };
            if samples.len() == SAMPLES_MAX {
                return Err(PageError::TooMany);
            }
            let own = line.to_labels(std::iter::empty::<(&str, &str)>());
            samples.push((combined(&own, target, honor_labels), line.value));
        }
        for (labels, value) in samples {
            self.series
                .entry(labels)
                .or_default()
                .push(Sample { time_ms, value });
        }
        Ok(())
    }
}

impl Pages {
    /// Takes whether a target answered, as the series `up` of a Prometheus.
    pub(super) fn add_up(&mut self, target: &BTreeMap<String, String>, up: bool, time_ms: i64) {
        let named = [("__name__".to_owned(), "up".to_owned())];
        let labels = target
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        let value = if up { 1.0 } else { 0.0 };
        let samples = self
            .series
            .entry(Labels::new(labels.chain(named)))
            .or_default();
        samples.push(Sample { time_ms, value });
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
        for (labels, samples) in &self.series {
            if !matchers
                .iter()
                .all(|matcher| matcher.matches_labels(labels))
            {
                continue;
            }
            let from = samples.partition_point(|sample| sample.time_ms < from_ms);
            let to = samples.partition_point(|sample| sample.time_ms <= to_ms);
            if from < to {
                visit(labels, &samples[from..to]);
            }
        }
    }
}

impl Evaluator for Pages {
    fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String> {
        let value = self
            .evaluated(query, time)
            .map_err(|error| error.to_string())?;
        let Value::Vector(series) = value else {
            return Err(format!("{query} is no vector"));
        };
        let sample = |(labels, value): (Labels, f64)| VectorSample {
            labels: labels
                .iter()
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect(),
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

impl Pages {
    fn evaluated(&self, query: &str, time: Timestamp) -> Result<Value, PromqlError> {
        promql::instant(self, &Expression::parse(query)?, time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels_of(honor_labels: bool) -> String {
        let target = [("job", "spring"), ("instance", "h:1"), ("service", "pay")];
        let target = target.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        let mut pages = Pages::default();
        let page = "up_time{service=\"payments\"} 7\n";
        pages
            .add(page, Format::Text, &target, honor_labels, 1_000)
            .unwrap();
        let mut found = String::new();
        pages.select(&[], 0, 2_000, &mut |labels, samples| {
            assert_eq!(
                samples,
                [Sample {
                    time_ms: 1_000,
                    value: 7.0
                }]
            );
            found = labels.to_string();
        });
        found
    }

    #[test]
    fn labels_of_the_page_give_way_unless_they_are_honoured() {
        assert_eq!(
            labels_of(false),
            "up_time{exported_service=\"payments\",instance=\"h:1\",job=\"spring\",service=\"pay\"}"
        );
        assert_eq!(
            labels_of(true),
            "up_time{instance=\"h:1\",job=\"spring\",service=\"payments\"}"
        );
    }

    #[test]
    fn a_page_with_a_bad_line_leaves_nothing() {
        let mut pages = Pages::default();
        let page = "good 1\n<html>\n";
        assert!(
            pages
                .add(page, Format::Text, &BTreeMap::new(), false, 0)
                .is_err()
        );
        assert!(pages.series.is_empty());
    }
}
