//! What the doctor says: findings with their evidence and cure, and what they mean for a script.

use std::collections::BTreeMap;

use domain::{MetricId, ServiceId, Timestamp};

use super::observed::{Observed, Reading};

/// How bad a finding is; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something is not judged, or would be judged wrongly.
    Problem,
    /// It is judged, with less certainty or later than it could be.
    Warning,
    /// Good to know; nothing need be done.
    Note,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Problem, Level::Warning, Level::Note];

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Problem => "problem",
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

macro_rules! kinds {
    ($($kind:ident $id:literal $why:literal,)*) => {
        /// What was found. Each has an id for scripts, and an entry in `docs/doctor.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            #[cfg(test)]
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// In kebab-case, stable.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$kind => $id,)* }
            }

            /// Why it matters, in one sentence.
            pub fn why(self) -> &'static str {
                match self { $(Kind::$kind => $why,)* }
            }
        }
    };
}

kinds! {
    NothingToWatch "nothing-to-watch" "Bellwether judges series, and there are none of any service.",
    NotSeen "not-seen" "What can't be asked can't be checked; it may be in order.",
    OldPrometheus "old-prometheus" "The day a service traces its requests, such a Prometheus refuses its page and calls it down.",
    ClockSkew "clock-skew" "Times of logs and incidents are compared across machines, and a wrong clock puts cause after effect.",
    SamplesInTheFuture "samples-in-the-future" "Samples from the future are dropped, so the service looks dead.",
    OverLimits "over-limits" "Services beyond the limit are not watched at all.",
    SeriesWithoutService "series-without-service" "What belongs to no service is judged by nobody.",
    ExemplarsRefused "exemplars-refused" "The whole page is refused because of them, so nothing of this service is seen.",
    ConnectionRefused "connection-refused" "Nothing of a target that isn't reached is seen.",
    HostUnknown "host-unknown" "Nothing of a target that isn't reached is seen.",
    EndpointMissing "endpoint-missing" "The application runs, and nobody sees how.",
    AccessDenied "access-denied" "The application runs, and nobody sees how.",
    TlsFailed "tls-failed" "Nothing of a target that isn't reached is seen.",
    ScrapeTimeout "scrape-timeout" "A scrape that is too slow counts as an outage, mostly just when the service is under load.",
    PageUnreadable "page-unreadable" "One bad line refuses the whole page.",
    LimitExceeded "limit-exceeded" "A page over the limit is dropped as a whole.",
    TargetDown "target-down" "Nothing of a target that doesn't answer is seen.",
    TargetUnknown "target-unknown" "It is scraped, and costs something, but Bellwether has no use for it.",
    ScrapeSlow "scrape-slow" "Under load it will take longer, fail, and look like an outage.",
    PageFrozen "page-frozen" "Values that never change are learnt as normal, and no fault is ever seen.",
    NoServiceLabel "no-service-label" "A job often holds several applications, which then become one service.",
    LabelRenamed "label-renamed" "The name that the application gives itself is pushed aside by the scrape's.",
    NamedInTwoWays "named-in-two-ways" "Two applications that happen to share a name would be judged as one.",
    EnvironmentsMixed "environments-mixed" "A busy test environment opens incidents for production, and a broken production hides among calm others.",
    JobsMixed "jobs-mixed" "Two applications that happen to share a name would be judged as one.",
    ScrapedTwice "scraped-twice" "Everything that is summed is counted twice, such as the request rate.",
    NoInstance "no-instance" "The instance that carries a fault can't be named, and instances can't be told apart.",
    LatencyBucketsMissing "latency-buckets-missing" "Without buckets there is no p99, only the slowest single request, which crosses thresholds for no reason.",
    HeapMaxMissing "heap-max-missing" "Used bytes without a maximum say nothing about how full the heap is.",
    MetricMissing "metric-missing" "A fault that shows only there isn't found.",
    MetricIdle "metric-idle" "Without traffic there is nothing to measure; it is a gap, not a fault.",
    MetricOdd "metric-odd" "A value that can't be true is dropped, and the metric isn't judged.",
    MetricNotAsked "metric-not-asked" "A query that fails judges no service at all.",
    PastThreshold "past-threshold" "As it stands, Bellwether would open an incident for it.",
    UriCardinality "uri-cardinality" "Raw paths make a new series for each request, until the Prometheus or the application runs out of memory.",
    BucketsTooLow "buckets-too-low" "A quantile never exceeds the highest bound, so the threshold can't be crossed, however slow the service is.",
    BucketsCoarse "buckets-coarse" "Between two bounds a quantile is a guess, and crosses the threshold too early or too late.",
    BucketsDiffer "buckets-differ" "Sums over different buckets give a quantile that is wrong.",
    IntervalOverLookback "interval-over-lookback" "Prometheus forgets a sample after five minutes, so the series is mostly absent.",
    IntervalOverWindow "interval-over-window" "Averages and rates need four samples, so they reach further back and faults show later.",
    IntervalOverTick "interval-over-tick" "Looking more often than there is something new finds nothing earlier.",
    IntervalsDiffer "intervals-differ" "The service is judged at the pace of its slowest instance.",
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// A sentence without a full stop.
    pub text: String,
    pub snippet: Option<Snippet>,
}

