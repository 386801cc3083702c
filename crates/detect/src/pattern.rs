//! The pattern component: how unlike any combination of the usual shapes the newest window is.
//!
//! At training all windows of w = 100 buckets (an eighth of a history that is shorter than 800) give
//! a mean and a covariance C. The statistic is √(dᵀ(C + ε)⁻¹d / w) with d = window − mean and ε = 1e-4 of the
//! largest eigenvalue: the Mahalanobis distance of sub-sequence PCA (Aggarwal, "Outlier Analysis",
//! ch. 3.3) with its small eigenvalues raised. With C + ε = LLᵀ it is √(|L⁻¹d|² / w), and the last
//! entry of L⁻¹d is the *innovation*: how far the newest value lies from what those before it let
//! expect. If only one direction is bad, its sign tells which side the newest value lies on.

use domain::Direction;
use serde::{Deserialize, Serialize};

use crate::level::bad_side;
use crate::past::{PastBuckets, WINDOW_MAX};

const WINDOW_MIN: usize = 8;
/// A window is at most so small a part of history.
const HISTORY_WINDOWS_MIN: usize = 8;
/// Of the largest eigenvalue.
const FLOOR: f64 = 1e-4;
const POWER_ITERATIONS: usize = 30;
const LANES: usize = 8;

/// The usual shapes of a series: at most 21 KB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    mean: Vec<f32>,
    /// The rows of L⁻¹, a lower triangle.
    whitening: Vec<f32>,
}

impl Pattern {
    /// Fits to the means of consecutive buckets, oldest first, NaN where there is a gap; none if
    /// they are too few or all alike.
    pub fn fit(values: &[f32]) -> Option<Pattern> {
        let (count, mean) = count_and_mean(values)?;
        let centred: Vec<f64> = values.iter().map(|x| f64::from(*x) - mean).collect();
        let window = (count / HISTORY_WINDOWS_MIN).clamp(WINDOW_MIN, WINDOW_MAX);
        let (means, mut covariance) = moments(&centred, window)?;
        let largest = largest_eigenvalue(&covariance, window);
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        for i in 0..window {
            covariance[i * window + i] += FLOOR * largest;
        }
        let whitening = inverse(&cholesky(covariance, window)?, window);
        let pattern = Pattern {
            mean: means.iter().map(|m| (m + mean) as f32).collect(),
            whitening: whitening.into_iter().map(|x| x as f32).collect(),
        };
        pattern.is_sound().then_some(pattern)
    }

    /// The length of a window in buckets.
    pub fn window(&self) -> usize {
        self.mean.len()
    }

    /// How unlike the usual shapes the newest window is, in deviations, as the root mean square over
    /// it; 0 on the harmless side, none if it has a gap.
    pub fn judge(&self, past: &PastBuckets, direction: Direction) -> Option<f64> {
        let mut distance = [0.0; WINDOW_MAX];
        let distance = distance.get_mut(..self.window())?;
        let mut scratch = [0.0; WINDOW_MAX];
        let window = past.newest_values(&mut scratch[..self.window()]);
        for ((distance, value), mean) in distance.iter_mut().zip(window).zip(&self.mean) {
            *distance = value - mean;
        }
        let (mut squares, mut innovation, mut start) = (0.0, 0.0, 0);
        for length in 1..=self.window() {
            let row = &self.whitening[start..start + length];
            innovation = f64::from(dot(row, &distance[..length]));
            squares += innovation * innovation;
            start += length;
        }
        let bad = bad_side(innovation, direction).abs();
        let is_harmless = bad < innovation.abs();
        let pattern = (squares / self.window() as f64).sqrt();
        let statistic = if is_harmless { 0.0 } else { pattern };
        squares.is_finite().then_some(statistic)
    }

    pub(crate) fn is_sound(&self) -> bool {
        let window = self.window();
        (WINDOW_MIN..=WINDOW_MAX).contains(&window)
            && self.whitening.len() == window * (window + 1) / 2
            && self
                .mean
                .iter()
                .chain(&self.whitening)
                .all(|x| x.is_finite())
    }
}

fn count_and_mean(values: &[f32]) -> Option<(usize, f64)> {
    let finite = values.iter().filter(|value| value.is_finite());
    let (count, sum) = finite.fold((0, 0.0), |(n, sum), x| (n + 1, sum + f64::from(*x)));
    (count >= WINDOW_MIN * HISTORY_WINDOWS_MIN).then(|| (count, sum / count as f64))
}

