//! Where a request comes from: the client behind trusted proxies, and the name it was sent to.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

use crate::config::Server;

/// Headers by which proxies say what they forward.
const FORWARDING: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Who sent a request, as far as it can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The client: the peer, or the rightmost address that no trusted proxy has.
    pub address: IpAddr,
    /// The name and port that the client used.
    pub host: String,
    /// Whether the client came by https.
    pub is_https: bool,
    /// Whether the request says that a proxy forwarded it, believed or not.
    pub is_forwarded: bool,
}

/// Why a request isn't from anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    #[error("the request has no Host header")]
    NoHost,
    #[error("the request has several Host headers, or names another host in its target")]
    TwoHosts,
}

impl Sender {
    /// # Errors
    /// No host, or several.
    pub fn of(
        peer: IpAddr,
        headers: &HeaderMap,
        target: &Uri,
        server: &Server,
    ) -> Result<Sender, SenderError> {
        let direct = direct_host(headers, target)?;
        let trusted = |address: IpAddr| {
            server
                .trusted_proxies
                .iter()
                .any(|network| network.contains(address))
        };
        let believed = trusted(peer);
        let first = |name: &str| {
            let values = believed.then(|| headers.get(name)?.to_str().ok()).flatten();
            values
                .and_then(|values| values.split(',').next())
                .map(str::trim)
        };
        let is_https = match first("x-forwarded-proto") {
            Some(proto) => proto.eq_ignore_ascii_case("https"),
            None => server
                .external_url
                .as_ref()
                .is_some_and(|url| url.as_str().starts_with("https://")),
        };
        Ok(Sender {
            address: client(peer.to_canonical(), headers, trusted),
            host: first("x-forwarded-host").unwrap_or(direct).to_owned(),
            is_https,
            is_forwarded: FORWARDING.iter().any(|name| headers.contains_key(*name)),
        })
    }
}

/// The name in the request itself.
fn direct_host<'a>(headers: &'a HeaderMap, target: &'a Uri) -> Result<&'a str, SenderError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(SenderError::TwoHosts);
    }
    let host = host.and_then(|host| host.to_str().ok());
    let named = target.authority().map(|authority| authority.as_str());
    match (host, named) {
        (Some(host), Some(named)) if !host.eq_ignore_ascii_case(named) => {
            Err(SenderError::TwoHosts)
        }
        (Some(host), _) => Ok(host),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(SenderError::NoHost),
    }
}

/// From the right, each proxy names who asked it; the first that isn't trusted is the client.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut client = peer;
    let lines: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for hop in hops {
        if !trusted(client) {
            break;
        }
        // What can't be read was not written by a proxy of ours.
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn sender(peer: &str, headers: &[(&str, &str)]) -> Result<Sender, SenderError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let mut server = Config::default().server;
        server.trusted_proxies = vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        Sender::of(peer.parse().unwrap(), &map, &Uri::from_static("/"), &server)
    }

    #[test]
    fn the_client_is_the_rightmost_that_no_trusted_proxy_has() {
        for (peer, forwarded, client) in [
            ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
            ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("127.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("127.0.0.1", "evil, 10.0.0.7", "10.0.0.7"),
            ("127.0.0.1", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
            ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("127.0.0.1", "", "127.0.0.1"),
        ] {
            let sender = sender(peer, &[("host", "a"), ("x-forwarded-for", forwarded)]).unwrap();
            assert_eq!(
                sender.address,
                client.parse::<IpAddr>().unwrap(),
                "{peer} {forwarded}"
            );
            assert!(sender.is_forwarded);
        }
        let lines = [
            ("host", "a"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
        ];
        assert_eq!(
            sender("127.0.0.1", &lines).unwrap().address.to_string(),
            "2.2.2.2"
        );
    }

    #[test]
    fn host_and_scheme_are_believed_from_trusted_proxies_only() {
        let headers = [
            ("host", "127.0.0.1:9092"),
            ("x-forwarded-host", "ops.example"),
            ("x-forwarded-proto", "https"),
        ];
        let believed = sender("10.1.2.3", &headers).unwrap();
        assert_eq!(
            (believed.host.as_str(), believed.is_https),
            ("ops.example", true)
        );
        let not = sender("192.0.2.1", &headers).unwrap();
        assert_eq!((not.host.as_str(), not.is_https), ("127.0.0.1:9092", false));
    }

    #[test]
    fn a_request_has_one_host() {
        assert_eq!(sender("127.0.0.1", &[]), Err(SenderError::NoHost));
        let two = [("host", "a"), ("host", "a")];
        assert_eq!(sender("127.0.0.1", &two), Err(SenderError::TwoHosts));
    }
}
