//! `bellwether why`: asks the running server what was decided at an instant, and prints it.

mod page;

use std::process::ExitCode;
use std::time::Duration;

use domain::Timestamp;

use crate::cli::Why;
use crate::clock;
use crate::remote::Remote;
use page::Answer;

/// The TIME of the command line: an instant, or so long before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    Ago(Duration),
}

/// Asks and prints.
///
/// # Errors
/// The command line or the configuration is wrong; the server doesn't answer, or refuses.
pub async fn why(why: &Why) -> anyhow::Result<ExitCode> {
    let remote = Remote::of(&why.running)?;
    let at = why.time.before(clock::now()).to_string();
    let query = [
        ("service", why.service.as_str()),
        ("metric", why.metric.as_str()),
        ("at", at.as_str()),
    ];
    let answer = remote.get("/api/v1/decisions", &query).await?;
    if why.json {
        println!("{}", answer.trim_end());
    } else {
        print!("{}", remote.read::<Answer>(&answer)?);
    }
    Ok(ExitCode::SUCCESS)
}

impl Moment {
    fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::At(at) => at,
            Moment::Ago(ago) => now - ago,
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if text == "now" {
            return Ok(Moment::Ago(Duration::ZERO));
        }
        // "-600" is what `Timestamp` takes for ten minutes before 1970, which nobody asks for.
        if let Some(length) = text.strip_prefix('-') {
            let ago = length.parse::<jiff::SignedDuration>().ok();
            let ago = ago.and_then(|ago| Duration::try_from(ago).ok());
            return ago.map(Moment::Ago).ok_or_else(|| {
                format!("{text:?} is no length of time: write -90s, -10m or -1h30m")
            });
        }
        let at = text.parse::<Timestamp>();
        at.map(Moment::At)
            .map_err(|error| format!("{error}, now, or -10m for ten minutes ago"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_so_long_ago() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("now", "2026-11-22T12:00:00Z"),
            ("-10m", "2026-11-22T11:50:00Z"),
            ("-1h30m", "2026-11-22T10:30:00Z"),
            ("-90s", "2026-11-22T11:58:30Z"),
            ("2026-11-22T11:00:00+01:00", "2026-11-22T10:00:00Z"),
            ("1795348800.5", "2026-11-22T12:00:00.500Z"),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.before(now), expected.parse().unwrap(), "{text}");
        }
        for text in ["yesterday", "-10", "10m", "", "--10m", "-"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
