//! Noise as a hash of (seed, service, instance, signal, time bucket): the same question always gets the same answer,
//! whoever asks and in whatever order.

/// A source of noise for one signal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    key: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64, service: &str, instance: usize, signal: &str) -> Self {
        let named = fnv(fnv(FNV_OFFSET ^ mix(seed), service), signal);
        Noise {
            key: mix(named ^ mix(instance as u64 + 1)),
        }
    }

    pub(crate) fn fork(self, tag: u64) -> Self {
        Noise {
            key: mix(self.key ^ mix(tag.wrapping_add(0x5eed))),
        }
    }

    pub(crate) fn bits(self, bucket: i64) -> u64 {
        mix(self.key ^ mix(bucket as u64))
    }

    /// Uniform in 0..1.
    pub(crate) fn uniform(self, bucket: i64) -> f64 {
        (self.bits(bucket) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Bell-shaped with deviation 1 and never beyond ±3, so that normal noise has a bound.
    pub(crate) fn bell(self, bucket: i64) -> f64 {
        let bits = self.bits(bucket);
        let third = |shift: u32| ((bits >> shift) & 0x1f_ffff) as f64 / 2_097_152.0;
        2.0 * (third(0) + third(21) + third(42) - 1.5)
    }

    /// Bell-shaped values at knots, eased in between.
    pub(crate) fn smooth(self, t_ms: i64, knot_ms: i64) -> f64 {
        let knot = t_ms.div_euclid(knot_ms);
        let x = t_ms.rem_euclid(knot_ms) as f64 / knot_ms as f64;
        let eased = x * x * (3.0 - 2.0 * x);
        let (left, right) = (self.bell(knot), self.bell(knot + 1));
        left + (right - left) * eased
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(start: u64, text: &str) -> u64 {
    text.bytes().chain([0xff]).fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_deviation_one_and_a_bound() {
        let noise = Noise::new(7, "orders", 1, "cpu");
        let values: Vec<f64> = (0..20_000).map(|bucket| noise.bell(bucket)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance =
            values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
        assert!(values.iter().all(|v| v.abs() <= 3.0));
    }

    #[test]
    fn signals_and_instances_differ() {
        let bits = |service, instance, signal| Noise::new(1, service, instance, signal).bits(5);
        assert_eq!(bits("a", 1, "cpu"), bits("a", 1, "cpu"));
        assert_ne!(bits("a", 1, "cpu"), bits("a", 2, "cpu"));
        assert_ne!(bits("a", 1, "cpu"), bits("a", 1, "mem"));
        assert_ne!(bits("ab", 1, "c"), bits("a", 1, "bc"));
    }
}
