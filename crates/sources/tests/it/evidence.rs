//! Queries for evidence against a Prometheus that answers by script.

use std::time::{Duration, Instant};

use domain::{Catalogue, LabelTable, MetricId, MetricSpec, ServiceId, TableStatistic, Timestamp};
use sources::{
    CollectSettings, Collector, EvidenceFailure, EvidenceQueries, Prometheus, PrometheusSettings,
    QueryError, ROWS_MAX,
};

use crate::mock::{EMPTY_MATRIX, EMPTY_VECTOR, Mock, Reply, Request, clock, json, response};

const T0: Timestamp = Timestamp::from_millis(1_795_348_800_000);

/// A service with a name that tries to end its string, and to be a placeholder.
const NASTY: &str = "pa\"y\\\n$value»{job=\"x\"}";

fn spec(id: &str) -> MetricSpec {
    let catalogue = Catalogue::default_three();
    catalogue.get(&MetricId::new(id).unwrap()).unwrap().clone()
}

fn error_ratio() -> MetricSpec {
    MetricSpec {
        id: MetricId::new("error_ratio").unwrap(),
        query: "100 * sum by ($identity) (rate(http_server_requests_seconds_count{status=~\"5..\"}[$range])) / sum by ($identity) (rate(http_server_requests_seconds_count[$range]))".into(),
        fallback: None,
        ..spec("lat")
    }
}

fn vector(series: &[(&[(&str, &str)], f64)]) -> String {
    let result: Vec<serde_json::Value> = series
        .iter()
        .map(|(labels, value)| {
            let metric: serde_json::Map<String, serde_json::Value> = labels
                .iter()
                .map(|(k, v)| (k.to_string(), (*v).into()))
                .collect();
            serde_json::json!({"metric": metric, "value": [1.0, value.to_string()]})
        })
        .collect();
    serde_json::json!({"status": "success", "data": {"resultType": "vector", "result": result}})
        .to_string()
}

/// Cumulative buckets at 100 ms, 1 s and above for each value of `label`.
fn buckets(label: &str, values: &[(&str, [f64; 3])]) -> String {
    let mut series: Vec<(Vec<(&str, &str)>, f64)> = Vec::new();
    for (value, rates) in values {
        for (le, rate) in ["0.1", "1.0", "+Inf"].into_iter().zip(rates) {
            series.push((vec![(label, value), ("le", le)], *rate));
        }
    }
    let series: Vec<(&[(&str, &str)], f64)> =
        series.iter().map(|(l, v)| (l.as_slice(), *v)).collect();
    vector(&series)
}

fn matrix(points: &[(f64, &str)]) -> String {
    serde_json::json!({"status": "success", "data": {"resultType": "matrix",
        "result": [{"metric": {}, "values": points}]}})
    .to_string()
}

fn evidence(client: Prometheus, service: &str, deadline: Duration) -> EvidenceQueries {
    let mut settings = CollectSettings::of(Catalogue::default_three());
    settings.identity = vec!["service".into()];
    settings.metric_deadline = deadline;
    let collector = Collector::new(client, settings).unwrap();
    collector.evidence(&ServiceId::new(service).unwrap())
}

async fn asked(
    service: &str,
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Mock, EvidenceQueries) {
    let mock = Mock::start(script).await;
    let queries = evidence(mock.client(), service, Duration::from_secs(5));
    (mock, queries)
}

fn queries(mock: &Mock) -> Vec<String> {
    let requests = mock.requests();
    let queries = requests.iter().map(|request| request.form["query"].clone());
    queries.collect()
}

fn is_by(request: &Request, label: &str) -> bool {
    request.form["query"].starts_with(&format!("sum by ({label}"))
}

fn found<'a>(tables: &'a [LabelTable], of: &str, label: &str) -> Option<&'a LabelTable> {
    tables.iter().find(|t| t.of == of && t.label == label)
}

