//! Logging in and out, and who one is.

use access::Identity;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use domain::{Actor, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::audit::TriedName;
use super::guard::{COOKIE, Sender, refusal, session_token};
use super::incidents::actor;
use super::openapi::{Time, words};
use super::parameters::object;
use super::problem::Problem;
use crate::clock;

words! {
    /// What somebody may do; each role may do all that the ones before it may.
    RoleWord: "viewer", "operator", "admin";
    /// Whether anyone must show who they are.
    AuthWord: "none", "required";
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    name: String,
    password: String,
}

/// A session that began; the cookie goes with every request from now on.
#[derive(Serialize, ToSchema)]
pub struct LoginView {
    name: String,
    #[schema(value_type = RoleWord)]
    role: &'static str,
    /// When it ends unless it is used; each use puts that off, up to `server.auth.session_lifetime`.
    #[schema(value_type = Time)]
    expires_ts: Timestamp,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub struct MeView {
    /// Without access control the name given as `X-Operator`; null: none.
    name: Option<String>,
    #[schema(value_type = RoleWord)]
    role: &'static str,
    /// Whether the name was proved.
    verified: bool,
    #[schema(value_type = AuthWord)]
    auth: &'static str,
}

/// Begins a session: sets the cookie `bellwether_session`.
///
/// An unknown name is answered like a wrong password. The fifth failure makes one wait, each
/// further one twice as long.
#[utoipa::path(post, path = "/api/v1/login", tag = "access", request_body = LoginBody, responses(
    (status = 200, description = "Logged in.", body = LoginView),
    (status = 401, description = "Name or password is wrong.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "There is no access control, so nobody logs in.", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "The body isn't JSON.", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many failures; Retry-After says how many seconds to wait.", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Too many log-ins at the same time.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn login(
    State(api): State<Api>,
    Extension(sender): Extension<Sender>,
    body: Bytes,
) -> Result<Response, Response> {
    if !api.entrance.is_required() {
        let problem = Problem::new(StatusCode::CONFLICT, "no access control")
            .detail("there is no access control: nobody needs to log in");
        return Err(problem.into_response());
    }
    // What is wrong with the body isn't repeated: it may hold the password.
    let body: LoginBody = object(&body).map_err(|_| {
        Problem::bad_request(r#"the body must be like {"name": "kim", "password": "…"}"#)
            .into_response()
    })?;
    let now = clock::now();
    let logged_in = api
        .entrance
        .log_in(&body.name, body.password, sender.address, now)
        .await;
    let logged_in = logged_in.map_err(|refused| {
        let mut response = refusal(&refused).into_response();
        response.extensions_mut().insert(TriedName(body.name));
        response
    })?;
    let config = api.config();
    let cookie = cookie(
        &logged_in.token,
        &config.server.base_path,
        config.server.auth.session_lifetime.as_secs(),
        sender.is_https,
    );
    let view = LoginView {
        name: logged_in.identity.name.clone(),
        role: logged_in.identity.role.as_str(),
        expires_ts: logged_in.expires,
    };
    let mut response = Json(view).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.extensions_mut().insert(logged_in.identity);
    Ok(response)
}

/// Ends the session of the cookie. Without one nothing happens.
#[utoipa::path(post, path = "/api/v1/logout", tag = "access", responses(
    (status = 204, description = "There is no session any more."),
))]
pub async fn logout(
    State(api): State<Api>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = session_token(&headers) {
        api.entrance.log_out(token).await;
    }
    let config = api.config();
    let gone = cookie("", &config.server.base_path, 0, sender.is_https);
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "access", responses(
    (status = 200, description = "The one who asks.", body = MeView),
))]
pub async fn me(
    State(api): State<Api>,
    identity: Option<Extension<Identity>>,
    headers: HeaderMap,
) -> Json<MeView> {
    Json(match identity {
        Some(Extension(identity)) => MeView {
            name: Some(identity.name),
            role: identity.role.as_str(),
            verified: true,
            auth: "required",
        },
        None => MeView {
            name: match actor(&api, &headers) {
                Actor::Unverified(name) if name != "anonymous" => Some(name),
                _ => None,
            },
            // Whoever comes in may do everything.
            role: access::Role::Admin.as_str(),
            verified: false,
            auth: "none",
        },
    })
}

fn cookie(token: &str, base_path: &str, seconds: u64, is_https: bool) -> http::HeaderValue {
    let path = if base_path.is_empty() { "/" } else { base_path };
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&text).expect("tokens are digits, and base paths are checked")
}
