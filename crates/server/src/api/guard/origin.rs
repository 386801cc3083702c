//! Where a request comes from: which names this server answers to, and the proof that a change was
//! not asked for by somebody else's page.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};

use super::refusal::{Refusal, forbidden};
use super::sender::Sender;
use crate::api::problem::Problem;
use crate::config::Server;

/// The proof that a change comes from our own page or from no page at all; a token is proof enough.
pub fn check_change(headers: &HeaderMap, sender: &Sender, by_token: bool) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site_is_own =
        text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin_is_own = text("origin").is_none_or(|origin| {
        origin
            .split_once("://")
            .is_some_and(|(_, of)| of.eq_ignore_ascii_case(&sender.host))
    });
    let is_proved = by_token || site_is_own && origin_is_own;
    if !is_proved {
        return Err(forbidden("a change was asked for by a page of another origin").into());
    }
    let has_body = text("content-length").is_some_and(|length| length != "0")
        || headers.contains_key(header::TRANSFER_ENCODING);
    let is_json = text("content-type").is_some_and(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim() == "application/json")
    });
    if has_body && !is_json {
        return Err(
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type")
                .detail("send a body as Content-Type: application/json, or none")
                .into(),
        );
    }
    Ok(())
}

pub fn allowed_hosts(server: &Server) -> Vec<String> {
    let external = server.external_url.as_ref().and_then(|url| {
        let (_, rest) = url.as_str().split_once("://")?;
        Some(host_name(rest.split('/').next()?).to_owned())
    });
    server.hosts.iter().cloned().chain(external).collect()
}

/// The name or address of a Host header, without port and brackets.
pub fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match host.rsplit_once(':') {
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}

pub fn is_allowed_host(host: &str, listening: IpAddr, open: bool, allowed: &[String]) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.is_loopback() || address == listening || open)
        || allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_list_pass_and_rebound_ones_do_not() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let listed = vec!["bellwether.example".to_owned()];
        for host in [
            "localhost:9092",
            "127.0.0.1",
            "[::1]:9092",
            "BELLWETHER.example",
            "127.0.0.9",
        ] {
            assert!(
                is_allowed_host(host_name(host), loopback, false, &listed),
                "{host}"
            );
        }
        for host in ["evil.example", "localhost.evil", "10.0.0.1", "", "::2"] {
            assert!(
                !is_allowed_host(host_name(host), loopback, false, &listed),
                "{host}"
            );
        }
        assert!(is_allowed_host("10.0.0.1", loopback, true, &listed));
    }
}