#[tokio::test]
async fn latency_is_broken_down_by_each_label_in_eight_queries() {
    let (mock, queries_of_pay) = asked("pay", |request| {
        let rows: &[(&str, [f64; 3])] = &[("x", [1.0, 2.0, 3.0]), ("y", [0.0, 0.0, 9.0])];
        for label in ["uri", "status", "exception", "instance", "method"] {
            if is_by(request, label) {
                return json(&buckets(label, rows));
            }
        }
        json(&buckets("client_name", &[("ledger", [1.0, 1.0, 1.0])]))
    })
    .await;
    let answer = queries_of_pay.label_tables(&spec("lat"), T0).await;
    assert_eq!(answer.failures, []);
    assert_eq!(answer.queries, 8);
    assert_eq!(mock.requests().len(), 8);
    let shown: Vec<(&str, &str)> = answer
        .found
        .iter()
        .map(|t| (t.of.as_str(), t.label.as_str()))
        .collect();
    let server = |label| ("server requests", label);
    assert_eq!(
        shown,
        [
            server("uri"),
            server("status"),
            server("exception"),
            server("instance"),
            server("method"),
            ("outgoing calls", "client_name"),
            // The mock also answers these by uri; outcome nobody has.
            ("outgoing calls", "uri"),
        ]
    );
    let uri = &answer.found[0];
    assert_eq!(uri.at, T0);
    assert_eq!(
        uri.statistic,
        TableStatistic::Quantile {
            q: 0.99,
            scale: 1000.0
        }
    );
    // By traffic.
    assert_eq!(uri.rows[0].value, "y");
    assert_eq!(
        uri.rows[1].numbers,
        [(0.1, 1.0), (1.0, 2.0), (f64::INFINITY, 3.0)]
    );
    assert_eq!(
        uri.query_without,
        "1000 * histogram_quantile(0.99, sum by (le) (rate(http_server_requests_seconds_bucket{service=\"pay\",uri!~\"/actuator.*\",uri!=\"$value\"}[300s])))"
    );
    assert!(queries(&mock).contains(
        &"sum by (uri, le) (rate(http_server_requests_seconds_bucket{service=\"pay\",uri!~\"/actuator.*\"}[300s]))".to_owned()
    ));
}

#[tokio::test]
async fn names_and_values_from_outside_end_no_string() {
    let value = "/a\"b\\c\nd\u{1}é{}$value";
    let (mock, nasty) = asked(NASTY, move |request| {
        if is_by(request, "uri") {
            json(&buckets("uri", &[(value, [1.0, 1.0, 1.0])]))
        } else {
            json(EMPTY_VECTOR)
        }
    })
    .await;
    let answer = nasty.label_tables(&spec("lat"), T0).await;
    let table = &answer.found[0];
    assert_eq!(table.rows[0].value, value);
    for query in queries(&mock).iter().chain([&table.query_without]) {
        assert!(
            query.contains("{service=\"pa\\\"y\\\\\\n\\x24value»{job=\\\"x\\\"}\""),
            "{query}"
        );
        assert!(!query.contains('\n'), "{query}");
    }
    // One place for the value, although the service's name looks like it.
    assert_eq!(table.query_without.matches("$value").count(), 1);
    let filled = table.query_but(value);
    assert!(filled.contains("uri!=\"/a\\\"b\\\\c\\nd\\x01é{}$value\"}"));
}

