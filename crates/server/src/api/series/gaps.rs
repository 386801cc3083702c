//! Where samples are missing: stretches that are much longer than the distance of the samples
//! around them, which may differ from one part of the past to another.

use std::collections::VecDeque;
use std::time::Duration;

use domain::Timestamp;

/// So many distances around a stretch say what is usual there.
const BEFORE: usize = 16;
const AFTER: usize = 3;
/// The most gaps that are kept: the longest.
const GAPS_MAX: usize = 200;

/// A stretch without samples; its ends are those of the samples around it, or of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Finds gaps while samples pass by, oldest first.
pub struct Gaps {
    tick: Duration,
    from: Timestamp,
    last: Option<Timestamp>,
    before: VecDeque<Duration>,
    /// Stretches that are long by what lies before, and the distances after them so far.
    suspects: Vec<(Gap, Vec<Duration>)>,
    found: Vec<Gap>,
    omitted: usize,
}

impl Gaps {
    pub fn new(from: Timestamp, tick: Duration) -> Gaps {
        Gaps {
            tick,
            from,
            last: None,
            before: VecDeque::with_capacity(BEFORE),
            suspects: Vec::new(),
            found: Vec::new(),
            omitted: 0,
        }
    }

    pub fn push(&mut self, time: Timestamp) {
        let gap = Gap {
            from: self.last.unwrap_or(self.from),
            to: time,
        };
        if self.last.is_some() {
            self.followed_by(gap.length());
        }
        if gap.length() > self.longest_usual() {
            self.suspects.push((gap, Vec::with_capacity(AFTER)));
        }
        if self.last.is_some() {
            if self.before.len() == BEFORE {
                self.before.pop_front();
            }
            self.before.push_back(gap.length());
        }
        self.last = Some(time);
    }

    /// The gaps until `to`, in order, and how many shorter ones there are.
    pub fn finish(mut self, to: Timestamp) -> (Vec<Gap>, usize) {
        for (gap, after) in std::mem::take(&mut self.suspects) {
            self.decide(gap, &after);
        }
        let last = Gap {
            from: self.last.unwrap_or(self.from),
            to: to.max(self.last.unwrap_or(self.from)),
        };
        if last.length() > self.longest_usual() {
            self.keep(last);
        }
        (self.found, self.omitted)
    }

    /// Beyond, a stretch is long by what lies before it.
    fn longest_usual(&self) -> Duration {
        let mut before: Vec<Duration> = self.before.iter().copied().collect();
        before.sort();
        let median = before.get(before.len() / 2).copied().unwrap_or_default();
        median.max(self.tick) * 5 / 2
    }

    fn followed_by(&mut self, distance: Duration) {
        self.suspects
            .iter_mut()
            .for_each(|(_, after)| after.push(distance));
        let (known, waiting) = std::mem::take(&mut self.suspects)
            .into_iter()
            .partition(|(_, after)| after.len() >= AFTER);
        self.suspects = waiting;
        let known: Vec<(Gap, Vec<Duration>)> = known;
        for (gap, after) in known {
            self.decide(gap, &after);
        }
    }

    /// A stretch is no gap where the samples after it are as far apart.
    fn decide(&mut self, gap: Gap, after: &[Duration]) {
        let usual = after.iter().min().copied().unwrap_or_default();
        if gap.length() > usual.max(self.tick) * 5 / 2 {
            self.keep(gap);
        }
    }

    fn keep(&mut self, gap: Gap) {
        self.found.push(gap);
        if self.found.len() > GAPS_MAX {
            let shortest = self.found.iter().enumerate();
            let shortest = shortest.min_by_key(|(_, gap)| gap.length());
            if let Some((index, _)) = shortest {
                self.found.remove(index);
                self.omitted += 1;
            }
        }
    }
}

impl Gap {
    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    pub fn middle(self) -> Timestamp {
        self.from + self.length() / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_348_800_000 + seconds * 1_000)
    }

    fn gaps(times: impl IntoIterator<Item = i64>, to: i64) -> Vec<(i64, i64)> {
        let mut gaps = Gaps::new(at(0), Duration::from_secs(15));
        times.into_iter().for_each(|time| gaps.push(at(time)));
        let seconds = |time: Timestamp| time.since(at(0)).as_secs() as i64;
        let (found, omitted) = gaps.finish(at(to));
        assert_eq!(omitted, 0);
        let pair = |gap: &Gap| (seconds(gap.from), seconds(gap.to));
        found.iter().map(pair).collect()
    }

    fn every(step: i64, from: i64, to: i64) -> impl Iterator<Item = i64> {
        (from..=to).step_by(step as usize)
    }

    #[test]
    fn nothing_at_all_is_one_gap() {
        assert_eq!(gaps([], 600), [(0, 600)]);
        assert_eq!(gaps([], 20), []);
    }

    #[test]
    fn a_missed_sample_is_none_and_an_outage_is_one() {
        let times = every(15, 0, 300).filter(|time| *time != 150);
        assert_eq!(gaps(times, 300), []);
        let times = every(15, 0, 300).chain(every(15, 900, 1_200));
        assert_eq!(gaps(times, 1_200), [(300, 900)]);
    }

    #[test]
    fn both_ends_are_told() {
        assert_eq!(gaps(every(15, 600, 900), 1_500), [(0, 600), (900, 1_500)]);
    }

    #[test]
    fn a_coarser_past_is_no_row_of_gaps() {
        let times = every(60, 0, 3_600).chain(every(15, 3_615, 7_200));
        assert_eq!(gaps(times, 7_200), []);
        let times = every(15, 0, 3_600).chain(every(60, 3_660, 7_200));
        assert_eq!(gaps(times, 7_200), []);
    }

    #[test]
    fn a_sample_between_two_outages_hides_neither() {
        let times = every(15, 0, 300)
            .chain([900])
            .chain(every(15, 1_500, 2_000));
        assert_eq!(gaps(times, 2_000), [(300, 900), (900, 1_500)]);
    }

    #[test]
    fn of_too_many_the_longest_stay() {
        let mut gaps = Gaps::new(at(0), Duration::from_secs(1));
        let mut time = 0;
        for outage in 0..GAPS_MAX as i64 + 5 {
            for _ in 0..20 {
                gaps.push(at(time));
                time += 1;
            }
            time += 100 + outage;
        }
        let (found, omitted) = gaps.finish(at(time));
        assert_eq!((found.len(), omitted), (GAPS_MAX, 5));
        assert!(found.iter().all(|gap| gap.length().as_secs() > 104));
    }
}
