//! Collection, discovery and backfill against a Prometheus that answers by script.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{
    Catalogue, Collection, Gap, MetricId, Presence, SeriesId, SeriesObservation, ServiceId,
    SourceState, Timestamp,
};
use sources::{BackfillRequest, CollectSettings, Collected, Collector};

use crate::mock::{EMPTY_MATRIX, EMPTY_VECTOR, Mock, Reply, Request, json, response, vector_json};

const T0: Timestamp = Timestamp::from_millis(1_795_348_800_000);
const TICK: Duration = Duration::from_secs(15);

/// What the fake Prometheus says, by a piece of the query that only this one has.
const CPU: &str = "process_cpu_usage";
const MEM: &str = "jvm_memory_used_bytes";
const LAT: &str = "histogram_quantile";
const LAT_MAX: &str = "seconds_max";
const SCRAPED: &str = "(timestamp(process_start_time_seconds))";
const STARTED: &str = "(process_start_time_seconds)";
const UP: &str = "timestamp(up)";
const ALL: [&str; 7] = [LAT, LAT_MAX, CPU, MEM, SCRAPED, STARTED, UP];

type Answers = Arc<Mutex<BTreeMap<&'static str, (u16, String)>>>;

struct Fake {
    mock: Mock,
    answers: Answers,
    collector: Collector,
}

impl Fake {
    async fn start(change: impl FnOnce(&mut CollectSettings)) -> Fake {
        let answers: Answers = Arc::default();
        let script = answers.clone();
        let mock = Mock::start(move |request: &Request| -> Reply {
            let query = &request.form["query"];
            let is_range = request.path.ends_with("query_range");
            let name = ALL.into_iter().find(|piece| query.contains(piece)).unwrap();
            let key = if is_range { "range" } else { name };
            match script.lock().unwrap().get(key) {
                Some((status, body)) => response(*status, "", body.as_bytes()),
                None if is_range => json(EMPTY_MATRIX),
                None => json(EMPTY_VECTOR),
            }
        })
        .await;
        let mut settings = CollectSettings::of(Catalogue::default_three());
        change(&mut settings);
        let collector = Collector::new(mock.client(), settings).unwrap();
        Fake {
            mock,
            answers,
            collector,
        }
    }

    fn say(&self, name: &'static str, series: &[(&str, f64)]) {
        let texts: Vec<(&str, String)> = series
            .iter()
            .map(|(labels, value)| (*labels, number(*value)))
            .collect();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(l, v)| (*l, v.as_str())).collect();
        self.raw(name, 200, vector_json(&texts));
    }

    fn raw(&self, name: &'static str, status: u16, body: String) {
        self.answers.lock().unwrap().insert(name, (status, body));
    }

    /// Two healthy instances of `pay` and one of `shop`, scraped one second before `at`.
    fn healthy(&self, at: Timestamp) {
        let scraped = at.as_seconds() - 1.0;
        let (a, b, c) = (
            "service=pay,job=spring,instance=a:1",
            "service=pay,job=spring,instance=b:1",
            "service=shop,job=spring,instance=c:1",
        );
        self.say(CPU, &[(a, 10.0), (b, 30.0), (c, 5.0)]);
        self.say(MEM, &[(a, 40.0), (b, 41.0), (c, 42.0)]);
        self.say(
            LAT,
            &[
                ("service=pay,job=spring", 120.0),
                ("service=shop,job=spring", f64::NAN),
            ],
        );
        self.say(SCRAPED, &[(a, scraped), (b, scraped - 2.0), (c, scraped)]);
        self.say(STARTED, &[(a, 1e9), (b, 1.1e9), (c, 1e9)]);
        self.up(&[("a:1", scraped), ("b:1", scraped), ("c:1", scraped)]);
    }

    /// `up` knows job and instance only; negative where a target is down.
    fn up(&self, targets: &[(&str, f64)]) {
        let labels: Vec<String> = targets
            .iter()
            .map(|(instance, _)| format!("job=spring,instance={instance}"))
            .collect();
        let series: Vec<(&str, f64)> = labels
            .iter()
            .zip(targets)
            .map(|(labels, (_, value))| (labels.as_str(), *value))
            .collect();
        self.say(UP, &series);
    }

    async fn tick(&mut self, at: Timestamp) -> Collected {
        self.collector.collect(at).await
    }
}

fn number(value: f64) -> String {
    if value.is_infinite() {
        format!("{}Inf", if value > 0.0 { "+" } else { "-" })
    } else {
        value.to_string()
    }
}

