//! How a log moved: each pattern's rate in the window of an incident against the baseline before.
//!
//! Two things are measured of a pattern, and the one that moved more is its effect: its rate per
//! trace, or per minute where there are no traces ([`super::effect::of_rate`]), and its lines within
//! one call ([`super::calls`]). Both are in standard deviations of what chance and the baseline's
//! own unevenness make, so that noise that is always there ranks last, however loud.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use domain::{
    AlsoTold, LogLevel, LogLine, LogOutcome, LogPattern, LogPatterns, LogReach, PatternBasis,
    PatternChange, ServiceId, Timestamp,
};

use super::calls::{CallShift, Calls, InCalls};
use super::effect::{Counted, of_rate, unevenness};
use super::failures::{ALSO_MAX, Echo, ExceptionLabel, Failures, is_container};
use super::hash::quick;
use super::miner::{GroupId, LogMiner, MinerLimits, OTHERS};
use super::tally::{SampleBytes, Tally};
use super::traces::Traces;
use super::windows::{Cut, LogShiftWindows};
use super::words;
use crate::summary::{grouped, length, number};

/// Less of a stretch is never said to have been read: rates stay finite.
const SHARE_MIN: f64 = 1e-6;
/// Effects below this are the usual up and down.
pub(crate) const EFFECT_MIN: f64 = 3.0;
const RANKED_MAX: usize = 20;
/// Fewer traces, in baseline or window, are no measure of traffic.
const TRACES_MIN: f64 = 20.0;
/// How much more a rise counts in the order, by level: such a line says itself that something
/// failed; another's rise may be what somebody else's failure does to the traffic.
const ERROR_COUNTS: f64 = 1.5;
const WARN_COUNTS: f64 = 1.2;
/// Of what a container tells, this share must be an application's failures, for both to be ranked
/// as one.
const ECHO_SHARE_MIN: f64 = 0.5;

const PATTERNS: MinerLimits = MinerLimits {
    keys: 1_024,
    templates_per_key: 1_024,
    templates: 4_096,
    template_bytes: 400,
    message_bytes: 16 << 10,
};

/// Compares a window of a log with the baseline before it, line by line, in any order of time and
/// in bounded memory.
///
/// ```
/// use domain::{LogLevel, LogLine, PatternChange, ServiceId, Timestamp};
/// use incident::{LogShift, LogShiftWindows};
///
/// let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + 1_000 * seconds);
/// let line = |seconds: i64, message: &str| LogLine {
///     time: at(seconds),
///     level: LogLevel::Error,
///     logger: Some("o.OrderService".into()),
///     message: message.into(),
///     exception: None,
///     stack_trace: None,
///     trace_id: None,
///     span_id: None,
///     cut: false,
/// };
/// let orders = ServiceId::new("orders").unwrap();
/// let mut shift = LogShift::new(LogShiftWindows {
///     baseline_from: at(-3_600),
///     from: at(0),
///     onset: at(0),
///     to: at(180),
///     left_out: Vec::new(),
/// });
/// for seconds in -3_600..180 {
///     shift.line(&orders, &line(seconds, "cache miss for key 17"));
/// }
/// for seconds in (0..168).step_by(4) {
///     shift.line(&orders, &line(seconds, "no stock left for item 4711"));
/// }
/// let patterns = shift.finish(&[]);
/// let first = &patterns.ranked[0];
/// assert_eq!(first.template, "no stock left for item <*>");
/// assert_eq!(first.change, PatternChange::New);
/// assert_eq!(first.text, "new: 42 lines in 3 m, none in the 1 h before");
/// assert_eq!(patterns.steady, 1);
/// ```
#[derive(Clone, Debug)]
pub struct LogShift {
    cut: Cut,
    miner: LogMiner,
    /// By group.
    tallies: Vec<Option<Tally>>,
    sample_bytes: SampleBytes,
    before: Stretch,
    during: Stretch,
    calls: Calls,
    failures: Failures,
    /// The first line of the baseline.
    begins: Option<Timestamp>,
}

/// What was read of baseline or window.
#[derive(Clone, Debug)]
struct Stretch {
    lines: u64,
    traces: Traces,
    share: f64,
}

impl LogShift {
    pub fn new(windows: LogShiftWindows) -> LogShift {
        let stretch = || Stretch {
            lines: 0,
            traces: Traces::default(),
            share: 1.0,
        };
        LogShift {
            cut: Cut::new(windows),
            miner: LogMiner::new(PATTERNS),
            tallies: Vec::new(),
            sample_bytes: SampleBytes::default(),
            before: stretch(),
            during: stretch(),
            calls: Calls::default(),
            failures: Failures::default(),
            begins: None,
        }
    }