#[tokio::test]
async fn warnings_are_kept_and_the_answer_is_taken() {
    let (_mock, pay) = asked("pay", |request| {
        let body = buckets("uri", &[("/a", [1.0, 1.0, 1.0])]);
        let body = body.replacen('{', r#"{"warnings":["a store is away"],"#, 1);
        json(if is_by(request, "uri") {
            &body
        } else {
            EMPTY_VECTOR
        })
    })
    .await;
    let answer = pay.label_tables(&spec("lat"), T0).await;
    assert_eq!(answer.found.len(), 1);
    assert_eq!(answer.warnings, ["latency by uri: a store is away"]);
    assert_eq!(answer.failures, []);
}

#[tokio::test]
async fn one_failing_query_stops_no_other() {
    let (_mock, pay) = asked("pay", |request| {
        if is_by(request, "status") {
            return response(
                422,
                "",
                br#"{"status":"error","errorType":"execution","error":"too many samples"}"#,
            );
        }
        json(&buckets("instance", &[("a:1", [1.0, 1.0, 1.0])]))
    })
    .await;
    let answer = pay.label_tables(&spec("lat"), T0).await;
    assert!(found(&answer.found, "server requests", "instance").is_some());
    assert_eq!(answer.failures.len(), 1);
    let said = answer.failures[0].to_string();
    assert!(said.starts_with("latency by status of pay: "), "{said}");
    assert!(said.contains("too many samples"), "{said}");
}

#[tokio::test]
async fn a_query_that_hangs_costs_its_deadline() {
    let mock = Mock::start(|request| {
        if is_by(request, "exception") {
            Reply::Hang
        } else {
            json(&buckets("uri", &[("/a", [1.0, 1.0, 1.0])]))
        }
    })
    .await;
    let deadline = Duration::from_millis(300);
    let begun = Instant::now();
    let answer = evidence(mock.client(), "pay", deadline)
        .label_tables(&spec("lat"), T0)
        .await;
    assert!(begun.elapsed() < deadline * 5);
    assert!(found(&answer.found, "server requests", "uri").is_some());
    assert!(
        matches!(&answer.failures[..], [EvidenceFailure::Query { purpose, cause: QueryError::Timeout { .. }, .. }] if purpose == "latency by exception"),
        "{:?}",
        answer.failures
    );
}

#[tokio::test]
async fn all_queries_together_are_bounded_in_time_and_in_flight() {
    let mock = Mock::start(|_| Reply::Hang).await;
    let deadline = Duration::from_millis(150);
    let begun = Instant::now();
    let answer = evidence(mock.client(), "pay", deadline)
        .shift_series(T0, T0 + Duration::from_secs(600), Duration::from_secs(15))
        .await;
    assert!(begun.elapsed() < deadline * 6, "{:?}", begun.elapsed());
    assert!(answer.found.is_empty());
    // Four deadlines, two at a time.
    assert!((4..=10).contains(&answer.queries), "{}", answer.queries);
    let last = answer.failures.last().unwrap();
    let unasked = 17 - answer.queries;
    assert!(
        matches!(last, EvidenceFailure::NotAsked { queries, .. } if *queries == unasked),
        "{last}"
    );
    assert!(last.to_string().contains("took all of the time"), "{last}");
}

#[tokio::test]
async fn who_asks_to_be_left_alone_is_left_alone() {
    let (mock, pay) = asked("pay", |_| {
        response(429, "Retry-After: 30\r\n", b"slow down")
    })
    .await;
    let answer = pay
        .shift_series(T0, T0 + Duration::from_secs(600), Duration::from_secs(15))
        .await;
    assert!(mock.requests().len() <= 2);
    let said: Vec<String> = answer.failures.iter().map(ToString::to_string).collect();
    assert!(said.len() <= 3, "{said:?}");
    assert!(said.last().unwrap().contains("left alone"), "{said:?}");
}

#[tokio::test]
async fn nobody_there_is_said_once() {
    let client = Prometheus::new(PrometheusSettings::at("http://127.0.0.1:1"), clock()).unwrap();
    let answer = evidence(client, "pay", Duration::from_secs(2))
        .label_tables(&spec("lat"), T0)
        .await;
    assert!(answer.found.is_empty());
    assert!(answer.queries <= 2, "{}", answer.queries);
    assert!(answer.failures.len() <= 3, "{:?}", answer.failures);
}

#[tokio::test]
async fn a_huge_answer_is_refused_and_the_others_are_taken() {
    let mock = Mock::start(|request| {
        if is_by(request, "uri") && request.form["query"].contains("http_server") {
            let head = b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n".to_vec();
            Reply::Endless(head, vec![b' '; 65_536])
        } else {
            json(&buckets("status", &[("200", [1.0, 1.0, 1.0])]))
        }
    })
    .await;
    let settings = PrometheusSettings {
        answer_bytes_max: 1 << 20,
        ..mock.settings()
    };
    let client = Prometheus::new(settings, clock()).unwrap();
    let answer = evidence(client, "pay", Duration::from_secs(5))
        .label_tables(&spec("lat"), T0)
        .await;
    assert!(found(&answer.found, "server requests", "status").is_some());
    let causes: Vec<&str> = answer
        .failures
        .iter()
        .map(|failure| match failure {
            EvidenceFailure::Query { cause, .. } => cause.kind(),
            _ => "other",
        })
        .collect();
    assert_eq!(causes, ["too_large"]);
}

#[tokio::test]
async fn too_many_values_are_merged_so_that_the_whole_stays_right() {
    let (_mock, pay) = asked("pay", |request| {
        let names: Vec<String> = (0..200).map(|i| format!("/{i}")).collect();
        let rows: Vec<(&str, [f64; 3])> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (name.as_str(), [1.0, 2.0, 3.0 + i as f64]))
            .collect();
        json(&buckets(
            if is_by(request, "uri") { "uri" } else { "none" },
            &rows,
        ))
    })
    .await;
    let answer = pay.label_tables(&spec("lat"), T0).await;
    let uri = found(&answer.found, "server requests", "uri").unwrap();
    assert_eq!(uri.rows.len(), ROWS_MAX);
    assert_eq!(uri.omitted, 151);
    assert_eq!(uri.rows[0].value, "/199");
    assert_eq!(uri.rows.last().unwrap().value, LabelTable::OTHERS);
    let whole = |bucket: usize| -> f64 { uri.rows.iter().map(|row| row.numbers[bucket].1).sum() };
    assert_eq!((whole(0), whole(1)), (200.0, 400.0));
    assert_eq!(whole(2), (0..200).map(|i| 3.0 + f64::from(i)).sum::<f64>());
}