fn series<'a>(collection: &'a Collection, service: &str, metric: &str) -> &'a SeriesObservation {
    collection
        .series
        .iter()
        .find(|s| s.series.service.as_str() == service && s.series.metric.as_str() == metric)
        .unwrap_or_else(|| panic!("no series {service}/{metric}"))
}

fn value(collected: &Collected, service: &str, metric: &str) -> Result<f64, Gap> {
    let observation = series(&collected.collection, service, metric);
    observation.outcome.map(|sample| sample.value)
}

fn presence(collected: &Collected, service: &str) -> Option<(Presence, u32)> {
    let mut services = collected.collection.services.iter();
    let found = services.find(|s| s.id.as_str() == service)?;
    Some((found.presence, found.instances))
}

fn remarked(collected: &Collected, text: &str) -> bool {
    collected
        .collection
        .remarks
        .iter()
        .any(|r| r.contains(text))
}

#[tokio::test]
async fn a_normal_tick_sends_six_queries_for_all_services() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let first = fake.tick(T0).await;
    assert_eq!(first.queries, 7, "with discovery: {:?}", first.timings);
    fake.mock.forget();
    fake.healthy(T0 + TICK);
    let second = fake.tick(T0 + TICK).await;
    assert_eq!(second.queries, 6, "{:?}", second.timings);
    assert_eq!(fake.mock.requests().len(), 6);
    assert_eq!(second.collection.source, SourceState::Healthy);
    assert_eq!(second.collection.remarks, Vec::<String>::new());
    let queries: Vec<String> = fake
        .mock
        .requests()
        .iter()
        .map(|r| r.form["query"].clone())
        .collect();
    let cpu = queries.iter().find(|q| q.contains(CPU)).unwrap();
    assert_eq!(
        cpu,
        "100 * (max by (service, application, service_name, app, job, instance) (avg_over_time(process_cpu_usage[300s])) \
         or max by (service, application, service_name, app, job, instance) (avg_over_time(jvm_cpu_recent_utilization_ratio[300s])))"
    );
}

#[tokio::test]
async fn instances_become_one_series_with_the_carrier_named() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let collected = fake.tick(T0).await;
    let cpu = series(&collected.collection, "pay", "cpu");
    let sample = cpu.outcome.unwrap();
    assert_eq!(sample.value, 30.0);
    assert_eq!(sample.time, T0 - Duration::from_secs(1));
    assert_eq!(cpu.instance.as_deref(), Some("b:1"));
    assert_eq!(value(&collected, "pay", "lat"), Ok(120.0));
    assert_eq!(presence(&collected, "pay"), Some((Presence::Up, 2)));
    assert_eq!(presence(&collected, "shop"), Some((Presence::Up, 1)));
    let pay = &collected.collection.services[0];
    assert_eq!(pay.started, Timestamp::from_seconds(1.1e9));
    assert_eq!(pay.step, TICK);
}

#[tokio::test]
async fn f08_no_traffic_is_idle_and_infinity_is_no_number() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.say(
        MEM,
        &[("service=pay,job=spring,instance=a:1", f64::INFINITY)],
    );
    let collected = fake.tick(T0).await;
    assert_eq!(value(&collected, "shop", "lat"), Err(Gap::Idle));
    assert_eq!(value(&collected, "pay", "mem"), Err(Gap::NonFinite));
    assert_eq!(value(&collected, "shop", "mem"), Err(Gap::NoData));
    assert_eq!(collected.gaps[&Gap::Idle], 1);
    assert!(
        fake.mock
            .requests()
            .iter()
            .all(|r| !r.form["query"].contains(LAT_MAX))
    );
}

#[tokio::test]
async fn f11_f12_a_sample_is_new_once_and_stale_when_old() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    assert_eq!(value(&fake.tick(T0).await, "pay", "cpu"), Ok(30.0));
    let again = fake.tick(T0 + TICK).await;
    assert_eq!(value(&again, "pay", "cpu"), Err(Gap::Repeated));
    fake.healthy(T0 - TICK);
    let older = fake.tick(T0 + TICK).await;
    assert_eq!(value(&older, "pay", "cpu"), Err(Gap::Repeated));
    let late = fake.tick(T0 + TICK * 20).await;
    assert_eq!(value(&late, "pay", "cpu"), Err(Gap::Stale));
    fake.healthy(T0 + TICK * 21);
    let fresh = fake.tick(T0 + TICK * 21).await;
    assert_eq!(value(&fresh, "pay", "cpu"), Ok(30.0));
}

