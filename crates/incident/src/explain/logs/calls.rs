//! Which lines a call prints: what vanished from it, what joined it.
//!
//! A call is one span of one trace in one service, and calls that begin with the same pattern are
//! of one kind. A method that returns early, or fails, leaves the rate of everything else alone, but
//! each of its calls lacks the lines behind.

use std::collections::BTreeMap;

use domain::Timestamp;

use super::effect::{Counted, of_share, unevenness};
use super::miner::GroupId;
use super::windows::Place;

/// Calls that are remembered, …
const CALLS_MAX: usize = 1 << 16;
/// … and pairs of call and pattern.
const PAIRS_MAX: usize = 1 << 19;
/// A call with more patterns is a batch, and is compared with nothing.
const PATTERNS_OF_CALL_MAX: usize = 64;
/// Kinds of calls with fewer of them say nothing.
const CALLS_BEFORE_MIN: usize = 8;
const CALLS_DURING_MIN: usize = 2;

/// Calls and their lines in bounded memory: beyond the limits a sample of whole calls, by hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    calls: BTreeMap<u64, Call>,
    pairs: usize,
    /// The hash of a remembered call ends in at least so many zeros.
    zeros: u32,
}

#[derive(Clone, Debug)]
struct Call {
    first: Timestamp,
    begins_with: GroupId,
    /// Where it began.
    place: Place,
    /// It has lines on both sides of the border, and so is whole on neither.
    straddles: bool,
    is_batch: bool,
    lines: Vec<(GroupId, u32)>,
}

/// How a pattern moved within the kind of call in which it moved most.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CallShift {
    pub begins_with: GroupId,
    pub effect: f64,
    pub phi: f64,
    /// Lines in a call, on average.
    pub mean_before: f64,
    pub mean_during: f64,
    /// Calls that have the line at all.
    pub having_before: u64,
    pub having_during: u64,
    pub calls_before: u64,
    pub calls_during: u64,
}

impl CallShift {
    /// The larger effect says more; of equal ones that of more calls.
    fn weight(&self) -> (f64, u64) {
        (self.effect.abs(), self.calls_before + self.calls_during)
    }
}

/// What calls say of one pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct InCalls {
    pub strongest: Option<CallShift>,
    /// Lines and calls having them in the window, over all kinds of call.
    lines_during: u64,
    calls_during: u64,
}

impl InCalls {
    /// How many lines of the pattern a call of the window has that has any.
    pub fn bunch(&self) -> Option<f64> {
        (self.calls_during > 0).then(|| self.lines_during as f64 / self.calls_during as f64)
    }
}

impl Calls {
    pub fn add(&mut self, call: u64, time: Timestamp, place: Place, group: GroupId) {
        if call.trailing_zeros() < self.zeros {
            return;
        }
        let entry = self.calls.entry(call).or_insert_with(|| Call {
            first: time,
            begins_with: group,
            place,
            straddles: false,
            is_batch: false,
            lines: Vec::new(),
        });
        entry.straddles |= entry.place.is_during() != place.is_during();
        // Of lines of the same instant the one that came first was printed first.
        if time < entry.first {
            (entry.first, entry.begins_with, entry.place) = (time, group, place);
        }
        if entry.is_batch {
            return;
        }
        if let Some(line) = entry.lines.iter_mut().find(|line| line.0 == group) {
            line.1 = line.1.saturating_add(1);
            return;
        }
        if entry.lines.len() == PATTERNS_OF_CALL_MAX {
            entry.is_batch = true;
            self.pairs -= entry.lines.len();
            entry.lines = Vec::new();
            return;
        }
        entry.lines.push((group, 1));
        self.pairs += 1;
        while self.calls.len() > CALLS_MAX || self.pairs > PAIRS_MAX {
            self.zeros += 1;
            let zeros = self.zeros;
            self.calls.retain(|call, _| call.trailing_zeros() >= zeros);
            self.pairs = self.calls.values().map(|call| call.lines.len()).sum();
        }
    }

