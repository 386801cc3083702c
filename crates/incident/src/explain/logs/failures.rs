//! One failure under several names.
//!
//! The application logs the outer exception; its container (Tomcat, Jetty, Undertow) logs the same
//! failure once more, under its own logger, with the root cause and without a trace id; the
//! `exception` label of a metric has the simple name of either class. So a failure is recognised by
//! its trace id, or by its time and one of the classes along its chain of causes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{AlsoTold, LogLevel, LogLine, MetricId, Timestamp};

use super::miner::{GroupId, beginning};

/// Failures of the window that are remembered, the earliest; each with so many classes.
const FAILURES_MAX: usize = 4_096;
const CLASSES_MAX: usize = 8;
const CLASS_BYTES_MAX: usize = 128;
/// What of a message is searched for classes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// A container logs a failure at most so long after the application did, or before.
const APART_MAX: Duration = Duration::from_secs(1);
/// Names kept for one pattern.
pub(crate) const ALSO_MAX: usize = 8;

/// A value of a metric's label that names an exception, as a breakdown found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionLabel {
    pub metric: MetricId,
    /// `exception`, `error`.
    pub label: String,
    /// The simple name of a class.
    pub value: String,
}

/// The failures of the window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures {
    /// By time, then as they came.
    seen: BTreeMap<(Timestamp, u64), Failure>,
    came: u64,
}

#[derive(Clone, Debug)]
struct Failure {
    group: GroupId,
    trace: Option<u64>,
    /// Simple names: the line's own, its causes, what its message says was thrown.
    classes: Vec<String>,
}

/// Two patterns that tell the same failures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Echo {
    pub application: GroupId,
    pub container: GroupId,
    pub by_trace_id: bool,
    /// Failures that both told, and those of the container in all.
    pub shared: u64,
    pub of: u64,
}

impl Failures {
    /// Remembers a line of the window if it tells a failure. `trace` is a hash of service and trace.
    pub fn add(&mut self, line: &LogLine, group: GroupId, trace: Option<u64>) {
        if line.level != LogLevel::Error && line.exception.is_none() {
            return;
        }
        self.came += 1;
        let key = (line.time, self.came);
        let is_full = self.seen.len() >= FAILURES_MAX;
        if is_full && self.seen.keys().next_back().is_some_and(|last| *last < key) {
            return;
        }
        let classes = classes(line);
        let failure = Failure {
            group,
            trace,
            classes,
        };
        self.seen.insert(key, failure);
        if self.seen.len() > FAILURES_MAX {
            self.seen.pop_last();
        }
    }

    /// Which patterns of containers tell failures again that an application told. `about` has the
    /// root of a group, an index of its service, and whether its logger is a container's.
    pub fn echoes(&self, about: impl Fn(GroupId) -> Option<(GroupId, usize, bool)>) -> Vec<Echo> {
        let mut told = Vec::new();
        let mut by_trace: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut repeated = Vec::new();
        for ((time, _), failure) in &self.seen {
            let Some((group, service, is_container)) = about(failure.group) else {
                continue;
            };
            if is_container {
                repeated.push((*time, failure, group, service));
                continue;
            }
            if let Some(trace) = failure.trace {
                by_trace.entry(trace).or_default().push(told.len());
            }
            told.push((*time, failure, group, service));
        }
        let mut of: BTreeMap<GroupId, u64> = BTreeMap::new();
        let mut pairs: BTreeMap<(GroupId, GroupId), (u64, bool)> = BTreeMap::new();
        for (time, failure, container, service) in repeated {
            *of.entry(container).or_default() += 1;
            let in_trace = failure.trace.and_then(|trace| by_trace.get(&trace));
            let nearest = |at: &usize| {
                let (other, application, ..) = told[*at];
                let is_alike = share_class(failure, application);
                (!is_alike, apart(time, other), *at)
            };
            let by_trace_id = in_trace.and_then(|all| all.iter().copied().min_by_key(nearest));
            let found = by_trace_id.or_else(|| {
                let first = told.partition_point(|(other, ..)| *other + APART_MAX < time);
                let near = (first..told.len()).take_while(|at| told[*at].0 <= time + APART_MAX);
                near.filter(|at| {
                    let (_, application, _, of) = told[*at];
                    of == service && share_class(failure, application)
                })
                .min_by_key(nearest)
            });
            if let Some(at) = found {
                let pair = pairs.entry((told[at].2, container)).or_default();
                pair.0 += 1;
                pair.1 |= by_trace_id.is_some();
            }
        }
        let echo = |((application, container), (shared, by_trace_id))| Echo {
            application,
            container,
            by_trace_id,
            shared,
            of: of.get(&container).copied().unwrap_or(0),
        };
        pairs.into_iter().map(echo).collect()
    }