#[tokio::test]
async fn f12_scrape_times_in_the_future_are_dropped_and_said() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0 + Duration::from_secs(3600));
    let collected = fake.tick(T0).await;
    assert!(
        collected
            .collection
            .series
            .iter()
            .all(|s| s.outcome.ok().is_none_or(|s| s.time <= T0))
    );
    assert!(
        remarked(&collected, "after the evaluation instant"),
        "{:?}",
        collected.collection.remarks
    );
}

#[tokio::test]
async fn f13_series_without_a_name_are_counted_and_shown() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.say(
        CPU,
        &[
            ("instance=x:1", 1.0),
            ("service=,instance=y:1", 1.0),
            ("service=pay,job=spring,instance=a:1", 2.0),
        ],
    );
    let collected = fake.tick(T0).await;
    assert!(
        remarked(&collected, "cpu: 2 series without any"),
        "{:?}",
        collected.collection.remarks
    );
    assert_eq!(value(&collected, "pay", "cpu"), Ok(2.0));
}

#[tokio::test]
async fn f13_the_same_labels_twice_are_ambiguous() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let twice = "service=pay,job=spring,instance=a:1";
    fake.say(
        CPU,
        &[
            (twice, 1.0),
            (twice, 2.0),
            ("service=shop,job=spring,instance=c:1", 3.0),
        ],
    );
    let collected = fake.tick(T0).await;
    assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::Ambiguous));
    assert_eq!(value(&collected, "shop", "cpu"), Ok(3.0));
    assert!(remarked(&collected, "same labels twice"));
}

#[tokio::test]
async fn names_from_two_labels_are_reported() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.say(
        CPU,
        &[
            ("service=pay,job=spring,instance=a:1", 1.0),
            ("job=pay,instance=z:1", 2.0),
        ],
    );
    let collected = fake.tick(T0).await;
    assert!(
        remarked(
            &collected,
            "\"pay\" is named in 2 ways (by job and by service)"
        ),
        "{:?}",
        collected.collection.remarks
    );
}

#[tokio::test]
async fn f10_a_service_whose_targets_are_down_is_gone_and_stays_in_the_list() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.tick(T0).await;
    let at = T0 + TICK;
    fake.healthy(at);
    let now = at.as_seconds() - 1.0;
    fake.say(SCRAPED, &[("service=shop,job=spring,instance=c:1", now)]);
    fake.up(&[("a:1", -now), ("b:1", -now), ("c:1", now)]);
    let collected = fake.tick(at).await;
    assert_eq!(presence(&collected, "pay"), Some((Presence::Gone, 0)));
    // Its average over five minutes is still answered, but is about the past.
    assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::NoData));
    assert_eq!(value(&collected, "shop", "cpu"), Ok(5.0));
    for name in [CPU, MEM, LAT, SCRAPED, STARTED, UP] {
        fake.say(name, &[]);
    }
    let later = fake.tick(at + TICK).await;
    assert_eq!(presence(&later, "pay"), Some((Presence::Gone, 0)));
    assert_eq!(presence(&later, "shop"), Some((Presence::Gone, 0)));
    assert_eq!(later.collection.source, SourceState::Healthy);
}

#[tokio::test]
async fn a_service_that_died_just_before_the_first_look_is_gone() {
    let mut fake = Fake::start(|_| {}).await;
    fake.say(CPU, &[("service=pay,job=spring,instance=a:1", 10.0)]);
    fake.up(&[("a:1", -T0.as_seconds() + 1.0)]);
    let collected = fake.tick(T0).await;
    assert_eq!(presence(&collected, "pay"), Some((Presence::Gone, 0)));
    assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::NoData));
}

#[tokio::test]
async fn one_dead_instance_of_two_leaves_the_service_up_without_its_value() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.tick(T0).await;
    let at = T0 + TICK;
    fake.healthy(at);
    let now = at.as_seconds() - 1.0;
    fake.say(SCRAPED, &[("service=pay,job=spring,instance=a:1", now)]);
    fake.up(&[("a:1", now), ("b:1", -now), ("c:1", now)]);
    let collected = fake.tick(at).await;
    assert_eq!(presence(&collected, "pay"), Some((Presence::Up, 1)));
    assert_eq!(value(&collected, "pay", "cpu"), Ok(10.0));
}