/// The mean and the covariance of all windows without a gap. Neighbouring entries of the sums of
/// products differ by two products only, so this costs n·w + w² instead of n·w².
fn moments(centred: &[f64], window: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut count = 0.0;
    let mut sums = vec![0.0; window];
    let mut products = vec![0.0; window * window];
    let mut lagged = vec![0.0; window];
    for run in centred.split(|x| !x.is_finite()) {
        let Some(last) = run.len().checked_sub(window) else {
            continue;
        };
        let windows = last + 1;
        count += windows as f64;
        let mut sum: f64 = run[..windows].iter().sum();
        for i in 0..window {
            sums[i] += sum;
            sum += run.get(windows + i).copied().unwrap_or(0.0) - run[i];
        }
        for (lag, product) in lagged.iter_mut().enumerate() {
            *product = dot64(&run[..windows], &run[lag..lag + windows]);
        }
        for i in 0..window {
            for j in i..window {
                let lag = j - i;
                products[i * window + j] += lagged[lag];
                if j + 1 < window {
                    lagged[lag] += run[windows + i] * run[windows + j] - run[i] * run[j];
                }
            }
        }
    }
    if count < window as f64 {
        return None;
    }
    let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    for i in 0..window {
        for j in i..window {
            let covariance = products[i * window + j] / count - means[i] * means[j];
            products[i * window + j] = covariance;
            products[j * window + i] = covariance;
        }
    }
    Some((means, products))
}

/// By power iteration from the vector of ones and a slope, whichever grows.
fn largest_eigenvalue(matrix: &[f64], size: usize) -> f64 {
    let mut vector: Vec<f64> = (0..size).map(|i| 1.0 + 0.01 * i as f64).collect();
    let mut largest = 0.0;
    for _ in 0..POWER_ITERATIONS {
        let image: Vec<f64> = matrix
            .chunks_exact(size)
            .map(|row| dot64(row, &vector))
            .collect();
        let length = dot64(&image, &image).sqrt();
        if length <= 0.0 || !length.is_finite() {
            break;
        }
        let before = dot64(&vector, &vector).sqrt();
        largest = length / before;
        vector = image.into_iter().map(|x| x / length).collect();
    }
    largest
}

/// The lower triangle L, row by row, of a symmetric matrix LLᵀ; none if it is not positive.
fn cholesky(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    for i in 0..size {
        for j in 0..=i {
            let (upper, lower) = matrix.split_at(i * size);
            let row = &lower[..i + 1];
            let other = if j == i {
                row
            } else {
                &upper[j * size..=j * size + j]
            };
            let rest = row[j] - dot64(&row[..j], &other[..j]);
            let entry = if j < i {
                rest / other[j]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
            matrix[i * size + j] = entry;
        }
    }
    Some(matrix)
}

/// The inverse of a lower triangle, packed.
fn inverse(triangle: &[f64], size: usize) -> Vec<f64> {
    // Columns of the inverse, as rows.
    let mut columns = vec![0.0; size * size];
    for column in 0..size {
        let solved = &mut columns[column * size..(column + 1) * size];
        for i in column..size {
            let row = &triangle[i * size..i * size + i + 1];
            let one = if i == column { 1.0 } else { 0.0 };
            solved[i] = (one - dot64(&row[column..i], &solved[column..i])) / row[i];
        }
    }
    (0..size)
        .flat_map(|row| (0..=row).map(move |column| column * size + row))
        .map(|place| columns[place])
        .collect()
}

/// A dot product in lanes, whose order is fixed and yet can be computed side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = left.remainder().iter().zip(right.remainder());
    for (a, b) in left.clone().zip(right.clone()) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest.map(|(a, b)| a * b).sum::<f32>()
}

