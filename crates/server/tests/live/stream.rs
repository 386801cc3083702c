//! The event stream: what happens arrives, who comes back misses nothing, and gaps are told.

use std::sync::Mutex;
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::harness::{Bellwether, client, figure, folder, until};
use crate::knobs::scripted::Scripted;

const SOON: Duration = Duration::from_secs(60);
const CALM: [(&str, f64); 3] = [("alpha", 20.0), ("beta", 30.0), ("gamma", 40.0)];
const CRITICAL: f64 = 98.0;

fn config(prometheus: &Scripted, more: &str) -> String {
    format!(
        "prometheus: {{ url: '{}' }}\ntick: 1s\nevaluation_delay: 1s\n\
         decide: {{ open_after: 2s, critical_after: 4s, quiet_period: 5s, down_after: 4s }}\n{more}\n",
        prometheus.url
    )
}

/// An event as it arrived.
#[derive(Clone, Debug, Default)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

/// A client that follows along.
struct Follower {
    answer: Response,
    text: String,
}

impl Follower {
    async fn at(bellwether: &Bellwether, query: &str, last: Option<&str>) -> Follower {
        // Once, so that TLS has its provider.
        drop(client());
        let client = Client::builder().no_proxy().build().expect("a client");
        let mut request = client.get(format!("{}/api/v1/stream{query}", bellwether.url));
        if let Some(id) = last {
            request = request.header("Last-Event-ID", id);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Follower {
            answer,
            text: String::new(),
        }
    }

    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parsed(block);
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(SOON, self.answer.chunk());
            let chunk = chunk.await.expect("a line within a minute").ok()??;
            self.text += std::str::from_utf8(&chunk).expect("UTF-8");
        }
    }

    /// The next event that is so.
    async fn find(&mut self, is: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if is(&event) {
                return event;
            }
        }
    }
}

fn parsed(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => event.id = id.to_owned(),
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
            _ => {}
        }
    }
    event
}

fn number(id: &str) -> u64 {
    let (_, number) = id.split_once('-').expect("start and number");
    number.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_and_who_comes_back_misses_nothing() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, Duration::from_secs(12 * 3_600)).await;
    let config = config(&prometheus, "limits: { streams: 4 }");
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(3, 2 * SOON).await;

    let mut all = Follower::at(&bellwether, "", None).await;
    let hello = all.next().await.expect("a first event");
    assert_eq!(
        (hello.name.as_str(), &hello.data),
        ("hello", &json!({ "resumed": false }))
    );
    let tick = all.find(|event| event.name == "tick").await;
    assert!(
        tick.data["at"].is_string() && tick.data["services"].is_array(),
        "{tick:?}"
    );

    let mut gamma = Follower::at(&bellwether, "?service=gamma", None).await;
    prometheus.shift("alpha", CRITICAL);
    let opened = |event: &Event| event.name == "incident" && event.data["change"] == "opened";
    let incident = all.find(opened).await;
    assert_eq!(incident.data["service"], "alpha");
    assert_eq!(incident.data["status"], "OPEN");
    let (_, stored) = bellwether.get("/api/v1/incidents/1").await;
    assert_eq!(stored["timeline"][0]["text"], incident.data["text"]);
    let of_alpha = |event: &Event| {
        let services = event.data["services"].as_array();
        services.is_some_and(|all| {
            all.iter()
                .any(|s| s["id"] == "alpha" && s["state"] == "critical")
        })
    };
    // It was critical before the incident opened, so an earlier tick told it; the next tells of
    // the incident that fires.
    let tick = all
        .find(|event| event.name == "tick" && of_alpha(event))
        .await;
    assert_eq!(tick.data["services"][0]["incident"], 1);

    // Who was away gets all that was told meanwhile, in order, and nothing twice.
    let last = all.find(|_| true).await.id;
    drop(all);
    let note = json!({ "note": "looking" });
    let (status, _) = bellwether.post("/api/v1/incidents/1/ack", Some(note)).await;
    assert_eq!(status, 200);
    let (status, job) = bellwether
        .post("/retrain?service=beta&wait=true", None)
        .await;
    assert_eq!(status, 200, "{job}");
    let mut again = Follower::at(&bellwether, "", Some(&last)).await;
    let hello = again.next().await.expect("a first event");
    assert_eq!(
        (hello.id.as_str(), &hello.data["resumed"]),
        (last.as_str(), &json!(true))
    );
    let mut numbers = vec![number(&last)];
    let mut wanted = vec!["acknowledged", "job"];
    while !wanted.is_empty() {
        let event = again.next().await.expect("the stream goes on");
        numbers.push(number(&event.id));
        wanted.retain(|wanted| event.data["change"] != *wanted && event.name != *wanted);
    }
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{numbers:?}"
    );

    // That nobody is told any more, everyone who looks on is told.
    let shadow = json!({ "on": true });
    let (status, answer) = bellwether.post("/api/v1/shadow", Some(shadow)).await;
    assert_eq!(status, 200, "{answer}");
    let shadowed = |event: &Event| event.name == "paging" && event.data["state"] == "off";
    let paging = again
        .find(|event| shadowed(event) && event.data["because"].to_string().contains("shadow mode"))
        .await;
    let (_, stored) = bellwether.get("/api/v1/status").await;
    assert_eq!(stored["paging"]["because"], paging.data["because"]);

    // Gamma's follower hears of the ticks, and of no other service.
    prometheus.shift("gamma", CRITICAL);
    loop {
        let event = gamma.next().await.expect("the stream goes on");
        let text = event.data.to_string();
        assert!(
            !text.contains("alpha") && !text.contains("beta"),
            "{event:?}"
        );
        if opened(&event) {
            break;
        }
    }
    drop(gamma);
    gaps(&bellwether, &last).await;
    ends(&mut bellwether, again, &config, &last).await;
}

