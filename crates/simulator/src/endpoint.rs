//! The Prometheus that commands read from and write to, by its HTTP API.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};

const TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_MAX: usize = 64 << 20;
const WORDS_MAX: usize = 400;

pub(crate) struct Endpoint {
    base: Url,
    client: Client,
}

/// An answer other than success, in the words of Prometheus.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) words: String,
}

impl Endpoint {
    pub(crate) fn new(url: &str) -> Result<Endpoint> {
        let mut base: Url = url
            .parse()
            .with_context(|| format!("--prometheus {url:?}"))?;
        if !matches!(base.scheme(), "http" | "https") {
            bail!("--prometheus {url:?} isn't an address like http://127.0.0.1:9090");
        }
        base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
        // Fails only where a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("bellwether-simulator/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT);
        if base.scheme() == "http" {
            // Nothing will ask for the system's certificates, so they needn't be there.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().context("set up the HTTP client")?;
        Ok(Endpoint { base, client })
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<RequestBuilder> {
        let mut url = self.base.join(path)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(self.client.get(url))
    }

    pub(crate) fn post(&self, path: &str) -> Result<RequestBuilder> {
        Ok(self.client.post(self.base.join(path)?))
    }

    /// The body of a success, or the refusal.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Result<Vec<u8>, Refusal>> {
        let mut response = request
            .send()
            .await
            .with_context(|| format!("ask Prometheus at {}", self.base))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_MAX {
                bail!(
                    "Prometheus at {} answers with more than {} MiB",
                    self.base,
                    ANSWER_MAX >> 20
                );
            }
        }
        if status.is_success() {
            return Ok(Ok(body));
        }
        let words = String::from_utf8_lossy(&body)
            .trim()
            .chars()
            .take(WORDS_MAX)
            .collect();
        Ok(Err(Refusal { status, words }))
    }
}
