//! One request for a page: sent, judged, and read up to its limit.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, Response, Url, redirect};
use tokio::io::AsyncReadExt;

use super::PAGE_BYTES_MAX;
use super::config::{Authorization, Job, SecretSource};
use super::failure::{ScrapeFailure, excerpt};
use crate::exposition::Format;

/// Text first: exemplars and times are not used here, and it is smaller.
const ACCEPT: &str =
    "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.75,*/*;q=0.1";
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Why a job can't be scraped at all.
#[derive(Debug, thiserror::Error)]
pub enum ScraperError {
    #[error("job {job}: can't read the ca_file {path}")]
    CaFile {
        job: String,
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("job {job}: the ca_file {path} holds no PEM certificate that can be used")]
    CaContent { job: String, path: String },
    #[error("job {job}: can't set up TLS: {why}")]
    Tls { job: String, why: String },
}

/// What a target said.
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    pub(super) format: Format,
}

/// Asks the targets of one job.
pub(super) struct Asker {
    client: Client,
    authorization: Option<Authorization>,
    timeout: Duration,
    bytes_max: u64,
}

impl Asker {
    /// Reads the CA file, if there is one.
    pub(super) fn new(job: &Job) -> Result<Asker, ScraperError> {
        let limit = job.body_size_limit.unwrap_or(PAGE_BYTES_MAX);
        Ok(Asker {
            client: client(job)?,
            authorization: job.authorization.clone(),
            timeout: job.timeout,
            bytes_max: limit.min(PAGE_BYTES_MAX),
        })
    }

    /// The page of a target, whole and within the timeout.
    pub(super) async fn ask(&self, url: &Url) -> Result<Page, ScrapeFailure> {
        let answer = tokio::time::timeout(self.timeout, self.exchange(url));
        let answer = answer.await;
        answer.unwrap_or(Err(ScrapeFailure::Timeout(self.timeout)))
    }

    async fn exchange(&self, url: &Url) -> Result<Page, ScrapeFailure> {
        let seconds = self.timeout.as_secs_f64().to_string();
        let request = self.client.get(url.clone());
        let request = request.header(header::ACCEPT, ACCEPT);
        let request = request.header("X-Prometheus-Scrape-Timeout-Seconds", seconds);
        let request = self.authorize(request).await?;
        let response = request.send().await.map_err(|error| failure(url, &error))?;
        let status = response.status();
        if status.is_redirection() {
            let place = response.headers().get(header::LOCATION);
            let place = place.and_then(|place| place.to_str().ok());
            return Err(ScrapeFailure::Redirect {
                status: status.as_u16(),
                place: excerpt(place.unwrap_or_default()),
            });
        }
        if status.as_u16() != 200 {
            let status = status.as_u16();
            return Err(ScrapeFailure::Status { status });
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default();
        let format = Format::of_content_type(content_type).ok_or_else(|| {
            let found = excerpt(content_type);
            ScrapeFailure::NoMetrics { found }
        })?;
        let bytes = self.body(url, response).await?;
        Ok(Page { bytes, format })
    }

    /// The whole body, unpacked and within the limit, which is one of memory, too.
    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, ScrapeFailure> {
        let bytes_max = self.bytes_max;
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failure(url, &error))?
        {
            if (body.len() + chunk.len()) as u64 > bytes_max {
                return Err(ScrapeFailure::TooLarge { bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn authorize(&self, request: RequestBuilder) -> Result<RequestBuilder, ScrapeFailure> {
        let header = match &self.authorization {
            None => return Ok(request),
            Some(Authorization::Basic { username, password }) => {
                let (username, password) = (secret(username).await?, secret(password).await?);
                return Ok(request.basic_auth(username, Some(password)));
            }
            Some(Authorization::Scheme {
                scheme,
                credentials,
            }) => format!("{scheme} {}", secret(credentials).await?),
        };
        let mut header = HeaderValue::from_str(&header).map_err(|_| {
            ScrapeFailure::Credentials("they hold characters that can't be sent".to_owned())
        })?;
        header.set_sensitive(true);
        Ok(request.header(header::AUTHORIZATION, header))
    }
}

fn client(job: &Job) -> Result<Client, ScraperError> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(1)
        // Connections last from one scrape to the next.
        .pool_idle_timeout(job.interval * 2)
        .tls_danger_accept_invalid_certs(job.tls.insecure_skip_verify);
    if let Some(path) = &job.tls.ca_file {
        builder = builder.tls_certs_only(certificates(job, path)?);
    } else if !may_speak_tls(job) {
        // Nothing will ask for the system's certificates, so they needn't be there.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| ScraperError::Tls {
        job: job.name.clone(),
        why: cause(&error),
    })
}

fn certificates(job: &Job, path: &Path) -> Result<Vec<Certificate>, ScraperError> {
    let shown = path.display().to_string();
    let pem = std::fs::read(path).map_err(|source| ScraperError::CaFile {
        job: job.name.clone(),
        path: shown.clone(),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        let job = job.name.clone();
        return Err(ScraperError::CaContent { job, path: shown });
    }
    Ok(certificates)
}

/// A label of a group can ask for https, and what files say isn't known yet.
fn may_speak_tls(job: &Job) -> bool {
    let mut labels = job.groups.iter().flat_map(|group| &group.labels);
    job.scheme == "https" || !job.files.is_empty() || labels.any(|(name, _)| name == "__scheme__")
}

async fn secret(source: &SecretSource) -> Result<String, ScrapeFailure> {
    let path = match source {
        SecretSource::Given(secret) => return Ok(secret.reveal().to_owned()),
        SecretSource::File(path) => path,
    };
    let unreadable = |why: String| ScrapeFailure::Credentials(format!("{}: {why}", path.display()));
    let file = tokio::fs::File::open(path);
    let file = file.await.map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    let mut bounded = file.take(SECRET_BYTES_MAX + 1);
    let read = bounded.read_to_string(&mut text).await;
    let length = read.map_err(|error| unreadable(error.to_string()))?;
    if length as u64 > SECRET_BYTES_MAX {
        return Err(unreadable("it is too large".to_owned()));
    }
    Ok(text.trim().to_owned())
}

/// Names the failure by its causes; the error's own text would repeat the address.
fn failure(url: &Url, error: &reqwest::Error) -> ScrapeFailure {
    let address = url.authority().to_owned();
    let why = cause(error);
    if why.contains("certificate") || why.contains("TLS") {
        return ScrapeFailure::Tls { address, why };
    }
    if error.is_connect() {
        return ScrapeFailure::Connect { address, why };
    }
    ScrapeFailure::Interrupted(why)
}

/// The innermost cause of an error.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
