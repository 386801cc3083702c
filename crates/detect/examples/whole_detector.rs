//! What the whole detector costs, forest and all judges, as one line of JSON: samples in a second of
//! one series after another, a sample of each of 6,000 series in turn whose memory lies cold, bytes
//! of a series, and training 600 series anew on a day at 15 s. One thread, in CPU time where the
//! system says it.
//!
//! `whole_detector [FOLDER]` writes `retrain.f64` into the folder: the feature rows of one of these
//! days (little-endian f64, row-major), for a peer to fit.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use detect::featurise::Featuriser;
use detect::{Context, Model, Outcome, Season, SeriesState, Settings, Trained, TrainingSet};
use domain::{Catalogue, MetricId, MetricSpec, Sample, SeriesId, ServiceId, Timestamp};

const STEP: Duration = Duration::from_secs(15);
const DAY: i64 = 5_760;
/// Samples that a series remembers before anything is timed: all of its memory is full.
const HISTORY: i64 = 8 * DAY;

/// Series with values, models and memories of their own; in a tick others get copies of them.
const SERIES: usize = 12;
const COLD_SERIES: usize = 6_000;
const COLD_TICKS: i64 = 20;
const RETRAINED: usize = 600;
const REPEATS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    if let Some(folder) = std::env::args().nth(1) {
        bench.write_rows(Path::new(&folder))?;
    }
    let known: Vec<Known> = (0..SERIES)
        .map(|number| bench.known(number))
        .collect::<Result<_, _>>()?;
    let warm_us = bench.warm_us(&known);
    let (cold, resident_bytes) = bench.cold_series(&known);
    let cold_us = bench.cold_us(cold);
    let (first_ms, retrain_ms) = bench.training_ms(&known)?;
    let [one, ..] = known.as_slice() else {
        return Err("there are no series".into());
    };
    let beside_forest = one.model.encode().len() - one.model.forest.encode().len();
    println!(
        "{{\"warm_us\":{warm_us:.3},\"cold_us\":{cold_us:.3},\"state_bytes\":{},\"resident_bytes\":{},\
         \"model_bytes_beside_forest\":{beside_forest},\"first_ms\":{first_ms:.3},\"retrain_ms\":{retrain_ms:.3}}}",
        one.memory.encode().len(),
        resident_bytes.map_or("null".into(), |bytes| format!("{bytes:.0}")),
    );
    Ok(())
}

/// A series with a model that has followed its past.
#[derive(Clone)]
struct Known {
    number: usize,
    model: Model,
    memory: SeriesState,
}

/// What judging needs beside the samples.
struct Bench {
    catalogue: Catalogue,
    metric: MetricId,
    /// One with changes of clocks, which cost more to look up.
    season: Season,
}

impl Bench {
    fn new() -> Result<Bench, Box<dyn Error>> {
        Ok(Bench {
            catalogue: Catalogue::default_three(),
            metric: MetricId::new("cpu")?,
            season: Season::new("Europe/Berlin")?,
        })
    }

    fn spec(&self) -> &MetricSpec {
        self.catalogue
            .get(&self.metric)
            .expect("it is one of the default three")
    }

