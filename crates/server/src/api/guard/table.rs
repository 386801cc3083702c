//! The one table of routes, methods and roles. What isn't in it is answered to nobody.

use access::Role;
use axum::http::Method;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// Anyone, without showing who they are.
    Public,
    /// This role, or one that may do more.
    Role(Role),
}

const PUBLIC: Least = Least::Public;
const VIEWER: Least = Least::Role(Role::Viewer);
const OPERATOR: Least = Least::Role(Role::Operator);
const ADMIN: Least = Least::Role(Role::Admin);

/// Method, path as it is routed, and who may. HEAD is as GET.
#[rustfmt::skip]
pub const ROUTES: &[(&str, &str, Least)] = &[
    ("GET", "/healthz", PUBLIC),
    ("GET", "/readyz", PUBLIC),
    ("POST", "/api/v1/login", PUBLIC),
    ("GET", "/", PUBLIC),
    ("GET", "/ui", PUBLIC),
    ("GET", "/ui/", PUBLIC),
    ("GET", "/ui/{*path}", PUBLIC),
    ("GET", "/services", VIEWER),
    ("GET", "/metrics", VIEWER),
    ("GET", "/logs", VIEWER),
    ("GET", "/api/v1/logs", VIEWER),
    ("GET", "/api/v1/logs/patterns", VIEWER),
    ("GET", "/api/v1/status", VIEWER),
    ("GET", "/api/v1/jobs", VIEWER),
    ("GET", "/api/v1/jobs/{id}", VIEWER),
    ("GET", "/api/v1/incidents", VIEWER),
    ("GET", "/api/v1/incidents/{id}", VIEWER),
    ("GET", "/api/v1/events", VIEWER),
    ("GET", "/api/v1/decisions", VIEWER),
    ("GET", "/api/v1/stream", VIEWER),
    ("GET", "/api/v1/series", VIEWER),
    ("GET", "/api/v1/sparklines", VIEWER),
    ("GET", "/api/v1/catalogue", VIEWER),
    ("GET", "/api/v1/findings", VIEWER),
    ("GET", "/api/v1/models", VIEWER),
    ("GET", "/api/v1/datasets", VIEWER),
    ("GET", "/api/v1/datasets/rows", VIEWER),
    ("GET", "/api/v1/datasets/download", VIEWER),
    ("GET", "/api/v1/config", VIEWER),
    ("GET", "/api/v1/mutes", VIEWER),
    ("GET", "/api/v1/shadow", VIEWER),
    ("GET", "/api/v1/notices", VIEWER),
    ("GET", "/api/v1/receivers", VIEWER),
    ("GET", "/api/v1/openapi.json", VIEWER),
    ("GET", "/api/v1/docs", VIEWER),
    ("GET", "/api/v1/docs/{file}", VIEWER),
    ("GET", "/api/v1/me", VIEWER),
    ("POST", "/api/v1/logout", VIEWER),
    ("GET", "/prometheus/api/v1/query", VIEWER),
    ("POST", "/prometheus/api/v1/query", VIEWER),
    ("GET", "/prometheus/api/v1/query_range", VIEWER),
    ("POST", "/prometheus/api/v1/query_range", VIEWER),
    ("GET", "/prometheus/api/v1/series", VIEWER),
    ("POST", "/prometheus/api/v1/series", VIEWER),
    ("GET", "/prometheus/api/v1/labels", VIEWER),
    ("POST", "/prometheus/api/v1/labels", VIEWER),
    ("GET", "/prometheus/api/v1/label/{name}/values", VIEWER),
    ("GET", "/prometheus/api/v1/metadata", VIEWER),
    ("GET", "/prometheus/api/v1/status/buildinfo", VIEWER),
    ("POST", "/retrain", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/ack", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/resolve", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/reopen", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/assign", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/snooze", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/comment", OPERATOR),
    ("POST", "/api/v1/incidents/{id}/severity", OPERATOR),
    ("POST", "/api/v1/incidents/bulk", OPERATOR),
    ("POST", "/api/v1/events", OPERATOR),
    ("POST", "/api/v1/mutes", OPERATOR),
    ("DELETE", "/api/v1/mutes/{id}", OPERATOR),
    ("POST", "/api/v1/shadow", ADMIN),
    ("POST", "/-/reload", ADMIN),
    ("GET", "/api/v1/audit", ADMIN),
];

/// What the table says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    Least(Least),
    /// The path has other methods.
    OtherMethod,
    /// Not even the path is there.
    Missing,
}

/// The row of a method and a path as it is routed.
pub fn row(method: &Method, path: &str) -> Row {
    let method = match *method {
        Method::HEAD => "GET",
        ref method => method.as_str(),
    };
    let mut of_path = ROUTES.iter().filter(|route| route.1 == path).peekable();
    if of_path.peek().is_none() {
        return Row::Missing;
    }
    of_path
        .find(|route| route.0 == method)
        .map_or(Row::OtherMethod, |route| Row::Least(route.2))
}

/// The table as Markdown, for `docs/access.md`.
#[cfg(test)]
pub fn markdown() -> String {
    let mut text = "| method | route | least role |\n| --- | --- | --- |\n".to_owned();
    for (method, path, least) in ROUTES {
        let role = match least {
            Least::Public => "anyone",
            Least::Role(role) => role.as_str(),
        };
        text.push_str(&format!("| {method} | `{path}` | {role} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_described_route_has_one_row() {
        let rows: BTreeSet<(&str, &str)> = ROUTES.iter().map(|r| (r.0, r.1)).collect();
        assert_eq!(rows.len(), ROUTES.len(), "no row twice");
        let (_, document) = super::super::super::described();
        let document = serde_json::to_value(document).unwrap();
        let paths = document["paths"].as_object().unwrap();
        for (path, item) in paths {
            for method in item.as_object().unwrap().keys() {
                let method = method.to_uppercase();
                assert!(
                    rows.contains(&(method.as_str(), path.as_str())),
                    "{method} {path} has no row in api/guard/table.rs: nobody could ask it"
                );
            }
        }
    }

    #[test]
    fn changes_need_an_operator_but_for_logging_in_and_out_and_queries() {
        for (method, path, least) in ROUTES {
            let changes = !matches!(*method, "GET") && !path.starts_with("/prometheus/");
            if changes && !path.ends_with("/login") && !path.ends_with("/logout") {
                assert!(
                    matches!(least, Least::Role(role) if *role >= Role::Operator),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn head_is_as_get_and_the_rest_is_told_apart() {
        assert_eq!(row(&Method::HEAD, "/services"), Row::Least(VIEWER));
        assert_eq!(row(&Method::POST, "/services"), Row::OtherMethod);
        assert_eq!(row(&Method::GET, "/nowhere"), Row::Missing);
    }

    /// Run with `UPDATE_DOCS=1` to write it anew.
    #[test]
    fn the_documented_table_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = text.split_once("<!-- routes -->\n").unwrap();
        let (written, tail) = rest.split_once("<!-- end of routes -->").unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let whole = format!(
                "{head}<!-- routes -->\n{}<!-- end of routes -->{tail}",
                markdown()
            );
            std::fs::write(&path, whole).unwrap();
        } else {
            assert_eq!(written, markdown(), "run this test with UPDATE_DOCS=1");
        }
    }
}
