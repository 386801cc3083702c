//! Runs a story: history is laid down, models are trained, and the engine is stepped from tick to
//! tick, with commands, events and evidence between them, as the server does it.

use std::collections::BTreeMap;
use std::sync::Arc;

use detect::Season;
use domain::{
    Actor, Direction, Episode, EvidenceRequest, Gathered, Incident, IncidentId, LogOutcome,
    LogPatterns, PostedEvent, Precedent, RequestMember, Sample, SeriesId, Timestamp,
};
use engine::{State, TickInput, TickOutput};
use incident::{Command, CommandKind, LogShift, LogShiftWindows, Masks, SnoozeUntil};

use super::expectations;
use super::logbook::{FLUSH, Logbook};
use super::report::{Failure, Report};
use super::script::{Happening, Knob, Order, Story, Wish};
use super::vocabulary::refusal_word;
use super::witness::Witness;
use super::world::World;
use crate::dataset::Dataset;
use crate::settings::Settings;

/// Half an hour before and after the same time of the week before.
const WEEK_MS: i64 = 7 * 86_400_000;
const HALF_HOUR_MS: i64 = 1_800_000;

/// Why a story can't be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Timezone(#[from] detect::UnknownTimezone),
    #[error(transparent)]
    Config(#[from] engine::ConfigError),
}

/// Runs a story to its end and says which expectations failed.
///
/// # Errors
/// A time zone that isn't known.
pub fn run(story: &Story) -> Result<Report, RunError> {
    let season = Season::new(&story.settings.engine.timezone)?;
    let mut runner = Runner {
        story,
        season: season.clone(),
        settings: story.settings.clone(),
        world: World::new(story, season),
        logbook: Logbook::new(story),
        state: State::new(story.settings.engine.clone())?,
        datasets: BTreeMap::new(),
        witness: Witness::default(),
        next: TickInput::between(story.starts),
        gathered: Vec::new(),
        read_again: Vec::new(),
        posted: Vec::new(),
        commands: 0,
        failures: Vec::new(),
    };
    runner.lay_down_history();
    runner.train(story.starts);
    let mut schedule = schedule(story);
    schedule.sort_by_key(|(at, order, _)| (*at, *order));
    for (at, _, step) in schedule {
        match step {
            Step::Happen(index) => runner.happen(at, index),
            Step::Tick => runner.tick(at),
            Step::Expect(index) => runner.expect(index),
        }
    }
    runner.between(story.starts + story.ends, |_| {});
    for (index, expectation) in story.expectations.iter().enumerate() {
        if expectation.at.is_none() {
            runner.expect(index);
        }
    }
    runner.failures.sort_by_key(|failure| failure.line);
    Ok(Report {
        file: story.file.clone(),
        starts: story.starts,
        checked: story.expectations.len(),
        failures: runner.failures,
        incidents: runner.witness.incidents.into_values().collect(),
    })
}

#[derive(Clone, Copy)]
enum Step {
    Happen(usize),
    Tick,
    Expect(usize),
}

/// At one instant things happen first, then Bellwether looks, then it is looked at.
fn schedule(story: &Story) -> Vec<(Timestamp, u8, Step)> {
    let starts = story.starts;
    let tick = story.settings.engine.tick;
    let ticks = u32::try_from(story.ends.as_millis() / tick.as_millis().max(1)).unwrap_or(u32::MAX);
    let first = starts.floor_to(tick);
    let mut schedule: Vec<(Timestamp, u8, Step)> = (0..=ticks)
        .map(|n| (first + tick * n, 1, Step::Tick))
        .collect();
    let moments = story.moments.iter().enumerate();
    schedule.extend(moments.map(|(index, m)| (starts + m.at, 0, Step::Happen(index))));
    let expected = story.expectations.iter().enumerate();
    let timed = expected.filter_map(|(index, e)| Some((starts + e.at?, 2, Step::Expect(index))));
    schedule.extend(timed);
    schedule
}

struct Runner<'a> {
    story: &'a Story,
    season: Season,
    /// As they are now.
    settings: Settings,
    world: World<'a>,
    logbook: Logbook<'a>,
    state: State,
    datasets: BTreeMap<SeriesId, Dataset>,
    witness: Witness,
    /// Configuration and swaps wait here for the next tick, …
    next: TickInput,
    /// … and evidence for the next step.
    gathered: Vec<(IncidentId, Gathered)>,
    /// Openings whose logs are read again once their window has passed.
    read_again: Vec<EvidenceRequest>,
    posted: Vec<Arc<PostedEvent>>,
    commands: u64,
    failures: Vec<Failure>,
}

