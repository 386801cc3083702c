//! Where logs can't be read, the service's own counter of log lines still says how many errors
//! it logged.

use domain::{LogPatterns, Shifts};

/// The further metric that counts lines of level ERROR, from `logback_events_total`.
const LOG_ERRORS: &str = "log_errors";

/// What the counter says; none where the logs were read, or before the counter was asked.
pub(crate) fn counted(patterns: &LogPatterns, shifts: Option<&Shifts>) -> Option<String> {
    if patterns.outcome.was_read() {
        return None;
    }
    let shifts = shifts?;
    let moved = shifts.ranked.iter().find(|s| s.metric == LOG_ERRORS);
    if let Some(shift) = moved {
        return Some(format!(
            "the service's own counter logback_events_total says: {}",
            shift.text
        ));
    }
    let is_steady = shifts.steady.iter().any(|metric| metric == LOG_ERRORS);
    is_steady.then(|| {
        "the service's own counter logback_events_total says that no more errors were logged than \
         before"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use domain::{LogOutcome, Shift, Timestamp};

    use super::*;

    fn patterns(outcome: LogOutcome) -> LogPatterns {
        let time = Timestamp::from_millis(0);
        LogPatterns::without_any(outcome, time, time, time)
    }

    fn shifts(ranked: Vec<Shift>, steady: Vec<String>) -> Shifts {
        let time = Timestamp::from_millis(0);
        Shifts {
            baseline_from: time,
            from: time,
            to: time,
            ranked,
            steady,
            too_few: Vec::new(),
        }
    }

    fn errors_rose() -> Shift {
        Shift {
            metric: LOG_ERRORS.into(),
            title: "Errors logged".into(),
            unit: "1/s".into(),
            effect: 30.0,
            before: 0.1,
            during: 4.0,
            spread: 0.1,
            samples_before: 20,
            samples_during: 8,
            query: String::new(),
            text: "Errors logged rose from 0.1 to 4 1/s".into(),
        }
    }

    #[test]
    fn the_counter_speaks_where_no_log_was_read() {
        let rose = shifts(vec![errors_rose()], Vec::new());
        let none = patterns(LogOutcome::NotConfigured);
        let said = counted(&none, Some(&rose)).unwrap();
        assert!(said.contains("logback_events_total"), "{said}");
        assert!(said.ends_with("rose from 0.1 to 4 1/s"), "{said}");
        let broken = patterns(LogOutcome::Unreadable("gone".into()));
        assert_eq!(counted(&broken, Some(&rose)), Some(said));
        let steady = shifts(Vec::new(), vec![LOG_ERRORS.into()]);
        let said = counted(&none, Some(&steady)).unwrap();
        assert!(said.contains("no more errors"), "{said}");
    }

    #[test]
    fn it_is_silent_where_lines_were_read_or_nothing_was_counted() {
        let rose = shifts(vec![errors_rose()], Vec::new());
        assert_eq!(counted(&patterns(LogOutcome::Found), Some(&rose)), None);
        let none = patterns(LogOutcome::NotConfigured);
        assert_eq!(counted(&none, None), None);
        assert_eq!(counted(&none, Some(&shifts(Vec::new(), Vec::new()))), None);
    }
}
