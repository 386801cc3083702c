//! `bellwether train`: models from the datasets on disk, with Prometheus off.

use std::process::ExitCode;

use anyhow::Context;
use domain::{MetricId, ServiceId};
use indicatif::{ProgressBar, ProgressStyle};

use crate::app::recipe;
use crate::cli::Train;
use crate::clock;
use crate::config::Config;
use crate::storage::Storage;
use crate::training::{Selection, SeriesOutcome, masks, selected, tally, train_batch};

/// Series that are trained between two looks of the progress bar.
const BATCH: usize = 16;

/// Trains what is selected and prints an outcome for each series.
///
/// # Errors
/// The data directory is in use or can't be read; nothing matches the selection.
pub async fn train(config: Config, train: &Train) -> anyhow::Result<ExitCode> {
    let now = clock::now();
    let recipe = recipe(&config)?;
    let storage = Storage::open(&config.data_dir, now)
        .await
        .context("open the data directory (a running server trains by POST /retrain)")?;
    let selection = Selection {
        service: train.service.as_deref().map(ServiceId::new).transpose()?,
        metric: train.metric.as_deref().map(MetricId::new).transpose()?,
    };
    let masks = masks(&storage, &recipe, now).await?;
    let series = selected(&storage, &recipe, &selection)?;
    anyhow::ensure!(
        !series.is_empty(),
        "no dataset in {} matches; datasets are made by `bellwether serve`",
        config.data_dir.display()
    );
    let bar = progress_bar(series.len() as u64);
    let mut outcomes: Vec<SeriesOutcome> = Vec::new();
    for batch in series.chunks(BATCH) {
        let trained = train_batch(&storage, &recipe, &masks, batch, now);
        outcomes.extend(trained.into_iter().map(|(outcome, _)| outcome));
        bar.set_position(outcomes.len() as u64);
    }
    bar.finish_and_clear();
    if train.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else {
        for outcome in &outcomes {
            println!(
                "{:<24} {:<10} {:<18} {}",
                outcome.service, outcome.metric, outcome.outcome, outcome.detail
            );
        }
        let counts: Vec<String> = tally(&outcomes)
            .into_iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        println!("{} series: {}", outcomes.len(), counts.join(", "));
    }
    let failed = outcomes.iter().any(|outcome| outcome.outcome == "failed");
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Drawn on a terminal, silent elsewhere.
pub fn progress_bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    let bar = ProgressBar::new(length);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
