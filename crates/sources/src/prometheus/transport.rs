//! One HTTP exchange with a Prometheus: send, judge the status, read the body up to its limit.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};

use super::answer::{Refusal, refusal};
use super::connection::{address, causes, client, headers};
use super::dates::{date, retry_after, skew};
use super::{Clock, PrometheusError, PrometheusSettings, QueryError, Secret};
use crate::visible::excerpt;

/// How much of an error's body is read.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// How much of what came is shown.
pub(super) const EXCERPT_CHARS: usize = 80;
const TOKEN_BYTES_MAX: u64 = 64 << 10;

pub(super) struct Transport {
    client: Client,
    clock: Clock,
    base: Url,
    address: String,
    headers: HeaderMap,
    basic_auth: Option<(String, Secret)>,
    bearer_token_file: Option<PathBuf>,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl Transport {
    pub(super) fn new(
        settings: PrometheusSettings,
        clock: Clock,
    ) -> Result<Transport, PrometheusError> {
        let (base, user) = address(&settings.url)?;
        let basic_auth = settings.basic_auth.clone().or(user);
        if basic_auth.is_some() && settings.bearer_token_file.is_some() {
            return Err(PrometheusError::TwoCredentials);
        }
        Ok(Transport {
            client: client(&settings, &base)?,
            clock,
            address: base.as_str().trim_end_matches('/').to_owned(),
            base,
            headers: headers(&settings.headers)?,
            basic_auth,
            bearer_token_file: settings.bearer_token_file,
            timeout: settings.timeout,
            answer_bytes_max: settings.answer_bytes_max,
        })
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn answer_bytes_max(&self) -> usize {
        self.answer_bytes_max
    }

    pub(super) async fn post(
        &self,
        route: &str,
        form: &[(&str, String)],
    ) -> Result<(Vec<u8>, Option<SignedDuration>), QueryError> {
        let request = self
            .client
            .post(self.route(route))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(form));
        self.exchange(request).await
    }

    pub(super) async fn get(
        &self,
        route: &str,
        form: &[(&str, String)],
    ) -> Result<(Vec<u8>, Option<SignedDuration>), QueryError> {
        let mut url = self.route(route);
        url.set_query(Some(&encoded(form)));
        self.exchange(self.client.get(url)).await
    }

    fn route(&self, route: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{route}", self.base.path()));
        url
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
    ) -> Result<(Vec<u8>, Option<SignedDuration>), QueryError> {
        let request = self
            .authorize(request.headers(self.headers.clone()))
            .await?;
        let sent = (self.clock)();
        let response = request.send().await.map_err(|e| self.failure(&e))?;
        let received = (self.clock)();
        let skew = date(&response).map(|date| skew(date, sent, received));
        let status = response.status();
        if status.is_redirection() {
            return Err(redirected(&response));
        }
        if status.is_success() {
            let body = self.body(response, self.answer_bytes_max).await?;
            return Ok((body, skew));
        }
        let retry_after = retry_after(&response, received);
        // What an error page says is a courtesy; it may be cut or missing.
        let body = self.beginning(response).await;
        Err(refused(status.as_u16(), retry_after, &body))
    }

    async fn authorize(&self, request: RequestBuilder) -> Result<RequestBuilder, QueryError> {
        if let Some((user, secret)) = &self.basic_auth {
            return Ok(request.basic_auth(user, Some(secret.reveal())));
        }
        let Some(path) = &self.bearer_token_file else {
            return Ok(request);
        };
        let unreadable = |why: String| QueryError::Credentials {
            why: format!("{}: {why}", path.display()),
        };
        let length = tokio::fs::metadata(path)
            .await
            .map_err(|e| unreadable(e.to_string()))?
            .len();
        if length > TOKEN_BYTES_MAX {
            return Err(unreadable(format!("{length} bytes are too many")));
        }
        let token = tokio::fs::read_to_string(path)
            .await
            .map_err(|e| unreadable(e.to_string()))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| unreadable("it holds characters that no token has".into()))?;
        value.set_sensitive(true);
        Ok(request.header(header::AUTHORIZATION, value))
    }

    /// The whole body, grown gently so that the limit is also one of memory.
    async fn body(&self, mut response: Response, bytes_max: usize) -> Result<Vec<u8>, QueryError> {
        let too_large = QueryError::TooLarge { bytes_max };
        if response
            .content_length()
            .is_some_and(|length| length > bytes_max as u64)
        {
            return Err(too_large);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failure(&e))? {
            let length = body.len() + chunk.len();
            if length > bytes_max {
                return Err(too_large);
            }
            if length > body.capacity() {
                let capacity = (length + length / 2).min(bytes_max);
                body.reserve_exact(capacity - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn beginning(&self, mut response: Response) -> Vec<u8> {
        let mut body = Vec::new();
        while body.len() < REFUSAL_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        body.truncate(REFUSAL_BYTES_MAX);
        body
    }

    /// Names the failure by its causes; the error's own text would repeat the URL.
    fn failure(&self, error: &reqwest::Error) -> QueryError {
        let causes = causes(error);
        let why = causes.last().cloned().unwrap_or_else(|| "no reason".into());
        let about_tls = causes
            .iter()
            .any(|cause| cause.contains("certificate") || cause.contains("TLS"));
        let address = self.address.clone();
        if error.is_timeout() {
            QueryError::Timeout {
                after: self.timeout,
            }
        } else if about_tls {
            QueryError::Tls { address, why }
        } else if error.is_connect() {
            QueryError::Connect { address, why }
        } else if causes.iter().any(|cause| cause.contains("invalid HTTP")) {
            QueryError::Malformed {
                why: format!("it isn't HTTP ({why}); is this address a Prometheus?"),
                began: String::new(),
            }
        } else if error.is_decode()
            && causes
                .iter()
                .any(|c| c.contains("gzip") || c.contains("deflate"))
        {
            QueryError::Malformed {
                why: format!("its compression is broken ({why})"),
                began: String::new(),
            }
        } else {
            QueryError::Interrupted { why }
        }
    }
}

fn redirected(response: &Response) -> QueryError {
    let host = response
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| response.url().join(location).ok())
        .and_then(|url| url.host_str().map(|host| excerpt(host, EXCERPT_CHARS)))
        .unwrap_or_else(|| "an unnamed place".into());
    QueryError::Redirect {
        status: response.status().as_u16(),
        host,
    }
}

fn refused(status: u16, retry_after: Option<Duration>, body: &[u8]) -> QueryError {
    match refusal(body) {
        Some(Refusal {
            error_type,
            message,
        }) if status != 429 => {
            if status < 500 {
                QueryError::BadQuery {
                    error_type,
                    message,
                    retry_after,
                }
            } else {
                QueryError::Server {
                    status,
                    error_type,
                    message,
                    retry_after,
                }
            }
        }
        _ => QueryError::Status {
            status,
            retry_after,
            said: match excerpt(&String::from_utf8_lossy(body), EXCERPT_CHARS) {
                empty if empty.is_empty() => "no text".into(),
                said => said,
            },
        },
    }
}

/// `application/x-www-form-urlencoded`, with everything but plain characters escaped.
fn encoded(form: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    text.push(char::from(byte));
                }
                byte => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_escaped() {
        assert_eq!(
            encoded(&[("query", "up{a=\"é&b\"}".into()), ("time", "1.000".into())]),
            "query=up%7Ba%3D%22%C3%A9%26b%22%7D&time=1.000"
        );
    }
}
