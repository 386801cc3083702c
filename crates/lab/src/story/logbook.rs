//! The logs of a story: what each service says, from when to when, as lines that are a function of
//! the story's seed and the time alone.

use std::time::Duration;

use domain::{LogLevel, LogLine, ServiceId, Timestamp};

use super::script::{Happening, Story, Voice};
use super::world::{mixed, seed_of_name};

/// Lines of a service's own log; it says nothing while it is gone.
pub(crate) struct Logbook<'a> {
    seed: u64,
    spoken: Vec<Spoken<'a>>,
    silences: Vec<Silence<'a>>,
    starts: Vec<(&'a ServiceId, Timestamp, String)>,
}

/// A voice, and from when to when it is heard.
struct Spoken<'a> {
    service: &'a ServiceId,
    voice: &'a Voice,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Nothing is heard of a service, or nothing that holds a text.
struct Silence<'a> {
    service: &'a ServiceId,
    text: Option<&'a str>,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl<'a> Logbook<'a> {
    pub fn new(story: &'a Story) -> Logbook<'a> {
        let usual = story.services.iter().flat_map(|(id, service)| {
            service.voices.iter().map(move |voice| Spoken {
                service: id,
                voice,
                from: None,
                until: None,
            })
        });
        Logbook {
            seed: story.seed,
            spoken: usual.collect(),
            silences: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Whether any service says anything; else the story has no log source.
    pub fn is_kept(&self) -> bool {
        !self.spoken.is_empty()
    }

    /// Something happens; what doesn't concern logs changes nothing.
    pub fn happen(&mut self, at: Timestamp, what: &'a Happening) {
        match what {
            Happening::Say {
                service,
                voice,
                lasts,
            } => self.spoken.push(Spoken {
                service,
                voice,
                from: Some(at),
                until: lasts.map(|lasts| at + lasts),
            }),
            Happening::Hush {
                service,
                text,
                lasts,
            } => self.silences.push(Silence {
                service,
                text: text.as_deref(),
                from: at,
                until: lasts.map(|lasts| at + lasts),
            }),
            Happening::Gone { service, lasts } => self.silences.push(Silence {
                service,
                text: None,
                from: at,
                until: lasts.map(|lasts| at + lasts),
            }),
            Happening::Back { service } => {
                let silences = self.silences.iter_mut();
                for silence in silences.filter(|s| s.service == service && s.text.is_none()) {
                    silence.until = Some(silence.until.map_or(at, |until| until.min(at)));
                }
                self.starts.push((service, at, String::new()));
            }
            Happening::Restart { service, version } => {
                let version = version.as_deref().map(|version| format!(" v{version}"));
                self.starts.push((service, at, version.unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// What a service's log holds from one time to another, both included, in the order of time.
    pub fn lines(&self, service: &ServiceId, from: Timestamp, to: Timestamp) -> Vec<LogLine> {
        let mut lines: Vec<LogLine> = self
            .spoken
            .iter()
            .filter(|spoken| spoken.service == service)
            .flat_map(|spoken| self.of_voice(spoken, from, to))
            .collect();
        let has_log = self.spoken.iter().any(|spoken| spoken.service == service);
        let starts = self
            .starts
            .iter()
            .filter(|(own, at, _)| has_log && *own == service && from <= *at && *at <= to);
        lines.extend(starts.map(|(own, at, version)| LogLine {
            logger: Some(format!("shop.{own}.Application")),
            ..line(*at, LogLevel::Info, format!("Starting {own}{version}"))
        }));
        lines.sort_by_key(|line| line.time);
        lines
    }

    fn of_voice(&self, spoken: &Spoken<'a>, from: Timestamp, to: Timestamp) -> Vec<LogLine> {
        let voice = spoken.voice;
        let seed = seed_of_name(&format!("{} {}", spoken.service, voice.text), self.seed);
        let apart = (60_000.0 / voice.per_minute).max(1.0) as i64;
        let first = from.as_millis().div_euclid(apart);
        let last = to.as_millis().div_euclid(apart);
        (first..=last)
            .filter_map(|slot| {
                let drawn = mixed(seed ^ slot.unsigned_abs());
                let at = slot * apart + (drawn % apart.unsigned_abs()) as i64;
                let at = Timestamp::from_millis(at);
                let is_asked = from <= at && at <= to;
                (is_asked && spoken.is_heard(at) && !self.is_silent(spoken, at))
                    .then(|| voice.line(spoken.service, at, drawn))
            })
            .collect()
    }

    fn is_silent(&self, spoken: &Spoken<'_>, at: Timestamp) -> bool {
        self.silences.iter().any(|silence| {
            silence.service == spoken.service
                && silence
                    .text
                    .is_none_or(|text| spoken.voice.text.contains(text))
                && silence.from <= at
                && silence.until.is_none_or(|until| at < until)
        })
    }
}

impl Spoken<'_> {
    fn is_heard(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

impl Voice {
    /// One line, with a trace of its own.
    fn line(&self, service: &ServiceId, at: Timestamp, drawn: u64) -> LogLine {
        let number = 10_000 + drawn % 90_000;
        let message = self.text.replace('#', &number.to_string());
        let logger = self.logger.clone();
        let trace = |lane: u64| mixed(drawn ^ lane);
        let stack_trace = self.exception.as_ref().map(|class| {
            format!("{class}: {message}\n\tat shop.{service}.Handler.handle(Handler.java:41)")
        });
        LogLine {
            logger: logger.or_else(|| Some(format!("shop.{service}.Handler"))),
            exception: self.exception.clone(),
            stack_trace,
            trace_id: Some(format!("{:016x}{:016x}", trace(1), trace(2))),
            span_id: Some(format!("{:016x}", trace(3))),
            ..line(at, self.level, message)
        }
    }
}

fn line(time: Timestamp, level: LogLevel, message: String) -> LogLine {
    LogLine {
        time,
        level,
        logger: None,
        message,
        exception: None,
        stack_trace: None,
        trace_id: None,
        span_id: None,
        cut: false,
    }
}

/// How long after an incident's window its logs are read once more: writers flush late.
pub(crate) const FLUSH: Duration = Duration::from_secs(2);