    fn context(&self) -> Context<'_> {
        Context {
            spec: self.spec(),
            season: &self.season,
            step: STEP,
            alarm_budget: 0.2,
            masked: false,
        }
    }

    fn known(&self, number: usize) -> Result<Known, Box<dyn Error>> {
        let Trained { model, state } = self.trained(number, -HISTORY, None)?;
        let memory = state.ok_or("a first model has a memory")?;
        Ok(Known {
            number,
            model,
            memory,
        })
    }

    /// Trained on the samples from `first` to 0.
    fn trained(
        &self,
        number: usize,
        first: i64,
        previous: Option<&Model>,
    ) -> Result<Trained, Box<dyn Error>> {
        let samples: Vec<Sample> = (first..0).map(|index| sample(number, index)).collect();
        let id = SeriesId::new(
            ServiceId::new(&format!("service-{number}"))?,
            self.metric.clone(),
        );
        self.train(&id, &samples, previous)
    }

    fn train(
        &self,
        id: &SeriesId,
        samples: &[Sample],
        previous: Option<&Model>,
    ) -> Result<Trained, Box<dyn Error>> {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let settings = Settings {
            window: days(7),
            window_min_samples: 1000,
            min_samples: 120,
            contamination: 0.01,
            max_age: days(7),
            trees: 100,
            sample_size: 256,
            seed: 0,
            alarm_budget: 0.2,
        };
        let set = TrainingSet {
            series: id,
            samples,
            masks: &[],
            step: STEP,
        };
        match detect::train(set, self.spec(), &settings, &self.season, at(0), previous) {
            Outcome::Trained(trained) => Ok(*trained),
            other => Err(format!("no model of {id}: {other:?}").into()),
        }
    }

    /// A sample of one series after another, a day of each.
    fn warm_us(&self, known: &[Known]) -> f64 {
        let days: Vec<Vec<Sample>> = known
            .iter()
            .map(|known| (0..DAY).map(|index| sample(known.number, index)).collect())
            .collect();
        let run = || {
            let mut series = known.to_vec();
            let clock = Clock::start();
            for (series, day) in series.iter_mut().zip(&days) {
                for sample in day {
                    let judged =
                        series
                            .memory
                            .step(Some(&series.model), black_box(*sample), self.context());
                    black_box(judged);
                }
            }
            clock.micros() / (known.len() as i64 * DAY) as f64
        };
        (0..REPEATS).map(|_| run()).fold(f64::INFINITY, f64::min)
    }

    /// Series for a tick; and what the memory of one takes of the process, where the system says it.
    fn cold_series(&self, known: &[Known]) -> (Vec<Known>, Option<f64>) {
        let models: Vec<&Known> = known.iter().cycle().take(COLD_SERIES).collect();
        let before = resident_bytes();
        let mut memories = Vec::with_capacity(COLD_SERIES);
        for known in &models {
            memories.push(known.memory.clone());
        }
        let resident = before
            .zip(resident_bytes())
            .map(|(before, after)| (after - before) / COLD_SERIES as f64);
        let series = models
            .into_iter()
            .zip(memories)
            .map(|(known, memory)| Known {
                number: known.number,
                model: known.model.clone(),
                memory,
            });
        (series.collect(), resident)
    }

    fn cold_us(&self, mut series: Vec<Known>) -> f64 {
        let mut tick = |index: i64| {
            let samples: Vec<Sample> = (0..SERIES).map(|number| sample(number, index)).collect();
            let clock = Clock::start();
            for known in &mut series {
                let sample = samples[known.number];
                let judged =
                    known
                        .memory
                        .step(Some(&known.model), black_box(sample), self.context());
                black_box(judged);
            }
            clock.micros() / COLD_SERIES as f64
        };
        (0..COLD_TICKS).map(&mut tick).sum::<f64>() / COLD_TICKS as f64
    }

    /// A series on a day: the first time, when its memory is made too, and again.
    fn training_ms(&self, known: &[Known]) -> Result<(f64, f64), Box<dyn Error>> {
        let train = |count: usize, is_first: bool| -> Result<f64, Box<dyn Error>> {
            let mut micros = 0.0;
            for number in 0..count {
                let samples: Vec<Sample> = (-DAY..0).map(|index| sample(number, index)).collect();
                let previous = &known[number % known.len()].model;
                let id = &previous.header.series;
                let clock = Clock::start();
                black_box(self.train(id, &samples, (!is_first).then_some(previous))?);
                micros += clock.micros();
            }
            Ok(micros / 1e3 / count as f64)
        };
        Ok((train(SERIES, true)?, train(RETRAINED, false)?))
    }

    /// The rows of a day of the first series.
    fn write_rows(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let mut featuriser = Featuriser::default();
        let rows = (-DAY..0).filter_map(|index| featuriser.push(sample(0, index), STEP));
        let bytes = rows.flat_map(|row| row.as_array().map(f64::to_le_bytes));
        fs::write(
            folder.join("retrain.f64"),
            bytes.flatten().collect::<Vec<u8>>(),
        )?;
        Ok(())
    }
}

fn at(index: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + index * 15_000)
}

/// A daily wave and one of two hours, so that the usual shapes are as long as they get; with noise,
/// another one for each series.
fn sample(number: usize, index: i64) -> Sample {
    let wave = |period: i64| {
        let phase = index.rem_euclid(period) as f64 / period as f64;
        libm::sin(phase * std::f64::consts::TAU)
    };
    // SplitMix64, four of whose numbers add up to something like a bell.
    let noise = |part: i64| {
        let seed = (number as u64) << 40 ^ (index * 4 + part) as u64;
        let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    Sample {
        time: at(index),
        value: 40.0 + 8.0 * wave(DAY) + 8.0 * wave(DAY / 12) + 4.0 * (0..4).map(noise).sum::<f64>(),
    }
}

/// CPU time of this thread, or the clock on the wall.
struct Clock {
    began: Instant,
    cpu: Option<f64>,
}

impl Clock {
    fn start() -> Clock {
        Clock {
            began: Instant::now(),
            cpu: cpu_micros(),
        }
    }

    fn micros(&self) -> f64 {
        match self.cpu.zip(cpu_micros()) {
            Some((before, now)) => now - before,
            None => self.began.elapsed().as_secs_f64() * 1e6,
        }
    }
}

fn cpu_micros() -> Option<f64> {
    let times = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = times.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e3)
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}
