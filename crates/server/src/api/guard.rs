//! Who may ask: names on the allow-list, no forwarded requests without access control, and changes
//! only from the same origin. So curl works, and a foreign page in a browser doesn't.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::{Api, visible};
use crate::config::Server;

/// Where the embedded store is asked.
const QUERIES: &str = "/prometheus/api/v1/";

const FORWARDING: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Refuses what must not be answered.
pub async fn check(State(api): State<Api>, request: Request, next: Next) -> Response {
    match refusal(&api, request.method(), request.headers(), request.uri()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(api: &Api, method: &Method, headers: &HeaderMap, target: &Uri) -> Option<Problem> {
    let config = api.config();
    let server = &config.server;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST).or(target.host()) else {
        return Some(Problem::bad_request("the request has no Host header"));
    };
    let listening = config.listen.ip();
    if !is_allowed_host(
        host_name(host),
        listening,
        server.unsafe_listen,
        &allowed(server),
    ) {
        return Some(forbidden(format!(
            "the name {} is not one of this server's; add it to server.hosts if it should be",
            visible(host_name(host))
        )));
    }
    if !server.unsafe_listen && FORWARDING.iter().any(|name| headers.contains_key(*name)) {
        return Some(forbidden(
            "the request came through a proxy, and there is no access control; set server.unsafe_listen if everyone who reaches the proxy may see and change everything",
        ));
    }
    // Queries are sent by POST because they are long; they change nothing.
    let is_query = target.path().starts_with(QUERIES);
    if is_query || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let site_is_own = text("sec-fetch-site".parse().ok()?)
        .is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin_is_own = text(header::ORIGIN).is_none_or(|origin| {
        origin
            .split_once("://")
            .is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
    });
    if !site_is_own || !origin_is_own {
        return Some(forbidden(
            "a change was asked for by a page of another origin",
        ));
    }
    let has_body = text(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
        || headers.contains_key(header::TRANSFER_ENCODING);
    let is_json = text(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim() == "application/json")
    });
    (has_body && !is_json).then(|| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported media type")
            .detail("send a body as Content-Type: application/json, or none")
    })
}

fn forbidden(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden").detail(detail)
}

fn allowed(server: &Server) -> Vec<String> {
    let external = server.external_url.as_ref().and_then(|url| {
        let (_, rest) = url.as_str().split_once("://")?;
        Some(host_name(rest.split('/').next()?).to_owned())
    });
    server.hosts.iter().cloned().chain(external).collect()
}

/// The name or address of a Host header, without port and brackets.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match host.rsplit_once(':') {
        Some((name, _)) if !name.contains(':') => name,
        _ => host,
    }
}

fn is_allowed_host(host: &str, listening: IpAddr, open: bool, allowed: &[String]) -> bool {
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
