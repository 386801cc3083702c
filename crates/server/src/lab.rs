//! `bellwether lab`: a simulated week, judged against what was really wrong, stories in plain text,
//! lines of a log in groups, log patterns around real faults, and the detector over recorded series.

mod detect;
mod log_shift;
mod logs;
mod promql;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lab::{Calendar, Generated, Report, Script, ScriptError, Settings};
use simulator::{Fault, Topology};

use crate::cli::{LabStory, LabWeek};
use crate::offline::progress_bar;

pub use detect::detect;
pub use lab::detection::DetectionError;
pub use log_shift::{LogShiftError, log_shift};
pub use logs::{LogsError, logs};
pub use promql::{PromqlError, promql};

/// Services where no topology is given.
const SERVICES: usize = 12;
/// A larger file is refused unread.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What is wrong with a file that was given.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("read {}: name a file that can be read", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{} is larger than {} MiB; a script is a list of faults",
        path.display(),
        FILE_BYTES_MAX >> 20
    )]
    TooLarge { path: PathBuf },
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error(transparent)]
    Story(#[from] lab::story::ParseError),
}

/// Runs each story and says what came of it; exit code 1 if one doesn't hold.
///
/// # Errors
/// [`InputError`] for a file that can't be read or is no story.
pub fn story(asked: &LabStory) -> anyhow::Result<ExitCode> {
    let mut failed = 0;
    for path in &asked.files {
        let file = name_of(path);
        let story = lab::story::parse(&file, &read(path)?).map_err(InputError::from)?;
        let report = lab::story::run(&story)?;
        print!("{report}");
        if asked.tell && report.holds() {
            print!("{}", report.told());
        }
        failed += usize::from(!report.holds());
    }
    let count = asked.files.len();
    println!("{} of {count} stories hold", count - failed);
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Runs the week and prints its report.
///
/// # Errors
/// [`InputError`] for a file that can't be read or used.
pub fn week(week: &LabWeek) -> anyhow::Result<ExitCode> {
    let settings = Settings::product();
    let topology = match &week.topology {
        Some(path) => {
            Script::read_topology(&name_of(path), &read(path)?).map_err(InputError::from)?
        }
        None => Topology::generated(SERVICES, week.seed),
    };
    let (faults, file) = faults(week, &topology, &settings)?;
    let Generated { faults, remarks } = faults;
    let script = Script::new(topology, week.seed, Calendar::WEEK, faults, &file)
        .map_err(InputError::from)?;
    let bar = progress_bar(0).with_message("simulating");
    let report = lab::simulate(&script, &settings, remarks, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    })?;
    bar.finish_and_clear();
    print(&report, week.json)
}

/// The faults of a file, or drawn ones, and where they come from.
fn faults(
    week: &LabWeek,
    topology: &Topology,
    settings: &Settings,
) -> anyhow::Result<(Generated, String)> {
    let Some(path) = &week.faults else {
        let drawn = lab::generate(topology, week.seed, Calendar::WEEK, settings)?;
        return Ok((drawn, "the drawn faults".into()));
    };
    let file = name_of(path);
    let faults: Vec<Fault> = Script::read_faults(&file, &read(path)?).map_err(InputError::from)?;
    let remarks = Vec::new();
    Ok((Generated { faults, remarks }, file))
}

fn name_of(path: &Path) -> String {
    path.display().to_string()
}

fn read(path: &Path) -> Result<String, InputError> {
    let failed = |source| InputError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(InputError::TooLarge {
            path: path.to_owned(),
        });
    }
    std::fs::read_to_string(path).map_err(failed)
}

fn print(report: &Report, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::{engine_config, recipe};
    use crate::config::{Config, Schedule};

    #[test]
    fn a_week_runs_with_the_defaults_of_the_product() {
        let mut config = Config::default();
        let lab = Settings::product();
        assert_eq!(config.training.schedule, Schedule::Every(lab.retrain_every));
        config.tick = Duration::from_secs(60);
        config.metrics = lab.engine.catalogue.clone();
        assert_eq!(engine_config(&config), lab.engine);
        assert_eq!(recipe(&config).unwrap().settings, lab.training);
    }

    #[test]
    fn a_recorded_metric_is_what_a_query_alone_makes_of_it() {
        let id = domain::MetricId::new("any").unwrap();
        let recorded = lab::detection::unknown_metric(id.clone());
        let text = format!(
            "metrics: {{any: {{query: '{}', direction: both}}}}",
            recorded.query
        );
        let loaded = Config::from_yaml(&text).unwrap();
        assert_eq!(loaded.config.metrics.get(&id), Some(&recorded));
    }

    #[test]
    fn files_that_cannot_be_used_are_input_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let refused = |topology: Option<PathBuf>, faults: Option<PathBuf>| {
            let asked = LabWeek {
                seed: 1,
                topology,
                faults,
                json: true,
            };
            let error = week(&asked).unwrap_err();
            assert!(error.is::<InputError>(), "{error:#}");
            format!("{error:#}")
        };
        let lonely = file("one.yaml", "services: [{name: lonely, pool: false}]");
        let missing = Some(folder.path().join("missing.yaml"));
        assert!(refused(missing, None).contains("missing.yaml"));
        let cyclic = file("cyclic.yaml", "services: [{name: a, calls: [a]}]");
        assert!(refused(cyclic, None).contains("cyclic.yaml"));
        let faults = "[{at: 1h, for: 1m, service: lonely, kind: pool-exhausted}]";
        let text = refused(lonely, file("faults.yaml", faults));
        assert!(text.contains("faults.yaml: entry 1"), "{text}");
    }
}
