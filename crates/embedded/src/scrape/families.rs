//! What is known of metrics beside their values: type, help and unit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::exposition::{Entry, MetricKind};

/// The most metrics that are known, and the most that is known of one: targets may differ.
const NAMES_MAX: usize = 20_000;
const VARIANTS_MAX: usize = 10;
const HELP_CHARS_MAX: usize = 1_000;

/// What ends the names of samples of a family beside its own name.
const ENDS: [&str; 9] = [
    "", "_bucket", "_count", "_sum", "_total", "_created", "_info", "_gcount", "_gsum",
];

/// What targets say of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub kind: MetricKind,
    pub help: String,
    pub unit: String,
}

/// The metrics of which something is kept.
#[derive(Default)]
pub(super) struct Families(Mutex<BTreeMap<String, Vec<Metadata>>>);

impl Families {
    pub(super) fn all(&self) -> BTreeMap<String, Vec<Metadata>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, name: &str, metadata: Metadata) {
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if families.len() >= NAMES_MAX && !families.contains_key(name) {
            return;
        }
        let known = families.entry(name.to_owned()).or_default();
        if known.len() < VARIANTS_MAX && !known.contains(&metadata) {
            known.push(metadata);
        }
    }
}

/// The family that a page speaks of at present.
#[derive(Default)]
pub(super) struct Family<'a> {
    name: Cow<'a, str>,
    kind: Option<MetricKind>,
    help: Cow<'a, str>,
    unit: &'a str,
}

impl<'a> Family<'a> {
    /// Follows the lines of a page that describe.
    pub(super) fn follow(&mut self, entry: Entry<'a>) {
        let name = match &entry {
            Entry::Sample(_) => return,
            Entry::Type { name, .. } | Entry::Help { name, .. } | Entry::Unit { name, .. } => name,
        };
        if self.name != *name {
            let name = name.clone();
            *self = Family {
                name,
                ..Family::default()
            };
        }
        match entry {
            Entry::Sample(_) => {}
            Entry::Type { kind, .. } => self.kind = Some(kind),
            Entry::Help { text, .. } => self.help = text,
            Entry::Unit { unit, .. } => self.unit = unit,
        }
    }

    /// Whether a metric belongs to it.
    pub(super) fn holds(&self, metric: &str) -> bool {
        let end = metric.strip_prefix(&*self.name);
        !self.name.is_empty() && end.is_some_and(|end| ENDS.contains(&end))
    }

    pub(super) fn note(&self, families: &Families) {
        let metadata = Metadata {
            kind: self.kind.unwrap_or(MetricKind::Unknown),
            help: self.help.chars().take(HELP_CHARS_MAX).collect(),
            unit: self.unit.to_owned(),
        };
        families.add(&self.name, metadata);
    }
}
