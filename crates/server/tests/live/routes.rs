//! Routes that show what is known: the catalogue, findings, the past of a series, models, datasets,
//! the configuration; and many incidents at once.

use std::fs;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use crate::harness::{Bellwether, client, folder, until};
use crate::knobs::scripted::{Scripted, now};

const SOON: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const CALM: [(&str, f64); 3] = [("alpha", 20.0), ("beta", 30.0), ("gamma", 40.0)];
const CRITICAL: f64 = 98.0;
const TOKEN: &str = "hunter2-token";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_shown() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 12 * HOUR).await;
    let config = format!(
        "prometheus: {{ url: '{}', headers: {{ X-Token: {TOKEN} }} }}\ntick: 1s\nevaluation_delay: 1s\n\
         decide: {{ open_after: 2s, critical_after: 4s, quiet_period: 5s, down_after: 4s }}\n\
         services: {{ beta: {{ metrics: {{ cpu: {{ high: 70 }} }} }} }}\n",
        prometheus.url
    );
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    until("the past and models", 2 * SOON, || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        let done = status["backfill"]["phase"] == "done";
        (done && status["models"] == CALM.len()).then_some(())
    })
    .await;
    prometheus.shift("alpha", CRITICAL);
    prometheus.shift("beta", CRITICAL);
    until("incidents", SOON, || async {
        (bellwether.incidents().await.len() == 2).then_some(())
    })
    .await;
    catalogue(&bellwether).await;
    findings(&bellwether).await;
    series(&bellwether).await;
    models(&bellwether).await;
    datasets(&bellwether).await;
    configuration(&bellwether).await;
    bulk(&bellwether).await;
    jobs(&bellwether).await;
}

