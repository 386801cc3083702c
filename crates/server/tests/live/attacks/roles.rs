//! S05: the whole table of routes × methods × roles, as `docs/access.md` has it, against the
//! running binary with access control.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use access::Role;

use super::{Attack, World, attack};
use crate::harness::{figure, folder};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"];

/// Somebody who may come in.
pub struct Caller {
    /// None: nobody has shown who they are.
    pub role: Option<Role>,
    pub header: String,
}

/// Writes files of users and tokens; gives the setting, and a caller for each role and nobody.
pub fn people(folder: &Path) -> (String, Vec<Caller>) {
    let mut users = String::new();
    let mut tokens = String::new();
    let mut callers = vec![Caller {
        role: None,
        header: "X-Operator: root".to_owned(),
    }];
    for role in Role::ALL {
        let password = format!("hunter2-{role}");
        let line = access::new_password_line(&format!("user-{role}"), role, &password).unwrap();
        users.push_str(&format!("{line}\n"));
        let (token, line) = access::new_token(&format!("token-{role}"), role).unwrap();
        tokens.push_str(&format!("{line}\n"));
        callers.push(Caller {
            role: Some(role),
            header: format!("Authorization: Bearer {token}"),
        });
    }
    fs::write(folder.join("users"), users).unwrap();
    fs::write(folder.join("tokens"), tokens).unwrap();
    let shown = folder.display();
    let setting = format!("auth: {{ users_file: {shown}/users, tokens_file: {shown}/tokens }}");
    (setting, callers)
}

/// Route → method → least role; none: anyone.
type Table = BTreeMap<String, BTreeMap<String, Option<Role>>>;

fn documented() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let text = fs::read_to_string(path).unwrap();
    let table = text.split("<!-- routes -->").nth(1).unwrap();
    let table = table.split("<!-- end of routes -->").next().unwrap();
    let mut found = Table::new();
    for line in table.lines().filter(|line| line.contains('`')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let role = cells[3].parse().ok();
        let route = cells[2].trim_matches('`').to_owned();
        let methods = found.entry(route).or_default();
        methods.insert(cells[1].to_owned(), role);
    }
    found
}

/// What a caller must get; the ranges are those of whoever is let through.
fn expected(
    methods: &BTreeMap<String, Option<Role>>,
    method: &str,
    caller: &Caller,
) -> &'static [u16] {
    const THROUGH: &[u16] = &[200, 201, 202, 204, 308, 400, 404, 409, 415, 503];
    match (methods.get(method), caller.role) {
        (Some(None), _) => THROUGH,
        (_, None) => &[401],
        (Some(Some(least)), Some(role)) if role < *least => &[403],
        (Some(Some(_)), Some(_)) => THROUGH,
        (None, Some(_)) => &[405],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_and_method_is_answered_to_the_documented_roles_only() {
    let files = folder();
    let (setting, callers) = people(files.path());
    let world = World::with(&format!("server: {{ {setting} }}")).await;
    let table = documented();
    assert!(table.len() >= 30, "{table:?}");
    // A session ends by logging out, and a body may be missing: neither matters here.
    for (route, methods) in &table {
        let path = route.replace("{id}", "1").replace("{name}", "job");
        for method in METHODS {
            for caller in &callers {
                let line = format!("{method} {path}");
                let expected = expected(methods, method, caller);
                let tried: Attack = attack("S05", &line, &[&caller.header], "", expected);
                let answer = world.try_on(&tried).await;
                if answer.status == 401 {
                    let challenge = answer.header("www-authenticate");
                    assert_eq!(challenge, Some("bearer realm=\"bellwether\""), "{line}");
                }
            }
        }
    }
    for caller in &callers {
        let expected: &[u16] = if caller.role.is_some() {
            &[404]
        } else {
            &[401]
        };
        for path in [
            "/nowhere",
            "/../etc/passwd",
            "/api/v1/nothing",
            "/%2e%2e/healthz",
        ] {
            let line = format!("GET {path}");
            let tried = attack("S05", &line, &[&caller.header], "", expected);
            world.try_on(&tried).await;
        }
    }
    let sent = world.stands();
    figure(
        "api 2",
        "routes × methods × roles as documented",
        sent,
        "all",
        true,
    );
}
