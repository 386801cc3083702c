//! The world of a story: what Prometheus would answer at each instant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use detect::Season;
use domain::{
    Catalogue, Collection, Gap, Presence, Sample, SeriesId, SeriesObservation, ServiceId,
    ServiceObservation, SourceState, Timestamp,
};

use super::script::{Course, Happening, Normal, Story};

const DAY: Duration = Duration::from_secs(86_400);
/// Processes run for so long when a story begins.
const STARTED_BEFORE: Duration = Duration::from_secs(7 * 86_400);

pub(crate) struct World<'a> {
    story: &'a Story,
    season: Season,
    processes: BTreeMap<ServiceId, Processes>,
    tracks: BTreeMap<SeriesId, Track<'a>>,
    /// Prometheus is out, and until when where that is known.
    outage: Option<Until>,
}

/// None: until the story says otherwise.
type Until = Option<Timestamp>;

struct Processes {
    instances: u32,
    started: Timestamp,
    version: Option<Arc<str>>,
    gone: Option<Until>,
}

struct Track<'a> {
    normal: &'a Normal,
    course: Option<Active<'a>>,
    gap: Option<(Gap, Until)>,
    /// Tells its noise from that of the others.
    seed: u64,
}

/// A course under way.
struct Active<'a> {
    course: &'a Course,
    from: Timestamp,
    until: Until,
    /// The level it began at.
    level: f64,
}

