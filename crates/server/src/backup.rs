//! `bellwether backup`: a consistent copy of the data directory, also while a server works on it.

use std::process::ExitCode;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::cli::Backup;
use crate::config::Config;

/// Copies and says what was copied.
///
/// # Errors
/// Nothing is there then; the error names the path and what to do.
pub async fn backup(config: Config, asked: &Backup) -> anyhow::Result<ExitCode> {
    // Drawn on a terminal, silent elsewhere.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    let mut progress = |progress: store::BackupProgress| {
        bar.set_length(progress.bytes_expected.max(progress.bytes));
        bar.set_position(progress.bytes);
    };
    let done = store::backup(&config.data_dir, &asked.to, &mut progress).await;
    bar.finish_and_clear();
    let done = done?;
    println!(
        "{} is backed up in {}",
        config.data_dir.display(),
        asked.to.display()
    );
    println!("  datasets  {} files", done.datasets);
    println!("  models    {} files", done.models);
    if done.samples > 0 {
        println!("  samples   {} files of the embedded store", done.samples);
    }
    match done.database {
        Some(bytes) => println!("  database  {}", HumanBytes(bytes)),
        None => println!("  database  none yet"),
    }
    println!(
        "  in all    {}, {} files",
        HumanBytes(done.bytes),
        done.files
    );
    println!("To use it, give a server a copy of it as its data_dir.");
    Ok(ExitCode::SUCCESS)
}
