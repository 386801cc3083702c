//! Which series there are: those that are watched, and those that only datasets are left of.
//! Parameters name one of them or none, so that no path is ever made of what a request says.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use domain::{MetricId, SeriesId, ServiceId};

use super::problem::Problem;
use super::{Api, visible};

impl Api {
    /// Every series that has rows on disk, in order.
    pub(crate) async fn series_on_disk(&self) -> Result<Vec<SeriesId>, Problem> {
        let storage = Arc::clone(&self.storage);
        self.read_datasets("naming the series", move || {
            Ok::<_, std::convert::Infallible>(storage.datasets().known())
        })
        .await
    }

    /// Reads datasets or models where that may block, a few requests at a time.
    pub(crate) async fn read_datasets<T, E>(
        &self,
        doing: &'static str,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let failed = |error: &dyn std::error::Error| Problem::internal(doing, error);
        let permit = Arc::clone(&self.dataset_readers).acquire_owned().await;
        let permit = permit.map_err(|error| failed(&error))?;
        // The permit goes with the work: a caller that left doesn't make room for more.
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            read()
        });
        let read = work.await.map_err(|error| failed(&error))?;
        read.map_err(|error| failed(&error))
    }

    /// The service that a parameter names, also one that only `series` are left of.
    pub(crate) fn service_among(
        &self,
        series: &[SeriesId],
        text: Option<&str>,
    ) -> Result<ServiceId, Problem> {
        let snapshot = self.snapshot();
        self.service(&snapshot, text).or_else(|problem| {
            let left = text.and_then(|text| series.iter().find(|id| id.service.as_str() == text));
            left.map(|id| id.service.clone()).ok_or(problem)
        })
    }

    /// The series that two parameters name: one that is watched, or that has rows on disk.
    pub(crate) async fn known_series(
        &self,
        service: Option<&str>,
        metric: Option<&str>,
    ) -> Result<SeriesId, Problem> {
        let on_disk = self.series_on_disk().await?;
        let service = self.service_among(&on_disk, service)?;
        let config = self.config();
        let configured = config.metrics.iter().map(|spec| &spec.id);
        let left = on_disk.iter().filter(|id| id.service == service);
        let known: BTreeSet<&MetricId> = configured.chain(left.map(|id| &id.metric)).collect();
        let names = || {
            let names: Vec<&str> = known.iter().map(|id| id.as_str()).collect();
            names.join(", ")
        };
        let text = metric.filter(|text| !text.is_empty()).ok_or_else(|| {
            Problem::bad_request(format!(
                "parameter metric is missing; it is one of {}",
                names()
            ))
        })?;
        let metric = known.iter().find(|id| id.as_str() == text).ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "no such metric").detail(format!(
                "no metric is named {}; there are {}",
                visible(text),
                names()
            ))
        })?;
        Ok(SeriesId::new(service, (*metric).clone()))
    }
}

/// A cursor that goes on after a series: the metric, which has no space, then the service.
pub fn cursor_after(series: &SeriesId) -> String {
    format!("{} {}", series.metric, series.service)
}

/// The series after which a page goes on.
pub fn after_cursor(cursor: Option<&str>) -> Result<Option<SeriesId>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let parts = text.split_once(' ').and_then(|(metric, service)| {
        let metric = MetricId::new(metric).ok()?;
        Some(SeriesId::new(ServiceId::new(service).ok()?, metric))
    });
    parts.map(Some).ok_or_else(|| {
        Problem::bad_request(format!(
            "cursor is {}; it must be the next_cursor of the page before",
            visible(text)
        ))
    })
}

/// One page of what is in order by series, and the cursor of the next.
pub fn page_of<T>(
    all: impl Iterator<Item = T>,
    series: impl Fn(&T) -> SeriesId,
    after: Option<&SeriesId>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let mut rest = all.filter(|item| after.is_none_or(|after| series(item) > *after));
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more);
    let next = next.map(|item| cursor_after(&series(item)));
    (page, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(service: &str) -> SeriesId {
        SeriesId::new(
            ServiceId::new(service).unwrap(),
            MetricId::new("cpu").unwrap(),
        )
    }

    #[test]
    fn pages_follow_each_other_and_end() {
        let all = ["a b", "c", "d"].map(series);
        let page = |after: Option<&SeriesId>| page_of(all.iter(), |id| (*id).clone(), after, 2);
        let (first, next) = page(None);
        assert_eq!(first, [&all[0], &all[1]]);
        let after = after_cursor(next.as_deref()).unwrap();
        assert_eq!(after.as_ref(), Some(&all[1]));
        assert_eq!(page(after.as_ref()), (vec![&all[2]], None));
        let cursor = cursor_after(&all[0]);
        assert_eq!(after_cursor(Some(&cursor)).unwrap(), Some(all[0].clone()));
        assert!(after_cursor(Some("cpu")).is_err());
        assert!(after_cursor(Some("../x pay")).is_err());
    }
}
