//! A generated series with labelled anomalies, featurised, the same on every machine: what the
//! tests and the benchmark fit and score, and `export_rows` writes.

pub const FEATURES: usize = 5;
/// Labelled rows whose scores by scikit-learn lie in `fixtures`.
pub const TEST_ROWS: usize = 500;
const WINDOW: usize = 20;

/// Row-major rows of five features, and for each whether it lies in an anomaly.
pub struct Series {
    pub rows: Vec<f64>,
    pub anomalous: Vec<bool>,
}

/// One day at fifteen seconds, without anomalies.
pub fn training() -> Series {
    series(7, 5760, 0)
}

/// Shorter and with spikes, level shifts and ramps.
pub fn labelled(points: usize) -> Series {
    series(8, points, points / 50)
}

fn series(seed: u64, points: usize, anomalies: usize) -> Series {
    let mut random = Random(seed);
    let mut noise = 0.0;
    let mut values: Vec<f64> = (0..points)
        .map(|i| {
            noise = 0.9 * noise + random.between(-2.6, 2.6);
            let day = libm::sin(i as f64 * 15.0 / 86_400.0 * std::f64::consts::TAU);
            25.0 + 12.0 * day + noise + random.between(-1.7, 1.7)
        })
        .collect();
    let mut anomalous = vec![false; points];
    for anomaly in 0..anomalies {
        let at = random.between(50.0, points as f64 - 50.0) as usize;
        let size = random.between(20.0, 50.0);
        let length = if anomaly % 3 == 0 { 1 } else { 10 };
        for i in 0..length {
            let ramp = if anomaly % 3 == 2 {
                i as f64 / 9.0
            } else {
                1.0
            };
            values[at + i] += size * ramp;
            anomalous[at + i] = true;
        }
    }
    let rows = (0..points).flat_map(|i| features(&values, i)).collect();
    Series { rows, anomalous }
}

/// Value, change, mean and deviation of the window before, and the value's distance in deviations.
fn features(values: &[f64], at: usize) -> [f64; FEATURES] {
    let value = values[at];
    let window = &values[at.saturating_sub(WINDOW)..at];
    if window.len() < 2 {
        return [value, 0.0, value, 0.0, 0.0];
    }
    let count = window.len() as f64;
    let mean = window.iter().sum::<f64>() / count;
    let squares = window.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    let deviation = libm::sqrt(squares / (count - 1.0));
    let distance = (value - mean) / deviation;
    [value, value - values[at - 1], mean, deviation, distance]
}

/// A linear congruential generator (Knuth's MMIX constants), independent of the crate's own.
pub struct Random(pub u64);

impl Random {
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * ((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
