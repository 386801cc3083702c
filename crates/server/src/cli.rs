//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::Timestamp;
use simulator::Span;

use crate::config::{self, Config, ConfigError, Loaded};
use crate::why::Moment;

mod operators;

pub use operators::{
    Backup, Completions, Incidents, IncidentsChange, IncidentsCommand, IncidentsList,
    IncidentsShow, Man, Running,
};

/// What exit codes mean, for `--help` and for scripts.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed while running; the reason is on standard error
  2  the command line or the configuration is wrong
  3  a replay found a difference
  4  `doctor` found a problem, with --strict also where it found a warning";

const DOCTOR_EXAMPLES: &str = "Examples:
  bellwether doctor
  bellwether doctor --prometheus https://prometheus.example/prom --service payments
  bellwether doctor --scrape prometheus.yml --once
  bellwether doctor --json --strict > doctor.json    in CI: exit code 4 where something is to be done

A problem: something is not judged, or would be judged wrongly. A warning: it is judged with less
certainty, or later. A note: good to know. docs/doctor.md has every finding with its id, and the
shape of --json.

Exit codes:
  0  nothing is wrong
  1  it could not look; the reason is on standard error
  2  the command line or the configuration is wrong
  4  there is a problem, with --strict also where there is a warning";

const DEMO_EXAMPLES: &str = "Examples:
  bellwether demo
  bellwether demo --fault bad-release --service catalog
  FAULT=stopped SERVICE=ledger bellwether demo
  bellwether demo --faults none --seconds 900";

const WHY_EXAMPLES: &str = "Examples:
  bellwether why payments lat now
  bellwether why payments lat -10m
  bellwether why payments lat 2026-11-22T15:48:30Z --json

The numbers are those of the newest tick at or before TIME. Ticks lie evaluation_delay
(10 s) and up to one tick (15 s) behind now; `now` tells of the newest one.";

const INCIDENTS_EXAMPLES: &str = "Examples:
  bellwether incidents list --status open,acknowledged
  bellwether incidents list --text 'connection pool' --severity critical
  bellwether incidents show 12
  bellwether incidents ack 12 13 --note 'looking at the database'
  bellwether incidents resolve 12 --note 'rolled back'

Exit codes:
  0  done
  1  at least one could not be changed, or the server doesn't answer
  2  the command line or the configuration is wrong";

const BACKUP_EXAMPLES: &str = "Examples:
  bellwether backup /backups/bellwether-$(date +%F)
  bellwether backup copy --data-dir /var/lib/bellwether

The directory is there as a whole or not at all; until then it is named DIR.partial. To go back to
it, stop the server and give it a copy of DIR as its data_dir. What is made anew, such as the index
of log files, and what is in quarantine is left out.";

const COMPLETIONS_EXAMPLES: &str = "Examples:
  bellwether completions bash > /etc/bash_completion.d/bellwether
  bellwether completions zsh > ~/.zfunc/_bellwether
  bellwether completions fish > ~/.config/fish/completions/bellwether.fish";

const NOTIFY_TEST_EXAMPLES: &str = "Examples:
  bellwether notify test oncall
  bellwether notify test oncall --config /etc/bellwether/config.yaml";

const LOG_SHIFT_EXAMPLES: &str = r#"Examples:
  bellwether lab log-shift cases
  bellwether lab log-shift cases --json
  bellwether lab log-shift cases --asks asks.csv --out ranking.json

ROOT has nezha-tt/CASE/logs.jsonl.gz and nezha-tt/baseline-logs/DAY.jsonl.gz: one JSON object per
line with ts, service, level, logger, message, trace_id and span_id. The window is from the
injection to the end of the case's lines. The baseline is the day before it without 200 seconds
from each known fault on; where that has fewer than 3,000 lines, the rest of the day as well.

FILE of --asks, times as epoch seconds or RFC 3339:
  case,inject_ts                                  the heading may be missing
  tt-230129-0852,1674982326
or the same as JSON, [{"case": "tt-230129-0852", "inject_ts": 1674982326}] or
{"tt-230129-0852": 1674982326}

FILE of --out: {"tt-230129-0852": ["ts-contacts-service|c.s.ContactsServiceImpl", …], …}"#;

const MODEL_SHOW_EXAMPLES: &str = "Examples:
  bellwether model show payments lat
  bellwether model show payments lat --json | jq .forest.trees[0].nodes

