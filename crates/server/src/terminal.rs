//! What `serve` shows on a terminal beside its log: bars of the backfill and of training, below the
//! lines and never between them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

use crate::history::Progress;
use crate::training::Queue;

const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Of a bar; what it shows is a share.
const LENGTH: u64 = 1_000;

/// Standard error as a terminal, with bars at its lower edge.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    bars: MultiProgress,
}

/// One piece of log, which takes the bars away while it is written.
pub struct Line {
    bars: MultiProgress,
    text: Vec<u8>,
}

/// What is under way, as the status shows it.
pub struct Work {
    pub(crate) progress: Arc<Mutex<Progress>>,
    pub(crate) queue: Arc<Queue>,
}

impl Work {
    /// What there is to be said of the backfill, and how far it is.
    fn backfill(&self) -> Option<(String, f64)> {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let is_under_way = !matches!(progress.phase, "" | "waiting" | "done");
        is_under_way.then(|| (format!("backfill: {}", progress.phase), progress.done))
    }

    fn training(&self) -> Option<(String, f64)> {
        let jobs = self.queue.recent();
        let job = jobs.iter().find(|job| job.state == "running")?;
        let done = job.done as f64 / job.total.max(1) as f64;
        Some((format!("training: {} of {}", job.done, job.total), done))
    }
}

impl Terminal {
    /// Shows what is under way until dropped.
    pub async fn show(&self, work: Work) {
        let mut backfill = None;
        let mut training = None;
        loop {
            self.draw(&mut backfill, work.backfill());
            self.draw(&mut training, work.training());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn draw(&self, bar: &mut Option<ProgressBar>, standing: Option<(String, f64)>) {
        let Some((text, done)) = standing else {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
            return;
        };
        let bar = bar.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new(LENGTH));
            match ProgressStyle::with_template("{msg:<24} {wide_bar} {percent:>3} %") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_message(text);
        bar.set_position((done.clamp(0.0, 1.0) * LENGTH as f64) as u64);
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            bars: self.bars.clone(),
            text: Vec::new(),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        self.bars.suspend(|| io::stderr().write_all(&text))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // A terminal that is gone has nobody to tell.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_under_way_is_shown() {
        let progress = Arc::new(Mutex::new(Progress::default()));
        let work = Work {
            progress: Arc::clone(&progress),
            queue: Arc::new(Queue::default()),
        };
        assert_eq!(work.backfill(), None);
        assert_eq!(work.training(), None);
        *progress.lock().unwrap() = Progress {
            phase: "older",
            done: 0.25,
            ..Progress::default()
        };
        assert_eq!(work.backfill(), Some(("backfill: older".to_owned(), 0.25)));
    }
}
