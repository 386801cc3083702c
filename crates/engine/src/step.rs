//! One tick: take what came in, featurise and score each series, decide, place the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use detect::{Context, Judgement, MetricScore, SeriesState, effect, is_odd_now, limit_of};
use domain::{
    Catalogue, ChangeFact, ChangeKind, Collection, Finding, Gap, MetricSpec, Part, Prediction, Row,
    Sample, SeriesObservation, ServiceId, Severity, Silence, Timestamp,
};
use incident::{DecideInput, DecideOutput};

use crate::input::{Swap, TickInput};
use crate::output::{PlacedRow, TickOutput};
use crate::state::{Series, State, decode_model};

/// Advances the state by one tick. A configuration whose time zone is unknown is not taken over:
/// the caller checks it with [`State::new`] first.
pub fn step(state: &mut State, input: &TickInput) -> TickOutput {
    let at = input.at;
    reconfigure(state, input);
    let mut own_changes = Vec::new();
    if input.config.is_some() {
        own_changes.push(own_change(at, None, ChangeKind::ConfigReloaded));
    }
    let mut refused_swaps = Vec::new();
    for swap in &input.swaps {
        match take(state, swap) {
            Ok(retrained) => own_changes.extend(retrained),
            Err(why) => refused_swaps.push((swap.series.clone(), why)),
        }
    }

    let mut findings = Vec::new();
    if let Some(collection) = &input.collection {
        for observation in &collection.series {
            let step = step_of(collection, &observation.series.service, state.config.tick);
            findings.extend(judge(state, observation, step, at));
        }
    }

    let decided = decide(state, input, &findings, &own_changes);
    let rows = place(state, &findings);
    TickOutput {
        at,
        rows,
        early_warnings: early_warnings(state, input.collection.as_ref(), &findings),
        decided,
        findings,
        refused_swaps,
    }
}

fn reconfigure(state: &mut State, input: &TickInput) {
    if let Some(config) = &input.config
        && let Ok(season) = detect::Season::new(&config.timezone)
    {
        state.config = config.clone();
        state.season = season;
        let catalogue = &state.config.catalogue;
        state
            .series
            .retain(|id, _| catalogue.get(&id.metric).is_some());
    }
}

fn own_change(at: Timestamp, service: Option<ServiceId>, kind: ChangeKind) -> ChangeFact {
    ChangeFact { at, service, kind }
}

/// Takes a new model, a new memory, or both. Says the retraining where another model takes the place of one.
fn take(state: &mut State, swap: &Swap) -> Result<Option<ChangeFact>, String> {
    let model = swap
        .model
        .as_ref()
        .map(|bytes| decode_model(bytes, &swap.series))
        .transpose();
    let model = model.map_err(|error| error.to_string())?;
    let memory = swap.state.as_ref().map(|bytes| SeriesState::decode(bytes));
    let memory = memory.transpose().map_err(|error| error.to_string())?;
    let Some(spec) = state.config.catalogue.get(&swap.series.metric) else {
        return Err("its metric is not configured any more".into());
    };
    let masked = state.decide.firing(&swap.series.service).is_some();
    let series = state.series.entry(swap.series.clone()).or_default();
    let mut retrained = None;
    if let Some((model, reference)) = model {
        let before = series.model.replace((model, reference.clone()));
        let is_other = before.is_some_and(|(_, before)| before.hash != reference.hash);
        retrained = is_other.then(|| {
            let (metric, model) = (swap.series.metric.clone(), reference.hash);
            let kind = ChangeKind::Retrained { metric, model };
            own_change(
                reference.trained_at,
                Some(swap.series.service.clone()),
                kind,
            )
        });
    }
    if let Some(memory) = memory {
        let context = Context {
            spec,
            season: &state.season,
            step: series.step.unwrap_or(state.config.tick),
            alarm_budget: state.config.alarm_budget,
            masked,
        };
        remember_anew(series, memory, context);
    }
    Ok(retrained)
}

/// Takes another memory; samples that came since it was made are judged again.
fn remember_anew(series: &mut Series, memory: SeriesState, context: Context<'_>) {
    let since = memory
        .newest()
        .map_or(Timestamp::from_millis(i64::MIN), |sample| sample.time);
    let missed = series.memory.samples_after(since);
    series.memory = memory;
    let model = series.model.as_ref().map(|(model, _)| &**model);
    for sample in missed {
        series.memory.step(model, sample, context);
    }
}

fn step_of(collection: &Collection, service: &ServiceId, tick: Duration) -> Duration {
    let services = &collection.services;
    let found = services.binary_search_by(|s| s.id.cmp(service));
    found.map_or(tick, |index| services[index].step.max(tick))
}

/// One series: featurise, score, severity. None if its metric isn't configured.
fn judge(
    state: &mut State,
    observation: &SeriesObservation,
    step: Duration,
    at: Timestamp,
) -> Option<Finding> {
    let spec = state.config.catalogue.get(&observation.series.metric)?;
    let masked = state.decide.firing(&observation.series.service).is_some();
    let series = state.series.entry(observation.series.clone()).or_default();
    series.step = Some(step);
    let newest = series.memory.newest();
    let outcome = observation.outcome.and_then(|sample| match newest {
        Some(newest) if sample.time <= newest.time => Err(Gap::Repeated),
        _ => Ok(sample),
    });
    Some(match outcome {
        Ok(sample) => {
            let context = Context {
                spec,
                season: &state.season,
                step,
                alarm_budget: state.config.alarm_budget,
                masked,
            };
            let model = series.model.as_ref().map(|(model, _)| &**model);
            let judgement = series.memory.step(model, sample, context);
            let finding = judged(observation, spec, sample, judgement, series, at);
            series.last = Some(finding.clone());
            finding
        }
        Err(Gap::Repeated) => match &series.last {
            Some(last) => Finding {
                at,
                sample: Err(Gap::Repeated),
                ..last.clone()
            },
            None => missing(observation, spec, Gap::Repeated, newest, at),
        },
        Err(gap) => missing(observation, spec, gap, newest, at),
    })
}

