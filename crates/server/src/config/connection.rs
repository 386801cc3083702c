//! The settings of the connection to Prometheus, with its credentials.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use super::keys::key;
use super::problem::quoted;
use super::raw::{RawBasicAuth, RawPrometheus};
use super::resolve::Resolver;
use super::{Auth, HttpUrl, Prometheus, Secret};

const SECRET_FILE_BYTES_MAX: u64 = 64 << 10;

impl Resolver<'_> {
    pub(super) fn prometheus(&mut self, raw: RawPrometheus) -> Prometheus {
        let url = raw
            .url
            .unwrap_or_else(|| key("prometheus.url").default.to_owned());
        Prometheus {
            auth: self.auth(
                &["prometheus"],
                raw.basic_auth,
                raw.bearer_token,
                raw.bearer_token_file,
            ),
            url: self.url("prometheus.url", url),
            timeout: self.duration("prometheus.timeout", raw.timeout),
            headers: self.headers(&["prometheus"], raw.headers.unwrap_or_default()),
            ca_file: raw
                .ca_file
                .map(|path| self.readable(&["prometheus", "ca_file"], path)),
            external_url: raw
                .external_url
                .map(|url| self.url("prometheus.external_url", url)),
            answer_bytes_max: self.bytes("prometheus.answer_bytes_max", raw.answer_bytes_max),
        }
    }

    /// The file of targets; not beside a Prometheus that was named.
    pub(super) fn scrape(
        &mut self,
        given: Option<PathBuf>,
        prometheus: Option<&RawPrometheus>,
    ) -> Option<PathBuf> {
        let path = given?;
        if prometheus.is_some_and(|prometheus| prometheus.url.is_some()) {
            self.refuse(
                &["scrape"],
                "`scrape` and `prometheus.url` are both given",
                "metrics come either from a Prometheus or from targets that are scraped here; leave one out",
            );
        }
        Some(path)
    }

    /// How we prove who we are to what `owner` is the path of.
    pub(super) fn auth(
        &mut self,
        owner: &[&str],
        basic: Option<RawBasicAuth>,
        token: Option<Secret>,
        token_file: Option<PathBuf>,
    ) -> Option<Auth> {
        let bearer = self.secret(&[owner, &["bearer_token"]].concat(), token, token_file);
        let Some(basic) = basic else {
            return bearer.map(Auth::Bearer);
        };
        let path = [owner, &["basic_auth"]].concat();
        let name = owner.join(".");
        if bearer.is_some() {
            self.refuse(
                &path,
                format!("`{name}` has both `basic_auth` and a bearer token"),
                "only one of them can be sent",
            );
        }
        let password = self.secret(
            &[&path[..], &["password"]].concat(),
            basic.password,
            basic.password_file,
        );
        match (basic.username, password) {
            (Some(username), Some(password)) if is_line(&username) && !username.contains(':') => {
                Some(Auth::Basic { username, password })
            }
            (Some(_), Some(_)) => {
                self.refuse(
                    &[&path[..], &["username"]].concat(),
                    format!("`{name}.basic_auth.username` can't be sent"),
                    "it must be a text of one line without a colon",
                );
                None
            }
            _ => {
                self.refuse(
                    &path,
                    format!("`{name}.basic_auth` is incomplete"),
                    "it needs `username` and one of `password` and `password_file`",
                );
                None
            }
        }
    }

    /// A secret given as text, or by the file that `<key>_file` names.
    pub(super) fn secret(
        &mut self,
        path: &[&str],
        text: Option<Secret>,
        file: Option<PathBuf>,
    ) -> Option<Secret> {
        let name = path.join(".");
        let file_path = format!("{name}_file");
        let (at, secret) = match (text, file) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                let what = format!("`{name}` and `{file_path}` are both given");
                self.refuse(path, what, "give one of them");
                return None;
            }
            (Some(secret), None) => (name, secret),
            (None, Some(file)) => match read_secret(&file) {
                Ok(text) => (file_path, Secret::from_file(text, file)),
                Err(error) => {
                    let parts: Vec<&str> = file_path.split('.').collect();
                    let shown = quoted(&file.display().to_string());
                    self.refuse(&parts, format!("`{file_path}` is {shown}"), error);
                    return None;
                }
            },
        };
        if !is_line(secret.expose()) {
            let parts: Vec<&str> = at.split('.').collect();
            let what = format!("the secret of `{at}` can't be sent");
            let advice = "it must be one line of printable text, and not empty";
            self.refuse(&parts, what, advice);
        }
        Some(secret)
    }

    pub(super) fn headers(
        &mut self,
        owner: &[&str],
        headers: BTreeMap<String, Secret>,
    ) -> BTreeMap<String, Secret> {
        for (name, value) in &headers {
            let path = [owner, &["headers", name.as_str()]].concat();
            if name.is_empty() || !name.bytes().all(is_header_byte) {
                let what = format!("the header {} has no usable name", quoted(name));
                self.refuse(&path, what, "a name is made of letters, digits, - and _");
            } else if !is_line(value.expose()) {
                let what = format!("the value of header {} can't be sent", quoted(name));
                self.refuse(&path, what, "it must be one line of printable text");
            }
        }
        headers
    }

    pub(super) fn readable(&mut self, key: &[&str], path: PathBuf) -> PathBuf {
        if let Err(error) = std::fs::File::open(&path) {
            let shown = quoted(&path.display().to_string());
            let what = format!("`{}` is {shown}", key.join("."));
            self.refuse(key, what, format!("it can't be read: {error}"));
        }
        path
    }

    pub(super) fn url(&mut self, path: &str, text: String) -> HttpUrl {
        match checked_url(&text) {
            Ok(()) => {}
            // Not quoted: what is refused may hold a password.
            Err(must) => {
                let parts: Vec<&str> = path.split('.').collect();
                self.refuse(&parts, format!("`{path}` is not usable"), must);
            }
        }
        HttpUrl(text.trim_end_matches('/').to_owned())
    }
}