impl<'a> World<'a> {
    pub fn new(story: &'a Story, season: Season) -> World<'a> {
        let processes = story.services.iter().map(|(id, service)| {
            let processes = Processes {
                instances: service.instances,
                started: story.starts - STARTED_BEFORE,
                version: service.version.clone(),
                gone: None,
            };
            (id.clone(), processes)
        });
        let tracks = story.services.iter().flat_map(|(id, service)| {
            service.metrics.iter().map(|(metric, normal)| {
                let series = SeriesId::new(id.clone(), metric.clone());
                let seed = seed_of(&series, story.seed);
                let track = Track {
                    normal,
                    course: None,
                    gap: None,
                    seed,
                };
                (series, track)
            })
        });
        World {
            story,
            season,
            processes: processes.collect(),
            tracks: tracks.collect(),
            outage: None,
        }
    }

    /// The past of every series before the story, oldest first.
    pub fn past(&self) -> impl Iterator<Item = (&SeriesId, Vec<Sample>)> {
        let story = self.story;
        self.tracks.iter().map(move |(series, track)| {
            let own = story.services[&series.service].history;
            let length = own.unwrap_or(story.history).as_millis();
            let every = story.history_every;
            let count = u32::try_from(length / every.as_millis().max(1)).unwrap_or(u32::MAX);
            let at = (1..=count).rev().map(|back| story.starts - every * back);
            let samples = at.filter_map(|at| self.sample(series, track, at).ok());
            (series, samples.collect())
        })
    }

    /// Something happens to the world; what doesn't concern it changes nothing.
    pub fn happen(&mut self, at: Timestamp, what: &'a Happening) {
        match what {
            Happening::Course {
                series,
                course,
                lasts,
            } => {
                let level = self.tracks.get(series).map(|track| self.level(track, at));
                if let (Some(track), Some(level)) = (self.tracks.get_mut(series), level) {
                    track.course = Some(Active {
                        course,
                        from: at,
                        until: lasts.map(|lasts| at + lasts),
                        level,
                    });
                }
            }
            Happening::Gap { series, gap, lasts } => {
                if let Some(track) = self.tracks.get_mut(series) {
                    track.gap = gap.map(|gap| (gap, lasts.map(|lasts| at + lasts)));
                }
            }
            Happening::Restart { service, version } => self.change(service, |processes| {
                processes.started = at;
                if version.is_some() {
                    processes.version.clone_from(version);
                }
            }),
            Happening::Replicas { service, instances } => {
                self.change(service, |processes| processes.instances = *instances);
            }
            Happening::Gone { service, lasts } => self.change(service, |processes| {
                processes.gone = Some(lasts.map(|lasts| at + lasts));
            }),
            Happening::Back { service } => self.change(service, |processes| {
                processes.gone = None;
                processes.started = at;
            }),
            Happening::Outage { lasts } => self.outage = Some(lasts.map(|lasts| at + lasts)),
            Happening::Healthy => self.outage = None,
            Happening::Say { .. }
            | Happening::Hush { .. }
            | Happening::Post { .. }
            | Happening::Reload(_)
            | Happening::Retrain
            | Happening::Command(_) => {}
        }
    }

    fn change(&mut self, service: &ServiceId, change: impl FnOnce(&mut Processes)) {
        if let Some(processes) = self.processes.get_mut(service) {
            change(processes);
        }
    }

    /// What a look at an instant brings.
    pub fn look(&mut self, at: Timestamp) -> Collection {
        self.let_time_pass(at);
        let tick = self.story.settings.engine.tick;
        let scrape = self.story.scrape.unwrap_or(tick).max(tick);
        let is_down = self.outage.is_some();
        let services = self.processes.iter().map(|(id, processes)| {
            let is_gone = processes.gone.is_some();
            ServiceObservation {
                id: id.clone(),
                presence: if is_gone {
                    Presence::Gone
                } else {
                    Presence::Up
                },
                instances: if is_gone { 0 } else { processes.instances },
                started: Some(processes.started),
                version: processes.version.clone(),
                step: scrape,
            }
        });
        let series = self.tracks.iter().map(|(id, track)| {
            let outcome = if is_down {
                Err(Gap::SourceDown)
            } else if self.processes[&id.service].gone.is_some() {
                Err(Gap::NoData)
            } else if let Some((gap, _)) = track.gap {
                Err(gap)
            } else {
                self.sample(id, track, at.floor_to(scrape))
            };
            SeriesObservation {
                series: id.clone(),
                outcome,
                instance: None,
                proxy: false,
            }
        });
        Collection {
            at,
            source: if is_down {
                SourceState::Down("connection refused".into())
            } else {
                SourceState::Healthy
            },
            services: services.collect(),
            series: series.collect(),
            remarks: Vec::new(),
        }
    }

    /// Ends what had an end.
    fn let_time_pass(&mut self, at: Timestamp) {
        let is_over = |until: &Until| until.is_some_and(|until| until <= at);
        if self.outage.as_ref().is_some_and(is_over) {
            self.outage = None;
        }
        for track in self.tracks.values_mut() {
            track.gap = track.gap.filter(|(_, until)| !is_over(until));
        }
        for processes in self.processes.values_mut() {
            if let Some(Some(until)) = processes.gone.filter(is_over) {
                processes.gone = None;
                processes.started = until;
            }
        }
    }

    fn sample(&self, series: &SeriesId, track: &Track<'_>, at: Timestamp) -> Result<Sample, Gap> {
        let catalogue: &Catalogue = &self.story.settings.engine.catalogue;
        let valid = catalogue
            .get(&series.metric)
            .map_or((f64::MIN, f64::MAX), |spec| spec.valid);
        let noise = track.normal.noise * deviate(track.seed, at);
        let value = self.level(track, at) + noise;
        Sample::admit(at, value.max(valid.0), valid)
    }

    /// The value without noise.
    fn level(&self, track: &Track<'_>, at: Timestamp) -> f64 {
        let active = track
            .course
            .as_ref()
            .filter(|active| active.from <= at && active.until.is_none_or(|until| at < until));
        match active {
            None => self.normal(track.normal, at),
            Some(active) => match active.course {
                Course::Normal => self.normal(track.normal, at),
                Course::Level(level) => *level,
                Course::Ramp { to, over } => {
                    let share = at.since(active.from).as_secs_f64() / over.as_secs_f64();
                    active.level + (to - active.level) * share.min(1.0)
                }
                Course::Flap { values, every } => {
                    let turns = at.since(active.from).as_millis() / every.as_millis().max(1);
                    if turns.is_multiple_of(2) {
                        values.0
                    } else {
                        values.1
                    }
                }
            },
        }
    }

    fn normal(&self, normal: &Normal, at: Timestamp) -> f64 {
        let time = self.season.time_of_day(at);
        let since = |earlier: Duration| {
            let whole = time + DAY - earlier;
            if whole >= DAY { whole - DAY } else { whole }
        };
        let daily = normal.daily.map_or(0.0, |(more, peak)| {
            let off = since(peak).min(DAY - since(peak));
            more * (1.0 - off.as_secs_f64() / (DAY / 2).as_secs_f64())
        });
        let batches = normal.batches.iter();
        let batches = batches.filter(|batch| since(batch.at) < batch.lasts);
        normal.level + daily + batches.map(|batch| batch.adds).sum::<f64>()
    }
}

fn seed_of(series: &SeriesId, seed: u64) -> u64 {
    seed_of_name(&series.to_string(), seed)
}

/// FNV-1a of a name, begun with a seed.
pub(crate) fn seed_of_name(name: &str, seed: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ mixed(seed);
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(start, hash)
}

/// The last step of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn mixed(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// About a standard normal deviate: twelve uniform numbers, by series and instant alone.
fn deviate(seed: u64, at: Timestamp) -> f64 {
    let mut state = seed ^ mixed(at.as_millis().unsigned_abs());
    let mut sum = 0.0;
    for _ in 0..12 {
        state = mixed(state);
        sum += (state >> 11) as f64 / (1_u64 << 53) as f64;
    }
    sum - 6.0
}
