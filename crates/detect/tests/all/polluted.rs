//! Windows that hold anomalies which nobody masked: what they cost later.

use std::time::Duration;

use detect::Season;
use domain::{Direction, Sample, Timestamp};

use crate::figure::figure;
use crate::series::{Random, spec};
use crate::walk::*;

const HISTORY: usize = 3 * 1440;
const FRESH: usize = 2 * 1440;
const KINDS: [Kind; 3] = [Kind::White, Kind::Autoregressive(0.8), Kind::Daily(10.0)];
const SEEDS: u64 = 4;
/// An event every three hours, of ten minutes.
const EVENT_EVERY: usize = 180;
const EVENT_BEGINS: usize = 85;
const EVENT_MINUTES: usize = 10;
/// What a tenth of the window is polluted by, and what later events are, in deviations.
const SIZES: [f64; 4] = [5.0, 8.0, 12.0, 6.0];

#[derive(Clone, Copy)]
enum Pollution {
    None,
    Spikes,
    Blocks,
}

fn deviation(kind: Kind) -> f64 {
    match kind {
        Kind::Daily(_) => 1.0,
        _ => 3.0,
    }
}

/// Lifts a tenth of the samples: single ones, or eighteen minutes of every three hours.
fn pollute(samples: &mut [Sample], how: Pollution, deviation: f64, random: &mut Random) {
    for (index, sample) in samples.iter_mut().enumerate() {
        let block = (index / EVENT_EVERY * 67) % (EVENT_EVERY - 18);
        let is_polluted = match how {
            Pollution::None => false,
            Pollution::Spikes => random.uniform() < 0.1,
            Pollution::Blocks => (block..block + 18).contains(&(index % EVENT_EVERY)),
        };
        if is_polluted {
            let number = match how {
                Pollution::Blocks => index / EVENT_EVERY,
                _ => index,
            };
            sample.value += SIZES[number % 4] * deviation;
        }
    }
}

/// Events found, of how many; false alarms, in how many days.
#[derive(Clone, Copy, Default)]
struct Quality {
    found: usize,
    events: usize,
    false_alarms: usize,
    days: usize,
}

impl Quality {
    fn recall(self) -> f64 {
        100.0 * self.found as f64 / self.events as f64
    }

    fn false_a_day(self) -> f64 {
        self.false_alarms as f64 / self.days as f64
    }
}

fn measure(how: Pollution) -> Quality {
    let mut quality = Quality::default();
    for (number, kind) in KINDS.into_iter().enumerate() {
        for seed in 0..SEEDS {
            let seed = 100 * number as u64 + seed;
            let mut values = Values::new(kind, seed);
            let mut history = values.take(monday(), MINUTE, HISTORY);
            pollute(&mut history, how, deviation(kind), &mut Random(seed + 9));
            let mut walk = Walk::after(&history, spec(Direction::Up, 1.0), Season::utc(), MINUTE);
            let from = monday() + MINUTE * HISTORY as u32;
            add(&mut quality, &mut walk, &mut values, from, deviation(kind));
        }
    }
    quality
}

fn add(quality: &mut Quality, walk: &mut Walk, values: &mut Values, from: Timestamp, deviation: f64) {
    let mut fresh = values.take(from, MINUTE, FRESH);
    let is_event = |index: usize| {
        (EVENT_BEGINS..EVENT_BEGINS + EVENT_MINUTES).contains(&(index % EVENT_EVERY))
    };
    for (index, sample) in fresh.iter_mut().enumerate() {
        if is_event(index) {
            sample.value += SIZES[(index / EVENT_EVERY + 1) % 4] * deviation;
        }
    }
    let judged = walk.go(&fresh);
    for (number, part) in judged.chunks(EVENT_EVERY).enumerate() {
        let event = &part[EVENT_BEGINS..EVENT_BEGINS + EVENT_MINUTES];
        quality.events += 1;
        quality.found += usize::from(anomalies(event) > 0);
        // What goes on for minutes after an event belongs to it.
        let begins = from + MINUTE * (number * EVENT_EVERY) as u32;
        let its = begins + MINUTE * EVENT_BEGINS as u32;
        let after = its + MINUTE * EVENT_MINUTES as u32 + Duration::from_secs(1_800);
        let is_false = |time: &Timestamp| *time < its || *time > after;
        quality.false_alarms += alarms(part).into_iter().filter(is_false).count();
    }
    quality.days += FRESH / 1440;
}

#[test]
fn a_polluted_window_costs_little() {
    let clean = measure(Pollution::None);
    let line = |what: &str, quality: Quality| {
        format!("{what}: {:.1} % of {} events, {:.2} false alarms a day", quality.recall(), quality.events, quality.false_a_day())
    };
    println!("{}", line("clean", clean));
    let mut passes = true;
    for (what, how) in [("scattered spikes", Pollution::Spikes), ("blocks", Pollution::Blocks)] {
        let polluted = measure(how);
        println!("{}", line(what, polluted));
        let cost = clean.recall() - polluted.recall();
        let pass = cost <= 10.0;
        passes &= pass;
        figure(5, &format!("points of recall that 10 % of {what} in the window cost"), format!("{cost:.1}"), "10", pass);
        let more = polluted.false_a_day() - clean.false_a_day();
        let pass = more <= 0.2;
        passes &= pass;
        figure(5, &format!("more false alarms a day by 10 % of {what}"), format!("{more:.2}"), "0.2", pass);
    }
    assert!(passes);
}
