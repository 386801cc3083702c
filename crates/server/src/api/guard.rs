//! Who may ask: names on the allow-list, whoever shows who they are with a role that suffices, and
//! changes only from the same origin. So curl works, and a foreign page in a browser doesn't.
//!
//! Denied by default: a route without a row in [`table`] is answered to nobody. Every change that
//! was asked for is in the audit trail before its answer is given.

mod body;
mod origin;
mod refusal;
mod sender;
mod table;

use std::net::{IpAddr, Ipv4Addr};

use access::{How, Identity};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;

use super::audit::{Change, Outcome};
use super::problem::Problem;
use super::{Api, visible};
use crate::clock;
use crate::listening::Peer;
use body::with_whole_body;
use origin::{allowed_hosts, check_change, host_name, is_allowed_host};
pub use refusal::{Refusal, refusal};
use refusal::{forbidden, unauthorized};
pub use sender::Sender;
use table::{Least, Row};

/// Where the embedded store is asked.
const QUERIES: &str = "/prometheus/api/v1/";
/// The cookie of a session.
pub const COOKIE: &str = "bellwether_session";
/// What a verified name is handed on in; with access control nobody else can set it.
pub const OPERATOR: &str = "x-operator";

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
            proof.map_err(|refusal| refusal.of(identity.clone()))?;
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
    if !is_allowed_host(name, config.listen.ip(), open, &allowed_hosts(server)) {
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
            Err(Refusal::from(forbidden(why)).of(Some(identity)))
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
