//! Incidents explain themselves: a real restart with a slower version, and what is said about it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use simulator::{FaultKind, Span, Topology};

use crate::harness::{
    Bellwether, PrometheusServer, SimulatedFleet, client, figure, folder, scaled, until,
};

const TICK: Duration = Duration::from_secs(1);
const LINE: &str = "incidents 4";
const LOGS_LINE: &str = "logs 5";
/// What is released, and who calls it.
const RELEASED: &str = "payments";
const CALLER: &str = "orders";
/// An estimate of the onset is off by so much at most.
const ONSET_OFF_MAX: f64 = 10.0;
/// What is computed from tables and what Prometheus answers are one within this share.
const AGREEMENT: f64 = 1e-3;
/// A value that so much of the traffic has leaves too little beside it.
const NEARLY_ALL: f64 = 0.99;
/// Set: the first episode ends by itself before the next fault. Its latency is that of the last five
/// minutes, so that takes as long.
const WHOLE_EPISODES: &str = "BELLWETHER_WHOLE_EPISODES";

#[tokio::test(flavor = "multi_thread")]
async fn a_slower_version_is_explained() {
    let dir = folder();
    let blocks = dir.path().join("prometheus");
    let history = (Span::from_secs(8 * 3_600), Span::from_secs(60), &*blocks);
    let fleet = SimulatedFleet::start(Topology::shop(), 21, dir.path(), Some(history));
    let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(1)).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\npacks: [spring]\n{}logs: [ {{ path: '{}' }} ]\n",
        prometheus.url,
        scaled(TICK),
        fleet.log_template()
    );
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    // All of them: what is learnt in the middle of a fault takes it for usual.
    bellwether.models(77, Duration::from_secs(180)).await;

    let posted = deploy(&bellwether).await;
    let version_before = version(&fleet);
    let length = if std::env::var_os(WHOLE_EPISODES).is_some() {
        150
    } else {
        900
    };
    let began = fleet.fault(FaultKind::BadRelease, RELEASED, length, 2.0);
    let began = Timestamp::from_millis(began);
    let opened = until("an incident", Duration::from_secs(120), || async {
        newest_of(&bellwether, RELEASED, 0).await
    })
    .await;
    let version_after = version(&fleet);
    let id = opened["id"].as_u64().expect("a number");
    // Killed before the evidence was looked at again: that is made up for.
    bellwether.kill_and_restart(&config).await;
    let incident = settled(&bellwether, id).await;

    onset(&incident, began);
    let versions = format!("version went from {version_before} to {version_after}");
    changes(&incident, began, &versions, &posted);
    shifts(&incident, &prometheus).await;
    let mut removals = breakdowns(&incident, &prometheus).await;
    unusual(&incident);
    let similar = &incident["explanation"]["similar"];
    assert_eq!(similar["items"], json!([]), "{similar}");

    let of_caller = until("the caller's incident", Duration::from_secs(60), || async {
        newest_of(&bellwether, CALLER, 0).await
    })
    .await;
    let of_caller = settled(&bellwether, of_caller["id"].as_u64().expect("a number")).await;
    removals += breakdowns(&of_caller, &prometheus).await;
    caller_blames_callee(&of_caller);
    logs_name_the_callee(&of_caller);
    logs_of_the_released(&incident);
    logs_over_the_api(&bellwether, &of_caller).await;
    figure(
        LINE,
        "values removed: Prometheus' answer is what was said",
        format!("{removals} of {removals}, to 1e-3"),
        "all, ≥ 1",
        removals >= 1,
    );

    bellwether.kill_and_restart(&config).await;
    let after = by_curl(&bellwether, id);
    let same = frozen(&after) == frozen(&incident);
    figure(
        LINE,
        "the explanation after a restart",
        if same { "the same bytes" } else { "another" },
        "the same bytes",
        same,
    );
    assert!(same, "{}\n{}", frozen(&incident), frozen(&after));
    happens_again(&bellwether, &fleet, id).await;
}

