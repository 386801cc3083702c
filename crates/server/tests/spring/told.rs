//! The stories that were told, as a table, and in a file from which a run that was stopped goes on.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use crate::harness::figure;
use crate::story::{Outcome, STORIES};

pub struct Told {
    file: Option<PathBuf>,
    /// What is done: a word, or a story with its row of each service, tabs between.
    lines: Vec<String>,
}

impl Told {
    pub fn read() -> Told {
        let file = std::env::var_os("BELLWETHER_SPRING_DONE").map(PathBuf::from);
        let text = file
            .as_ref()
            .and_then(|file| fs::read_to_string(file).ok())
            .unwrap_or_default();
        Told {
            file,
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    /// Whether it was told, and well.
    pub fn has(&self, word: &str) -> bool {
        self.lines
            .iter()
            .any(|line| line.split('\t').next() == Some(word))
    }

    pub fn note(&mut self, line: &str) {
        if let Some(file) = &self.file {
            let mut file = File::options()
                .append(true)
                .create(true)
                .open(file)
                .unwrap();
            writeln!(file, "{line}").unwrap();
        }
        self.lines.push(line.to_owned());
    }

    /// A story that went wrong is not noted, so that it is told again.
    pub fn add(&mut self, outcome: Outcome) {
        if !outcome.wrong.is_empty() {
            return;
        }
        for row in outcome.rows {
            self.note(&format!(
                "{}\t{}\t{}\t{:.0} s\t{:.0} s\t1\t{}\t{}\t{}",
                outcome.kind,
                outcome.on,
                row.service,
                row.crossing,
                row.delay,
                row.severity,
                row.summary,
                row.pattern.replace(['\t', '\n'], " "),
            ));
        }
    }

    pub fn print(&self) {
        println!(
            "fault | on | incident on | to the crossing | delay | incidents | severity | first reason | top log pattern"
        );
        for line in self.lines.iter().filter(|line| line.contains('\t')) {
            println!("{}", line.replace('\t', " | "));
        }
    }

    pub fn figures(&self) {
        let right = STORIES
            .iter()
            .filter(|story| self.has(story.kind.name()))
            .count();
        figure(
            "spring 1",
            "all faults: one incident on each affected service, none elsewhere, delay ≤ 60 s, \
             severity, logs and release as they should be",
            format!("{right} of {}", STORIES.len()),
            "all",
            right == STORIES.len(),
        );
        let delays = self
            .lines
            .iter()
            .filter_map(|line| line.split('\t').nth(4))
            .filter_map(|delay| delay.strip_suffix(" s")?.parse::<f64>().ok());
        let longest = delays.fold(0.0, f64::max);
        figure(
            "spring 1",
            "the longest delay of an incident",
            format!("{longest} s"),
            "≤ 60 s",
            longest <= 60.0,
        );
    }
}
