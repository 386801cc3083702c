//! What to say where a window has no lines: how near the nearest are, and what a wider one has.

use std::time::Duration;

use domain::Timestamp;

use super::gather::{Window, earlier};

/// Half widths of windows that are offered.
const WIDER_SECONDS: [u64; 8] = [10, 60, 300, 900, 3_600, 21_600, 86_400, 604_800];

/// The lines outside a window that are nearest to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nearest {
    pub window: Window,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    /// A limit ended the reading.
    pub stopped: bool,
    /// The log is of several services; which of its lines are whose isn't known beforehand.
    pub shared: bool,
}

impl Nearest {
    pub(super) fn new(window: Window) -> Nearest {
        Nearest {
            window,
            before: None,
            after: None,
            stopped: false,
            shared: false,
        }
    }

    pub(super) fn note(&mut self, before: Option<Timestamp>, after: Option<Timestamp>) {
        self.before = self.before.max(before);
        self.after = earlier(self.after, after);
    }
}

/// `count` tells how many lines a window has.
pub(super) fn in_words(
    nearest: &Nearest,
    read_bytes_max: u64,
    count: impl FnOnce(Window) -> u64,
) -> String {
    let stopped = match nearest.stopped {
        true => format!("; reading stopped after {} MiB", read_bytes_max >> 20),
        false => String::new(),
    };
    let Window { from, to } = nearest.window;
    let before = nearest.before.map(|time| from.since(time));
    let after = nearest.after.map(|time| time.since(to));
    let told = match (before, after) {
        (Some(before), Some(after)) if before <= after => format!("{} before", span(before)),
        (_, Some(after)) => format!("{} after", span(after)),
        (Some(before), None) => format!("{} before", span(before)),
        (None, None) if nearest.shared => {
            return format!("no line in or near the window names the service{stopped}");
        }
        (None, None) => return format!("the log has no lines with a time{stopped}"),
    };
    let distance = match (before, after) {
        (Some(before), Some(after)) => before.min(after),
        (before, after) => before.or(after).unwrap_or_default(),
    };
    let half = to.since(from) / 2;
    let center = from + half;
    let wider = WIDER_SECONDS
        .iter()
        .map(|seconds| Duration::from_secs(*seconds))
        .find(|wider| *wider >= half + distance);
    let offer = match wider {
        Some(wider) => {
            let lines = count(Window {
                from: center - wider,
                to: center + wider,
            });
            let noun = if lines == 1 { "line" } else { "lines" };
            format!("; a window of ±{} has {lines} {noun}", span(wider))
        }
        None => String::new(),
    };
    format!("nearest line {told} the window{offer}{stopped}")
}

/// A length of time for people: the two largest units.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if shown.is_empty() {
        format!("{} ms", duration.as_millis())
    } else {
        shown.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (millis, text) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (10_000, "10 s"),
            (250_000, "4 m 10 s"),
            (300_000, "5 m"),
            (90_061_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }
}
