//! Offline truth: a simulated week through the real engine, judged against what was really wrong.
//!
//! [`Script`] says which faults come, [`Truth`] what they really do (noise-free, known before
//! anything is judged, without code of detection), [`run`] drives the engine over the measured
//! samples as the server does, and [`Judgement`] compares the two.
//!
//! [`story`] tells single episodes line by line, with what is expected of each. Apart from all of
//! this, [`logs`] scores the groups of log lines, and [`log_shift`] ranks the log patterns around
//! real faults; [`detection`] walks the detector over recorded series.

mod script;
mod settings;

mod generate;
mod truth;

mod dataset;
mod measure;
mod week;

mod judge;
mod report;

pub mod detection;
pub mod log_shift;
pub mod logs;
pub mod story;

pub use generate::{Generated, generate};
pub use judge::{AffectedService, Figures, FoundBy, JudgedFault, Judgement, OpenedIncident, judge};
pub use report::{Bars, Report, ReportedAffected, ReportedFault, ReportedIncident};
pub use script::{Calendar, Script, ScriptError};
pub use settings::Settings;
pub use truth::{FaultTruth, Rules, ServiceTruth, Stretch, Truth, Watched};
pub use week::{Outcome, Progress, WeekError, run};

/// The whole of it: the truth first, then the engine, then the judgement of one by the other.
///
/// # Errors
/// A fault that the topology can't have; a time zone that isn't known.
pub fn simulate(
    script: &Script,
    settings: &Settings,
    remarks: Vec<String>,
    progress: &dyn Fn(Progress),
) -> Result<Report, WeekError> {
    let calendar = script.calendar;
    let truth = Truth::of(
        &script.topology,
        &script.faults_of_fleet(),
        script.seed,
        calendar.epoch_ms(),
        calendar.until_ms(),
        &settings.rules(),
    )?;
    let outcome = run(script, settings, progress)?;
    let opened: Vec<OpenedIncident> = outcome
        .incidents
        .iter()
        .map(|i| OpenedIncident::from(&**i))
        .collect();
    let warned: Vec<(i64, &str)> = outcome
        .early_warnings
        .iter()
        .map(|(at, service)| (at.as_millis(), service.as_str()))
        .collect();
    let (quiet_ms, step_ms) = (settings.quiet_ms(), settings.tick_ms());
    let judgement = judge(&truth, &opened, &warned, quiet_ms, step_ms);
    Ok(Report::new(script, &judgement, opened.len(), remarks))
}