impl Runner<'_> {
    fn lay_down_history(&mut self) {
        for (series, samples) in self.world.past() {
            let dataset = self.datasets.entry(series.clone()).or_default();
            for sample in samples {
                dataset.push(sample);
            }
        }
    }

    /// Trains every series on what lies before; the next tick swaps the models in.
    fn train(&mut self, now: Timestamp) {
        let incidents = self.witness.incidents.values();
        let episodes = incidents.map(|incident| Episode::from(&**incident));
        let masks = Masks::new(episodes.collect(), self.settings.engine.decide.quiet_period);
        for (series, dataset) in &mut self.datasets {
            let swap = dataset.train(series, &masks, &self.settings, &self.season, now);
            self.next.swaps.extend(swap);
        }
    }

    fn happen(&mut self, at: Timestamp, index: usize) {
        let moment = &self.story.moments[index];
        match &moment.what {
            Happening::Command(order) => self.command(at, moment.line, order),
            Happening::Post { event, happened } => {
                let happened = happened.map_or(at, |offset| self.story.starts + offset);
                self.post(
                    at,
                    PostedEvent {
                        at: happened,
                        ..(**event).clone()
                    },
                );
            }
            Happening::Reload(knob) => self.reload(knob.as_ref()),
            Happening::Retrain => self.train(at),
            what => {
                self.world.happen(at, what);
                self.logbook.happen(at, what);
            }
        }
    }

    fn reload(&mut self, knob: Option<&Knob>) {
        if let Some(knob) = knob {
            knob.turn(&mut self.settings.engine.decide);
        }
        self.next.config = Some(self.settings.engine.clone());
    }

    /// An event whose key is known is the first one again, as in the store.
    fn post(&mut self, at: Timestamp, event: PostedEvent) {
        let known = |one: &&Arc<PostedEvent>| event.key.is_some() && one.key == event.key;
        if self.posted.iter().any(|one| known(&one)) {
            return;
        }
        let id = self.posted.len() as u64 + 1;
        let event = Arc::new(PostedEvent { id, ..event });
        self.posted.push(Arc::clone(&event));
        self.between(at, |input| input.events.push(event));
    }

    fn command(&mut self, at: Timestamp, line: usize, order: &Order) {
        self.commands += 1;
        let kind = match &order.kind {
            Wish::Plain(kind) => kind.clone(),
            Wish::SnoozeUntil(until) => CommandKind::Snooze {
                until: SnoozeUntil::Time(self.story.starts + *until),
            },
        };
        let command = Command {
            number: self.commands,
            incident: order.incident,
            actor: Actor::Unverified(order.by.clone()),
            kind,
            note: order.note.clone(),
            expected: order.seen,
            stored: self.witness.incidents.get(&order.incident).cloned(),
        };
        let output = self.between(at, |input| input.commands.push(command));
        let refused = output
            .decided
            .answers
            .iter()
            .find_map(|answer| answer.result.as_ref().err());
        let found = refused.map(|refusal| refusal_word(*refusal));
        if found != order.refused {
            let said =
                |word: Option<&str>| word.map_or("obeyed".into(), |w| format!("refused {w}"));
            self.failures.push(Failure {
                line,
                what: format!(
                    "expected the command to be {}, but it was {}",
                    said(order.refused),
                    said(found)
                ),
            });
        }
    }

    /// A step between ticks, in which no time passes for incidents.
    fn between(&mut self, at: Timestamp, fill: impl FnOnce(&mut TickInput)) -> TickOutput {
        let mut input = TickInput::between(at);
        fill(&mut input);
        self.step(input)
    }

    fn tick(&mut self, at: Timestamp) {
        let is_due = |request: &mut EvidenceRequest| request.logs_to + FLUSH <= at;
        let due: Vec<EvidenceRequest> = self.read_again.extract_if(.., is_due).collect();
        for request in due {
            self.read_logs(&request, at);
        }
        let collection = self.world.look(at);
        let waiting = std::mem::replace(&mut self.next, TickInput::between(at));
        self.step(waiting.with(collection));
    }

    fn step(&mut self, mut input: TickInput) -> TickOutput {
        input.gathered = std::mem::take(&mut self.gathered);
        let output = engine::step(&mut self.state, &input);
        let evaluated = input.collection.is_some();
        let tick = evaluated.then(|| self.state.config().tick);
        self.witness.see(&output, tick);
        for moved in &output.decided.moves {
            let dataset = self.datasets.entry(moved.series.clone()).or_default();
            dataset.give_to_anomaly(moved.from);
        }
        for row in &output.rows {
            let dataset = self.datasets.entry(row.series.clone()).or_default();
            dataset.append(row);
        }
        for request in &output.decided.requests {
            self.gather(request);
        }
        output
    }

    /// What the server would find out: what the logs say, similar incidents, and how often such
    /// values were seen.
    fn gather(&mut self, request: &EvidenceRequest) {
        if request.opening {
            self.read_logs(request, request.at);
            self.read_again.push(request.clone());
        }
        for member in &request.members {
            let series = SeriesId::new(request.service.clone(), member.metric.clone());
            let Some(dataset) = self.datasets.get(&series) else {
                continue;
            };
            let since = request.onset - self.settings.training.window;
            let rows: Vec<Sample> = dataset.history().collect();
            let gathered = Gathered::Precedent {
                metric: member.metric.clone(),
                precedent: precedent(&rows, since, member, request),
            };
            self.gathered.push((request.incident, gathered));
        }
    }

    /// What the logs say up to now, and which past incidents are like that.
    fn read_logs(&mut self, request: &EvidenceRequest, now: Timestamp) {
        let Some(incident) = self.witness.incidents.get(&request.incident) else {
            return;
        };
        let past = self.witness.incidents.values();
        let past: Vec<Incident> = past.map(|incident| (**incident).clone()).collect();
        let patterns = self.patterns(request, &past, now);
        let mut incident = Incident::clone(incident);
        Arc::make_mut(&mut incident.evidence).patterns = Some(patterns.clone());
        let similar = incident::similar(&incident, &past);
        let both = [
            Gathered::Patterns(Box::new(patterns)),
            Gathered::Similar(similar),
        ];
        self.gathered
            .extend(both.map(|gathered| (request.incident, gathered)));
    }

    fn patterns(
        &self,
        request: &EvidenceRequest,
        past: &[Incident],
        now: Timestamp,
    ) -> LogPatterns {
        let windows = LogShiftWindows::of(request, past, now);
        let (baseline_from, from, to) = (windows.baseline_from, windows.from, windows.to);
        if !self.logbook.is_kept() {
            let outcome = LogOutcome::NotConfigured;
            return LogPatterns::without_any(outcome, baseline_from, from, to);
        }
        let mut shift = LogShift::new(windows);
        for line in self.logbook.lines(&request.service, baseline_from, to) {
            shift.line(&request.service, &line);
        }
        shift.finish(&[])
    }

    fn expect(&mut self, index: usize) {
        let expectation = &self.story.expectations[index];
        let failures = expectations::check(expectation, &self.witness, self.story);
        self.failures.extend(failures);
    }
}

