//! Which addresses are never called: what hosts keep their credentials behind, and what leads
//! nowhere. Loopback is allowed: people run receivers beside the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// An address that is never called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at {address}, {what}, where no message is ever sent; give another url")]
pub(super) struct Forbidden {
    host: String,
    address: IpAddr,
    what: &'static str,
}

/// Resolves names as the system does, and leaves out what is never called: each time anew, so that
/// a name can't move there later.
pub(super) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let admitted = admit(host, found.take(ADDRESSES_MAX))?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be called.
///
/// # Errors
/// None of them may be.
fn admit(
    host: &str,
    addresses: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Forbidden> {
    let mut refused = None;
    let mut admitted = Vec::new();
    for address in addresses {
        match check(host, address.ip()) {
            Ok(()) => admitted.push(address),
            Err(forbidden) => refused = Some(forbidden),
        }
    }
    match refused {
        Some(forbidden) if admitted.is_empty() => Err(forbidden),
        _ => Ok(admitted),
    }
}

/// An address that stands in a URL in place of a name is not resolved.
pub(super) fn check_literal(url: &Url) -> Result<(), Forbidden> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    literal
        .parse()
        .map_or(Ok(()), |address| check(host, address))
}

fn check(host: &str, address: IpAddr) -> Result<(), Forbidden> {
    match forbidden(address) {
        None => Ok(()),
        Some(what) => Err(Forbidden {
            host: host.to_owned(),
            address,
            what,
        }),
    }
}

fn forbidden(address: IpAddr) -> Option<&'static str> {
    let v4 = match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => within(address),
    };
    let what = |is_so: bool, what| is_so.then_some(what);
    if let Some(address) = v4 {
        return what(address.is_link_local(), "a link-local address")
            .or(what(address.is_unspecified(), "no host's address"))
            .or(what(address.is_multicast(), "a multicast address"))
            .or(what(address.is_broadcast(), "the broadcast address"))
            .or(what(METADATA_V4.contains(&address), "a metadata service"));
    }
    let IpAddr::V6(address) = address else {
        return None;
    };
    what(address.is_unicast_link_local(), "a link-local address")
        .or(what(address.is_unspecified(), "no host's address"))
        .or(what(address.is_multicast(), "a multicast address"))
        .or(what(address == METADATA_V6, "a metadata service"))
}

/// Where clouds keep credentials of hosts, beside 169.254.169.254: Alibaba, Azure …
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
/// … and Amazon.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// The IPv4 address that an IPv6 one stands for: mapped, or by NAT64 (RFC 6052).
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let is_nat64 = segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let last = address.octets();
    address
        .to_ipv4_mapped()
        .or_else(|| is_nat64.then(|| Ipv4Addr::new(last[12], last[13], last[14], last[15])))
}

/// Scheme, host and port.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    format!("{}://{host}{}", url.scheme(), port.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_and_metadata_addresses_are_forbidden_however_written() {
        for (url, allowed) in [
            ("http://169.254.169.254/", false),
            ("http://2852039166/", false),
            ("http://0xa9.0xfe.0xa9.0xfe/", false),
            ("http://169.254.1/", false),
            ("http://[fe80::1]/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://[64:ff9b::a9fe:a9fe]/", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://100.100.100.200/", false),
            ("http://0.0.0.0/", false),
            ("http://[::]/", false),
            ("http://255.255.255.255/", false),
            ("http://224.0.0.1/", false),
            ("http://127.0.0.1:9093/", true),
            ("http://127.1/", true),
            ("http://[::1]:9093/", true),
            ("http://10.0.0.1/", true),
            ("http://[fd00::1]/", true),
            ("http://example.com/", true),
        ] {
            assert_eq!(
                check_literal(&url.parse().unwrap()).is_ok(),
                allowed,
                "{url}"
            );
        }
    }

    #[test]
    fn a_name_that_leads_to_forbidden_addresses_only_is_refused_by_name() {
        let found = |addresses: &[&str]| -> Result<usize, Forbidden> {
            let addresses = addresses.iter().map(|address| {
                let ip: IpAddr = address.parse().unwrap();
                SocketAddr::new(ip, 0)
            });
            Ok(admit("rebound.example", addresses)?.len())
        };
        assert_eq!(found(&["169.254.169.254", "192.0.2.1"]), Ok(1));
        let refused = found(&["169.254.169.254", "fe80::1"]).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("rebound.example is at fe80::1")
        );
    }

    #[test]
    fn an_address_is_shown_without_its_path() {
        let url = "https://hooks.example:8443/services/T0/secret?k=v"
            .parse()
            .unwrap();
        assert_eq!(shown(&url), "https://hooks.example:8443");
    }
}
