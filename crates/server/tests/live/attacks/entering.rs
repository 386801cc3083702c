//! Attacks on who comes in: log-ins, sessions, tokens, proxies, and starting without a guard.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::roles::people;
use super::{Answer, World, attack, request};
use crate::harness::{figure, folder, free_port, until};

const JSON: &str = "Content-Type: application/json";

impl World {
    async fn log_in(&self, name: &str, password: &str, headers: &[&str]) -> Answer {
        let body = json!({ "name": name, "password": password }).to_string();
        let headers = [&[JSON], headers].concat();
        self.send(&request("POST /api/v1/login", &headers, &body))
            .await
    }

    async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.send(&request(&format!("GET {path}"), headers, ""))
            .await
    }
}

/// The cookie as it is sent back.
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").expect("a cookie");
    format!("Cookie: {}", set.split(';').next().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_with_a_password_and_end_when_they_should() {
    let files = folder();
    let (setting, callers) = people(files.path());
    let mut world = World::with(&format!("server: {{ {setting} }}")).await;
    let answer = world.log_in("user-operator", "hunter2-operator", &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["role"], "operator");
    let set = answer.header("set-cookie").unwrap();
    for part in ["path=/;", "httponly", "samesite=strict", "max-age=604800"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("secure"), "{set}");
    let cookie = cookie(&answer);
    let me = world.get("/api/v1/me", &[&cookie]).await.json();
    assert_eq!(
        me,
        json!({ "name": "user-operator", "role": "operator", "verified": true, "auth": "required" })
    );

    // S06: the cookie alone is no proof that our own page asks.
    for proof in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        for path in [
            "/retrain",
            "/api/v1/incidents/1/ack",
            "/api/v1/logout",
            "/api/v1/events",
        ] {
            let line = format!("POST {path}");
            world
                .try_on(&attack("S06", &line, &[&cookie, proof], "", &[403]))
                .await;
        }
        world
            .try_on(&attack(
                "S06",
                "POST /api/v1/login",
                &[JSON, proof],
                "{}",
                &[403],
            ))
            .await;
    }
    let plain = "Content-Type: text/plain";
    world
        .try_on(&attack(
            "S06",
            "POST /retrain",
            &[&cookie, plain],
            "{}",
            &[415],
        ))
        .await;
    let own = [
        "Origin: http://127.0.0.1",
        "Sec-Fetch-Site: same-origin",
        &cookie,
    ];
    let comment = [&own[..], &[JSON]].concat();
    let body = r#"{"note": "mine"}"#;
    let commented = attack(
        "S06",
        "POST /api/v1/incidents/1/comment",
        &comment,
        body,
        &[200, 404],
    );
    let commented = world.try_on(&commented).await;
    if commented.status == 200 {
        // The name is the verified one, whatever the request says.
        let timeline = commented.json()["timeline"].to_string();
        assert!(timeline.contains("\"user-operator\""), "{timeline}");
    }

    // A restart ends no session; a change of the file does.
    let config = std::fs::read_to_string(world.dir.path().join("bellwether.yaml")).unwrap();
    let config: Vec<&str> = config
        .lines()
        .filter(|line| !line.starts_with("listen:") && !line.starts_with("data_dir:"))
        .collect();
    world.bellwether.kill_and_restart(&config.join("\n")).await;
    assert_eq!(world.get("/api/v1/me", &[&cookie]).await.status, 200);
    let users = std::fs::read_to_string(files.path().join("users")).unwrap();
    let without: Vec<&str> = users
        .lines()
        .filter(|line| !line.starts_with("user-operator"))
        .collect();
    std::fs::write(files.path().join("users"), without.join("\n")).unwrap();
    until(
        "the end of the session",
        Duration::from_secs(10),
        || async { (world.get("/api/v1/me", &[&cookie]).await.status == 401).then_some(()) },
    )
    .await;
    std::fs::write(files.path().join("users"), "kim:viewer:broken\n").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let admin = &callers[3].header;
    assert_eq!(
        world.get("/api/v1/me", &[admin]).await.status,
        200,
        "a broken file changes nothing"
    );

    // Logging out ends it, too.
    let answer = world.log_in("user-viewer", "hunter2-viewer", &[]).await;
    let cookie = self::cookie(&answer);
    let out = world
        .send(&request("POST /api/v1/logout", &[&cookie], ""))
        .await;
    assert_eq!(out.status, 204, "{out:?}");
    world
        .try_on(&attack("S05", "GET /services", &[&cookie], "", &[401]))
        .await;
    audit_has_it(&world, admin).await;
    world.stands();
}

