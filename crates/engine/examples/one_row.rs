//! What one new sample of one series costs, as one line of JSON: its features and isolation score,
//! and all of judging. One thread, one model in the caches, best of several.
//!
//! `one_row FOLDER`, with `day.f64` and `later.f64` in the folder: values (little-endian f64) of a
//! series at 15 s, which the model is trained on, and which are judged.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use detect::featurise::Featuriser;
use detect::{Context, Model, Outcome, Season, SeriesState, Settings, Trained, TrainingSet};
use domain::{MetricSpec, Sample, SeriesId};

#[path = "../tests/fleet/mod.rs"]
#[allow(dead_code, reason = "the rest is for the tests")]
mod fleet;

/// Samples before those that are timed: the newest samples of a series are all kept by then.
const LEAD: usize = 1_000;
const TIMED: usize = 1_000;
const REPEATS: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder")?;
    let day = samples(&Path::new(&folder).join("day.f64"), 0)?;
    let later = samples(&Path::new(&folder).join("later.f64"), day.len())?;
    let (lead, later) = later.split_at(LEAD);
    let timed = later.get(..TIMED).ok_or("too few later values")?;

    let (id, config, season) = (
        fleet::series("service", "cpu"),
        fleet::config(),
        Season::utc(),
    );
    let spec = config.catalogue.get(&id.metric).ok_or("no such metric")?;
    let trained = train(&id, &day, spec, &season)?;
    let model = &trained.model;

    let mut featuriser = Featuriser::default();
    for sample in day.iter().chain(lead) {
        featuriser.push(*sample, fleet::TICK);
    }
    let row = best_of(REPEATS, || feature_and_score(&featuriser, model, timed));

    let context = Context {
        spec,
        season: &season,
        step: fleet::TICK,
        alarm_budget: config.alarm_budget,
        masked: false,
    };
    let mut memory = trained.state.ok_or("a first model has a memory")?;
    for sample in lead {
        memory.step(Some(model), *sample, context);
    }
    let judged = best_of(REPEATS, || judge(&memory, model, timed, context));

    let micros = |took: Duration| took.as_secs_f64() * 1e6 / TIMED as f64;
    println!(
        "{{\"row_us\":{:.4},\"judged_us\":{:.4}}}",
        micros(row),
        micros(judged)
    );
    Ok(())
}

/// The values of a file, one each tick.
fn samples(path: &Path, first: usize) -> Result<Vec<Sample>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (values, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(format!("{} doesn't hold whole values", path.display()).into());
    }
    let sample = |(index, value): (usize, &[u8; 8])| Sample {
        time: fleet::at((first + index) as i64),
        value: f64::from_le_bytes(*value),
    };
    Ok(values.iter().enumerate().map(sample).collect())
}

fn train(
    id: &SeriesId,
    samples: &[Sample],
    spec: &MetricSpec,
    season: &Season,
) -> Result<Trained, Box<dyn Error>> {
    let set = TrainingSet {
        series: id,
        samples,
        masks: &[],
        step: fleet::TICK,
    };
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
    let now = fleet::at(samples.len() as i64);
    match detect::train(set, spec, &settings, season, now, None) {
        Outcome::Trained(trained) => Ok(*trained),
        other => Err(format!("no model of the day: {other:?}").into()),
    }
}

fn feature_and_score(featuriser: &Featuriser, model: &Model, samples: &[Sample]) -> Duration {
    let mut featuriser = featuriser.clone();
    let began = Instant::now();
    for sample in samples {
        let features = featuriser.push(black_box(*sample), fleet::TICK);
        black_box(features.map(|row| model.forest.score(&row.as_array())));
    }
    began.elapsed()
}

fn judge(
    memory: &SeriesState,
    model: &Model,
    samples: &[Sample],
    context: Context<'_>,
) -> Duration {
    let mut memory = memory.clone();
    let began = Instant::now();
    for sample in samples {
        black_box(memory.step(Some(model), black_box(*sample), context));
    }
    began.elapsed()
}

fn best_of(repeats: usize, mut work: impl FnMut() -> Duration) -> Duration {
    let times = (0..repeats).map(|_| work());
    times.min().unwrap_or_default()
}
