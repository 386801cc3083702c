//! Every expression here and in a real Prometheus with the same samples: the same points, to nine
//! digits.
//!
//! `TEST_PROMETHEUS` names another binary than the `prometheus` of the path.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use embedded::Labels;
use embedded::promql::queries::{self, Query};
use embedded::promql::{PromqlError, range, range_json};
use embedded::store::{Absent, SeriesRef, Store, StoreSettings};
use serde_json::Value;

use crate::samples::Series;
use crate::{expressions, samples};

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path, openmetrics: &str) -> Server {
        std::fs::write(folder.join("samples.om"), openmetrics).unwrap();
        std::fs::write(folder.join("prometheus.yml"), "global: {}\n").unwrap();
        let made = Command::new("promtool")
            .args([
                "tsdb",
                "create-blocks-from",
                "openmetrics",
                "samples.om",
                "tsdb",
            ])
            .current_dir(folder)
            .stdout(Stdio::null())
            .status();
        let made = made.expect("promtool is there, of Debian's package prometheus");
        assert!(made.success(), "promtool refuses the samples");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let binary = std::env::var_os("TEST_PROMETHEUS").unwrap_or("prometheus".into());
        let child = Command::new(binary)
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=tsdb")
            .arg("--storage.tsdb.retention.time=90y")
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("prometheus is there, of Debian's package");
        let server = Server { child, address };
        for _ in 0..300 {
            if server
                .ask("GET /-/ready", "")
                .is_some_and(|answer| answer.contains(" 200 "))
            {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("Prometheus doesn't come up");
    }

    fn ask(&self, request: &str, body: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let kind = "application/x-www-form-urlencoded";
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.0\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn json(&self, request: &str, body: &str) -> Value {
        let answer = self.ask(request, body).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Of the third generation: it knows names in quotes. Versions are empty where somebody built
    /// it himself.
    fn is_three(&self) -> bool {
        let answer = self.json("POST /api/v1/query", "query=%7B%22up%22%7D");
        answer["status"] == "success"
    }

    fn range(&self, query: &Query) -> Value {
        let encoded: String = query
            .expression
            .text()
            .bytes()
            .map(|b| format!("%{b:02X}"))
            .collect();
        let seconds = |ms: i64| ms as f64 / 1000.0;
        let body = format!(
            "query={encoded}&start={}&end={}&step={}",
            seconds(query.start_ms),
            seconds(query.end_ms),
            seconds(query.step_ms)
        );
        self.json("POST /api/v1/query_range", &body)
    }
}

/// By labels and time in milliseconds.
type Points = BTreeMap<(String, i64), f64>;

fn points(answer: &Value) -> Points {
    let mut points = Points::new();
    for series in answer["data"]["result"].as_array().unwrap() {
        let labels = series["metric"].to_string();
        for point in series["values"].as_array().unwrap() {
            let time_ms = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            let value = point[1].as_str().unwrap().parse().unwrap();
            points.insert((labels.clone(), time_ms), value);
        }
    }
    points
}

fn are_equal(ours: f64, theirs: f64) -> bool {
    ours == theirs
        || (ours.is_nan() && theirs.is_nan())
        || (ours - theirs).abs() <= 1e-9 * ours.abs().max(theirs.abs())
}

/// The first difference, if there is any, and how many points there were.
fn difference(ours: &Points, theirs: &Points) -> Option<String> {
    for (key, value) in theirs {
        match ours.get(key) {
            Some(mine) if are_equal(*mine, *value) => {}
            mine => return Some(format!("{key:?}: {mine:?} instead of {value:?}")),
        }
    }
    let more = ours.iter().find(|(key, _)| !theirs.contains_key(*key));
    more.map(|(key, value)| format!("{key:?}: {value:?} instead of nothing"))
}

#[test]
fn every_point_is_that_of_a_real_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let series = samples::all();
    let server = Server::start(folder.path(), &samples::openmetrics(&series));
    let store = stored(&series);
    let mut list = expressions::queries();
    if server.is_three() {
        list += &expressions::queries_of_three();
    }
    let queries = queries::read(&list).unwrap();
    assert!(queries.len() > 100, "{}", queries.len());
    let mut wrong = Vec::new();
    let mut compared = 0;
    for query in &queries {
        let text = query.expression.text();
        let theirs = server.range(query);
        match ours(&store, query) {
            Err(error) => wrong.push(format!("{text}\n    {error}")),
            Ok(_) if theirs["status"] != "success" => {
                wrong.push(format!("{text}\n    refused by Prometheus: {theirs}"));
            }
            Ok(ours) => {
                let theirs = points(&theirs);
                compared += theirs.len();
                let difference = difference(&points(&ours), &theirs);
                wrong.extend(difference.map(|difference| format!("{text}\n    {difference}")));
            }
        }
    }
    for query in queries::read(&expressions::failing_queries()).unwrap() {
        let text = query.expression.text();
        let theirs = server.range(&query);
        let theirs = theirs["error"].as_str().unwrap_or("no error");
        let ours = ours(&store, &query).map_or_else(|error| error.to_string(), |_| String::new());
        // Of several groups and series, Prometheus 2 names any.
        let wanted = theirs.split(" for the match group").next().unwrap();
        if !ours.starts_with(wanted) {
            wrong.push(format!("{text}\n    {ours:?} instead of {theirs:?}"));
        }
    }
    let generation = if server.is_three() { 3 } else { 2 };
    figure(
        generation,
        &format!(
            "{} of {} expressions equal, {compared} points",
            queries.len() - wrong.len().min(queries.len()),
            queries.len()
        ),
        wrong.is_empty() && compared > 20_000,
    );
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        compared > 20_000,
        "only {compared} points are there to be compared"
    );
}

/// A line for `make show-embedded`.
fn figure(generation: u32, figure: &str, pass: bool) {
    let verdict = if pass { "pass" } else { "short" };
    let what = format!("PromQL of the embedded store beside a real Prometheus {generation}");
    let line = format!("embedded 2\t{what}\t{figure}\tall points equal to 1e-9\t{verdict}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os("BELLWETHER_FIGURES") {
        let file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}

/// The samples in the store, in the order of time.
fn stored(all: &[Series]) -> Store {
    let settings = StoreSettings {
        retention: Duration::from_secs(100 * 365 * 86_400),
        memory_max: u64::MAX,
        ..StoreSettings::default()
    };
    let store = Store::open(settings, 0).unwrap().store;
    let target = store.target(&Labels::default());
    let mut by_time: BTreeMap<i64, Vec<(SeriesRef, f64)>> = BTreeMap::new();
    for series in all {
        let labels = series
            .labels
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let known = store.series(target, &Labels::new(labels));
        for (time_ms, value) in &series.samples {
            by_time.entry(*time_ms).or_default().push((known, *value));
        }
    }
    for (time, values) in by_time {
        store
            .append(target, time, &values, Absent::Unknown)
            .unwrap();
    }
    store
}

fn ours(store: &Store, query: &Query) -> Result<Value, PromqlError> {
    let series = range(
        store,
        &query.expression,
        query.start_ms,
        query.end_ms,
        query.step_ms,
    )?;
    Ok(serde_json::from_str(&range_json(&series)).unwrap())
}
