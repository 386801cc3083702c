//! What is settled before the first query: address, TLS, headers.

use std::error::Error;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Url, redirect};

use super::settings::without_user;
use super::transport::EXCERPT_CHARS;
use super::{PrometheusError, PrometheusSettings, Secret};
use crate::visible::excerpt;

/// The address without its user, ending in a slash; and the user.
pub(super) fn address(text: &str) -> Result<(Url, Option<(String, Secret)>), PrometheusError> {
    let refused = |why: String| PrometheusError::Url {
        url: without_user(text),
        why,
    };
    let mut url: Url = text.parse().map_err(|e| refused(format!("{e}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(format!(
            "{:?} is neither http nor https",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(refused("it names no host".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment".into()));
    }
    let user = (!url.username().is_empty() || url.password().is_some()).then(|| {
        (
            percent_decoded(url.username()),
            Secret::new(percent_decoded(url.password().unwrap_or(""))),
        )
    });
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| refused("its user can't be taken off".into()))?;
    let path = format!("{}/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok((url, user))
}

pub(super) fn client(settings: &PrometheusSettings, base: &Url) -> Result<Client, PrometheusError> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(settings.timeout);
    if let Some(path) = &settings.ca_file {
        let shown = path.display().to_string();
        let pem = std::fs::read(path).map_err(|source| PrometheusError::CaFile {
            path: shown.clone(),
            source,
        })?;
        let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(PrometheusError::CaContent { path: shown });
        }
        builder = builder.tls_certs_only(certificates);
    } else if base.scheme() == "http" {
        // Nothing will ask for the system's certificates, so they needn't be there.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|e| PrometheusError::Tls {
        why: causes(&e).pop().unwrap_or_else(|| e.to_string()),
    })
}

pub(super) fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, PrometheusError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let refused = |why| PrometheusError::Header {
            name: excerpt(name, EXCERPT_CHARS),
            why,
        };
        let key: HeaderName = name.parse().map_err(|_| refused("its name isn't one"))?;
        let mut value: HeaderValue = value
            .parse()
            .map_err(|_| refused("its value holds control characters"))?;
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

/// The causes beneath an error, outermost first.
pub(super) fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
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