    /// Takes in a line; one of neither window nor baseline is passed over.
    pub fn line(&mut self, service: &ServiceId, line: &LogLine) {
        let Some(place) = self.cut.place(line.time) else {
            return;
        };
        let logger = line.logger.as_deref();
        let group = self
            .miner
            .group(service.as_str(), logger, line.level, &line.message);
        let index = group.0 as usize;
        if self.tallies.len() <= index {
            self.tallies.resize(index + 1, None);
        }
        self.tallies[index]
            .get_or_insert_with(|| Tally::new(service, line))
            .add(line, place, &mut self.sample_bytes);
        let stretch = match place.is_during() {
            true => &mut self.during,
            false => {
                let begins = self.begins.get_or_insert(line.time);
                *begins = line.time.min(*begins);
                &mut self.before
            }
        };
        stretch.lines += 1;
        let trace = line.trace_id.as_deref().map(|id| quick(1, id.as_bytes()));
        let in_service = trace.map(|trace| quick(trace, service.as_str().as_bytes()));
        if let (Some(trace), Some(in_service)) = (trace, in_service) {
            stretch.traces.add(trace, place.slice());
            let span = line.span_id.as_deref().unwrap_or("");
            let call = quick(in_service, span.as_bytes());
            self.calls.add(call, line.time, place, group);
        }
        if place.is_during() {
            self.failures.add(line, group, in_service);
        }
    }

    /// The shares of the bytes of baseline and window that were read, 0 to 1; all of them unless
    /// said. Lines are counted as they were read; rates per minute are scaled.
    pub fn reach(&mut self, baseline_share: f64, window_share: f64) {
        let admitted = |share: f64| match share.is_finite() {
            true => share.clamp(SHARE_MIN, 1.0),
            false => 1.0,
        };
        self.before.share = admitted(baseline_share);
        self.during.share = admitted(window_share);
    }

    /// Ranks the patterns. Labels of metrics that name exceptions are matched with what was logged.
    pub fn finish(mut self, labels: &[ExceptionLabel]) -> LogPatterns {
        let is_young = self.begins.is_some_and(|first| self.cut.begin_with(first));
        let bases = Bases::of(&self);
        let (tallies, unplaced) = self.by_root();
        let miner = &self.miner;
        let root = |group| miner.root(group);
        let mut in_calls = self.calls.compare(root, self.cut.slices, self.cut.widest());
        let mut ranked: Vec<Candidate> = tallies
            .into_iter()
            .map(|(group, tally)| {
                let in_calls = in_calls.remove(&group).unwrap_or_default();
                Candidate::of(group, tally, &bases, in_calls, &self.cut)
            })
            .collect();
        tell_twice(&mut ranked, &self.failures, miner);
        let mut labelled = self.failures.labelled(labels, root);
        for candidate in &mut ranked {
            let by_label = labelled.remove(&candidate.group).unwrap_or_default();
            candidate.also.extend(by_label);
            candidate
                .also
                .sort_by(|a, b| (&a.by, &a.name).cmp(&(&b.by, &b.name)));
            candidate.also.truncate(ALSO_MAX);
        }
        ranked.sort_by(|a, b| a.order(b, miner));
        let moved = ranked.iter().filter(|c| c.has_moved()).count();
        let steady = ranked.len() - moved;
        ranked.truncate(RANKED_MAX);
        let omitted = moved - ranked.iter().filter(|c| c.has_moved()).count();
        LogPatterns {
            outcome: LogOutcome::Found,
            baseline_from: self.cut.baseline_from,
            from: self.cut.from,
            to: self.cut.to,
            baseline: self.before.reach(self.cut.baseline().as_secs_f64()),
            window: self.during.reach(self.cut.window().as_secs_f64()),
            ranked: ranked
                .into_iter()
                .map(|candidate| candidate.pattern(&self, &bases))
                .collect(),
            steady: count(steady),
            omitted: count(omitted),
            text: self.text(&bases, unplaced, is_young),
            counted: None,
        }
    }

