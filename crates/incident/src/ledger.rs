//! The decision ledger: what was decided about each series and why, also when nothing was.
//!
//! An entry holds from its instant until the next one of the same series. Steady decisions are
//! compacted: an entry is written when something about the decision changed, so that hours of
//! "normal" take one. The numbers of each single sample are in the datasets.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Band, Component, ComponentScore, Features, Finding, Gap, ModelRef, Prediction, Reason, Sample,
    ScoreLimits, SeriesId, Severity, Silence, Thresholds, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::decide::DecideOutput;
use crate::summary::{amount, in_words, number};
use crate::verdict::{Notice, Verdict};

/// One decision, with its numbers at the first instant at which it held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub series: SeriesId,
    pub from: Timestamp,
    pub verdict: Verdict,
    pub notice: Option<Notice>,
    /// Why there was no sample.
    pub gap: Option<Gap>,
    pub sample: Option<Sample>,
    pub severity: Severity,
    pub thresholds: Thresholds,
    pub prediction: Prediction,
    pub silence: Option<Silence>,
    pub reason: Option<Reason>,
    pub score: Option<f64>,
    pub limits: Option<ScoreLimits>,
    pub components: Vec<ComponentScore>,
    pub contributions: Option<[f64; 5]>,
    pub features: Option<Features>,
    pub band: Option<Band>,
    /// Nothing was learnt from the sample.
    pub held: bool,
    pub model: Option<ModelRef>,
}

/// What must stay the same for an entry to go on holding.
#[derive(Clone, Debug, PartialEq)]
struct Steady {
    verdict: Verdict,
    notice: Option<Notice>,
    gap: Option<Gap>,
    severity: Severity,
    thresholds: Thresholds,
    prediction: Prediction,
    silence: Option<Silence>,
    reason: Option<SteadyReason>,
    speaking: BTreeSet<Component>,
    held: bool,
    model: Option<ModelRef>,
}

/// A reason with its numbers, or only its kind while an incident tells the story anyway.
#[derive(Clone, Debug, PartialEq)]
enum SteadyReason {
    Whole(Reason),
    Kind(std::mem::Discriminant<Reason>),
}

/// Which decision holds for each series. Lost with the process: the first decisions of the next
/// one are entries of their own.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    holding: BTreeMap<SeriesId, Steady>,
}

impl Ledger {
    /// The entries that a tick adds. `findings` and the decisions are in the same order.
    pub fn note(&mut self, findings: &[Finding], decided: &DecideOutput) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (finding, decision) in findings.iter().zip(&decided.decisions) {
            debug_assert_eq!(finding.series, decision.series);
            // The scrape was decided on before; nothing is new.
            if finding.sample == Err(Gap::Repeated) {
                continue;
            }
            let concerned = decision.verdict.incident();
            let notice = decided
                .notices
                .iter()
                .find(|(incident, _)| Some(*incident) == concerned)
                .map(|(_, notice)| *notice);
            let steady = Steady::of(finding, decision.verdict, notice);
            if self.holding.get(&finding.series) != Some(&steady) {
                entries.push(Entry::of(finding, decision.verdict, notice));
                self.holding.insert(finding.series.clone(), steady);
            }
        }
        entries
    }
}

impl Steady {
    fn of(finding: &Finding, verdict: Verdict, notice: Option<Notice>) -> Steady {
        let told = matches!(
            verdict,
            Verdict::Extended { .. } | Verdict::CalmMember { .. } | Verdict::HeldByResolve { .. }
        );
        let reason = |reason: Reason| match told {
            true => SteadyReason::Kind(std::mem::discriminant(&reason)),
            false => SteadyReason::Whole(reason),
        };
        let speaking = finding.components.iter().filter(|one| one.speaks());
        Steady {
            verdict,
            notice,
            gap: finding.sample.err(),
            severity: finding.severity,
            thresholds: finding.thresholds,
            prediction: finding.prediction,
            silence: finding.silence,
            reason: finding.reason.map(reason),
            speaking: speaking.map(|one| one.component).collect(),
            held: finding.held,
            model: finding.model.clone(),
        }
    }
}

impl Entry {
    fn of(finding: &Finding, verdict: Verdict, notice: Option<Notice>) -> Entry {
        Entry {
            series: finding.series.clone(),
            from: finding.at,
            verdict,
            notice,
            gap: finding.sample.err(),
            sample: finding.sample.ok(),
            severity: finding.severity,
            thresholds: finding.thresholds,
            prediction: finding.prediction,
            silence: finding.silence,
            reason: finding.reason,
            score: finding.score,
            limits: finding.limits,
            components: finding.components.clone(),
            contributions: finding.contributions,
            features: finding.features,
            band: finding.band,
            held: finding.held,
            model: finding.model.clone(),
        }
    }

