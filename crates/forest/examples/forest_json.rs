//! Measures fit and score on stored rows and prints one line of JSON, for comparison with other
//! isolation forests on the same rows: 100 trees of 256 rows, one thread, CPU time, best of several.
//!
//! `forest_json FOLDER [--cold N]`, with `train.f64` and `test.f64` (rows of five little-endian
//! f64) and `labels.u8` (one byte a test row) in the folder; where `sklearn.f64` lies beside them,
//! scikit-learn's score of each test row, ranks are compared with those. `--cold N`: how many models
//! are scored in turn, one row each in random order, so that a model has left the caches when its
//! turn comes (3,000 by default, 0 for none). `bytes` is resident memory, `pickle_bytes` what is
//! stored.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use forest::{Forest, Parameters};
use rustix::time::{ClockId, clock_gettime};

const FEATURES: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let (folder, cold_models) = arguments()?;
    let folder = Path::new(&folder);
    let train = rows(&folder.join("train.f64"))?;
    let test = rows(&folder.join("test.f64"))?;
    let labels = fs::read(folder.join("labels.u8"))?;

    let forest = fit(&train, 1)?;
    let mut scores = Vec::new();
    forest.score_batch(&test, &mut scores);
    let few: Vec<&[f64]> = test.chunks_exact(FEATURES).take(1000).collect();
    let batch = |rows: &[f64]| {
        let mut scores = Vec::new();
        forest.score_batch(rows, &mut scores);
        black_box(scores);
    };
    let fit_seconds = best_of(30, || drop(black_box(fit(&train, 1))));
    let one_seconds = best_of(30, || {
        for row in &few {
            black_box(forest.score(black_box(row)));
        }
    }) / few.len() as f64;
    let thousand_seconds = best_of(30, || batch(&test[..test.len().min(1000 * FEATURES)]));
    let all_seconds = best_of(5, || batch(&test));
    let cold_us = match cold_models {
        0 => "null".into(),
        models => format!("{:.4}", cold(&train, &few, models)? * 1e6),
    };

    let reference = folder.join("sklearn.f64");
    let spearman = if reference.exists() {
        let reference = floats(&reference)?;
        format!("{:.4}", correlation(&ranks(&scores), &ranks(&reference)))
    } else {
        "null".into()
    };

    println!(
        "{{\"name\":\"bellwether\",\"fit_ms\":{:.4},\"score_1_us\":{:.4},\"score_1k_ms\":{:.4},\
         \"score_100k_ms\":{:.4},\"cold_models\":{cold_models},\"cold_1_us\":{cold_us},\"bytes\":{},\
         \"pickle_bytes\":{},\"auc\":{:.4},\"spearman_vs_sklearn\":{spearman}}}",
        fit_seconds * 1e3,
        one_seconds * 1e6,
        thousand_seconds * 1e3,
        all_seconds * 1e3,
        forest.size_bytes(),
        forest.encode().len(),
        area_under_curve(&scores, &labels),
    );
    Ok(())
}

fn arguments() -> Result<(String, usize), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder with the rows")?;
    let cold_models = match (arguments.next().as_deref(), arguments.next()) {
        (None, None) => 3000,
        (Some("--cold"), Some(count)) => count.parse()?,
        _ => return Err("expected FOLDER [--cold N]".into()),
    };
    Ok((folder, cold_models))
}

fn rows(path: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let rows = floats(path)?;
    if !rows.len().is_multiple_of(FEATURES) {
        return Err(format!("{} doesn't hold whole rows", path.display()).into());
    }
    Ok(rows)
}

fn floats(path: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (values, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(format!("{} doesn't hold whole numbers", path.display()).into());
    }
    Ok(values
        .iter()
        .map(|value| f64::from_le_bytes(*value))
        .collect())
}

fn fit(train: &[f64], seed: u64) -> Result<Forest, forest::FitError> {
    let parameters = Parameters {
        seed,
        ..Parameters::default()
    };
    Forest::fit(train, FEATURES, &parameters)
}

/// The least CPU time in seconds.
fn best_of(repeats: usize, mut work: impl FnMut()) -> f64 {
    (0..repeats)
        .map(|_| {
            let began = cpu_seconds();
            work();
            cpu_seconds() - began
        })
        .fold(f64::INFINITY, f64::min)
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9
}

/// Seconds a row when every model scores one row, in a new random order each time.
fn cold(train: &[f64], rows: &[&[f64]], models: usize) -> Result<f64, Box<dyn Error>> {
    let forests = (0..models)
        .map(|seed| fit(train, seed as u64))
        .collect::<Result<Vec<_>, _>>()?;
    let mut order: Vec<usize> = (0..models).collect();
    let mut state = 7_u64;
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        for last in (1..models).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            order.swap(last, (state >> 33) as usize % (last + 1));
        }
        let once = best_of(1, || {
            for model in &order {
                black_box(forests[*model].score(black_box(rows[model % rows.len()])));
            }
        });
        best = best.min(once);
    }
    Ok(best / models as f64)
}

/// Under the receiver operating characteristic, by the rank sum.
fn area_under_curve(scores: &[f64], labels: &[u8]) -> f64 {
    let hits = ranks(scores).into_iter().zip(labels);
    let hits: Vec<f64> = hits
        .filter_map(|(rank, label)| (*label != 0).then_some(rank))
        .collect();
    let positive = hits.len() as f64;
    let negative = scores.len() as f64 - positive;
    (hits.iter().sum::<f64>() - positive * (positive + 1.0) / 2.0) / (positive * negative)
}

/// From 1, mean ranks among equals.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for equals in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = below as f64 + (equals.len() as f64 + 1.0) / 2.0;
        equals.iter().for_each(|row| ranks[*row] = rank);
        below += equals.len();
    }
    ranks
}

/// Pearson's; of ranks it is Spearman's.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        product += (a - mean_a) * (b - mean_b);
        square_a += (a - mean_a) * (a - mean_a);
        square_b += (b - mean_b) * (b - mean_b);
    }
    product / (square_a * square_b).sqrt()
}