/// The same in double precision.
fn dot64(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = left.remainder().iter().zip(right.remainder());
    for (a, b) in left.clone().zip(right.clone()) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest.map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Sample, Timestamp};
    use proptest::prelude::*;
    use std::time::Duration;

    fn noise(i: usize) -> f32 {
        ((i * 7919 + i * i * 31) % 1009) as f32 / 1009.0 - 0.5
    }

    fn wave(count: usize, period: usize) -> Vec<f32> {
        let phase = |i: usize| (i % period) as f64 / period as f64 * std::f64::consts::TAU;
        (0..count)
            .map(|i| 50.0 + 10.0 * libm::sin(phase(i)) as f32 + noise(i))
            .collect()
    }

    fn past_of(values: &[f32]) -> PastBuckets {
        let mut past = PastBuckets::default();
        for (minute, value) in values.iter().enumerate() {
            let time = Timestamp::from_millis(minute as i64 * 60_000);
            past.push(
                Sample {
                    time,
                    value: f64::from(*value),
                },
                Duration::from_secs(60),
                false,
            );
        }
        past
    }

    #[test]
    fn the_window_is_an_eighth_of_history_up_to_a_hundred() {
        assert_eq!(Pattern::fit(&wave(2000, 30)).unwrap().window(), WINDOW_MAX);
        assert_eq!(Pattern::fit(&wave(100, 30)).unwrap().window(), 12);
        assert_eq!(Pattern::fit(&wave(64, 30)).unwrap().window(), WINDOW_MIN);
    }

    #[test]
    fn too_few_or_constant_values_have_no_pattern() {
        assert_eq!(Pattern::fit(&wave(63, 30)), None);
        assert_eq!(Pattern::fit(&[7.0; 500]), None);
        assert_eq!(Pattern::fit(&[f32::NAN; 500]), None);
    }

    #[test]
    fn usual_windows_are_near_and_an_odd_value_is_far() {
        let values = wave(3000, 60);
        let pattern = Pattern::fit(&values[..2500]).unwrap();
        let usual: Vec<f64> = (2600..2900)
            .map(|end| {
                pattern
                    .judge(&past_of(&values[end - 200..end]), Direction::Both)
                    .unwrap()
            })
            .collect();
        let mean = usual.iter().sum::<f64>() / usual.len() as f64;
        // Below one, as small eigenvalues are raised.
        assert!((0.3..1.1).contains(&mean), "{mean}");
        let mut odd = values[2600..2800].to_vec();
        odd[199] += 20.0;
        let statistic = |direction| pattern.judge(&past_of(&odd), direction).unwrap();
        assert!(
            statistic(Direction::Both) > 3.0,
            "{}",
            statistic(Direction::Both)
        );
        assert_eq!(statistic(Direction::Up), statistic(Direction::Both));
        assert_eq!(statistic(Direction::Down), 0.0);
    }

    #[test]
    fn moments_are_those_of_all_windows_without_a_gap() {
        let mut values: Vec<f64> = wave(200, 13).iter().map(|x| f64::from(*x) - 50.0).collect();
        values[90] = f64::NAN;
        let (means, covariance) = moments(&values, 9).unwrap();
        let windows: Vec<&[f64]> = values
            .windows(9)
            .filter(|w| w.iter().all(|x| x.is_finite()))
            .collect();
        let n = windows.len() as f64;
        for i in 0..9 {
            let mean_i = windows.iter().map(|w| w[i]).sum::<f64>() / n;
            assert!((mean_i - means[i]).abs() < 1e-9);
            for j in 0..9 {
                let product = windows.iter().map(|w| w[i] * w[j]).sum::<f64>() / n;
                let expected = product - means[i] * means[j];
                assert!((expected - covariance[i * 9 + j]).abs() < 1e-8, "{i} {j}");
            }
        }
    }

    #[test]
    fn whitening_is_the_inverse_of_the_floored_covariance() {
        let values: Vec<f64> = wave(500, 20).iter().map(|x| f64::from(*x) - 50.0).collect();
        let (_, mut covariance) = moments(&values, 12).unwrap();
        for i in 0..12 {
            covariance[i * 13] += 0.1;
        }
        let packed = inverse(&cholesky(covariance.clone(), 12).unwrap(), 12);
        let entry = |i: usize, j: usize| {
            if j <= i {
                packed[i * (i + 1) / 2 + j]
            } else {
                0.0
            }
        };
        // (L⁻¹)ᵀ L⁻¹ C = 1.
        for i in 0..12 {
            for j in 0..12 {
                let product: f64 = (0..12)
                    .flat_map(|k| (0..12).map(move |m| (k, m)))
                    .map(|(k, m)| entry(m, i) * entry(m, k) * covariance[k * 12 + j])
                    .sum();
                let one = if i == j { 1.0 } else { 0.0 };
                assert!((product - one).abs() < 1e-9, "{i} {j} {product}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_values_give_a_sound_pattern_or_none(
            values in prop::collection::vec(prop_oneof![9 => -1e18f32..1e18, 1 => Just(f32::NAN)], 0..400),
            scale in -30i32..1,
        ) {
            let scale = libm::exp10(f64::from(scale)) as f32;
            let values: Vec<f32> = values.iter().map(|x| x * scale).collect();
            if let Some(pattern) = Pattern::fit(&values) {
                prop_assert!(pattern.is_sound());
                let bytes = postcard::to_stdvec(&pattern).unwrap();
                prop_assert!(bytes.len() <= 21_000);
                prop_assert_eq!(postcard::from_bytes::<Pattern>(&bytes).unwrap(), pattern);
            }
        }
    }
}