/// Credentials as they would be written: basic, token, file of the token.
pub(super) fn credentials(
    auth: Option<&Auth>,
) -> (Option<RawBasicAuth>, Option<Secret>, Option<PathBuf>) {
    let inline = |secret: &Secret| secret.file().is_none().then(|| secret.clone());
    let file = |secret: &Secret| secret.file().map(PathBuf::from);
    match auth {
        None => (None, None, None),
        Some(Auth::Bearer(token)) => (None, inline(token), file(token)),
        Some(Auth::Basic { username, password }) => {
            let basic = RawBasicAuth {
                username: Some(username.clone()),
                password: inline(password),
                password_file: file(password),
            };
            (Some(basic), None, None)
        }
    }
}

pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether the address means this machine.
pub(super) fn is_local(url: &str) -> bool {
    let host = authority(url).map_or("", |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

fn read_secret(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(SECRET_FILE_BYTES_MAX + 1)
                .read_to_string(&mut text)
        })
        .map_err(|error| format!("it can't be read: {error}"))?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(format!("it is larger than {SECRET_FILE_BYTES_MAX} bytes"));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn checked_url(text: &str) -> Result<(), &'static str> {
    if text.contains(['?', '#']) {
        return Err("it must not have a query or fragment");
    }
    checked_address(text)
}

/// An address that may have a query, as those of webhooks do.
pub(super) fn checked_address(text: &str) -> Result<(), &'static str> {
    const FORM: &str = "it must be an address such as http://127.0.0.1:9090";
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it must not contain white space");
    }
    let (host, port) = authority(text).ok_or(FORM)?;
    if host.contains('@') || port.is_some_and(|port| port.contains('@')) {
        return Err("it must not carry credentials; use `basic_auth`");
    }
    let is_ipv6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
    if !is_ipv6 && !is_host(host) {
        return Err(FORM);
    }
    match port.map(str::parse::<u16>) {
        None => Ok(()),
        Some(Ok(port)) if port > 0 => Ok(()),
        Some(_) => Err("its port must be 1 to 65535"),
    }
}

/// Host and port of an `http` or `https` address.
fn authority(url: &str) -> Option<(&str, Option<&str>)> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, Some(port))),
        _ => Some((authority, None)),
    }
}

pub(super) fn is_host(host: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=253).contains(&host.len()) && host.bytes().all(is_allowed)
}

fn is_header_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