#[tokio::test]
async fn a_target_that_was_never_up_names_no_service_by_its_shared_job() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let now = T0.as_seconds() - 1.0;
    fake.say(
        UP,
        &[
            ("job=spring,instance=a:1", now),
            ("job=spring,instance=new:1", -now),
            ("job=spring,service=named,instance=d:1", -now),
            ("job=prometheus,instance=self:9090", now),
        ],
    );
    let collected = fake.tick(T0).await;
    let names: Vec<&str> = collected
        .collection
        .services
        .iter()
        .map(|s| s.id.as_str())
        .collect();
    assert_eq!(names, ["named", "pay", "shop"]);
    assert_eq!(presence(&collected, "named"), Some((Presence::Gone, 0)));
    assert!(
        remarked(&collected, "1 target down"),
        "{:?}",
        collected.collection.remarks
    );
}

#[tokio::test]
async fn the_fallback_is_sent_only_while_a_service_needs_it() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.say(LAT, &[("service=pay,job=spring", 120.0)]);
    fake.say(
        LAT_MAX,
        &[
            ("service=shop,job=spring,instance=c:1", 77.0),
            ("service=pay,job=spring,instance=a:1", 999.0),
        ],
    );
    let first = fake.tick(T0).await;
    assert_eq!(value(&first, "shop", "lat"), Ok(77.0));
    assert!(series(&first.collection, "shop", "lat").proxy);
    assert_eq!(value(&first, "pay", "lat"), Ok(120.0));
    assert!(!series(&first.collection, "pay", "lat").proxy);

    let at = T0 + TICK;
    fake.healthy(at);
    fake.mock.forget();
    let second = fake.tick(at).await;
    assert_eq!(
        (second.queries, value(&second, "shop", "lat")),
        (6, Err(Gap::Idle))
    );

    // What once had a value in the main query isn't replaced by a proxy when that pauses.
    let at = at + TICK;
    fake.healthy(at);
    fake.say(LAT, &[("service=pay,job=spring", 120.0)]);
    let third = fake.tick(at).await;
    assert_eq!(
        (third.queries, value(&third, "shop", "lat")),
        (6, Err(Gap::NoData))
    );
}

#[tokio::test]
async fn a_fallback_without_an_answer_is_not_asked_each_tick() {
    let mut fake = Fake::start(|_| {}).await;
    let mut queries = Vec::new();
    for i in 0..3 {
        let at = T0 + TICK * i;
        fake.healthy(at);
        fake.say(LAT, &[("service=pay,job=spring", 120.0)]);
        let collected = fake.tick(at).await;
        queries.push(collected.queries);
        assert_eq!(value(&collected, "shop", "lat"), Err(Gap::NoData));
    }
    assert_eq!(queries, [8, 6, 6]);
}

#[tokio::test]
async fn f04_one_failing_metric_does_not_stop_the_others() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.tick(T0).await;
    let at = T0 + TICK;
    fake.healthy(at);
    fake.raw(CPU, 503, "busy".into());
    let collected = fake.tick(at).await;
    assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::QueryFailed));
    assert_eq!(value(&collected, "pay", "mem"), Ok(41.0));
    assert!(
        matches!(&collected.collection.source, SourceState::Partial(text) if text.starts_with("cpu: status 503"))
    );
    let failed: Vec<_> = collected
        .timings
        .iter()
        .filter_map(|t| Some((t.name.as_str(), t.failure?)))
        .collect();
    assert_eq!(failed, [("cpu", "status_5xx")]);
}

#[tokio::test]
async fn f01_when_nothing_answers_all_series_say_so_and_services_stay() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.tick(T0).await;
    for name in [CPU, MEM, LAT, SCRAPED, STARTED, UP] {
        fake.raw(name, 500, String::new());
    }
    let collected = fake.tick(T0 + TICK).await;
    assert!(collected.collection.source.is_down());
    assert_eq!(collected.gaps, BTreeMap::from([(Gap::SourceDown, 6)]));
    assert_eq!(presence(&collected, "pay"), Some((Presence::Up, 2)));
    fake.healthy(T0 + TICK * 2);
    let back = fake.tick(T0 + TICK * 2).await;
    assert_eq!(value(&back, "pay", "cpu"), Ok(30.0));
}

#[tokio::test]
async fn failing_fleet_queries_make_no_service_gone() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.tick(T0).await;
    let at = T0 + TICK;
    fake.healthy(at);
    fake.raw(UP, 500, String::new());
    fake.raw(SCRAPED, 500, String::new());
    let collected = fake.tick(at).await;
    assert_eq!(presence(&collected, "pay"), Some((Presence::Up, 2)));
    assert_eq!(value(&collected, "pay", "cpu"), Ok(30.0));
}

