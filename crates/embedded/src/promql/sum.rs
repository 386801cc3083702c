//! Sums and means that lose next to nothing to rounding.
//!
//! Source: Neumaier's variant of Kahan's summation, as Prometheus 3 uses it.

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        self.sum = sum;
    }

    pub(super) fn total(&self) -> f64 {
        self.sum + self.lost
    }

    fn scaled(self, factor: f64) -> CompensatedSum {
        CompensatedSum {
            sum: self.sum * factor,
            lost: self.lost * factor,
        }
    }
}

/// A sum divided, or, from where the sum would overflow, a mean that is carried on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    count: f64,
    so_far: CompensatedSum,
    overflowed: bool,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let before = self.count - 1.0;
        if !self.overflowed {
            let mut sum = self.so_far;
            sum.add(value);
            // The first value is taken whatever it is.
            if before == 0.0 || !sum.sum.is_infinite() {
                self.so_far = sum;
                return;
            }
            self.overflowed = true;
            self.so_far = self.so_far.scaled(1.0 / before);
        }
        self.so_far = self.so_far.scaled(before / self.count);
        self.so_far.add(value / self.count);
    }

    pub(super) fn value(&self) -> f64 {
        match self.overflowed {
            true => self.so_far.total(),
            false => self.so_far.sum / self.count + self.so_far.lost / self.count,
        }
    }
}
