//! Which lines are baseline, which are the window, and in which slice of the baseline one lies.

use std::time::Duration;

use domain::Timestamp;

/// Shorter slices would split single requests, …
const SLICE_MIN: Duration = Duration::from_secs(30);
/// … and more of them need more memory for each pattern.
const SLICES_MAX: u64 = 240;
/// A log that begins later than this part of the baseline is younger than it.
const UNKNOWN_PARTS_MIN: u32 = 10;

/// What is compared: the window of an incident with the baseline before it.
#[derive(Clone, Debug, PartialEq)]
pub struct LogShiftWindows {
    pub baseline_from: Timestamp,
    /// The baseline ends before it, and the window begins with it.
    pub from: Timestamp,
    /// When the trouble began, in the window: what is not said since then is gone.
    pub onset: Timestamp,
    /// Belongs to the window.
    pub to: Timestamp,
    /// Stretches of the baseline that are not normal, from and to: other incidents of the service.
    pub left_out: Vec<(Timestamp, Timestamp)>,
}

/// Where a line lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The slice of the baseline.
    Before(u16),
    During,
}

impl Place {
    pub fn is_during(self) -> bool {
        self == Place::During
    }

    /// The window is one slice.
    pub fn slice(self) -> u16 {
        match self {
            Place::Before(slice) => slice,
            Place::During => 0,
        }
    }
}

/// The windows, ready for lines.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub baseline_from: Timestamp,
    pub from: Timestamp,
    pub onset: Timestamp,
    pub to: Timestamp,
    /// Within the baseline, apart from one another, by time.
    left_out: Vec<(Timestamp, Timestamp)>,
    pub slice: Duration,
    pub slices: usize,
}

impl Cut {
    pub fn new(windows: LogShiftWindows) -> Cut {
        let LogShiftWindows {
            baseline_from,
            from,
            onset,
            to,
            left_out,
        } = windows;
        let baseline = from.since(baseline_from);
        let least = baseline.as_millis().div_ceil(u128::from(SLICES_MAX));
        let slice = SLICE_MIN.max(Duration::from_millis(
            u64::try_from(least).unwrap_or(u64::MAX),
        ));
        Cut {
            baseline_from,
            from,
            onset: onset.clamp(from, to.max(from)),
            to,
            left_out: apart(baseline_from, from, left_out),
            slice,
            slices: usize::try_from(baseline.as_millis().div_ceil(slice.as_millis()))
                .unwrap_or(usize::MAX),
        }
    }

    /// None for a line of neither.
    pub fn place(&self, time: Timestamp) -> Option<Place> {
        if self.from <= time {
            return (time <= self.to).then_some(Place::During);
        }
        let is_in = |(from, to): &(Timestamp, Timestamp)| *from <= time && time <= *to;
        if time < self.baseline_from || self.left_out.iter().any(is_in) {
            return None;
        }
        let slice = time.since(self.baseline_from).as_millis() / self.slice.as_millis();
        Some(Place::Before(u16::try_from(slice).unwrap_or(u16::MAX)))
    }

    /// The first line of the baseline. What lies before it is not calm but unknown, as of a log
    /// that is younger than the baseline; a little of it is chance. Says whether it was left out.
    pub fn begin_with(&mut self, first: Timestamp) -> bool {
        let unknown = first.since(self.baseline_from);
        if UNKNOWN_PARTS_MIN * unknown < self.from.since(self.baseline_from) {
            return false;
        }
        let mut left_out = std::mem::take(&mut self.left_out);
        left_out.push((self.baseline_from, first));
        self.left_out = apart(self.baseline_from, self.from, left_out);
        true
    }

    /// The length of the baseline without what is left out.
    pub fn baseline(&self) -> Duration {
        self.within(self.baseline_from, self.from)
    }

    pub fn window(&self) -> Duration {
        self.to.since(self.from)
    }

