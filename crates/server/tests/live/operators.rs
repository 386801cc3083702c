//! What operators do, over HTTP: every action, repeated, stale and wrong; lists; rules; events.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::{Bellwether, client, folder, until};
use crate::knobs::scripted::{Scripted, now};

/// Levels far from any threshold; `zeta` is never touched.
const CALM: [(&str, f64); 6] = [
    ("alpha", 20.0),
    ("beta", 30.0),
    ("gamma", 40.0),
    ("delta", 50.0),
    ("epsilon", 25.0),
    ("zeta", 35.0),
];
const HIGH: f64 = 90.0;
const CRITICAL: f64 = 98.0;
/// Enough for any few ticks on a slow machine.
const SOON: Duration = Duration::from_secs(60);
const OPERATOR: &str = "mara";
const BY_OPERATOR: &str = "mara (unverified)";

fn config(prometheus: &Scripted, more: &str) -> String {
    format!(
        "prometheus: {{ url: '{}' }}\ntick: 1s\nevaluation_delay: 1s\n\
         decide: {{ open_after: 2s, critical_after: 8s, quiet_period: 5s, down_after: 4s }}\n{more}\n",
        prometheus.url
    )
}

async fn started(dir: &Path, config: &str) -> Bellwether {
    let bellwether = Bellwether::start(dir, config, &[]).await;
    until("the past and models", 2 * SOON, || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        let done = status["backfill"]["phase"] == "done";
        (done && status["models"] == CALM.len()).then_some(())
    })
    .await;
    bellwether
}

/// A person at the API.
struct Operator<'a> {
    bellwether: &'a Bellwether,
    client: Client,
}

/// An answer: the status, the entity tag, and the body.
struct Answer {
    status: u16,
    tag: String,
    body: Value,
}