In --json the nodes of a tree are in preorder: rows whose `feature` lies below `below` go to the
next node, others to the one after all of that side, which is the next one of the same depth as it.

Exit codes:
  0  done
  1  the model's file can't be read, or is damaged
  2  there is no such model; the command line or the configuration is wrong";

const PROMQL_EXAMPLES: &str = "Examples:
  bellwether lab promql samples.om --queries queries.txt

SAMPLES is what `promtool tsdb create-blocks-from openmetrics` reads: lines such as
  requests_total{service=\"pay\"} 17 1795348800.25
with `# EOF` at the end. Each line of FILE is START END STEP EXPR, times as epoch seconds or RFC
3339, the step as seconds or a duration:
  1795348800 1795352400 15 sum by (service) (rate(requests_total[5m]))
Empty lines and lines that begin with # are left out.";

const DETECT_EXAMPLES: &str = "Examples:
  bellwether lab detect recorded --out scored
  bellwether lab detect recorded --out scored --ds web --ds db --jobs 2

DATA_ROOT/index.csv lists the files: kind,ds,name,file,interval_s,train_rows
  series,web,latency,series/latency.csv.gz,60,20160
Other columns are left unread. Each file has timestamp,metric,metric,… in the order of time; where
a value is empty or no number there is a gap. The columns label and train are left unread.

DIR gets for each file one of the same path without .gz: timestamp,score,is_anomaly. The score is
-log10 of the probability of something as unusual, 0 to 8; 0 for the history and for gaps. Where
the kind is entity or pod it is that of the whole, and PATH/METRIC.csv has that of each metric.
incidents.csv has entity,opened_ts,metric,suspect.";

const ACCESS_EXAMPLES: &str = "Examples:
  bellwether access password kim --role operator >> users
  bellwether access token ci --role viewer >> tokens

docs/access.md says what the roles may do.";

const LOGS_EXAMPLES: &str = "Examples:
  bellwether lab logs labelled-lines
  bellwether lab logs labelled-lines --ids ids.txt
  bellwether lab logs labelled-lines --json

GA is the share of lines whose group is exactly the lines of one statement, FGA the F1 over
groups. Lines per second are those of one core, from message to group, the fastest of three
passes, without reading the file.";

#[derive(Debug, Parser)]
#[command(
    name = "bellwether",
    version,
    about = "Learns what is normal for each service and metric in Prometheus, and opens one incident per real episode, with reasons and logs.",
    after_help = EXIT_CODES,
    propagate_version = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the services of a Prometheus: collect, judge, open incidents, answer HTTP.
    ///
    /// Without a configuration it reads http://127.0.0.1:9090, keeps its files in ./data and
    /// listens on http://127.0.0.1:9092.
    Serve(Serve),
    /// A simulated shop, the embedded store and one fault, in this process: the whole thing to look at.
    ///
    /// It lays down two days of history, trains a model for each metric, waits a minute, begins a
    /// fault and tells on the terminal what comes of it, until Ctrl-C. Nothing is needed beside
    /// this program, and everything that is written lies in one folder.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Recompute a recording of `serve --record`, or walk a past range of a Prometheus.
    ///
    /// A recording is recomputed tick by tick and must give the same outputs, bit for bit; the
    /// first difference is named. With --from and --to the past of the configured Prometheus is
    /// walked through the same engine, after training on what lies before it, and the incidents
    /// that would have opened are listed.
    Replay(Replay),
    /// Train models from the datasets on disk, with Prometheus off.
    ///
    /// The data directory must not be in use by a running server; ask that one with
    /// `curl -X POST http://127.0.0.1:9092/retrain` instead.
    Train(Train),
    /// Look at a Prometheus or at targets: what is there of each service, what is missing, and the
    /// exact setting that adds it.
    ///
    /// Asks a few dozen queries, and writes nothing anywhere. Looks at the metrics of the catalogue,
    /// the labels that name services, the buckets of latency against its thresholds, scrape
    /// intervals against windows, and targets that are down.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(Doctor),
    /// What was decided about a metric of a service at a time, and why; also when nothing was.
    ///
    /// Asks the running server: the value against its thresholds and the band, what the model and
    /// its components said, what held, which incident it joined, and what people were told.
    #[command(after_help = WHY_EXAMPLES)]
    Why(Why),
    /// List, show, acknowledge and resolve the incidents of the running server.
    #[command(after_help = INCIDENTS_EXAMPLES)]
    Incidents(Incidents),
    /// Copy the data directory consistently, also while a server works on it.
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(Backup),
    /// Models, looked into.
    Model(ModelOf),
    /// Paging, tried out by hand.
    Notify(Notify),
    /// Judge Bellwether itself, offline, against simulated services whose faults are known.
    Lab(Lab),
    /// Check the configuration and print the effective whole, without secrets.
    CheckConfig(Settings),
    /// Make a password or token for the files that say who may come in.
    ///
    /// The line for the file goes to standard output, the rest to standard error.
    #[command(after_help = ACCESS_EXAMPLES)]
    Access(Access),
    /// Print what a shell needs to complete the arguments of this program.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual, a page for each subcommand, for `man -l` and for packages.
    Man(Man),
    /// Print the version and what formats it writes.
    Version,
}

