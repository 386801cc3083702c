use domain::{MetricId, Timestamp};
use proptest::prelude::*;

use super::*;

const ONSET: i64 = 1_800_000_000_000;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millis(ONSET + (seconds * 1_000.0) as i64)
}

fn service(name: &str) -> ServiceId {
    ServiceId::new(name).unwrap()
}

fn line(seconds: f64, level: LogLevel, message: &str) -> LogLine {
    LogLine {
        time: at(seconds),
        level,
        logger: Some("o.s.OrderService".into()),
        message: message.into(),
        exception: None,
        stack_trace: None,
        trace_id: None,
        span_id: None,
        cut: false,
    }
}

fn traced(mut line: LogLine, trace: usize) -> LogLine {
    line.trace_id = Some(format!("t{trace}"));
    line.span_id = Some(format!("s{trace}"));
    line
}

/// An hour against three minutes, unless said.
fn windows() -> LogShiftWindows {
    LogShiftWindows {
        baseline_from: at(-3_600.0),
        from: at(0.0),
        onset: at(0.0),
        to: at(180.0),
        left_out: Vec::new(),
    }
}

fn patterns(windows: LogShiftWindows, lines: &[LogLine]) -> LogPatterns {
    let mut shift = LogShift::new(windows);
    for line in lines {
        shift.line(&service("orders"), line);
    }
    shift.finish(&[])
}

fn find<'a>(patterns: &'a LogPatterns, beginning: &str) -> &'a LogPattern {
    let found = |p: &&LogPattern| p.template.starts_with(beginning);
    patterns.ranked.iter().find(found).expect(beginning)
}

/// Lines every so many seconds.
fn every(from: i64, to: i64, step: usize, level: LogLevel, message: &str) -> Vec<LogLine> {
    let seconds = (from..to).step_by(step);
    seconds.map(|s| line(s as f64, level, message)).collect()
}

#[test]
fn noise_that_is_always_there_ranks_last_however_loud() {
    let mut lines = every(-3_600, 180, 1, LogLevel::Error, "steady: cache miss for 1");
    // Fifty warnings at once, every ten minutes, also within the window.
    for burst in (-3_500..180).step_by(600) {
        for index in 0..50 {
            lines.push(line(
                burst as f64 + f64::from(index),
                LogLevel::Warn,
                "bursty: retry 3",
            ));
        }
    }
    for index in 0..8 {
        lines.push(line(
            20.0 * f64::from(index),
            LogLevel::Info,
            "rare: reserve stock of 7",
        ));
    }
    let patterns = patterns(windows(), &lines);
    let order: Vec<&str> = patterns.ranked.iter().map(|p| &p.template[..4]).collect();
    assert_eq!(order[0], "rare", "{:#?}", patterns.ranked);
    assert_eq!((patterns.steady, patterns.omitted), (2, 0));
    let bursty = find(&patterns, "bursty");
    assert_eq!(bursty.change, PatternChange::Steady, "{}", bursty.text);
    assert!(
        bursty.during == 50 && bursty.text.contains("comes in bursts"),
        "{}",
        bursty.text
    );
}

#[test]
fn a_rising_error_counts_more_and_a_falling_one_does_not() {
    let mut lines = every(-3_600, 180, 60, LogLevel::Info, "info: asked for 1");
    lines.extend(every(
        -3_600,
        180,
        60,
        LogLevel::Error,
        "error: no answer for 1",
    ));
    lines.extend(every(0, 180, 10, LogLevel::Info, "info: asked for 1"));
    lines.extend(every(0, 180, 11, LogLevel::Error, "error: no answer for 1"));
    let patterns = patterns(windows(), &lines);
    let (info, error) = (find(&patterns, "info"), find(&patterns, "error"));
    assert!(info.effect > error.effect && error.effect > EFFECT_MIN);
    assert_eq!(patterns.ranked[0], *error);
    assert!(
        patterns.text.contains("a rising ERROR counts 1.5 times"),
        "{}",
        patterns.text
    );
}

