//! A story as data: the world as it usually is, what happens to it, and what is expected.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Gap, IncidentId, IncidentKind, LogLevel, MetricId, OpenedBecause, PatternChange, PostedEvent,
    SeriesId, ServiceId, Severity, Status, Thresholds, Timestamp,
};
use incident::{AutoResolve, CommandKind};

use crate::settings::Settings;

/// Everything that a file tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Its name in reports.
    pub file: String,
    pub(crate) settings: Settings,
    /// The distance of samples, where it is longer than the tick.
    pub(crate) scrape: Option<Duration>,
    /// How much past the models are trained on, and the distance of its samples.
    pub(crate) history: Duration,
    pub(crate) history_every: Duration,
    /// The instant 0s.
    pub(crate) starts: Timestamp,
    pub(crate) ends: Duration,
    pub(crate) seed: u64,
    pub(crate) services: BTreeMap<ServiceId, Service>,
    /// In the order of the file.
    pub(crate) moments: Vec<Moment>,
    pub(crate) expectations: Vec<Expectation>,
}

impl Story {
    /// The same story with other noise.
    pub fn with_seed(self, seed: u64) -> Story {
        Story { seed, ..self }
    }
}

/// A service as it usually is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    pub instances: u32,
    pub version: Option<Arc<str>>,
    /// Its own length of the past.
    pub history: Option<Duration>,
    pub metrics: BTreeMap<MetricId, Normal>,
    /// What its log says all the time.
    pub voices: Vec<Voice>,
}

/// What a service's log says again and again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Voice {
    pub level: LogLevel,
    /// A `#` stands for a number that is another in every line.
    pub text: String,
    pub per_minute: f64,
    pub logger: Option<String>,
    /// The class of the exception that comes with each line.
    pub exception: Option<String>,
}

/// The normal course of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normal {
    pub level: f64,
    /// Standard deviation around it.
    pub noise: f64,
    /// So much more at this time of day, falling in straight lines to nothing twelve hours off.
    pub daily: Option<(f64, Duration)>,
    pub batches: Vec<Batch>,
    pub thresholds: Option<Thresholds>,
}

/// Something planned: so much more, every day from this time of day on, for so long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    pub at: Duration,
    pub lasts: Duration,
    pub adds: f64,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    pub line: usize,
    pub at: Duration,
    pub what: Happening,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening {
    Course {
        series: SeriesId,
        course: Course,
        lasts: Option<Duration>,
    },
    Gap {
        series: SeriesId,
        /// None: it answers again.
        gap: Option<Gap>,
        lasts: Option<Duration>,
    },
    Restart {
        service: ServiceId,
        version: Option<Arc<str>>,
    },
    Replicas {
        service: ServiceId,
        instances: u32,
    },
    Gone {
        service: ServiceId,
        lasts: Option<Duration>,
    },
    Back {
        service: ServiceId,
    },
    Outage {
        lasts: Option<Duration>,
    },
    /// Its log says something more.
    Say {
        service: ServiceId,
        voice: Voice,
        lasts: Option<Duration>,
    },
    /// Its log says no more what holds a text; none: it says nothing more.
    Hush {
        service: ServiceId,
        text: Option<String>,
        lasts: Option<Duration>,
    },
    Healthy,
    /// `at` of the event is set where the story gives another time than now.
    Post {
        event: Box<PostedEvent>,
        happened: Option<Duration>,
    },
    /// The configuration is taken over again, with what is changed.
    Reload(Option<Knob>),
    Retrain,
    Command(Order),
}

/// How values go from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Course {
    Normal,
    Level(f64),
    Ramp { to: f64, over: Duration },
    Flap { values: (f64, f64), every: Duration },
}

/// What an operator asks for, and how the answer is to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub incident: IncidentId,
    pub by: String,
    pub kind: Wish,
    pub note: Option<String>,
    /// The revision that the operator has seen.
    pub seen: Option<u64>,
    /// The word of the refusal; none where it is to be obeyed.
    pub refused: Option<&'static str>,
}