/// What a pipeline posts just before it deploys, twice: the second time it is the first one again.
async fn deploy(bellwether: &Bellwether) -> Value {
    let event = json!({
        "kind": "deploy", "service": RELEASED, "version": "1.1.0", "title": "faster checkout",
        "link": "https://ci.example.org/runs/7", "key": "run-7",
    });
    let (status, first) = bellwether.post("/api/v1/events", Some(event.clone())).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = bellwether.post("/api/v1/events", Some(event)).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(first, again);
    first
}

fn version(fleet: &SimulatedFleet) -> String {
    let fleet = fleet.fleet.lock().expect("the fleet does not panic");
    fleet
        .version(RELEASED)
        .expect("a service of the shop")
        .to_owned()
}

/// The newest incident of a service whose number is greater than `than`.
async fn newest_of(bellwether: &Bellwether, service: &str, than: u64) -> Option<Value> {
    let incidents = bellwether.incidents().await;
    incidents
        .into_iter()
        .find(|i| i["service"] == service && i["id"].as_u64() > Some(than))
}

/// The incident as an operator gets it.
fn by_curl(bellwether: &Bellwether, id: u64) -> Value {
    let url = format!("{}/api/v1/incidents/{id}", bellwether.url);
    let output = Command::new("curl").args(["-s", &url]).output();
    let output = output.expect("curl is installed (apt-get install curl)");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The incident once everything is gathered: what was asked when its window had passed is there.
async fn settled(bellwether: &Bellwether, id: u64) -> Value {
    let whole = until("all evidence", Duration::from_secs(150), || async {
        let incident = by_curl(bellwether, id);
        let explanation = &incident["explanation"];
        let window_to = at(&incident["opened_ts"]) + Duration::from_secs(60);
        let breakdowns = explanation["which"]["breakdowns"].as_array()?;
        let is_settled = at(&explanation["shifts"]["to"]) >= window_to
            && breakdowns.iter().any(|b| at(&b["at"]) >= window_to)
            && at(&explanation["logs"]["to"]) >= window_to
            && at(&incident["logs"]["to"]) >= window_to;
        is_settled.then_some(())
    });
    whole.await;
    // Breakdowns are the last that is gathered; of those the newest member's.
    let quiet = Duration::from_secs(2);
    let mut before = by_curl(bellwether, id);
    until("nothing more", Duration::from_secs(60), || {
        let seen = std::mem::take(&mut before);
        before = by_curl(bellwether, id);
        let is_same = seen["explanation"]["which"] == before["explanation"]["which"];
        async move {
            tokio::time::sleep(quiet).await;
            is_same.then_some(())
        }
    })
    .await;
    by_curl(bellwether, id)
}

/// The bytes of an explanation, but for when it was last seen: it goes on.
fn frozen(incident: &Value) -> String {
    let mut explanation = incident["explanation"].clone();
    for field in ["answer", "last_seen_ts", "ended_ts"] {
        explanation["when"][field] = Value::Null;
    }
    explanation.to_string()
}

fn onset(incident: &Value, began: Timestamp) {
    let when = &incident["explanation"]["when"];
    let off = at(&when["onset_ts"]).as_seconds() - began.as_seconds();
    let between = &when["onset_between_ts"];
    let (from, to) = (at(&between[0]), at(&between[1]));
    let (from, to) = (from.as_seconds(), to.as_seconds());
    let began = began.as_seconds();
    let borders = (from - ONSET_OFF_MAX..=to + ONSET_OFF_MAX).contains(&began);
    let pass = off.abs() <= ONSET_OFF_MAX && borders;
    figure(
        LINE,
        "onset after the restart; its 95 % interval",
        format!("{off:.1} s; {:.1} to {:.1} s", from - began, to - began),
        "± 10 s; borders it",
        pass,
    );
    assert!(pass, "{when}");
    assert!(
        at(&when["onset_ts"]) <= at(&when["first_crossing_ts"]),
        "{when}"
    );
}

fn changes(incident: &Value, began: Timestamp, versions: &str, posted: &Value) {
    let changed = &incident["explanation"]["what_changed"];
    let items = changed["items"].as_array().expect("a list");
    let found = |kind: &str| {
        let of_kind: Vec<&Value> = items.iter().filter(|item| item["kind"] == kind).collect();
        assert_eq!(of_kind.len(), 1, "{kind}: {changed}");
        let item = of_kind[0];
        let off = at(&item["at"]).as_seconds() - began.as_seconds();
        assert!(off.abs() <= ONSET_OFF_MAX, "{off} s: {item}");
        assert_eq!(item["service"], RELEASED, "{item}");
        assert!(
            changed["answer"]
                .as_str()
                .expect("words")
                .contains(item["text"].as_str().expect("words"))
        );
        (item, off)
    };
    let (_, restart) = found("restart");
    let (version, _) = found("version");
    assert!(
        version["text"]
            .as_str()
            .expect("words")
            .starts_with(versions),
        "{version}"
    );
    let (deploy, _) = found("deploy");
    assert_eq!(deploy["posted"], true);
    for field in ["version", "link", "by", "at"] {
        assert_eq!(deploy[field], posted[field], "{field}");
    }
    figure(
        LINE,
        "changes: restart, version, posted deployment",
        format!("all three; the restart {restart:.1} s from the fault; {versions}"),
        "all three",
        true,
    );
}

/// Ranked by effect, in words, each with a query that says what moved.
async fn shifts(incident: &Value, prometheus: &PrometheusServer) {
    let shifts = &incident["explanation"]["shifts"];
    let items = shifts["items"].as_array().expect("a list");
    let effects: Vec<f64> = items.iter().map(|i| number(&i["effect"]).abs()).collect();
    assert!(effects.is_sorted_by(|a, b| a >= b), "{effects:?}");
    let names: Vec<&str> = items.iter().filter_map(|i| i["metric"].as_str()).collect();
    for item in items {
        let (effect, direction) = (number(&item["effect"]), &item["direction"]);
        assert_eq!(
            direction,
            if effect < 0.0 { "fell" } else { "rose" },
            "{item}"
        );
        let text = item["text"].as_str().expect("words");
        assert!(text.contains(direction.as_str().expect("a word")), "{text}");
        let title = item["title"].as_str().expect("a title");
        assert!(text.starts_with(title), "{text}");
        let answer = asked(prometheus, item, &shifts["to"]).await;
        assert_eq!(answer.len(), 1, "{item}");
    }
    let lat = names.iter().position(|name| *name == "lat");
    let pass = lat.is_some_and(|place| place < 3);
    figure(
        LINE,
        "ranked shifts; place of latency; queries with one series",
        format!(
            "{}; {}; {}",
            names.len(),
            lat.map_or(0, |place| place + 1),
            names.len()
        ),
        "≥ 2; ≤ 3; all",
        pass && names.len() >= 2,
    );
    assert!(pass && names.len() >= 2, "{shifts}");
}

/// Every value of every label, removed: Prometheus says the same. Gives how many were compared.
async fn breakdowns(incident: &Value, prometheus: &PrometheusServer) -> usize {
    let which = &incident["explanation"]["which"];
    let breakdowns = which["breakdowns"].as_array().expect("a list");
    let labels: BTreeMap<(&str, &str), &Value> = breakdowns
        .iter()
        .filter_map(|b| Some(((b["of"].as_str()?, b["label"].as_str()?), &b["outcome"])))
        .collect();
    println!("{}: {labels:?}", incident["service"]);
    for label in ["uri", "instance", "status", "method"] {
        assert!(
            labels.contains_key(&("server requests", label)),
            "{label}: {which}"
        );
    }
    let mut compared = 0;
    for breakdown in breakdowns {
        for part in breakdown["parts"].as_array().expect("a list") {
            // What remains are a few requests: one more, scraped meanwhile, is another quantile.
            if part["share"].as_f64() > Some(NEARLY_ALL) {
                continue;
            }
            let answer = asked(prometheus, part, &breakdown["at"]).await;
            let answer = answer.first().and_then(|v| v.parse::<f64>().ok());
            let answer = answer.filter(|value| value.is_finite());
            let said = part["without"].as_f64();
            let agree = match (answer, said) {
                (Some(answer), Some(said)) => {
                    (answer - said).abs() <= AGREEMENT * said.abs().max(1e-9)
                }
                (answer, said) => answer == said,
            };
            assert!(agree, "{answer:?} is not {said:?}: {part} of {breakdown}");
            compared += 1;
        }
    }
    compared
}

fn caller_blames_callee(incident: &Value) {
    let breakdowns = incident["explanation"]["which"]["breakdowns"]
        .as_array()
        .expect("a list");
    let calls = breakdowns
        .iter()
        .find(|b| b["of"] == "outgoing calls" && b["label"] == "client_name")
        .unwrap_or_else(|| panic!("{incident}"));
    let first = &calls["parts"][0];
    let pass =
        calls["outcome"] == "carried" && first["carries"] == true && first["value"] == RELEASED;
    figure(
        LINE,
        "the caller's outgoing calls are carried by",
        first["value"].as_str().unwrap_or("nobody"),
        RELEASED,
        pass,
    );
    assert!(pass, "{calls}");
    let answer = incident["explanation"]["which"]["answer"]
        .as_str()
        .expect("words");
    assert!(
        answer.contains(&format!("{RELEASED} carries it")),
        "{answer}"
    );
}

/// The strongest new pattern of the caller's log names the service that fails it, with samples that
/// can be followed there.
fn logs_name_the_callee(incident: &Value) {
    let logs = &incident["explanation"]["logs"];
    let new = first_new(logs);
    let template = new["template"].as_str().expect("a template");
    let samples = new["samples"].as_array().expect("a list");
    let traced = |sample: &&Value| sample["trace_id"].as_str().is_some_and(|id| id.len() == 32);
    let all_traced = !samples.is_empty() && samples.iter().filter(traced).count() == samples.len();
    let pass = template.contains(RELEASED) && all_traced;
    figure(
        LOGS_LINE,
        "the caller's strongest new pattern; samples with a trace id",
        format!("{template:?}; {} of {}", samples.len(), samples.len()),
        &format!("names {RELEASED}; all"),
        pass,
    );
    assert!(pass, "{logs}");
    assert_eq!(new["lines_before"], 0, "{new}");
    assert!(
        logs["answer"]
            .as_str()
            .is_some_and(|text| text.contains(template)),
        "{logs}"
    );
    let ids = new["trace_ids"].as_array().expect("a list");
    assert!(!ids.is_empty() && ids.len() <= 5, "{new}");
}

/// The released service says itself what is new: it started as another version.
fn logs_of_the_released(incident: &Value) {
    let logs = &incident["explanation"]["logs"];
    let items = logs["items"].as_array().expect("a list");
    let says = |part: &str| {
        items.iter().any(|item| {
            item["change"] == "new" && item["template"].as_str().is_some_and(|t| t.contains(part))
        })
    };
    assert!(says("full scan, index not used since version"), "{logs}");
    assert!(says("Starting "), "{logs}");
}

/// The same over the API: the same patterns for the same window, and every line of a search on
/// some page, once.
async fn logs_over_the_api(bellwether: &Bellwether, incident: &Value) {
    let logs = &incident["explanation"]["logs"];
    let stretch = |from: &Value| {
        let (from, to) = (from.as_str().expect("a time"), logs["to"].as_str());
        format!("service={CALLER}&from={from}&to={}", to.expect("a time"))
    };
    let path = format!("/api/v1/logs/patterns?{}", stretch(&logs["from"]));
    let (status, patterns) = bellwether.get(&path).await;
    assert_eq!(status, 200, "{patterns}");
    let new = first_new(&patterns);
    assert_eq!(new["id"], first_new(logs)["id"], "{patterns}");
    assert_eq!(patterns["outcome"], "found", "{patterns}");

    let search = format!(
        "/api/v1/logs?{}&level=warn&text={}",
        stretch(&logs["baseline_from"]),
        RELEASED.to_uppercase()
    );
    let (status, whole) = bellwether.get(&format!("{search}&limit=5000")).await;
    assert_eq!(status, 200, "{whole}");
    let all = whole["items"].as_array().expect("a list").clone();
    assert!(all.len() > 10 && whole["next_cursor"].is_null(), "{whole}");
    for line in &all {
        let message = line["message"].as_str().expect("a text");
        let trace = line["stack_trace"].as_str().unwrap_or_default();
        assert!(
            message.contains(RELEASED) || trace.contains(RELEASED),
            "{line}"
        );
        assert!(
            line["level"] == "WARN" || line["level"] == "ERROR",
            "{line}"
        );
    }
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = bellwether.get(&format!("{search}&limit=7{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        paged.extend(page["items"].as_array().expect("a list").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
}

fn first_new(logs: &Value) -> &Value {
    let items = logs["items"].as_array().expect("a list");
    let new = items.iter().find(|item| item["change"] == "new");
    new.unwrap_or_else(|| panic!("nothing is new: {logs}"))
}

fn unusual(incident: &Value) {
    let all = incident["explanation"]["how_unusual"]
        .as_array()
        .expect("a list");
    let lat = all
        .iter()
        .find(|one| one["metric"] == "lat")
        .expect("latency is a member");
    let precedent = &lat["precedent"];
    assert!(precedent["rows"].as_u64() >= Some(240), "{lat}");
    assert!(
        precedent["as_extreme"].is_u64() && precedent["most_extreme"].is_f64(),
        "{lat}"
    );
    assert!(number(&lat["actual"]) > number(&lat["upper"]), "{lat}");
    assert!(
        lat["components"].as_array().is_some_and(|c| !c.is_empty()),
        "{lat}"
    );
    let text = lat["text"].as_array().expect("sentences");
    assert!(
        !text.is_empty()
            && text
                .iter()
                .all(|s| s.as_str().is_some_and(|s| !s.is_empty())),
        "{lat}"
    );
}

/// Resolved with a note, and there again: the next incident follows the first and remembers it.
async fn happens_again(bellwether: &Bellwether, fleet: &SimulatedFleet, id: u64) {
    let path = format!("/api/v1/incidents/{id}");
    let whole = std::env::var_os(WHOLE_EPISODES).is_some();
    if whole {
        until(
            "the end of the episode",
            Duration::from_secs(900),
            || async {
                let (_, incident) = bellwether.get(&path).await;
                (incident["firing"] == false).then_some(())
            },
        )
        .await;
    }
    let resolve = client()
        .post(format!("{}{path}/resolve", bellwether.url))
        .header("X-Operator", "mara")
        .json(&json!({ "note": "rolled back to the version before" }));
    let answer = resolve.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    if whole {
        fleet.fault(FaultKind::BadRelease, RELEASED, 600, 2.0);
    }
    // Otherwise the trouble goes on: past the quiet period that is another incident.
    let again = until("the next incident", Duration::from_secs(180), || async {
        let newest = newest_of(bellwether, RELEASED, id).await?;
        let (_, newest) = bellwether
            .get(&format!("/api/v1/incidents/{}", newest["id"]))
            .await;
        let similar = &newest["explanation"]["similar"];
        similar["items"]
            .as_array()
            .is_some_and(|items| !items.is_empty())
            .then_some(newest)
    })
    .await;
    assert_eq!(again["follows"], id, "{again}");
    let first = &again["explanation"]["similar"]["items"][0];
    let pass = first["id"] == id
        && first["duration_seconds"].is_u64()
        && first["resolved_by"]
            .as_str()
            .is_some_and(|by| by.contains("mara"))
        && first["last_comment"] == "rolled back to the version before";
    figure(
        LINE,
        "the next one follows it, and has its duration, resolver and comment",
        format!(
            "{} s, {}, {}",
            first["duration_seconds"], first["resolved_by"], first["last_comment"]
        ),
        "all",
        pass,
    );
    assert!(pass, "{first}");
}

/// The values of the series that a query gives at an instant.
async fn asked(prometheus: &PrometheusServer, item: &Value, time: &Value) -> Vec<String> {
    let query = item["query"].as_str().expect("a query");
    let seconds = at(time).as_seconds().to_string();
    let url = format!("{}/api/v1/query", prometheus.url);
    let url = reqwest::Url::parse_with_params(&url, [("query", query), ("time", &seconds)]);
    let request = client().get(url.expect("an address"));
    let answer: Value = request
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(answer["status"], "success", "{answer}: {query}");
    let series = answer["data"]["result"].as_array().expect("a vector");
    let value = |one: &Value| one["value"][1].as_str().expect("a number").to_owned();
    series.iter().map(value).collect()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn at(time: &Value) -> Timestamp {
    let text = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    text.parse().expect("RFC 3339")
}