/// Something to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The file it belongs into.
    pub file: &'static str,
    pub text: String,
}

/// The file that Spring Boot reads.
pub const APPLICATION: &str = "application.yaml of the service";
/// The scrape configuration.
pub const SCRAPE: &str = "prometheus.yml";
/// Our own.
pub const BELLWETHER: &str = "config.yaml of Bellwether";

impl Cure {
    pub fn say(text: impl Into<String>) -> Cure {
        Cure {
            text: text.into(),
            snippet: None,
        }
    }

    pub fn copy(text: impl Into<String>, file: &'static str, snippet: impl Into<String>) -> Cure {
        Cure {
            text: text.into(),
            snippet: Some(Snippet {
                file,
                text: snippet.into(),
            }),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub level: Level,
    pub kind: Kind,
    pub service: Option<ServiceId>,
    pub metric: Option<MetricId>,
    /// The address of the target it is about.
    pub target: Option<String>,
    /// What is so, with numbers; a clause without a full stop.
    pub what: String,
    /// What shows it, a line each.
    pub evidence: Vec<String>,
    /// Any one of them will do.
    pub cures: Vec<Cure>,
}

impl Finding {
    pub fn new(level: Level, kind: Kind, what: impl Into<String>) -> Finding {
        Finding {
            level,
            kind,
            service: None,
            metric: None,
            target: None,
            what: what.into(),
            evidence: Vec::new(),
            cures: Vec::new(),
        }
    }

    pub fn of(mut self, service: &ServiceId) -> Finding {
        self.service = Some(service.clone());
        self
    }

    pub fn about(mut self, metric: &MetricId) -> Finding {
        self.metric = Some(metric.clone());
        self
    }

    pub fn at(mut self, target: impl Into<String>) -> Finding {
        self.target = Some(target.into());
        self
    }

    pub fn shown_by(mut self, line: impl Into<String>) -> Finding {
        self.evidence.push(line.into());
        self
    }

    pub fn cure(mut self, cure: Cure) -> Finding {
        self.cures.push(cure);
        self
    }
}

/// Everything that was found, worst first.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub at: Timestamp,
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn new(observed: &Observed, mut findings: Vec<Finding>) -> Report {
        findings.sort_by(|a, b| {
            let of = |f: &Finding| (f.level, f.kind, f.service.clone(), f.metric.clone());
            of(a).cmp(&of(b)).then_with(|| a.target.cmp(&b.target))
        });
        Report {
            at: observed.at,
            findings,
        }
    }

    /// How many findings there are of each level.
    pub fn counts(&self) -> BTreeMap<Level, usize> {
        let mut counts = BTreeMap::from(Level::ALL.map(|level| (level, 0)));
        for finding in &self.findings {
            *counts.entry(finding.level).or_default() += 1;
        }
        counts
    }

    /// Whether a script should stop: at a problem, with `strict` at a warning too.
    pub fn fails(&self, strict: bool) -> bool {
        let limit = if strict {
            Level::Warning
        } else {
            Level::Problem
        };
        self.findings.iter().any(|finding| finding.level <= limit)
    }
}

/// A reading in a word, and its value.
pub fn state_of(reading: &Reading) -> (&'static str, Option<f64>) {
    match reading {
        Reading::Value(value) => ("found", Some(*value)),
        Reading::Proxy(value) => ("proxy", Some(*value)),
        Reading::Idle => ("idle", None),
        Reading::Odd(value) => ("odd", value.is_finite().then_some(*value)),
        Reading::Missing => ("missing", None),
        Reading::NotAsked(_) => ("not_asked", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_and_each_is_documented() {
        let manual = include_str!("../../../../docs/doctor.md");
        for kind in Kind::ALL {
            let id = kind.as_str();
            assert!(
                id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{id}"
            );
            assert!(
                manual.contains(&format!("| `{id}` |")),
                "{id} has no entry in docs/doctor.md"
            );
            assert!(kind.why().ends_with('.'), "{id}");
        }
    }

    #[test]
    fn only_problems_fail_and_warnings_where_asked_for() {
        let report = |level| Report {
            at: Timestamp::EPOCH,
            findings: vec![Finding::new(level, Kind::TargetDown, "x")],
        };
        let fails = |level| (report(level).fails(false), report(level).fails(true));
        assert_eq!(fails(Level::Problem), (true, true));
        assert_eq!(fails(Level::Warning), (false, true));
        assert_eq!(fails(Level::Note), (false, false));
    }
}
