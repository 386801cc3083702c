//! Series on which hardly anything happens, or only whole numbers do: no flood, and a real change is
//! found.

use detect::Season;
use domain::{Direction, Sample};

use crate::figure::figure;
use crate::series::{Random, spec};
use crate::walk::*;

const HISTORY: usize = 2 * 1440;
const FRESH_DAYS: usize = 3;
const CHANGE: usize = 15;

/// What a series is like, minute by minute; none where there is no sample.
struct Story {
    name: &'static str,
    direction: Direction,
    minimum_deviation: f64,
    value: fn(usize, &mut Random) -> Option<f64>,
    /// What is added by a real change.
    change: f64,
}

const STORIES: [Story; 9] = [
    Story {
        name: "constant",
        direction: Direction::Up,
        minimum_deviation: 10.0,
        value: |_, _| Some(7.0),
        change: 30.0,
    },
    Story {
        name: "constant, without a minimum deviation",
        direction: Direction::Both,
        minimum_deviation: 0.0,
        value: |_, _| Some(7.0),
        change: 5.0,
    },
    Story {
        name: "near constant, without a minimum deviation",
        direction: Direction::Both,
        minimum_deviation: 0.0,
        value: |_, random| Some(if random.uniform() < 0.02 { 7.01 } else { 7.0 }),
        change: 1.0,
    },
    Story {
        name: "constant up to rounding",
        direction: Direction::Both,
        minimum_deviation: 0.0,
        value: |_, random| Some(100.0 + 1e-9 * random.uniform()),
        change: 1.0,
    },
    Story {
        name: "whole numbers",
        direction: Direction::Both,
        minimum_deviation: 0.0,
        value: |_, random| Some(poisson(random, 2.0)),
        change: 12.0,
    },
    Story {
        name: "a count that is mostly zero",
        direction: Direction::Up,
        minimum_deviation: 2.0,
        value: |_, random| {
            Some(if random.uniform() < 0.9 {
                0.0
            } else {
                poisson(random, 2.0)
            })
        },
        change: 15.0,
    },
    Story {
        name: "an error ratio of few requests",
        direction: Direction::Up,
        minimum_deviation: 1.0,
        value: |_, random| Some(if random.uniform() < 0.99 { 0.0 } else { 25.0 }),
        change: 40.0,
    },
    Story {
        name: "a rate that restarts reset",
        direction: Direction::Up,
        minimum_deviation: 0.5,
        value: |minute, random| match (minute + minute / 1440 * 317) % 1440 {
            600..605 => None,
            605..608 => Some(0.0),
            _ => Some(random.normal(40.0, 3.0)),
        },
        change: 40.0,
    },
    Story {
        name: "a sawtooth",
        direction: Direction::Both,
        minimum_deviation: 1.0,
        value: |minute, random| Some(random.normal(20.0 + (minute % 370) as f64 * 0.1, 1.0)),
        change: 40.0,
    },
];

impl Story {
    fn take(&self, random: &mut Random, from: usize, count: usize, change: f64) -> Vec<Sample> {
        let minutes = from..from + count;
        let sample = |minute: usize| {
            let time = monday() + MINUTE * minute as u32;
            (self.value)(minute, random).map(|value| Sample {
                time,
                value: value + change,
            })
        };
        minutes.filter_map(sample).collect()
    }
}

#[test]
fn quiet_series_raise_no_flood_and_a_change_is_found() {
    let (mut most, mut missed, mut series) = ((0.0, ""), Vec::new(), 0);
    for story in &STORIES {
        for seed in 0..2 {
            let mut random = Random(seed * 977 + 13);
            let history = story.take(&mut random, 0, HISTORY, 0.0);
            let metric = spec(story.direction, story.minimum_deviation);
            let mut walk = Walk::after(&history, metric, Season::utc(), MINUTE);
            let judged = walk.go(&story.take(&mut random, HISTORY, FRESH_DAYS * 1440, 0.0));
            let begun = alarms(&judged).len();
            let a_day = begun as f64 / FRESH_DAYS as f64;
            let end = HISTORY + FRESH_DAYS * 1440;
            let changed = walk.go(&story.take(&mut random, end, CHANGE, story.change));
            let found = anomalies(&changed);
            series += 1;
            println!(
                "{}: {a_day:.2} alarms a day, {} samples; {found} of {CHANGE} of a change",
                story.name,
                anomalies(&judged)
            );
            if a_day > most.0 {
                most = (a_day, story.name);
            }
            if found == 0 {
                missed.push(story.name);
            }
        }
    }
    let no_flood = most.0 <= 1.0;
    figure(
        10,
        &format!("most alarms a day on one of {series} quiet series"),
        format!("{:.2} ({})", most.0, most.1),
        "1",
        no_flood,
    );
    let found = missed.is_empty();
    figure(
        10,
        "changes missed on quiet series",
        missed.len(),
        "0",
        found,
    );
    assert!(no_flood && found, "{missed:?}");
}