    /// The part of the window in which there was trouble.
    pub fn trouble(&self) -> Duration {
        self.to.since(self.onset)
    }

    /// How many slices are as long as the window.
    pub fn widest(&self) -> usize {
        let slices = self.window().as_millis() / self.slice.as_millis();
        usize::try_from(slices).unwrap_or(usize::MAX).max(1)
    }

    /// Minutes of each slice without what is left out.
    pub fn minutes_by_slice(&self) -> Vec<f64> {
        let minutes = |slice: usize| {
            let from = self.baseline_from + self.slice * slice as u32;
            let to = (from + self.slice).min(self.from);
            self.within(from, to).as_secs_f64() / 60.0
        };
        (0..self.slices).map(minutes).collect()
    }

    /// What of a stretch of the baseline is not left out.
    fn within(&self, from: Timestamp, to: Timestamp) -> Duration {
        let out = |(a, b): &(Timestamp, Timestamp)| (*b).min(to).since((*a).max(from));
        let out: Duration = self.left_out.iter().map(out).sum();
        to.since(from).saturating_sub(out)
    }
}

/// Stretches within `from` to `to`, overlapping ones as one.
fn apart(
    from: Timestamp,
    to: Timestamp,
    mut stretches: Vec<(Timestamp, Timestamp)>,
) -> Vec<(Timestamp, Timestamp)> {
    stretches.sort_unstable();
    let mut apart: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (a, b) in stretches {
        let (a, b) = (a.max(from), b.min(to));
        match apart.last_mut() {
            _ if b < a => {}
            Some(last) if a <= last.1 => last.1 = last.1.max(b),
            _ => apart.push((a, b)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn cut(left_out: &[(i64, i64)]) -> Cut {
        Cut::new(LogShiftWindows {
            baseline_from: at(0),
            from: at(3_600),
            onset: at(3_600),
            to: at(3_720),
            left_out: left_out.iter().map(|(a, b)| (at(*a), at(*b))).collect(),
        })
    }

    #[test]
    fn lines_have_one_place_or_none() {
        let cut = cut(&[(600, 900)]);
        let cases = [
            (-1, None),
            (0, Some(Place::Before(0))),
            (30, Some(Place::Before(1))),
            (599, Some(Place::Before(19))),
            (600, None),
            (900, None),
            (3_599, Some(Place::Before(119))),
            (3_600, Some(Place::During)),
            (3_720, Some(Place::During)),
            (3_721, None),
        ];
        for (seconds, place) in cases {
            assert_eq!(cut.place(at(seconds)), place, "{seconds}");
        }
        assert_eq!((cut.slices, cut.widest()), (120, 4));
    }

    #[test]
    fn what_is_left_out_is_no_time_of_the_baseline() {
        let cut = cut(&[(600, 900), (800, 1_200), (-50, 30), (3_590, 9_000)]);
        let seconds = 3_600 - 600 - 30 - 10;
        assert_eq!(cut.baseline(), Duration::from_secs(seconds));
        let minutes = cut.minutes_by_slice();
        assert_eq!((minutes[0], minutes[1], minutes[25]), (0.0, 0.5, 0.0));
        assert!((60.0 * minutes.iter().sum::<f64>() - seconds as f64).abs() < 1e-6);
    }

    #[test]
    fn a_long_baseline_has_longer_slices_and_an_empty_one_none() {
        let of = |baseline: i64, from: i64, to: i64| {
            Cut::new(LogShiftWindows {
                baseline_from: at(baseline),
                from: at(from),
                onset: at(from),
                to: at(to),
                left_out: Vec::new(),
            })
        };
        let day = of(0, 86_400, 86_500);
        assert_eq!((day.slices, day.slice), (240, Duration::from_secs(360)));
        let empty = of(10, 10, 0);
        assert_eq!((empty.slices, empty.place(at(10))), (0, None));
        assert_eq!(empty.baseline() + empty.window(), Duration::ZERO);
    }
}