#[tokio::test]
async fn a_query_of_ones_own_is_not_broken_down() {
    let (mock, pay) = asked("pay", |_| json(EMPTY_VECTOR)).await;
    for mut own in [spec("lat"), error_ratio()] {
        own.query = "max by ($identity) (my_latency)".into();
        let answer = pay.label_tables(&own, T0).await;
        assert!(answer.found.is_empty());
        let said = answer.failures[0].to_string();
        assert!(said.contains("is your own"), "{said}");
    }
    let cpu = pay.label_tables(&spec("cpu"), T0).await;
    assert!(cpu.found.is_empty() && cpu.failures.is_empty());
    assert_eq!(mock.requests().len(), 0);
}

#[tokio::test]
async fn without_buckets_latency_has_no_tables_and_calls_have_their_mean() {
    let (_mock, pay) = asked("pay", |request| {
        let query = &request.form["query"];
        let calls = |value| json(&vector(&[(&[("client_name", "ledger")], value)]));
        match () {
            () if query.contains("http_client_requests_seconds_sum") => calls(6.0),
            () if query.contains("http_client_requests_seconds_count") => calls(3.0),
            // A histogram of nothing but its last bucket.
            () if query.contains("http_client_requests_seconds_bucket") => json(&vector(&[(
                &[("client_name", "ledger"), ("le", "+Inf")],
                3.0,
            )])),
            () => json(EMPTY_VECTOR),
        }
    })
    .await;
    let answer = pay.label_tables(&spec("lat"), T0).await;
    assert_eq!(answer.queries, 8);
    assert!(
        matches!(&answer.failures[..], [EvidenceFailure::NoBuckets { .. }]),
        "{:?}",
        answer.failures
    );
    let means: Vec<&LabelTable> = answer
        .found
        .iter()
        .filter(|t| t.statistic == TableStatistic::Ratio { scale: 1000.0 })
        .collect();
    assert_eq!(means.len(), 1);
    assert_eq!(means[0].rows[0].numbers, [(6.0, 3.0)]);
    // Not a second table of the same label from buckets that say nothing.
    assert_eq!(answer.found.len(), 1);
}

#[tokio::test]
async fn errors_are_counted_against_all_requests() {
    let (mock, pay) = asked("pay", |request| {
        let query = &request.form["query"];
        let failed = query.contains("5..");
        let series: &[(&[(&str, &str)], f64)] = if failed {
            &[(&[("uri", "/b")], 4.0)]
        } else {
            &[(&[("uri", "/a")], 90.0), (&[("uri", "/b")], 10.0)]
        };
        json(&vector(if is_by(request, "uri") { series } else { &[] }))
    })
    .await;
    let answer = pay.label_tables(&error_ratio(), T0).await;
    assert_eq!(answer.failures, []);
    assert_eq!(answer.queries, 8);
    let [uri] = &answer.found[..] else {
        panic!("{:?}", answer.found)
    };
    assert_eq!(uri.statistic, TableStatistic::Ratio { scale: 100.0 });
    assert_eq!(uri.rows[0].value, "/b");
    assert_eq!(uri.rows[0].numbers, [(4.0, 10.0)]);
    assert_eq!(uri.rows[1].numbers, [(0.0, 90.0)]);
    assert!(
        queries(&mock)
            .iter()
            .all(|query| query.contains(" unless ") && query.contains("increase("))
    );
}