/// A command, with the times of the story.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wish {
    Plain(CommandKind),
    SnoozeUntil(Duration),
}

/// One setting of `decide` that a story changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Knob {
    OpenAfter(Duration),
    CriticalAfter(Duration),
    QuietPeriod(Duration),
    DownAfter(Duration),
    Hysteresis(f64),
    SourceFaultShare(f64),
    AutoResolve(AutoResolve),
}

impl Knob {
    pub fn turn(&self, settings: &mut incident::Settings) {
        match self {
            Knob::OpenAfter(value) => settings.open_after = *value,
            Knob::CriticalAfter(value) => settings.critical_after = *value,
            Knob::QuietPeriod(value) => settings.quiet_period = *value,
            Knob::DownAfter(value) => settings.down_after = *value,
            Knob::Hysteresis(value) => settings.hysteresis = *value,
            Knob::SourceFaultShare(value) => settings.source_fault_share = *value,
            Knob::AutoResolve(rule) => settings.auto_resolve.push(rule.clone()),
        }
    }
}

/// One statement about what Bellwether did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expectation {
    pub line: usize,
    /// None: at the end.
    pub at: Option<Duration>,
    pub what: Expected,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    Incidents(usize),
    NoIncident {
        service: ServiceId,
    },
    Incident {
        id: IncidentId,
        clauses: Vec<Clause>,
    },
    /// The decision that holds for a series.
    Why {
        series: SeriesId,
        verdict: String,
        fragments: Vec<String>,
    },
    EarlyWarning {
        service: ServiceId,
        within: Option<Between>,
        is_wanted: bool,
    },
    SourceFault {
        within: Option<Between>,
        is_wanted: bool,
    },
}

/// One property of an incident, with its words and its line in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub line: usize,
    pub said: String,
    pub what: Property,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Property {
    On(ServiceId),
    Kind(IncidentKind),
    Opened(Between),
    Crossed(Between),
    Onset(Between),
    Because(OpenedBecause),
    /// The severity that is shown: an operator's word, else the computed one.
    Severity(Severity),
    Worst(Severity),
    Status(Status),
    Firing,
    Quiet(Option<Between>),
    Members(Vec<MetricId>),
    Follows(Option<IncidentId>),
    Owner(Option<String>),
    Snoozed(Snoozed),
    Resolved(Option<String>),
    Summary(Vec<String>),
    /// In the summary or in what is said of how unusual its metrics were.
    Says(Vec<String>),
    Unusual {
        metric: MetricId,
        fragments: Vec<String>,
    },
    /// Each fragment lies in a change; none: nothing changed.
    Changed(Vec<String>),
    /// How many there are.
    Changes(usize),
    Shift {
        metric: String,
        is_first: bool,
        rose: bool,
    },
    NoShift,
    /// A log pattern that holds the text moved so.
    Logs {
        change: PatternChange,
        is_first: bool,
        fragment: String,
    },
    /// No log pattern moved.
    NoLogs,
    /// There is no log to read.
    NoLogSource,
    /// The most similar past incident.
    Similar(Option<IncidentId>),
    Timeline {
        fragment: String,
        within: Option<Between>,
    },
    Notice {
        change: &'static str,
        notice: &'static str,
    },
    /// So often people were told of a change.
    Told {
        change: &'static str,
        times: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Snoozed {
    No,
    UntilChange,
    Until(Duration),
}

/// A stretch of the story's time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Between {
    pub from: Duration,
    pub to: Duration,
}

impl Between {
    pub fn holds(&self, starts: Timestamp, at: Timestamp) -> bool {
        starts + self.from <= at && at <= starts + self.to
    }
}

/// An instant as the story's time: 10m30s, or -5m where it lies before.
pub(crate) struct Clock {
    pub starts: Timestamp,
    pub at: Timestamp,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.at.as_millis() - self.starts.as_millis();
        let sign = if millis < 0 { "-" } else { "" };
        write!(f, "{sign}{}", simulator::Span::from_millis(millis.abs()))
    }
}
