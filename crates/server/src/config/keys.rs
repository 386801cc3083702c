//! Every key: its default, what it may be, and a sentence. The one place where these are written;
//! resolving takes defaults and bounds from here, and the reference is printed from here.

use std::fmt;
use std::time::Duration;

use super::duration::{Size, Span};
use super::nearest::nearest;
use super::problem::path_text;

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `training.window`; `<id>` and `<name>` stand for names, `[]` for each item of a list.
    pub path: &'static str,
    /// As it would be written; empty where the key has no value unless one is given.
    pub default: &'static str,
    pub range: Range,
    /// A noun phrase up to the first full stop, then whatever must be known beside it.
    pub sentence: &'static str,
}

/// What a value may be; both ends belong to it unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    Duration(Duration, Duration),
    Bytes(u64, u64),
    Count(u64, u64),
    /// Above the first, at most the second.
    Share(f64, f64),
    /// Both ends are allowed.
    Within(f64, f64),
    /// In words; checked where it is resolved.
    Words(&'static str),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Duration(least, most) => write!(f, "{} to {}", Span(*least), Span(*most)),
            Range::Bytes(least, most) => write!(f, "{} to {}", Size(*least), Size(*most)),
            Range::Count(least, u64::MAX) => write!(f, "a whole number from {least}"),
            Range::Count(least, most) => write!(f, "{least} to {most}"),
            Range::Share(above, most) => write!(f, "above {above}, at most {most}"),
            Range::Within(least, most) => write!(f, "{least} to {most}"),
            Range::Words(words) => f.write_str(words),
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const YEARS: Duration = Duration::from_secs(3_650 * 86_400);
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const fn entry(
    path: &'static str,
    default: &'static str,
    range: Range,
    sentence: &'static str,
) -> Key {
    Key {
        path,
        default,
        range,
        sentence,
    }
}

/// All keys, in the order in which one would write them.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    entry("prometheus.url", "http://127.0.0.1:9090", URL, "The Prometheus whose series are judged. A path in front of `/api/v1` is allowed; credentials are not."),
    entry("prometheus.timeout", "10s", Range::Duration(Duration::from_millis(100), Duration::from_secs(300)), "The longest wait for one answer of Prometheus."),
    entry("prometheus.headers.<name>", "", Range::Words("a text of one line"), "A header sent with every request, such as `X-Scope-OrgID`. Its value is treated as a secret."),
    entry("prometheus.basic_auth.username", "", Range::Words("a text"), "The user name sent to Prometheus. It needs a password or a password file."),
    entry("prometheus.basic_auth.password", "", SECRET, "The password sent to Prometheus. Better in a file or the environment than here."),
    entry("prometheus.basic_auth.password_file", "", FILE, "The file that holds the password."),
    entry("prometheus.bearer_token", "", SECRET, "The token sent to Prometheus as `Authorization: Bearer`. Excludes `basic_auth`; better in a file or the environment than here."),
    entry("prometheus.bearer_token_file", "", FILE, "The file that holds the token."),
    entry("prometheus.ca_file", "", FILE, "The PEM file of certificate authorities trusted beside the built-in ones for `https`."),
    entry("prometheus.external_url", "", URL, "The address of Prometheus for people's browsers, shown in the status; without it that is `prometheus.url`."),
    entry("prometheus.answer_bytes_max", "64MiB", Range::Bytes(MIB, 4 * GIB), "The largest answer of Prometheus that is read. A larger one counts as failed."),
    entry("scrape", "", Range::Words("a file in the format of `prometheus.yml`"), "The targets that Bellwether scrapes itself, into its embedded store, where there is no Prometheus. Static targets are understood. Excludes `prometheus.url`."),
    entry("embedded.retention", "2d", Range::Duration(HOUR, Duration::from_secs(90 * 86_400)), "The age at which samples of the embedded store are dropped. What was judged stays in the datasets."),
    entry("embedded.memory", "1GiB", Range::Bytes(16 * MIB, 256 * GIB), "The most memory that samples of the embedded store may take. Past it the oldest hours go first, and that is said."),
    entry("tick", "15s", Range::Duration(Duration::from_millis(100), HOUR), "The time between two evaluations of every series. Below a second is meant for tests."),
    entry("evaluation_delay", "10s", Range::Duration(Duration::ZERO, HOUR), "The distance that evaluation stays behind the clock, so that late samples still count."),
    entry("identity", "service, application, service_name, app, job", Range::Words("1 to 16 different label names"), "The labels that name a service; the first that is not empty wins, for each series."),
    entry("scope", "", Range::Words("up to 8 different label names, none of them in `identity`"), "The labels that tell services of one name apart, such as `namespace`. They stand before the name in the id of a service."),
    entry("listen", "127.0.0.1:9092", Range::Words("an IP address and port"), "The address on which the API and the UI answer. Any but loopback needs `server.auth`, or `server.unsafe_listen`."),
    entry("data_dir", "./data", Range::Words("a directory"), "The directory of everything kept on disk. Relative to the working directory, as all paths are."),
    entry("packs", "", Range::Words("a list of `spring`, or an empty one"), "The sets of metrics watched beside `cpu`, `mem` and `lat`. `spring` has what Spring Boot services say of errors, traffic, garbage collection, threads, pools, logs and restarts."),
    entry("metrics.<id>.title", "the id", Range::Words("a text"), "The name that people read."),
    entry("metrics.<id>.unit", "", Range::Words("a text"), "The unit of its values."),
    entry("metrics.<id>.query", "", Range::Words("PromQL that contains `$identity`"), "The expression asked for once for all services; a new metric needs it. `$range` stands for the averaging range, `$seconds` for its length in seconds. A new query for a built-in metric drops the built-in fallback."),
    entry("metrics.<id>.fallback", "", Range::Words("PromQL that contains `$identity`"), "The expression asked for those services that the query leaves without a value."),
    entry("metrics.<id>.direction", "up", Range::Words("up, down or both"), "The direction in which a value is bad."),
    entry("metrics.<id>.high", "", NUMBER, "The value from which severity is High. Without one, no value is."),
    entry("metrics.<id>.critical", "", Range::Words("a number at or past `high`"), "The value from which severity is Critical. Without one, no value is."),
    entry("metrics.<id>.minimum_deviation", "0", Range::Words("a number, not negative"), "The least distance from the expected value that can be an anomaly, in the metric's unit."),
    entry("metrics.<id>.valid", "[-.inf, .inf]", Range::Words("a list of two numbers, the lower first"), "The range of values that can be true. Others are measuring errors and become gaps."),
    entry("metrics.<id>.combine", "max", Range::Words("max, sum or avg"), "The way in which the instances of a service become one series."),
    entry("metrics.<id>.at_least_from", "", NUMBER, "The value from which a value is only a lower bound and shown with \"≥\", as a quantile in the last bucket is."),
    entry("services.<name>.metrics.<id>.high", "", NUMBER, "The metric's `high` for this service alone. Without one, the metric's own."),
    entry("services.<name>.metrics.<id>.critical", "", Range::Words("a number at or past `high`"), "The metric's `critical` for this service alone. Without one, the metric's own."),
    entry("training.window", "7d", Range::Duration(MINUTE, YEARS), "The stretch of history that a model learns from."),
    entry("training.window_min_samples", "1000", Range::Count(20, 10_000_000), "The number of samples up to which the window grows back when it holds fewer."),
    entry("training.min_samples", "120", Range::Count(20, 10_000_000), "The number of different samples below which no model is trained."),
    entry("training.contamination", "0.01", Range::Share(0.0, 0.5), "The share of the history that is assumed to be anomalous."),
    entry("training.schedule", "24h", Range::Words("a duration of 1s to 30d, or a cron expression of 5 fields"), "The time between two trainings, or a cron expression in `season.timezone`. A restart doesn't put the next one off; one that was due meanwhile is made up for."),
    entry("training.max_age", "7d", Range::Duration(MINUTE, YEARS), "The age at which a model is replaced even by one that fits recent data worse."),
    entry("training.trees", "100", Range::Count(1, 10_000), "The number of trees in a forest."),
    entry("training.sample_size", "256", Range::Count(2, 65_536), "The number of rows that each tree sees."),
    entry("training.seed", "0", Range::Count(0, u64::MAX), "The seed of all randomness in training. The same history and seed give the same model."),
    entry("decide.open_after", "30s", Range::Duration(SECOND, DAY), "The time that an anomaly past a threshold lasts before an incident opens."),
    entry("decide.critical_after", "2m", Range::Duration(SECOND, DAY), "The time that a Critical lasts before an incident opens without the model's consent."),
    entry("decide.quiet_period", "5m", Range::Duration(SECOND, WEEK), "The time without trouble after which an incident is quiet. A shorter gap belongs to it."),
    entry("decide.hysteresis", "0.05", Range::Within(0.0, 0.5), "The share of its threshold by which a metric of an incident must fall short of it to count as calm, so that hovering around it is one episode."),
    entry("decide.down_after", "1m", Range::Duration(SECOND, DAY), "The time that a service which was up is gone before an availability incident opens."),
    entry("decide.alarm_budget", "0.2", Range::Share(0.0, 1_000.0), "Roughly the wrong predictions that are accepted for each series and day; a tenth of it raises the limit of the score by 0.4."),
    entry("decide.source_fault_share", "0.5", Range::Share(0.0, 1.0), "The share of the fleet whose disappearance within two ticks is a fault of the source and not of the services."),
    entry("auto_resolve[].name", "", Range::Words("a text, different for each rule"), "The name of a rule that resolves incidents; it is written where the rule acts. Without rules, only operators resolve."),
    entry("auto_resolve[].services", "all", Range::Words("a list of service ids, where `*` stands for any text"), "The services that the rule speaks of."),
    entry("auto_resolve[].severity_max", "Critical", Range::Words("High or Critical"), "The worst severity that the rule resolves; an operator's word on the severity counts."),
    entry("auto_resolve[].quiet_for", "", Range::Duration(MINUTE, YEARS), "The time for which every metric of a quiet incident must have been seen calm, by samples and without a break. A rule has this or `gone_for`."),
    entry("auto_resolve[].gone_for", "", Range::Duration(MINUTE, YEARS), "The time for which a vanished service must be gone while Prometheus is healthy. It then opens nothing until it is seen again."),
    entry("season.timezone", "UTC", ZONE, "The time zone of daily and weekly patterns and of cron expressions."),
    entry("logs[].path", "", Range::Words("a path, with `{service}` where each service has a file of its own"), "The log files of the services; `{service}` stands for the name. Without it the file must hold lines with a service field."),
    entry("logs[].fields.time", "", FIELD, "The field of JSON lines that holds their time. It is tried before the built-in names, as all of these are, and is read as nothing else; dots find it flat as well as nested."),
    entry("logs[].fields.level", "", FIELD, "The field that holds the level, a name or a number."),
    entry("logs[].fields.logger", "", FIELD, "The field that holds the logger."),
    entry("logs[].fields.message", "", FIELD, "The field that holds the message."),
    entry("logs[].fields.exception", "", FIELD, "The field that holds the class of the exception. A whole stack trace is understood there, too."),
    entry("logs[].fields.stack_trace", "", FIELD, "The field that holds the stack trace, a text or a list of lines."),
    entry("logs[].fields.trace_id", "", FIELD, "The field that holds the id of the trace."),
    entry("logs[].fields.span_id", "", FIELD, "The field that holds the id of the span."),
    entry("logs[].fields.service", "", FIELD, "The field that holds the name of the service."),
    entry("logs[].zone", "UTC", ZONE, "The time zone of times that name none, as plain text has them. An hour that is there twice is taken as the first, one that is left out as the hour after it."),
    entry("retention.datasets", "30d", Range::Duration(MINUTE, YEARS), "The age at which rows of the datasets are dropped. At least `training.window`."),
    entry("retention.incidents", "400d", Range::Duration(DAY, YEARS), "The age at which resolved incidents, and the audit trail of what people changed, are dropped."),
    entry("retention.ledger", "30d", Range::Duration(DAY, YEARS), "The age at which decisions, posted events, notices that were told or given up, and mutes that are over are dropped."),
    entry("retention.ledger_entries", "500000", Range::Count(1_000, 1_000_000_000), "The most decisions that are kept, at about 800 bytes each. Past it the oldest go first."),
    entry("retention.disk_max", "10GiB", Range::Bytes(64 * MIB, 1024 * 1024 * GIB), "The most that `data_dir` may take. Past it the oldest rows go first."),
    entry("limits.services", "2000", Range::Count(1, 100_000), "The most services that are watched. Further ones are counted and reported, not judged."),
    entry("limits.series", "30000", Range::Count(1, 1_000_000), "The most series that are watched. Further ones are counted and reported, not judged."),
    entry("limits.streams", "2000", Range::Count(1, 100_000), "The most clients that follow the event stream at the same time. Further ones are told to come back later."),
    entry("limits.connections", "4096", Range::Count(16, 65_536), "The most connections of clients at the same time; further ones wait. At most half of the file descriptors that the system allows are taken."),
    entry("notify.receivers[].name", "", Range::Words("letters, digits, - and _, different for each receiver"), "The name of a receiver that is told of incidents. Without receivers nobody is."),
    entry("notify.receivers[].webhook", "", Range::Words("an http or https address"), "The address that is sent JSON. Shown without its path, which often is a secret; a receiver has this, `webhook_file` or `alertmanager`."),
    entry("notify.receivers[].webhook_file", "", FILE, "The file that holds the address of the webhook."),
    entry("notify.receivers[].alertmanager", "", URL, "The Alertmanager that is sent alerts, by its API of version 2. A path in front of `/api/v2` is allowed."),
    entry("notify.receivers[].severity", "High", Range::Words("High or Critical"), "The least severity that the receiver is told of."),
    entry("notify.receivers[].services", "all", Range::Words("a list of service ids, where `*` stands for any text"), "The services that the receiver is told of."),
    entry("notify.receivers[].headers.<name>", "", Range::Words("a text of one line"), "A header sent with every message. Its value is treated as a secret."),
    entry("notify.receivers[].basic_auth.username", "", Range::Words("a text"), "The user name sent to the receiver. It needs a password or a password file."),
    entry("notify.receivers[].basic_auth.password", "", SECRET, "The password sent to the receiver. Better in a file or the environment than here."),
    entry("notify.receivers[].basic_auth.password_file", "", FILE, "The file that holds the password."),
    entry("notify.receivers[].bearer_token", "", SECRET, "The token sent to the receiver as `Authorization: Bearer`. Excludes `basic_auth`; better in a file or the environment than here."),
    entry("notify.receivers[].bearer_token_file", "", FILE, "The file that holds the token; it is read again for each message."),
    entry("notify.receivers[].ca_file", "", FILE, "The PEM file of certificate authorities trusted beside the built-in ones for `https`."),
    entry("notify.repeat_interval", "4h", Range::Duration(SECOND, Duration::from_secs(30 * 86_400)), "The time after which a firing incident that nobody acknowledged is told again. An Alertmanager repeats by itself."),
    entry("notify.blind_after", "5m", Range::Duration(SECOND, DAY), "The time without an answer of the source after which that is told, once."),
    entry("notify.messages_per_minute", "10", Range::Count(1, 10_000), "The most messages that a webhook is sent in a minute. What comes beyond waits and is sent together, as a summary."),
    entry("notify.notices_per_message", "20", Range::Count(1, 1_000), "The most notices that one message to a webhook tells in full. A larger one is a summary that counts the rest and names their incidents."),
    entry("notify.heartbeat.url", "", Range::Words("an http or https address"), "The address that is called as long as ticks are evaluated, for a dead man's switch. Without one, none is. Shown without its path."),
    entry("notify.heartbeat.interval", "1m", Range::Duration(SECOND, HOUR), "The time between two calls of the heartbeat."),
    entry("server.hosts", "", Range::Words("a list of host names"), "The names under which the server may be addressed, beside loopback and the `listen` address. Others are refused."),
    entry("server.external_url", "", URL, "The address of this server for people's browsers. Links in notifications use it."),
    entry("server.unsafe_listen", "false", Range::Words("true or false"), "The consent to listen on more than loopback, or behind a proxy, without authentication. Whoever reaches the port can then read and change everything."),
    entry("server.auth.users_file", "", FILE, "The file of people who log in with a password, a line `name:role:hash` for each. `bellwether access password NAME` makes the lines; with this file or that of tokens nobody comes in who isn't named."),
    entry("server.auth.tokens_file", "", FILE, "The file of tokens that scripts send as `Authorization: Bearer`, a line `name:role:hash` for each. `bellwether access token NAME` makes them."),
    entry("server.auth.session_idle", "12h", Range::Duration(MINUTE, Duration::from_secs(30 * 86_400)), "The time without a request after which a session ends."),
    entry("server.auth.session_lifetime", "7d", Range::Duration(MINUTE, Duration::from_secs(365 * 86_400)), "The time after the log-in at which a session ends in any case."),
    entry("server.trusted_proxies", "", Range::Words("a list of up to 64 addresses or networks, such as 10.0.0.0/8"), "The proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed. Needs `server.auth`, or `server.unsafe_listen`."),
    entry("server.base_path", "", Range::Words("a path such as /bellwether, or nothing"), "The path under which everything is served, where a proxy gives several programs one name. Needs `server.auth`, or `server.unsafe_listen`."),
    entry("log.level", "info", Range::Words("error, warn, info, debug or trace"), "The least important of our own events that are logged."),
    entry("log.format", "text", Range::Words("text or json"), "The form of our own log lines."),
];

