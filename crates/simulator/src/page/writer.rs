//! Puts families and samples on a page: names, labels, and where the value comes from.

use std::fmt::Write as _;

use super::{PageFamily, Sample, Value};
use crate::counters::{HistogramSlot, Layout};
use crate::families::{Kind, family};
use crate::gauges::Gauge;

pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Builds the families of a page in the order they are asked for.
pub(super) struct Writer<'a> {
    pub(super) service: &'a str,
    pub(super) version: &'a str,
    pub(super) extra: Labels<'a>,
    pub(super) families: Vec<PageFamily>,
}

impl Writer<'_> {
    pub(super) fn family(&mut self, name: &'static str) -> FamilyWriter<'_> {
        let row = family(name);
        self.families.push(PageFamily {
            header: format!(
                "# HELP {name} {}\n# TYPE {name} {}\n",
                row.help,
                row.kind.name()
            ),
            in_catalogue: row.in_catalogue,
            samples: Vec::new(),
        });
        let family = self.families.last_mut().expect("one was pushed just now");
        FamilyWriter {
            name,
            service: self.service,
            version: self.version,
            extra: self.extra,
            is_distribution: matches!(row.kind, Kind::Histogram | Kind::Summary),
            samples: &mut family.samples,
        }
    }

    pub(super) fn gauge(&mut self, name: &'static str, gauge: Gauge) {
        self.family(name).put("", &[], Value::Gauge(gauge), None);
    }

    pub(super) fn constant(&mut self, name: &'static str, value: f64) {
        self.family(name).put("", &[], Value::Constant(value), None);
    }
}

pub(super) struct FamilyWriter<'a> {
    name: &'static str,
    service: &'a str,
    version: &'a str,
    extra: Labels<'a>,
    is_distribution: bool,
    samples: &'a mut Vec<Sample>,
}

impl FamilyWriter<'_> {
    /// The labels of values that are known to need no escaping: checked names and our own literals.
    pub(super) fn put(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        value: Value,
        born: Option<usize>,
    ) {
        let has_version = labels.iter().any(|(name, _)| *name == "version");
        let common = [("service", self.service), ("version", self.version)];
        let common = &common[..if has_version { 1 } else { 2 }];
        // `le` goes last, as the real one writes it.
        let (le, labels) = match labels.split_last() {
            Some((last, rest)) if last.0 == "le" => (Some(last), rest),
            _ => (None, labels),
        };
        let mut text = format!("{}{suffix}{{", self.name);
        for (i, (name, value)) in labels
            .iter()
            .chain(common)
            .chain(le)
            .chain(self.extra)
            .enumerate()
        {
            let comma = if i == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{name}=\"{value}\"");
        }
        text.push_str("} ");
        self.samples.push(Sample { text, value, born });
    }

    pub(super) fn summary(
        &mut self,
        labels: Labels<'_>,
        count: usize,
        sum: usize,
        born: Option<usize>,
    ) {
        debug_assert!(self.is_distribution, "{} has no count and sum", self.name);
        self.put("_count", labels, Value::Count(count), born);
        self.put("_sum", labels, Value::Amount(sum), born);
    }

    pub(super) fn histogram(
        &mut self,
        layout: &Layout,
        histogram: HistogramSlot,
        labels: Labels<'_>,
    ) {
        let born = Some(histogram.count());
        let bounds = layout
            .buckets
            .bounds()
            .iter()
            .map(|bound| format!("{bound:?}"));
        for (i, bound) in bounds.chain(["+Inf".to_owned()]).enumerate() {
            let with_le = [labels, &[("le", &bound)]].concat();
            self.put("_bucket", &with_le, Value::Count(histogram.first + i), born);
        }
        self.summary(labels, histogram.count(), histogram.sum(), born);
    }
}
