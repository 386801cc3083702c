//! Parameters that a route does not know are refused: a name with a typo would else be answered as
//! if nothing had been asked. What a route knows is what its description says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{OpenApi, RefOr};

use super::openapi::operations;
use super::problem::Problem;
use super::visible;

/// A Prometheus ignores what it doesn't know, and clients of several generations rely on that.
const LENIENT: &str = "/prometheus/";

/// The query parameters of each route, by method in small letters and path.
pub struct Vocabulary(BTreeMap<(&'static str, String), BTreeSet<String>>);

impl Vocabulary {
    pub fn of(document: &OpenApi) -> Vocabulary {
        let mut known = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                let given = operation.parameters.iter().flatten();
                let names = given.filter_map(|parameter| match parameter {
                    RefOr::T(it) if it.parameter_in == ParameterIn::Query => Some(it.name.clone()),
                    _ => None,
                });
                known.insert((method, path.clone()), names.collect());
            }
        }
        Vocabulary(known)
    }

    fn refusal(&self, request: &Request) -> Option<Problem> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let query = request.uri().query().filter(|query| !query.is_empty())?;
        let method = match *request.method() {
            Method::GET | Method::HEAD => "get",
            Method::POST => "post",
            Method::PUT => "put",
            Method::DELETE => "delete",
            _ => return None,
        };
        let names = self.0.get(&(method, path.to_owned()))?;
        if path.starts_with(LENIENT) {
            return None;
        }
        let given = match Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
            Ok(Query(given)) => given,
            Err(error) => {
                let query = visible(query);
                return Some(Problem::bad_request(format!("the query {query}: {error}")));
            }
        };
        let (unknown, _) = given.iter().find(|(name, _)| !names.contains(name))?;
        let takes = if names.is_empty() {
            "none".to_owned()
        } else {
            names.iter().cloned().collect::<Vec<_>>().join(", ")
        };
        Some(Problem::bad_request(format!(
            "{path} has no parameter {}; it takes {takes}",
            visible(unknown)
        )))
    }
}

/// Refuses a request with a parameter that its route doesn't know.
pub async fn check(State(known): State<Arc<Vocabulary>>, request: Request, next: Next) -> Response {
    match known.refusal(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn check(query: &str, expected: StatusCode) {
        let (_, document) = super::super::described();
        let known = Arc::new(Vocabulary::of(&document));
        let answer = || async { "answered" };
        let router: Router = Router::new()
            .route("/services", get(answer))
            .route("/metrics", get(answer))
            .route("/prometheus/api/v1/query", get(answer))
            .layer(from_fn_with_state(known, super::check));
        let request = Request::get(query).body(Body::empty()).unwrap();
        let answered = router.oneshot(request).await.unwrap();
        assert_eq!(answered.status(), expected, "{query}");
    }

    #[tokio::test]
    async fn parameters_that_a_route_does_not_know_are_refused() {
        check("/services", StatusCode::OK).await;
        check("/services?", StatusCode::OK).await;
        check("/services?service=a", StatusCode::BAD_REQUEST).await;
        check("/metrics?service=payments", StatusCode::OK).await;
        check("/metrics?ser%76ice=payments", StatusCode::OK).await;
        check("/metrics?servce=payments", StatusCode::BAD_REQUEST).await;
        check("/metrics?service=a&_=1", StatusCode::BAD_REQUEST).await;
    }

    #[tokio::test]
    async fn the_routes_of_prometheus_ignore_what_they_do_not_know() {
        check(
            "/prometheus/api/v1/query?query=up&stats=all",
            StatusCode::OK,
        )
        .await;
    }
}
