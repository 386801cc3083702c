//! How many distinct traces there were, in bounded memory.

use std::collections::BTreeSet;

/// Pairs of trace and slice that are remembered.
const REMEMBERED_MAX: usize = 1 << 16;

/// Distinct traces, in all and by slice of time.
///
/// Beyond [`REMEMBERED_MAX`] only traces whose hash ends in so many zeros are remembered, each for
/// all of its kind (Gibbons 2001, "Distinct sampling for highly-accurate answers to distinct values
/// queries"). What is counted then depends on which traces there were, not on their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces {
    seen: BTreeSet<(u64, u16)>,
    /// A remembered hash ends in at least so many zeros.
    zeros: u32,
    newest: Option<(u64, u16)>,
}

impl Traces {
    pub fn add(&mut self, trace: u64, slice: u16) {
        if trace.trailing_zeros() < self.zeros || self.newest == Some((trace, slice)) {
            return;
        }
        self.newest = Some((trace, slice));
        self.seen.insert((trace, slice));
        while self.seen.len() > REMEMBERED_MAX {
            self.zeros += 1;
            let zeros = self.zeros;
            self.seen
                .retain(|(trace, _)| trace.trailing_zeros() >= zeros);
        }
    }

    /// Distinct traces, estimated beyond the limit.
    pub fn count(&self) -> f64 {
        let mut newest = None;
        let distinct = self.seen.iter().filter(|(trace, _)| {
            let is_other = newest != Some(*trace);
            newest = Some(*trace);
            is_other
        });
        distinct.count() as f64 * self.each()
    }

    /// Distinct traces of each of so many slices.
    pub fn by_slice(&self, slices: usize) -> Vec<f64> {
        let mut counts = vec![0.0; slices];
        for (_, slice) in &self.seen {
            if let Some(count) = counts.get_mut(usize::from(*slice)) {
                *count += self.each();
            }
        }
        counts
    }

    /// How many traces one that is remembered stands for.
    fn each(&self) -> f64 {
        libm::exp2(f64::from(self.zeros))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::quick;
    use super::*;

    fn hash(index: u64) -> u64 {
        quick(7, &index.to_le_bytes())
    }

    #[test]
    fn few_are_counted_exactly_and_many_nearly() {
        let mut traces = Traces::default();
        for index in 0..1_000_u64 {
            traces.add(hash(index % 300), (index % 300 / 100) as u16);
        }
        assert_eq!(traces.count(), 300.0);
        assert_eq!(traces.by_slice(4), [100.0, 100.0, 100.0, 0.0]);
        for index in 0..400_000 {
            traces.add(hash(index), 3);
        }
        assert!(traces.seen.len() <= REMEMBERED_MAX);
        let count = traces.count();
        assert!((count / 400_000.0 - 1.0).abs() < 0.02, "{count}");
    }

    #[test]
    fn order_does_not_matter() {
        let (mut up, mut down) = (Traces::default(), Traces::default());
        for index in 0..150_000 {
            up.add(hash(index), 0);
            down.add(hash(149_999 - index), 0);
        }
        assert_eq!(up.count(), down.count());
    }
}
