//! Pages of one target into the store: which lines are which series, and which are kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::asking::Page;
use super::failure::ScrapeFailure;
use super::families::{Families, Family};
use super::keep::Keep;
use crate::Labels;
use crate::exposition::{Entry, Parser, SampleLine};
use crate::labels::NAME;
use crate::store::{Absent, AppendError, SeriesRef, Store, TargetRef};

/// What a page may hold where its job has no limit of its own.
const SAMPLES_MAX: u64 = 200_000;
/// For how many scrapes a line is remembered that doesn't come.
const REMEMBERED_SCRAPES: u32 = 10;

/// What scrapes report of themselves, as Prometheus does.
const REPORTS: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// What is made of the pages of one target.
pub(super) struct Digest {
    store: Arc<Store>,
    keep: Arc<Keep>,
    families: Arc<Families>,
    labels: Labels,
    honor_labels: bool,
    sample_limit: u64,
    target: TargetRef,
    /// By report; `None` where it isn't kept.
    reports: [Option<SeriesRef>; 5],
    /// By the hash of a line's name and labels as they are written. The hash is keyed by chance,
    /// and two lines of a target have one of 64 bits in common once in 10^13 pages of 1,000 lines.
    known: HashMap<u64, Known>,
    hasher: RandomState,
    scrapes: u32,
}

#[derive(Clone, Copy)]
struct Known {
    /// `None`: it isn't kept.
    series: Option<SeriesRef>,
    seen: u32,
}

/// What came of a scrape.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) samples: usize,
    pub(super) kept: usize,
    pub(super) added: usize,
    pub(super) error: Option<String>,
}

impl Digest {
    pub(super) fn new(
        store: Arc<Store>,
        keep: Arc<Keep>,
        families: Arc<Families>,
        labels: Labels,
        honor_labels: bool,
        sample_limit: Option<u64>,
    ) -> Digest {
        let mut digest = Digest {
            target: store.target(&labels),
            store,
            keep,
            families,
            labels,
            honor_labels,
            sample_limit: sample_limit.unwrap_or(SAMPLES_MAX),
            reports: [None; 5],
            known: HashMap::new(),
            hasher: RandomState::new(),
            scrapes: 0,
        };
        digest.register();
        digest
    }

    /// Asks the store for everything anew.
    fn register(&mut self) {
        self.known.clear();
        self.target = self.store.target(&self.labels);
        self.reports = REPORTS.map(|name| {
            let own = self.labels.iter();
            let labels = Labels::new(own.chain([(NAME, name)]));
            let kept = self.keep.keeps(&labels);
            kept.then(|| self.store.series(self.target, &labels))
        });
    }

    /// Takes one scrape into the store: the values of a page, or that there is none.
    pub(super) fn take(
        &mut self,
        time_ms: i64,
        page: Result<Page, ScrapeFailure>,
        took: Duration,
    ) -> Outcome {
        self.scrapes = self.scrapes.wrapping_add(1);
        let mut values = Vec::new();
        let mut outcome = self.outcome(&page, &mut values);
        self.report(&outcome, took, &mut values);
        let mut taken = self.append(time_ms, &values);
        if taken == Err(AppendError::Forgotten) {
            // Nothing came for so long that the store gave the places away.
            self.register();
            values.clear();
            outcome = self.outcome(&page, &mut values);
            self.report(&outcome, took, &mut values);
            taken = self.append(time_ms, &values);
        }
        if let Err(error) = taken {
            outcome.error = Some(error.to_string());
        }
        self.forget_unseen();
        outcome
    }

    /// The target is no longer scraped: its series end.
    pub(super) fn end(&mut self, time_ms: i64) {
        // Where that is refused there is nothing to end.
        let _ = self.append(time_ms, &[]);
    }

    fn append(&self, time_ms: i64, values: &[(SeriesRef, f64)]) -> Result<(), AppendError> {
        self.store
            .append(self.target, time_ms, values, Absent::Stale)
    }

    fn outcome(
        &mut self,
        page: &Result<Page, ScrapeFailure>,
        values: &mut Vec<(SeriesRef, f64)>,
    ) -> Outcome {
        let read = match page {
            Ok(page) => self.read(page, values),
            Err(failure) => Err(failure.to_string()),
        };
        read.unwrap_or_else(|error| {
            // Of half a page nothing counts.
            values.clear();
            Outcome {
                error: Some(error),
                ..Outcome::default()
            }
        })
    }