#[test]
fn texts_say_how_much_and_of_what() {
    let mut lines = Vec::new();
    for trace in 0..1_200 {
        let seconds = -3_600.0 + 3.0 * trace as f64;
        lines.push(traced(line(seconds, LogLevel::Info, "asked for 12"), trace));
        lines.push(traced(
            line(seconds + 0.1, LogLevel::Info, "kept 12"),
            trace,
        ));
    }
    for trace in 1_200..1_240 {
        let seconds = 4.0 * (trace - 1_200) as f64;
        lines.push(traced(line(seconds, LogLevel::Info, "asked for 12"), trace));
        lines.push(traced(
            line(seconds + 0.1, LogLevel::Warn, "sold out 12"),
            trace,
        ));
    }
    lines.extend(every(-3_600, 180, 10, LogLevel::Info, "heartbeat 1"));
    let patterns = patterns(windows(), &lines);
    let kept = find(&patterns, "kept");
    assert_eq!(kept.change, PatternChange::Gone);
    assert!(kept.effect < -10.0, "{}", kept.effect);
    assert_eq!(
        kept.text,
        "gone from its call: in 1,200 of 1,200 calls that begin with 'asked for <*>' before, in 0 \
         of 40 now"
    );
    let basis = PatternBasis::WithinCall {
        begins_with: "asked for <*>".into(),
        calls_before: 1_200,
        calls_during: 40,
    };
    assert_eq!(
        (&kept.basis, kept.rate_before, kept.rate_during),
        (&basis, 1.0, 0.0)
    );
    let sold_out = find(&patterns, "sold out");
    assert!(
        sold_out
            .text
            .starts_with("new: new in its call: in 0 of 1,200 calls"),
        "{}",
        sold_out.text
    );
    assert_eq!((sold_out.samples.len(), sold_out.trace_ids.len()), (3, 5));
    assert_eq!(sold_out.trace_ids[0], "t1200");
    // A third less traffic moves neither what is counted per trace nor what has none.
    let asked = find(&patterns, "asked");
    assert_eq!(
        (asked.change, &asked.basis),
        (PatternChange::Steady, &PatternBasis::PerTrace)
    );
    let heartbeat = find(&patterns, "heartbeat");
    assert_eq!(
        (heartbeat.change, &heartbeat.basis),
        (PatternChange::Steady, &PatternBasis::PerMinute)
    );
    assert_eq!(
        (patterns.baseline.traces, patterns.window.traces),
        (1_200, 40)
    );
    assert!(
        patterns
            .text
            .starts_with("rates are lines per trace, 40 traces in 3 m"),
        "{}",
        patterns.text
    );
}

#[test]
fn new_against_little_baseline_counts_for_less_and_says_so() {
    let new = every(0, 180, 15, LogLevel::Error, "no stock of 7");
    let long = patterns(windows(), &new);
    let short = LogShiftWindows {
        baseline_from: at(-120.0),
        ..windows()
    };
    let short = patterns(short, &new);
    let mut shift = LogShift::new(windows());
    new.iter()
        .for_each(|line| shift.line(&service("orders"), line));
    shift.reach(0.05, 1.0);
    let partly = shift.finish(&[]);
    let [long, short, partly] = [&long, &short, &partly].map(|p| &p.ranked[0]);
    assert_eq!(long.text, "new: 12 lines in 3 m, none in the 1 h before");
    assert!(short.effect < 0.7 * long.effect && partly.effect < 0.8 * long.effect);
    assert!(
        short.text.contains("only 0.67 times as long"),
        "{}",
        short.text
    );
    assert!(
        partly.text.contains("only 5 % of the baseline was read"),
        "{}",
        partly.text
    );
}

#[test]
fn a_new_line_that_one_call_repeats_is_one() {
    let once = |index: usize| traced(line(index as f64, LogLevel::Info, "retry 1"), index);
    let looped = |index: usize| traced(line(1.0, LogLevel::Info, "retry 1"), index / 20);
    let lines = |of: &dyn Fn(usize) -> LogLine| (0..20).map(of).collect::<Vec<_>>();
    let (spread, bunch) = (
        patterns(windows(), &lines(&once)),
        patterns(windows(), &lines(&looped)),
    );
    let [spread, bunch] = [&spread.ranked[0], &bunch.ranked[0]];
    assert_eq!([spread.change, bunch.change], [PatternChange::New; 2]);
    assert!(spread.effect >= EFFECT_MIN, "{}", spread.text);
    assert!(bunch.effect < EFFECT_MIN, "{}", bunch.text);
}

