//! `bellwether doctor`: what Bellwether would see of a fleet, what is missing, and what to do.
//!
//! A Prometheus, or targets that are scraped for it, are asked the same questions; the answers are
//! frozen in [`observed::Observed`], judged by the pure [`findings::findings`], and printed.

mod observed;
mod report;

mod findings;
mod reads;

mod looking;
mod questions;
mod scraping;

mod json;
mod text;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use crate::app;
use crate::cli::Doctor;
use crate::clock;
use crate::config::Config;

use findings::findings;
use observed::Observed;
use report::Report;
use text::Page;

/// The exit code where something is wrong with what was looked at.
pub const FOUND: u8 = 4;

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    #[error("no service is named {name:?}; there are: {known}")]
    NoSuchService { name: String, known: String },
}

/// Looks, judges and prints; the exit code says whether something is wrong.
///
/// # Errors
/// [`DoctorError`], settings that can't be used, and a source that can't be asked.
pub async fn doctor(config: Config, asked: &Doctor) -> anyhow::Result<ExitCode> {
    let mut observed = match &config.scrape {
        Some(path) => scraping::at_targets(path, asked.once, &config).await?,
        None => {
            let prometheus = app::prometheus(&config)?;
            looking::at_prometheus(prometheus, &config, clock::now()).await?
        }
    };
    if let Some(name) = &asked.service {
        narrow(&mut observed, name)?;
    }
    let report = findings(&observed, &config);
    print(&observed, &report, &config, asked.json)?;
    Ok(match report.fails(asked.strict) {
        true => ExitCode::from(FOUND),
        false => ExitCode::SUCCESS,
    })
}

/// Leaves only one service, by its id or by its bare name behind the scope, and its targets.
fn narrow(observed: &mut Observed, name: &str) -> Result<(), DoctorError> {
    let is_it = |id: &domain::ServiceId| {
        let bare = id.as_str().rsplit('/').next();
        id.as_str() == name || bare == Some(name)
    };
    let has_target = |seen: &observed::TargetSeen| seen.service.as_ref().is_some_and(is_it);
    if !observed.services.keys().any(is_it) && !observed.targets.iter().any(has_target) {
        let known: Vec<&str> = observed
            .services
            .keys()
            .map(|id| id.as_str())
            .take(50)
            .collect();
        return Err(DoctorError::NoSuchService {
            name: sources::excerpt(name, 100),
            known: match known.is_empty() {
                true => "none".into(),
                false => known.join(", "),
            },
        });
    }
    observed.services.retain(|id, _| is_it(id));
    observed.targets.retain(has_target);
    observed.unnamed = 0;
    Ok(())
}

fn print(observed: &Observed, report: &Report, config: &Config, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", json::report(observed, report, config)?);
    } else {
        print!(
            "{}",
            Page {
                observed,
                report,
                config
            }
        );
    }
    Ok(())
}