impl<'a> Operator<'a> {
    fn at(bellwether: &'a Bellwether) -> Operator<'a> {
        Operator {
            bellwether,
            client: client(),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        tag: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let url = format!("{}{path}", self.bellwether.url);
        let mut request = self
            .client
            .request(method, url)
            .header("X-Operator", OPERATOR);
        if let Some(tag) = tag {
            request = request.header("If-Match", tag);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let tag = answer
            .headers()
            .get("etag")
            .and_then(|tag| tag.to_str().ok());
        let tag = tag.unwrap_or_default().to_owned();
        Answer {
            status: answer.status().as_u16(),
            tag,
            body: answer.json().await.expect("JSON"),
        }
    }

    async fn get(&self, id: u64) -> Answer {
        let path = format!("/api/v1/incidents/{id}");
        self.ask(Method::GET, &path, None, None).await
    }

    async fn act(&self, id: u64, action: &str, body: Value) -> Answer {
        let path = format!("/api/v1/incidents/{id}/{action}");
        self.ask(Method::POST, &path, None, Some(body)).await
    }

    /// Acts twice: the first is written down by name, the repeat answered and not written.
    async fn once(&self, id: u64, action: &str, body: Value, event: &str) -> Value {
        let before = own_entries(&self.get(id).await.body);
        let first = self.act(id, action, body.clone()).await;
        assert_eq!(first.status, 200, "{action}: {}", first.body);
        let entries = own_entries(&first.body);
        assert_eq!(entries.len(), before.len() + 1, "{action}: {}", first.body);
        let entry = entries.last().expect("one more than before");
        assert_eq!(entry["event"], event, "{entry}");
        if let Some(note) = body["note"].as_str() {
            assert!(
                entry["text"].as_str().expect("words").contains(note),
                "{entry}"
            );
        }
        let again = self.act(id, action, body).await;
        assert_eq!(again.status, 200, "{action} again: {}", again.body);
        assert_eq!(own_entries(&again.body), entries, "{action} again");
        assert_eq!(again.body["status"], first.body["status"]);
        again.body
    }

    async fn refused(
        &self,
        id: &str,
        action: &str,
        body: Option<Value>,
        (status, why): (u16, &str),
    ) {
        let path = format!("/api/v1/incidents/{id}/{action}");
        let answer = self.ask(Method::POST, &path, None, body.clone()).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{action} {body:?}: {}", answer.body);
        assert!(detail.contains(why), "{action} {body:?}: {detail}");
    }

    /// The newest incident of a service, once there is one that is newer than `than`.
    async fn incident_of(&self, service: &str, than: u64) -> Value {
        until(&format!("an incident of {service}"), SOON, || async {
            let incidents = self.bellwether.incidents().await;
            incidents
                .into_iter()
                .find(|i| i["service"] == service && i["id"].as_u64() > Some(than))
        })
        .await
    }

    /// Waits until an incident is so.
    async fn becomes(&self, id: u64, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        until(what, SOON, || async {
            let incident = self.get(id).await.body;
            is(&incident).then_some(incident)
        })
        .await
    }

    /// Every item of a list, page by page.
    async fn pages(&self, path: &str, query: &str, limit: usize) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{path}?limit={limit}&{query}{cursor}");
            let page = self.ask(Method::GET, &path, None, None).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            let page = page.body;
            let found = page["items"].as_array().expect("a list");
            assert!(found.len() <= limit, "{path}");
            items.extend(found.iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else {
                return items;
            };
            assert_eq!(found.len(), limit, "a page before the last is full");
            cursor = format!("&cursor={next}");
        }
    }
}

/// What the operator did, as the timeline has it.
fn own_entries(incident: &Value) -> Vec<Value> {
    let timeline = incident["timeline"].as_array().expect("a list");
    let own = timeline
        .iter()
        .filter(|entry| entry["actor"] == BY_OPERATOR);
    own.cloned().collect()
}

fn woke(incident: &Value, because: &str) -> bool {
    let timeline = incident["timeline"].as_array().expect("a list");
    let woke = |entry: &Value| {
        entry["event"] == "woke"
            && entry["text"]
                .as_str()
                .is_some_and(|text| text.contains(because))
    };
    incident["snoozed"].is_null() && timeline.iter().any(woke)
}

fn number(incident: &Value) -> u64 {
    incident["id"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_takes_effect_and_is_written_down_once() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(12 * 3_600)).await;
    let config = config(&prometheus, "");
    let mut bellwether = started(dir.path(), &config).await;
    prometheus.shift("alpha", HIGH);
    prometheus.shift("beta", CRITICAL);
    prometheus.vanish("gamma");
    prometheus.shift("delta", CRITICAL);

    let operator = Operator::at(&bellwether);
    let alpha = number(&operator.incident_of("alpha", 0).await);
    let beta = number(&operator.incident_of("beta", 0).await);
    assign_comment_and_severity(&operator, alpha).await;
    snoozes(&operator, &prometheus, alpha).await;
    statuses(&operator, alpha).await;
    tags(&operator, alpha).await;
    wrong(&operator, alpha).await;

    // The second time: the incident before is remembered.
    prometheus.shift("beta", 30.0);
    operator
        .becomes(beta, "the end of the trouble", |i| i["firing"] == false)
        .await;
    let note = json!({ "note": "more connections" });
    operator.once(beta, "resolve", note, "resolved").await;
    prometheus.shift("beta", CRITICAL);
    let again = number(&operator.incident_of("beta", beta).await);
    remembered(&operator, again, beta).await;

    let gamma = number(&operator.incident_of("gamma", 0).await);
    let delta = number(&operator.incident_of("delta", 0).await);
    let gone = decommissioned(&operator, gamma).await;
    let severity = json!({ "severity": "High", "note": "nobody is hurt" });
    operator
        .once(delta, "severity", severity, "severity_set")
        .await;
    let owner = json!({ "owner": "kim" });
    operator.once(delta, "assign", owner, "assigned").await;
    operator
        .once(delta, "snooze", json!({ "until": "change" }), "snoozed")
        .await;
    lists(&operator, [alpha, beta, again, gamma, delta]).await;

    bellwether.kill_and_restart(&config).await;
    let operator = Operator::at(&bellwether);
    forgotten(&operator, beta).await;
    stays_gone(&operator, gamma, gone).await;
    let after = operator.get(delta).await.body;
    assert_eq!(
        (&after["owner"], &after["severity"]),
        (&json!("kim"), &json!("High"))
    );
    assert_eq!(after["snoozed"]["by"], BY_OPERATOR);
}

async fn assign_comment_and_severity(operator: &Operator<'_>, id: u64) {
    let to_kim = json!({ "owner": "kim", "note": "knows it best" });
    let after = operator.once(id, "assign", to_kim, "assigned").await;
    assert_eq!(after["owner"], "kim");
    let after = operator
        .once(id, "assign", json!({ "owner": null }), "assigned")
        .await;
    assert_eq!(after["owner"], Value::Null);

    let before = own_entries(&operator.get(id).await.body).len();
    for _ in 0..2 {
        let said = operator
            .act(id, "comment", json!({ "note": "looking\nat it" }))
            .await;
        assert_eq!(said.status, 200, "{}", said.body);
    }
    let entries = own_entries(&operator.get(id).await.body);
    assert_eq!(
        entries.len(),
        before + 2,
        "a comment is no repeat of the one before"
    );
    assert_eq!(entries[before]["text"], "looking\nat it");

    let word = json!({ "severity": "Critical" });
    let after = operator.once(id, "severity", word, "severity_set").await;
    let of = |incident: &Value| {
        ["severity", "computed_severity", "severity_set"].map(|field| incident[field].clone())
    };
    assert_eq!(of(&after), [json!("Critical"), json!("High"), json!(true)]);
    let after = operator
        .once(id, "severity", json!({ "severity": null }), "severity_set")
        .await;
    assert_eq!(of(&after), [json!("High"), json!("High"), json!(false)]);
}

async fn snoozes(operator: &Operator<'_>, prometheus: &Scripted, id: u64) {
    let until_time = (now() + Duration::from_secs(7_200)).to_string();
    let after = operator
        .once(id, "snooze", json!({ "until": until_time }), "snoozed")
        .await;
    assert_eq!(
        after["snoozed"],
        json!({ "by": BY_OPERATOR, "until": until_time })
    );
    let after = operator
        .once(
            id,
            "snooze",
            json!({ "until": null, "note": "back" }),
            "woke",
        )
        .await;
    assert_eq!(after["snoozed"], Value::Null);

    let asked = now();
    let after = operator
        .act(id, "snooze", json!({ "for": "1h30m" }))
        .await
        .body;
    let length = at(&after["snoozed"]["until"]).since(asked);
    assert!(
        length.abs_diff(Duration::from_secs(5_400)) < SOON,
        "{length:?}"
    );

    let short = operator.act(id, "snooze", json!({ "for": "2s" })).await;
    assert_eq!(short.status, 200, "{}", short.body);
    operator
        .becomes(id, "the end of its time", |i| woke(i, "its time was over"))
        .await;

    let until_change = json!({ "until": "change", "note": "hearing nothing" });
    let after = operator.once(id, "snooze", until_change, "snoozed").await;
    assert_eq!(
        after["snoozed"],
        json!({ "by": BY_OPERATOR, "until": null })
    );
    prometheus.shift("alpha", CRITICAL);
    let after = operator
        .becomes(id, "the end by a change", |i| woke(i, "its severity rose"))
        .await;
    assert_eq!(after["computed_severity"], "Critical");
}

async fn statuses(operator: &Operator<'_>, id: u64) {
    let note = |text: &str| json!({ "note": text });
    let after = operator
        .once(id, "ack", note("on it"), "acknowledged")
        .await;
    assert_eq!(after["status"], "ACKNOWLEDGED");
    let after = operator
        .once(id, "reopen", note("not yet"), "reopened")
        .await;
    assert_eq!(after["status"], "OPEN");
    let decommission = json!({ "decommissioned": true });
    let text = "without decommissioned";
    operator
        .refused(&id.to_string(), "resolve", Some(decommission), (409, text))
        .await;
    assert_eq!(operator.get(id).await.body["status"], "OPEN");
    let after = operator
        .once(id, "resolve", note("fixed"), "resolved")
        .await;
    assert_eq!(after["status"], "RESOLVED");
    let resolution = &after["resolution"];
    assert_eq!(resolution["by"], BY_OPERATOR);
    assert_eq!(
        (&resolution["note"], &resolution["decommissioned"]),
        (&json!("fixed"), &json!(false))
    );
    for (action, body) in [("ack", json!({})), ("snooze", json!({ "for": "1h" }))] {
        let text = "reopen it";
        operator
            .refused(&id.to_string(), action, Some(body), (409, text))
            .await;
    }
    let after = operator.once(id, "reopen", json!({}), "reopened").await;
    assert_eq!(
        (&after["status"], &after["resolution"]),
        (&json!("OPEN"), &Value::Null)
    );
}

async fn tags(operator: &Operator<'_>, id: u64) {
    let path = format!("/api/v1/incidents/{id}/comment");
    let comment = |text: &str| Some(json!({ "note": text }));
    // Bellwether may write something down in between; then it is tried again with the new tag.
    let seen = until("a comment in time", SOON, || async {
        let tag = operator.get(id).await.tag;
        let said = operator
            .ask(Method::POST, &path, Some(&tag), comment("first"))
            .await;
        assert!([200, 412].contains(&said.status), "{}", said.body);
        (said.status == 200).then(|| {
            assert_ne!(said.tag, tag);
            tag
        })
    })
    .await;
    let stale = operator
        .ask(Method::POST, &path, Some(&seen), comment("second"))
        .await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    let detail = stale.body["detail"].as_str().expect("words");
    assert!(detail.contains("get it again"), "{detail}");
    let any = operator
        .ask(Method::POST, &path, Some("*"), comment("third"))
        .await;
    assert_eq!(any.status, 200, "{}", any.body);
    assert_eq!(any.tag, format!("\"{}\"", any.body["revision"]));
    let odd = operator
        .ask(Method::POST, &path, Some("tomorrow"), comment("fourth"))
        .await;
    assert_eq!(odd.status, 400, "{}", odd.body);
    let entries = own_entries(&operator.get(id).await.body);
    let last: Vec<&Value> = entries
        .iter()
        .rev()
        .take(2)
        .map(|entry| &entry["text"])
        .collect();
    assert_eq!(last, ["third", "first"]);
}

/// Refused, with what would be right, and nothing is changed by it.
async fn wrong(operator: &Operator<'_>, id: u64) {
    let before = own_entries(&operator.get(id).await.body);
    let number = id.to_string();
    let long = "x".repeat(20_000);
    for (action, body, why) in [
        ("ack", json!({ "comment": "x" }), r#"{"note": "…"}"#),
        (
            "ack",
            json!({ "note": long }),
            "longer than 10000 characters",
        ),
        ("ack", json!([]), r#"{"note": "…"}"#),
        (
            "resolve",
            json!({ "decommissioned": "yes" }),
            "decommissioned",
        ),
        ("reopen", json!({ "note": 7 }), r#"{"note": "…"}"#),
        ("comment", json!({}), "the comment"),
        ("comment", json!({ "note": " \n" }), "note is empty"),
        ("assign", json!({}), r#"{"owner": "kim"}"#),
        (
            "assign",
            json!({ "owner": "x".repeat(200) }),
            "longer than 100 characters",
        ),
        ("snooze", json!({}), r#"{"for": "2h"}"#),
        (
            "snooze",
            json!({ "for": "1h", "until": "change" }),
            "not both",
        ),
        ("snooze", json!({ "for": "soon" }), "is no duration"),
        ("snooze", json!({ "for": "31d" }), "longer than 30 days"),
        ("snooze", json!({ "for": null }), r#"{"for": "2h"}"#),
        (
            "snooze",
            json!({ "until": "2020-01-01T00:00:00Z" }),
            "in the past",
        ),
        (
            "snooze",
            json!({ "until": "2999-01-01T00:00:00Z" }),
            "30 days",
        ),
        ("snooze", json!({ "until": "tea time" }), "until"),
        ("severity", json!({}), r#"{"severity": "High"}"#),
        (
            "severity",
            json!({ "severity": "Normal" }),
            "none of High, Critical",
        ),
        (
            "severity",
            json!({ "severity": "bad\u{7}" }),
            "none of High, Critical",
        ),
    ] {
        operator
            .refused(&number, action, Some(body), (400, why))
            .await;
    }
    for action in ["comment", "assign", "snooze", "severity"] {
        operator
            .refused(&number, action, None, (400, "the body must be like"))
            .await;
    }
    let bodies = [
        ("ack", json!({})),
        ("resolve", json!({})),
        ("reopen", json!({})),
        ("assign", json!({ "owner": "kim" })),
        ("snooze", json!({ "for": "1h" })),
        ("comment", json!({ "note": "x" })),
        ("severity", json!({ "severity": "High" })),
    ];
    for (action, body) in bodies {
        let unknown = (404, "GET /api/v1/incidents lists them");
        operator
            .refused("4711", action, Some(body.clone()), unknown)
            .await;
        operator
            .refused("seven", action, Some(body), (400, "no incident number"))
            .await;
    }
    assert_eq!(own_entries(&operator.get(id).await.body), before);
}

async fn remembered(operator: &Operator<'_>, id: u64, before: u64) {
    let similar = operator
        .becomes(id, "similar incidents", |incident| {
            let items = incident["explanation"]["similar"]["items"].as_array();
            items.is_some_and(|items| !items.is_empty())
        })
        .await;
    assert_eq!(similar["follows"], before);
    let first = &similar["explanation"]["similar"]["items"][0];
    assert_eq!(first["id"], before, "{first}");
    assert!(first["duration_seconds"].as_u64() > Some(0), "{first}");
    assert!(
        first["resolved_by"]
            .as_str()
            .is_some_and(|by| by.contains(OPERATOR)),
        "{first}"
    );
    assert_eq!(first["last_comment"], "more connections");
    let old = operator.get(before).await.body;
    let timeline = old["timeline"].as_array().expect("a list");
    let followed = timeline
        .iter()
        .filter(|entry| entry["event"] == "followed_by")
        .count();
    assert_eq!(followed, 1, "{old}");
}

async fn decommissioned(operator: &Operator<'_>, id: u64) -> Timestamp {
    let incident = operator.get(id).await.body;
    assert_eq!(incident["kind"], "availability");
    let body = json!({ "decommissioned": true, "note": "switched off" });
    let after = operator.once(id, "resolve", body, "resolved").await;
    assert_eq!(
        (&after["status"], &after["firing"]),
        (&json!("RESOLVED"), &json!(false))
    );
    assert_eq!(after["resolution"]["decommissioned"], true);
    at(&after["resolution"]["at"])
}

/// Long after the quiet period nothing has opened.
async fn stays_gone(operator: &Operator<'_>, id: u64, resolved: Timestamp) {
    until("evaluations beyond the quiet period", SOON, || async {
        let (_, status) = operator.bellwether.get("/api/v1/status").await;
        let evaluated: Timestamp = status["evaluated_at"].as_str()?.parse().ok()?;
        (evaluated > resolved + Duration::from_secs(20)).then_some(())
    })
    .await;
    let of_service = operator
        .pages("/api/v1/incidents", "service=gamma", 10)
        .await;
    let ids: Vec<u64> = of_service.iter().map(number).collect();
    assert_eq!(ids, [id]);
}

/// Filters by what is shown; every order, page by page, has every incident once.
async fn lists(operator: &Operator<'_>, [alpha, beta, again, gamma, delta]: [u64; 5]) {
    let all: BTreeSet<u64> = [alpha, beta, again, gamma, delta].into();
    let path = "/api/v1/incidents";
    for (query, expected) in [
        ("", all.iter().copied().collect()),
        ("owner=kim", vec![delta]),
        ("owner=", vec![alpha, beta, again, gamma]),
        ("owner=nobody", vec![]),
        ("firing=true", vec![alpha, again, delta]),
        ("firing=false", vec![beta, gamma]),
        ("snoozed=true", vec![delta]),
        ("snoozed=false&firing=true", vec![alpha, again]),
        ("kind=availability", vec![gamma]),
        ("kind=metrics&status=RESOLVED", vec![beta]),
        // Its computed severity is Critical.
        ("severity=High", vec![delta]),
        ("severity=Critical", vec![alpha, beta, again, gamma]),
        (
            "severity=high,critical&status=open&service=alpha",
            vec![alpha],
        ),
        ("status=resolved,acknowledged", vec![beta, gamma]),
    ] {
        let found: BTreeSet<u64> = operator
            .pages(path, query, 2)
            .await
            .iter()
            .map(number)
            .collect();
        assert_eq!(found, expected.into_iter().collect(), "{query}");
    }
    for (by, field) in [
        ("id", "id"),
        ("opened", "opened_ts"),
        ("last_seen", "last_seen_ts"),
        ("severity", "severity"),
        ("service", "service"),
    ] {
        for sign in ["", "-"] {
            for limit in [1, 2, 3, 5] {
                let query = format!("sort={sign}{by}");
                let items = operator.pages(path, &query, limit).await;
                let ids: Vec<u64> = items.iter().map(number).collect();
                // What fires is seen anew while pages are turned, and so moves in that one order.
                if by != "last_seen" {
                    assert_eq!(ids.len(), all.len(), "{query}: {ids:?}");
                    assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), all, "{query}");
                    let keys: Vec<String> = items.iter().map(|item| key(&item[field])).collect();
                    let sorted = match sign {
                        "" => keys.is_sorted(),
                        _ => keys.iter().rev().is_sorted(),
                    };
                    assert!(sorted, "{query}: {keys:?}");
                }
            }
        }
    }
    for wrong in [
        "sort=colour",
        "owner=a&colour=b",
        "kind=odd",
        "firing=maybe",
        "cursor=x",
        "limit=0",
    ] {
        let answer = operator
            .ask(Method::GET, &format!("{path}?{wrong}"), None, None)
            .await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
    }
}

/// By which a list is sorted, as a text that sorts likewise.
fn key(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:>9}", number.to_string()),
        // Of the two words the milder comes later in the alphabet.
        Value::String(text) if text == "High" => "0".into(),
        Value::String(text) if text == "Critical" => "1".into(),
        other => other.to_string(),
    }
}

/// Resolved and quiet, and not held by the engine since the restart: it can still be changed.
async fn forgotten(operator: &Operator<'_>, id: u64) {
    let before = operator.get(id).await.body;
    assert_eq!(
        (&before["status"], &before["firing"]),
        (&json!("RESOLVED"), &json!(false))
    );
    let said = operator
        .act(id, "comment", json!({ "note": "a month later" }))
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    let mut expected = before["timeline"].as_array().expect("a list").clone();
    let timeline = said.body["timeline"].as_array().expect("a list").clone();
    expected.push(timeline.last().expect("the comment").clone());
    assert_eq!(timeline, expected);
    assert_eq!(
        timeline.last().map(|entry| &entry["text"]),
        Some(&json!("a month later"))
    );
    assert_eq!(said.body["explanation"], before["explanation"]);
    let after = operator
        .once(id, "reopen", json!({ "note": "there again" }), "reopened")
        .await;
    assert_eq!(
        (&after["status"], &after["firing"]),
        (&json!("OPEN"), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn written_rules_resolve_what_is_calm_or_gone_for_long() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(12 * 3_600)).await;
    // A minute is the least that a rule may wait.
    let rules = "auto_resolve:\n\
                 - { name: calm, services: [alp*], severity_max: Critical, quiet_for: 1m }\n\
                 - { name: left, services: [gamma], gone_for: 1m }";
    let bellwether = started(dir.path(), &config(&prometheus, rules)).await;
    for service in ["alpha", "beta"] {
        prometheus.shift(service, CRITICAL);
    }
    prometheus.vanish("gamma");
    let operator = Operator::at(&bellwether);
    let mut ids = Vec::new();
    for service in ["alpha", "beta", "gamma"] {
        ids.push(number(&operator.incident_of(service, 0).await));
    }
    prometheus.shift("alpha", 20.0);
    prometheus.shift("beta", 30.0);
    for (id, rule, reason) in [
        (ids[0], "rule calm", "seen calm by samples for"),
        (ids[2], "rule left", "gone for"),
    ] {
        let after = until("what the rule does", 3 * SOON, || async {
            let incident = operator.get(id).await.body;
            (incident["status"] == "RESOLVED").then_some(incident)
        })
        .await;
        assert_eq!(after["resolution"]["by"], rule);
        let note = after["resolution"]["note"].as_str().expect("a reason");
        assert!(
            note.contains(reason) && note.contains("the rule asks for"),
            "{note}"
        );
    }
    // No rule speaks of it.
    let beta = operator.get(ids[1]).await.body;
    assert_eq!(
        (&beta["status"], &beta["firing"]),
        (&json!("OPEN"), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_checked_kept_and_listed() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(600)).await;
    let mut bellwether = Bellwether::start(dir.path(), &config(&prometheus, ""), &[]).await;
    let operator = Operator::at(&bellwether);
    let path = "/api/v1/events";
    let far = (now() + Duration::from_secs(2 * 86_400)).to_string();
    for (body, why) in [
        (json!({}), r#"{"kind": "deploy""#),
        (json!({ "kind": " " , "colour": 1 }), "colour"),
        (json!({ "kind": "" }), "kind is empty"),
        (json!({ "kind": "x".repeat(51) }), "kind is longer than 50"),
        (json!({ "kind": "deploy\u{1b}[31m" }), "control characters"),
        (
            json!({ "kind": "deploy", "title": "two\nlines" }),
            "control characters",
        ),
        (
            json!({ "kind": "deploy", "title": "x".repeat(501) }),
            "title is longer than 500",
        ),
        (
            json!({ "kind": "deploy", "version": "x".repeat(501) }),
            "version is longer than 500",
        ),
        (
            json!({ "kind": "deploy", "key": "x".repeat(501) }),
            "key is longer than 500",
        ),
        (
            json!({ "kind": "deploy", "link": "javascript:alert(1)" }),
            "no http or https address",
        ),
        (
            json!({ "kind": "deploy", "link": "data:text/html,x" }),
            "no http or https address",
        ),
        (
            json!({ "kind": "deploy", "link": "//example.org" }),
            "no http or https address",
        ),
        (
            json!({ "kind": "deploy", "link": format!("https://e.org/{}", "x".repeat(2_000)) }),
            "link is longer than 2000",
        ),
        (
            json!({ "kind": "deploy", "at": far }),
            "more than a day in the future",
        ),
        (json!({ "kind": "deploy", "at": "yesterday" }), "at"),
        (
            json!({ "kind": "deploy", "service": "x".repeat(2_000) }),
            "service",
        ),
    ] {
        let answer = operator
            .ask(Method::POST, path, None, Some(body.clone()))
            .await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(detail.contains(why), "{body}: {detail}");
    }
    assert_eq!(operator.pages(path, "", 10).await, Vec::<Value>::new());

    let mut posted = Vec::new();
    for index in 0..7 {
        let service = ["alpha", "beta", ""][index % 3];
        let event = json!({ "kind": "deploy", "service": service, "version": format!("1.{index}"), "key": format!("run-{index}") });
        let first = operator
            .ask(Method::POST, path, None, Some(event.clone()))
            .await;
        assert_eq!(first.status, 201, "{}", first.body);
        assert_eq!(first.body["by"], OPERATOR);
        let again = operator.ask(Method::POST, path, None, Some(event)).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        posted.push(first.body);
    }
    let ids = |items: &[Value]| -> BTreeSet<u64> { items.iter().map(number).collect() };
    let of = |services: &[Value]| -> BTreeSet<u64> {
        let is = |event: &&Value| services.contains(&event["service"]);
        posted.iter().filter(is).map(number).collect()
    };
    for limit in [1, 2, 3, 7, 100] {
        let found = operator.pages(path, "", limit).await;
        assert_eq!((found.len(), ids(&found)), (7, ids(&posted)));
        let found = operator.pages(path, "service=alpha", limit).await;
        assert_eq!(
            ids(&found),
            of(&[json!("alpha"), Value::Null]),
            "the fleet's concern it, too"
        );
    }
    bellwether.kill_and_restart(&config(&prometheus, "")).await;
    let operator = Operator::at(&bellwether);
    assert_eq!(ids(&operator.pages(path, "", 3).await), ids(&posted));
}

fn at(time: &Value) -> Timestamp {
    let text = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    text.parse().expect("RFC 3339")
}