    /// What was decided and why, in sentences; `unit` is the metric's.
    pub fn sentences(&self, unit: &str) -> Vec<String> {
        let parts = [
            Some(decided(self.verdict)),
            self.against_thresholds(unit),
            Some(self.by_the_model(unit)),
            self.against_limits(),
            self.by_hold(),
            self.notice.map(told),
        ];
        parts.into_iter().flatten().collect()
    }

    fn against_thresholds(&self, unit: &str) -> Option<String> {
        let sample = self.sample?;
        let value = amount(sample.value, unit);
        let named = [
            ("Critical", self.thresholds.critical),
            ("High", self.thresholds.high),
        ];
        let limits: Vec<String> = named
            .iter()
            .filter_map(|(name, limit)| Some(format!("{name} {}", amount((*limit)?, unit))))
            .collect();
        Some(match (self.severity, limits.is_empty()) {
            (_, true) => format!("the value {value} is held against no threshold"),
            (Severity::High | Severity::Critical, _) => format!(
                "the value {value} is {}: thresholds are {}",
                self.severity,
                limits.join(", ")
            ),
            _ => format!(
                "the value {value} is short of every threshold: {}",
                limits.join(", ")
            ),
        })
    }

    fn by_the_model(&self, unit: &str) -> String {
        if let Some(gap) = self.gap {
            return format!("there was no sample: {}", gap.in_words());
        }
        match (self.silence, self.reason) {
            (Some(Silence::NoModel), _) => "there was no model to judge it".to_owned(),
            (Some(Silence::WarmingUp), _) => {
                "too few samples in the rolling window to judge it: warming up, or right after a gap"
                    .to_owned()
            }
            (Some(Silence::NoSample), _) => "there was no sample".to_owned(),
            (None, Some(reason)) => {
                let trained = self.model.as_ref().map_or(String::new(), |model| {
                    format!("model {} of {} ", model.hash, model.trained_at)
                });
                format!(
                    "{trained}says {}: {}",
                    self.prediction,
                    in_words(reason, unit)
                )
            }
            (None, None) => format!("the prediction is {}", self.prediction),
        }
    }

    fn against_limits(&self) -> Option<String> {
        let (score, limits) = (self.score?, self.limits?);
        let speaking: Vec<&str> = self
            .components
            .iter()
            .filter(|one| one.speaks())
            .map(|one| match one.component {
                Component::Forest => "the isolation forest",
                Component::Band => "the seasonal band",
            })
            .collect();
        let spoke = match speaking.is_empty() {
            true => "no component spoke up".to_owned(),
            false => format!("{} spoke up", speaking.join(" and ")),
        };
        Some(format!(
            "rarity {} against {} for one sample and {} for {} of {}; {spoke}",
            number(score),
            number(limits.single),
            number(limits.persistent),
            limits.needed,
            limits.of
        ))
    }

    fn by_hold(&self) -> Option<String> {
        self.held.then(|| {
            "nothing was learnt from it: an incident or an anomaly under way holds learning"
                .to_owned()
        })
    }
}

fn decided(verdict: Verdict) -> String {
    match verdict {
        Verdict::Calm => "nothing opened: it was calm".into(),
        Verdict::NoSample => "nothing was decided: there was no new sample".into(),
        Verdict::Waiting { since } => format!(
            "nothing opened yet: past its threshold and anomalous since {since}, which is shorter than decide.open_after"
        ),
        Verdict::CrossingWithoutAnomaly { since } => format!(
            "nothing opened: past its threshold since {since}, but the model saw no anomaly"
        ),
        Verdict::AnomalyWithoutCrossing => {
            "nothing opened: anomalous, but short of every threshold; an early warning at most"
                .into()
        }
        Verdict::Opened { incident } => format!("incident {incident} opened"),
        Verdict::Joined { incident } => format!("it joined incident {incident}"),
        Verdict::Extended { incident } => format!("it kept incident {incident} firing"),
        Verdict::CalmMember { incident } => format!(
            "it was calm, as a member of incident {incident}, which goes quiet after decide.quiet_period"
        ),
        Verdict::HeldByResolve { incident } => format!(
            "nothing opened: incident {incident} was resolved while this went on; a new one waits for decide.quiet_period"
        ),
    }
}

fn told(notice: Notice) -> String {
    match notice {
        Notice::Due => "people are to be told".into(),
        Notice::Snoozed { until: Some(until) } => {
            format!("nobody is told: snoozed until {until}")
        }
        Notice::Snoozed { until: None } => "nobody is told: snoozed until it changes".into(),
        Notice::Acknowledged => "nobody is told: it is acknowledged".into(),
    }
}
