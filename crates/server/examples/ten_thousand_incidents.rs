//! Ten thousand incidents over the API: writes a data directory that holds them, and measures a
//! server that runs on it. `scripts/bench_incidents.sh` does both:
//!
//! `ten_thousand_incidents write DIR [SERVICES]` and `ten_thousand_incidents measure URL`; SERVICES
//! is a file with a service's name on each line, else they are `service-0` to `service-999`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{
    Actor, Band, Breakdown, BreakdownOutcome, BreakdownPart, ChangeFact, ChangeKind, Changes,
    Component, ComponentScore, Direction, Evidence, Incident, IncidentId, IncidentKind, LogLevel,
    LogLine, LogOutcome, LogPattern, LogPatterns, LogWindow, Member, MetricId, ModelRef,
    OpenedBecause, PatternBasis, PatternChange, Precedent, Prediction, Resolution, Sample,
    ServiceId, Severity, Shift, Shifts, SimilarIncident, Snooze, Status, Thresholds, TimelineEntry,
    TimelineEvent, Timestamp, Unusual,
};
use serde_json::{Value, json};
use store::{DataDir, Database, TickCommit};

const INCIDENTS: u64 = 10_000;
const SERVICES: u64 = 1_000;
/// So many of the newest incidents fire.
const FIRING: u64 = 800;
/// Services of a file are watched, and what fires is not learnt from: of so many fires one.
const WATCHED_OF_FIRING: u64 = 10;
/// Of ten incidents so many are open or acknowledged: the engine holds them.
const UNRESOLVED_OF_TEN: u64 = 4;
const WRITTEN_AT_ONCE: u64 = 250;
const LOG_LINES: u64 = 40;
const PEOPLE: [&str; 3] = ["kim", "mara", "zoë"];
/// Measured requests of each kind, after some that warm up.
const ROUNDS: usize = 100;
const WARM_UP: usize = 5;
const LISTS: [&str; 8] = [
    "status=OPEN&sort=-severity",
    "status=OPEN,ACKNOWLEDGED&severity=Critical&sort=-last_seen",
    "status=RESOLVED&severity=High&sort=severity",
    "owner=&kind=metrics&sort=-opened",
    "owner=kim&sort=service",
    "firing=true&sort=last_seen",
    "snoozed=true&sort=opened",
    "service=service-17&sort=-id",
];

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["write", dir] => write(Path::new(dir), &Services::numbered()?).await,
        ["write", dir, names] => {
            let services = Services::read(Path::new(names))?;
            write(Path::new(dir), &services).await
        }
        ["measure", url] => measure(url).await,
        _ => Err("say `write DIR [SERVICES]` or `measure URL`".into()),
    }
}

/// Who has incidents, in turns.
struct Services {
    names: Vec<ServiceId>,
    /// So many of the newest incidents fire, each of another service.
    firing: u64,
}

impl Services {
    fn numbered() -> Result<Self, Box<dyn Error>> {
        let names = (0..SERVICES).map(|number| ServiceId::new(&format!("service-{number}")));
        Ok(Services {
            names: names.collect::<Result<_, _>>()?,
            firing: FIRING,
        })
    }

    fn read(file: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(file)?;
        let names: Vec<ServiceId> = text.lines().map(ServiceId::new).collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Err(format!("{} names no service", file.display()).into());
        }
        let firing = names.len() as u64 / WATCHED_OF_FIRING;
        Ok(Services { names, firing })
    }

    fn count(&self) -> u64 {
        self.names.len() as u64
    }

    fn of(&self, id: u64) -> &ServiceId {
        &self.names[(id % self.count()) as usize]
    }
}

async fn write(dir: &Path, services: &Services) -> Outcome {
    let now = Timestamp::from_millis(simulator::system_clock()());
    let data_dir = DataDir::open(dir, now)?;
    let database = Database::open(data_dir.paths()).await?.database;
    for first in (1..=INCIDENTS).step_by(WRITTEN_AT_ONCE as usize) {
        let incidents = (first..first + WRITTEN_AT_ONCE).map(|id| incident(id, services, now));
        let tick = TickCommit {
            incidents: incidents.collect::<Result<_, _>>()?,
            ..TickCommit::default()
        };
        database.commit_tick(tick).await?;
    }
    database.close().await;
    Ok(())
}