#[tokio::test]
async fn f02_a_hanging_query_costs_its_deadline_only() {
    let mock = Mock::start(|request| {
        if request.form["query"].contains(CPU) {
            return Reply::Hang;
        }
        if request.path.ends_with("query_range") {
            return json(EMPTY_MATRIX);
        }
        let labels = "service=pay,job=spring,instance=a:1";
        json(&vector_json(&[(labels, "42")]))
    })
    .await;
    let mut settings = CollectSettings::of(Catalogue::default_three());
    settings.metric_deadline = Duration::from_millis(300);
    let mut collector = Collector::new(mock.client(), settings).unwrap();
    let begun = std::time::Instant::now();
    let collected = collector.collect(T0).await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::QueryFailed));
    assert_eq!(value(&collected, "pay", "mem").err(), Some(Gap::Stale));
}

#[tokio::test]
async fn f14_services_beyond_the_limit_are_refused_with_the_numbers() {
    let mut fake = Fake::start(|settings| settings.services_max = 100).await;
    let names: Vec<String> = (0..5000)
        .map(|i| format!("service=s{i:05},instance=i:1"))
        .collect();
    let explosion: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    fake.say(CPU, &explosion);
    let collected = fake.tick(T0).await;
    assert_eq!(collected.collection.services.len(), 100);
    assert_eq!(collected.collection.series.len(), 300);
    assert!(
        remarked(&collected, "4900 services beyond the limit of 100"),
        "{:?}",
        collected.collection.remarks
    );
    // Those gone for long make room.
    fake.say(CPU, &[("service=new,instance=i:1", 1.0)]);
    let hours = Duration::from_secs(2 * 3600);
    assert!(presence(&fake.tick(T0 + hours).await, "new").is_none());
    let later = fake.tick(T0 + hours + TICK).await;
    assert!(presence(&later, "new").is_some());
    assert_eq!(later.collection.services.len(), 100);
}

#[tokio::test]
async fn the_limit_of_series_limits_services() {
    let mut fake = Fake::start(|settings| settings.series_max = 3).await;
    fake.healthy(T0);
    let collected = fake.tick(T0).await;
    assert_eq!(collected.collection.series.len(), 3);
}

#[tokio::test]
async fn f15_hostile_names_are_only_data() {
    let mut fake = Fake::start(|_| {}).await;
    let names = [
        "../../x\"} or up{a=\"",
        "a\nb",
        "nul\0",
        "🦀",
        "\u{202e}evil",
        "CON",
    ];
    let series: Vec<serde_json::Value> = names
        .iter()
        .map(|name| serde_json::json!({"metric": {"service": name, "instance": "i"}, "value": [1, "7"]}))
        .chain([serde_json::json!({"metric": {"service": "x".repeat(1 << 20)}, "value": [1, "7"]})])
        .collect();
    let body = serde_json::json!({"status": "success", "data": {"resultType": "vector", "result": series}});
    fake.raw(CPU, 200, body.to_string());
    fake.tick(T0).await;
    fake.mock.forget();
    let collected = fake.tick(T0 + TICK).await;
    for name in names {
        assert_eq!(value(&collected, name, "cpu"), Ok(7.0), "{name:?}");
    }
    assert_eq!(collected.collection.services.len(), names.len());
    assert!(remarked(
        &collected,
        "1 series with a label of more than 1024 bytes"
    ));
    for request in fake.mock.requests() {
        assert!(
            !request.form["query"].contains("../"),
            "{}",
            request.form["query"]
        );
    }
}

#[tokio::test]
async fn f16_warnings_become_remarks() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.raw(UP, 200, r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store gone"]}"#.into());
    let collected = fake.tick(T0).await;
    assert!(remarked(&collected, "up: store gone"));
}

#[tokio::test]
async fn scopes_stand_before_names() {
    let mut fake = Fake::start(|settings| settings.scope = vec!["env".into()]).await;
    fake.say(
        CPU,
        &[
            ("env=prod,service=pay,instance=a:1", 1.0),
            ("env=test,service=pay,instance=a:1", 2.0),
        ],
    );
    let collected = fake.tick(T0).await;
    assert_eq!(value(&collected, "prod/pay", "cpu"), Ok(1.0));
    assert_eq!(value(&collected, "test/pay", "cpu"), Ok(2.0));
    let query = fake.mock.requests()[0].form["query"].clone();
    assert!(query.contains("by (env, service, "), "{query}");
}

