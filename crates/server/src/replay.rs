//! `bellwether replay`: a recording recomputed tick by tick, or the past of a Prometheus walked
//! through the same engine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use detect::{Outcome, TrainingSet, median_spacing};
use domain::{
    Collection, Gap, Incident, IncidentId, Presence, Sample, SeriesId, SeriesObservation,
    ServiceObservation, SourceState, Timestamp,
};
use engine::{Frame, FrameError, State, Swap, TickInput, decode_frame, step};
use serde::Serialize;
use sources::{BackfillRequest, Collector};

use crate::app::{collect_settings, engine_config, recipe};
use crate::cli::Replay;
use crate::config::{Config, Span};
use crate::offline::progress_bar;
use crate::source::Prepared;
use crate::training::Recipe;

/// The exit code that says: a difference was found.
const DIFFERENT: u8 = 3;
const READ_BYTES: usize = 1 << 20;

/// What recomputing a recording came to.
#[derive(Debug, PartialEq, Serialize)]
pub struct Recomputed {
    pub steps: u64,
    pub evaluated: u64,
    pub incidents_opened: usize,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The first step whose output differs: its number, counted from 1, and its instant.
    pub first_difference: Option<(u64, Timestamp)>,
    /// The recording ends inside a frame, as it does when the server was killed.
    pub cut_short: bool,
}

/// Recomputes a recording and prints what came of it; exit code 3 where an output differs.
///
/// # Errors
/// The file can't be read or is no recording.
pub fn recording(path: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let recomputed =
        recompute(path).with_context(|| format!("replay the recording {}", path.display()))?;
    if json {
        println!("{}", serde_json::to_string(&recomputed)?);
    } else {
        println!(
            "{} steps, {} of them evaluated, {} incidents opened",
            recomputed.steps, recomputed.evaluated, recomputed.incidents_opened
        );
        if recomputed.cut_short {
            println!("the recording ends inside a step; all before it was recomputed");
        }
        match recomputed.first_difference {
            Some((number, at)) => println!("first difference: step {number} at {at}"),
            None => println!("no difference"),
        }
    }
    Ok(match recomputed.first_difference {
        Some(_) => ExitCode::from(DIFFERENT),
        None => ExitCode::SUCCESS,
    })
}

fn recompute(path: &Path) -> anyhow::Result<Recomputed> {
    let mut frames = Frames::open(path)?;
    let Some(Frame::State(state)) = frames.next()? else {
        anyhow::bail!("it does not begin with a state");
    };
    let mut state = State::decode(&state)?;
    let mut result = Recomputed {
        steps: 0,
        evaluated: 0,
        incidents_opened: 0,
        first: None,
        last: None,
        first_difference: None,
        cut_short: false,
    };
    while let Some(frame) = frames.next()? {
        let Frame::Tick { input, output_hash } = frame else {
            anyhow::bail!("a second state follows step {}", result.steps);
        };
        let output = step(&mut state, &input);
        result.steps += 1;
        result.evaluated += u64::from(input.collection.is_some());
        result.incidents_opened += opened(&output.decided.changes).count();
        result.first.get_or_insert(input.at);
        result.last = Some(input.at);
        if output.hash() != output_hash {
            result.first_difference = Some((result.steps, input.at));
            break;
        }
    }
    result.cut_short = frames.cut_short;
    Ok(result)
}

fn opened(changes: &[incident::Change]) -> impl Iterator<Item = IncidentId> {
    changes.iter().filter_map(|change| match change {
        incident::Change::Opened(id) => Some(*id),
        _ => None,
    })
}

/// The frames of a file, read a piece at a time.
struct Frames {
    file: File,
    bytes: Vec<u8>,
    cut_short: bool,
}

impl Frames {
    fn open(path: &Path) -> anyhow::Result<Frames> {
        Ok(Frames {
            file: File::open(path)?,
            bytes: Vec::new(),
            cut_short: false,
        })
    }

    fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            match decode_frame(&self.bytes) {
                Ok((frame, used)) => {
                    self.bytes.drain(..used);
                    return Ok(Some(frame));
                }
                Err(FrameError::CutShort { missing }) => {
                    let wanted = missing.max(READ_BYTES) as u64;
                    let read = (&mut self.file).take(wanted).read_to_end(&mut self.bytes)?;
                    if read == 0 {
                        self.cut_short = !self.bytes.is_empty();
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What walking a past range came to.
#[derive(Debug, Serialize)]
struct Walked {
    from: Timestamp,
    to: Timestamp,
    step_seconds: f64,
    instants: u64,
    series: usize,
    models: usize,
    samples: u64,
    anomalies: u64,
    incidents: Vec<WalkedIncident>,
}

#[derive(Debug, Serialize)]
struct WalkedIncident {
    id: u64,
    service: String,
    opened_ts: Timestamp,
    summary: String,
}

/// Walks the past of the configured Prometheus: trains on the window before `from`, then steps the
/// engine instant by instant, and prints the incidents that would have opened.
///
/// # Errors
/// Prometheus can't be read, or knows no services then.
pub async fn past(config: Config, replay: &Replay) -> anyhow::Result<ExitCode> {
    let (Some(from), Some(to)) = (replay.from, replay.to) else {
        anyhow::bail!("--from and --to are needed");
    };
    anyhow::ensure!(from < to, "--from {from} is not before --to {to}");
    let walk_step = match &replay.step {
        Some(text) => text.parse::<Span>().context("--step")?.0,
        None => config.tick,
    };
    let recipe = recipe(&config)?;
    let prepared = Prepared::of(&config)?;
    let now = crate::clock::now();
    // The embedded store lies in the data directory, which must be ours then.
    let _held = match config.scrape {
        Some(_) => Some(crate::storage::Storage::open(&config.data_dir, now).await?),
        None => None,
    };
    let prometheus = prepared.open(&config, now)?.prometheus;
    let address = prometheus.address().to_owned();
    let mut collector = Collector::new(prometheus, collect_settings(&config))?;
    for at in [from, to] {
        let collected = collector.collect(at).await.collection;
        if let SourceState::Down(why) = collected.source {
            anyhow::bail!("Prometheus at {address}: {why}");
        }
    }
    let since = from - recipe.settings.window;
    let history = fetch(&collector, since, from - walk_step, walk_step).await?;
    let walked_past = fetch(&collector, from, to, walk_step).await?;
    anyhow::ensure!(
        !walked_past.is_empty(),
        "Prometheus knows no service between {from} and {to}"
    );

    let mut state = State::new(engine_config(&config))?;
    let swaps = models(&recipe, history, from);
    let mut walked = Walked {
        from,
        to,
        step_seconds: walk_step.as_secs_f64(),
        instants: 0,
        series: walked_past.len(),
        models: swaps.len(),
        samples: 0,
        anomalies: 0,
        incidents: Vec::new(),
    };
    step(
        &mut state,
        &TickInput {
            swaps,
            ..TickInput::between(from - walk_step)
        },
    );
    walk(&mut state, &walked_past, walk_step, &mut walked);
    print(&walked, replay.json)
}

async fn fetch(
    collector: &Collector,
    from: Timestamp,
    to: Timestamp,
    step: Duration,
) -> anyhow::Result<BTreeMap<SeriesId, Vec<Sample>>> {
    let bar = progress_bar(1_000).with_message("reading the past");
    let mut samples: BTreeMap<SeriesId, Vec<Sample>> = BTreeMap::new();
    let request = BackfillRequest {
        from,
        to,
        step,
        series: None,
    };
    let report = collector
        .backfill(request)
        .run(|slice| {
            bar.set_position((slice.done * 1_000.0) as u64);
            for past in slice.pasts.unwrap_or_default() {
                samples.entry(past.series).or_default().extend(past.samples);
            }
        })
        .await;
    bar.finish_and_clear();
    if let Some(failure) = report.failure {
        anyhow::bail!(
            "{} slices of the past could not be read: {failure}",
            report.slices_failed
        );
    }
    Ok(samples)
}

/// Models from the history, as swaps.
fn models(recipe: &Recipe, history: BTreeMap<SeriesId, Vec<Sample>>, now: Timestamp) -> Vec<Swap> {
    let train = |(series, samples): (SeriesId, Vec<Sample>)| {
        let spec = recipe.catalogue.get(&series.metric)?;
        let step = median_spacing(&samples)?.max(recipe.tick);
        let set = TrainingSet {
            series: &series,
            samples: &samples,
            masks: &[],
            step,
        };
        match detect::train(set, spec, &recipe.settings, &recipe.season, now, None) {
            Outcome::Trained(trained) => Some(Swap {
                model: Some(trained.model.encode().into()),
                state: trained.state.map(|state| state.encode().into()),
                series: series.clone(),
            }),
            _ => None,
        }
    };
    history.into_iter().filter_map(train).collect()
}

/// Steps the engine from instant to instant, with the samples that are new at each.
fn walk(
    state: &mut State,
    pasts: &BTreeMap<SeriesId, Vec<Sample>>,
    walk_step: Duration,
    walked: &mut Walked,
) {
    let mut incidents: BTreeMap<IncidentId, Arc<Incident>> = BTreeMap::new();
    let mut at = walked.from.floor_to(walk_step);
    while at <= walked.to {
        let collection = collection(pasts, at, walk_step);
        let output = step(state, &TickInput::of(collection));
        walked.instants += 1;
        walked.samples += output.findings.iter().filter(|f| f.sample.is_ok()).count() as u64;
        walked.anomalies += output
            .findings
            .iter()
            .filter(|f| f.sample.is_ok() && f.prediction == domain::Prediction::Anomaly)
            .count() as u64;
        for id in opened(&output.decided.changes) {
            let whole = output
                .decided
                .incidents
                .iter()
                .find(|incident| incident.id == id);
            incidents.extend(whole.map(|incident| (id, Arc::clone(incident))));
        }
        at = at + walk_step;
    }
    walked.incidents = incidents
        .into_values()
        .map(|incident| WalkedIncident {
            id: incident.id.0,
            service: incident.service.to_string(),
            opened_ts: incident.opened,
            summary: incident.summary.clone(),
        })
        .collect();
}

/// What a look at `at` would have brought.
fn collection(
    pasts: &BTreeMap<SeriesId, Vec<Sample>>,
    at: Timestamp,
    walk_step: Duration,
) -> Collection {
    let mut services: Vec<ServiceObservation> = Vec::new();
    let mut series = Vec::new();
    for (id, samples) in pasts {
        if services
            .last()
            .is_none_or(|service| service.id != id.service)
        {
            services.push(ServiceObservation {
                id: id.service.clone(),
                presence: Presence::Up,
                instances: 1,
                started: None,
                version: None,
                step: walk_step,
            });
        }
        let newest = samples
            .partition_point(|sample| sample.time <= at)
            .checked_sub(1);
        let sample = newest.map(|index| samples[index]);
        let fresh = sample.filter(|sample| at.since(sample.time) < walk_step);
        series.push(SeriesObservation {
            series: id.clone(),
            outcome: fresh.ok_or(Gap::NoData),
            instance: None,
            proxy: false,
        });
    }
    Collection {
        at,
        source: SourceState::Healthy,
        services,
        series,
        remarks: Vec::new(),
    }
}

fn print(walked: &Walked, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string(walked)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} instants from {} to {}, {} series, {} models, {} samples, {} anomalies, {} incidents",
        walked.instants,
        walked.from,
        walked.to,
        walked.series,
        walked.models,
        walked.samples,
        walked.anomalies,
        walked.incidents.len()
    );
    for incident in &walked.incidents {
        println!(
            "#{} opened {}: {}",
            incident.id, incident.opened_ts, incident.summary
        );
    }
    Ok(ExitCode::SUCCESS)
}
