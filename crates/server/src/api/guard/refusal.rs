//! Answers to those who aren't let in.

use access::Identity;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::problem::Problem;
use crate::entrance::Refused;

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

impl Refusal {
    /// Of somebody who is known.
    pub fn of(self, by: Option<Identity>) -> Refusal {
        Refusal { by, ..self }
    }
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

pub fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized").detail(detail)
}

pub fn forbidden(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden").detail(detail)
}
