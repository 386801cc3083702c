//! The command line, and the fleet it describes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use simulator::{DEFAULT_JOB, Families, Fault, Fleet, LogOptions, Span, Topology};

#[derive(Parser)]
#[command(
    name = "bellwether-simulator",
    version,
    about = "A simulated fleet of Spring Boot services: metrics, logs, topology and faults",
    after_help = "Examples:
  bellwether-simulator serve --listen 127.0.0.1:9600 --topology shop --logs logs
  curl -s 127.0.0.1:9600/svc/payments/1/actuator/prometheus
  curl -s 127.0.0.1:9600/faults -H 'content-type: application/json' \\
       -d '{\"kind\": \"slow-dependency\", \"service\": \"payments\", \"for\": \"10m\", \"magnitude\": 1.5}'
  curl -s '127.0.0.1:9600/truth?service=payments&metric=lat'
  curl -s -X DELETE 127.0.0.1:9600/faults

  bellwether-simulator history --length 2d --families catalogue --out history.om
  promtool tsdb create-blocks-from openmetrics history.om data

  bellwether-simulator record --job spring --out quiet.txt.gz
  bellwether-simulator tile quiet.txt.gz --curve services/load/curve.csv

Faults: cpu-burn heap-leak slow-dependency error-burst bad-release stopped pool-exhausted deadlock.
Magnitude 1 just reaches High; 1.5 goes half as far again from normal."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Answer scrapes, discovery and live faults over HTTP until told to end
    Serve(ServeArgs),
    /// Write history in OpenMetrics and end
    History(HistoryArgs),
    /// Print the noise-free truth as CSV
    Truth(TruthArgs),
    /// Print a prometheus.yml that scrapes the fleet
    PrometheusConfig(ConfigArgs),
    /// Record a quiet stretch of real services out of their Prometheus
    #[command(after_help = RECORD_HELP)]
    Record(RecordArgs),
    /// Write days of past, made of a recording, into an empty Prometheus
    #[command(after_help = TILE_HELP)]
    Tile(TileArgs),
}

#[derive(Args)]
pub(crate) struct FleetArgs {
    /// A topology.yaml, `shop` for six services, or a number of services to generate
    #[arg(long, default_value = "shop", value_name = "FILE|shop|N")]
    pub(crate) topology: String,
    /// A faults.yaml: a list of {at: 3d4h10m, for: 20m, service, kind, magnitude: 1.0}, `at` from the start of history
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// The same seed gives the same fleet and the same noise
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

impl FleetArgs {
    pub(crate) fn topology(&self) -> Result<Topology> {
        if self.topology == "shop" {
            return Ok(Topology::shop());
        }
        if let Ok(count) = self.topology.parse::<usize>() {
            if !(1..=5_000).contains(&count) {
                bail!("a generated topology has 1 to 5000 services, not {count}");
            }
            return Ok(Topology::generated(count, self.seed));
        }
        let yaml = read(Path::new(&self.topology))?;
        Topology::parse(&yaml).with_context(|| format!("topology {}", self.topology))
    }

    pub(crate) fn fleet(&self, epoch_ms: i64) -> Result<Fleet> {
        let faults = match &self.faults {
            Some(path) => Fault::parse_list(&read(path)?)
                .with_context(|| format!("faults {}", path.display()))?,
            None => Vec::new(),
        };
        Fleet::new(self.topology()?, faults, self.seed, epoch_ms)
            .context("faults don't fit the topology")
    }
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9600", value_name = "HOST:PORT")]
    pub(crate) listen: String,
    /// host:port that discovery names, where it differs from --listen
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) public_address: Option<String>,
    /// Write each service's app.json into a folder of its name below this one
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
    /// How much of the history the logs cover as well
    #[arg(long, default_value = "10m", value_name = "SPAN")]
    pub(crate) logs_history: Span,
    /// A log file that would grow beyond this many bytes is put aside as app.json.1
    #[arg(long, default_value_t = LogOptions::default().max_bytes, value_name = "BYTES")]
    pub(crate) logs_max_bytes: u64,
    /// How long the fleet has been running when it starts to answer
    #[arg(long, default_value = "0s", value_name = "SPAN")]
    pub(crate) history: Span,
    /// The spacing of scrapes in --history-out
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    pub(crate) history_step: Span,
    /// Write that history in OpenMetrics, for promtool tsdb create-blocks-from openmetrics
    #[arg(long, value_name = "FILE")]
    pub(crate) history_out: Option<PathBuf>,
    /// Which families the history holds
    #[arg(long, value_enum, default_value_t = FamiliesArg::All)]
    pub(crate) families: FamiliesArg,
    /// The job label of the history; must be the job_name of the live scrape
    #[arg(long, default_value = DEFAULT_JOB)]
    pub(crate) job: String,
    /// Write the targets for file_sd_configs
    #[arg(long, value_name = "FILE")]
    pub(crate) sd_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
    /// How much history
    #[arg(long, default_value = "2d", value_name = "SPAN")]
    pub(crate) length: Span,
    /// Where it ends (RFC 3339); now where missing
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// The spacing of scrapes
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    pub(crate) step: Span,
    #[arg(long, value_enum, default_value_t = FamiliesArg::All)]
    pub(crate) families: FamiliesArg,
    #[arg(long, default_value = DEFAULT_JOB)]
    pub(crate) job: String,
    /// Write a folder of files instead, one for each two hours: promtool reads a file once for every block in it
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(crate) by_block: Option<PathBuf>,
    /// A file, or - for standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct TruthArgs {
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
    /// A service; all of them where missing
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// cpu, mem, lat, error_ratio, request_rate, heap_after_gc, gc_overhead, blocked_threads, pool_pending,
    /// executor_queue or up
    #[arg(long)]
    pub(crate) metric: String,
    /// Where history starts (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) epoch: jiff::Timestamp,
    /// The first instant, from the start of history
    #[arg(long, default_value = "0s", value_name = "SPAN")]
    pub(crate) from: Span,
    /// How far to go
    #[arg(long, default_value = "1d", value_name = "SPAN")]
    pub(crate) length: Span,
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    pub(crate) step: Span,
}

