//! `bellwether lab detect`: the shipped detector over recorded series.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use lab::detection::{DetectionError, Progress, Selection, Walked, run};

use crate::cli::LabDetect;
use crate::offline::progress_bar;

/// Walks a data root, writes what came of it, and prints how much that was.
///
/// # Errors
/// [`DetectionError`] for data that can't be used, or a folder that can't be written.
pub fn detect(asked: &LabDetect) -> anyhow::Result<ExitCode> {
    let selection = Selection {
        data_sets: asked.data_sets.clone(),
        kind: asked.kind,
    };
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(asked.jobs.map_or(0, NonZeroUsize::get))
        .build()?;
    let bar = progress_bar(0).with_message("walking");
    let progress = |progress| match progress {
        Progress::Started { files } => bar.set_length(files as u64),
        Progress::FileDone => bar.inc(1),
    };
    let began = Instant::now();
    let walked: Result<Walked, DetectionError> =
        threads.install(|| run(&asked.root, &asked.out, &selection, &progress));
    bar.finish_and_clear();
    let walked = walked?;
    println!(
        "{} files, {} series, {} samples in {:.1} s: {} incidents; scores and incidents.csv are in {}",
        walked.files,
        walked.series,
        walked.samples,
        began.elapsed().as_secs_f64(),
        walked.incidents.len(),
        asked.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use tempfile::TempDir;

    use super::*;
    use crate::cli::{Cli, Command, LabCommand};

    /// A folder with one quiet series of 300 minutes.
    fn root() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let index = "kind,ds,name,file,interval_s,train_rows\nseries,any,a,a.csv,60,250\n";
        std::fs::write(folder.path().join("index.csv"), index).unwrap();
        let rows = (0..300).map(|i| format!("{},{}\n", 1_700_000_000 + 60 * i, i % 7));
        let text = format!("timestamp,value\n{}", rows.collect::<String>());
        std::fs::write(folder.path().join("a.csv"), text).unwrap();
        folder
    }

    fn asked(root: &Path, more: &[&str]) -> anyhow::Result<ExitCode> {
        let (out, root) = (root.join("out"), root.display().to_string());
        let out = out.display().to_string();
        let words = ["bellwether", "lab", "detect", &root, "--out", &out];
        let cli = Cli::parse_from(words.iter().chain(more));
        let Command::Lab(asked) = cli.command else {
            panic!("not lab")
        };
        let LabCommand::Detect(asked) = asked.command else {
            panic!("not detect")
        };
        detect(&asked)
    }

    #[test]
    fn scores_and_incidents_are_written() {
        let root = root();
        asked(
            root.path(),
            &["--ds", "any", "--kind", "series", "--jobs", "1"],
        )
        .unwrap();
        let read = |file: &str| std::fs::read_to_string(root.path().join("out").join(file));
        assert_eq!(read("a.csv").unwrap().lines().count(), 301);
        assert_eq!(
            read("incidents.csv").unwrap().lines().next(),
            Some("entity,opened_ts,metric,suspect")
        );
    }

    #[test]
    fn data_that_cannot_be_used_are_input_errors() {
        let root = root();
        let error = asked(root.path(), &["--ds", "other"]).unwrap_err();
        assert!(error.is::<DetectionError>(), "{error:#}");
        assert!(error.to_string().contains("other"), "{error:#}");
        assert!(!root.path().join("out").exists());
    }
}
