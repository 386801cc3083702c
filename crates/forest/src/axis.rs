//! How the values of one feature are brought to `f32`: shifted and scaled so that the training
//! range becomes −1 to 1.
//!
//! Trees are grown and walked on the same scaled values, so every training row goes the side it
//! was split on, and a feature of large values and small changes (bytes, say) keeps its resolution.

use crate::{FEATURES_MAX, Forest};

/// A row as trees see it; places beyond the forest's features are zero.
pub(crate) type ScaledRow = [f32; FEATURES_MAX];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) center: f64,
    /// Finite and positive.
    pub(crate) scale: f64,
}

impl Axis {
    /// For values between `min` and `max`, both finite. A range too small to divide by counts as
    /// constant.
    pub(crate) fn spanning(min: f64, max: f64) -> Self {
        let half = max / 2.0 - min / 2.0;
        let scale = 1.0 / half;
        Self {
            center: max / 2.0 + min / 2.0,
            scale: if scale.is_finite() { scale } else { 1.0 },
        }
    }

    /// Never decreasing in `value`; values far outside the training range may become infinite.
    #[inline(always)]
    pub(crate) fn scaled(self, value: f64) -> f32 {
        ((value - self.center) * self.scale) as f32
    }

    /// The value that is scaled to this.
    pub(crate) fn value(self, scaled: f32) -> f64 {
        self.center + f64::from(scaled) / self.scale
    }
}

impl Forest {
    /// The row as trees see it ([`ScaledRow`], or a narrower one), or nothing for a wrong length or a value that isn't finite.
    #[inline]
    pub(crate) fn scaled<const WIDTH: usize>(&self, row: &[f64]) -> Option<[f32; WIDTH]> {
        debug_assert!(self.axes.len() <= WIDTH);
        if row.len() != self.axes.len() {
            return None;
        }
        let mut scaled = [0.0; WIDTH];
        let mut finite = true;
        for ((place, axis), value) in scaled.iter_mut().zip(&self.axes).zip(row) {
            *place = axis.scaled(*value);
            finite &= value.is_finite();
        }
        finite.then_some(scaled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_the_training_range_become_one() {
        let axis = Axis::spanning(8e9, 8e9 + 100.0);
        assert_eq!(axis.scaled(8e9), -1.0);
        assert_eq!(axis.scaled(8e9 + 100.0), 1.0);
    }

    #[test]
    fn extreme_ranges_scale_to_ordered_numbers() {
        let edges = [f64::MIN, -1.0, 0.0, f64::from_bits(1), 1.0, f64::MAX];
        for min in edges {
            for max in edges.into_iter().filter(|max| *max >= min) {
                let axis = Axis::spanning(min, max);
                assert!(axis.scale.is_finite() && axis.scale > 0.0);
                let scaled = edges.map(|value| axis.scaled(value));
                assert!(scaled.is_sorted(), "{min} to {max}: {scaled:?}");
                assert!(axis.scaled(min).is_finite() && axis.scaled(max).is_finite());
            }
        }
    }
}