#[tokio::test]
async fn pushed_metrics_without_scrape_times_get_the_evaluation_instant() {
    let mut fake = Fake::start(|_| {}).await;
    fake.say(CPU, &[("service=pushed", 5.0)]);
    let collected = fake.tick(T0).await;
    let sample = series(&collected.collection, "pushed", "cpu")
        .outcome
        .unwrap();
    assert_eq!(sample.time, T0);
    assert_eq!(presence(&collected, "pushed"), Some((Presence::Up, 1)));
}

#[tokio::test]
async fn the_step_is_learned_from_successive_scrapes() {
    let mut fake = Fake::start(|_| {}).await;
    let minute = Duration::from_secs(60);
    for i in 0..32 {
        let at = T0 + TICK * i;
        fake.healthy(at.floor_to(minute) + Duration::from_secs(1));
        let collected = fake.tick(at + Duration::from_secs(2)).await;
        if i % 4 != 0 {
            assert_eq!(value(&collected, "pay", "cpu"), Err(Gap::Repeated));
        }
    }
    let pay = ServiceId::new("pay").unwrap();
    assert_eq!(fake.collector.step(&pay), minute);
}

#[tokio::test]
async fn services_known_before_a_restart_are_gone_until_they_are_seen() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    fake.collector
        .remember([ServiceId::new("old").unwrap()], T0);
    let collected = fake.tick(T0).await;
    assert_eq!(presence(&collected, "old"), Some((Presence::Gone, 0)));
    assert_eq!(value(&collected, "old", "cpu"), Err(Gap::NoData));
}

/// A range answer of one instance of `pay` with a value at each step asked for.
fn matrix(request: &Request) -> String {
    let number = |name: &str| request.form[name].parse::<f64>().unwrap();
    let (mut at, end, step) = (number("start"), number("end"), number("step"));
    let mut values = Vec::new();
    while at <= end {
        values.push(serde_json::json!([at, "0.5"]));
        at += step;
    }
    assert!(values.len() <= 11_000, "{} points", values.len());
    serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"service": "pay", "instance": "a:1"}, "values": values},
        {"metric": {"service": "unknown", "instance": "a:1"}, "values": values},
    ]}})
    .to_string()
}

/// A collector that knows `pay`, before a Prometheus whose ranges are answered by `script`.
async fn knowing_pay(
    script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Mock, Collector) {
    let mock = Mock::start(move |request| {
        if request.path.ends_with("query_range") {
            script(request)
        } else {
            json(&vector_json(&[("service=pay,instance=a:1", "0.5")]))
        }
    })
    .await;
    let settings = CollectSettings::of(Catalogue::default_three());
    let mut collector = Collector::new(mock.client(), settings).unwrap();
    collector.collect(T0).await;
    mock.forget();
    (mock, collector)
}

#[tokio::test]
async fn backfill_brings_each_point_once_in_slices_of_an_hour() {
    let (mock, collector) = knowing_pay(|request| json(&matrix(request))).await;
    let request = BackfillRequest {
        from: T0 - Duration::from_millis(3 * 3_600_000 + 7_000),
        to: T0,
        step: TICK,
        series: None,
    };
    let mut times: BTreeMap<MetricId, Vec<Timestamp>> = BTreeMap::new();
    let mut done = Vec::new();
    let report = collector
        .backfill(request)
        .run(|slice| {
            assert!(slice.to.since(slice.from) <= Duration::from_secs(3600));
            done.push(slice.done);
            for past in slice.pasts.unwrap() {
                assert_eq!(past.series.service.as_str(), "pay");
                assert_eq!(past.step, TICK);
                let times = times.entry(past.series.metric).or_default();
                times.extend(past.samples.iter().map(|sample| sample.time));
            }
        })
        .await;
    assert_eq!(times.len(), 3);
    for times in times.values() {
        assert_eq!(times.len(), 721);
        assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) == TICK));
        assert_eq!(times[720], T0);
    }
    assert!(done.is_sorted(), "{done:?}");
    assert_eq!(done.last(), Some(&1.0));
    assert_eq!(report.queries as usize, mock.requests().len());
    assert_eq!((report.samples, report.slices_failed), (3 * 721, 0));
}