#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// The address of the fleet's /sd
    #[arg(
        long,
        default_value = "http://127.0.0.1:9600/sd",
        conflicts_with = "sd_file"
    )]
    pub(crate) sd_url: String,
    /// A file written by serve --sd-file
    #[arg(long)]
    pub(crate) sd_file: Option<PathBuf>,
    #[arg(long, default_value = "15s")]
    pub(crate) interval: Span,
    #[arg(long, default_value = DEFAULT_JOB)]
    pub(crate) job: String,
}

const RECORD_HELP: &str = "\
What is recorded are the families that Bellwether reads by default: requests, calls, heap, processor, threads, pools, \
logged errors, starts. The stretch must be quiet: every target answers every scrape and no process restarts. Let the \
services run under load for some minutes first, at the load that the curve calls 1, so that classes are loaded, code is \
compiled, and every kind of request has been seen.

  bellwether-simulator record --prometheus http://127.0.0.1:9090 --job spring --out quiet.txt.gz";

const TILE_HELP: &str = "\
Models need a past; this makes one of a recorded quiet stretch, repeated until it fills the length. Counters go on \
across the seams, and their increments and process_cpu_usage follow the curve of the day. Everything else is as it was \
recorded, again and again; so such a past teaches what is normal, but nothing rare. It is marked: wherever it lies, \
bellwether_recorded_past_info is 1 and says from when the recording is.

Prometheus must be empty, scrape nothing yet, and take samples:

  1. prometheus --config.file=empty.yml --storage.tsdb.path=data --web.enable-remote-write-receiver \\
       --web.enable-lifecycle          # empty.yml holds: global: {}
  2. bellwether-simulator tile quiet.txt.gz --length 2d --curve services/load/curve.csv
  3. put the scrape_configs into the file; curl -X POST http://127.0.0.1:9090/-/reload

The curve is a line of headings, then a line `hour,factor` for each hour from 0 to 23.";

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// The Prometheus that scrapes the services
    #[arg(long, default_value = "http://127.0.0.1:9090", value_name = "URL")]
    pub(crate) prometheus: String,
    /// How much to record
    #[arg(long, default_value = "15m", value_name = "SPAN")]
    pub(crate) length: Span,
    /// The interval at which Prometheus scrapes them
    #[arg(long, default_value = "15s", value_name = "SPAN")]
    pub(crate) step: Span,
    /// Their job label
    #[arg(long, default_value = "spring")]
    pub(crate) job: String,
    /// Where the stretch ends (RFC 3339); now where missing
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// The recording; compressed where the name ends in .gz
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Args)]
pub(crate) struct TileArgs {
    /// What `record` wrote
    #[arg(value_name = "RECORDING")]
    pub(crate) recording: PathBuf,
    /// How much past
    #[arg(long, default_value = "2d", value_name = "SPAN")]
    pub(crate) length: Span,
    /// The load over a day
    #[arg(long, value_name = "FILE")]
    pub(crate) curve: PathBuf,
    /// The empty Prometheus
    #[arg(long, default_value = "http://127.0.0.1:9090", value_name = "URL")]
    pub(crate) prometheus: String,
    /// Where the past ends, but for two scrapes (RFC 3339); now where missing
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Whose day the curve is of, e.g. Europe/Berlin; where missing, TZ of the environment or the system's zone, as
    /// the load generator has it
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// The same seed varies the tiles in the same way
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FamiliesArg {
    /// Every family a service answers with
    All,
    /// Only those the default metrics read
    Catalogue,
}

impl From<FamiliesArg> for Families {
    fn from(families: FamiliesArg) -> Self {
        match families {
            FamiliesArg::All => Families::All,
            FamiliesArg::Catalogue => Families::Catalogue,
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
