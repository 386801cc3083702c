//! Every knob turns something, and the rule that opens incidents.

pub mod scripted;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::Timestamp;
use serde_json::Value;
use simulator::{FaultKind, Span, Topology};

use crate::harness::{
    Bellwether, PrometheusServer, SimulatedFleet, client, figure, folder, run, scaled, until,
};
use scripted::{Scripted, now};

const TICK: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// Levels far from any threshold.
const CALM: [(&str, f64); 4] = [
    ("alpha", 20.0),
    ("beta", 30.0),
    ("gamma", 40.0),
    ("delta", 50.0),
];
/// The first samples of a window have no features.
const WARMING_UP: usize = 5;

/// What is turned.
struct Knobs {
    window: Duration,
    window_min_samples: usize,
    contamination: f64,
    schedule: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn window_contamination_and_schedule_do_what_is_computed() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 72 * HOUR).await;
    let (mut rows, mut shares, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    let mut first_start = None;
    for (window, window_min_samples, contamination, schedule) in [
        (48 * HOUR, 100, 0.01, "24h"),
        (6 * HOUR, 100, 0.05, "90m"),
        // An hour holds too few, so the window grows back.
        (HOUR, 2_000, 0.2, "30 3 * * *"),
    ] {
        let knobs = Knobs {
            window,
            window_min_samples,
            contamination,
            schedule,
        };
        let training = format!(
            "window: {}s, window_min_samples: {window_min_samples}, contamination: {contamination}, schedule: '{schedule}'",
            window.as_secs()
        );
        let config = config(&prometheus, &training) + "season: { timezone: Europe/Berlin }\n";
        let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
        settled(&bellwether, CALM.len()).await;
        let job = retrained(&bellwether, "").await;
        for outcome in outcomes(&job) {
            assert_eq!(outcome["outcome"], "trained", "{outcome}");
        }
        for (service, _) in CALM {
            let header = model_header(&bellwether.data_dir(), service, "cpu");
            check_rows(&bellwether.data_dir(), service, &knobs, &header);
            check_share(&knobs, &header);
        }
        let header = model_header(&bellwether.data_dir(), "alpha", "cpu");
        rows.push(header["rows"].to_string());
        shares.push(format!("{:.4}", header["raw_share"].as_f64().unwrap()));
        let (_, status) = bellwether.get("/api/v1/status").await;
        let first_start = *first_start.get_or_insert(at(&status["started_at"]));
        runs.push(check_next_run(&status, first_start, &knobs));
        let (status, _) = bellwether.terminate().await;
        assert!(status.success(), "{status}");
    }
    figure(
        "4",
        "rows in the header: window 48 h, 6 h, 1 h grown back to 2,000 samples",
        rows.join(", "),
        "as counted in the CSVs",
        true,
    );
    figure(
        "4",
        "share flagged: contamination 0.01, 0.05, 0.2",
        shares.join(", "),
        "as computed",
        true,
    );
    figure(
        "4",
        "next run, counted from the first of three starts: 24h, 90m, cron 03:30 in Berlin",
        runs.join(", "),
        "as computed",
        true,
    );
}

/// The rows are those of the dataset within the window, or more where the window holds too few.
fn check_rows(data_dir: &Path, service: &str, knobs: &Knobs, header: &Value) {
    let (trained_at, window_to) = (at(&header["trained_at"]), at(&header["window_to"]));
    let mut times = dataset_times(data_dir, service, "cpu");
    times.retain(|time| *time <= window_to);
    let inside = times
        .iter()
        .filter(|time| **time >= trained_at - knobs.window)
        .count();
    let taken = inside.max(knobs.window_min_samples).min(times.len());
    assert_eq!(
        header["rows"].as_u64().unwrap() as usize,
        taken - WARMING_UP,
        "{service}: {header}"
    );
    assert_eq!(at(&header["window_from"]), times[times.len() - taken]);
    assert_eq!(header["masked_rows"], 0);
}

