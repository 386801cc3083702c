//! What happens in a week: who is in the fleet, and which faults come when.

use simulator::{Fault, FaultError, Span, Topology, TopologyError};

const DAY_MS: i64 = 86_400_000;
/// Before the history, so that its first means go over full ranges.
const WARM_UP_MS: i64 = 2 * simulator::RANGE_MS;

/// When history begins and when the judged days do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Midnight UTC of the first judged day.
    pub from_ms: i64,
    pub history_days: i64,
    pub judged_days: i64,
}

impl Calendar {
    /// Four days of history, then seven that are judged; they begin on Monday 2026-11-02.
    pub const WEEK: Calendar = Calendar {
        from_ms: 1_793_577_600_000,
        history_days: 4,
        judged_days: 7,
    };

    pub fn until_ms(&self) -> i64 {
        self.from_ms + self.judged_ms()
    }

    pub fn judged_ms(&self) -> i64 {
        self.judged_days * DAY_MS
    }

    pub fn history_from_ms(&self) -> i64 {
        self.from_ms - self.history_days * DAY_MS
    }

    /// When the fleet begins.
    pub fn epoch_ms(&self) -> i64 {
        self.history_from_ms() - WARM_UP_MS
    }
}

/// A fleet and its faults, checked against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    pub topology: Topology,
    pub seed: u64,
    pub calendar: Calendar,
    /// `at` counts from the first judged day.
    pub faults: Vec<Fault>,
}

/// Why files are not a script. Entries are numbered from 1.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error(
        "{file}: the topology can't be used; correct it as `services: [{{name, instances, rps, calls: [names]}}]`"
    )]
    Topology { file: String, source: TopologyError },
    #[error(
        "{file}: the faults can't be read; write a list of `{{at: 3d4h10m, for: 20m, service, kind, magnitude: 1.0}}`"
    )]
    Faults { file: String, source: FaultError },
    #[error("{file}: entry {entry}: correct or remove it")]
    Fault {
        file: String,
        entry: usize,
        source: FaultError,
    },
    #[error(
        "{file}: entry {entry} ({kind} on {service}): it ends {over} after the week, which lasts {week} from `at: 0s`; let it begin earlier or shorten `for`"
    )]
    EndsTooLate {
        file: String,
        entry: usize,
        kind: simulator::FaultKind,
        service: String,
        over: Span,
        week: Span,
    },
}

impl Script {
    /// Reads a topology; `file` is its name in errors.
    ///
    /// # Errors
    /// A text that isn't one.
    pub fn read_topology(file: &str, text: &str) -> Result<Topology, ScriptError> {
        Topology::parse(text).map_err(|source| ScriptError::Topology {
            file: file.to_owned(),
            source,
        })
    }

    /// Reads faults; `file` is its name in errors.
    ///
    /// # Errors
    /// A text that isn't a list of faults.
    pub fn read_faults(file: &str, text: &str) -> Result<Vec<Fault>, ScriptError> {
        Fault::parse_list(text).map_err(|source| ScriptError::Faults {
            file: file.to_owned(),
            source,
        })
    }

    /// Checks the faults against topology and calendar; `file` says in errors where they come from.
    ///
    /// # Errors
    /// The first fault that the topology can't have, or that ends after the last judged day.
    pub fn new(
        topology: Topology,
        seed: u64,
        calendar: Calendar,
        faults: Vec<Fault>,
        file: &str,
    ) -> Result<Script, ScriptError> {
        for (index, fault) in faults.iter().enumerate() {
            let entry = index + 1;
            let checked = fault.check(&topology);
            checked.map_err(|source| ScriptError::Fault {
                file: file.to_owned(),
                entry,
                source,
            })?;
            let end_ms = fault.at.as_millis().saturating_add(fault.r#for.as_millis());
            if end_ms > calendar.judged_ms() {
                return Err(ScriptError::EndsTooLate {
                    file: file.to_owned(),
                    entry,
                    kind: fault.kind,
                    service: fault.service.clone(),
                    over: Span::from_millis(end_ms - calendar.judged_ms()),
                    week: Span::from_millis(calendar.judged_ms()),
                });
            }
        }
        Ok(Script {
            topology,
            seed,
            calendar,
            faults,
        })
    }

    /// The faults as the fleet takes them: `at` counts from where it begins.
    pub fn faults_of_fleet(&self) -> Vec<Fault> {
        let ahead_ms = self.calendar.from_ms - self.calendar.epoch_ms();
        let shifted = |fault: &Fault| Fault {
            at: Span::from_millis(fault.at.as_millis() + ahead_ms),
            ..fault.clone()
        };
        self.faults.iter().map(shifted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(faults: &str) -> String {
        let read = Script::read_faults("faults.yaml", faults).and_then(|faults| {
            Script::new(Topology::shop(), 1, Calendar::WEEK, faults, "faults.yaml")
        });
        let error = read.expect_err("it is refused");
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }

    #[test]
    fn errors_name_file_and_entry() {
        let good = "{at: 1d, for: 20m, service: orders, kind: cpu-burn}";
        for (bad, says) in [
            (
                "{at: 1d, for: 20m, service: nobody, kind: cpu-burn}",
                "nobody",
            ),
            (
                "{at: 1d, for: 20m, service: gateway, kind: pool-exhausted}",
                "no connection pool",
            ),
            (
                "{at: 1d, for: 20m, service: orders, kind: cpu-burn, magnitude: -1}",
                "magnitude",
            ),
            (
                "{at: 6d23h50m, for: 20m, service: orders, kind: cpu-burn}",
                "10m after the week",
            ),
            (
                "{at: 6d, for: 99999d, service: orders, kind: cpu-burn}",
                "shorten `for`",
            ),
        ] {
            let text = refused(&format!("[{good}, {bad}]"));
            assert!(text.contains("faults.yaml: entry 2"), "{text}");
            assert!(text.contains(says), "{text}");
        }
        assert!(refused("[{at: soon}]").contains("faults.yaml: the faults can't be read"));
    }

    #[test]
    fn the_last_second_belongs_to_the_week() {
        let faults = "[{at: 6d23h40m, for: 20m, service: orders, kind: cpu-burn}]";
        let faults = Script::read_faults("f", faults).unwrap();
        let script = Script::new(Topology::shop(), 1, Calendar::WEEK, faults, "f").unwrap();
        let at_ms = script.faults_of_fleet()[0].at.as_millis() + Calendar::WEEK.epoch_ms();
        assert_eq!(at_ms, Calendar::WEEK.until_ms() - 20 * 60_000);
    }

    #[test]
    fn the_week_begins_at_midnight() {
        assert_eq!(Calendar::WEEK.from_ms % DAY_MS, 0);
    }
}