/// S25: who changed what, also what was refused.
async fn audit_has_it(world: &World, admin: &str) {
    let page = world.get("/api/v1/audit?limit=1000", &[admin]).await.json();
    let items = page["items"].as_array().unwrap();
    let has = |actor: &str, verified: bool, action: &str, status: u64| {
        let found = items.iter().any(|item: &Value| {
            item["actor"] == actor
                && item["verified"] == verified
                && item["action"] == action
                && item["status"] == status
                && item["address"] == "127.0.0.1"
        });
        assert!(found, "no {actor} {action} {status} in {page}");
    };
    has("user-operator", true, "POST /api/v1/login", 200);
    has("user-operator", true, "POST /retrain", 403);
    has("user-operator", true, "POST /retrain", 415);
    has("user-viewer", true, "POST /api/v1/logout", 204);
    has("anonymous", false, "POST /api/v1/login", 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_and_learns_nothing() {
    let files = folder();
    let (setting, callers) = people(files.path());
    let server =
        format!("server: {{ {setting}, trusted_proxies: [127.0.0.1], hosts: [ops.example] }}");
    let world = World::with(&server).await;
    let from = |address: &str| format!("X-Forwarded-For: {address}");

    // S20: an unknown name can't be told from a wrong password.
    let known = world
        .log_in("user-admin", "wrong", &[&from("192.0.2.1")])
        .await;
    let unknown = world.log_in("nobody", "wrong", &[&from("192.0.2.2")]).await;
    assert_eq!((known.status, &known.body), (401, &unknown.body));
    assert_eq!(unknown.status, 401);

    // The fifth wrong one makes one wait, for the right one as well.
    let client = from("192.0.2.3");
    for _ in 0..5 {
        assert_eq!(
            world.log_in("user-admin", "wrong", &[&client]).await.status,
            401
        );
    }
    let locked = world
        .log_in("user-admin", "hunter2-admin", &[&client])
        .await;
    assert_eq!(locked.status, 429, "{locked:?}");
    let wait: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let elsewhere = world
        .log_in("user-admin", "hunter2-admin", &[&from("192.0.2.4")])
        .await;
    assert_eq!(elsewhere.status, 200, "{elsewhere:?}");
    // What a client says of itself behind the last proxy isn't believed.
    let spoofed = format!("X-Forwarded-For: 10.9.8.7, {}", "192.0.2.3");
    assert_eq!(
        world
            .log_in("user-admin", "hunter2-admin", &[&spoofed])
            .await
            .status,
        429
    );

    // A thousand wrong tokens: five answers, then waiting; a right one comes in all the same.
    let client = from("192.0.2.5");
    let mut refused = 0;
    for n in 0..1_000 {
        let token = format!("Authorization: Bearer bw_{n:064x}");
        let answer = world.get("/services", &[&token, &client]).await;
        match answer.status {
            401 => refused += 1,
            status => assert_eq!(status, 429, "{answer:?}"),
        }
    }
    assert!(refused <= 6, "{refused}");
    assert_eq!(
        world
            .get("/services", &[&callers[1].header, &client])
            .await
            .status,
        200
    );
    figure(
        "api 2",
        "of 1,000 wrong tokens answered otherwise than by 429",
        refused,
        "at most 6",
        refused <= 6,
    );

    // S05, S17: what is no token, and no log-in.
    for header in [
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: Basic YTpi",
        "Authorization: bw_0",
        "Authorization: Bearer ' OR 1=1",
        "Cookie: bellwether_session=0",
        "Cookie: bellwether_session=",
        "Cookie: bellwether_session=../../x",
        "X-Operator: user-admin",
        "X-Forwarded-User: user-admin",
        "Remote-User: user-admin",
    ] {
        world
            .try_on(&attack(
                "S05",
                "GET /services",
                &[header, &from("192.0.2.6")],
                "",
                &[401, 429],
            ))
            .await;
    }
    for body in [
        "{}",
        "[]",
        r#"{"name": "a"}"#,
        r#"{"name": "a", "password": 1}"#,
        r#"{"name": "a", "password": "b", "role": "admin"}"#,
        r#"{"name": ["a"], "password": "b"}"#,
        r#"{"name": "hunter2-name", "password": "b"#,
    ] {
        let tried = attack(
            "S17",
            "POST /api/v1/login",
            &[JSON, &from("192.0.2.7")],
            body,
            &[400],
        );
        world.try_on(&tried).await;
    }
    for name in [
        "",
        "user-admin\\u0000",
        "USER-ADMIN",
        "user-admin ",
        "user-admin:admin",
    ] {
        let body = format!(r#"{{"name": "{name}", "password": "hunter2-admin"}}"#);
        let tried = attack(
            "S20",
            "POST /api/v1/login",
            &[JSON, &from("192.0.2.8")],
            &body,
            &[401, 429],
        );
        world.try_on(&tried).await;
    }

    // Behind the proxy: names, https.
    let forwarded = [
        "X-Forwarded-Host: ops.example",
        "X-Forwarded-Proto: https",
        "Origin: https://ops.example",
    ];
    let answer = world
        .log_in("user-viewer", "hunter2-viewer", &forwarded)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.header("set-cookie").unwrap().ends_with("; secure"),
        "{answer:?}"
    );
    let evil = ["X-Forwarded-Host: evil.example"];
    world
        .try_on(&attack("S08", "GET /healthz", &evil, "", &[403]))
        .await;
    let ready = world.get("/readyz", &[]).await.json();
    assert_eq!(ready["reasons"], json!([]));
    world.stands();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_lies_below_the_base_path_and_nothing_beside_it() {
    let files = folder();
    let (setting, callers) = people(files.path());
    let server = format!("server: {{ {setting}, base_path: /bell }}");
    // Nothing answers at the top, so the harness can't wait for it.
    let dir = folder();
    let config = format!(
        "prometheus: {{ url: 'http://127.0.0.1:{}' }}\n{server}",
        free_port()
    );
    let bellwether = crate::harness::Bellwether::spawned(dir.path(), &config);
    let url = format!("{}/bell/healthz", bellwether.url);
    let client = crate::harness::client();
    until(
        "Bellwether below its base path",
        Duration::from_secs(30),
        || async {
            client
                .get(&url)
                .send()
                .await
                .ok()
                .filter(|answer| answer.status().is_success())
        },
    )
    .await;
    let ask = |method: &str, path: &str| {
        let method = method.parse().unwrap();
        let request = client.request(method, format!("{}{path}", bellwether.url));
        let (name, value) = callers[3].header.split_once(": ").unwrap();
        let request = request.header(name, value);
        async move { request.send().await.unwrap() }
    };
    for (path, status) in [
        ("/bell", 200),
        ("/bell/", 200),
        // The front page, which takes no parameter.
        ("/bell?x=1", 400),
        ("/bell/api/v1/status", 200),
        ("/bell/ui", 308),
        ("/ui/", 404),
        ("/healthz", 404),
        ("/api/v1/status", 404),
        ("/", 404),
        ("/bells/healthz", 404),
        ("/bellhealthz", 404),
        ("/bell/bell/healthz", 404),
        ("/BELL/healthz", 404),
    ] {
        assert_eq!(ask("GET", path).await.status().as_u16(), status, "{path}");
    }
    let job = ask("POST", "/bell/retrain").await;
    let location = job.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("/bell/api/v1/jobs/"), "{location}");
    assert_eq!(ask("GET", &location).await.status(), 200);
}

#[test]
fn nothing_starts_open_unless_told_so() {
    let dir = folder();
    let port = free_port();
    for setting in [
        format!("listen=0.0.0.0:{port}"),
        format!("listen=[::]:{port}"),
        "server.trusted_proxies=127.0.0.1".to_owned(),
        "server.base_path=/x".to_owned(),
        "server.auth.users_file=missing".to_owned(),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_bellwether"))
            .args(["serve", "--set", &setting])
            .env_clear()
            .current_dir(dir.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{setting}: {error}");
        assert!(error.contains("server."), "{setting}: {error}");
        assert!(!dir.path().join("data").exists(), "{setting}");
    }
}

#[test]
fn the_command_line_makes_what_the_files_take() {
    use std::io::Write;
    use std::process::Stdio;
    let run = |arguments: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bellwether"))
            .arg("access")
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What refuses its arguments may have ended before it read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let output = run(
        &["password", "kim", "--role", "operator"],
        "correct horse\n",
    );
    assert!(output.status.success(), "{output:?}");
    let users = text(&output.stdout);
    let file = access::TextFile {
        name: "users",
        text: &users,
    };
    let directory = access::Directory::parse(Some(file), None).unwrap();
    let kim = directory.verify_password("kim", "correct horse").unwrap();
    assert_eq!(kim.role, access::Role::Operator);

    let output = run(&["token", "ci"], "");
    let tokens = text(&output.stdout);
    let file = access::TextFile {
        name: "tokens",
        text: &tokens,
    };
    let directory = access::Directory::parse(None, Some(file)).unwrap();
    let said = text(&output.stderr);
    let token = said.lines().last().unwrap();
    assert_eq!(directory.token(token).unwrap().role, access::Role::Viewer);

    for (arguments, input) in [
        (&["password", "a:b"][..], "correct horse"),
        (&["password", "kim"], "short"),
        (&["token", "kim", "--role", "root"], ""),
    ] {
        let output = run(arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
        assert!(output.stdout.is_empty());
    }
}