#[test]
fn a_log_that_is_younger_than_the_baseline_says_nothing_of_the_time_before_it() {
    let young = every(-360, 180, 10, LogLevel::Info, "asked for 1");
    let found = patterns(windows(), &young);
    assert_eq!(
        found.ranked[0].change,
        PatternChange::Steady,
        "{}",
        found.ranked[0].text
    );
    assert_eq!(found.baseline.seconds, 360.0);
    assert!(
        found.text.contains("the log may be younger"),
        "{}",
        found.text
    );
    let old = patterns(
        windows(),
        &every(-3_400, 180, 10, LogLevel::Info, "asked for 1"),
    );
    assert!(!old.text.contains("younger"), "{}", old.text);
}

#[test]
fn what_is_not_said_since_the_onset_is_gone() {
    let lines = every(-3_600, 20, 10, LogLevel::Info, "asked for 1");
    let windows = LogShiftWindows {
        from: at(0.0),
        onset: at(30.0),
        ..windows()
    };
    let gone = &patterns(windows, &lines).ranked[0];
    assert_eq!(gone.change, PatternChange::Gone, "{}", gone.text);
    assert!(
        gone.during > 0 && gone.text.starts_with("gone: none in "),
        "{}",
        gone.text
    );
}

#[test]
fn a_single_new_line_is_new_and_comes_behind_what_stands_out() {
    let mut lines = every(-3_600, 180, 10, LogLevel::Info, "asked for 1");
    lines.extend(every(0, 180, 2, LogLevel::Warn, "no stock of 7"));
    lines.push(line(5.0, LogLevel::Error, "started"));
    let ranked = patterns(windows(), &lines).ranked;
    let told: Vec<_> = ranked
        .iter()
        .map(|one| (one.template.as_str(), one.change))
        .collect();
    let new = PatternChange::New;
    assert_eq!(told[..2], [("no stock of <*>", new), ("started", new)]);
}

#[test]
fn other_incidents_are_no_baseline() {
    let mut lines = every(-3_600, 180, 30, LogLevel::Info, "asked for 1");
    lines.extend(every(-1_200, -900, 1, LogLevel::Error, "no stock of 7"));
    lines.extend(every(0, 120, 2, LogLevel::Error, "no stock of 7"));
    let with = patterns(windows(), &lines);
    assert_eq!(
        find(&with, "no stock").change,
        PatternChange::Steady,
        "it bursts"
    );
    let without = LogShiftWindows {
        left_out: vec![(at(-1_250.0), at(-850.0))],
        ..windows()
    };
    let without = patterns(without, &lines);
    assert_eq!(find(&without, "no stock").change, PatternChange::New);
    assert_eq!(without.baseline.seconds, 3_200.0);
}

#[test]
fn nothing_to_compare_is_an_answer() {
    let none = patterns(windows(), &[]);
    assert_eq!((none.ranked.len(), none.steady, none.omitted), (0, 0, 0));
    assert!(
        none.text.contains("not one line is in the baseline"),
        "{}",
        none.text
    );
    let backwards = LogShiftWindows {
        baseline_from: at(9.0),
        from: at(0.0),
        onset: at(0.0),
        to: at(-9.0),
        left_out: vec![(at(3.0), at(-3.0))],
    };
    let lines = every(-20, 20, 1, LogLevel::Info, "x 1");
    assert!(patterns(backwards, &lines).ranked.is_empty());
}