async fn ok(bellwether: &Bellwether, path: &str) -> Value {
    let (status, body) = bellwether.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn refused(bellwether: &Bellwether, status: u16, paths: &[&str]) {
    for path in paths {
        let (found, body) = bellwether.get(path).await;
        assert_eq!(found, status, "{path}: {body}");
        assert!(
            body["detail"].as_str().is_some_and(|text| text.len() > 10),
            "{path}: {body}"
        );
    }
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("a list")
}

async fn catalogue(bellwether: &Bellwether) {
    let page = ok(bellwether, "/api/v1/catalogue").await;
    let cpu = items(&page).iter().find(|m| m["id"] == "cpu").expect("cpu");
    assert!(
        !cpu["query"].as_str().expect("a query").contains('$'),
        "{cpu}"
    );
    assert_eq!(cpu["direction"], "up");
    assert_eq!(
        cpu["services"],
        json!([{ "service": "beta", "high": 70.0, "critical": 95.0 }])
    );
    refused(bellwether, 400, &["/api/v1/catalogue?x=1"]).await;
}

async fn findings(bellwether: &Bellwether) {
    let all = ok(bellwether, "/api/v1/findings").await;
    let services = |page: &Value| -> Vec<String> {
        let service = |item: &Value| item["service"].as_str().unwrap().to_owned();
        items(page)
            .iter()
            .filter(|i| i["id"] == "cpu")
            .map(service)
            .collect()
    };
    assert_eq!(services(&all), ["alpha", "beta", "gamma"]);
    let critical = ok(bellwether, "/api/v1/findings?severity=Critical&limit=1").await;
    assert_eq!(services(&critical), ["alpha"]);
    let cursor = critical["next_cursor"]
        .as_str()
        .expect("one more")
        .replace(' ', "%20");
    let path = format!("/api/v1/findings?severity=Critical&limit=1&cursor={cursor}");
    let critical = ok(bellwether, &path).await;
    assert_eq!(services(&critical), ["beta"]);
    assert_eq!(critical["next_cursor"], Value::Null);
    let one = ok(
        bellwether,
        "/api/v1/findings?service=gamma&prediction=Normal",
    )
    .await;
    assert_eq!(services(&one), ["gamma"]);
    refused(
        bellwether,
        400,
        &[
            "/api/v1/findings?severity=Bad",
            "/api/v1/findings?limit=0",
            "/api/v1/findings?cursor=x",
        ],
    )
    .await;
    refused(bellwether, 404, &["/api/v1/findings?service=..%2f..%2fetc"]).await;
}

async fn series(bellwether: &Bellwether) {
    let path = "/api/v1/series?service=alpha&metric=cpu";
    let short = ok(
        bellwether,
        &format!("{path}&from={}", now() - Duration::from_secs(120)),
    )
    .await;
    let points = short["points"].as_array().expect("a list");
    assert_eq!(short["samples"], points.len());
    let newest = points.last().expect("a point");
    assert!(newest["value"].as_f64() > Some(90.0), "{newest}");
    assert_eq!(newest["severity"], "Critical");
    assert!(newest["expected"].is_f64());
    assert_eq!(
        (&short["high"], &short["unit"]),
        (&json!(85.0), &json!("%"))
    );
    assert_eq!(short["incidents"][0]["member"], true);

    let from = now() - 14 * HOUR;
    let long = ok(bellwether, &format!("{path}&from={from}&points=30")).await;
    let points = long["points"].as_array().expect("a list");
    assert!(
        points.len() <= 30 && long["samples"].as_u64() > Some(500),
        "{long}"
    );
    let most = |points: &[Value]| {
        let values = points.iter().filter_map(|p| p["value"].as_f64());
        values.fold(f64::MIN, f64::max)
    };
    let whole = ok(bellwether, &format!("{path}&from={from}&points=5000")).await;
    assert_eq!(
        most(points),
        most(whole["points"].as_array().unwrap()),
        "no spike disappears"
    );
    // Two hours before the past began.
    let gap = &long["gaps"][0];
    assert_eq!(gap["reason"], "not_running", "{gap}");
    let length = at(&gap["to"]).since(at(&gap["from"]));
    assert!(length > HOUR && length < 3 * HOUR, "{gap}");
    let stepped = ok(bellwether, &format!("{path}&step=30m")).await;
    assert_eq!(stepped["step_seconds"], 1_800.0);
    refused(
        bellwether,
        400,
        &[
            "/api/v1/series?service=alpha",
            "/api/v1/series?metric=cpu",
            &format!("{path}&from=2016-01-01T00:00:00Z"),
            &format!("{path}&from={}&to=1", now()),
            &format!("{path}&step=1s&from={from}"),
            &format!("{path}&step=0s"),
            &format!("{path}&points=5001"),
            &format!("{path}&points=5&step=1h"),
            &format!("{path}&from=-9e18"),
        ],
    )
    .await;
    refused(
        bellwether,
        404,
        &[
            "/api/v1/series?service=alpha&metric=nope",
            "/api/v1/series?service=nobody&metric=cpu",
        ],
    )
    .await;
}

async fn models(bellwether: &Bellwether) {
    let page = ok(bellwether, "/api/v1/models?service=alpha&metric=cpu").await;
    let [item] = &items(&page)[..] else {
        panic!("one model: {page}");
    };
    assert!(item["model"]["rows"].as_u64() > Some(200), "{item}");
    assert_eq!(item["last_outcome"]["outcome"], "trained");
    assert_eq!(item["model"]["parameters"]["trees"], 100);
    assert!(item["next_training_ts"].is_string());
    let (_, metrics) = bellwether.get("/metrics?service=alpha").await;
    let cpu = metrics["metrics"].as_array().unwrap();
    let cpu = cpu.iter().find(|m| m["id"] == "cpu").expect("cpu");
    assert_eq!(cpu["model"], item["model"]["hash"]);
    refused(
        bellwether,
        400,
        &["/api/v1/models?metric=../x", "/api/v1/models?limit=201"],
    )
    .await;
}

async fn datasets(bellwether: &Bellwether) {
    let page = ok(bellwether, "/api/v1/datasets?service=alpha").await;
    let item = &items(&page)[0];
    assert!(item["anomaly"]["rows"].as_u64() > Some(0), "{item}");
    // Gamma is calm: its rows only grow.
    let page = ok(bellwether, "/api/v1/datasets?service=gamma").await;
    let rows = items(&page)[0]["history"]["rows"]
        .as_u64()
        .expect("a number");
    let path = "/api/v1/datasets/rows?service=gamma&metric=cpu&part=history";
    let (mut found, mut cursor) = (0, String::new());
    let until = &items(&page)[0]["history"]["last_ts"];
    let until = until.as_str().expect("a time");
    loop {
        let page = ok(bellwether, &format!("{path}&to={until}&limit=200{cursor}")).await;
        found += items(&page).len() as u64;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, rows);

    let url = format!(
        "{}/api/v1/datasets/download?service=gamma&metric=cpu",
        bellwether.url
    );
    let answer = client().get(url).send().await.expect("an answer");
    assert_eq!(
        answer.headers()["content-disposition"],
        "attachment; filename=\"gamma-cpu-history.csv\""
    );
    let text = answer.text().await.expect("text");
    let file = bellwether.data_dir().join("datasets/gamma/history/cpu.csv");
    let file = fs::read_to_string(file).expect("the dataset");
    assert!(
        file.starts_with(&text),
        "the file goes on where the download ended"
    );
    assert!(text.lines().count() as u64 > rows);
    // Formulas that somebody wrote into the file go no further.
    let edited = bellwether.data_dir().join("datasets/gamma/history/cpu.csv");
    fs::write(
        &edited,
        format!("{file}=cmd|' /C calc'!A0,1,Normal,Normal,,,,,,,,\n"),
    )
    .expect("edited");
    let url = format!(
        "{}/api/v1/datasets/download?service=gamma&metric=cpu",
        bellwether.url
    );
    let text = client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("cmd"));
    refused(
        bellwether,
        404,
        &[
            "/api/v1/datasets/download?service=..%2f..%2f&metric=cpu",
            "/api/v1/datasets/download?service=gamma&metric=..%2f..%2fconfig.yaml",
            "/api/v1/datasets/download?service=gamma&metric=cpu.csv%00.png",
        ],
    )
    .await;
    refused(
        bellwether,
        400,
        &[
            "/api/v1/datasets/download?service=gamma&metric=cpu&part=../history",
            "/api/v1/datasets/rows?service=gamma&metric=cpu&cursor=x",
            "/api/v1/datasets?limit=101",
        ],
    )
    .await;
}