/// Where settings come from. Flags win over the environment (BELLWETHER_TICK,
/// BELLWETHER_PROMETHEUS__URL, …), which wins over the file.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// The configuration file [default: config.yaml, if it is there]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The address of the Prometheus, with its path prefix if it has one
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// Scrape the targets of this prometheus.yml here instead, into the embedded store
    #[arg(long, value_name = "FILE", conflicts_with = "prometheus")]
    pub scrape: Option<String>,
    /// The address to listen on [default: 127.0.0.1:9092]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// The directory of datasets, models and incidents [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Any other setting by its key path, such as decide.open_after=1m; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub settings: Settings,
    /// Write every input and the hash of every output to a new file, for `replay`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// What goes wrong: cpu-burn, heap-leak, slow-dependency, error-burst, bad-release, stopped, pool-exhausted or deadlock
    #[arg(
        long,
        env = "FAULT",
        value_name = "KIND",
        default_value = "slow-dependency"
    )]
    pub fault: String,
    /// On which service: gateway, orders, catalog, payments, inventory or ledger
    #[arg(long, env = "SERVICE", value_name = "NAME", default_value = "payments")]
    pub service: String,
    /// `none`: nothing goes wrong, and nothing should open
    #[arg(long, env = "FAULTS", value_name = "none")]
    pub faults: Option<Faults>,
    /// How strong: 1 just reaches High [default: by the kind]
    #[arg(long, env = "MAGNITUDE", value_name = "NUMBER")]
    pub magnitude: Option<f64>,
    /// How long [default: by the kind]
    #[arg(long = "for", env = "FOR", value_name = "SPAN")]
    pub length: Option<Span>,
    /// Seconds of calm before it, counted from when all models are there
    #[arg(
        long,
        env = "FAULT_AFTER",
        value_name = "SECONDS",
        default_value_t = 60
    )]
    pub fault_after: u64,
    /// Of the services and their noise
    #[arg(long, env = "SEED", value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// End after so many seconds [default: run until Ctrl-C]
    #[arg(long, env = "DEMO_SECONDS", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Other services: a topology.yaml
    #[arg(long, value_name = "FILE")]
    pub topology: Option<PathBuf>,
    /// How much past is laid down
    #[arg(long, value_name = "SPAN", default_value = "2d")]
    pub history: Span,
    /// The address to listen on; the next free port where it is taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9092")]
    pub listen: SocketAddr,
    /// The folder of everything that is written
    #[arg(long, value_name = "DIR", default_value = ".demo")]
    pub dir: PathBuf,
}

