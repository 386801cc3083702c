//! Scraping for a look: the targets of a scrape configuration, asked once or twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::Timestamp;
use embedded::exposition::Format;
use futures_util::{StreamExt, stream};
use reqwest::{Client, redirect};
use sources::prometheus::{Target, TargetHealth};

use super::DoctorError;
use super::looking::{Answerer, Asked, look};
use super::observed::{Observed, Origin};
use super::pages::Pages;
use crate::clock;
use crate::config::Config;
use crate::offline::progress_bar;

/// The distance of the two looks: long enough that a clock and counters move.
const BETWEEN: Duration = Duration::from_secs(5);
const IN_FLIGHT_MAX: usize = 8;
/// The most bytes of a page after decompression.
const PAGE_BYTES_MAX: usize = 32 << 20;
/// As text without exemplars, which every application can write.
const ACCEPT: &str = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";

/// Asks all targets, and then the same of their pages as of a Prometheus.
///
/// # Errors
/// The file can't be read or isn't a scrape configuration; a question can't be evaluated.
pub(super) async fn at_targets(path: &Path, once: bool, config: &Config) -> anyhow::Result<Observed> {
    let (asked, not_seen) = targets(path)?;
    let client = client()?;
    let mut pages = Pages::default();
    let rounds = if once { 1 } else { 2 };
    let bar = progress_bar((asked.len() * rounds) as u64);
    bar.set_message("scraping");
    let began = Instant::now();
    let mut seen: Vec<Target> = Vec::new();
    for round in 0..rounds {
        if round > 0 {
            tokio::time::sleep(BETWEEN.saturating_sub(began.elapsed())).await;
        }
        let fetched: Vec<Fetched> = stream::iter(&asked)
            .map(|target| fetch(&client, target))
            .buffered(IN_FLIGHT_MAX)
            .inspect(|_| bar.inc(1))
            .collect()
            .await;
        seen = asked
            .iter()
            .zip(fetched)
            .map(|(target, fetched)| taken(&mut pages, target, fetched))
            .collect();
    }
    bar.finish_and_clear();
    let asked = Asked {
        at: clock::now(),
        origin: Origin::Pages {
            file: path.display().to_string(),
        },
        targets: seen,
        not_seen,
        skew: None,
    };
    look(&Answerer::Pages(Box::new(pages)), config, asked).await
}

fn client() -> anyhow::Result<Client> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("bellwether-doctor/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(redirect::Policy::none());
    Ok(client.build()?)
}

/// What one target answered, and when.
struct Fetched {
    page: Result<(String, Format), String>,
    at: Timestamp,
    took: Duration,
}

async fn fetch(client: &Client, target: &Asking) -> Fetched {
    let began = Instant::now();
    let page = tokio::time::timeout(target.timeout, page(client, target)).await;
    let page = page.unwrap_or_else(|_| Err(format!("no whole answer within {:?}", target.timeout)));
    Fetched {
        page,
        at: clock::now(),
        took: began.elapsed(),
    }
}

async fn page(client: &Client, target: &Asking) -> Result<(String, Format), String> {
    let mut request = client.get(&target.url).header(reqwest::header::ACCEPT, ACCEPT);
    for (name, value) in &target.headers {
        request = request.header(name, value);
    }
    let mut response = request.send().await.map_err(|error| innermost(&error))?;
    if !response.status().is_success() {
        return Err(format!("the target answers HTTP status {}", response.status()));
    }
    let header = response.headers().get(reqwest::header::CONTENT_TYPE);
    let kind = header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let format = Format::of_content_type(&kind);
    let format = format.ok_or_else(|| format!("the content-type {kind} is no page of metrics"))?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| innermost(&error))? {
        if body.len() + piece.len() > PAGE_BYTES_MAX {
            return Err(format!("body size limit exceeded: more than {PAGE_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    let text = String::from_utf8(body).map_err(|_| "the page is invalid UTF-8".to_owned())?;
    Ok((text, format))
}

/// The cause beneath the layers of the client, whose own texts repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn taken(pages: &mut Pages, target: &Asking, fetched: Fetched) -> Target {
    let Fetched { page, at, took } = fetched;
    let taken = page.and_then(|(page, format)| {
        let (labels, honor) = (&target.labels, target.honor_labels);
        let taken = pages.add(&page, format, labels, honor, at.as_millis());
        taken.map_err(|error| error.to_string())
    });
    pages.add_up(&target.labels, taken.is_ok(), at.as_millis());
    let (health, error) = match taken {
        Ok(()) => (TargetHealth::Up, String::new()),
        Err(error) => (TargetHealth::Down, sources::excerpt(&error, 500)),
    };
    Target {
        labels: target.labels.clone(),
        url: target.url.clone(),
        health,
        error,
        interval: Some(target.interval),
        timeout: Some(target.timeout),
        took: Some(took),
        scraped: Some(at),
    }
}

/// One target, ready to be asked.
struct Asking {
    /// With job and instance.
    labels: BTreeMap<String, String>,
    url: String,
    honor_labels: bool,
    interval: Duration,
    timeout: Duration,
    headers: Vec<(String, String)>,
}

fn targets(path: &Path) -> Result<(Vec<Asking>, Vec<String>), DoctorError> {
    Err(DoctorError::Scrape { path: path.display().to_string(), why: "later".into() })
}
