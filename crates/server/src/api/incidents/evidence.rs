//! What explains an incident, as the API shows it: when, what changed, which, how unusual, and what
//! happened before. Every question has an answer in words, also when it is that nothing is known.

use domain::{
    BreakdownOutcome, ChangeFact, ChangeKind, Changes, Evidence, FEATURE_NAMES, Incident,
    Precedent, Prediction, Severity, Shifts, Status, Timestamp, Unusual,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::logs::PatternsView;
use super::super::openapi::{
    ComponentWord, IncidentStatus, PredictionWord, SeverityWord, Time, words,
};

words! {
    /// Where a metric went.
    DirectionWord: "rose", "fell";
    /// What taking a label value away says: without the first part it would not be an anomaly; it
    /// goes on whichever single value is removed; there is one value only; or not enough to say.
    BreakdownOutcomeWord: "carried", "spread", "one_value", "not_enough";
    /// A feature of the forest.
    FeatureWord: "value", "delta", "rolling_mean", "rolling_std", "zscore";
}

/// The answers to the questions of an incident.
#[derive(Serialize, ToSchema)]
pub struct Explanation {
    when: WhenView,
    what_changed: ChangesView,
    /// The service's metrics that moved, strongest first.
    shifts: ShiftsView,
    which: WhichView,
    how_unusual: Vec<UnusualView>,
    /// Which log patterns are new, risen, fallen or gone.
    logs: PatternsView,
    similar: SimilarView,
    /// What could not be gathered, and why.
    missing: Vec<String>,
}

/// When it began, and how sure that is.
#[derive(Serialize, ToSchema)]
#[schema(as = When)]
struct WhenView {
    answer: String,
    #[schema(value_type = Time)]
    onset_ts: Timestamp,
    /// The onset lies between these with 95 % confidence; null for an availability incident.
    #[schema(value_type = Option<[Time; 2]>)]
    onset_between_ts: Option<[Timestamp; 2]>,
    #[schema(value_type = Time)]
    first_crossing_ts: Timestamp,
    #[schema(value_type = Time)]
    opened_ts: Timestamp,
    #[schema(value_type = Time)]
    last_seen_ts: Timestamp,
    #[schema(value_type = Option<Time>)]
    ended_ts: Option<Timestamp>,
}

/// What else changed, near its beginning.
#[derive(Serialize, ToSchema)]
#[schema(as = Changes)]
struct ChangesView {
    answer: String,
    #[schema(value_type = Option<Time>)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    to: Option<Timestamp>,
    /// Oldest first.
    items: Vec<ChangeView>,
    omitted: u32,
}

/// Something that changed.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
struct ChangeView {
    #[schema(value_type = Time)]
    at: Timestamp,
    /// `restart`, `version`, `replicas`, `config_reload`, `retraining`, or the kind of a posted event.
    kind: String,
    /// Whether somebody posted it.
    posted: bool,
    /// Null where it concerns the whole fleet.
    service: Option<String>,
    text: String,
    version: Option<String>,
    link: Option<String>,
    by: Option<String>,
}

/// Which metrics of the service moved.
#[derive(Serialize, ToSchema)]
#[schema(as = Shifts)]
struct ShiftsView {
    answer: String,
    #[schema(value_type = Option<Time>)]
    baseline_from: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    to: Option<Timestamp>,
    items: Vec<ShiftView>,
    steady: Vec<String>,
    too_few_samples: Vec<String>,
}

/// How a metric moved.
#[derive(Serialize, ToSchema)]
#[schema(as = Shift)]
struct ShiftView {
    metric: String,
    title: String,
    unit: String,
    #[schema(value_type = DirectionWord)]
    direction: &'static str,
    /// Difference of the medians in robust standard deviations of the baseline.
    effect: f64,
    before: f64,
    during: f64,
    spread: f64,
    samples_before: u32,
    samples_during: u32,
    query: String,
    text: String,
}

/// Which label values carry it.
#[derive(Serialize, ToSchema)]
#[schema(as = Which)]
struct WhichView {
    answer: String,
    breakdowns: Vec<BreakdownView>,
}

/// A metric, taken apart by a label.
#[derive(Serialize, ToSchema)]
#[schema(as = Breakdown)]
struct BreakdownView {
    metric: String,
    of: String,
    label: String,
    unit: String,
    #[schema(value_type = Time)]
    at: Timestamp,
    #[schema(value_type = BreakdownOutcomeWord)]
    outcome: BreakdownOutcome,
    whole: Option<f64>,
    limit: f64,
    text: String,
    parts: Vec<PartView>,
    omitted: u32,
}

/// One value of a label.
#[derive(Serialize, ToSchema)]
#[schema(as = BreakdownPart)]
struct PartView {
    value: String,
    carries: bool,
    share: f64,
    alone: Option<f64>,
    without: Option<f64>,
    query: String,
}

/// How unusual a value is.
#[derive(Serialize, ToSchema)]
#[schema(as = Unusual)]
struct UnusualView {
    metric: String,
    title: String,
    unit: String,
    #[schema(value_type = Time)]
    at: Timestamp,
    actual: f64,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    #[schema(value_type = SeverityWord)]
    severity: Severity,
    high: Option<f64>,
    critical: Option<f64>,
    #[schema(value_type = PredictionWord)]
    prediction: Prediction,
    /// The mean of the judges' rarities, smoothed over the samples, 0 to 8.
    #[schema(minimum = 0, maximum = 8)]
    score: Option<f64>,
    /// From which score on it is an anomaly.
    score_limit: Option<f64>,
    components: Vec<ComponentView>,
    contributions: Option<Vec<ContributionView>>,
    model: Option<String>,
    #[schema(value_type = Option<Time>)]
    model_trained_at: Option<Timestamp>,
    precedent: Option<PrecedentView>,
    text: Vec<String>,
}

/// What one judge says.
#[derive(Serialize, ToSchema)]
#[schema(as = Component)]
pub struct ComponentView {
    #[schema(value_type = ComponentWord)]
    name: &'static str,
    /// 0 to 1 for the forest; distances in units of the usual one for the others.
    statistic: f64,
    /// Of the forest: the statistic above which a row is a raw anomaly.
    threshold: Option<f64>,
    /// −log10 of its tail probability on this series.
    #[schema(minimum = 0, maximum = 8)]
    rarity: f64,
    /// It sees such a sample once in a thousand, or less often.
    speaks: bool,
}

/// What a feature contributes.
#[derive(Serialize, ToSchema)]
#[schema(as = Contribution)]
struct ContributionView {
    #[schema(value_type = FeatureWord)]
    feature: &'static str,
    contribution: f64,
}

/// Whether such a value was there before.
#[derive(Serialize, ToSchema)]
#[schema(as = Precedent)]
struct PrecedentView {
    #[schema(value_type = Time)]
    from: Timestamp,
    #[schema(value_type = Time)]
    to: Timestamp,
    rows: u64,
    as_extreme: u64,
    most_extreme: Option<f64>,
    #[schema(value_type = Option<Time>)]
    most_extreme_ts: Option<Timestamp>,
    week_before_median: Option<f64>,
    week_before_samples: Option<u32>,
}

/// Past incidents like this one.
#[derive(Serialize, ToSchema)]
#[schema(as = Similar)]
struct SimilarView {
    answer: String,
    items: Vec<SimilarIncidentView>,
}

/// A past incident.
#[derive(Serialize, ToSchema)]
#[schema(as = SimilarIncident)]
struct SimilarIncidentView {
    id: u64,
    #[schema(value_type = Time)]
    opened_ts: Timestamp,
    #[schema(value_type = IncidentStatus)]
    status: Status,
    duration_seconds: Option<u64>,
    shared_metrics: Vec<String>,
    /// Templates that were new or risen in both.
    shared_patterns: Vec<String>,
    similarity: f64,
    resolved_by: Option<String>,
    last_comment: Option<String>,
    summary: String,
}

impl Explanation {
    pub fn of(incident: &Incident) -> Explanation {
        let evidence = &incident.evidence;
        Explanation {
            when: when(incident),
            what_changed: changes(evidence.changes.as_ref()),
            shifts: shifts(evidence.shifts.as_ref()),
            which: which(incident, evidence),
            how_unusual: evidence.unusual.iter().map(unusual).collect(),
            logs: PatternsView::of(evidence.patterns.as_ref()),
            similar: similar(evidence),
            missing: evidence.failed.clone(),
        }
    }
}

fn when(incident: &Incident) -> WhenView {
    let earliest = incident.members.iter().min_by_key(|member| member.onset);
    let between = earliest.map(|member| member.onset_between);
    let mut answer = format!("it began at {}", incident.onset);
    if let Some((from, to)) = between.filter(|(from, to)| from < to) {
        answer += &format!(" (between {from} and {to})");
    }
    answer += &format!(
        ", first crossed its threshold at {} and was opened at {}",
        incident.first_crossing, incident.opened
    );
    answer += &match incident.ended {
        Some(ended) => format!("; it ended at {ended}"),
        None => format!("; it was last seen at {}", incident.last_seen),
    };
    WhenView {
        answer,
        onset_ts: incident.onset,
        onset_between_ts: between.map(|(from, to)| [from, to]),
        first_crossing_ts: incident.first_crossing,
        opened_ts: incident.opened,
        last_seen_ts: incident.last_seen,
        ended_ts: incident.ended,
    }
}

fn changes(changes: Option<&Changes>) -> ChangesView {
    let Some(changes) = changes else {
        return ChangesView {
            answer: "not enough evidence: it was opened by an older Bellwether".into(),
            from: None,
            to: None,
            items: Vec::new(),
            omitted: 0,
        };
    };
    let known = changes.known_from.map_or(String::new(), |known| {
        format!("; what changed before {known} is not known, for the service was first seen then")
    });
    let answer = match &changes.facts[..] {
        [] if changes.known_from.is_some() => format!("not enough evidence{known}"),
        [] => "nothing else changed".to_owned(),
        facts => {
            let words: Vec<String> = facts.iter().map(in_words).collect();
            format!("{}{known}", words.join("; "))
        }
    };
    ChangesView {
        answer,
        from: Some(changes.from),
        to: Some(changes.to),
        items: changes.facts.iter().map(change).collect(),
        omitted: changes.omitted,
    }
}

fn in_words(fact: &ChangeFact) -> String {
    format!("{} at {}", fact.kind, fact.at)
}

fn change(fact: &ChangeFact) -> ChangeView {
    let mut view = ChangeView {
        at: fact.at,
        kind: String::new(),
        posted: false,
        service: fact.service.as_ref().map(ToString::to_string),
        text: in_words(fact),
        version: None,
        link: None,
        by: None,
    };
    view.kind = match &fact.kind {
        ChangeKind::Restarted => "restart".into(),
        ChangeKind::Version { to, .. } => {
            view.version = Some(to.to_string());
            "version".into()
        }
        ChangeKind::Replicas { .. } => "replicas".into(),
        ChangeKind::ConfigReloaded => "config_reload".into(),
        ChangeKind::Retrained { .. } => "retraining".into(),
        ChangeKind::Posted(event) => {
            view.posted = true;
            view.version = event.version.clone();
            view.link = event.link.clone();
            view.by = event.by.clone();
            event.kind.clone()
        }
    };
    view
}

fn shifts(shifts: Option<&Shifts>) -> ShiftsView {
    let Some(shifts) = shifts else {
        return ShiftsView {
            answer: "not enough evidence: it was opened by an older Bellwether".into(),
            baseline_from: None,
            from: None,
            to: None,
            items: Vec::new(),
            steady: Vec::new(),
            too_few_samples: Vec::new(),
        };
    };
    let answer = match shifts.ranked.first() {
        Some(strongest) => strongest.text.clone(),
        None if shifts.steady.is_empty() => {
            "not enough evidence: too few samples before or since the onset".to_owned()
        }
        None => "no metric of the service moved".to_owned(),
    };
    let items = shifts.ranked.iter().map(|shift| ShiftView {
        metric: shift.metric.clone(),
        title: shift.title.clone(),
        unit: shift.unit.clone(),
        direction: if shift.effect < 0.0 { "fell" } else { "rose" },
        effect: shift.effect,
        before: shift.before,
        during: shift.during,
        spread: shift.spread,
        samples_before: shift.samples_before,
        samples_during: shift.samples_during,
        query: shift.query.clone(),
        text: shift.text.clone(),
    });
    ShiftsView {
        answer,
        baseline_from: Some(shifts.baseline_from),
        from: Some(shifts.from),
        to: Some(shifts.to),
        items: items.collect(),
        steady: shifts.steady.clone(),
        too_few_samples: shifts.too_few.clone(),
    }
}

fn which(incident: &Incident, evidence: &Evidence) -> WhichView {
    let carried = evidence
        .breakdowns
        .iter()
        .filter(|breakdown| breakdown.outcome == BreakdownOutcome::Carried);
    let words: Vec<&str> = carried.map(|breakdown| breakdown.text.as_str()).collect();
    let service = &incident.service;
    let answer = match (words.is_empty(), evidence.breakdowns.is_empty()) {
        (false, _) => format!("{service}: {}", words.join("; ")),
        (true, false) => format!("{service}, and no single label value carries it"),
        (true, true) => {
            format!("{service}; not enough evidence for more: no metric with labels is a member")
        }
    };
    let breakdowns = evidence.breakdowns.iter().map(|breakdown| BreakdownView {
        metric: breakdown.metric.to_string(),
        of: breakdown.of.clone(),
        label: breakdown.label.clone(),
        unit: breakdown.unit.clone(),
        at: breakdown.at,
        outcome: breakdown.outcome,
        whole: breakdown.whole,
        limit: breakdown.limit,
        text: breakdown.text.clone(),
        parts: breakdown.parts.iter().map(part).collect(),
        omitted: breakdown.omitted,
    });
    WhichView {
        answer,
        breakdowns: breakdowns.collect(),
    }
}

fn part(part: &domain::BreakdownPart) -> PartView {
    PartView {
        value: part.value.clone(),
        carries: part.carries,
        share: part.share,
        alone: part.alone,
        without: part.without,
        query: part.query.clone(),
    }
}

fn unusual(unusual: &Unusual) -> UnusualView {
    let contributions = unusual.contributions.map(|contributions| {
        let named = FEATURE_NAMES.into_iter().zip(contributions);
        let view = |(feature, contribution)| ContributionView {
            feature,
            contribution,
        };
        named.map(view).collect()
    });
    UnusualView {
        metric: unusual.metric.to_string(),
        title: unusual.title.clone(),
        unit: unusual.unit.clone(),
        at: unusual.at,
        actual: unusual.actual,
        expected: unusual.band.map(|band| band.expected),
        lower: unusual.band.map(|band| band.lower),
        upper: unusual.band.map(|band| band.upper),
        severity: unusual.severity,
        high: unusual.thresholds.high,
        critical: unusual.thresholds.critical,
        prediction: unusual.prediction,
        score: unusual.score,
        score_limit: unusual.limit,
        components: unusual.components.iter().map(component).collect(),
        contributions,
        model: unusual.model.as_ref().map(|model| model.hash.to_string()),
        model_trained_at: unusual.model.as_ref().map(|model| model.trained_at),
        precedent: unusual.precedent.as_ref().map(precedent),
        text: unusual.text.clone(),
    }
}

pub fn component(one: &domain::ComponentScore) -> ComponentView {
    ComponentView {
        name: one.component.as_str(),
        statistic: one.statistic,
        threshold: one.threshold,
        rarity: one.rarity,
        speaks: one.speaks(),
    }
}

fn precedent(precedent: &Precedent) -> PrecedentView {
    PrecedentView {
        from: precedent.from,
        to: precedent.to,
        rows: precedent.rows,
        as_extreme: precedent.as_extreme,
        most_extreme: precedent.most_extreme.map(|sample| sample.value),
        most_extreme_ts: precedent.most_extreme.map(|sample| sample.time),
        week_before_median: precedent.week_before.map(|(median, _)| median),
        week_before_samples: precedent.week_before.map(|(_, samples)| samples),
    }
}

fn similar(evidence: &Evidence) -> SimilarView {
    let items = evidence.similar.iter().flatten();
    let items: Vec<SimilarIncidentView> = items
        .map(|similar| SimilarIncidentView {
            id: similar.id.0,
            opened_ts: similar.opened,
            status: similar.status,
            duration_seconds: similar.lasted.map(|lasted| lasted.as_secs()),
            shared_metrics: similar.shared.iter().map(ToString::to_string).collect(),
            shared_patterns: similar.shared_patterns.clone(),
            similarity: similar.similarity,
            resolved_by: similar.resolved_by.clone(),
            last_comment: similar.last_comment.clone(),
            summary: similar.summary.clone(),
        })
        .collect();
    let answer = match (&evidence.similar, items.len()) {
        (None, _) => "not looked for yet".to_owned(),
        (Some(_), 0) => {
            "no past incident of the service shares a metric or a log pattern".to_owned()
        }
        (Some(_), count) => {
            format!("{count} past incidents of the service share metrics or log patterns")
        }
    };
    SimilarView { answer, items }
}
