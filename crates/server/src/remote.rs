//! The running server, asked over HTTP by the subcommands that tell of it or change something.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde::Deserialize;

use crate::cli::Running;

const TIMEOUT: Duration = Duration::from_secs(30);
/// A larger answer is none of ours.
const ANSWER_BYTES_MAX: usize = 16 << 20;
const TOKEN_BYTES_MAX: u64 = 4096;

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("--url is {url:?}: {why}; give it as http://127.0.0.1:9092")]
    Url { url: String, why: String },
    #[error("read the token in {path}")]
    TokenFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} holds no token: it must be one line of letters, digits and signs")]
    Token { path: PathBuf },
}

/// Errors as the server says them.
#[derive(Deserialize)]
pub struct Problem {
    pub title: String,
    #[serde(default)]
    pub detail: Option<String>,
}

/// A running server.
pub struct Remote {
    base: Url,
    client: Client,
    has_token: bool,
}

impl Remote {
    /// With `--url` nothing of the configuration is needed.
    ///
    /// # Errors
    /// [`RemoteError`]; a configuration that can't be loaded.
    pub fn of(running: &Running) -> anyhow::Result<Remote> {
        let base = match &running.url {
            Some(url) => url.clone(),
            None => {
                let config = running.settings.load()?.config;
                let base_path = &config.server.base_path;
                format!("http://{}{base_path}", reachable(config.listen))
            }
        };
        let base = parsed(&base)?;
        let token = running.token_file.clone().map(token).transpose()?;
        let has_token = token.is_some();
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .default_headers(
                token
                    .map(|token| (AUTHORIZATION, token))
                    .into_iter()
                    .collect::<HeaderMap>(),
            );
        if base.scheme() == "http" {
            // Nothing will ask for the system's certificates, so they needn't be there.
            builder = builder.tls_certs_only([]);
        }
        Ok(Remote {
            base,
            client: builder.build()?,
            has_token,
        })
    }

    /// The answer to a GET of a path such as `/api/v1/incidents`.
    ///
    /// # Errors
    /// The server doesn't answer, or refuses: with what it says.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<String> {
        self.ask(self.client.get(self.at(path, query))).await
    }

    /// The answer to a POST by somebody whom the server doesn't ask to log in.
    ///
    /// # Errors
    /// As [`Remote::get`].
    pub async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
        operator: Option<&str>,
    ) -> anyhow::Result<String> {
        let mut request = self.client.post(self.at(path, &[]));
        request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        // A name that fits into no header is no reason not to do it.
        if let Some(name) = operator.and_then(|name| HeaderValue::from_str(name).ok()) {
            request = request.header("x-operator", name);
        }
        self.ask(request).await
    }

    /// Reads an answer as what it should be.
    ///
    /// # Errors
    /// It is something else.
    pub fn read<'a, T: Deserialize<'a>>(&self, answer: &'a str) -> anyhow::Result<T> {
        serde_json::from_str(answer)
            .with_context(|| format!("the answer of {} is not one of Bellwether", self.base))
    }

    /// The base may have a path, where the server lies behind a proxy.
    fn at(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn ask(&self, request: RequestBuilder) -> anyhow::Result<String> {
        let base = &self.base;
        let mut response = request.send().await.with_context(|| {
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
        let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
            bail!("{base} answers {status}: is it a Bellwether?");
        };
        if status == StatusCode::UNAUTHORIZED && !self.has_token {
            bail!("{problem}; name a file with a token with --token-file");
        }
        bail!("{problem}")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.detail.as_deref() {
            None | Some("") => f.write_str(&self.title),
            Some(detail) => write!(f, "{}: {detail}", self.title),
        }
    }
}

/// Where all addresses are listened on, this machine's own reaches it.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

fn parsed(base: &str) -> Result<Url, RemoteError> {
    let refused = |why: String| RemoteError::Url {
        url: base.to_owned(),
        why,
    };
    let url: Url = base.parse().map_err(|error| refused(format!("{error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither http nor https".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment".into()));
    }
    Ok(url)
}

fn token(path: PathBuf) -> Result<HeaderValue, RemoteError> {
    let mut text = String::new();
    let read = std::fs::File::open(&path)
        .and_then(|file| file.take(TOKEN_BYTES_MAX).read_to_string(&mut text));
    if let Err(source) = read {
        return Err(RemoteError::TokenFile { path, source });
    }
    let token = text.trim();
    let is_one = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    match HeaderValue::from_str(&format!("Bearer {token}")) {
        Ok(mut value) if is_one => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err(RemoteError::Token { path }),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn remote(arguments: &[&str]) -> anyhow::Result<Remote> {
        let fixed = ["bellwether", "why", "pay", "lat", "now"];
        let cli = Cli::parse_from(fixed.iter().chain(arguments));
        match cli.command {
            Command::Why(why) => Remote::of(&why.running),
            _ => unreachable!("it is why"),
        }
    }

    #[test]
    fn names_are_escaped_and_a_path_is_kept() {
        let remote = remote(&["--url", "http://b:9092/bw/"]).unwrap();
        let url = remote.at("/api/v1/decisions", &[("service", "prod/pay & co")]);
        assert_eq!(
            url.as_str(),
            "http://b:9092/bw/api/v1/decisions?service=prod%2Fpay+%26+co"
        );
        let plain = remote.at("/api/v1/incidents/12", &[]);
        assert_eq!(plain.as_str(), "http://b:9092/bw/api/v1/incidents/12");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "b:9092",
            "ftp://b",
            "http://b/?x=1",
            "http://b/#x",
            "http://",
        ] {
            let error = remote(&["--url", url]).err().unwrap();
            assert!(error.is::<RemoteError>(), "{url}: {error}");
        }
    }

    #[test]
    fn a_token_file_must_hold_one_token() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        let check = |text: &str, is_one: bool| {
            std::fs::write(&file, text).unwrap();
            let arguments = ["--url", "http://b", "--token-file", file.to_str().unwrap()];
            let made = remote(&arguments);
            assert_eq!(made.is_ok(), is_one, "{text:?}");
            if let Err(error) = made {
                assert!(!error.to_string().contains("secret"), "{error}");
            }
        };
        check("secret-1234\n", true);
        check("  secret\r\n", true);
        check("", false);
        check("\n", false);
        check("secret one\n", false);
        check("secret\nsecret\n", false);
        check("sécret", false);
        std::fs::remove_file(&file).unwrap();
        let missing = ["--url", "http://b", "--token-file", file.to_str().unwrap()];
        assert!(remote(&missing).err().unwrap().is::<RemoteError>());
    }
}