const URL: Range = Range::Words("an http or https address without credentials, query or fragment");
const SECRET: Range = Range::Words("a text of one line");
const FILE: Range = Range::Words("a readable file");
const FIELD: Range = Range::Words("the name of a field, with dots where it lies deeper");
const ZONE: Range = Range::Words("a name of the IANA time zone database, such as Europe/Berlin");
const NUMBER: Range = Range::Words("a number");

/// The row of a key.
///
/// # Panics
/// If there is none: resolving asks only for keys of the table, by test.
pub(super) fn key(path: &str) -> &'static Key {
    KEYS.iter()
        .find(|key| key.path == path)
        .expect("every key that is resolved stands in the table")
}

impl Key {
    /// The sentence as the end of another one.
    pub(super) fn meaning(&self) -> String {
        let phrase = self.sentence.split(". ").next().unwrap_or_default();
        let mut letters = phrase.trim_end_matches('.').chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_lowercase().chain(letters).collect()
        })
    }

    fn last(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// What to do about an unknown key, given the keys known beside it.
pub(super) fn advice(path: &[String], known: &[&str]) -> String {
    let (last, parents) = match path.split_last() {
        Some((last, parents)) => (last.as_str(), parents),
        None => ("", path),
    };
    let beside = |name: &str| {
        let mut full = parents.to_vec();
        full.push(name.to_owned());
        path_text(&full)
    };
    if let Some(name) = nearest(last, known.iter().copied()) {
        return format!("did you mean `{}`?", beside(name));
    }
    let elsewhere = KEYS
        .iter()
        .find(|key| key.last() == last || key.path.replace('.', "_") == last);
    if let Some(key) = elsewhere {
        return format!("did you mean `{}`?", key.path);
    }
    format!("known here: {}", known.join(", "))
}