/// Lists in several orders, then every kind of change, on one connection.
async fn measure(url: &str) -> Outcome {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (mut lists, mut changes) = (Group::default(), Group::default());
    for query in LISTS {
        let mut path = format!("{url}/api/v1/incidents?limit=100&{query}");
        for page in ["first", "second"] {
            let (took, last) = timed(|_| client.get(&path)).await?;
            lists.add(&format!("{page} page of {query}"), took);
            let Some(cursor) = last["next_cursor"].as_str() else {
                break;
            };
            path += &format!("&cursor={cursor}");
        }
    }
    let open = numbers(&client, url, "status=OPEN&sort=id").await?;
    let resolved = numbers(&client, url, "status=RESOLVED&sort=-id").await?;
    let note = json!({ "note": "what an operator writes while looking at it" });
    for (action, body, of) in [
        ("comment", note.clone(), &open),
        ("assign", json!({ "owner": "noor" }), &open),
        ("severity", json!({ "severity": "Critical" }), &open),
        ("snooze", json!({ "for": "2h" }), &open),
        ("ack", note.clone(), &open),
        ("resolve", note.clone(), &open),
        // The engine doesn't hold them.
        ("reopen", note, &resolved),
    ] {
        let request = |round: usize| {
            let id = of[round % of.len()];
            let path = format!("{url}/api/v1/incidents/{id}/{action}");
            client.post(path).json(&body)
        };
        let (took, _) = timed(request).await?;
        changes.add(action, took);
    }
    lists.say(
        "list of 10,000 incidents, filtered and sorted, 100 a page",
        50.0,
    );
    changes.say("one change of state among 10,000 incidents", 20.0);
    Ok(())
}

/// The numbers of as many incidents as are measured.
async fn numbers(
    client: &reqwest::Client,
    url: &str,
    query: &str,
) -> Result<Vec<u64>, Box<dyn Error>> {
    let limit = ROUNDS + WARM_UP;
    let path = format!("{url}/api/v1/incidents?limit={limit}&{query}");
    let page: Value = client.get(path).send().await?.json().await?;
    let items = page["items"].as_array().ok_or("no list")?;
    let numbers: Vec<u64> = items.iter().filter_map(|i| i["id"].as_u64()).collect();
    match numbers.len() {
        found if found == limit => Ok(numbers),
        found => Err(format!("{found} incidents are {query}; {limit} are measured").into()),
    }
}

/// Milliseconds from sending each request to the whole of its answer; and the last answer.
async fn timed(
    request: impl Fn(usize) -> reqwest::RequestBuilder,
) -> Result<(Vec<f64>, Value), Box<dyn Error>> {
    let (mut took, mut last) = (Vec::new(), Value::Null);
    for round in 0..ROUNDS + WARM_UP {
        let request = request(round);
        let began = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        let elapsed = began.elapsed();
        last = serde_json::from_slice(&bytes)?;
        if !status.is_success() {
            return Err(format!("{status}: {last}").into());
        }
        if round >= WARM_UP {
            took.push(elapsed.as_secs_f64() * 1000.0);
        }
    }
    Ok((took, last))
}

/// Requests of several kinds that have one bar.
#[derive(Default)]
struct Group {
    took: Vec<f64>,
    kinds: usize,
    /// The median of the slowest kind, and its name.
    slowest: (f64, String),
}

impl Group {
    fn add(&mut self, what: &str, mut took: Vec<f64>) {
        took.sort_by(f64::total_cmp);
        let (median, p99) = (quantile(&took, 0.5), quantile(&took, 0.99));
        println!("{what}: median {median:.1} ms, p99 {p99:.1} ms");
        if median > self.slowest.0 {
            self.slowest = (median, what.to_owned());
        }
        self.took.extend(took);
        self.kinds += 1;
    }