    /// The tallies of groups that are one by now, and how many lines lie beyond the miner's limits.
    fn by_root(&mut self) -> (BTreeMap<GroupId, Tally>, u64) {
        let mut by_root: BTreeMap<GroupId, Tally> = BTreeMap::new();
        let mut unplaced = 0;
        for (index, tally) in std::mem::take(&mut self.tallies).into_iter().enumerate() {
            let Some(tally) = tally else { continue };
            let root = self.miner.root(GroupId(index as u32));
            if self.miner.template(root) == OTHERS {
                unplaced += tally.before + tally.during;
                continue;
            }
            match by_root.get_mut(&root) {
                Some(known) => known.absorb(tally),
                None => {
                    by_root.insert(root, tally);
                }
            }
        }
        (by_root, unplaced)
    }

    /// What the answer hangs on.
    fn text(&self, bases: &Bases, unplaced: u64, is_young: bool) -> String {
        let (baseline, window) = (self.cut.baseline(), self.cut.window());
        let mut text = match &bases.traces {
            Some(traces) => format!(
                "rates are lines per trace, {} traces in {} against {} in the {} before; lines \
                 without a trace id are counted per minute",
                grouped(traces.during.round() as u64),
                length(window),
                grouped(traces.before.round() as u64),
                length(baseline)
            ),
            None => format!(
                "rates are lines per minute, as fewer than {TRACES_MIN} traces are in one of the \
                 stretches: {} against the {} before; more or less traffic moves them too",
                length(window),
                length(baseline)
            ),
        };
        text += &format!(
            "; an effect is in standard deviations of a Poisson count, or of a share of calls, \
             widened by how unevenly the pattern came in {} slices of the baseline, and {} or more \
             is a move; in the order a rising ERROR counts {ERROR_COUNTS} times and a rising WARN \
             {WARN_COUNTS} times, as it says itself that something failed",
            length(self.cut.slice),
            EFFECT_MIN
        );
        if is_young {
            text += "; the baseline begins with its first line, as the log may be younger";
        }
        if self.before.lines == 0 {
            text += "; not one line is in the baseline, so that a pattern is new says little";
        } else if bases.minutes.during > 0.5 * bases.minutes.before {
            text += &format!(
                "; the baseline is short beside the window, which makes every effect smaller: {} \
                 times its length",
                number(bases.minutes.before / bases.minutes.during)
            );
        }
        for (name, stretch) in [("baseline", &self.before), ("window", &self.during)] {
            if stretch.share < 1.0 {
                text += &format!(
                    "; {} % of the {name} was read",
                    number(100.0 * stretch.share)
                );
            }
        }
        if unplaced > 0 {
            text += &format!(
                "; {} lie beyond the limit of {} patterns and are not told apart",
                words::lines(unplaced),
                grouped(PATTERNS.templates as u64)
            );
        }
        text
    }
}

impl Stretch {
    fn reach(&self, seconds: f64) -> LogReach {
        LogReach {
            seconds,
            lines: self.lines,
            traces: self.traces.count().round() as u64,
            share: self.share,
        }
    }
}

/// What rates can be counted against.
#[derive(Clone, Debug)]
struct Bases {
    /// None where one side has too few.
    traces: Option<Basis>,
    minutes: Basis,
}

#[derive(Clone, Debug)]
struct Basis {
    before: f64,
    during: f64,
    slices: Vec<f64>,
}

impl Bases {
    fn of(shift: &LogShift) -> Bases {
        let (before, during) = (&shift.before, &shift.during);
        let traces = Basis {
            before: before.traces.count(),
            during: during.traces.count(),
            slices: before.traces.by_slice(shift.cut.slices),
        };
        let minutes = Basis {
            before: before.share * shift.cut.baseline().as_secs_f64() / 60.0,
            during: during.share * shift.cut.window().as_secs_f64() / 60.0,
            slices: shift.cut.minutes_by_slice(),
        };
        let enough = traces.before >= TRACES_MIN && traces.during >= TRACES_MIN;
        Bases {
            traces: enough.then_some(traces),
            minutes,
        }
    }

    /// Per trace, for a pattern that mostly has traces.
    fn for_pattern(&self, tally: &Tally) -> (&Basis, PatternBasis) {
        match &self.traces {
            Some(traces) if 2 * tally.traced >= tally.before + tally.during => {
                (traces, PatternBasis::PerTrace)
            }
            _ => (&self.minutes, PatternBasis::PerMinute),
        }
    }
}

/// A pattern on its way into the order.
#[derive(Clone, Debug)]
struct Candidate {
    group: GroupId,
    tally: Tally,
    level: LogLevel,
    effect: f64,
    phi: f64,
    /// Where it moved most within a call.
    in_call: Option<CallShift>,
    change: PatternChange,
    /// What it is ordered by: its effect as its level counts, and the strongest echo's.
    strength: f64,
    /// The application's pattern that it repeats, and is ranked behind.
    behind: Option<(GroupId, f64)>,
    also: Vec<AlsoTold>,
}

