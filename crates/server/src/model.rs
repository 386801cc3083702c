//! `bellwether model show`: what the model of a series has learnt, read from the data directory, also
//! while a server works on it.

mod page;
mod view;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use detect::{Model, Season};
use domain::{MetricId, SeriesId, ServiceId};
use store::{Models, Paths};

use crate::cli::ModelShow;
use crate::config::Config;
use view::ModelView;

/// Names that an error tells of what there is.
const NAMES_MAX: usize = 20;

/// What is wrong with the command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelShowError {
    #[error(
        "find a model in {data_dir}: there is none; `bellwether serve` and `bellwether train` make them"
    )]
    NoModels { data_dir: PathBuf },
    #[error("find models of service {service:?}: there are those of {}", in_words(.known))]
    Service { service: String, known: Vec<String> },
    #[error("find the model of metric {metric:?} of {service:?}: there are {}", in_words(.known))]
    Metric {
        service: ServiceId,
        metric: String,
        known: Vec<String>,
    },
}

fn in_words(known: &[String]) -> String {
    let named = known.iter().take(NAMES_MAX).map(|name| format!("{name:?}"));
    let mut words = named.collect::<Vec<_>>().join(", ");
    if known.len() > NAMES_MAX {
        words += &format!(" and {} more", known.len() - NAMES_MAX);
    }
    words
}

/// Reads the model and prints it.
///
/// # Errors
/// [`ModelShowError`]: there is no such model. Otherwise, its file can't be read or is damaged.
pub fn show(config: &Config, asked: &ModelShow) -> anyhow::Result<ExitCode> {
    let view = read(config, asked)?;
    if asked.json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{view}");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(config: &Config, asked: &ModelShow) -> anyhow::Result<ModelView> {
    let paths = Paths::new(&config.data_dir);
    let models = Models::new(paths.clone());
    let series = found(&models.list()?, asked, &config.data_dir)?;
    let path = paths.model(&series);
    let damaged = || format!("read the model of {series} in {}", path.display());
    let bytes = models.load(&series).with_context(damaged)?;
    // Set aside since it was listed.
    let bytes = bytes.context("it is gone").with_context(damaged)?;
    let model = Model::decode(&bytes, &series).with_context(damaged)?;
    let season = Season::new(config.season.name())?;
    let unit = config.metrics.get(&series.metric).map(|spec| &*spec.unit);
    Ok(ModelView::of(
        &model,
        &bytes,
        &path,
        unit.unwrap_or_default(),
        (config.season.name(), &season),
    ))
}

/// The series that is meant: a service by its id, or by its bare name where only one has it.
fn found(
    series: &[SeriesId],
    asked: &ModelShow,
    data_dir: &Path,
) -> Result<SeriesId, ModelShowError> {
    let mut services: Vec<&ServiceId> = series.iter().map(|id| &id.service).collect();
    services.dedup();
    if services.is_empty() {
        let data_dir = data_dir.to_path_buf();
        return Err(ModelShowError::NoModels { data_dir });
    }
    let service = service_named(&services, &asked.service).ok_or_else(|| {
        let known = services.iter().map(ToString::to_string).collect();
        let service = asked.service.clone();
        ModelShowError::Service { service, known }
    })?;
    let metrics = series.iter().filter(|id| id.service == *service);
    let metrics: Vec<&MetricId> = metrics.map(|id| &id.metric).collect();
    match metrics.iter().find(|id| id.as_str() == asked.metric) {
        Some(metric) => Ok(SeriesId::new(service.clone(), (*metric).clone())),
        None => Err(ModelShowError::Metric {
            service: service.clone(),
            metric: asked.metric.clone(),
            known: metrics.iter().map(ToString::to_string).collect(),
        }),
    }
}

fn service_named<'a>(services: &[&'a ServiceId], text: &str) -> Option<&'a ServiceId> {
    if let Some(exact) = services.iter().find(|id| id.as_str() == text) {
        return Some(exact);
    }
    let bare = |id: &&&ServiceId| id.as_str().rsplit('/').next() == Some(text);
    let mut named = services.iter().filter(bare);
    match (named.next(), named.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
