//! How to reach a receiver; secrets stay unseen.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Url, redirect};

use super::address::{GuardedResolver, check_literal};
use super::error::causes;
use crate::text;

const NAME_CHARS: usize = 80;
/// What only the sender of a body can know.
const OUR_HEADERS: [HeaderName; 4] = [
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::HOST,
];

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// How to reach a receiver.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://` or `https://`. All but scheme, host and port is treated as a secret; user
    /// information in it is taken as `basic_auth` where that is not set.
    pub url: Secret,
    /// Sent with each message; values are treated as secrets.
    pub headers: Vec<(String, Secret)>,
    pub basic_auth: Option<(String, Secret)>,
    /// Read anew for each message, so that rotated tokens are followed.
    pub bearer_token_file: Option<PathBuf>,
    /// PEM certificates that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The total deadline of an attempt.
    pub timeout: Duration,
}

/// Why an endpoint can't be used. The texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the url can't be used: {why}; write e.g. https://hooks.example/bellwether")]
    Url { why: String },
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

impl Endpoint {
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// The defaults for an address.
    pub fn at(url: impl Into<String>) -> Endpoint {
        Endpoint {
            url: Secret::new(url),
            headers: Vec::new(),
            basic_auth: None,
            bearer_token_file: None,
            ca_file: None,
            timeout: Endpoint::TIMEOUT,
        }
    }

    /// The address without its user; and the user.
    pub(super) fn address(&self) -> Result<(Url, Option<(String, Secret)>), EndpointError> {
        let refused = |why: String| EndpointError::Url { why };
        let mut url: Url = self
            .url
            .reveal()
            .parse()
            .map_err(|error| refused(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = text::line(url.scheme(), NAME_CHARS);
            return Err(refused(format!("{scheme:?} is neither http nor https")));
        }
        if url.fragment().is_some() {
            return Err(refused("it has a fragment, which is never sent".into()));
        }
        check_literal(&url).map_err(|forbidden| refused(forbidden.to_string()))?;
        let user = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let password = percent_decoded(url.password().unwrap_or_default());
            (percent_decoded(url.username()), Secret::new(password))
        });
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| refused("its user can't be taken off".into()))?;
        Ok((url, user))
    }

    pub(super) fn client(&self, url: &Url) -> Result<Client, EndpointError> {
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .dns_resolver(GuardedResolver)
            .connect_timeout(self.timeout);
        if let Some(path) = &self.ca_file {
            builder = builder.tls_certs_only(certificates(path)?);
        } else if url.scheme() == "http" {
            // Nothing will ask for the system's certificates, so they needn't be there.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(|error| EndpointError::Tls {
            why: causes(&error)
                .last()
                .map_or_else(|| error.to_string(), |cause| cause.to_string()),
        })
    }

    pub(super) fn header_map(&self) -> Result<HeaderMap, EndpointError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let refused = |why| EndpointError::Header {
                name: text::line(name, NAME_CHARS),
                why,
            };
            let key: HeaderName = name.parse().map_err(|_| refused("its name isn't one"))?;
            if OUR_HEADERS.contains(&key) {
                return Err(refused("it is set for each message"));
            }
            let mut value: HeaderValue = value
                .reveal()
                .parse()
                .map_err(|_| refused("its value holds control characters"))?;
            value.set_sensitive(true);
            headers.append(key, value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header_names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("headers", &header_names)
            .field("basic_auth", &self.basic_auth)
            .field("bearer_token_file", &self.bearer_token_file)
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .finish()
    }
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate>, EndpointError> {
    let shown = path.display().to_string();
    let pem = std::fs::read(path).map_err(|source| EndpointError::CaFile {
        path: shown.clone(),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if certificates.is_empty() {
        return Err(EndpointError::CaContent { path: shown });
    }
    Ok(certificates)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let code = text
            .get(i + 1..i + 3)
            .filter(|_| bytes[i] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(code.unwrap_or(bytes[i]));
        i += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