    /// What the calls say of each pattern. `slices` of the baseline, of which so many at once are
    /// as long as the window.
    pub fn compare(
        &self,
        root: impl Fn(GroupId) -> GroupId,
        slices: usize,
        widest: usize,
    ) -> BTreeMap<GroupId, InCalls> {
        let mut kinds: BTreeMap<GroupId, Kind> = BTreeMap::new();
        for call in self.calls.values() {
            if !call.straddles && !call.is_batch {
                let kind = kinds.entry(root(call.begins_with)).or_default();
                kind.add(call, &root);
            }
        }
        let mut patterns: BTreeMap<GroupId, InCalls> = BTreeMap::new();
        for (begins_with, kind) in &kinds {
            let enough = kind.before.len() >= CALLS_BEFORE_MIN && kind.during >= CALLS_DURING_MIN;
            for (group, lines) in &kind.lines {
                let pattern = patterns.entry(*group).or_default();
                pattern.calls_during += lines.during.len() as u64;
                pattern.lines_during += lines.during.iter().map(|n| u64::from(*n)).sum::<u64>();
                if !enough {
                    continue;
                }
                let shift = kind.shift(*begins_with, lines, slices, widest);
                let best = pattern.strongest.as_ref();
                if best.is_none_or(|best| shift.weight() > best.weight()) {
                    pattern.strongest = Some(shift);
                }
            }
        }
        patterns
    }
}

/// Calls that begin with the same pattern.
#[derive(Clone, Debug, Default)]
struct Kind {
    /// The slice of each call of the baseline.
    before: Vec<u16>,
    during: usize,
    lines: BTreeMap<GroupId, Lines>,
}

/// The lines of one pattern in the calls of a kind that have any.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// Slice and number.
    before: Vec<(u16, u32)>,
    during: Vec<u32>,
}

impl Kind {
    fn add(&mut self, call: &Call, root: &impl Fn(GroupId) -> GroupId) {
        match call.place {
            Place::Before(slice) => self.before.push(slice),
            Place::During => self.during += 1,
        }
        let mut counts: BTreeMap<GroupId, u32> = BTreeMap::new();
        for (group, count) in &call.lines {
            let sum = counts.entry(root(*group)).or_default();
            *sum = sum.saturating_add(*count);
        }
        for (group, count) in counts {
            let lines = self.lines.entry(group).or_default();
            match call.place {
                Place::Before(slice) => lines.before.push((slice, count)),
                Place::During => lines.during.push(count),
            }
        }
    }

    /// The share of calls with fewer lines than the median call of the baseline, and with more:
    /// whichever rose by more standard deviations.
    fn shift(
        &self,
        begins_with: GroupId,
        lines: &Lines,
        slices: usize,
        widest: usize,
    ) -> CallShift {
        let usual = self.median(lines);
        let fewer = self.rise(lines, slices, widest, |count| count < usual);
        let more = self.rise(lines, slices, widest, |count| count > usual);
        let (effect, phi) = if fewer.0 > more.0 {
            (-fewer.0, fewer.1)
        } else {
            more
        };
        let sum_before: u64 = lines.before.iter().map(|(_, n)| u64::from(*n)).sum();
        let sum_during: u64 = lines.during.iter().map(|n| u64::from(*n)).sum();
        CallShift {
            begins_with,
            effect,
            phi,
            mean_before: sum_before as f64 / self.before.len() as f64,
            mean_during: sum_during as f64 / self.during as f64,
            having_before: lines.before.len() as u64,
            having_during: lines.during.len() as u64,
            calls_before: self.before.len() as u64,
            calls_during: self.during as u64,
        }
    }

    /// Lines of the pattern in the median call of the baseline.
    fn median(&self, lines: &Lines) -> u32 {
        let mut counts: Vec<u32> = lines.before.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable();
        let without = self.before.len() - counts.len();
        let middle = self.before.len() / 2;
        match middle.checked_sub(without) {
            Some(at) => counts.get(at).copied().unwrap_or(0),
            None => 0,
        }
    }

