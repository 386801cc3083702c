//! What a week runs with: the product's defaults at one-minute steps.

use std::time::Duration;

use domain::{Catalogue, MetricId};
use simulator::TruthMetric;

use crate::truth::{Rules, Watched};

/// Everything that the engine and training are given.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub engine: engine::Config,
    pub training: detect::Settings,
    /// The time between two trainings.
    pub retrain_every: Duration,
}

impl Settings {
    /// The defaults of the product, with the metrics that the fleet can show, at a tick of a minute.
    pub fn product() -> Settings {
        let seconds = Duration::from_secs;
        let alarm_budget = 0.2;
        Settings {
            engine: engine::Config {
                tick: seconds(60),
                catalogue: catalogue(),
                alarm_budget,
                decide: incident::Settings::default(),
                timezone: "UTC".into(),
            },
            training: detect::Settings {
                window: seconds(7 * 86_400),
                window_min_samples: 1_000,
                min_samples: 120,
                contamination: 0.01,
                max_age: seconds(7 * 86_400),
                trees: 100,
                sample_size: 256,
                seed: 0,
                alarm_budget,
            },
            retrain_every: seconds(86_400),
        }
    }

    /// What the truth goes by: the thresholds and minimum effects of the catalogue.
    pub fn rules(&self) -> Rules {
        let watched = simulator::OBSERVED.into_iter().filter_map(|metric| {
            let spec = self.engine.catalogue.get(&metric_id(metric))?;
            Some(Watched {
                metric,
                high: spec.thresholds.high?,
                minimum_effect: spec.minimum_deviation,
            })
        });
        Rules {
            watched: watched.collect(),
            open_after_ms: millis(self.engine.decide.open_after),
            down_after_ms: millis(self.engine.decide.down_after),
        }
    }

    pub(crate) fn quiet_ms(&self) -> i64 {
        millis(self.engine.decide.quiet_period)
    }

    pub(crate) fn tick_ms(&self) -> i64 {
        millis(self.engine.tick)
    }
}

/// Of the default three and the Spring pack what the observer measures.
fn catalogue() -> Catalogue {
    let specs = [Catalogue::default_three(), Catalogue::spring_pack()];
    let observed = simulator::OBSERVED.map(metric_id);
    let specs = specs.iter().flat_map(Catalogue::iter);
    let specs = specs.filter(|spec| observed.contains(&spec.id));
    Catalogue::new(specs.cloned()).expect("the built-in metrics are valid")
}

/// The catalogue's name of what the simulator calls the same.
pub(crate) fn metric_id(metric: TruthMetric) -> MetricId {
    MetricId::new(metric.id()).expect("the simulator's metrics have valid ids")
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
