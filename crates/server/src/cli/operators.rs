//! What operators ask of a server that runs, and of what it left on disk.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::Settings;

/// Where the running server is, and how to get in.
#[derive(Debug, Args)]
pub struct Running {
    /// Where the server answers [default: http:// and the configured `listen` and `server.base_path`]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file with the token to log in with, where the server asks for one
    #[arg(long, env = "BELLWETHER_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Incidents {
    #[command(subcommand)]
    pub command: IncidentsCommand,
}

#[derive(Debug, Subcommand)]
pub enum IncidentsCommand {
    /// A table of the newest incidents.
    List(IncidentsList),
    /// One incident: when, what changed, which, how unusual, what the logs say, what happened to it.
    Show(IncidentsShow),
    /// Say that somebody looks at these: nobody is told of them again.
    Ack(IncidentsChange),
    /// Say that these are over.
    Resolve(IncidentsChange),
}

#[derive(Debug, Args)]
pub struct IncidentsList {
    /// Only of these statuses; may be repeated
    #[arg(long, value_name = "STATUS", value_delimiter = ',', ignore_case = true, value_parser = ["open", "acknowledged", "resolved"])]
    pub status: Vec<String>,
    /// Only of this service
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only of these severities; may be repeated
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',', ignore_case = true, value_parser = ["high", "critical"])]
    pub severity: Vec<String>,
    /// Only where each of these words occurs: in the summary, notes, log patterns, …
    #[arg(long, value_name = "WORDS")]
    pub text: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
    /// Print the answer of the server as it came
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub struct IncidentsShow {
    /// Its number, such as 12 or '#12'
    #[arg(value_name = "N", value_parser = number)]
    pub id: u64,
    /// Print the answer of the server as it came
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub struct IncidentsChange {
    /// Their numbers, such as 12 or '#12'
    #[arg(value_name = "N", required = true, value_parser = number)]
    pub ids: Vec<u64>,
    /// What to write into their timelines
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who does it, where the server asks for no login [default: the name of the user]
    #[arg(long = "as", env = "USER", hide_env_values = true, value_name = "NAME")]
    pub operator: Option<String>,
    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// Where to: a directory that is new or empty
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that is to complete
    #[arg(value_name = "SHELL", value_parser = shells())]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Write a file for each page here instead of all of them to standard output
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    match digits.parse() {
        Ok(0) | Err(_) => Err("a number of an incident is 1 or more, such as 12 or '#12'".into()),
        Ok(number) => Ok(number),
    }
}

fn shells() -> impl TypedValueParser<Value = Shell> {
    PossibleValuesParser::new(["bash", "elvish", "fish", "powershell", "zsh"])
        .try_map(|name| name.parse::<Shell>())
}