    /// The line that the script reads: what, figure, bar and verdict.
    fn say(mut self, what: &str, bar: f64) {
        self.took.sort_by(f64::total_cmp);
        let (median, p99) = (quantile(&self.took, 0.5), quantile(&self.took, 0.99));
        let verdict = if p99 <= bar { "pass" } else { "short" };
        let (slowest, of_slowest) = (self.slowest.1, self.slowest.0);
        println!("slowest by its median, {of_slowest:.1} ms: {slowest}");
        let (requests, kinds) = (self.took.len(), self.kinds);
        println!(
            "FIGURE\t{what}\tmedian {median:.1} ms, p99 {p99:.1} ms; {requests} requests of {kinds} kinds\tp99 ≤ {bar} ms\t{verdict}"
        );
    }
}

/// Of values in ascending order.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Statuses, severities, owners and services in a mixture; texts and evidence as long as real ones.
fn incident(id: u64, services: &Services, now: Timestamp) -> Result<Incident, Box<dyn Error>> {
    let before = |minutes: u64| now - Duration::from_secs(60 * minutes);
    // Those with greater numbers are newer; the newest of a service may fire.
    let age = 120 + (INCIDENTS - id) * 3;
    let (service, count) = (services.of(id), services.count());
    let firing = id > INCIDENTS - services.firing;
    let status = match id * 7_919 % 10 {
        _ if firing => Status::Open,
        0 => Status::Acknowledged,
        of_ten if of_ten < UNRESOLVED_OF_TEN => Status::Open,
        _ => Status::Resolved,
    };
    let resolved = status == Status::Resolved;
    let severity = [Severity::High, Severity::Critical][(id * 31 % 3 % 2) as usize];
    let person = PEOPLE[(id % 3) as usize].to_owned();
    let by = || Actor::Unverified(person.clone());
    let opened = before(age);
    let ended = (!firing).then(|| before(age - 40));
    let note = || Some("rolled back to the version before, more connections".to_owned());
    let lat = MetricId::new("lat")?;
    let summary = format!(
        "{service}: Latency p99 is 1,240 ms, past High 1,000 ms, expected 162 ms (61.8 to 262), since {opened}; outside everything seen in training, 147 to 181 ms"
    );
    let opened_because = OpenedBecause::CrossingAndAnomaly;
    let mut timeline = Vec::new();
    let mut tell = |minutes: u64, actor: Actor, what: TimelineEvent| {
        let at = before(age - minutes);
        timeline.push(TimelineEntry { at, actor, what });
    };
    let because = opened_because;
    let text = summary.clone();
    tell(
        0,
        Actor::Bellwether,
        TimelineEvent::Opened { because, text },
    );
    let lines = LOG_LINES as usize;
    tell(1, Actor::Bellwether, TimelineEvent::LogsAttached { lines });
    for minute in 2..8 {
        let text = "looking at the connections of the pool, see the runbook".to_owned();
        tell(minute, by(), TimelineEvent::Commented { text });
    }
    if resolved {
        tell(50, by(), TimelineEvent::Resolved { note: note() });
    }
    Ok(Incident {
        id: IncidentId(id),
        service: service.clone(),
        kind: match id % 20 {
            0 => IncidentKind::Availability,
            _ => IncidentKind::Metrics,
        },
        status,
        firing,
        severity,
        worst_severity: severity,
        operator_severity: id.is_multiple_of(11).then_some(Severity::High),
        owner: (!id.is_multiple_of(4)).then(|| person.clone()),
        snooze: (!resolved && id.is_multiple_of(9)).then(|| Snooze {
            by: by(),
            until: None,
        }),
        resolution: resolved.then(|| Resolution {
            at: before(age - 50),
            by: by(),
            note: note(),
            decommissioned: false,
        }),
        opened_because,
        summary,
        onset: before(age + 1),
        first_crossing: opened,
        opened,
        last_seen: ended.unwrap_or(now),
        ended,
        members: vec![Member {
            metric: lat.clone(),
            onset: before(age + 1),
            onset_between: (before(age + 2), opened),
            first_crossing: opened,
            last_firing: ended.unwrap_or(now),
            worst: 1_240.0 + id as f64,
            worst_at: before(age - 10),
            severity,
            thresholds: THRESHOLDS,
        }],
        follows: (id > count).then(|| IncidentId(id - count)),
        logs: Some(Arc::new(logs(id, opened))),
        evidence: Arc::new(evidence(id, services, opened, &lat)),
        timeline,
    })
}