/// What a Spring Boot service said of one failure: its own line, and Tomcat's without a trace id.
/// Stack traces are shortened.
fn spring() -> [LogLine; 2] {
    let of = |time: &str, logger: &str, message: &str| LogLine {
        time: time.parse().unwrap(),
        level: LogLevel::Error,
        logger: Some(logger.into()),
        message: message.into(),
        exception: None,
        stack_trace: None,
        trace_id: None,
        span_id: None,
        cut: false,
    };
    let application = LogLine {
        exception: Some("java.lang.IllegalStateException".into()),
        stack_trace: Some(
            "java.lang.IllegalStateException: stock ledger inconsistent\n\
             \tat demo.orders.OrdersController.deep(OrdersApplication.java:73)\n\
             Caused by: java.lang.NumberFormatException: For input string: \"x\"\n\
             \tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)\n\
             \t... 53 more\n"
                .into(),
        ),
        trace_id: Some("6b02e672499fa3644afaa06aacefd956".into()),
        span_id: Some("4afaa06aacefd956".into()),
        ..of(
            "2026-11-22T12:56:18.446Z",
            "demo.orders.OrdersController",
            "order processing failed",
        )
    };
    let container = LogLine {
        exception: Some("java.lang.NumberFormatException".into()),
        stack_trace: Some(
            "java.lang.NumberFormatException: For input string: \"x\"\n\
             \tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)\n"
                .into(),
        ),
        ..of(
            "2026-11-22T12:56:18.645Z",
            "org.apache.catalina.core.ContainerBase.[Tomcat].[localhost].[/].[dispatcherServlet]",
            "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw \
             exception [Request processing failed: java.lang.IllegalStateException: stock ledger \
             inconsistent] with root cause",
        )
    };
    [application, container]
}

fn label(metric: &str, value: &str) -> ExceptionLabel {
    ExceptionLabel {
        metric: MetricId::new(metric).unwrap(),
        label: "exception".into(),
        value: value.into(),
    }
}

/// Failures every ten seconds, told by the lines that `tell` makes of the real ones.
fn failing(tell: impl Fn(usize, [LogLine; 2]) -> Vec<LogLine>) -> LogPatterns {
    let from: Timestamp = "2026-11-22T12:56:00Z".parse().unwrap();
    let mut shift = LogShift::new(LogShiftWindows {
        baseline_from: from - std::time::Duration::from_secs(3_600),
        from,
        onset: from,
        to: from + std::time::Duration::from_secs(300),
        left_out: Vec::new(),
    });
    for index in 0..12 {
        let later = std::time::Duration::from_secs(10 * index as u64);
        let lines = spring().map(|mut line| {
            line.time = line.time + later;
            line.trace_id = line.trace_id.map(|id| format!("{id}{index}"));
            line
        });
        for line in tell(index, lines) {
            shift.line(&service("orders"), &line);
        }
    }
    shift.finish(&[
        label("errors", "IllegalStateException"),
        label("errors", "NumberFormatException"),
        label("errors", "TimeoutException"),
    ])
}

#[test]
fn a_failure_under_three_names_is_one_finding() {
    let patterns = failing(|_, [application, container]| {
        // What else goes wrong, and would come between the two.
        let other = LogLine {
            message: "price unknown".into(),
            exception: None,
            stack_trace: None,
            ..application.clone()
        };
        vec![container.clone(), application, container, other]
    });
    let loggers: Vec<&str> = patterns
        .ranked
        .iter()
        .map(|p| &p.logger.as_deref().unwrap()[..4])
        .collect();
    assert_eq!(loggers, ["demo", "org.", "demo"], "{:#?}", patterns.ranked);
    let [application, container, other] = &patterns.ranked[..] else {
        panic!("three patterns")
    };
    assert_eq!(application.template, "order processing failed");
    assert!(
        container
            .text
            .ends_with("; the container's word for the failure above")
    );
    let names = |pattern: &LogPattern| -> Vec<(String, String)> {
        let also = pattern.also.iter();
        also.map(|also| (also.by.clone(), also.by_means_of.clone()))
            .collect()
    };
    let by_label = ("errors{exception}".to_owned(), "class".to_owned());
    let by_container = (
        container.logger.clone().unwrap(),
        "time and class".to_owned(),
    );
    assert_eq!(
        names(application),
        [by_label.clone(), by_label.clone(), by_container]
    );
    let by_application = (
        application.logger.clone().unwrap(),
        "time and class".to_owned(),
    );
    assert_eq!(
        names(container),
        [by_application, by_label.clone(), by_label]
    );
    let told = application
        .also
        .iter()
        .find(|also| also.pattern.is_some())
        .unwrap();
    assert_eq!(told.pattern.as_ref(), Some(&container.id));
    assert_eq!(told.name, "java.lang.NumberFormatException");
    assert!(other.also.is_empty());
}