/// How often the rows since the training window's beginning saw such a value.
fn precedent(
    all: &[Sample],
    since: Timestamp,
    member: &RequestMember,
    request: &EvidenceRequest,
) -> Precedent {
    let rows = &all[all.partition_point(|row| row.time < since)..];
    let extreme = |value: f64| match member.direction {
        Direction::Down => -value,
        Direction::Up | Direction::Both => value,
    };
    let as_extreme = rows
        .iter()
        .filter(|row| extreme(row.value) >= extreme(member.value))
        .count();
    let most_extreme = rows
        .iter()
        .copied()
        .max_by(|a, b| extreme(a.value).total_cmp(&extreme(b.value)));
    let week_ago = request.at.as_millis() - WEEK_MS;
    let near = |row: &&Sample| (row.time.as_millis() - week_ago).abs() <= HALF_HOUR_MS;
    let mut week_before: Vec<f64> = all.iter().filter(near).map(|row| row.value).collect();
    week_before.sort_by(f64::total_cmp);
    let samples = u32::try_from(week_before.len()).unwrap_or(u32::MAX);
    let median = week_before.get(week_before.len().saturating_sub(1) / 2);
    Precedent {
        from: rows.first().map_or(request.onset, |row| row.time),
        to: rows.last().map_or(request.onset, |row| row.time),
        rows: rows.len() as u64,
        as_extreme: as_extreme as u64,
        most_extreme,
        week_before: median.map(|median| (*median, samples)),
    }
}