async fn configuration(bellwether: &Bellwether) {
    let body = ok(bellwether, "/api/v1/config").await;
    assert_eq!(body["config"]["tick"], "1s");
    assert_eq!(
        body["config"]["prometheus"]["headers"]["X-Token"],
        "<secret>"
    );
    let (_, yaml) = bellwether.get("/api/v1/config?format=yaml").await;
    assert!(yaml.as_str().expect("text").contains("tick: 1s"));
    for text in [body.to_string(), yaml.to_string()] {
        assert!(!text.contains(TOKEN));
    }
    refused(bellwether, 400, &["/api/v1/config?format=toml"]).await;
}

async fn bulk(bellwether: &Bellwether) {
    let path = "/api/v1/incidents/bulk";
    let body = json!({ "ids": [1, 2, 99], "action": "ack", "note": "the release" });
    let (status, answer) = bellwether.post(path, Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["done"], 2);
    assert_eq!(answer["items"][2]["status"], 404);
    for incident in bellwether.incidents().await {
        assert_eq!(incident["status"], "ACKNOWLEDGED");
    }
    let found = ok(bellwether, "/api/v1/incidents?text=release").await;
    assert_eq!(items(&found).len(), 2);
    let found = ok(bellwether, "/api/v1/incidents?text=nowhere").await;
    assert_eq!(items(&found).len(), 0);
    for body in [
        json!({ "ids": [], "action": "ack" }),
        json!({ "ids": [1, 1], "action": "ack" }),
        json!({ "ids": (0..201).collect::<Vec<u64>>(), "action": "ack" }),
        json!({ "ids": [1], "action": "delete" }),
        json!({ "ids": [1], "action": "ack", "extra": 1 }),
        json!({ "ids": [-1], "action": "ack" }),
    ] {
        let (status, answer) = bellwether.post(path, Some(body.clone())).await;
        assert_eq!(status, 400, "{body}: {answer}");
    }
}

async fn jobs(bellwether: &Bellwether) {
    for service in ["alpha", "beta"] {
        let path = format!("/retrain?service={service}&wait=true");
        let (status, _) = bellwether.post(&path, None).await;
        assert_eq!(status, 200);
    }
    let all = ok(bellwether, "/api/v1/jobs").await;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ok(bellwether, &format!("/api/v1/jobs?limit=1{cursor}")).await;
        found.extend(items(&page).iter().map(|job| job["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    let ids: Vec<Value> = items(&all).iter().map(|job| job["id"].clone()).collect();
    assert!(ids.len() >= 3);
    assert_eq!(found, ids);
    refused(bellwether, 400, &["/api/v1/jobs?cursor=train-0-0"]).await;
}

fn at(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("a time")
}
