//! Code faults in the logs of a fleet: does the ranking of log patterns name the service and class
//! at fault?
//!
//! All services of a fleet are compared in one [`LogShift`], with the settings of the product and
//! nothing learnt from the truth.

use std::time::Duration;

use domain::{LogLine, LogPattern, ServiceId, Timestamp};
use incident::{LogShift, LogShiftWindows};

/// With fewer lines of the day before a fault, which is one of the first of its day, there is next
/// to no normal to compare with; the day's other lines without a fault are taken for it as well.
const BASELINE_LINES_MIN: usize = 3_000;
/// How long an earlier fault is left out of the baseline: the three minutes that one was injected
/// for, and what the fleet needs to settle.
const LEFT_OUT: Duration = Duration::from_secs(200);

/// A line and the service that printed it.
pub type FleetLine = (ServiceId, LogLine);

/// A fault and the lines around it.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub injected: Timestamp,
    /// When other faults began, as far as it is known.
    pub earlier: Vec<Timestamp>,
    pub truth: Option<Fault>,
    pub lines: Vec<FleetLine>,
}

/// What was really at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub service: String,
    /// Loggers of the code at fault; any of them is right.
    pub classes: Vec<String>,
}

/// The suspects of a case, the most suspect first.
#[derive(Clone, Debug)]
pub struct Ranking {
    pub case: String,
    pub suspects: Vec<Suspect>,
    /// Where the truth is among them, from 1 on; none without truth, or where it is not among them.
    pub position: Option<usize>,
    pub is_judged: bool,
    pub lines_before: u64,
    pub lines_during: u64,
    /// Lines of later in the day were taken for normal, as there were too few before.
    pub took_later: bool,
    /// How the patterns were compared.
    pub text: String,
}

/// A service and class, and its strongest pattern.
#[derive(Clone, Debug)]
pub struct Suspect {
    pub service: String,
    /// The logger as in the logs; empty where a line has none.
    pub class: String,
    pub pattern: LogPattern,
}

impl Suspect {
    /// As a ranking file has it.
    pub fn name(&self) -> String {
        format!("{}|{}", self.service, self.class)
    }
}

/// How many cases are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub cases: usize,
    /// Cases with truth.
    pub judged: usize,
    pub top1: usize,
    pub top3: usize,
}

/// Counts the rankings that name the truth first, or among the first three.
pub fn score(rankings: &[Ranking]) -> Score {
    let within = |first: usize| {
        let is_right = |r: &&Ranking| r.position.is_some_and(|position| position <= first);
        rankings.iter().filter(is_right).count()
    };
    Score {
        cases: rankings.len(),
        judged: rankings.iter().filter(|r| r.is_judged).count(),
        top1: within(1),
        top3: within(3),
    }
}

/// Ranks the services and classes of a case. `day` has the lines of its day without a fault.
pub fn rank(case: &Case, day: &[FleetLine]) -> Ranking {
    let baseline = Baseline::of(case, day);
    let to = case.lines.iter().map(|(_, line)| line.time).max();
    let mut shift = LogShift::new(LogShiftWindows {
        baseline_from: baseline.from,
        from: case.injected,
        onset: case.injected,
        to: to.unwrap_or(case.injected).max(case.injected),
        left_out: left_out(case),
    });
    for (service, line) in case.lines.iter().chain(baseline.earlier.iter().copied()) {
        shift.line(service, line);
    }
    for (service, line) in &baseline.later {
        let mut line = line.clone();
        line.time = line.time - baseline.moved_by;
        shift.line(service, &line);
    }
    let patterns = shift.finish(&[]);
    let mut suspects: Vec<Suspect> = Vec::new();
    for pattern in patterns.ranked {
        let service = pattern.service.as_str().to_owned();
        let class = pattern.logger.clone().unwrap_or_default();
        let is_known = |s: &Suspect| (&s.service, &s.class) == (&service, &class);
        if !suspects.iter().any(is_known) {
            suspects.push(Suspect {
                service,
                class,
                pattern,
            });
        }
    }
    let position = case.truth.as_ref().and_then(|truth| {
        let is_it = |s: &Suspect| s.service == truth.service && truth.classes.contains(&s.class);
        suspects.iter().position(is_it).map(|at| at + 1)
    });
    Ranking {
        case: case.name.clone(),
        suspects,
        position,
        is_judged: case.truth.is_some(),
        lines_before: patterns.baseline.lines,
        lines_during: patterns.window.lines,
        took_later: !baseline.later.is_empty(),
        text: patterns.text,
    }
}

/// The stretches of earlier faults.
fn left_out(case: &Case) -> Vec<(Timestamp, Timestamp)> {
    let earlier = case.earlier.iter().filter(|begin| **begin < case.injected);
    earlier.map(|begin| (*begin, *begin + LEFT_OUT)).collect()
}

/// The lines of the day that a case is compared with, besides its own before the fault.
struct Baseline<'a> {
    from: Timestamp,
    earlier: Vec<&'a FleetLine>,
    /// Lines of later in the day, …
    later: Vec<&'a FleetLine>,
    /// … which count as if so much earlier, before all others.
    moved_by: Duration,
}