const THRESHOLDS: Thresholds = Thresholds {
    high: Some(1_000.0),
    critical: Some(3_000.0),
};

fn logs(id: u64, opened: Timestamp) -> LogWindow {
    let line = |number: u64| LogLine {
        time: opened + Duration::from_millis(250 * number),
        level: LogLevel::Error,
        logger: Some("org.example.orders.Pool".to_owned()),
        message: format!("order {id}-{number}: no connection within 30 s, 10 in use, 7 waiting"),
        exception: None,
        stack_trace: number
            .is_multiple_of(8)
            .then(|| "at org.example.orders.Pool.take(Pool.java:12)\n".repeat(20)),
        trace_id: Some(format!("{:032x}", id * 977 + number)),
        span_id: None,
        cut: false,
    };
    LogWindow {
        from: opened - Duration::from_secs(60),
        to: opened + Duration::from_secs(60),
        outcome: LogOutcome::Found,
        lines: (0..LOG_LINES).map(line).collect(),
        omitted: 12,
        malformed: 0,
    }
}

fn evidence(id: u64, services: &Services, opened: Timestamp, lat: &MetricId) -> Evidence {
    let before = |minutes: u64| opened - Duration::from_secs(60 * minutes);
    let service = services.of(id);
    let query = |condition: &str| {
        format!(
            "1000 * histogram_quantile(0.99, sum by (le) (rate(http_server_requests_seconds_bucket{{service=\"{service}\",uri!~\"/actuator.*\",{condition}}}[300s])))"
        )
    };
    let fact = |kind| ChangeFact {
        at: before(2),
        service: Some(service.clone()),
        kind,
    };
    let version = ChangeKind::Version {
        from: "1.0.0".into(),
        to: "1.1.0".into(),
    };
    let changes = Changes {
        from: before(60),
        to: opened,
        facts: vec![fact(ChangeKind::Restarted), fact(version)],
        omitted: 0,
        known_from: None,
    };
    let shift = |metric: &str| Shift {
        metric: metric.to_owned(),
        title: format!("The metric {metric}"),
        unit: "ms".to_owned(),
        effect: 32.7,
        before: 149.6,
        during: 1_240.1,
        spread: 1.62,
        samples_before: 48,
        samples_during: 12,
        query: query("status!=\"404\""),
        text: format!(
            "{metric} rose from 150 ms to 1,240 ms, 32.7 times the 33.3 ms that count as usual"
        ),
    };
    let part = |value: &str| BreakdownPart {
        value: value.to_owned(),
        share: 0.25,
        alone: Some(1_506.4),
        without: Some(1_475.9),
        carries: false,
        query: query(&format!("uri!=\"{value}\"")),
    };
    let breakdown = |label: &str| Breakdown {
        metric: lat.clone(),
        of: "server requests".to_owned(),
        label: label.to_owned(),
        unit: "ms".to_owned(),
        at: opened,
        whole: Some(1_481.8),
        limit: 1_000.0,
        parts: ["/a", "/b/{id}", "/c", "/d/{id}/e"].map(part).into(),
        omitted: 0,
        outcome: BreakdownOutcome::Spread,
        text: format!("server requests by {label}: no single value carries it"),
    };
    let similar = |past: u64| SimilarIncident {
        id: IncidentId(past),
        opened: before(1_000),
        lasted: Some(Duration::from_secs(2_400)),
        status: Status::Resolved,
        shared: vec![lat.clone()],
        shared_patterns: Vec::new(),
        similarity: 1.0,
        resolved_by: Some("kim".to_owned()),
        last_comment: Some("rolled back to the version before, more connections".to_owned()),
        summary: format!("{service}: Latency p99 is 1,240 ms, past High 1,000 ms"),
    };
    let ranked = ["lat", "pool_pending", "log_errors", "calls_p99"];
    let labels = ["uri", "status", "exception", "instance", "method"];
    let past = (1..=5).map(|times| times * services.count());
    Evidence {
        changes: Some(changes),
        shifts: Some(Shifts {
            baseline_from: before(8),
            from: before(1),
            to: opened + Duration::from_secs(60),
            ranked: ranked.map(shift).into(),
            steady: ["cpu", "mem", "error_ratio"].map(str::to_owned).into(),
            too_few: Vec::new(),
        }),
        breakdowns: labels.map(breakdown).into(),
        unusual: vec![unusual(opened, lat)],
        similar: Some(
            past.filter(|less| *less < id)
                .map(|less| similar(id - less))
                .collect(),
        ),
        failed: Vec::new(),
        patterns: Some(patterns(id, opened, service)),
    }
}

