//! How far apart samples lie: the median spacing of the times at which instances were scraped.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{ServiceId, Timestamp};

use crate::identity::Identity;
use crate::prometheus::RangeSeries;

/// How far apart the samples of one service lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spacings {
    /// Of the service: whenever any of its instances is scraped.
    pub service: Duration,
    /// Of one instance, the slowest: its scrape interval.
    pub scrape: Duration,
}

/// From the answer to the range query for scrape times. Services with too few are left out.
pub(crate) fn spacings(
    identity: &Identity,
    answer: Vec<RangeSeries>,
) -> BTreeMap<ServiceId, Spacings> {
    let sorted = identity.sort(
        answer
            .into_iter()
            .map(|series| (series.labels, series.points)),
    );
    let of_service = |instances: &Vec<(_, Vec<(Timestamp, f64)>)>| {
        let scrape = instances
            .iter()
            .filter_map(|(_, points)| median(points.iter().map(|(_, time)| *time)))
            .max()?;
        // The newest scrape of any instance at each time of the grid.
        let mut newest: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for (at, time) in instances.iter().flat_map(|(_, points)| points) {
            let entry = newest.entry(*at).or_insert(*time);
            *entry = entry.max(*time);
        }
        let service = median(newest.into_values())?;
        Some(Spacings { service, scrape })
    };
    sorted
        .by_service
        .iter()
        .filter_map(|(service, instances)| Some((service.clone(), of_service(instances)?)))
        .collect()
}

/// The lower median of the distances between distinct times (in epoch seconds), rounded to whole
/// seconds above one; none below two times.
pub(super) fn median(times: impl Iterator<Item = f64>) -> Option<Duration> {
    let mut times: Vec<f64> = times.filter(|time| time.is_finite()).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut distances: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_by(f64::total_cmp);
    let median = *distances.get(distances.len().checked_sub(1)? / 2)?;
    let seconds = if median >= 1.0 {
        median.round()
    } else {
        median
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_the_median_of_distinct_times() {
        let check = |times: &[f64], seconds: Option<f64>| {
            let median = median(times.iter().copied()).map(|d| d.as_secs_f64());
            assert_eq!(median, seconds, "{times:?}");
        };
        check(&[], None);
        check(&[5.0], None);
        check(&[0.0, 0.0, 60.0, 60.0, 120.003, 400.0], Some(60.0));
        check(&[0.0, 10.0, 30.0, 40.0, 60.0], Some(10.0));
        check(&[f64::NAN, 0.0, f64::INFINITY, 15.0], Some(15.0));
    }
}