impl<'a> Baseline<'a> {
    fn of(case: &Case, day: &'a [FleetLine]) -> Baseline<'a> {
        let times = || case.lines.iter().map(|(_, line)| line.time);
        let first = times().min().unwrap_or(case.injected);
        let last = times().max().unwrap_or(case.injected).max(case.injected);
        let own = times().filter(|time| *time < case.injected).count();
        // What the case has itself is in the day's lines once more.
        let earlier: Vec<&FleetLine> = day.iter().filter(|(_, line)| line.time < first).collect();
        let later: Vec<&FleetLine> = if earlier.len() + own < BASELINE_LINES_MIN {
            day.iter().filter(|(_, line)| line.time > last).collect()
        } else {
            Vec::new()
        };
        let begin = earlier.iter().map(|(_, line)| line.time);
        let faults = case.earlier.iter().copied();
        let begin = begin.chain(faults).chain([first]).min().unwrap_or(first);
        let of_later = || later.iter().map(|(_, line)| line.time);
        let (from, moved_by) = match (of_later().min(), of_later().max()) {
            (Some(first), Some(last)) => {
                let moved_by = last.since(begin) + Duration::from_millis(1);
                (first - moved_by, moved_by)
            }
            _ => (begin, Duration::ZERO),
        };
        Baseline {
            from: from.min(case.injected),
            earlier,
            later,
            moved_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{LogLevel, PatternChange};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000)
    }

    fn line(seconds: i64, service: &str, logger: &str, message: &str, call: i64) -> FleetLine {
        let line = LogLine {
            time: at(seconds),
            level: LogLevel::Info,
            logger: Some(logger.to_owned()),
            message: message.to_owned(),
            exception: None,
            stack_trace: None,
            trace_id: Some(format!("t{call}")),
            span_id: Some(format!("{service}{call}")),
            cut: false,
        };
        (ServiceId::new(service).unwrap(), line)
    }

    /// A shop in which every call of `stock` says what it reserved, until it returns early.
    fn lines(from: i64, to: i64, returns_early: bool) -> Vec<FleetLine> {
        let mut lines = Vec::new();
        for call in (from..to).step_by(2) {
            let message = format!("[order][new][customer: {call}]");
            lines.push(line(call, "shop", "s.c.OrderController", &message, call));
            lines.push(line(call, "stock", "s.c.StockController", "reserve", call));
            if !returns_early {
                let message = format!("[reserve][done][item: {}]", call * 7);
                lines.push(line(call + 1, "stock", "s.s.StockService", &message, call));
            }
            lines.push(line(
                call + 1,
                "shop",
                "s.s.OrderService",
                "order kept",
                call,
            ));
        }
        lines
    }

    fn case(injected: i64) -> Case {
        Case {
            name: "made-up".into(),
            injected: at(injected),
            earlier: vec![at(injected - 600)],
            truth: Some(Fault {
                service: "stock".into(),
                classes: vec!["s.s.StockService".into()],
            }),
            lines: [
                lines(injected - 60, injected, false),
                lines(injected, injected + 120, true),
            ]
            .concat(),
        }
    }

    #[test]
    fn a_class_that_falls_silent_comes_first_and_once() {
        let ranking = rank(&case(3_600), &lines(0, 3_600, false));
        assert_eq!((ranking.position, ranking.took_later), (Some(1), false));
        let first = &ranking.suspects[0];
        assert_eq!(first.name(), "stock|s.s.StockService");
        assert_eq!(first.pattern.change, PatternChange::Gone);
        assert!(ranking.suspects[1].pattern.change == PatternChange::Steady);
        let names: Vec<String> = ranking.suspects.iter().map(Suspect::name).collect();
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len());
        // The minutes of the fault before are left out, and the case's own lines count once.
        assert_eq!(ranking.lines_before, 4 * (1_800 - 100 - 1) + 2);
    }

    #[test]
    fn the_first_fault_of_a_day_is_compared_with_what_comes_after() {
        let mut early = case(300);
        early.earlier.clear();
        let ranking = rank(&early, &lines(0, 200, false));
        assert!(
            !ranking.took_later && ranking.lines_before < 600,
            "no line is later"
        );
        let day = [lines(0, 300, false), lines(900, 6_000, false)].concat();
        let ranking = rank(&early, &day);
        assert!(ranking.took_later);
        assert_eq!(ranking.lines_before, 4 * (150 + 2_550) as u64);
        assert_eq!(ranking.position, Some(1));
    }

    #[test]
    fn cases_without_truth_are_ranked_and_not_judged() {
        let mut unknown = case(3_600);
        unknown.truth = None;
        let day = lines(0, 3_600, false);
        let mut elsewhere = case(3_600);
        elsewhere.truth = Some(Fault {
            service: "shop".into(),
            classes: vec!["s.s.StockService".into()],
        });
        let rankings = [&case(3_600), &unknown, &elsewhere].map(|case| rank(case, &day));
        let expected = Score {
            cases: 3,
            judged: 2,
            top1: 1,
            top3: 1,
        };
        assert_eq!(score(&rankings), expected);
        assert_eq!(rankings[1].suspects[0].name(), "stock|s.s.StockService");
    }

    #[test]
    fn a_case_without_lines_has_no_suspects() {
        let mut empty = case(0);
        empty.lines.clear();
        let ranking = rank(&empty, &[]);
        assert_eq!((ranking.suspects.len(), ranking.lines_during), (0, 0));
    }
}