impl Candidate {
    fn of(group: GroupId, tally: Tally, bases: &Bases, in_calls: InCalls, cut: &Cut) -> Self {
        let (widest, onset) = (cut.widest(), cut.onset);
        let (effect, phi) = rate_effect(&tally, bases, &in_calls, widest);
        let in_call = in_calls.strongest;
        let in_call = in_call.filter(|calls| calls.effect.abs() > effect.abs());
        let (effect, phi) = match &in_call {
            Some(calls) => (calls.effect, calls.phi),
            None => (effect, phi),
        };
        let change = match effect.abs() >= EFFECT_MIN {
            // A fact, however few its lines; by its effect it comes behind what stands out.
            _ if tally.before == 0 => PatternChange::New,
            false => PatternChange::Steady,
            true if tally.last_seen < onset => PatternChange::Gone,
            true if effect > 0.0 => PatternChange::Risen,
            true => PatternChange::Fallen,
        };
        let level = tally.level();
        let counts = match level {
            LogLevel::Error if effect > 0.0 => ERROR_COUNTS,
            LogLevel::Warn if effect > 0.0 => WARN_COUNTS,
            _ => 1.0,
        };
        Candidate {
            group,
            tally,
            level,
            effect,
            phi,
            in_call,
            change,
            strength: counts * effect.abs(),
            behind: None,
            also: Vec::new(),
        }
    }

    fn has_moved(&self) -> bool {
        self.change != PatternChange::Steady
    }

    /// Whether it moved by more than what comes by chance.
    fn stands_out(&self) -> bool {
        self.effect.abs() >= EFFECT_MIN
    }

    /// What stands out first, then by strength; an echo right behind what it repeats. Ties by name.
    fn order(&self, other: &Candidate, miner: &LogMiner) -> Ordering {
        let (mine, its) = (self.place(), other.place());
        // An echo stands by the name of what it repeats, which is of the same service.
        let names = |of: GroupId, its: GroupId| {
            let services = self.tally.service.cmp(&other.tally.service);
            services.then_with(|| miner.template(of).cmp(miner.template(its)))
        };
        other
            .stands_out()
            .cmp(&self.stands_out())
            .then_with(|| its.1.total_cmp(&mine.1))
            .then_with(|| names(mine.0, its.0))
            .then_with(|| mine.0.cmp(&its.0))
            .then_with(|| self.behind.is_some().cmp(&other.behind.is_some()))
            .then_with(|| names(self.group, other.group))
            .then_with(|| self.group.cmp(&other.group))
    }

    /// The pattern by which it is ranked, and its strength.
    fn place(&self) -> (GroupId, f64) {
        self.behind.unwrap_or((self.group, self.strength))
    }

    fn pattern(self, shift: &LogShift, bases: &Bases) -> LogPattern {
        let (rates, by_rate) = bases.for_pattern(&self.tally);
        let (rate_before, rate_during, basis) = match &self.in_call {
            Some(calls) => {
                let basis = PatternBasis::WithinCall {
                    begins_with: shift.miner.template(calls.begins_with).to_owned(),
                    calls_before: calls.calls_before,
                    calls_during: calls.calls_during,
                };
                (calls.mean_before, calls.mean_during, basis)
            }
            None => (
                over(self.tally.before as f64, rates.before),
                over(self.tally.during as f64, rates.during),
                by_rate,
            ),
        };
        let mut text = words::of_pattern(&words::Moved {
            change: self.change,
            basis: &basis,
            before: self.tally.before,
            during: self.tally.during,
            rate_before,
            rate_during,
            effect: self.effect,
            phi: self.phi,
            in_call: self.in_call.as_ref(),
            baseline: shift.cut.baseline(),
            baseline_share: shift.before.share,
            window: shift.cut.window(),
            trouble: shift.cut.trouble(),
            ratio: over(rates.during, rates.before),
        });
        if self.behind.is_some() {
            text += "; the container's word for the failure above";
        }
        LogPattern {
            id: shift.miner.pattern_id(self.group),
            service: self.tally.service.clone(),
            template: shift.miner.template(self.group).to_owned(),
            level: self.level,
            logger: self.tally.logger.clone(),
            exception: self.tally.exception(),
            change: self.change,
            before: self.tally.before,
            during: self.tally.during,
            rate_before,
            rate_during,
            basis,
            effect: self.effect,
            first_seen: self.tally.first_seen,
            last_seen: self.tally.last_seen,
            samples: self.tally.samples(),
            trace_ids: self.tally.trace_ids(),
            also: self.also,
            text,
        }
    }
}

