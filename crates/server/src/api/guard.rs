//! Who may ask: names on the allow-list, whoever shows who they are with a role that suffices, and
//! changes only from the same origin. So curl works, and a foreign page in a browser doesn't.
//!
//! Denied by default: a route without a row in [`table`] is answered to nobody. Every change that
//! was asked for is in the audit trail before its answer is given.

mod sender;
mod table;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use access::{How, Identity};
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use futures_util::StreamExt;

use super::audit::{Change, Outcome};
use super::problem::Problem;
use super::{Api, BODY_BYTES_MAX, visible};
use crate::clock;
use crate::config::Server;
use crate::entrance::Refused;
use crate::listening::Peer;
pub use sender::Sender;
use table::{Least, Row};

/// Where the embedded store is asked.
const QUERIES: &str = "/prometheus/api/v1/";
/// The cookie of a session.
pub const COOKIE: &str = "bellwether_session";
/// What a verified name is handed on in; with access control nobody else can set it.
pub const OPERATOR: &str = "x-operator";
/// A body that takes longer is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Refuses what must not be answered.
pub async fn check(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let now = clock::now();
    let sender = match sender(&api, &request) {
        Ok(sender) => sender,
        Err(problem) => return problem.into_response(),
    };
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map(|path| path.as_str().to_owned());
    let row = path
        .as_deref()
        .map_or(Row::Missing, |path| table::row(request.method(), path));
    // Queries are sent by POST because they are long; they change nothing.
    let is_query = request.uri().path().starts_with(QUERIES);
    let reads = is_query
        || matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        );
    let change = match (&path, row) {
        (Some(path), Row::Least(_)) if !reads => Some(Change::of(&request, path, &sender, now)),
        _ => None,
    };
    let headers = request.headers();
    let identity = admitted(&api, headers, path.is_some(), row, &sender, now).await;
    let checked = identity.and_then(|identity| {
        let by_token = identity.as_ref().is_some_and(|who| who.how == How::Token);
        if !reads {
            let proof = check_change(request.headers(), &sender, by_token);
            proof.map_err(|refusal| Refusal {
                by: identity.clone(),
                ..refusal
            })?;
        }
        Ok(identity)
    });
    let identity = match checked {
        Ok(identity) => identity,
        Err(refusal) => {
            let response = refusal.into_response();
            if let Some(change) = change {
                let outcome = Outcome::of(&response, None);
                change.refused(&api, outcome).await;
            }
            return response;
        }
    };
    if api.entrance.is_required() {
        name_operator(&mut request, identity.as_ref());
    }
    request.extensions_mut().insert(sender);
    let request = match with_whole_body(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    match change {
        None => next.run(request).await,
        Some(change) => carried_out(api, change, identity, request, next).await,
    }
}

/// Runs a change to its end and notes it, also where the client leaves meanwhile.
async fn carried_out(
    api: Api,
    change: Change,
    identity: Option<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let work = tokio::spawn(async move {
        let named = request.headers().get(OPERATOR).cloned();
        let response = next.run(request).await;
        let outcome = Outcome::of(&response, identity);
        change.answered(&api, named, outcome).await;
        response
    });
    match work.await {
        Ok(response) => response,
        Err(error) => Problem::internal("carrying out the change", &error).into_response(),
    }
}

fn sender(api: &Api, request: &Request) -> Result<Sender, Problem> {
    let config = api.config();
    let server = &config.server;
    // Without a connection there is only ourselves.
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    let sender = Sender::of(peer, request.headers(), request.uri(), server)
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    let name = host_name(&sender.host);
    let open = server.unsafe_listen;
    if !is_allowed_host(name, config.listen.ip(), open, &allowed(server)) {
        return Err(forbidden(format!(
            "the name {} is not one of this server's; add it to server.hosts if it should be",
            visible(name)
        )));
    }
    if sender.is_forwarded && !open && !server.auth.is_on() {
        return Err(forbidden(
            "the request came through a proxy, and there is no access control; set server.auth, or server.unsafe_listen if everyone who reaches the proxy may see and change everything",
        ));
    }
    Ok(sender)
}