/// Ten patterns with three samples each.
fn patterns(id: u64, opened: Timestamp, service: &ServiceId) -> LogPatterns {
    let before = |minutes: u64| opened - Duration::from_secs(60 * minutes);
    let lines = logs(id, opened).lines;
    let pattern = |number: u64| LogPattern {
        id: format!(
            "{:016x}",
            0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number + 1)
        ),
        service: service.clone(),
        template: format!("call {number} to payments took <*> ms (expected below <*> ms)"),
        level: LogLevel::Warn,
        logger: Some("shop.orders.PaymentsClient".to_owned()),
        exception: None,
        change: PatternChange::New,
        before: 0,
        during: 42,
        rate_before: 0.0,
        rate_during: 0.4,
        basis: PatternBasis::PerTrace,
        effect: 12.5,
        first_seen: before(1),
        last_seen: opened,
        samples: lines.iter().take(3).cloned().collect(),
        trace_ids: lines
            .iter()
            .filter_map(|line| line.trace_id.clone())
            .take(5)
            .collect(),
        also: Vec::new(),
        text: "new: 42 lines in 2 m, none in the 1 h before".to_owned(),
    };
    LogPatterns {
        ranked: (0..10).map(pattern).collect(),
        ..LogPatterns::without_any(LogOutcome::Found, before(62), before(2), opened)
    }
}

fn unusual(opened: Timestamp, lat: &MetricId) -> Unusual {
    let before = |minutes: u64| opened - Duration::from_secs(60 * minutes);
    let component = |component| ComponentScore {
        component,
        statistic: 0.72,
        threshold: None,
        rarity: 4.9,
    };
    Unusual {
        metric: lat.clone(),
        title: "Latency p99".to_owned(),
        unit: "ms".to_owned(),
        at: opened,
        actual: 1_240.0,
        severity: Severity::High,
        thresholds: THRESHOLDS,
        direction: Direction::Up,
        minimum_deviation: 100.0,
        prediction: Prediction::Anomaly,
        reason: None,
        band: Some(Band {
            expected: 162.0,
            lower: 61.8,
            upper: 262.0,
        }),
        score: Some(8.0),
        limit: Some(2.1),
        components: Component::ALL.map(component).into(),
        contributions: Some([0.06, 0.09, 0.04, 0.07, 0.01]),
        model: Some(ModelRef {
            hash: "917b9d65f714439b".into(),
            trained_at: before(500),
        }),
        precedent: Some(Precedent {
            from: before(10_000),
            to: before(1),
            rows: 9_980,
            as_extreme: 0,
            most_extreme: Some(Sample {
                time: before(4_000),
                value: 181.0,
            }),
            week_before: None,
        }),
        text: vec![
            "Latency p99 was 1,240 ms; expected 162 ms, usually 61.8 to 262 ms".to_owned();
            6
        ],
    }
}
