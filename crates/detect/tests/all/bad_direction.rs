//! The score runs with the value in the bad direction, on every metric of the catalogues.

use detect::Season;
use domain::{Catalogue, Direction, MetricSpec, Sample};

use crate::figure::figure;
use crate::series::Random;
use crate::walk::*;

const HISTORY: usize = 2 * 1440;

/// A value such as the metric has in an ordinary service.
fn plausible(metric: &str, random: &mut Random) -> f64 {
    let value = match metric {
        "cpu" => random.normal(25.0, 4.0),
        "mem" => random.normal(45.0, 6.0),
        "lat" => 180.0 * libm::exp(random.normal(0.0, 0.2)),
        "error_ratio" => 0.2 * libm::exp(random.normal(0.0, 0.5)),
        "request_rate" => random.normal(40.0, 3.0),
        "heap_after_gc" => random.normal(35.0, 3.0),
        "gc_overhead" => 0.6 * libm::exp(random.normal(0.0, 0.4)),
        "blocked_threads" => poisson(random, 0.3),
        "pool_pending" => poisson(random, 0.1),
        "executor_queue" => poisson(random, 4.0),
        "log_errors" => poisson(random, 3.0) / 60.0,
        "restarts" => poisson(random, 0.001),
        "availability" => 100.0,
        other => panic!("what is {other} like?"),
    };
    value.max(0.0)
}

/// How large an incident is on it, at least.
fn much(spec: &MetricSpec) -> f64 {
    match spec.id.as_str() {
        "request_rate" => 12.0,
        "log_errors" => 0.2,
        "availability" => 30.0,
        "restarts" => 4.0,
        _ => 2.0 * spec.minimum_deviation,
    }
}

fn bad_sign(direction: Direction) -> f64 {
    match direction {
        Direction::Down => -1.0,
        Direction::Up | Direction::Both => 1.0,
    }
}

fn trained(spec: &MetricSpec, random: &mut Random) -> (Walk, f64) {
    let sample = |index: usize, random: &mut Random| Sample {
        time: monday() + MINUTE * index as u32,
        value: plausible(spec.id.as_str(), random),
    };
    let history: Vec<Sample> = (0..HISTORY).map(|index| sample(index, random)).collect();
    let mut values: Vec<f64> = history.iter().map(|s| s.value).collect();
    values.sort_by(f64::total_cmp);
    let walk = Walk::after(&history, spec.clone(), Season::utc(), MINUTE);
    (walk, values[HISTORY / 2])
}

fn metrics() -> Vec<MetricSpec> {
    let (three, pack) = (Catalogue::default_three(), Catalogue::spring_pack());
    three.iter().chain(pack.iter()).cloned().collect()
}

/// Pearson's.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let (x, y) = pairs
        .iter()
        .fold((0.0, 0.0), |(x, y), (a, b)| (x + a / count, y + b / count));
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.iter().map(|(a, b)| term(a - x, b - y)).sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

/// Of value and score, over a day with ten minutes in the bad direction in every two hours, more
/// and less of it; as it must be positive.
fn of_metric(spec: &MetricSpec) -> f64 {
    let mut random = Random(77);
    let (mut walk, middle) = trained(spec, &mut random);
    let sign = bad_sign(spec.direction);
    let mut pairs = Vec::new();
    for index in 0..1440 {
        let mut value = plausible(spec.id.as_str(), &mut random);
        let episode = index / 120;
        if index % 120 < 10 && index >= 10 {
            let both_ways = spec.direction == Direction::Both && episode % 2 == 1;
            let sign = if both_ways { -sign } else { sign };
            value += sign * much(spec) * [0.5, 1.0, 2.0][episode % 3];
        }
        let time = monday() + MINUTE * (HISTORY + index) as u32;
        let score = walk.judge(Sample { time, value }).score.unwrap_or(0.0);
        let bad = match spec.direction {
            Direction::Up => value,
            Direction::Down => -value,
            Direction::Both => (value - middle).abs(),
        };
        pairs.push((bad, score));
    }
    correlation(&pairs)
}

#[test]
fn score_and_value_run_together_on_every_metric() {
    let mut least = (f64::INFINITY, String::new());
    let mut all = Vec::new();
    for spec in metrics() {
        let correlation = of_metric(&spec);
        all.push(format!("{} {correlation:.2}", spec.id));
        if correlation < least.0 {
            least = (correlation, spec.id.to_string());
        }
    }
    println!("{}", all.join(", "));
    let pass = least.0 > 0.3;
    let what = format!(
        "least correlation of score and badness over {} metrics ({})",
        all.len(),
        least.1
    );
    figure(5, &what, format!("{:.2}", least.0), "> 0.3", pass);
    assert!(pass, "{all:?}");
}

#[test]
fn more_of_it_never_scores_lower_and_much_is_an_anomaly() {
    let (mut falls, mut missed, mut count) = ((0.0, String::new()), Vec::new(), 0);
    for spec in metrics() {
        let (walk, middle) = trained(&spec, &mut Random(78));
        let says = |sign: f64, k: u32| {
            let time = monday() + MINUTE * HISTORY as u32;
            let value = middle + sign * much(&spec) * f64::from(k) / 4.0;
            walk.clone().judge(Sample { time, value })
        };
        let signs = match spec.direction {
            Direction::Both => vec![1.0, -1.0],
            other => vec![bad_sign(other)],
        };
        for sign in signs {
            let judged: Vec<_> = (0..=12).map(|k| says(sign, k)).collect();
            let scores: Vec<f64> = judged.iter().map(|j| j.score.unwrap_or(0.0)).collect();
            let fall = scores
                .windows(2)
                .map(|pair| pair[0] - pair[1])
                .fold(0.0, f64::max);
            if fall > falls.0 {
                falls = (fall, format!("{} {sign}: {scores:.2?}", spec.id));
            }
            count += 1;
            if !is_anomaly(&judged[12]) {
                missed.push(format!(
                    "{} {sign} {:?} {scores:?}",
                    spec.id, judged[12].reason
                ));
            }
        }
    }
    println!("{}", falls.1);
    let pass = falls.0 <= 0.2;
    figure(
        5,
        &format!("largest fall of the score as a sample gets worse, {count} walks"),
        format!("{:.2}", falls.0),
        "0.2",
        pass,
    );
    assert!(pass && missed.is_empty(), "{falls:?} {missed:?}");
}