    /// By how many standard deviations the share of calls rose whose number of lines is so, none
    /// where it fell; and how unevenly such calls came.
    fn rise(
        &self,
        lines: &Lines,
        slices: usize,
        widest: usize,
        is_so: impl Fn(u32) -> bool,
    ) -> (f64, f64) {
        let without = u64::from(is_so(0));
        let of = |having: usize, all: usize, so: usize| {
            let hits = so as u64 + without * (all - having) as u64;
            Counted {
                count: hits as f64,
                against: all as f64,
            }
        };
        let so_before = lines.before.iter().filter(|(_, count)| is_so(*count));
        let so_during = lines.during.iter().filter(|count| is_so(**count)).count();
        let before = of(lines.before.len(), self.before.len(), so_before.count());
        let during = of(lines.during.len(), self.during, so_during);
        if during.count * before.against <= before.count * during.against {
            return (0.0, 1.0);
        }
        let mut pieces = vec![Counted::default(); slices];
        for slice in &self.before {
            if let Some(piece) = pieces.get_mut(usize::from(*slice)) {
                piece.against += 1.0;
                piece.count += without as f64;
            }
        }
        for (slice, count) in &lines.before {
            if let Some(piece) = pieces.get_mut(usize::from(*slice)) {
                piece.count += f64::from(u8::from(is_so(*count))) - without as f64;
            }
        }
        let mean = (before.count + 0.5) / (before.against + 1.0);
        let phi = unevenness(&pieces, mean, mean * (1.0 - mean), widest);
        (of_share(before, during, phi), phi)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::quick;
    use super::*;

    const A: GroupId = GroupId(0);
    const B: GroupId = GroupId(1);
    const C: GroupId = GroupId(2);

    fn hash(index: u64) -> u64 {
        quick(7, &index.to_le_bytes())
    }

    fn at(index: u64) -> Timestamp {
        Timestamp::from_millis(1_000 * index as i64)
    }

    fn add(calls: &mut Calls, index: u64, place: Place, groups: &[GroupId]) {
        for group in groups {
            calls.add(hash(index), at(index), place, *group);
        }
    }

    fn strongest(calls: &Calls, group: GroupId) -> CallShift {
        let all = calls.compare(|group| group, 20, 4);
        all[&group].strongest.clone().unwrap()
    }

    #[test]
    fn an_early_return_takes_lines_from_the_call() {
        let mut calls = Calls::default();
        for index in 0..100 {
            add(
                &mut calls,
                index,
                Place::Before((index / 5) as u16),
                &[A, B],
            );
        }
        for index in 100..120 {
            add(&mut calls, index, Place::During, &[A, C]);
        }
        let gone = strongest(&calls, B);
        assert!(gone.effect < -6.0, "{gone:?}");
        assert_eq!(
            (gone.begins_with, gone.having_before, gone.having_during),
            (A, 100, 0)
        );
        let joined = strongest(&calls, C);
        assert!((joined.effect + gone.effect).abs() < 0.2, "{joined:?}");
        assert_eq!(strongest(&calls, A).effect, 0.0);
    }

    #[test]
    fn twice_as_many_lines_in_a_call_are_seen() {
        let mut calls = Calls::default();
        for index in 0..60 {
            add(
                &mut calls,
                index,
                Place::Before((index / 3) as u16),
                &[A, B, B],
            );
        }
        for index in 60..70 {
            add(&mut calls, index, Place::During, &[A, B, B, B, B]);
        }
        let more = strongest(&calls, B);
        assert!(more.effect > 4.0, "{more:?}");
        assert_eq!((more.mean_before, more.mean_during), (2.0, 4.0));
    }

    #[test]
    fn what_depends_on_the_hour_counts_less() {
        let shift = |in_bursts: bool| {
            let mut calls = Calls::default();
            for index in 0..200 {
                let slice = (index / 10) as u16;
                let has = if in_bursts {
                    slice.is_multiple_of(4)
                } else {
                    index % 4 == 0
                };
                let lines: &[GroupId] = if has { &[A, B] } else { &[A] };
                add(&mut calls, index, Place::Before(slice), lines);
            }
            for index in 200..220 {
                add(&mut calls, index, Place::During, &[A, B]);
            }
            strongest(&calls, B).effect
        };
        assert!(
            shift(false) > 5.0 && shift(true) < 3.0,
            "{} {}",
            shift(false),
            shift(true)
        );
    }

    #[test]
    fn a_call_over_the_border_is_whole_on_neither_side() {
        let mut calls = Calls::default();
        for index in 0..20 {
            add(&mut calls, index, Place::Before(0), &[A, B]);
            add(&mut calls, 20 + index, Place::Before(0), &[A]);
            add(&mut calls, 20 + index, Place::During, &[B]);
        }
        let all = calls.compare(|group| group, 1, 1);
        assert_eq!(all[&B].strongest, None, "no whole call in the window");
    }

    #[test]
    fn memory_is_bounded_by_a_sample_of_whole_calls() {
        let mut calls = Calls::default();
        for index in 0..200_000 {
            add(&mut calls, index, Place::Before(0), &[A, B, C]);
        }
        assert!(calls.calls.len() <= CALLS_MAX && calls.pairs <= PAIRS_MAX);
        assert!(calls.calls.values().all(|call| call.lines.len() == 3));
        let mut batch = Calls::default();
        for group in 0..1_000 {
            batch.add(1, at(0), Place::During, GroupId(group));
        }
        assert_eq!(batch.pairs, 0);
    }
}