/// Who asks, if anyone must say so, and that it is enough for the route.
async fn admitted(
    api: &Api,
    headers: &HeaderMap,
    is_routed: bool,
    row: Row,
    sender: &Sender,
    now: Timestamp,
) -> Result<Option<Identity>, Refusal> {
    if is_routed && row == Row::Missing {
        return Err(forbidden("nobody may ask this route: it has no role yet").into());
    }
    if !api.entrance.is_required() || row == Row::Least(Least::Public) {
        return Ok(None);
    }
    let identity = identify(api, headers, sender, now).await?;
    match row {
        Row::Least(Least::Role(least)) if identity.role < least => {
            let why = format!(
                "this needs the role {least}; {} is {}",
                identity.name, identity.role
            );
            Err(Refusal {
                by: Some(identity),
                ..forbidden(why).into()
            })
        }
        _ => Ok(Some(identity)),
    }
}

/// By a token, else by a session.
async fn identify(
    api: &Api,
    headers: &HeaderMap,
    sender: &Sender,
    now: Timestamp,
) -> Result<Identity, Refusal> {
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let token = given.to_str().ok().and_then(bearer);
        let found = api
            .entrance
            .by_token(token.unwrap_or_default(), sender.address, now);
        return found.map_err(|refused| refusal(&refused));
    }
    if let Some(token) = session_token(headers)
        && let Some(identity) = api.entrance.by_session(token, now).await
    {
        return Ok(identity);
    }
    Err(unauthorized("log in, or send a token as Authorization: Bearer").into())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The token of the session cookie.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// An answer to whoever isn't let in.
pub fn refusal(refused: &Refused) -> Refusal {
    match refused {
        Refused::Wrong => unauthorized("name, password or token is wrong").into(),
        Refused::Wait(wait) => Refusal {
            problem: Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many failures")
                .detail("too many wrong names, passwords or tokens came from this address"),
            retry_after: Some(wait.as_secs().max(1)),
            by: None,
        },
        Refused::Busy => Refusal {
            problem: Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy")
                .detail("too many log-ins at the same time"),
            retry_after: Some(1),
            by: None,
        },
        Refused::Random(error) => Problem::internal("logging in", error).into(),
        Refused::Database(error) => Problem::internal("logging in", error).into(),
    }
}

/// A refusal with what goes beside it.
pub struct Refusal {
    problem: Problem,
    /// Seconds.
    retry_after: Option<u64>,
    /// Who was refused, where that is known.
    by: Option<Identity>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal {
            problem,
            retry_after: None,
            by: None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(identity) = self.by {
            response.extensions_mut().insert(identity);
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"bellwether\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The proof that a change comes from our own page or from no page at all; a token is proof enough.
fn check_change(headers: &HeaderMap, sender: &Sender, by_token: bool) -> Result<(), Refusal> {
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

/// Hands the verified name on, in place of whatever the request said.
fn name_operator(request: &mut Request, identity: Option<&Identity>) {
    request.headers_mut().remove(OPERATOR);
    if let Some(identity) = identity {
        let name = HeaderValue::from_str(&identity.name);
        let name = name.expect("names are letters, digits and ._-@+");
        request.headers_mut().insert(OPERATOR, name);
        request.extensions_mut().insert(identity.clone());
    }
}

/// Reads the body, so that one too large or too slow is refused before any work begins.
async fn with_whole_body(request: Request) -> Result<Request, Problem> {
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large")
            .detail(format!("a body may have {BODY_BYTES_MAX} bytes"))
    };
    let said = request.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let (head, body) = request.into_parts();
    let read = async {
        let mut whole = Vec::new();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Problem::bad_request("the body is broken"))?;
            if whole.len() + piece.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Bytes::from(whole))
    };
    let slow = |_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body too slow")
            .detail("the body did not arrive within 30 seconds")
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, read)
        .await
        .map_err(slow)??;
    Ok(Request::from_parts(head, Body::from(body)))
}

fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized").detail(detail)
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
