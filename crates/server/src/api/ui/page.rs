//! The one page, `index.html`, with what is put into it: where it is served, and a nonce by which
//! styles that its script makes are its own. The nonce is another one in each answer.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::api::problem::Problem;

/// What the page says in their place.
const BASE: &str = "<base href=\"/ui/\"";
const NONCE: &str = "nonce=\"\"";
const NONCE_BYTES: usize = 16;

/// The page, cut where something is put in.
pub struct Page {
    /// With the base in it.
    head: String,
    tail: String,
}

impl Page {
    /// The page below a base path (checked: letters, digits, `-._~` and slashes); none if it has no
    /// place for one of both.
    pub fn of(base: &str, html: &str) -> Option<Page> {
        let (start, rest) = html.split_once(BASE)?;
        let (between, tail) = rest.split_once(NONCE)?;
        Some(Page {
            head: format!("{start}<base href=\"{base}{}\"{between}", super::AT),
            tail: tail.to_owned(),
        })
    }

    pub fn answer(&self) -> Result<Response, Problem> {
        let nonce = nonce()?;
        let policy = HeaderValue::from_str(&policy(&nonce));
        let policy = policy.map_err(|error| Problem::internal("writing the policy", &error))?;
        let about = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("same-origin"),
            ),
        ];
        let Page { head, tail } = self;
        Ok((about, format!("{head}nonce=\"{nonce}\"{tail}")).into_response())
    }
}

fn nonce() -> Result<String, Problem> {
    let mut bytes = [0; NONCE_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal("making a nonce", &error))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Nothing from elsewhere, no script but its own files, no style but those and what they make.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}
