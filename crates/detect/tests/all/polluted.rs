//! Windows that hold anomalies which nobody masked: what they cost later.

use std::ops::Range;

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
const POLLUTION: [f64; 4] = [5.0, 8.0, 12.0, 6.0];
const SIZES: [f64; 4] = [6.0, 9.0, 14.0, 25.0];

#[derive(Clone, Copy)]
enum Pollution {
    None,
    Spikes,
    /// So many of them.
    Blocks(usize),
}

fn deviation(kind: Kind) -> f64 {
    match kind {
        Kind::Daily(_) => 1.0,
        _ => 3.0,
    }
}

/// Lifts a tenth of the samples: single ones, or evenly spaced blocks of them.
fn pollute(samples: &mut [Sample], how: Pollution, deviation: f64, random: &mut Random) {
    let count = samples.len();
    for (index, sample) in samples.iter_mut().enumerate() {
        let (is_polluted, number) = match how {
            Pollution::None => (false, 0),
            Pollution::Spikes => (random.uniform() < 0.1, index),
            Pollution::Blocks(blocks) => {
                let each = count / blocks;
                // Not at the same time of day.
                let begins = index / each * 67 % (each - each / 10);
                (
                    (begins..begins + each / 10).contains(&(index % each)),
                    index / each,
                )
            }
        };
        if is_polluted {
            sample.value += POLLUTION[number % 4] * deviation;
        }
    }
}

/// Events found, of how many; false alarms, in how many days.
#[derive(Clone, Copy, Default)]
struct Quality {
    /// By size.
    found: [usize; 4],
    events: [usize; 4],
    false_alarms: usize,
    days: usize,
}

impl Quality {
    /// In percent, of the events of these sizes.
    fn recall(self, sizes: Range<usize>) -> f64 {
        let sum = |counts: &[usize]| counts.iter().sum::<usize>() as f64;
        100.0 * sum(&self.found[sizes.clone()]) / sum(&self.events[sizes])
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

/// Days without an event, beside which each event happens once, to a copy: what came before is no
/// past for the next one.
fn add(
    quality: &mut Quality,
    walk: &mut Walk,
    values: &mut Values,
    from: Timestamp,
    deviation: f64,
) {
    let fresh = values.take(from, MINUTE, FRESH);
    let mut judged = Vec::with_capacity(FRESH);
    for (number, part) in fresh.chunks(EVENT_EVERY).enumerate() {
        let (before, rest) = part.split_at(EVENT_BEGINS);
        judged.extend(walk.go(before));
        let mut event = rest[..EVENT_MINUTES].to_vec();
        for sample in &mut event {
            sample.value += SIZES[number % 4] * deviation;
        }
        let is_found = anomalies(&walk.clone().go(&event)) > 0;
        quality.events[number % 4] += 1;
        quality.found[number % 4] += usize::from(is_found);
        judged.extend(walk.go(rest));
    }
    quality.false_alarms += alarms(&judged).len();
    quality.days += FRESH / 1440;
}

fn say(what: &str, quality: Quality) {
    let Quality { found, events, .. } = quality;
    println!(
        "{what}: {:.1} % of the events, by size {SIZES:?} {found:?} of {events:?}, {:.2} false alarms a day",
        quality.recall(0..4),
        quality.false_a_day()
    );
}

/// A tenth of the window that looks like this, and at most so many points of recall it may cost: among
/// all events, most of which are no larger than the pollution, and among those of twice its size.
struct Case {
    what: &'static str,
    how: Pollution,
    all: f64,
    twice_as_large: f64,
}

fn check_cost(cases: &[Case]) {
    let clean = measure(Pollution::None);
    say("clean", clean);
    assert!(clean.recall(0..4) > 95.0);
    let mut passes = true;
    for Case {
        what,
        how,
        all,
        twice_as_large,
    } in cases
    {
        let polluted = measure(*how);
        say(what, polluted);
        for (sizes, among, stated) in [
            (0..4, "all events", all),
            (2..4, "events twice as large", twice_as_large),
        ] {
            let cost = clean.recall(sizes.clone()) - polluted.recall(sizes);
            let pass = cost <= *stated;
            passes &= pass;
            let name = format!("points of recall among {among} that 10 % of {what} cost");
            figure(5, &name, format!("{cost:.1}"), &format!("{stated}"), pass);
        }
        let more = polluted.false_a_day() - clean.false_a_day();
        let pass = more <= 0.2;
        passes &= pass;
        let name = format!("more false alarms a day by 10 % of {what}");
        figure(5, &name, format!("{more:.2}"), "0.2", pass);
    }
    assert!(passes);
}

/// One long incident that nobody masked is forgotten; what comes again and again is usual.
#[test]
fn an_episode_in_the_window_costs_nothing() {
    check_cost(&[Case {
        what: "one block",
        how: Pollution::Blocks(1),
        all: 5.0,
        twice_as_large: 0.0,
    }]);
}

#[test]
fn pollution_costs_what_is_no_larger_than_itself() {
    let case = |what, how, all| Case {
        what,
        how,
        all,
        twice_as_large: 10.0,
    };
    check_cost(&[
        case("three blocks", Pollution::Blocks(3), 30.0),
        case("scattered spikes", Pollution::Spikes, 40.0),
        case("24 blocks", Pollution::Blocks(24), 55.0),
    ]);
}
