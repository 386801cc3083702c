//! A generated fleet with trained models, the same on every machine: what the tests, the benchmark
//! and the example step.

use std::collections::BTreeMap;
use std::time::Duration;

use detect::{Outcome, Season, Trained, TrainingSet};
use domain::{
    Catalogue, Collection, Gap, MetricId, Presence, Sample, SeriesId, SeriesObservation, ServiceId,
    ServiceObservation, SourceState, Timestamp,
};
use engine::{Config, State, Swap, TickInput};

pub const TICK: Duration = Duration::from_secs(15);
/// Samples that models are trained on: half a day.
pub const TRAINED_ON: i64 = 2_880;
/// Each metric's level and deviation.
const LEVELS: [(&str, f64, f64); 3] =
    [("cpu", 30.0, 3.0), ("lat", 200.0, 20.0), ("mem", 50.0, 2.0)];
/// Models that are trained for each metric; other services get copies under their own names.
const TRAINED_SERVICES: usize = 4;

pub fn config() -> Config {
    Config {
        tick: TICK,
        catalogue: Catalogue::default_three(),
        alarm_budget: 0.2,
        decide: incident::Settings::default(),
        timezone: "UTC".into(),
    }
}

pub fn at(tick: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + tick * 15_000)
}

pub fn series(service: &str, metric: &str) -> SeriesId {
    SeriesId::new(
        ServiceId::new(service).expect("it is a name"),
        MetricId::new(metric).expect("it is an id"),
    )
}

/// Services whose metrics are stationary, each with noise of its own.
pub struct Fleet {
    services: Vec<ServiceId>,
    /// Ticks between two samples.
    spacing: i64,
}

impl Fleet {
    /// `count` services; the ids are in order.
    pub fn of(count: usize) -> Fleet {
        let id =
            |number: usize| ServiceId::new(&format!("service-{number:04}")).expect("it is a name");
        Fleet {
            services: (0..count).map(id).collect(),
            spacing: 1,
        }
    }

    /// The same fleet with samples every `spacing` ticks.
    #[allow(dead_code, reason = "for the tests only")]
    pub fn every(self, spacing: i64) -> Fleet {
        Fleet { spacing, ..self }
    }

    pub fn series(&self) -> impl Iterator<Item = SeriesId> {
        let ids = |service: &ServiceId| LEVELS.map(|(metric, ..)| series(service.as_str(), metric));
        self.services.iter().flat_map(ids)
    }

    /// The newest sample of a series at a tick.
    pub fn sample(&self, id: &SeriesId, tick: i64) -> Sample {
        let (_, level, deviation) = LEVELS
            .into_iter()
            .find(|(metric, ..)| *metric == id.metric.as_str())
            .expect("the fleet has three metrics");
        let tick = tick.div_euclid(self.spacing) * self.spacing;
        Sample {
            time: at(tick),
            value: level + deviation * noise(id, tick),
        }
    }

    /// What is collected at a tick, with changes by `disturb`.
    pub fn collected(
        &self,
        tick: i64,
        disturb: impl Fn(&SeriesId, Sample) -> Result<Sample, Gap>,
    ) -> TickInput {
        let observed = |series: SeriesId| SeriesObservation {
            outcome: disturb(&series, self.sample(&series, tick)),
            series,
            instance: None,
            proxy: false,
        };
        let present = |id: &ServiceId| ServiceObservation {
            id: id.clone(),
            presence: Presence::Up,
            instances: 1,
            started: None,
            version: None,
            step: TICK * self.spacing as u32,
        };
        TickInput::of(Collection {
            at: at(tick),
            source: SourceState::Healthy,
            services: self.services.iter().map(present).collect(),
            series: self.series().map(observed).collect(),
            remarks: Vec::new(),
        })
    }

    pub fn calm(&self, tick: i64) -> TickInput {
        self.collected(tick, |_, sample| Ok(sample))
    }

    /// Models trained on the samples before tick 0, and the memory of them.
    pub fn swaps(&self) -> Vec<Swap> {
        let mut trained = BTreeMap::new();
        let swap = |(index, id): (usize, SeriesId)| {
            let service = index / LEVELS.len() % TRAINED_SERVICES;
            let trained = trained
                .entry((service, id.metric.clone()))
                .or_insert_with(|| self.train(&id));
            let mut model = trained.model.clone();
            model.header.series = id.clone();
            Swap {
                series: id,
                model: Some(model.encode().into()),
                state: trained.state.as_ref().map(|state| state.encode().into()),
            }
        };
        self.series().enumerate().map(swap).collect()
    }

    pub fn train(&self, id: &SeriesId) -> Trained {
        let ticks = (-TRAINED_ON..0).filter(|tick| tick % self.spacing == 0);
        let samples: Vec<Sample> = ticks.map(|tick| self.sample(id, tick)).collect();
        let set = TrainingSet {
            series: id,
            samples: &samples,
            masks: &[],
            step: TICK * self.spacing as u32,
        };
        let settings = detect::Settings {
            window: Duration::from_secs(7 * 86_400),
            window_min_samples: 1000,
            min_samples: 120,
            contamination: 0.01,
            max_age: Duration::from_secs(30 * 86_400),
            trees: 100,
            sample_size: 256,
            seed: 0,
            alarm_budget: 0.2,
        };
        let config = config();
        let spec = config
            .catalogue
            .get(&id.metric)
            .expect("it has the default three");
        match detect::train(set, spec, &settings, &Season::utc(), at(-1), None) {
            Outcome::Trained(trained) => *trained,
            other => panic!("a generated series can be learnt: {other:?}"),
        }
    }

    /// A state with models that has taken them in.
    pub fn state(&self) -> State {
        let mut state = State::new(config()).expect("UTC is known");
        let swaps = TickInput {
            swaps: self.swaps(),
            ..TickInput::between(at(-1))
        };
        let output = engine::step(&mut state, &swaps);
        assert_eq!(output.refused_swaps, []);
        state
    }
}

/// The sum of twelve uniform numbers, less six: about Gaussian, with deviation 1.
fn noise(id: &SeriesId, tick: i64) -> f64 {
    let mut state = id.to_string().bytes().fold(tick as u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut uniform = || {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| uniform()).sum::<f64>() - 6.0
}

/// Bytes of a swap that keeps the model.
#[allow(dead_code, reason = "for the tests only")]
pub fn memory_only(swap: &Swap) -> Swap {
    Swap {
        model: None,
        state: swap.state.clone(),
        series: swap.series.clone(),
    }
}
