//! History in OpenMetrics, as `promtool tsdb create-blocks-from openmetrics` takes it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::duration::Span;
use crate::fleet::Fleet;
use crate::page::{Form, Page};

/// Which families are laid down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    All,
    /// Only those the default metric catalogue reads.
    Catalogue,
}

/// What a history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistorySummary {
    pub scrapes: usize,
    pub samples: usize,
    pub bytes: u64,
}

/// Writes a scrape of the whole fleet every `step` from `from_ms` to `to_ms`, and leaves the fleet at `to_ms` so that
/// it can go on live with the same counters. Labels are those of a live scrape through service discovery: `instance`,
/// `job` and the application's own; `up` is there as well.
///
/// Scrapes follow each other in time, so memory stays at one page however long the history is. This is what promtool
/// wants (time goes forward within each series); a strict reader of OpenMetrics would want families in one piece.
/// promtool reads a file once for every two hours in it: for a day or more, [`write_openmetrics_by_block`] is faster.
pub fn write_openmetrics(
    fleet: &mut Fleet,
    from_ms: i64,
    to_ms: i64,
    step: Span,
    families: Families,
    out: impl Write,
    job: &str,
) -> io::Result<HistorySummary> {
    let step_ms = step.as_millis();
    if step_ms == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the step of a history must be longer than 0s",
        ));
    }
    let mut history = History {
        job,
        families,
        out,
        text: String::new(),
        summary: HistorySummary::default(),
    };
    let mut targets = targets(fleet, job);
    let mut t_ms = from_ms;
    while t_ms <= to_ms {
        fleet.advance(t_ms);
        for target in &mut targets {
            history.scrape(fleet, target, t_ms)?;
        }
        t_ms += step_ms;
    }
    fleet.advance(to_ms);
    history.out.write_all(b"# EOF\n")?;
    history.out.flush()?;
    history.summary.bytes += 6;
    Ok(history.summary)
}

/// The same history in one file for each two hours of the epoch grid, to be given to promtool one after another.
/// The folder is made where missing; the files come back in the order of time.
pub fn write_openmetrics_by_block(
    fleet: &mut Fleet,
    from_ms: i64,
    to_ms: i64,
    step: Span,
    families: Families,
    dir: &Path,
    job: &str,
) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir)?;
    let mut files = Vec::new();
    let mut next_ms = from_ms;
    while next_ms <= to_ms {
        let block_end_ms = (next_ms.div_euclid(BLOCK_MS) + 1) * BLOCK_MS;
        let until_ms = to_ms.min(block_end_ms - 1);
        let path = dir.join(format!("history-{:05}.om", files.len()));
        let out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        write_openmetrics(fleet, next_ms, until_ms, step, families, out, job)?;
        files.push(path);
        let step_ms = step.as_millis();
        next_ms += ((until_ms - next_ms) / step_ms + 1) * step_ms;
    }
    fleet.advance(to_ms);
    Ok(files)
}

/// One scrape of one instance, as a scraper would have read it.
#[derive(Debug, Clone, Copy)]
pub struct PastScrape<'a> {
    pub service: &'a str,
    pub instance: usize,
    pub t_ms: i64,
    /// None where the instance didn't answer.
    pub page: Option<&'a str>,
}

/// Shows a scrape of every instance each `step_ms` from `from_ms` to `to_ms`, oldest first, and leaves the fleet at
/// `to_ms` so that it can go on live with the same counters. What `visit` refuses ends it.
pub fn past_scrapes<E>(
    fleet: &mut Fleet,
    (from_ms, to_ms, step_ms): (i64, i64, i64),
    families: Families,
    mut visit: impl FnMut(PastScrape<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let topology = fleet.topology().clone();
    let form = Form {
        headers: false,
        catalogue_only: families == Families::Catalogue,
        suffix: "",
    };
    let mut pages: Vec<Option<(String, Page)>> = Vec::new();
    pages.resize_with(topology.services().len(), || None);
    let mut text = String::new();
    let mut t_ms = from_ms;
    while t_ms <= to_ms {
        fleet.advance(t_ms);
        for (position, service) in topology.services().iter().enumerate() {
            let version = fleet.version_at(position);
            let known = pages[position].take().filter(|(of, _)| of == version);
            let (_, page) = pages[position]
                .insert(known.unwrap_or_else(|| {
                    (version.to_owned(), fleet.page_for_history(position, &[]))
                }));
            for instance in 1..=service.instances {
                text.clear();
                let samples = fleet.write_page(page, position, instance, t_ms, form, &mut text);
                visit(PastScrape {
                    service: &service.name,
                    instance,
                    t_ms,
                    page: samples.map(|_| text.as_str()),
                })?;
            }
        }
        t_ms += step_ms.max(1);
    }
    fleet.advance(to_ms);
    Ok(())
}

/// The length of a block on disk.
const BLOCK_MS: i64 = 2 * 3_600_000;

struct Target {
    position: usize,
    instance: usize,
    label: String,
    up: String,
    version: String,
    page: Page,
}

fn targets(fleet: &Fleet, job: &str) -> Vec<Target> {
    let mut targets = Vec::new();
    for (position, service) in fleet.topology().services().iter().enumerate() {
        for instance in 1..=service.instances {
            let label = crate::prometheus::instance_label(&service.name, instance);
            targets.push(Target {
                position,
                instance,
                up: format!("up{{instance=\"{label}\",job=\"{job}\"}} "),
                version: fleet.version_at(position).to_owned(),
                page: fleet.page_for_history(position, &[("instance", &label), ("job", job)]),
                label,
            });
        }
    }
    targets
}

struct History<'a, W> {
    job: &'a str,
    families: Families,
    out: W,
    text: String,
    summary: HistorySummary,
}

impl<W: Write> History<'_, W> {
    fn scrape(&mut self, fleet: &Fleet, target: &mut Target, t_ms: i64) -> io::Result<()> {
        if fleet.version_at(target.position) != target.version {
            target.version = fleet.version_at(target.position).to_owned();
            let labels = [("instance", target.label.as_str()), ("job", self.job)];
            target.page = fleet.page_for_history(target.position, &labels);
        }
        let suffix = format!(" {}.{:03}", t_ms.div_euclid(1_000), t_ms.rem_euclid(1_000));
        let form = Form {
            headers: false,
            catalogue_only: self.families == Families::Catalogue,
            suffix: &suffix,
        };
        self.text.clear();
        let samples = fleet.write_page(
            &target.page,
            target.position,
            target.instance,
            t_ms,
            form,
            &mut self.text,
        );
        self.text.push_str(&target.up);
        self.text.push(if samples.is_some() { '1' } else { '0' });
        self.text.push_str(&suffix);
        self.text.push('\n');
        self.out.write_all(self.text.as_bytes())?;
        self.summary.scrapes += 1;
        self.summary.samples += samples.unwrap_or(0) + 1;
        self.summary.bytes += self.text.len() as u64;
        Ok(())
    }
}