/// How a pattern's rate moved, and how unevenly its lines come.
fn rate_effect(tally: &Tally, bases: &Bases, in_calls: &InCalls, widest: usize) -> (f64, f64) {
    let (basis, _) = bases.for_pattern(tally);
    let before = Counted {
        count: tally.before as f64,
        against: basis.before,
    };
    let during = Counted {
        count: tally.during as f64,
        against: basis.during,
    };
    let phi = if tally.before == 0 {
        // No baseline tells how unevenly it comes, so what one call or one second prints is one.
        in_calls.bunch().unwrap_or_else(|| tally.bunch()).max(1.0)
    } else {
        let slice = |(index, against): (usize, &f64)| {
            let lines = u16::try_from(index)
                .ok()
                .and_then(|at| tally.slices.get(&at));
            Counted {
                count: lines.copied().map_or(0.0, f64::from),
                against: *against,
            }
        };
        let slices: Vec<Counted> = basis.slices.iter().enumerate().map(slice).collect();
        let all: f64 = basis.slices.iter().sum();
        let mean = over(before.count, all);
        unevenness(&slices, mean, mean, widest)
    };
    (of_rate(before, during, phi), phi)
}

/// Notes which patterns tell the same failures, and puts a container's behind the application's
/// where both moved: it is no second finding. The application's gets the strength of the stronger.
fn tell_twice(ranked: &mut [Candidate], failures: &Failures, miner: &LogMiner) {
    let mut services: Vec<&ServiceId> = ranked.iter().map(|c| &c.tally.service).collect();
    services.sort_unstable();
    services.dedup();
    let known: BTreeMap<GroupId, (usize, bool)> = ranked
        .iter()
        .map(|candidate| {
            let service = services.binary_search(&&candidate.tally.service);
            let is_container = candidate.tally.logger.as_deref().is_some_and(is_container);
            (candidate.group, (service.unwrap_or(0), is_container))
        })
        .collect();
    let about = |group| {
        let root = miner.root(group);
        let (service, is_container) = *known.get(&root)?;
        Some((root, service, is_container))
    };
    let mut echoes = failures.echoes(about);
    echoes.sort_by_key(|echo| std::cmp::Reverse(echo.shared));
    let at: BTreeMap<GroupId, usize> = ranked
        .iter()
        .enumerate()
        .map(|(at, candidate)| (candidate.group, at))
        .collect();
    for echo in &echoes {
        let (Some(&application), Some(&container)) =
            (at.get(&echo.application), at.get(&echo.container))
        else {
            continue;
        };
        for (teller, other) in [(application, container), (container, application)] {
            let told = also_told(&ranked[other], echo, miner);
            ranked[teller].also.push(told);
        }
        let is_same = echo.shared as f64 >= ECHO_SHARE_MIN * echo.of as f64;
        let both = ranked[application].has_moved() && ranked[container].has_moved();
        if is_same && both && ranked[container].behind.is_none() {
            let strength = ranked[application].strength.max(ranked[container].strength);
            ranked[application].strength = strength;
            ranked[container].behind = Some((ranked[application].group, strength));
        }
    }
    // A lead may have grown by a later echo.
    let strengths: BTreeMap<GroupId, f64> = ranked.iter().map(|c| (c.group, c.strength)).collect();
    for candidate in ranked {
        if let Some((lead, strength)) = &mut candidate.behind {
            *strength = strengths.get(lead).copied().unwrap_or(*strength);
        }
    }
}

/// How a pattern tells what another tells as well.
fn also_told(teller: &Candidate, echo: &Echo, miner: &LogMiner) -> AlsoTold {
    let template = || miner.template(teller.group).to_owned();
    AlsoTold {
        by: teller.tally.logger.clone().unwrap_or_default(),
        name: teller.tally.exception().unwrap_or_else(template),
        by_means_of: match echo.by_trace_id {
            true => "trace id".to_owned(),
            false => "time and class".to_owned(),
        },
        pattern: Some(miner.pattern_id(teller.group)),
    }
}

fn over(count: f64, against: f64) -> f64 {
    if against > 0.0 { count / against } else { 0.0 }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
