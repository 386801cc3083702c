//! `bellwether why`: asks the running server what was decided at an instant, and prints it.

mod page;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::Timestamp;
use reqwest::{Client, Url, redirect};
use serde::Deserialize;

use crate::cli::Why;
use crate::clock;
use page::Answer;

const TIMEOUT: Duration = Duration::from_secs(30);
/// A larger answer is none of ours.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
#[error("--url is {url:?}: {why}; give it as http://127.0.0.1:9092")]
pub struct UrlError {
    url: String,
    why: String,
}

/// The TIME of the command line: an instant, or so long before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    Ago(Duration),
}

/// Errors as the server says them.
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

/// Asks and prints; `listen` is the address of the configuration.
///
/// # Errors
/// [`UrlError`] for an address that can't be one; the server doesn't answer, or refuses.
pub async fn why(why: &Why, listen: std::net::SocketAddr) -> anyhow::Result<ExitCode> {
    let base = match &why.url {
        Some(url) => url.clone(),
        None => format!("http://{}", reachable(listen)),
    };
    let at = why.time.before(clock::now());
    let url = question(&base, &why.service, &why.metric, at)?;
    let answer = ask(url, &base).await?;
    if why.json {
        println!("{}", answer.trim_end());
    } else {
        let answer: Answer = serde_json::from_str(&answer)
            .with_context(|| format!("the answer of {base} is not one of Bellwether"))?;
        print!("{answer}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Where all addresses are listened on, this machine's own reaches it.
fn reachable(mut listen: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

/// The base may have a path, where the server lies behind a proxy.
fn question(base: &str, service: &str, metric: &str, at: Timestamp) -> Result<Url, UrlError> {
    let refused = |why: String| UrlError {
        url: base.to_owned(),
        why,
    };
    let mut url: Url = base.parse().map_err(|error| refused(format!("{error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither http nor https".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment".into()));
    }
    let path = format!("{}/api/v1/decisions", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.query_pairs_mut()
        .append_pair("service", service)
        .append_pair("metric", metric)
        .append_pair("at", &at.to_string());
    Ok(url)
}

async fn ask(url: Url, base: &str) -> anyhow::Result<String> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none());
    if url.scheme() == "http" {
        // Nothing will ask for the system's certificates, so they needn't be there.
        builder = builder.tls_certs_only([]);
    }
    let sent = builder.build()?.get(url).send().await;
    let mut response = sent.with_context(|| {
        format!("no Bellwether answers at {base}: start it with `bellwether serve`, or say where it is with --url")
    })?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.context("the answer broke off")? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            bail!("the answer of {base} is too large to be one of Bellwether");
        }
        body.extend_from_slice(&piece);
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        return Ok(text);
    }
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) if problem.detail.is_empty() => bail!("{}", problem.title),
        Ok(problem) => bail!("{}: {}", problem.title, problem.detail),
        Err(_) => bail!("{base} answers {status}: is it a Bellwether?"),
    }
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

    #[test]
    fn names_are_escaped_and_a_path_is_kept() {
        let at = Timestamp::EPOCH;
        let url = question("http://b:9092/bw/", "prod/pay & co", "lat", at).unwrap();
        assert_eq!(
            url.as_str(),
            "http://b:9092/bw/api/v1/decisions?service=prod%2Fpay+%26+co&metric=lat&at=1970-01-01T00%3A00%3A00.000Z"
        );
        for url in ["b:9092", "ftp://b", "http://b/?x=1", "http://"] {
            assert!(question(url, "a", "b", at).is_err(), "{url}");
        }
    }
}