/// The forest labels the share of contamination, to the nearest row; of a few equal scores it labels
/// all or none, whichever comes closer.
fn check_share(knobs: &Knobs, header: &Value) {
    let rows = header["rows"].as_f64().unwrap();
    let share = header["raw_share"].as_f64().unwrap();
    assert_eq!(header["contamination"], knobs.contamination);
    let rows_away = (share - knobs.contamination).abs() * rows;
    assert!(
        rows_away <= 2.0 + 1e-9,
        "{share} is {rows_away} rows away from {}",
        knobs.contamination
    );
}

/// The schedule counts from the first start on: a restart doesn't put the next run off.
fn check_next_run(status: &Value, first_start: Timestamp, knobs: &Knobs) -> String {
    let next = at(&status["training"]["next_run"]);
    match knobs.schedule.parse::<jiff::SignedDuration>() {
        Ok(interval) => {
            let after = next.since(first_start).as_secs_f64();
            let late = after - interval.as_secs_f64();
            assert!((0.0..5.0).contains(&late), "{late} s late: {status}");
            format!("{:.0} min", after / 60.0)
        }
        Err(_) => {
            let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a known zone");
            let there = jiff::Timestamp::from_millisecond(first_start.as_millis()).unwrap();
            let there = there.to_zoned(zone.clone());
            let run_of = |day: jiff::civil::Date| {
                let run = day.at(3, 30, 0, 0).to_zoned(zone.clone());
                run.expect("half past three exists on every day there")
            };
            let today = run_of(there.date());
            let expected = if today > there {
                today
            } else {
                run_of(there.date().tomorrow().expect("there is a tomorrow"))
            };
            assert_eq!(next.as_millis(), expected.timestamp().as_millisecond());
            next.to_string()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_of_a_minute_trains_by_itself_and_misses_no_tick() {
    let (cron, interval) = (folder(), folder());
    let prometheus = Scripted::start(&CALM, 12 * HOUR).await;
    let config = |schedule: &str| {
        format!(
            "prometheus: {{ url: '{}' }}\n{}training: {{ schedule: '{schedule}' }}\n",
            prometheus.url,
            scaled(2 * TICK)
        )
    };
    let (by_cron, by_interval) = (config("* * * * *"), config("60s"));
    let (by_cron, by_interval) = tokio::join!(
        Bellwether::start(cron.path(), &by_cron, &[]),
        Bellwether::start(interval.path(), &by_interval, &[]),
    );
    tokio::join!(
        settled(&by_cron, CALM.len()),
        settled(&by_interval, CALM.len())
    );
    let (seen_by_cron, seen_by_interval) =
        tokio::join!(two_new_models(&by_cron), two_new_models(&by_interval));

    let jobs = scheduled_jobs(&by_cron, &seen_by_cron).await;
    for job in &jobs {
        let late = at(&job["created_at"]).as_millis() % 60_000;
        assert!(late < 5_000, "{late} ms after the minute: {job}");
    }
    let jobs = scheduled_jobs(&by_interval, &seen_by_interval).await;
    for pair in jobs.windows(2) {
        let apart = at(&pair[1]["created_at"]).since(at(&pair[0]["created_at"]));
        assert!(apart.abs_diff(60 * TICK) < 5 * TICK, "{apart:?}");
    }
    for (bellwether, seen) in [(&by_cron, &seen_by_cron), (&by_interval, &seen_by_interval)] {
        no_tick_missed(bellwether, seen).await;
    }
    figure(
        "4",
        "schedule of one minute: new models without a request",
        format!(
            "{} by cron, {} by interval",
            models_of(&seen_by_cron) - 1,
            models_of(&seen_by_interval) - 1
        ),
        "≥ 2",
        true,
    );
    figure(
        "4",
        "evaluations between a finished job and its model in use; ticks missed",
        "0; 0",
        "0; 0",
        true,
    );
}

/// One evaluation and the model that judged it.
struct Seen {
    evaluated_at: Timestamp,
    trained_at: Timestamp,
    model: String,
}

/// Looks at every evaluation until two newer models have judged.
async fn two_new_models(bellwether: &Bellwether) -> Vec<Seen> {
    let seen = std::cell::RefCell::new(Vec::<Seen>::new());
    until("two new models", Duration::from_secs(240), || async {
        let (_, answer) = bellwether.get("/metrics?service=alpha").await;
        let evaluated_at = at(&answer["evaluated_at"]);
        let cpu = metric(&answer, "cpu");
        let mut seen = seen.borrow_mut();
        if seen
            .last()
            .is_none_or(|last| last.evaluated_at < evaluated_at)
        {
            seen.push(Seen {
                evaluated_at,
                trained_at: at(&cpu["trained_at"]),
                model: cpu["model"].as_str()?.to_owned(),
            });
        }
        // Two evaluations more, so that the newest model is seen in use.
        (models_of(&seen[..seen.len().saturating_sub(2)]) >= 3).then_some(())
    })
    .await;
    let seen = seen.into_inner();
    let rises = seen.is_sorted_by_key(|seen| seen.trained_at);
    assert!(rises, "trained_at goes back");
    seen
}

fn models_of(seen: &[Seen]) -> usize {
    let models: BTreeSet<(&str, Timestamp)> = seen
        .iter()
        .map(|seen| (seen.model.as_str(), seen.trained_at))
        .collect();
    models.len()
}

/// The jobs of the schedule, oldest first; from each one's end on its models judge.
async fn scheduled_jobs(bellwether: &Bellwether, seen: &[Seen]) -> Vec<Value> {
    let (_, jobs) = bellwether.get("/api/v1/jobs").await;
    let mut jobs = jobs["items"].as_array().expect("a list").clone();
    jobs.reverse();
    assert!(jobs.iter().all(|job| job["trigger"] != "request"));
    jobs.retain(|job| job["trigger"] == "schedule" && job["state"] == "done");
    assert!(jobs.len() >= 2, "{jobs:?}");
    let mut followed = 0;
    for job in &jobs {
        for outcome in outcomes(job) {
            assert_eq!(outcome["outcome"], "trained", "{outcome}");
        }
        let (started, finished) = (at(&job["started_at"]), at(&job["finished_at"]));
        let Some(next) = seen.iter().find(|seen| seen.evaluated_at >= finished) else {
            continue;
        };
        followed += 1;
        assert!(
            next.trained_at >= started,
            "{} was judged by the model of {}: {job}",
            next.evaluated_at,
            next.trained_at
        );
    }
    assert!(followed >= 2, "{jobs:?}");
    jobs
}

/// By our own count, and by a row of the dataset at each instant of the grid.
async fn no_tick_missed(bellwether: &Bellwether, seen: &[Seen]) {
    let telemetry = bellwether.text("/metrics").await;
    let missed = "bellwether_ticks_missed_total 0";
    assert!(telemetry.lines().any(|line| line == missed), "{telemetry}");
    let (first, last) = (seen[0].evaluated_at, seen[seen.len() - 1].evaluated_at);
    let times = dataset_times(&bellwether.data_dir(), "alpha", "cpu");
    let rows = times
        .iter()
        .filter(|time| (first..=last).contains(*time))
        .count();
    let ticks = last.since(first).as_millis() / (2 * TICK).as_millis() + 1;
    assert_eq!(rows as u128, ticks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_added_as_data_is_judged_and_opens_incidents() {
    let dir = folder();
    let blocks = dir.path().join("prometheus");
    let history = (Span::from_secs(8 * 3_600), Span::from_secs(60), &*blocks);
    let fleet = SimulatedFleet::start(Topology::shop(), 12, dir.path(), Some(history));
    let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(1)).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\n{}\
         metrics: {{ blocked: {{ title: Blocked threads, unit: threads, query: 'sum by ($identity, instance) (jvm_threads_states_threads{{state=\"blocked\"}})', direction: up, high: 5, critical: 20 }} }}\n\
         services: {{ catalog: {{ metrics: {{ blocked: {{ high: 50, critical: 100 }} }} }} }}\n",
        prometheus.url,
        scaled(TICK),
    );
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(24, Duration::from_secs(90)).await;

    // Ten threads each: past High of all services but the one with thresholds of its own.
    fleet.fault(FaultKind::Deadlock, "catalog", 120, 2.0);
    fleet.fault(FaultKind::Deadlock, "inventory", 120, 2.0);
    let with_blocked = |incident: &Value| {
        let members = incident["members"].as_array().expect("a list");
        members.iter().any(|member| member["metric"] == "blocked")
    };
    let incident = until("an incident", Duration::from_secs(90), || async {
        let incidents = bellwether.incidents().await;
        incidents
            .into_iter()
            .find(|incident| incident["service"] == "inventory" && with_blocked(incident))
    })
    .await;
    let summary = incident["summary"].as_str().expect("a text");
    assert!(summary.contains("Blocked threads"), "{incident}");

    let judged = async |service: &str| {
        let (_, answer) = bellwether.get(&format!("/metrics?service={service}")).await;
        let blocked = metric(&answer, "blocked");
        let value = blocked["value"].as_f64().expect("a value");
        assert_eq!((value, &blocked["unit"]), (10.0, &"threads".into()));
        (
            blocked["high"].as_f64(),
            blocked["severity"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(judged("inventory").await, (Some(5.0), "High".into()));
    assert_eq!(judged("catalog").await, (Some(50.0), "Normal".into()));
    let incidents = bellwether.incidents().await;
    let of_catalog = incidents
        .iter()
        .find(|incident| incident["service"] == "catalog" && with_blocked(incident));
    assert_eq!(of_catalog, None);
    figure(
        "4",
        "a metric as data: its fault opens an incident; thresholds of one service hold it back",
        "yes; yes",
        "yes; yes",
        true,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retrain_is_a_job_that_can_be_followed() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 24 * HOUR).await;
    let bellwether = Bellwether::start(dir.path(), &config(&prometheus, ""), &[]).await;
    settled(&bellwether, CALM.len()).await;

    let client = client();
    let url = format!("{}/retrain", bellwether.url);
    let answer = client.post(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().expect("a path");
    let location = location.to_owned();
    let job: Value = answer.json().await.expect("a job");
    assert_eq!(
        location,
        format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())
    );
    let finished = until("the end of the job", Duration::from_secs(60), || async {
        let (status, job) = bellwether.get(&location).await;
        assert_eq!(status, 200, "{job}");
        job["finished_at"].is_string().then_some(job)
    })
    .await;
    assert_eq!(
        (&finished["state"], &finished["trigger"]),
        (&"done".into(), &"request".into())
    );
    assert_eq!(outcomes(&finished).len(), CALM.len());

    let narrowed = retrained(&bellwether, "&service=beta&metric=cpu").await;
    let narrowed = outcomes(&narrowed);
    assert_eq!(narrowed.len(), 1);
    assert_eq!(
        (&narrowed[0]["service"], &narrowed[0]["metric"]),
        (&"beta".into(), &"cpu".into())
    );
    for (query, status) in [("service=nobody", 404), ("metric=colour", 400)] {
        let (answered, problem) = bellwether.post(&format!("/retrain?{query}"), None).await;
        assert_eq!(answered, status, "{problem}");
    }

    let posts = (0..100).map(|_| {
        let post = client.post(&url).send();
        tokio::spawn(async move {
            let answer = post.await.expect("an answer");
            assert_eq!(answer.status(), 202);
            let job: Value = answer.json().await.expect("a job");
            job["id"].as_str().expect("an id").to_owned()
        })
    });
    let mut jobs = BTreeSet::new();
    for post in posts.collect::<Vec<_>>() {
        jobs.insert(post.await.expect("no panic"));
    }
    figure(
        "4",
        "jobs of 100 POST /retrain at once",
        jobs.len(),
        "≤ 2",
        jobs.len() <= 2,
    );
    assert!(jobs.len() <= 2, "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_samples_make_no_model_and_say_how_many() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 4 * HOUR).await;
    let config = config(&prometheus, "min_samples: 1000");
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    settled(&bellwether, 0).await;
    let job = retrained(&bellwether, "").await;
    assert_eq!(outcomes(&job).len(), CALM.len());
    for outcome in outcomes(&job) {
        assert_eq!(outcome["outcome"], "not_enough_samples", "{outcome}");
        let detail = outcome["detail"].as_str().expect("a text");
        let have: usize = detail.split(' ').next().unwrap().parse().expect("a number");
        let service = outcome["service"].as_str().expect("a name");
        let rows = dataset_times(&bellwether.data_dir(), service, "cpu").len();
        // Rows that came since.
        assert!(
            (240 - WARMING_UP..=rows - WARMING_UP).contains(&have),
            "{have} of {rows}"
        );
        assert!(
            detail.ends_with("usable samples, 1000 are needed"),
            "{detail}"
        );
    }
    let (_, answer) = bellwether.get("/metrics?service=alpha").await;
    let cpu = metric(&answer, "cpu");
    assert_eq!(
        (&cpu["prediction"], &cpu["trained_at"]),
        (&"Unknown".into(), &Value::Null)
    );
    assert!(
        cpu["why"].as_str().unwrap().contains("no model yet"),
        "{cpu}"
    );
    figure(
        "4",
        "too few samples",
        outcomes(&job)[0]["detail"].as_str().unwrap(),
        "said with numbers",
        true,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn training_works_on_the_files_alone() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 24 * HOUR).await;
    let mut bellwether = Bellwether::start(dir.path(), &config(&prometheus, ""), &[]).await;
    settled(&bellwether, CALM.len()).await;
    let file = dir.path().join("bellwether.yaml");
    let train = |more: &[&str]| {
        let mut arguments = vec!["train", "--config", file.to_str().expect("a plain path")];
        arguments.extend(more);
        run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments)
    };

    let refused = train(&[]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{why}");
    assert!(why.contains("POST /retrain"), "{why}");

    bellwether.terminate().await;
    drop(prometheus);
    let header = |service: &str| model_header(&bellwether.data_dir(), service, "cpu");
    let before = CALM.map(|(service, _)| at(&header(service)["trained_at"]));
    let trained = train(&["--json"]);
    assert!(trained.status.success(), "{trained:?}");
    let said: Vec<Value> = serde_json::from_slice(&trained.stdout).expect("a list");
    let services: Vec<&str> = said
        .iter()
        .map(|o| o["service"].as_str().unwrap())
        .collect();
    assert_eq!(services, ["alpha", "beta", "delta", "gamma"]);
    for ((service, _), before) in CALM.into_iter().zip(before) {
        let outcome = said.iter().find(|o| o["service"] == service).unwrap();
        assert_eq!(outcome["outcome"], "trained", "{outcome}");
        assert!(at(&header(service)["trained_at"]) > before, "{outcome}");
        assert_eq!(outcome["trained_at"], header(service)["trained_at"]);
    }

    let one = train(&["--service", "beta", "--set", "training.contamination=0.1"]);
    let said = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(
        one.status.success() && said.contains("1 series: 1 trained"),
        "{said}"
    );
    assert_eq!(header("beta")["contamination"], 0.1);
    assert_eq!(header("alpha")["contamination"], 0.01);

    let show = |service: &str| {
        let config = file.to_str().expect("a plain path");
        let arguments = [
            "model", "show", service, "cpu", "--json", "--config", config,
        ];
        run(Path::new(env!("CARGO_BIN_EXE_bellwether")), &arguments)
    };
    let shown: Value = serde_json::from_slice(&show("beta").stdout).expect("one object");
    assert_eq!(shown["trained_at"], header("beta")["trained_at"]);
    assert_eq!(shown["parameters"]["contamination"], 0.1);
    assert_eq!(shown["forest"]["trees"].as_array().map(Vec::len), Some(100));
    let refused = show("omega");
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{why}");
    assert!(why.contains(r#""alpha", "beta""#), "{why}");
    figure(
        "4",
        "bellwether train with Prometheus and server off: models that advance",
        CALM.len(),
        "all 4",
        true,
    );
}

#[test]
fn check_config_prints_the_effective_whole() {
    let dir = folder();
    let file = dir.path().join("config.yaml");
    let check = |text: &str| {
        fs::write(&file, text).expect("a temporary folder is writable");
        let path = file.to_str().expect("a plain path");
        let checked = run(
            Path::new(env!("CARGO_BIN_EXE_bellwether")),
            &[
                "check-config",
                "--config",
                path,
                "--set",
                "decide.open_after=45s",
            ],
        );
        let text = String::from_utf8_lossy;
        (
            checked.status.code(),
            text(&checked.stdout).into_owned(),
            text(&checked.stderr).into_owned(),
        )
    };
    let (code, effective, _) =
        check("training: { window: 3d }\nprometheus: { bearer_token: hush }\n");
    assert_eq!(code, Some(0));
    for line in [
        "window: 3d",
        "contamination: 0.01",
        "schedule: 1d",
        "open_after: 45s",
        "bearer_token: <secret>",
        // Whole, so that it can be copied.
        "histogram_quantile(0.99, sum by ($identity, le) (rate(http_server_requests_seconds_bucket",
    ] {
        assert!(effective.contains(line), "no {line:?} in {effective}");
    }
    let (code, again, _) = check(&effective.replace("<secret>", "hush"));
    let settings = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!((code, settings(&again)), (Some(0), settings(&effective)));
    let (code, _, why) = check("training: { windw: 3d }\n");
    assert_eq!(code, Some(2));
    assert!(why.contains("training.window"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_is_valid() {
    let dir = folder();
    let prometheus = Scripted::start(&CALM, 12 * HOUR).await;
    let bellwether = Bellwether::start(dir.path(), &config(&prometheus, ""), &[]).await;
    settled(&bellwether, CALM.len()).await;
    bellwether.get("/nowhere").await;
    let telemetry = bellwether.text("/metrics").await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed (apt-get install prometheus)");
    let mut stdin = promtool.stdin.take().expect("a pipe");
    stdin
        .write_all(telemetry.as_bytes())
        .expect("promtool reads");
    drop(stdin);
    let checked = promtool.wait_with_output().expect("promtool ends");
    figure(
        "4",
        "GET /metrics by promtool check metrics",
        checked.status,
        "exit status: 0",
        checked.status.success(),
    );
    assert!(checked.status.success(), "{checked:?}\n{telemetry}");
    assert!(
        checked.stderr.is_empty() && checked.stdout.is_empty(),
        "{checked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn crossing_and_anomaly_together_open_and_critical_alone_later() {
    let dir = folder();
    let prometheus = Scripted::start(
        &[
            // Past High of 85 ever since.
            ("crossing", 90.0),
            ("anomaly", 20.0),
            ("both", 20.0),
            // Critical from 95 on, but less than 10 % from expected is never an anomaly.
            ("critical", 90.0),
        ],
        24 * HOUR,
    )
    .await;
    let bellwether = Bellwether::start(dir.path(), &config(&prometheus, ""), &[]).await;
    settled(&bellwether, 4).await;
    assert_eq!(bellwether.incidents().await, Vec::<Value>::new());

    prometheus.shift("anomaly", 60.0);
    let crossed = first_tick_after(prometheus.shift("both", 91.0));
    let critical = first_tick_after(prometheus.shift("critical", 98.0));
    let opened = async |service: &str| {
        until(service, Duration::from_secs(60), || async {
            let incidents = bellwether.incidents().await;
            incidents.into_iter().find(|i| i["service"] == service)
        })
        .await
    };

    let both = opened("both").await;
    assert_eq!(both["opened_because"], "crossing_and_anomaly", "{both}");
    assert_eq!(at(&both["first_crossing_ts"]), crossed);
    let delay = at(&both["opened_ts"]).since(crossed);
    figure(
        "5",
        "both: ticks from the crossing to the incident; open_after is 2",
        delay.as_secs_f64(),
        "2",
        delay == 2 * TICK,
    );
    assert_eq!(delay, 2 * TICK);

    let alone = opened("critical").await;
    assert_eq!(alone["opened_because"], "threshold_only", "{alone}");
    let summary = alone["summary"].as_str().expect("a text");
    assert!(summary.contains("threshold only"), "{summary}");
    let delay = at(&alone["opened_ts"]).since(critical);
    figure(
        "5",
        "critical alone: ticks to the incident, which says threshold only; critical_after is 8",
        delay.as_secs_f64(),
        "8",
        delay == 8 * TICK,
    );
    assert_eq!(delay, 8 * TICK);

    // Far longer than open_after and critical_after.
    let enough = critical + 24 * TICK;
    until("more evaluations", Duration::from_secs(60), || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        (at(&status["evaluated_at"]) >= enough).then_some(())
    })
    .await;
    let judged = async |service: &str| {
        let (_, answer) = bellwether.get(&format!("/metrics?service={service}")).await;
        let cpu = metric(&answer, "cpu");
        let text = |key: &str| cpu[key].as_str().unwrap().to_owned();
        (text("severity"), text("prediction"))
    };
    let pair = |severity: &str, prediction: &str| (severity.to_owned(), prediction.to_owned());
    assert_eq!(judged("crossing").await, pair("High", "Normal"));
    assert_eq!(judged("anomaly").await, pair("Normal", "Anomaly"));
    assert_eq!(judged("both").await, pair("High", "Anomaly"));
    assert_eq!(judged("critical").await, pair("Critical", "Normal"));
    let incidents = bellwether.incidents().await;
    let services: BTreeSet<&str> = incidents
        .iter()
        .map(|incident| incident["service"].as_str().unwrap())
        .collect();
    assert_eq!(services, BTreeSet::from(["both", "critical"]));
    assert_eq!(incidents.len(), 2);
    let (_, services) = bellwether.get("/services").await;
    let state = |service: &str| {
        let mut services = services["items"].as_array().expect("a list").iter();
        let found = services.find(|item| item["id"] == service);
        found.expect("it is listed")["state"].clone()
    };
    assert_eq!(state("anomaly"), "early_warning");
    figure(
        "5",
        "incidents by crossing alone and by anomaly alone, in 24 ticks",
        "0; 0, an early warning",
        "0; 0",
        true,
    );
}

fn first_tick_after(time: Timestamp) -> Timestamp {
    let floor = time.floor_to(TICK);
    if floor < time { floor + TICK } else { floor }
}

fn config(prometheus: &Scripted, training: &str) -> String {
    format!(
        "prometheus: {{ url: '{}' }}\n{}training: {{ {training} }}\n",
        prometheus.url,
        scaled(TICK)
    )
}

/// The past is there, and so many models.
async fn settled(bellwether: &Bellwether, models: usize) {
    until("the past and models", Duration::from_secs(90), || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        let done = status["backfill"]["phase"] == "done";
        (done && status["models"] == models).then_some(())
    })
    .await;
}

/// `POST /retrain?wait=true`: the finished job.
async fn retrained(bellwether: &Bellwether, selection: &str) -> Value {
    let began = now();
    let path = format!("/retrain?wait=true{selection}");
    let (status, job) = bellwether.post(&path, None).await;
    assert_eq!((status, &job["state"]), (200, &"done".into()), "{job}");
    assert!(at(&job["finished_at"]) >= began, "{job}");
    job
}

fn outcomes(job: &Value) -> &Vec<Value> {
    job["outcomes"].as_array().expect("a list")
}

fn metric(answer: &Value, id: &str) -> Value {
    let mut metrics = answer["metrics"].as_array().expect("a list").iter();
    let found = metrics.find(|metric| metric["id"] == id);
    found.expect("it is judged").clone()
}

/// The JSON between the magic, its length, and the body.
fn model_header(data_dir: &Path, service: &str, metric: &str) -> Value {
    let file = data_dir.join(format!("models/{service}/{metric}.model"));
    let bytes = fs::read(file).expect("there is a model");
    assert_eq!(&bytes[..8], b"BWMODEL2");
    let length = u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
    serde_json::from_slice(&bytes[12..12 + length as usize]).expect("a header of JSON")
}

/// The times of all rows of a dataset, oldest first.
fn dataset_times(data_dir: &Path, service: &str, metric: &str) -> Vec<Timestamp> {
    let mut times = Vec::new();
    for part in ["history", "anomaly"] {
        let file = data_dir.join(format!("datasets/{service}/{part}/{metric}.csv"));
        let text = fs::read_to_string(file).unwrap_or_default();
        let time = |line: &str| line.split(',').next()?.parse::<Timestamp>().ok();
        times.extend(text.lines().skip(1).filter_map(time));
    }
    times.sort();
    times
}

fn at(time: &Value) -> Timestamp {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    text.parse().expect("RFC 3339")
}
