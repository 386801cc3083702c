//! The past of one series as the data directory keeps it, and training on it as the server does.

use std::collections::BTreeSet;

use detect::{Model, Outcome, Season, TrainingSet, median_spacing, train};
use domain::{Part, Sample, SeriesId, Timestamp};
use engine::{PlacedRow, Swap};
use incident::Masks;

use crate::settings::Settings;

/// The samples of one series, oldest first, and which of them lie in `anomaly/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dataset {
    samples: Vec<Sample>,
    anomaly: BTreeSet<Timestamp>,
    model: Option<Model>,
}

impl Dataset {
    /// A sample of the history.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// A row that the engine placed.
    pub fn append(&mut self, placed: &PlacedRow) {
        self.samples.push(Sample {
            time: placed.row.timestamp,
            value: placed.row.value,
        });
        if placed.part == Part::Anomaly {
            self.anomaly.insert(placed.row.timestamp);
        }
    }

    /// The samples that no incident has, oldest first.
    pub fn history(&self) -> impl Iterator<Item = Sample> {
        let mine = |sample: &&Sample| !self.anomaly.contains(&sample.time);
        self.samples.iter().filter(mine).copied()
    }

    /// Rows since `from` belong to an incident.
    pub fn give_to_anomaly(&mut self, from: Timestamp) {
        let first = self.samples.partition_point(|sample| sample.time < from);
        let times = self.samples[first..].iter().map(|sample| sample.time);
        self.anomaly.extend(times);
    }

    /// Trains on the newest window, masked by incidents; None where the old model goes on or there
    /// is too little to learn from.
    pub fn train(
        &mut self,
        series: &SeriesId,
        masks: &Masks,
        settings: &Settings,
        season: &Season,
        now: Timestamp,
    ) -> Option<Swap> {
        let spec = settings.engine.catalogue.get(&series.metric)?;
        let tick = settings.engine.tick;
        let step = median_spacing(&self.samples).unwrap_or(tick).max(tick);
        let episodes = masks.of(series, step).into_iter();
        let mut intervals: Vec<_> = episodes.map(|(from, to, _)| (from, to)).collect();
        intervals.extend(self.anomaly.iter().map(|time| (*time, *time)));
        let set = TrainingSet {
            series,
            samples: &self.samples,
            masks: &intervals,
            step,
        };
        let previous = self.model.as_ref();
        let Outcome::Trained(trained) = train(set, spec, &settings.training, season, now, previous)
        else {
            return None;
        };
        let swap = Swap {
            series: series.clone(),
            model: Some(trained.model.encode().into()),
            state: trained.state.map(|state| state.encode().into()),
        };
        self.model = Some(trained.model);
        Some(swap)
    }
}