    fn read(&mut self, page: &Page, values: &mut Vec<(SeriesRef, f64)>) -> Result<Outcome, String> {
        // The whole page first, so that a bad one adds no series.
        let (lines, families) = self.lines(page).map_err(|failure| failure.to_string())?;
        let mut added = 0;
        for (line, family) in &lines {
            let name = line.name();
            if !self.keep.may_keep(&name) {
                continue;
            }
            let hash = self.hasher.hash_one(line.series);
            let seen = self.scrapes;
            if let Some(known) = self.known.get_mut(&hash) {
                known.seen = seen;
                values.extend(known.series.map(|series| (series, line.value)));
                continue;
            }
            let labels = self.labels_of(line);
            let series = self.keep.keeps(&labels).then(|| {
                let family = family.and_then(|at| families.get(at));
                if let Some(family) = family.filter(|family| family.holds(&name)) {
                    family.note(&self.families);
                }
                added += 1;
                self.store.series(self.target, &labels)
            });
            values.extend(series.map(|series| (series, line.value)));
            self.known.insert(hash, Known { series, seen });
        }
        Ok(Outcome {
            samples: lines.len(),
            kept: values.len(),
            added,
            error: None,
        })
    }

    /// The samples of a page, each with the place of the family that was described before it.
    #[expect(
        clippy::type_complexity,
        reason = "two lists that belong together, used once"
    )]
    fn lines<'p>(
        &self,
        page: &'p Page,
    ) -> Result<(Vec<(SampleLine<'p>, Option<usize>)>, Vec<Family<'p>>), ScrapeFailure> {
        let begin = page.bytes.trim_ascii_start();
        if begin.starts_with(b"<") {
            let found = "something that begins as HTML or XML does".to_owned();
            return Err(ScrapeFailure::NoMetrics { found });
        }
        let mut lines = Vec::new();
        let mut families: Vec<Family<'p>> = Vec::new();
        let mut described_before = 0;
        for entry in Parser::of_bytes(&page.bytes, page.format)? {
            match entry? {
                Entry::Sample(line) => {
                    described_before = families.len();
                    lines.push((line, described_before.checked_sub(1)));
                }
                described => {
                    // Samples end a description; what comes after them begins another.
                    if families.len() == described_before {
                        families.push(Family::default());
                    }
                    if let Some(family) = families.last_mut() {
                        family.follow(described);
                    }
                }
            }
        }
        if lines.len() as u64 > self.sample_limit {
            return Err(ScrapeFailure::Samples {
                samples: lines.len(),
                limit: self.sample_limit,
            });
        }
        Ok((lines, families))
    }

    /// The labels under which a line is stored. Where page and target have one label, the job says
    /// whose counts; the page's may go on as `exported_…`.
    fn labels_of(&self, line: &SampleLine<'_>) -> Labels {
        let said: Vec<(Cow<'_, str>, Cow<'_, str>)> = line.labels().collect();
        let says = |name: &str| said.iter().any(|(known, _)| known == name);
        let mut all: Vec<(String, String)> = vec![(NAME.to_owned(), line.name().into_owned())];
        for (name, value) in self.labels.iter() {
            if !(self.honor_labels && says(name)) {
                all.push((name.to_owned(), value.to_owned()));
            }
        }
        for (name, value) in &said {
            let mut name = name.to_string();
            if !self.honor_labels && self.labels.get(&name).is_some() {
                if value.is_empty() {
                    continue;
                }
                while says(&name) || all.iter().any(|(known, _)| *known == name) {
                    name = format!("exported_{name}");
                }
            }
            all.push((name, value.to_string()));
        }
        Labels::new(all)
    }

    fn report(&self, outcome: &Outcome, took: Duration, values: &mut Vec<(SeriesRef, f64)>) {
        let up = if outcome.error.is_none() { 1.0 } else { 0.0 };
        let figures = [
            up,
            took.as_secs_f64(),
            outcome.samples as f64,
            outcome.kept as f64,
            outcome.added as f64,
        ];
        let reports = self.reports.iter().zip(figures);
        values.extend(reports.filter_map(|(series, figure)| series.map(|series| (series, figure))));
    }

    /// Lines that didn't come for some scrapes are let go, so that a target whose series change all
    /// the time doesn't fill the memory.
    fn forget_unseen(&mut self) {
        if self.scrapes.is_multiple_of(REMEMBERED_SCRAPES) {
            let now = self.scrapes;
            let recent = |known: &Known| now.wrapping_sub(known.seen) < REMEMBERED_SCRAPES;
            self.known.retain(|_, known| recent(known));
        }
    }
}
