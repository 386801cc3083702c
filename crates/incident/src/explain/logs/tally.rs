//! What is kept of a pattern while its lines come in, in any order.

use std::collections::{BTreeMap, BTreeSet};

use domain::{LogLevel, LogLine, ServiceId, Timestamp};

use super::miner::beginning;
use super::windows::Place;

/// Lines shown of a pattern.
const SAMPLES: usize = 3;
const TRACE_IDS: usize = 5;
/// Longer ids are no ids.
const TRACE_ID_BYTES_MAX: usize = 128;
/// Exception classes that are counted, each of so many bytes at most.
const EXCEPTIONS_MAX: usize = 8;
const CLASS_BYTES_MAX: usize = 256;
/// Seconds with a line; more make no difference.
const SECONDS_MAX: usize = 64;
/// What is kept of a sample, …
const MESSAGE_BYTES_MAX: usize = 4 << 10;
const STACK_TRACE_BYTES_MAX: usize = 8 << 10;
/// … and of each once all of them together have so many bytes.
const SAMPLES_BYTES_MAX: usize = 32 << 20;
const MESSAGE_BYTES_MIN: usize = 256;

const LEVELS: [LogLevel; 6] = [
    LogLevel::Unknown,
    LogLevel::Trace,
    LogLevel::Debug,
    LogLevel::Info,
    LogLevel::Warn,
    LogLevel::Error,
];

/// Bytes of all samples of a comparison.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SampleBytes(usize);

#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub service: ServiceId,
    pub logger: Option<String>,
    pub before: u64,
    pub during: u64,
    /// Lines with a trace id.
    pub traced: u64,
    /// Lines by slice of the baseline.
    pub slices: BTreeMap<u16, u32>,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    levels: [u64; LEVELS.len()],
    exceptions: BTreeMap<String, u64>,
    seconds: BTreeSet<i64>,
    samples_before: Vec<LogLine>,
    samples_during: Vec<LogLine>,
    /// The earliest of the window, by time.
    trace_ids: Vec<(Timestamp, String)>,
}

impl Tally {
    pub fn new(service: &ServiceId, line: &LogLine) -> Tally {
        Tally {
            service: service.clone(),
            logger: line.logger.clone(),
            before: 0,
            during: 0,
            traced: 0,
            slices: BTreeMap::new(),
            first_seen: line.time,
            last_seen: line.time,
            levels: [0; LEVELS.len()],
            exceptions: BTreeMap::new(),
            seconds: BTreeSet::new(),
            samples_before: Vec::new(),
            samples_during: Vec::new(),
            trace_ids: Vec::new(),
        }
    }

    pub fn add(&mut self, line: &LogLine, place: Place, bytes: &mut SampleBytes) {
        self.first_seen = self.first_seen.min(line.time);
        self.last_seen = self.last_seen.max(line.time);
        self.traced += u64::from(line.trace_id.is_some());
        if let Some(at) = LEVELS.iter().position(|level| *level == line.level) {
            self.levels[at] += 1;
        }
        if let Some(class) = &line.exception {
            self.count_exception(class);
        }
        match place {
            Place::Before(slice) => {
                self.before += 1;
                *self.slices.entry(slice).or_default() += 1;
                keep_sample(&mut self.samples_before, line, bytes);
            }
            Place::During => {
                self.during += 1;
                if self.seconds.len() < SECONDS_MAX {
                    self.seconds.insert(line.time.as_millis().div_euclid(1_000));
                }
                keep_sample(&mut self.samples_during, line, bytes);
                if let Some(id) = line.trace_id.as_deref()
                    && id.len() <= TRACE_ID_BYTES_MAX
                {
                    keep_trace_id(&mut self.trace_ids, line.time, id);
                }
            }
        }
    }

