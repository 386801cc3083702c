//! Delivery: one message to one receiver, and what came of it.
//!
//! Bounded in every direction: a total deadline for connecting, sending and the answer's head, a
//! limit for what is read of the answer, no redirects, no proxies of the environment. Addresses come
//! from the configuration alone, and link-local ones are refused after each resolution of a name.

mod address;
mod endpoint;
mod error;
mod retry_after;

use std::path::PathBuf;
use std::time::Duration;

use domain::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};

pub use endpoint::{Endpoint, EndpointError, Secret};
pub use error::SendError;

use crate::message::Message;
use crate::policy::ReceiverKind;
use crate::text;
use error::failure;
use retry_after::retry_after;

/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long the body of a refusal is waited for.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
const SAID_CHARS: usize = 200;
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// The way to one receiver. Clones share connections.
#[derive(Clone)]
pub struct Delivery {
    client: Client,
    url: Url,
    address: String,
    headers: HeaderMap,
    basic_auth: Option<(String, Secret)>,
    bearer_token_file: Option<PathBuf>,
    timeout: Duration,
}

impl Delivery {
    /// For an Alertmanager `api/v2/alerts` is looked for beneath the url.
    ///
    /// # Errors
    /// A URL that is not http(s) or names a link-local address, a header that can't be sent, a CA
    /// file that can't be read or holds no certificate, two ways of authentication at once.
    pub fn new(kind: ReceiverKind, endpoint: Endpoint) -> Result<Delivery, EndpointError> {
        let (mut url, user) = endpoint.address()?;
        let basic_auth = endpoint.basic_auth.clone().or(user);
        if basic_auth.is_some() && endpoint.bearer_token_file.is_some() {
            return Err(EndpointError::TwoCredentials);
        }
        if kind == ReceiverKind::Alertmanager {
            let path = format!("{}/api/v2/alerts", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(Delivery {
            client: endpoint.client(&url)?,
            address: address::shown(&url),
            url,
            headers: endpoint.header_map()?,
            basic_auth,
            bearer_token_file: endpoint.bearer_token_file,
            timeout: endpoint.timeout,
        })
    }

    /// Scheme, host and port: paths of webhooks are often secrets.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a message once; `now` serves to read a `Retry-After` that is a date.
    ///
    /// # Errors
    /// See [`SendError`]. After an error the message may have arrived all the same.
    pub async fn send(&self, message: &Message, now: Timestamp) -> Result<(), SendError> {
        tokio::time::timeout(self.timeout, self.exchange(message, now))
            .await
            .unwrap_or(Err(SendError::Timeout {
                after: self.timeout,
            }))
    }

    async fn exchange(&self, message: &Message, now: Timestamp) -> Result<(), SendError> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(message.json.clone());
        if let Some(key) = &message.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let request = self
            .authorize(request.headers(self.headers.clone()))
            .await?;
        let sent = request.send().await;
        judge(
            sent.map_err(|error| failure(&error, &self.address, self.timeout))?,
            now,
        )
        .await
    }

    async fn authorize(&self, request: RequestBuilder) -> Result<RequestBuilder, SendError> {
        if let Some((user, secret)) = &self.basic_auth {
            return Ok(request.basic_auth(user, Some(secret.reveal())));
        }
        let Some(path) = &self.bearer_token_file else {
            return Ok(request);
        };
        let unreadable = |why: String| SendError::Credentials {
            why: format!("{}: {why}", path.display()),
        };
        let length = tokio::fs::metadata(path)
            .await
            .map_err(|error| unreadable(error.to_string()))?
            .len();
        if length > TOKEN_BYTES_MAX {
            return Err(unreadable(format!("{length} bytes are too many")));
        }
        let token = tokio::fs::read_to_string(path)
            .await
            .map_err(|error| unreadable(error.to_string()))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| unreadable("it holds characters that no token has".into()))?;
        value.set_sensitive(true);
        Ok(request.header(header::AUTHORIZATION, value))
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The status decides; what the body of a success says is not waited for.
async fn judge(response: Response, now: Timestamp) -> Result<(), SendError> {
    let status = response.status().as_u16();
    let retry_after = retry_after(&response, now);
    match status {
        200..300 => Ok(()),
        300..400 => Err(SendError::Redirect { status }),
        429 | 503 => Err(SendError::Busy {
            status,
            retry_after,
        }),
        400..500 if !matches!(status, 408 | 425) => Err(SendError::Refused {
            status,
            said: said(response).await,
        }),
        _ => Err(SendError::Server {
            status,
            said: said(response).await,
        }),
    }
}

/// The beginning of a refusal's text; a courtesy that may be cut or missing.
async fn said(mut response: Response) -> String {
    let mut body = Vec::new();
    let read = async {
        while body.len() < ANSWER_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // What came until then is enough.
    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, read).await;
    body.truncate(ANSWER_BYTES_MAX);
    match text::line(&String::from_utf8_lossy(&body), SAID_CHARS) {
        empty if empty.trim().is_empty() => "no text".into(),
        said => said,
    }
}