#[tokio::test]
async fn backfill_takes_only_the_series_that_are_wanted() {
    let (mock, collector) = knowing_pay(|request| json(&matrix(request))).await;
    let wanted = SeriesId {
        service: ServiceId::new("pay").unwrap(),
        metric: MetricId::new("cpu").unwrap(),
    };
    let request = BackfillRequest {
        from: T0 - Duration::from_secs(600),
        to: T0,
        step: TICK,
        series: Some([wanted].into()),
    };
    let report = collector.backfill(request).run(|_| {}).await;
    assert_eq!((report.queries, report.samples), (1, 41));
    assert!(mock.requests()[0].form["query"].contains(CPU));
}

#[tokio::test]
async fn a_failing_slice_is_reported_and_the_others_go_on() {
    let bad = (T0 - Duration::from_secs(7200)).as_seconds();
    let (_mock, collector) = knowing_pay(move |request| {
        let start: f64 = request.form["start"].parse().unwrap();
        if request.form["query"].contains(CPU) && start < bad {
            response(
                422,
                "",
                br#"{"status":"error","errorType":"execution","error":"no"}"#,
            )
        } else {
            json(&matrix(request))
        }
    })
    .await;
    let request = BackfillRequest {
        from: T0 - Duration::from_secs(3 * 3600),
        to: T0,
        step: TICK,
        series: None,
    };
    let mut failed = Vec::new();
    let report = collector
        .backfill(request)
        .run(|slice| {
            if slice.pasts.is_err() {
                failed.push(slice.metric.to_string());
            }
        })
        .await;
    assert!(
        !failed.is_empty() && failed.iter().all(|metric| metric == "cpu"),
        "{failed:?}"
    );
    assert_eq!(report.slices_failed as usize, failed.len());
    assert!(report.samples > 2 * 721);
    assert!(!report.gave_up);
}

#[tokio::test]
async fn backfill_gives_up_on_a_prometheus_that_is_gone() {
    let (mock, collector) = knowing_pay(|_| response(500, "", b"")).await;
    let request = BackfillRequest {
        from: T0 - Duration::from_secs(7 * 86_400),
        to: T0,
        step: TICK,
        series: None,
    };
    let report = collector.backfill(request).run(|_| {}).await;
    assert!(report.gave_up && report.failure.is_some());
    assert!(mock.requests().len() <= 6);
}

#[tokio::test]
async fn f06_slices_shrink_until_their_answers_fit() {
    let mock = Mock::start(|request| {
        if request.path.ends_with("query_range") {
            json(&matrix(request))
        } else {
            json(&vector_json(&[("service=pay,instance=a:1", "0.5")]))
        }
    })
    .await;
    let mut settings = mock.settings();
    settings.answer_bytes_max = 4_000;
    let client = sources::Prometheus::new(settings, crate::mock::clock()).unwrap();
    let settings = CollectSettings::of(Catalogue::default_three());
    let mut collector = Collector::new(client, settings).unwrap();
    collector.collect(T0).await;
    let request = BackfillRequest {
        from: T0 - Duration::from_secs(3600),
        to: T0,
        step: TICK,
        series: None,
    };
    let report = collector.backfill(request).run(|_| {}).await;
    assert_eq!((report.samples, report.slices_failed), (3 * 241, 0));
}

/// A service that was idle at the first look lives from the fallback then; its past is still that
/// of the main query, and only a service that never had it has the proxy's.
#[tokio::test]
async fn the_past_of_the_main_query_wins_over_the_fallback() {
    for (main_has_past, value) in [(true, 0.5), (false, 2.0)] {
        let mock = Mock::start(move |request: &Request| {
            let query = &request.form["query"];
            let is_range = request.path.ends_with("query_range");
            let is_main = query.contains(LAT);
            if is_range && query.contains(LAT_MAX) {
                json(&matrix(request).replace("0.5", "2"))
            } else if is_range && (main_has_past || !is_main) {
                json(&matrix(request))
            } else if is_range {
                json(EMPTY_MATRIX)
            } else if is_main {
                json(EMPTY_VECTOR)
            } else {
                json(&vector_json(&[("service=pay,instance=a:1", "0.5")]))
            }
        })
        .await;
        let settings = CollectSettings::of(Catalogue::default_three());
        let mut collector = Collector::new(mock.client(), settings).unwrap();
        let first = collector.collect(T0).await;
        assert!(series(&first.collection, "pay", "lat").proxy);
        let request = BackfillRequest {
            from: T0 - Duration::from_secs(7200),
            to: T0,
            step: TICK,
            series: None,
        };
        let mut values = Vec::new();
        let _report = collector
            .backfill(request)
            .run(|slice| {
                for past in slice.pasts.unwrap() {
                    if past.series.metric.as_str() == "lat" {
                        values.extend(past.samples.iter().map(|sample| sample.value));
                    }
                }
            })
            .await;
        assert_eq!(values.len(), 481);
        assert!(values.iter().all(|v| *v == value), "{main_has_past}");
    }
}

