//! The settings of our own server: where it listens, for whom, behind what.

use std::io::Read;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;

use super::connection::{is_host, is_loopback};
use super::keys::key;
use super::problem::quoted;
use super::raw::{RawAccess, RawServer};
use super::resolve::Resolver;
use super::{AccessFiles, Network, Server};

const PROXIES_MAX: usize = 64;
const BASE_PATH_BYTES_MAX: usize = 200;
const HOW: &str = "name who may come in with `server.auth.users_file` or `server.auth.tokens_file`, \
                   or set `server.unsafe_listen: true` to do it nevertheless";

impl Resolver<'_> {
    pub(super) fn server(&mut self, raw: RawServer) -> Server {
        let server = Server {
            hosts: self.hosts(raw.hosts.unwrap_or_default()),
            external_url: raw
                .external_url
                .map(|url| self.url("server.external_url", url)),
            unsafe_listen: raw.unsafe_listen.unwrap_or(false),
            auth: self.access(raw.auth.unwrap_or_default()),
            trusted_proxies: self.trusted_proxies(raw.trusted_proxies.unwrap_or_default()),
            base_path: self.base_path(raw.base_path.unwrap_or_default()),
        };
        let is_closed = server.auth.is_on() || server.unsafe_listen;
        for (name, is_set) in [
            ("trusted_proxies", !server.trusted_proxies.is_empty()),
            ("base_path", !server.base_path.is_empty()),
        ] {
            if is_set && !is_closed {
                let what = format!(
                    "`server.{name}` says that there is a proxy, and there is no authentication"
                );
                let advice =
                    format!("whoever reaches the proxy could read and change everything; {HOW}");
                self.refuse(&["server", name], what, advice);
            }
        }
        server
    }

    fn hosts(&mut self, hosts: Vec<String>) -> Vec<String> {
        let hosts: Vec<String> = hosts.iter().map(|host| host.to_lowercase()).collect();
        for (index, host) in hosts.iter().enumerate() {
            if !is_host(host) {
                let what = format!("`server.hosts` has {}", quoted(host));
                let advice = "it must be a host name without scheme, port and path";
                self.refuse(&["server", "hosts", &index.to_string()], what, advice);
            }
        }
        hosts
    }

    fn access(&mut self, raw: RawAccess) -> AccessFiles {
        if let Err(why) = read_directory(raw.users_file.as_deref(), raw.tokens_file.as_deref()) {
            self.refuse(&["server", "auth"], "`server.auth` can't be used", why);
        }
        AccessFiles {
            users_file: raw.users_file,
            tokens_file: raw.tokens_file,
            session_idle: self.duration("server.auth.session_idle", raw.session_idle),
            session_lifetime: self.duration("server.auth.session_lifetime", raw.session_lifetime),
        }
    }

    fn trusted_proxies(&mut self, texts: Vec<String>) -> Vec<Network> {
        if texts.len() > PROXIES_MAX {
            let count = format!("a list of {}", texts.len());
            self.refuse_value("server.trusted_proxies", &count);
        }
        let mut networks = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match text.parse::<Network>() {
                Ok(network) => networks.push(network),
                Err(must) => {
                    let what = format!("`server.trusted_proxies` has {}", quoted(text));
                    let path = ["server", "trusted_proxies", &index.to_string()];
                    self.refuse(&path, what, must.to_string());
                }
            }
        }
        networks
    }

    /// Without the slash at the end.
    fn base_path(&mut self, text: String) -> String {
        let path = text.trim_end_matches('/');
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_allowed);
        let is_path = path
            .strip_prefix('/')
            .is_some_and(|parts| parts.split('/').all(is_part));
        if !(path.is_empty() || is_path && path.len() <= BASE_PATH_BYTES_MAX) {
            self.refuse_value("server.base_path", &text);
        }
        path.to_owned()
    }

    pub(super) fn listen(&mut self, given: Option<String>, server: &Server) -> SocketAddr {
        let text = given.unwrap_or_else(|| key("listen").default.to_owned());
        let Ok(address) = text.parse::<SocketAddr>() else {
            self.refuse_value("listen", &text);
            return SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
        };
        if !is_loopback(address.ip()) && !server.unsafe_listen && !server.auth.is_on() {
            let what = format!("`listen` is `{address}`, which is not loopback");
            let advice = format!(
                "without authentication whoever reaches the port can read and change everything; {HOW}"
            );
            self.refuse(&["listen"], what, advice);
        }
        address
    }
}

/// Everyone whom the files name; or why they can't be used.
pub(super) fn read_directory(
    users: Option<&Path>,
    tokens: Option<&Path>,
) -> Result<access::Directory, String> {
    let named = |path: Option<&Path>| -> Result<Option<(String, String)>, String> {
        path.map(|path| Ok((path.display().to_string(), read(path)?)))
            .transpose()
    };
    let (users, tokens) = (named(users)?, named(tokens)?);
    access::Directory::parse(text_file(&users), text_file(&tokens))
        .map_err(|error| error.to_string())
}

fn text_file(file: &Option<(String, String)>) -> Option<access::TextFile<'_>> {
    let (name, text) = file.as_ref()?;
    Some(access::TextFile { name, text })
}

/// The text of a file of users or tokens.
fn read(path: &Path) -> Result<String, String> {
    let shown = quoted(&path.display().to_string());
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(access::FILE_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes)
        })
        .map_err(|error| format!("{shown} can't be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not text in UTF-8"))
}
