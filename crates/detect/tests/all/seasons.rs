//! What comes every day is usual, and its absence is not, by the wall clock.

use std::time::Duration;

use detect::{Judgement, Season};
use domain::{Direction, Sample, Timestamp};

use crate::figure::figure;
use crate::series::{Random, spec};
use crate::walk::*;

/// The nightly job by the wall clock, in seconds of the day: from nine for half an hour.
const BATCH: std::ops::Range<u64> = 32_400..34_200;
/// Ten minutes more before and after it, which an alarm by chance may fall into.
const AROUND: std::ops::Range<u64> = 31_800..34_800;

fn berlin() -> Season {
    Season::new("Europe/Berlin").unwrap()
}

fn is_in(range: &std::ops::Range<u64>, time: Timestamp) -> bool {
    range.contains(&berlin().time_of_day(time).as_secs())
}

/// Days of 30 ± 1 with a job of 8 deviations on those on which it comes.
fn days(
    seed: u64,
    from: Timestamp,
    step: Duration,
    days: std::ops::Range<u32>,
    comes: impl Fn(u32) -> bool,
) -> Vec<Sample> {
    let mut random = Random(seed * 7_919 + u64::from(days.start) * 104_729 + 1);
    let mut samples = Vec::new();
    for day in days {
        for index in 0..in_a_day(step) {
            let time = from + A_DAY * day + step * index as u32;
            let job = if is_in(&BATCH, time) && comes(day) {
                8.0
            } else {
                0.0
            };
            let value = random.normal(30.0 + job, 1.0);
            samples.push(Sample { time, value });
        }
    }
    samples
}

/// How many samples around the job of one day are anomalies.
fn at_the_job(
    judged: &[(Timestamp, Judgement)],
    from: Timestamp,
    day: u32,
    range: &std::ops::Range<u64>,
) -> usize {
    let begin = from + A_DAY * day;
    let of_day = |time: Timestamp| time >= begin && time < begin + A_DAY;
    judged
        .iter()
        .filter(|(time, judged)| of_day(*time) && is_in(range, *time) && is_anomaly(judged))
        .count()
}

#[derive(Default)]
struct Tally {
    loud: usize,
    loud_around: usize,
    of_jobs: usize,
    flagged: usize,
    of_absences: usize,
    loud_on_the_day: usize,
    of_changes: usize,
}

impl Tally {
    fn job(&mut self, judged: &[(Timestamp, Judgement)], from: Timestamp, day: u32) {
        self.of_jobs += 1;
        self.loud += usize::from(at_the_job(judged, from, day, &BATCH) > 0);
        self.loud_around += usize::from(at_the_job(judged, from, day, &AROUND) > 0);
    }

    fn absence(&mut self, judged: &[(Timestamp, Judgement)], from: Timestamp, day: u32) {
        self.of_absences += 1;
        self.flagged += usize::from(at_the_job(judged, from, day, &BATCH) > 0);
    }

    fn say(&self, what: &str) -> bool {
        let Tally {
            loud,
            loud_around,
            of_jobs,
            flagged,
            of_absences,
            ..
        } = self;
        let silent = *loud == 0;
        let quiet_around = *loud_around * 10 <= *of_jobs || *loud_around <= 1;
        let said = format!("{loud} of {of_jobs}");
        figure(
            3,
            &format!("jobs with an anomaly, {what}"),
            said,
            "0",
            silent,
        );
        let said = format!("{loud_around} of {of_jobs}");
        let name = format!("jobs with an anomaly within ten minutes of them, {what}");
        figure(3, &name, said, "a tenth, or one", quiet_around);
        let all = flagged == of_absences;
        let said = format!("{flagged} of {of_absences}");
        figure(3, &format!("absences flagged, {what}"), said, "all", all);
        assert!(silent && quiet_around, "{what}");
        all
    }
}

/// Days 0 to 6 with the job, none on day 7; the first model after so many days of history.
fn check_week(step: Duration, seeds: std::ops::Range<u64>, what: &str) -> bool {
    let mut tally = Tally::default();
    for seed in seeds {
        for history in [1, 2] {
            let both = spec(Direction::Both, 1.0);
            let past = days(seed, monday(), step, 0..history, |_| true);
            let mut walk = Walk::after(&past, both, berlin(), step);
            let judged = walk.go(&days(seed, monday(), step, history..8, |day| day != 7));
            (3..7).for_each(|day| tally.job(&judged, monday(), day));
            tally.absence(&judged, monday(), 7);
        }
    }
    tally.say(what)
}

#[test]
fn a_daily_job_is_silent_from_its_fourth_day_on_at_a_minute() {
    check_week(MINUTE, 0..3, "a sample a minute");
}

#[test]
fn a_daily_job_is_silent_from_its_fourth_day_on_at_fifteen_seconds() {
    check_week(QUARTER, 0..1, "a sample in 15 s");
}

/// Days before a change of clocks.
const BEFORE: u32 = 4;

/// Some days before the change of clocks with the job, and the day of it; on the day after, once
/// with it and once without.
fn check_change(step: Duration, seeds: std::ops::Range<u64>, what: &str) -> bool {
    let mut tally = Tally::default();
    for change in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
        let from = change.parse::<Timestamp>().unwrap() - A_DAY * BEFORE;
        for seed in seeds.clone() {
            let both = spec(Direction::Both, 1.0);
            let past = days(seed, from, step, 0..2, |_| true);
            let mut walk = Walk::after(&past, both, berlin(), step);
            let judged = walk.go(&days(seed, from, step, 2..BEFORE + 1, |_| true));
            tally.of_changes += 1;
            tally.loud_on_the_day += usize::from(at_the_job(&judged, from, BEFORE, &AROUND) > 0);
            let mut without = walk.clone();
            let judged = walk.go(&days(seed, from, step, BEFORE + 1..BEFORE + 2, |_| true));
            tally.job(&judged, from, BEFORE + 1);
            let judged = without.go(&days(seed, from, step, BEFORE + 1..BEFORE + 2, |_| false));
            tally.absence(&judged, from, BEFORE + 1);
        }
    }
    let Tally {
        loud_on_the_day,
        of_changes,
        ..
    } = tally;
    let said = format!("{loud_on_the_day} of {of_changes}");
    figure(
        3,
        &format!("jobs with an anomaly on the day of a change of clocks, {what}"),
        said,
        "told",
        true,
    );
    tally.say(&format!("the day after a change of clocks, {what}"))
}

#[test]
fn within_a_day_of_a_change_of_clocks_it_is_silent_at_a_minute() {
    check_change(MINUTE, 0..3, "a sample a minute");
}

#[test]
fn within_a_day_of_a_change_of_clocks_it_is_silent_at_fifteen_seconds() {
    check_change(QUARTER, 0..1, "a sample in 15 s");
}

#[test]
fn an_absence_is_flagged() {
    assert!(check_week(MINUTE, 0..2, "a sample a minute"));
    assert!(check_change(MINUTE, 0..1, "a sample a minute"));
}