fn version<'a>(collected: &'a Collected, service: &str) -> Option<&'a str> {
    let mut services = collected.collection.services.iter();
    let found = services.find(|s| s.id.as_str() == service).unwrap();
    found.version.as_deref()
}

#[tokio::test]
async fn the_version_is_that_of_the_newest_process() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let started = |ago: f64| T0.as_seconds() - ago;
    let (old_a, new_a, b) = (
        "service=pay,job=spring,instance=a:1,version=1.4.2",
        "service=pay,job=spring,instance=a:1,version=1.5.0",
        "service=pay,job=spring,instance=b:1,version=1.4.2",
    );
    let shop = "service=shop,job=spring,instance=c:1";
    fake.say(
        STARTED,
        &[(old_a, started(9e4)), (b, started(9e4)), (shop, 1e9)],
    );
    let before = fake.tick(T0).await;
    assert_eq!(version(&before, "pay"), Some("1.4.2"));
    assert_eq!(version(&before, "shop"), None);
    assert_eq!(before.queries, 7, "no further query: {:?}", before.timings);
    let requests = fake.mock.requests();
    let mut queries = requests.iter().map(|request| &request.form["query"]);
    assert!(queries.any(|query| query
        == "max by (service, application, service_name, app, job, instance, version) (process_start_time_seconds)"));

    // At a deployment both are seen; the newest start wins, in whichever order they come.
    for answer in [
        [
            (old_a, started(9e4)),
            (new_a, started(5.0)),
            (b, started(9e4)),
        ],
        [
            (new_a, started(5.0)),
            (b, started(9e4)),
            (old_a, started(9e4)),
        ],
    ] {
        fake.say(STARTED, &answer);
        let during = fake.tick(T0).await;
        assert_eq!(version(&during, "pay"), Some("1.5.0"));
        let pay = &during.collection.services[0];
        assert_eq!(pay.started, Some(T0 - Duration::from_secs(5)));
    }
    // Rolled back.
    fake.say(STARTED, &[(new_a, started(5.0)), (old_a, started(2.0))]);
    assert_eq!(version(&fake.tick(T0).await, "pay"), Some("1.4.2"));
    // Nothing is known of it for a while: it is still what it was.
    fake.raw(STARTED, 503, String::new());
    assert_eq!(version(&fake.tick(T0).await, "pay"), Some("1.4.2"));
    // A process that says no version has none.
    fake.say(
        STARTED,
        &[("service=pay,job=spring,instance=a:1", started(1.0))],
    );
    assert_eq!(version(&fake.tick(T0).await, "pay"), None);
}

#[tokio::test]
async fn a_version_that_is_too_long_costs_the_service_nothing() {
    let mut fake = Fake::start(|_| {}).await;
    fake.healthy(T0);
    let long = format!(
        "service=pay,job=spring,instance=a:1,version={}",
        "x".repeat(5_000)
    );
    fake.say(STARTED, &[(&long, 1e9)]);
    let collected = fake.tick(T0).await;
    assert_eq!(
        collected.collection.services[0].started,
        Timestamp::from_seconds(1e9)
    );
    assert!(version(&collected, "pay").unwrap().len() < 200);
    assert_eq!(collected.collection.remarks, Vec::<String>::new());
}

#[tokio::test]
async fn the_version_may_name_services_too() {
    let mut fake = Fake::start(|settings| settings.scope = vec!["version".into()]).await;
    fake.say(CPU, &[("service=pay,version=v1,job=j,instance=a:1", 1.0)]);
    let process = "service=pay,version=v1,job=j,instance=a:1";
    fake.say(SCRAPED, &[(process, T0.as_seconds() - 1.0)]);
    fake.say(STARTED, &[(process, 1e9)]);
    let collected = fake.tick(T0).await;
    let services = &collected.collection.services;
    assert_eq!(services.len(), 1);
    assert_eq!(services[0].id.as_str(), "v1/pay");
    assert_eq!(version(&collected, "v1/pay"), Some("v1"));
    assert_eq!(value(&collected, "v1/pay", "cpu"), Ok(1.0));
    let requests = fake.mock.requests();
    for query in requests.iter().map(|request| &request.form["query"]) {
        assert!(
            query.matches("version").count() <= query.matches(" by (").count(),
            "{query}"
        );
    }
}
