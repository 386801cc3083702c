//! The decision ledger: what was decided about each series and why, also when nothing was.
//!
//! An entry holds from its instant until the next one of the same series. Steady decisions are
//! compacted: an entry is written when something about the decision changed, so that hours of
//! "normal" take one. The numbers of each single sample are in the datasets: [`Entry::as_of`] puts
//! them in place of the first ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{
    Band, Component, ComponentScore, Features, Finding, Gap, ModelRef, Prediction, Reason, Row,
    Sample, SeriesId, Severity, Silence, Thresholds, Timestamp,
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
    /// The distance of the ticks at which it held; zero where that was not taken down.
    #[serde(default)]
    pub tick: Duration,
    pub verdict: Verdict,
    pub notice: Option<Notice>,
    /// Why there was no sample; none beside no sample: the series was not watched any more.
    pub gap: Option<Gap>,
    pub sample: Option<Sample>,
    pub severity: Severity,
    pub thresholds: Thresholds,
    pub prediction: Prediction,
    pub silence: Option<Silence>,
    pub reason: Option<Reason>,
    pub score: Option<f64>,
    pub limit: Option<f64>,
    /// Of the sample at `components_at`; which of them speak up stays the same.
    pub components: Vec<ComponentScore>,
    #[serde(default)]
    pub components_at: Option<Timestamp>,
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
    tick: Duration,
    verdict: Verdict,
    notice: Option<Notice>,
    gap: Option<Gap>,
    severity: Severity,
    thresholds: Thresholds,
    prediction: Prediction,
    silence: Option<Silence>,
    /// Without the numbers that follow from the sample's row.
    reason: Option<Reason>,
    limit: Option<f64>,
    speaking: BTreeSet<Component>,
    held: bool,
    model: Option<ModelRef>,
}

/// Which decision holds for each series. Lost with the process and with a gap in the ticks: the
/// first decisions of the next run are entries of their own.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    run: Option<Run>,
    /// None of a series that is not watched any more.
    holding: BTreeMap<SeriesId, Option<Steady>>,
}

/// A stretch of ticks without a gap.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Timestamp,
    newest: Timestamp,
}

impl Run {
    /// The run that a tick belongs to. After the clock was set back, it is the same unless the
    /// instant is before all of it.
    fn with(run: Option<Run>, at: Timestamp, tick: Duration) -> Run {
        match run.filter(|run| at >= run.first && at <= run.newest + tick * 5 / 2) {
            Some(Run { first, newest }) => Run {
                first,
                newest: newest.max(at),
            },
            None => Run {
                first: at,
                newest: at,
            },
        }
    }
}

impl Ledger {
    /// The first tick of the newest run; none before any tick.
    pub fn run_began_at(&self) -> Option<Timestamp> {
        self.run.map(|run| run.first)
    }

    /// The entries that the tick of `at` adds. `findings` and the decisions are in the same order.
    /// Where more than one tick is missing before it, a run begins, and with it every entry.
    pub fn note(
        &mut self,
        at: Timestamp,
        tick: Duration,
        findings: &[Finding],
        decided: &DecideOutput,
    ) -> Vec<Entry> {
        let run = Run::with(self.run, at, tick);
        if self.run_began_at() != Some(run.first) {
            self.holding.clear();
        }
        self.run = Some(run);
        let mut entries = self.let_go(at, tick, findings);
        for (finding, decision) in findings.iter().zip(&decided.decisions) {
            debug_assert_eq!(finding.series, decision.series);
            let holding = self.holding.get(&finding.series).and_then(Option::as_ref);
            // The scrape was decided on before; nothing is new, unless an outage lay between, or
            // another process decided on it.
            let was_decided = |held: &Steady| held.gap.is_none_or(|gap| gap == Gap::Repeated);
            if finding.sample == Err(Gap::Repeated) && holding.is_some_and(was_decided) {
                continue;
            }
            let concerned = decision.verdict.incident();
            let notice = decided
                .notices
                .iter()
                .find(|(incident, _)| Some(*incident) == concerned)
                .map(|(_, notice)| *notice);
            let steady = Steady::of(tick, finding, decision.verdict, notice);
            if holding != Some(&steady) {
                entries.push(Entry::of(tick, finding, decision.verdict, notice));
                self.holding.insert(finding.series.clone(), Some(steady));
            }
        }
        entries
    }

    /// Ends what holds of series that there are no findings of any more.
    fn let_go(&mut self, at: Timestamp, tick: Duration, findings: &[Finding]) -> Vec<Entry> {
        let watched: BTreeSet<&SeriesId> = findings.iter().map(|f| &f.series).collect();
        let mut entries = Vec::new();
        for (series, held) in &mut self.holding {
            if !watched.contains(series)
                && let Some(held) = held.take()
            {
                entries.push(Entry::unwatched(series.clone(), at, tick, held.thresholds));
            }
        }
        entries
    }
}

impl Steady {
    fn of(tick: Duration, finding: &Finding, verdict: Verdict, notice: Option<Notice>) -> Steady {
        let speaking = finding.components.iter().filter(|one| one.speaks());
        Steady {
            tick,
            verdict,
            notice,
            gap: finding.sample.err(),
            severity: finding.severity,
            thresholds: finding.thresholds,
            prediction: finding.prediction,
            silence: finding.silence,
            reason: finding.reason.map(|reason| numbered(reason, 0.0, 0.0)),
            limit: finding.limit,
            speaking: speaking.map(|one| one.component).collect(),
            held: finding.held,
            model: finding.model.clone(),
        }
    }
}

