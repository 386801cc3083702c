//! The configuration: one file, the environment and flags become plain, checked structs.
//!
//! All looking-up happens here; the rest of the program is handed values. Defaults and bounds
//! stand in one table, [`KEYS`]. Later layers win: defaults, `config.yaml`, `BELLWETHER_…`
//! variables (`BELLWETHER_PROMETHEUS__URL`), flags.

mod change;
mod connection;
mod decode;
mod document;
mod duration;
mod keys;
mod layers;
mod log_sources;
mod metrics;
mod nearest;
mod network;
mod notify;
mod problem;
mod raw;
mod reference;
mod refusal;
mod resolve;
mod rules;
mod secret;
mod serving;
#[cfg(test)]
mod tests;
mod warnings;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Catalogue;
use serde::{Deserialize, Serialize};

pub use change::{Change, change};
pub use document::Origin;
pub use duration::{Size, Span, UnitError};
pub use keys::{KEYS, Key, Range};
pub use layers::environment;
pub use network::Network;
pub use notify::{Address, Heartbeat, Notify, Receiver, ReceiverKind};
pub use problem::{ConfigError, Problem};
pub use reference::reference_markdown;
pub use secret::Secret;

/// A larger file is refused unread.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "config.yaml";

/// Everything that can be set, checked and complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub prometheus: Prometheus,
    /// The targets that are scraped into the embedded store; then no Prometheus is asked.
    pub scrape: Option<PathBuf>,
    pub embedded: Embedded,
    pub tick: Duration,
    pub evaluation_delay: Duration,
    /// Label names, the first that is not empty names the service.
    pub identity: Vec<String>,
    pub scope: Vec<String>,
    /// The sets of metrics beside the default three.
    pub packs: Vec<String>,
    /// The built-in metrics with what was changed and added, thresholds of single services inside.
    pub metrics: Catalogue,
    pub training: Training,
    pub decide: Decide,
    /// Written rules that resolve incidents; none by default.
    pub auto_resolve: Vec<incident::AutoResolve>,
    pub season: Season,
    pub logs: Vec<LogSource>,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub retention: Retention,
    pub limits: Limits,
    pub notify: Notify,
    pub server: Server,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Prometheus {
    pub url: HttpUrl,
    pub timeout: Duration,
    pub headers: BTreeMap<String, Secret>,
    pub auth: Option<Auth>,
    pub ca_file: Option<PathBuf>,
    pub external_url: Option<HttpUrl>,
    pub answer_bytes_max: u64,
}

/// The bounds of the embedded store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    pub retention: Duration,
    pub memory_bytes_max: u64,
}

/// How we prove to Prometheus who we are.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    Basic { username: String, password: Secret },
    Bearer(Secret),
}

/// An `http` or `https` address without credentials, query, fragment or slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl(String);

#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    pub window: Duration,
    pub window_min_samples: usize,
    pub min_samples: usize,
    pub contamination: f64,
    pub schedule: Schedule,
    pub max_age: Duration,
    pub trees: usize,
    pub sample_size: usize,
    pub seed: u64,
}

/// When training starts by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    Every(Duration),
    /// In `season.timezone`; `text` as it was written.
    Cron {
        text: String,
        cron: Box<croner::Cron>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Decide {
    pub open_after: Duration,
    pub critical_after: Duration,
    pub quiet_period: Duration,
    pub hysteresis: f64,
    pub down_after: Duration,
    pub alarm_budget: f64,
    pub source_fault_share: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    pub timezone: jiff::tz::TimeZone,
}

/// Log files of services; `{service}` in the path stands for the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    pub path: String,
    pub fields: sources::LogFields,
    /// The zone of times that name none.
    pub zone: jiff::tz::TimeZone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    pub datasets: Duration,
    pub incidents: Duration,
    pub ledger: Duration,
    pub ledger_entries: usize,
    pub disk_bytes_max: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub services: usize,
    pub series: usize,
    /// Clients of the event stream.
    pub streams: usize,
    /// Connections of clients at the same time.
    pub connections: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Names under which the server may be addressed beside loopback and the listen address.
    pub hosts: Vec<String>,
    pub external_url: Option<HttpUrl>,
    pub unsafe_listen: bool,
    pub auth: AccessFiles,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The path under which everything lies, such as `/bellwether`; empty: none.
    pub base_path: String,
}

/// Who may come in; without a file everyone who reaches the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessFiles {
    pub users_file: Option<PathBuf>,
    pub tokens_file: Option<PathBuf>,
    pub session_idle: Duration,
    pub session_lifetime: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

/// The least important of our own events that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// A configuration with what a person should know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// Allowed, but probably not meant.
    pub warnings: Vec<String>,
    pub source: Source,
}

/// Whether there was a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Defaults,
}

impl Config {
    /// Reads the file (without a path, [`DEFAULT_FILE`] if it is there), lays the `BELLWETHER_…`
    /// variables and the flags (key path and text) over it, and checks everything.
    ///
    /// # Errors
    /// A file that can't be read, and all that is wrong in any layer, with its place.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &[(String, String)],
    ) -> Result<Loaded, ConfigError> {
        let file = layers::read_file(path)?;
        layers::combine(file.as_ref(), env, overrides).map_err(ConfigError::Refused)
    }

    /// The configuration of a text alone, as if it were the file `config.yaml`.
    ///
    /// # Errors
    /// All that is wrong in it.
    pub fn from_yaml(text: &str) -> Result<Loaded, ConfigError> {
        let file = layers::File::of_text(text);
        layers::combine(Some(&file), std::iter::empty(), &[]).map_err(ConfigError::Refused)
    }
}

impl Default for Config {
    fn default() -> Config {
        let loaded = layers::combine(None, std::iter::empty(), &[]);
        loaded.expect("the defaults are valid").config
    }
}

/// The whole effective configuration as YAML, secrets as `<secret>`; it reads back as the same
/// configuration, secrets excepted.
pub fn effective_yaml(config: &Config) -> String {
    // One line for each text, so that queries can be copied.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(&raw::Raw::of(config), options)
        .expect("settings are plain YAML")
}

/// As [`effective_yaml`], as JSON.
pub fn effective_json(config: &Config) -> serde_json::Value {
    serde_json::to_value(raw::Raw::of(config)).expect("settings are plain data")
}

impl AccessFiles {
    /// Whether there is access control.
    pub fn is_on(&self) -> bool {
        self.users_file.is_some() || self.tokens_file.is_some()
    }

    /// Everyone whom the files name, as they are now.
    ///
    /// # Errors
    /// A file that can't be read, is too large or isn't text, and the first line that can't be
    /// meant; in a sentence that names the file.
    pub fn read(&self) -> Result<access::Directory, String> {
        serving::read_directory(self.users_file.as_deref(), self.tokens_file.as_deref())
    }
}

impl HttpUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Season {
    /// The name of the time zone.
    pub fn name(&self) -> &str {
        name_of_zone(&self.timezone)
    }
}

/// Zones are only ever got by their names.
fn name_of_zone(zone: &jiff::tz::TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Defaults => f.write_str("built-in defaults"),
        }
    }
}