    /// The labels that name an exception of each pattern.
    pub fn labelled(
        &self,
        labels: &[ExceptionLabel],
        root: impl Fn(GroupId) -> GroupId,
    ) -> BTreeMap<GroupId, Vec<AlsoTold>> {
        let mut classes: BTreeMap<GroupId, BTreeSet<&str>> = BTreeMap::new();
        for failure in self.seen.values() {
            let names = failure.classes.iter().map(String::as_str);
            classes
                .entry(root(failure.group))
                .or_default()
                .extend(names);
        }
        let told = |names: &BTreeSet<&str>| -> Vec<AlsoTold> {
            let named = labels
                .iter()
                .filter(|label| names.contains(simple(&label.value)));
            let also = named.map(|label| AlsoTold {
                by: format!("{}{{{}}}", label.metric, label.label),
                name: label.value.clone(),
                by_means_of: "class".to_owned(),
                pattern: None,
            });
            also.take(ALSO_MAX).collect()
        };
        classes
            .iter()
            .map(|(group, names)| (*group, told(names)))
            .collect()
    }
}

/// Whether a logger is that of a servlet container, which repeats what the application told.
pub(crate) fn is_container(logger: &str) -> bool {
    // Spring's plain pattern shortens packages to their first letters.
    const CONTAINERS: [&str; 8] = [
        "org.apache.catalina.",
        "org.apache.tomcat.",
        "org.apache.coyote.",
        "o.a.c.c.",
        "o.a.catalina.",
        "o.a.t.",
        "org.eclipse.jetty.",
        "io.undertow.",
    ];
    CONTAINERS.iter().any(|its| logger.starts_with(its)) || logger.ends_with("[dispatcherServlet]")
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

fn share_class(a: &Failure, b: &Failure) -> bool {
    a.classes.iter().any(|class| b.classes.contains(class))
}

/// The simple names of a line's exception, of the causes in its stack trace, and of what its
/// message says was thrown.
fn classes(line: &LogLine) -> Vec<String> {
    let message = beginning(&line.message, TEXT_BYTES_MAX);
    let thrown = message
        .split(|letter: char| !is_of_class(letter))
        .filter(|word| names_a_class(word));
    let mut classes: Vec<String> = Vec::new();
    for class in line
        .exception
        .as_deref()
        .into_iter()
        .chain(line.causes())
        .chain(thrown)
    {
        let class = simple(class);
        let is_usable = !class.is_empty() && class.len() <= CLASS_BYTES_MAX;
        if is_usable && classes.len() < CLASSES_MAX && !classes.iter().any(|known| known == class) {
            classes.push(class.to_owned());
        }
    }
    classes
}

fn is_of_class(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '_' | '$')
}

/// `java.lang.IllegalStateException`, not `Exception` or `failed.`.
fn names_a_class(word: &str) -> bool {
    let is_thrown = ["Exception", "Error"].iter().any(|end| word.ends_with(end));
    is_thrown && word.contains('.') && !word.starts_with('.')
}

/// The name of a class without its packages and outer classes.
fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_their_loggers() {
        let cases = [
            (
                "org.apache.catalina.core.ContainerBase.[Tomcat].[localhost].[/].[dispatcherServlet]",
                true,
            ),
            ("o.a.c.c.C.[.[.[.[dispatcherServlet]", true),
            ("o.a.c.c.C.[Tomcat].[localhost].[/]", true),
            ("io.undertow.request", true),
            ("org.eclipse.jetty.ee10.servlet.ServletChannel", true),
            ("demo.orders.OrdersController", false),
            ("o.s.OrderServiceImpl", false),
        ];
        for (logger, expected) in cases {
            assert_eq!(is_container(logger), expected, "{logger}");
        }
    }

    #[test]
    fn classes_are_found_along_the_chain_of_causes() {
        let line = LogLine {
            time: Timestamp::EPOCH,
            level: LogLevel::Error,
            logger: None,
            message: "threw exception [Request processing failed: a.b.OuterException: no. Error] \
                      with root cause"
                .into(),
            exception: Some("a.b.Own$InnerException".into()),
            stack_trace: Some(
                "a.b.Own$InnerException: x\n\tat a.B.c(D.java:1)\nCaused by: c.d.MiddleException: \
                 y\n\t... 3 more\n\tSuppressed: e.OtherException\nCaused by: RootError\n"
                    .into(),
            ),
            trace_id: None,
            span_id: None,
            cut: false,
        };
        let expected = [
            "InnerException",
            "MiddleException",
            "RootError",
            "OuterException",
        ];
        assert_eq!(classes(&line), expected);
    }
}