/// What is not in the ring is told, and what is no id refused.
async fn gaps(bellwether: &Bellwether, last: &str) {
    let ahead = format!("{}9999999", last);
    let elsewhere = "1700000000000-3".to_owned();
    for (query, header) in [
        (String::new(), Some(ahead.clone())),
        (String::new(), Some("nonsense".to_owned())),
        (format!("?last_event_id={elsewhere}"), None),
    ] {
        let mut follower = Follower::at(bellwether, &query, header.as_deref()).await;
        let event = follower.next().await.expect("a first event");
        assert_eq!(event.name, "missed", "{query} {header:?}");
        assert!(
            event.data["detail"]
                .as_str()
                .is_some_and(|text| text.contains("load everything"))
        );
        let next = follower.next().await.expect("the stream goes on");
        assert_eq!(number(&next.id), number(&event.id) + 1);
    }
    for query in ["?last_event_id=nonsense", "?service=nobody", "?extra=1"] {
        let (status, _) = bellwether.get(&format!("/api/v1/stream{query}")).await;
        assert!([400, 404].contains(&status), "{query}: {status}");
    }
}

/// Too many are told to come back, the streams end with the server, and an id of another start is
/// told.
async fn ends(bellwether: &mut Bellwether, mut follower: Follower, config: &str, last: &str) {
    // As long as there is a place, each takes one.
    let others = Mutex::new(Vec::new());
    let full = until("no place", SOON, || async {
        let answer = client()
            .get(format!("{}/api/v1/stream", bellwether.url))
            .send();
        let answer = answer.await.expect("an answer");
        if answer.status() == 503 {
            return Some(answer);
        }
        others.lock().unwrap().push(answer);
        None
    })
    .await;
    assert_eq!(full.headers()["retry-after"], "30");
    assert!(others.lock().unwrap().len() <= 3);
    drop(others);

    let ended = tokio::spawn(async move { while follower.next().await.is_some() {} });
    let (status, took) = bellwether.terminate().await;
    assert!(status.success());
    ended.await.expect("the stream ended");
    figure(
        "api 5",
        "end with a client that follows",
        format!("{} ms", took.as_millis()),
        "≤ 2 s",
        took <= Duration::from_secs(2),
    );
    bellwether.start_again(config).await;
    let mut follower = Follower::at(bellwether, "", Some(last)).await;
    assert_eq!(follower.next().await.expect("a first event").name, "missed");
}
