//! How to reach a Prometheus; secrets stay unseen.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// How to reach a Prometheus.
#[derive(Clone)]
pub struct PrometheusSettings {
    /// `http://` or `https://`, with an optional path prefix; user information in it is taken as
    /// `basic_auth` where that is not set.
    pub url: String,
    /// The total deadline of a query: connecting and the whole body.
    pub timeout: Duration,
    /// Sent with each query; values are treated as secrets.
    pub headers: Vec<(String, String)>,
    pub basic_auth: Option<(String, Secret)>,
    /// Read anew for each query, so that rotated tokens are followed.
    pub bearer_token_file: Option<PathBuf>,
    /// PEM certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The most bytes of an answer, counted after decompression.
    pub answer_bytes_max: usize,
}

impl PrometheusSettings {
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    pub const ANSWER_BYTES_MAX: usize = 64 << 20;

    /// The defaults for an address.
    pub fn at(url: impl Into<String>) -> PrometheusSettings {
        PrometheusSettings {
            url: url.into(),
            timeout: PrometheusSettings::TIMEOUT,
            headers: Vec::new(),
            basic_auth: None,
            bearer_token_file: None,
            ca_file: None,
            answer_bytes_max: PrometheusSettings::ANSWER_BYTES_MAX,
        }
    }
}

impl fmt::Debug for PrometheusSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header_names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("PrometheusSettings")
            .field("url", &without_user(&self.url))
            .field("timeout", &self.timeout)
            .field("headers", &header_names)
            .field("basic_auth", &self.basic_auth)
            .field("bearer_token_file", &self.bearer_token_file)
            .field("ca_file", &self.ca_file)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .finish()
    }
}

/// Why settings can't be used. The texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusError {
    #[error(
        "the Prometheus url {url:?} is not one: {why}; write e.g. http://127.0.0.1:9090 or https://host/prefix"
    )]
    Url { url: String, why: String },
    #[error("the header {name:?} can't be sent: {why}")]
    Header { name: String, why: &'static str },
    #[error("both basic_auth and bearer_token_file are set; choose one")]
    TwoCredentials,
    #[error("can't read the CA file {path}")]
    CaFile {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the CA file {path} holds no PEM certificate that can be used")]
    CaContent { path: String },
    #[error("can't set up TLS: {why}")]
    Tls { why: String },
}

/// An address as text without user information, even where it isn't a valid one.
pub(super) fn without_user(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A password may itself hold a slash where someone forgot to escape it.
    match rest[..authority_end].rfind('@').or_else(|| rest.rfind('@')) {
        Some(at) => format!("{scheme}{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_user() {
        for (url, shown) in [
            ("http://h:9090/p", "http://h:9090/p"),
            ("https://u:hunter2@h/p", "https://h/p"),
            ("https://u:hun/ter2@h/p", "https://h/p"),
            ("u:hunter2@h", "h"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut settings = PrometheusSettings::at("http://u:hunter2@h");
        settings.headers = vec![("Authorization".into(), "hunter2".into())];
        settings.basic_auth = Some(("u".into(), Secret::new("hunter2")));
        let shown = format!("{settings:?} {}", Secret::new("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("Authorization"), "{shown}");
    }
}