#[test]
fn findings_as_strong_as_an_echo_do_not_come_between() {
    let patterns = failing(|_, [application, container]| {
        let others = [
            "a price is unknown",
            "price unknown",
            "stock unknown",
            "TX lost",
        ];
        let other = |message: &str| LogLine {
            message: message.into(),
            exception: None,
            stack_trace: None,
            ..application.clone()
        };
        let mut lines: Vec<LogLine> = others.iter().map(|message| other(message)).collect();
        lines.extend([container, application]);
        lines
    });
    let effects: Vec<f64> = patterns.ranked.iter().map(|p| p.effect).collect();
    assert_eq!(effects, [effects[0]; 6]);
    let at = |has: &str| {
        patterns
            .ranked
            .iter()
            .position(|p| p.template.contains(has))
    };
    assert_eq!(at("Servlet"), at("order processing").map(|at| at + 1));
}

#[test]
fn a_container_with_the_trace_id_is_recognised_by_it() {
    let patterns = failing(|_, [application, mut container]| {
        container.trace_id = application.trace_id.clone();
        // As from a program that logs no classes, and late.
        container.message = "Servlet.service() threw exception".into();
        (container.exception, container.stack_trace) = (None, None);
        container.time = container.time + std::time::Duration::from_secs(5);
        vec![application, container]
    });
    assert_eq!(patterns.ranked.len(), 2);
    assert!(patterns.ranked[1].text.contains("the container's word"));
    let by: Vec<&str> = patterns.ranked[1]
        .also
        .iter()
        .map(|a| a.by_means_of.as_str())
        .collect();
    assert_eq!(by, ["trace id"]);
}

#[test]
fn another_class_or_another_time_is_another_failure() {
    let other_class = failing(|_, [application, mut container]| {
        container.exception = Some("java.net.SocketTimeoutException".into());
        (container.stack_trace, container.message) = (None, "Servlet.service() failed".into());
        vec![application, container]
    });
    let other_time = failing(|_, [application, mut container]| {
        container.time = container.time + std::time::Duration::from_secs(4);
        vec![application, container]
    });
    for patterns in [other_class, other_time] {
        let also = patterns.ranked.iter().flat_map(|pattern| &pattern.also);
        assert!(
            also.clone().all(|also| also.pattern.is_none()),
            "{patterns:#?}"
        );
        assert!(
            patterns
                .ranked
                .iter()
                .all(|p| !p.text.contains("container's word"))
        );
    }
}

const MESSAGES: [&str; 6] = [
    "asked for 12",
    "kept 17 for 4 days",
    "no stock left",
    "retry 3",
    "closed",
    "order 1 failed: java.io.IOException: gone",
];

/// Lines of all kinds at distinct times.
fn some_lines() -> impl Strategy<Value = Vec<LogLine>> {
    let one = (
        0..MESSAGES.len(),
        0..12_u8,
        0..40_usize,
        0..5_u8,
        any::<bool>(),
    );
    prop::collection::vec(one, 0..300).prop_map(|lines| {
        let count = lines.len() as f64;
        let made =
            lines
                .into_iter()
                .enumerate()
                .map(|(index, (message, slot, trace, level, has))| {
                    let slot = f64::from(slot) / 12.0;
                    let seconds =
                        (slot * 4_000.0 - 3_700.0).round() + (index as f64 / count).min(0.999);
                    let level =
                        [LogLevel::Info, LogLevel::Warn, LogLevel::Error][usize::from(level) % 3];
                    let mut line = line(seconds, level, MESSAGES[message]);
                    line.exception =
                        (level == LogLevel::Error).then(|| "java.io.IOException".into());
                    line.logger = match message {
                        5 => Some("o.a.c.c.C.[dispatcherServlet]".into()),
                        4 => None,
                        _ => line.logger,
                    };
                    if has { traced(line, trace) } else { line }
                });
        let mut made: Vec<LogLine> = made.collect();
        made.sort_by_key(|line| line.time);
        made.dedup_by_key(|line| line.time);
        made
    })
}