/// What stands for no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Faults {
    None,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// The recording to recompute
    #[arg(
        value_name = "FILE",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    pub file: Option<PathBuf>,
    /// Walk the configured Prometheus from this time on (RFC 3339 or epoch seconds)
    #[arg(long, value_name = "TIME", requires = "to")]
    pub from: Option<Timestamp>,
    /// … to this time
    #[arg(long, value_name = "TIME", requires = "from")]
    pub to: Option<Timestamp>,
    /// The distance of the walked instants [default: tick]
    #[arg(long, value_name = "DURATION", requires = "from")]
    pub step: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    pub settings: Settings,
    /// Only this service
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only this metric
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Print the outcomes as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Ask scraped targets once instead of twice, five seconds apart; then nothing is known of rates
    #[arg(long)]
    pub once: bool,
    /// Only this service, by its id or its name
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Exit with 4 for warnings, too
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Why {
    /// The service, as GET /services names it
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The id of the metric, such as cpu, mem or lat
    #[arg(value_name = "METRIC")]
    pub metric: String,
    /// RFC 3339, epoch seconds, `now`, or `-10m` for ten minutes ago
    #[arg(value_name = "TIME", allow_hyphen_values = true)]
    pub time: Moment,
    /// Print the answer of the server as it came
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub struct ModelOf {
    #[command(subcommand)]
    pub command: ModelCommand,
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// What the model of a metric of a service has learnt: from what, with which parameters, what it
    /// holds for usual by the time of day, and the trees of its forest.
    ///
    /// Reads the file in the data directory, also while a server works on it.
    #[command(after_help = MODEL_SHOW_EXAMPLES)]
    Show(ModelShow),
}

#[derive(Debug, Args)]
pub struct ModelShow {
    /// The service, by its id or, where only one has it, its name
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The id of the metric, such as cpu, mem or lat
    #[arg(value_name = "METRIC")]
    pub metric: String,
    /// Print one JSON object with every node of every tree
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Notify {
    #[command(subcommand)]
    pub command: NotifyCommand,
}

#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Send a test to a receiver, the whole way that an incident would go.
    ///
    /// It is sent once, from here, with the configured address and credentials; no server need run.
    /// Printed are what was sent, where to (without secrets), and what came back. Exit code 1 where
    /// the receiver did not take it, 2 where there is none of this name.
    #[command(after_help = NOTIFY_TEST_EXAMPLES)]
    Test(NotifyTest),
}

#[derive(Debug, Args)]
pub struct NotifyTest {
    /// Its name in the configuration: notify.receivers[].name
    #[arg(value_name = "RECEIVER")]
    pub receiver: String,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Lab {
    #[command(subcommand)]
    pub command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// A week of simulated services with scripted faults, through the real engine.
    ///
    /// Four days of history are learnt from, then seven days are judged at one-minute steps with
    /// the default settings. What each fault really does is written down before; the report says
    /// which faults were found, by how many incidents, how many incidents were false, and how far
    /// the estimated onsets lie from the true ones. The same seed and files give the same report.
    Week(LabWeek),
    /// Stories of services in plain text, through the real engine.
    ///
    /// A story says what is normal, what happens, and what is expected: how many incidents, when,
    /// why. The language is described beside the project's own stories, in crates/lab/scenarios.
    /// What came of each is printed; exit code 1 if an expectation was not met.
    Story(LabStory),
    /// Log patterns around real faults in code, ranked as for an incident.
    ///
    /// For each case whose truth.json tells of a fault in code (fault_type return or exception), or
    /// that --asks names, the lines of all services are compared with those before. A class is the
    /// logger as in the logs, and is ranked by its strongest pattern. Where the truth is known, it is
    /// counted how often the right service and class come first, and among the first three. The
    /// settings are those of the product.
    #[command(after_help = LOG_SHIFT_EXAMPLES)]
    LogShift(LabLogShift),
    /// Evaluates expressions over samples by the embedded store.
    ///
    /// For each expression a line is printed: the JSON that query_range of a Prometheus would
    /// answer over the same samples. An expression outside the subset gets the error that it would
    /// get as a setting.
    #[command(after_help = PROMQL_EXAMPLES)]
    Promql(LabPromql),
    /// The detector over recorded series, walking forward as it would have live.
    ///
    /// The first train_rows rows of each file are history, from which the first models are trained;
    /// every row after them is judged, with a new model a day. The settings are those of the
    /// product, each metric is one of which nothing is said but that both directions are bad, and
    /// names and labels are not looked at. DIR is as it was where anything fails.
    #[command(after_help = DETECT_EXAMPLES)]
    Detect(LabDetect),
    /// Groups the lines of a log by the statement that printed them, and scores the groups.
    ///
    /// DIR has lines.tsv.gz or lines.tsv: service, logger, level and message with tabs between; in
    /// the message a tab, a line break and a backslash are written \t, \n and \\. Where truth.txt.gz
    /// or truth.txt lies beside, with the true statement of each line in any words, the groups are
    /// scored. There is one setting for all logs, that of the product, and nothing is learnt from
    /// the truth.
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(LabLogs),
}

#[derive(Debug, Args)]
pub struct Access {
    #[command(subcommand)]
    pub command: AccessCommand,
}

#[derive(Debug, Subcommand)]
pub enum AccessCommand {
    /// A line of the users file: asks for the password, or reads it from standard input.
    Password(Credential),
    /// A line of the tokens file, and the token itself, which is shown only once.
    Token(Credential),
}

#[derive(Debug, Args)]
pub struct Credential {
    /// Who it is for: 1 to 64 letters, digits and ._-@+
    #[arg(value_name = "NAME")]
    pub name: String,
    /// What they may do: viewer, operator or admin
    #[arg(long, value_name = "ROLE", default_value = "viewer")]
    pub role: access::Role,
}

#[derive(Debug, Args)]
pub struct LabPromql {
    /// The samples: OpenMetrics text with a time, in seconds, on each line
    #[arg(value_name = "SAMPLES")]
    pub samples: PathBuf,
    /// The expressions, one a line
    #[arg(long, value_name = "FILE")]
    pub queries: PathBuf,
}

#[derive(Debug, Args)]
pub struct LabDetect {
    /// The folder that index.csv lies in
    #[arg(value_name = "DATA_ROOT")]
    pub root: PathBuf,
    /// The folder for scores and incidents.csv; files of an earlier run are replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only this data set, as the column ds names it; may be repeated
    #[arg(long = "ds", value_name = "NAME")]
    pub data_sets: Vec<String>,
    /// Only files of this kind: series, entity or pod
    #[arg(long, value_name = "KIND")]
    pub kind: Option<lab::detection::Kind>,
    /// How many threads; what is written doesn't depend on it [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub struct LabLogShift {
    /// The folder that has the folder nezha-tt
    #[arg(value_name = "ROOT")]
    pub root: PathBuf,
    /// Rank the cases of this file, which need no truth.json [default: all with a fault in code]
    #[arg(long, value_name = "FILE")]
    pub asks: Option<PathBuf>,
    /// Write the rankings to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object: cases, and where truth is known how many are right, top1 and top3
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LabLogs {
    /// The folder with lines.tsv.gz or lines.tsv
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Write the group of each line to this file, a number per line
    #[arg(long, value_name = "FILE")]
    pub ids: Option<PathBuf>,
    /// Print one JSON object instead of text; ga and fga are null without a truth
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LabStory {
    /// The stories, files such as flapping-metric.scn
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print every incident with its timeline, also where all is as expected
    #[arg(long)]
    pub tell: bool,
}

#[derive(Debug, Args)]
pub struct LabWeek {
    /// The seed of services, noise and drawn faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// The services, `services: [{name, instances, rps, calls: [names]}]` [default: 12 drawn ones]
    #[arg(long, value_name = "FILE")]
    pub topology: Option<PathBuf>,
    /// The faults, a list of `{at: 3d4h10m, for: 20m, service, kind, magnitude: 1.0}`, `at`
    /// counted from the first judged day [default: drawn until 30 affect something]
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

impl Settings {
    /// The configuration of these flags, the environment and the file, as they are now.
    ///
    /// # Errors
    /// All that is wrong in any layer.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        Config::load(
            self.config.as_deref(),
            config::environment(),
            &self.overrides(),
        )
    }

    /// The flags as pairs of key path and text.
    pub fn overrides(&self) -> Vec<(String, String)> {
        let named = [
            ("prometheus.url", &self.prometheus),
            ("scrape", &self.scrape),
            ("listen", &self.listen),
            ("data_dir", &self.data_dir),
        ];
        let mut overrides: Vec<(String, String)> = named
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect();
        overrides.extend(self.set.iter().cloned());
        overrides
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as decide.open_after=1m".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn why_takes_a_time_that_begins_with_a_hyphen() {
        let cli = Cli::parse_from(["bellwether", "why", "pay", "lat", "-10m", "--json"]);
        let Command::Why(why) = cli.command else {
            panic!("not why")
        };
        let ten_minutes = std::time::Duration::from_secs(600);
        assert_eq!((why.time, why.json), (Moment::Ago(ten_minutes), true));
    }

    #[test]
    fn flags_become_overrides() {
        let cli = Cli::parse_from([
            "bellwether",
            "serve",
            "--prometheus",
            "http://p:9090",
            "--set",
            "tick=5s",
        ]);
        let Command::Serve(serve) = cli.command else {
            panic!("not serve")
        };
        let expected = [("prometheus.url", "http://p:9090"), ("tick", "5s")]
            .map(|(k, v)| (k.into(), v.into()));
        assert_eq!(serve.settings.overrides(), expected);
    }
}
