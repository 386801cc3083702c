//! Request latency as a log-normal, and the histogram bounds it is counted in.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Which `le` bounds a service's histograms have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Buckets {
    /// Twenty service-level objectives between 5 ms and 10 s.
    #[default]
    Slo,
    /// What Micrometer's percentile histogram has between 5 ms and 10 s.
    Full,
}

impl Buckets {
    /// Upper bounds in seconds, as they are written, without `+Inf`.
    pub(crate) fn bounds(self) -> &'static [f64] {
        match self {
            Buckets::Slo => &SLO_BOUNDS,
            Buckets::Full => &FULL_BOUNDS,
        }
    }

    pub(crate) fn ln_bounds(self) -> &'static [f64] {
        static SLO: LazyLock<Vec<f64>> = LazyLock::new(|| SLO_BOUNDS.map(libm::log).to_vec());
        static FULL: LazyLock<Vec<f64>> = LazyLock::new(|| FULL_BOUNDS.map(libm::log).to_vec());
        match self {
            Buckets::Slo => &SLO,
            Buckets::Full => &FULL,
        }
    }
}

/// The spread of ln(latency): p99 is about 3.6 times the median.
pub(crate) const SIGMA: f64 = 0.55;

const Z99: f64 = 2.326_347_874_040_841;

/// A log-normal distribution of seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogNormal {
    ln_median: f64,
    sigma: f64,
}

impl LogNormal {
    pub(crate) fn from_p99(seconds: f64) -> Self {
        LogNormal {
            ln_median: libm::log(seconds.max(1e-4)) - Z99 * SIGMA,
            sigma: SIGMA,
        }
    }

    /// Almost a constant: what a time-out or a refused connection looks like.
    pub(crate) fn narrow(seconds: f64) -> Self {
        LogNormal {
            ln_median: libm::log(seconds),
            sigma: 0.02,
        }
    }

    pub(crate) fn scaled(self, ln_factor: f64) -> Self {
        LogNormal {
            ln_median: self.ln_median + ln_factor,
            ..self
        }
    }

    pub(crate) fn share_below(&self, ln_seconds: f64) -> f64 {
        normal_cdf((ln_seconds - self.ln_median) / self.sigma)
    }

    pub(crate) fn mean(&self) -> f64 {
        libm::exp(self.ln_median + self.sigma * self.sigma / 2.0)
    }

    pub(crate) fn quantile(&self, q: f64) -> f64 {
        libm::exp(self.ln_median + self.sigma * normal_quantile(q))
    }
}

/// Φ(z), from a table of the exact values of erf: 2e-6 away at most, at the price of a lookup.
fn normal_cdf(z: f64) -> f64 {
    const STEPS: f64 = 128.0;
    const EDGE: f64 = 8.0;
    static TABLE: LazyLock<Vec<f64>> = LazyLock::new(|| {
        (0..=(2.0 * EDGE * STEPS) as usize + 1)
            .map(|i| {
                let z = i as f64 / STEPS - EDGE;
                0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
            })
            .collect()
    });
    if z <= -EDGE {
        return 0.0;
    }
    if z >= EDGE {
        return 1.0;
    }
    let x = (z + EDGE) * STEPS;
    let i = x as usize;
    TABLE[i] + (TABLE[i + 1] - TABLE[i]) * (x - i as f64)
}

/// The inverse of Φ by Acklam's rational approximation (relative error 1.2e-9).
fn normal_quantile(q: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        0.007_784_695_709_041_462,
        0.322_467_129_070_039_8,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    let q = q.clamp(1e-12, 1.0 - 1e-12);
    let tail = |p: f64| {
        let r = libm::sqrt(-2.0 * libm::log(p));
        (((((C[0] * r + C[1]) * r + C[2]) * r + C[3]) * r + C[4]) * r + C[5])
            / ((((D[0] * r + D[1]) * r + D[2]) * r + D[3]) * r + 1.0)
    };
    if q < 0.02425 {
        tail(q)
    } else if q > 1.0 - 0.02425 {
        -tail(1.0 - q)
    } else {
        let r = q - 0.5;
        let s = r * r;
        (((((A[0] * s + A[1]) * s + A[2]) * s + A[3]) * s + A[4]) * s + A[5]) * r
            / (((((B[0] * s + B[1]) * s + B[2]) * s + B[3]) * s + B[4]) * s + 1.0)
    }
}

const SLO_BOUNDS: [f64; 20] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0,
    3.0, 5.0, 10.0,
];

const FULL_BOUNDS: [f64; 56] = [
    0.005,
    0.005592405,
    0.006990506,
    0.008388607,
    0.009786708,
    0.011184809,
    0.01258291,
    0.013981011,
    0.015379112,
    0.016777216,
    0.022369621,
    0.027962026,
    0.033554431,
    0.039146836,
    0.044739241,
    0.05,
    0.050331646,
    0.055924051,
    0.061516456,
    0.067108864,
    0.089478485,
    0.1,
    0.111848106,
    0.134217727,
    0.156587348,
    0.178956969,
    0.20132659,
    0.223696211,
    0.246065832,
    0.25,
    0.268435456,
    0.357913941,
    0.447392426,
    0.5,
    0.536870911,
    0.626349396,
    0.715827881,
    0.805306366,
    0.894784851,
    0.984263336,
    1.0,
    1.073741824,
    1.431655765,
    1.789569706,
    2.0,
    2.147483647,
    2.505397588,
    2.863311529,
    3.22122547,
    3.579139411,
    3.937053352,
    4.294967296,
    5.726623061,
    7.158278826,
    8.589934591,
    10.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p99_asked_for_is_the_p99_got() {
        for p99 in [0.06, 0.25, 1.0, 4.0] {
            let latency = LogNormal::from_p99(p99);
            assert!((latency.quantile(0.99) - p99).abs() < 1e-6 * p99);
            assert!((latency.share_below(libm::log(p99)) - 0.99).abs() < 1e-5);
        }
    }

    #[test]
    fn table_and_inverse_agree() {
        for i in 1..1_000 {
            let q = f64::from(i) / 1_000.0;
            assert!((normal_cdf(normal_quantile(q)) - q).abs() < 5e-6, "{q}");
        }
    }
}