    /// Takes in the tally of a group that turned out to be the same.
    pub fn absorb(&mut self, other: Tally) {
        self.before += other.before;
        self.during += other.during;
        self.traced += other.traced;
        for (slice, count) in other.slices {
            *self.slices.entry(slice).or_default() += count;
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        for (mine, theirs) in self.levels.iter_mut().zip(other.levels) {
            *mine += theirs;
        }
        for (class, count) in other.exceptions {
            *self.exceptions.entry(class).or_default() += count;
        }
        self.seconds.extend(other.seconds);
        for (mine, theirs) in [
            (&mut self.samples_before, other.samples_before),
            (&mut self.samples_during, other.samples_during),
        ] {
            mine.extend(theirs);
            mine.sort_by_key(|line| line.time);
            mine.truncate(SAMPLES);
        }
        for (time, id) in other.trace_ids {
            keep_trace_id(&mut self.trace_ids, time, &id);
        }
    }

    /// The level of most lines; of equally many, the worst.
    pub fn level(&self) -> LogLevel {
        let most = self.levels.iter().zip(LEVELS).max_by_key(|level| *level);
        most.map_or(LogLevel::Unknown, |(_, level)| level)
    }

    /// The class of its most frequent exception.
    pub fn exception(&self) -> Option<String> {
        let most = self
            .exceptions
            .iter()
            .rev()
            .max_by_key(|(_, count)| **count);
        most.map(|(class, _)| class.clone())
    }

    /// Lines in a second of the window that has any.
    pub fn bunch(&self) -> f64 {
        self.during as f64 / self.seconds.len().max(1) as f64
    }

    /// The earliest lines of the window, or of the baseline where the window has none.
    pub fn samples(&self) -> Vec<LogLine> {
        match &self.samples_during[..] {
            [] => self.samples_before.clone(),
            during => during.to_vec(),
        }
    }

    pub fn trace_ids(&self) -> Vec<String> {
        self.trace_ids.iter().map(|(_, id)| id.clone()).collect()
    }

    #[cfg(test)]
    pub fn sample_bytes(&self) -> usize {
        let samples = self.samples_before.iter().chain(&self.samples_during);
        samples.map(size).sum()
    }

    fn count_exception(&mut self, class: &str) {
        if let Some(count) = self.exceptions.get_mut(class) {
            *count += 1;
        } else if self.exceptions.len() < EXCEPTIONS_MAX && class.len() <= CLASS_BYTES_MAX {
            self.exceptions.insert(class.to_owned(), 1);
        }
    }
}

/// Keeps the earliest lines, in order of time.
fn keep_sample(samples: &mut Vec<LogLine>, line: &LogLine, bytes: &mut SampleBytes) {
    let at = samples.partition_point(|kept| kept.time <= line.time);
    if at == SAMPLES {
        return;
    }
    if samples.len() == SAMPLES
        && let Some(last) = samples.pop()
    {
        bytes.0 = bytes.0.saturating_sub(size(&last));
    }
    let kept = shortened(line, bytes.0 < SAMPLES_BYTES_MAX);
    bytes.0 += size(&kept);
    samples.insert(at, kept);
}

fn size(line: &LogLine) -> usize {
    line.message.len() + line.stack_trace.as_ref().map_or(0, String::len)
}

fn shortened(line: &LogLine, has_room: bool) -> LogLine {
    let message_max = if has_room {
        MESSAGE_BYTES_MAX
    } else {
        MESSAGE_BYTES_MIN
    };
    let message = beginning(&line.message, message_max);
    let stack_trace = line.stack_trace.as_deref().filter(|_| has_room);
    let stack_trace = stack_trace.map(|stack| beginning(stack, STACK_TRACE_BYTES_MAX));
    let kept = |text: Option<&str>| text.map_or(0, str::len);
    let is_cut =
        message.len() < line.message.len() || kept(stack_trace) < kept(line.stack_trace.as_deref());
    LogLine {
        time: line.time,
        level: line.level,
        logger: line.logger.clone(),
        message: message.to_owned(),
        exception: line.exception.clone(),
        stack_trace: stack_trace.map(str::to_owned),
        trace_id: line.trace_id.clone(),
        span_id: line.span_id.clone(),
        cut: line.cut || is_cut,
    }
}

/// Keeps the ids that came earliest.
fn keep_trace_id(ids: &mut Vec<(Timestamp, String)>, time: Timestamp, id: &str) {
    match ids.iter().position(|(_, known)| known == id) {
        Some(at) if ids[at].0 <= time => return,
        Some(at) => {
            ids.remove(at);
        }
        None => {}
    }
    let at = ids.partition_point(|(earlier, known)| (*earlier, known.as_str()) < (time, id));
    if at < TRACE_IDS {
        ids.insert(at, (time, id.to_owned()));
        ids.truncate(TRACE_IDS);
    }
}
