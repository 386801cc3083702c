//! What was odd in an answer and was put right, in an operator's words.

use std::collections::{BTreeMap, BTreeSet};

use domain::{MetricId, ServiceId};
use jiff::SignedDuration;

use super::MetricView;
use crate::discover::Sightings;
use crate::identity::{Identity, LABEL_BYTES_MAX, NAME_CHARS, Origin, Sorted};
use crate::visible::excerpt;

const REMARKS_MAX: usize = 30;
const EXAMPLES: usize = 3;

/// Each remark once, in the order of their arising.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    texts: Vec<String>,
    beyond: usize,
}

impl Remarks {
    pub(super) fn add(&mut self, text: String) {
        if self.texts.contains(&text) {
            return;
        }
        if self.texts.len() < REMARKS_MAX {
            self.texts.push(text);
        } else {
            self.beyond += 1;
        }
    }

    pub(super) fn texts(mut self) -> Vec<String> {
        if self.beyond > 0 {
            self.texts.push(format!("and {} more remarks", self.beyond));
        }
        self.texts
    }

    pub(super) fn about_naming<T>(&mut self, metric: &MetricId, sorted: &Sorted<T>) {
        self.about_unnamed(metric.as_str(), sorted.unnamed, sorted.too_long);
        if !sorted.ambiguous.is_empty() {
            self.add(format!(
                "{metric}: {} with the same labels twice, which is not judged: {}; make its query give one series by $identity and instance",
                counted(sorted.ambiguous.len(), "service"),
                examples(sorted.ambiguous.iter())
            ));
        }
    }

    pub(super) fn about_skew(&mut self, skew: SignedDuration) {
        if !skew.is_zero() {
            let way = if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            };
            self.add(format!(
                "the clock of Prometheus is {} s {way} ours; evaluation follows it; set both by the same time server",
                skew.abs().as_secs()
            ));
        }
    }

    fn about_unnamed(&mut self, name: &str, unnamed: usize, too_long: usize) {
        if unnamed > 0 {
            self.add(format!(
                "{name}: {} without any of the identity labels",
                counted(unnamed, "series")
            ));
        }
        if too_long > 0 {
            self.add(format!(
                "{name}: {} with a label of more than {LABEL_BYTES_MAX} bytes, refused",
                counted(too_long, "series")
            ));
        }
    }

    pub(super) fn about_sightings(&mut self, sightings: &Sightings) {
        self.about_unnamed("processes", sightings.unnamed, sightings.too_long);
        if sightings.future > 0 {
            self.add(format!(
                "{} after the evaluation instant, dropped",
                counted(sightings.future, "scrape time")
            ));
        }
        if sightings.unattributed > 0 {
            self.add(format!(
                "{} down that were never seen up, so that their service isn't known; a service label on the target would tell",
                counted(sightings.unattributed, "target")
            ));
        }
    }

    pub(super) fn about_refused(&mut self, refused: &[&ServiceId], services_max: usize) {
        if !refused.is_empty() {
            self.add(format!(
                "{} beyond the limit of {services_max} not watched, such as {}; raise limits.services or limits.series",
                counted(refused.len(), "service"),
                examples(refused.iter().copied())
            ));
        }
    }

    /// One name from two labels, or from two splits of scope and name.
    pub(super) fn about_collisions(
        &mut self,
        identity: &Identity,
        sightings: &Sightings,
        views: &[MetricView],
    ) {
        let mut origins: BTreeMap<&ServiceId, BTreeSet<Origin>> = BTreeMap::new();
        let of_views = views.iter().flat_map(MetricView::origins);
        for (service, found) in sightings.origins.iter().chain(of_views) {
            origins
                .entry(service)
                .or_default()
                .extend(found.iter().cloned());
        }
        for (service, origins) in origins.iter().filter(|(_, origins)| origins.len() > 1) {
            let labels: BTreeSet<&str> = origins.iter().map(|o| identity.candidate(o)).collect();
            let labels: Vec<&str> = labels.into_iter().collect();
            self.add(format!(
                "{} is named in {} ways (by {}), which are taken as one service",
                shown(service),
                origins.len(),
                labels.join(" and by ")
            ));
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 || noun.ends_with('s') {
        ""
    } else {
        "s"
    };
    format!("{count} {noun}{plural}")
}

fn shown(service: &ServiceId) -> String {
    format!("\"{}\"", excerpt(service.as_str(), NAME_CHARS))
}

fn examples<'a>(services: impl Iterator<Item = &'a ServiceId>) -> String {
    let names: Vec<String> = services.take(EXAMPLES).map(shown).collect();
    names.join(", ")
}