/// A reason with these numbers where they are the sample's own, which its row holds as well.
fn numbered(reason: Reason, score: f64, off: f64) -> Reason {
    match reason {
        Reason::Unusual { limit, .. } => Reason::Unusual { score, limit },
        Reason::BelowMinimumEffect { minimum, .. } => Reason::BelowMinimumEffect {
            distance: off,
            minimum,
        },
        other => other,
    }
}

impl Entry {
    fn of(tick: Duration, finding: &Finding, verdict: Verdict, notice: Option<Notice>) -> Entry {
        Entry {
            series: finding.series.clone(),
            from: finding.at,
            tick,
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
            limit: finding.limit,
            components: finding.components.clone(),
            components_at: finding.newest.map(|sample| sample.time),
            contributions: finding.contributions,
            features: finding.features,
            band: finding.band,
            held: finding.held,
            model: finding.model.clone(),
        }
    }

    fn unwatched(series: SeriesId, at: Timestamp, tick: Duration, thresholds: Thresholds) -> Entry {
        Entry {
            series,
            from: at,
            tick,
            verdict: Verdict::NoSample,
            notice: None,
            gap: None,
            sample: None,
            severity: Severity::Unavailable,
            thresholds,
            prediction: Prediction::Unknown,
            silence: Some(Silence::NoSample),
            reason: None,
            score: None,
            limit: None,
            components: Vec::new(),
            components_at: None,
            contributions: None,
            features: None,
            band: None,
            held: false,
            model: None,
        }
    }

    /// Whether the series was one of those that ticks looked at.
    pub fn is_watched(&self) -> bool {
        self.sample.is_some() || self.gap.is_some()
    }

    /// The newest tick at or before an instant at which this entry held.
    pub fn newest_tick(&self, at: Timestamp) -> Timestamp {
        let tick = self.tick.as_millis().max(1);
        let ticks = at.since(self.from).as_millis() / tick;
        let passed = u64::try_from(ticks * tick).unwrap_or(u64::MAX);
        self.from + Duration::from_millis(passed)
    }

    /// Between which times, both inclusive, the newest row is the one that a tick's decision rests
    /// on; none without a sample. A sample that `next` was the first to judge may be older than
    /// the tick, where it became known late.
    pub fn rests_between(
        &self,
        next: Option<&Entry>,
        tick: Timestamp,
    ) -> Option<(Timestamp, Timestamp)> {
        let first = self.sample?.time;
        let judged_later = next.and_then(|next| next.sample).map(|sample| sample.time);
        let before = judged_later.map(|time| time - Duration::from_millis(1));
        Some((first, before.map_or(tick, |before| before.min(tick))))
    }

    /// The entry at a later tick at which it still held: with the numbers of that tick's row in
    /// place of the first ones. Only `components` stay those of `components_at`.
    pub fn as_of(mut self, row: &Row) -> Entry {
        if self.sample.map(|sample| sample.time) == Some(row.timestamp) {
            return self;
        }
        let off = row.band.map_or(0.0, |band| row.value - band.expected);
        let score = row.score.unwrap_or(0.0);
        self.sample = Some(Sample {
            time: row.timestamp,
            value: row.value,
        });
        self.reason = self.reason.map(|reason| numbered(reason, score, off.abs()));
        self.score = row.score;
        self.features = row.features;
        self.band = row.band;
        self.contributions = None;
        self
    }

    /// What was decided and why, in sentences; `unit` is the metric's.
    pub fn sentences(&self, unit: &str) -> Vec<String> {
        if !self.is_watched() {
            return vec!["nothing was decided: the series was not watched any more".to_owned()];
        }
        let parts = [
            Some(decided(self.verdict)),
            self.against_thresholds(unit),
            self.against_band(unit),
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

    fn against_band(&self, unit: &str) -> Option<String> {
        let (sample, band) = (self.sample?, self.band?);
        let place = match sample.value {
            value if value > band.upper => "above",
            value if value < band.lower => "below",
            _ => "within",
        };
        Some(format!(
            "it is {place} the band: expected {}, usually {} to {}",
            amount(band.expected, unit),
            amount(band.lower, unit),
            amount(band.upper, unit)
        ))
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
        let (score, limit) = (self.score?, self.limit?);
        let speaking: Vec<&str> = self
            .components
            .iter()
            .filter(|one| one.speaks())
            .map(|one| one.component.title())
            .collect();
        let spoke = match speaking.is_empty() {
            true => "called rare by no judge alone".to_owned(),
            false => format!(
                "called rare (once in 1,000 samples at most) by {}",
                speaking.join(", ")
            ),
        };
        // Else the reason has said it.
        Some(match self.reason {
            Some(Reason::Unusual { .. }) => spoke,
            _ => format!(
                "its score is {} of 8, against a limit of {}; {spoke}",
                number(score),
                number(limit)
            ),
        })
    }

    fn by_hold(&self) -> Option<String> {
        self.held
            .then(|| "nothing was learnt from it: an incident holds learning".to_owned())
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