fn judged(
    observation: &SeriesObservation,
    spec: &MetricSpec,
    sample: Sample,
    judgement: Judgement,
    series: &Series,
    at: Timestamp,
) -> Finding {
    let thresholds = spec.thresholds_for(&observation.series.service);
    Finding {
        series: observation.series.clone(),
        at,
        sample: Ok(sample),
        newest: Some(sample),
        instance: observation.instance.clone(),
        proxy: observation.proxy,
        at_least: spec.at_least_from.is_some_and(|from| sample.value >= from),
        severity: thresholds.severity(sample.value, spec.direction),
        thresholds,
        prediction: judgement.prediction,
        silence: judgement.silence,
        reason: judgement.reason,
        score: judgement.score,
        limit: judgement.limit,
        held: judgement.held,
        features: judgement.features,
        band: judgement.band,
        components: judgement.components,
        contributions: judgement.contributions,
        model: series
            .model
            .as_ref()
            .map(|(_, reference)| reference.clone()),
    }
}

fn missing(
    observation: &SeriesObservation,
    spec: &MetricSpec,
    gap: Gap,
    newest: Option<Sample>,
    at: Timestamp,
) -> Finding {
    Finding {
        series: observation.series.clone(),
        at,
        sample: Err(gap),
        newest,
        instance: None,
        proxy: observation.proxy,
        at_least: false,
        severity: Severity::Unavailable,
        thresholds: spec.thresholds_for(&observation.series.service),
        prediction: Prediction::Unknown,
        silence: Some(Silence::NoSample),
        reason: None,
        score: None,
        limit: None,
        held: false,
        features: None,
        band: None,
        components: Vec::new(),
        contributions: None,
        model: None,
    }
}

fn decide(
    state: &mut State,
    input: &TickInput,
    findings: &[Finding],
    own_changes: &[ChangeFact],
) -> DecideOutput {
    let State {
        decide,
        series,
        config,
        ..
    } = state;
    let past = |id: &domain::SeriesId| {
        series
            .get(id)
            .map(|series| series.memory.samples().collect())
            .unwrap_or_default()
    };
    decide.step(&DecideInput {
        now: input.at,
        tick: config.tick,
        settings: &config.decide,
        catalogue: &config.catalogue,
        collection: input.collection.as_ref(),
        findings,
        past: &past,
        commands: &input.commands,
        gathered: &input.gathered,
        events: &input.events,
        own_changes,
    })
}

/// Rows of the members of a firing incident belong to anomaly, all others to history.
fn place(state: &State, findings: &[Finding]) -> Vec<PlacedRow> {
    let place = |finding: &Finding| {
        let row = Row::of(finding)?;
        let member = state
            .decide
            .firing(&finding.series.service)
            .is_some_and(|incident| incident.member(&finding.series.metric).is_some());
        let part = if member { Part::Anomaly } else { Part::History };
        Some(PlacedRow {
            series: finding.series.clone(),
            part,
            row,
        })
    };
    findings.iter().filter_map(place).collect()
}

/// Services that are odd as a whole, their strongest metrics taken together, while none of these is
/// past a threshold and no incident fires.
fn early_warnings(
    state: &mut State,
    collection: Option<&Collection>,
    findings: &[Finding],
) -> Vec<ServiceId> {
    let Some(collection) = collection else {
        return Vec::new();
    };
    let mut said: BTreeMap<&ServiceId, Vec<MetricScore>> = BTreeMap::new();
    let mut crossing = BTreeSet::new();
    for finding in findings {
        let service = &finding.series.service;
        let of_service = said.entry(service).or_default();
        of_service.extend(metric_score(&state.config.catalogue, finding));
        if finding.severity >= Severity::High {
            crossing.insert(service);
        }
    }
    state.services.retain(|id, _| said.contains_key(id));
    let mut warned = Vec::new();
    for (id, metrics) in said {
        let step = step_of(collection, id, state.config.tick);
        let limit = limit_of(step, state.config.alarm_budget);
        let service = state.services.entry(id.clone()).or_default();
        let judged = service.step(metrics, limit);
        let is_worse = crossing.contains(id) || state.decide.firing(id).is_some();
        if (judged.is_anomaly || judged.goes_on) && !is_worse {
            warned.push(id.clone());
        }
    }
    warned
}

/// What is said about a metric that was judged.
fn metric_score(catalogue: &Catalogue, finding: &Finding) -> Option<MetricScore> {
    let (sample, score, band) = (finding.newest?, finding.score?, finding.band?);
    let spec = catalogue.get(&finding.series.metric)?;
    let matters = effect(sample.value, band, spec).is_ok();
    Some(MetricScore {
        score: if matters { score } else { 0.0 },
        is_odd_now: is_odd_now(&finding.components),
        is_anomaly: finding.prediction == Prediction::Anomaly,
    })
}
