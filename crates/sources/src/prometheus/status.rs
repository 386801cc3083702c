//! What a Prometheus says of itself and its targets: courtesies, which relatives of Prometheus may
//! refuse.

use std::time::Duration;

use domain::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Labels, plain};
use super::{Behind, Prometheus, QueryError};
use crate::visible::excerpt;

/// Targets beyond this are left out.
pub const TARGETS_MAX: usize = 10_000;
const TEXT_CHARS: usize = 500;
const VERSION_CHARS: usize = 60;

/// Which program answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BuildInfo {
    /// As it says it, such as `2.42.0+ds`.
    pub version: String,
    /// What relatives of Prometheus call themselves; Prometheus itself says nothing here.
    #[serde(default)]
    pub application: Option<String>,
}

/// Whether a target answered the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetHealth {
    Up,
    Down,
    /// Not asked yet, or a word that we don't know.
    #[serde(other)]
    Unknown,
}

/// One target of a scrape configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// After relabelling, as on the series of the target.
    pub labels: Labels,
    pub url: String,
    pub health: TargetHealth,
    /// Empty where the last scrape succeeded.
    pub error: String,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    /// How long the last scrape took.
    pub took: Option<Duration>,
    /// None where it was never scraped.
    pub scraped: Option<Timestamp>,
}

impl Prometheus {
    /// The version of the server.
    ///
    /// # Errors
    /// As [`Prometheus::instant`]; what doesn't know the question answers with status 404.
    pub async fn build_info(&self) -> Result<BuildInfo, QueryError> {
        let info: BuildInfo = self.read("api/v1/status/buildinfo", &[]).await?;
        let short = |text: String| excerpt(&text, VERSION_CHARS);
        Ok(BuildInfo {
            version: short(info.version),
            application: info.application.map(short),
        })
    }

    /// The targets that are scraped, at most [`TARGETS_MAX`].
    ///
    /// # Errors
    /// As [`Prometheus::build_info`].
    pub async fn targets(&self) -> Result<Vec<Target>, QueryError> {
        let active = [("state", "active".to_owned())];
        let answer: TargetsJson = self.read("api/v1/targets", &active).await?;
        let targets = answer.active_targets.into_iter().take(TARGETS_MAX);
        Ok(targets.map(Target::from).collect())
    }

    /// GET of a route beneath the address, whose `data` is a `T`; within the settings' timeout and
    /// limits.
    async fn read<T: DeserializeOwned + Send + 'static>(
        &self,
        route: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, QueryError> {
        let Behind::Server { transport, .. } = &self.0 else {
            return Err(QueryError::BadQuery {
                error_type: "not_found".into(),
                message: "a store in this process has no such thing to say".into(),
                retry_after: None,
            });
        };
        let deadline = self.timeout();
        let exchange = transport.get(route, parameters);
        let (body, _) = tokio::time::timeout(deadline, exchange)
            .await
            .unwrap_or(Err(QueryError::Timeout { after: deadline }))?;
        plain(body).await
    }
}

#[derive(Deserialize)]
struct TargetsJson {
    #[serde(rename = "activeTargets", default)]
    active_targets: Vec<TargetJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetJson {
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    scrape_url: String,
    health: TargetHealth,
    #[serde(default)]
    last_error: String,
    #[serde(default)]
    last_scrape: String,
    #[serde(default)]
    last_scrape_duration: f64,
    #[serde(default)]
    scrape_interval: String,
    #[serde(default)]
    scrape_timeout: String,
}

impl From<TargetJson> for Target {
    fn from(json: TargetJson) -> Target {
        // What was never scraped has the time zero of Go, long before the epoch.
        let scraped = json.last_scrape.parse().ok();
        let scraped = scraped.filter(|time| *time > Timestamp::EPOCH);
        let took = Duration::try_from_secs_f64(json.last_scrape_duration).ok();
        Target {
            labels: json.labels,
            url: excerpt(&json.scrape_url, TEXT_CHARS),
            health: json.health,
            error: excerpt(&json.last_error, TEXT_CHARS),
            interval: duration(&json.scrape_interval),
            timeout: duration(&json.scrape_timeout),
            took: took.filter(|_| scraped.is_some()),
            scraped,
        }
    }
}

/// A duration as Prometheus writes it, `1m30s` or `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let letters = unit.find(|c: char| c.is_ascii_digit());
        let (unit, more) = unit.split_at(letters.unwrap_or(unit.len()));
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(milliseconds)?)?;
        rest = more;
    }
    (total > 0).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_prometheus_are_read() {
        for (text, milliseconds) in [
            ("15s", Some(15_000)),
            ("1m30s", Some(90_000)),
            ("500ms", Some(500)),
            ("1d", Some(86_400_000)),
            ("", None),
            ("15", None),
            ("s", None),
            ("99999999999999999999y", None),
        ] {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    /// As Prometheus 2.42 says it.
    #[tokio::test]
    async fn a_target_that_is_down_has_its_error() {
        let body = br#"{"status":"success","data":{"activeTargets":[
            {"discoveredLabels":{"__address__":"127.0.0.1:18999"},"labels":{"instance":"127.0.0.1:18999","job":"om"},
             "scrapePool":"om","scrapeUrl":"http://127.0.0.1:18999/om","globalUrl":"http://vm:18999/om",
             "lastError":"metric name hikaricp_connections_acquire_seconds_count does not support exemplars",
             "lastScrape":"2026-11-23T00:20:20.699518852Z","lastScrapeDuration":0.009408695,"health":"down",
             "scrapeInterval":"2s","scrapeTimeout":"1s"},
            {"labels":{"job":"new"},"scrapeUrl":"http://a/b","lastError":"","lastScrape":"0001-01-01T00:00:00Z",
             "lastScrapeDuration":0,"health":"unknown"}],"droppedTargets":[]}}"#;
        let answer: TargetsJson = plain(body.to_vec()).await.unwrap();
        let targets: Vec<Target> = answer
            .active_targets
            .into_iter()
            .map(Target::from)
            .collect();
        assert_eq!(targets[0].health, TargetHealth::Down);
        assert!(targets[0].error.ends_with("does not support exemplars"));
        assert_eq!(targets[0].interval, Some(Duration::from_secs(2)));
        assert_eq!(
            targets[0].took,
            Some(Duration::from_secs_f64(0.009_408_695))
        );
        assert_eq!(targets[1].health, TargetHealth::Unknown);
        assert_eq!((targets[1].scraped, targets[1].took), (None, None));
    }
}