#[tokio::test]
async fn shifts_are_series_on_the_grid_and_what_is_not_exposed_is_absent() {
    let (mock, pay) = asked("pay", |request| {
        let query = &request.form["query"];
        if query.contains("jvm_memory_usage_after_gc") {
            json(&matrix(&[
                (15.0, "40"),
                (30.0, "NaN"),
                (45.0, "+Inf"),
                (60.0, "41"),
            ]))
        } else if query.contains("calls") || query.contains("hikaricp") {
            json(&matrix(&[(15.0, "NaN")]))
        } else {
            json(EMPTY_MATRIX)
        }
    })
    .await;
    let from = T0 + Duration::from_secs(7);
    let to = T0 + Duration::from_secs(3_600);
    let answer = pay.shift_series(from, to, Duration::from_secs(15)).await;
    assert_eq!(answer.failures, []);
    assert_eq!(answer.queries, 17);
    let [heap] = &answer.found[..] else {
        panic!("{:?}", answer.found)
    };
    assert_eq!(heap.metric, "heap_after_gc");
    assert_eq!((heap.unit.as_str(), heap.minimum_deviation), ("%", 5.0));
    assert_eq!(
        heap.query,
        "100 * max (jvm_memory_usage_after_gc{service=\"pay\"})"
    );
    let values: Vec<f64> = heap.samples.iter().map(|s| s.value).collect();
    assert_eq!(values, [40.0, 41.0]);
    let form = &mock.requests()[0].form;
    assert_eq!(form["start"], format!("{}.000", T0.as_millis() / 1000 + 15));
    assert_eq!(form["step"], "15");

    // Ten days don't become 57,600 points.
    mock.forget();
    let long = pay
        .shift_series(
            T0,
            T0 + Duration::from_secs(864_000),
            Duration::from_secs(15),
        )
        .await;
    assert_eq!(long.failures, []);
    assert_eq!(mock.requests()[0].form["step"], "864");
}

#[tokio::test]
async fn what_the_catalogue_has_is_not_asked_again() {
    let mock = Mock::start(|_| json(EMPTY_MATRIX)).await;
    let catalogue = Catalogue::new([spec("lat"), error_ratio()]).unwrap();
    let collector = Collector::new(mock.client(), CollectSettings::of(catalogue)).unwrap();
    let answer = collector
        .evidence(&ServiceId::new("pay").unwrap())
        .shift_series(T0, T0 + Duration::from_secs(60), Duration::from_secs(15))
        .await;
    assert_eq!(answer.queries, 16);
    assert!(!queries(&mock).iter().any(|query| query.contains("5..")));
}

#[tokio::test]
async fn gathering_runs_in_a_task_of_its_own() {
    let (_mock, pay) = asked("pay", |request| {
        json(if request.path.ends_with("query_range") {
            EMPTY_MATRIX
        } else {
            EMPTY_VECTOR
        })
    })
    .await;
    let gathered = tokio::spawn(async move {
        let series = pay
            .shift_series(T0, T0 + Duration::from_secs(60), Duration::from_secs(15))
            .await;
        let tables = pay.label_tables(&spec("lat"), T0).await;
        (series.queries, tables.queries)
    });
    assert_eq!(gathered.await.unwrap(), (17, 8));
}

#[tokio::test]
async fn a_service_is_asked_for_in_the_way_its_series_name_it() {
    let mock = Mock::start(|request| {
        let query = &request.form["query"];
        if request.path.ends_with("query_range") {
            json(EMPTY_MATRIX)
        } else if query.contains("process_cpu_usage") {
            json(&vector(&[(
                &[("env", "prod"), ("application", "pay"), ("job", "j")],
                1.0,
            )]))
        } else {
            json(EMPTY_VECTOR)
        }
    })
    .await;
    let mut settings = CollectSettings::of(Catalogue::default_three());
    settings.scope = vec!["env".into()];
    let mut collector = Collector::new(mock.client(), settings).unwrap();
    collector.collect(T0).await;
    mock.forget();
    let pay = collector.evidence(&ServiceId::new("prod/pay").unwrap());
    pay.label_tables(&spec("lat"), T0).await;
    for query in queries(&mock) {
        assert!(
            query.contains("{env=\"prod\",service=\"\",application=\"pay\""),
            "{query}"
        );
        assert!(!query.contains(" or "), "{query}");
    }
}