proptest! {
    #[test]
    fn order_does_not_matter(lines in some_lines(), seed in any::<u64>()) {
        let mut mixed = lines.clone();
        mixed.sort_by_key(|line| quick(seed, &line.time.as_millis().to_le_bytes()));
        prop_assert_eq!(patterns(windows(), &lines), patterns(windows(), &mixed));
    }

    #[test]
    fn counts_add_up(lines in some_lines()) {
        let found = patterns(windows(), &lines);
        let lines_in = |from: f64, to: f64| {
            lines.iter().filter(|line| at(from) <= line.time && line.time < at(to)).count() as u64
        };
        prop_assert_eq!(found.baseline.lines, lines_in(-3_600.0, 0.0));
        prop_assert_eq!(found.window.lines, lines_in(0.0, 180.001));
        let sum = |of: fn(&LogPattern) -> u64| found.ranked.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|p| p.before), found.baseline.lines);
        prop_assert_eq!(sum(|p| p.during), found.window.lines);
        let moved = found.ranked.iter().filter(|p| p.change != PatternChange::Steady).count();
        prop_assert_eq!(found.ranked.len() - moved, found.steady as usize);
        for pattern in &found.ranked {
            prop_assert!(pattern.effect.is_finite() && pattern.rate_before.is_finite());
            let stands_out = pattern.effect.abs() >= EFFECT_MIN;
            let is_new = pattern.change == PatternChange::New;
            prop_assert_eq!(pattern.change != PatternChange::Steady, stands_out || is_new);
            prop_assert!(pattern.first_seen <= pattern.last_seen);
            prop_assert!(pattern.samples.len() <= 3 && pattern.trace_ids.len() <= 5);
        }
    }

    #[test]
    fn arbitrary_lines_do_no_harm(
        texts in prop::collection::vec((".*", ".*", prop::option::of(".*"), -4_000..400_i64), 0..60),
        bounds in prop::array::uniform4(-4_000..4_000_i64),
        shares in prop::array::uniform2(any::<f64>()),
    ) {
        let seconds = |at_seconds: i64| at(at_seconds as f64);
        let mut shift = LogShift::new(LogShiftWindows {
            baseline_from: seconds(bounds[0]),
            from: seconds(bounds[1]),
            onset: seconds(bounds[1]),
            to: seconds(bounds[2]),
            left_out: vec![(seconds(bounds[3]), seconds(bounds[0])), (seconds(bounds[2]), seconds(bounds[3]))],
        });
        shift.reach(shares[0], shares[1]);
        for (message, stack_trace, id, time) in texts {
            let line = LogLine {
                exception: id.clone(),
                stack_trace: Some(stack_trace),
                trace_id: id.clone(),
                span_id: id,
                ..line(time as f64, LogLevel::Error, &message)
            };
            shift.line(&service("orders"), &line);
        }
        let found = shift.finish(&[label("errors", "X")]);
        prop_assert!(found.ranked.iter().all(|pattern| pattern.effect.is_finite()));
    }
}

#[test]
fn memory_is_bounded_whatever_the_lines_are() {
    let mut shift = LogShift::new(windows());
    let text = "x".repeat(20_000);
    for index in 0..60_000_usize {
        let seconds = -3_600.0 + index as f64 * 0.063;
        let word = |n: usize| ["ab", "cde", "fg", "hij", "k", "lm", "nop"][n % 7];
        let message = format!(
            "{}{}{}{}{}[{}] {text}",
            word(index),
            word(index / 7),
            word(index / 49),
            word(index / 343),
            word(index / 2_401),
            word(index / 16_807)
        );
        let mut line = traced(line(seconds, LogLevel::Error, &message), index);
        line.exception = Some(format!("e.E{index}"));
        line.logger = Some(format!("logger{}", index % 3_000));
        shift.line(&service("orders"), &line);
    }
    assert!(shift.tallies.len() <= PATTERNS.templates + PATTERNS.keys + 1);
    let samples: usize = shift
        .tallies
        .iter()
        .flatten()
        .map(Tally::sample_bytes)
        .sum();
    assert!(samples <= 64 << 20, "{samples}");
    let found = shift.finish(&[]);
    assert_eq!(found.ranked.len(), RANKED_MAX);
    assert_eq!(found.baseline.lines + found.window.lines, 60_000);
    assert!(
        found.text.contains("beyond the limit of 4,096 patterns"),
        "{}",
        found.text
    );
}
