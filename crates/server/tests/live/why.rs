//! `bellwether why`: moments at which nothing opened, recomputed from the datasets by a script in
//! another language; and what it says of moments that are special.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use crate::durability::source::Random;
use crate::harness::{Bellwether, figure, folder, run, scaled, until};
use crate::knobs::scripted::{Scripted, now};

const TICK: Duration = Duration::from_secs(1);
/// Where scrapes are rarer than ticks.
const SCRAPE: Duration = Duration::from_secs(3);
const HOUR: Duration = Duration::from_secs(3_600);
const SEED: u64 = 20;
/// Moments that are drawn of each kind; the anomalous ones lie short of High.
const DRAWN: [(&str, usize); 8] = [
    ("past High", 3),
    ("past High and anomalous", 3),
    ("anomalous", 3),
    ("anomalous by its score", 3),
    ("calm", 2),
    ("unusual without effect", 2),
    ("warming up", 2),
    ("a gap", 2),
];
/// Of [`scaled`] at this tick, with the defaults of what it leaves out.
const SETTINGS: [&str; 11] = [
    "--tick=1",
    "--open-after=2",
    "--critical-after=8",
    "--quiet-period=20",
    "--alarm-budget=0.2",
    "--thresholds=cpu=85:95",
    "--thresholds=mem=85:95",
    "--thresholds=lat=1000:3000",
    "--minimum-deviation=cpu=10",
    "--minimum-deviation=mem=10",
    "--minimum-deviation=lat=100",
];
/// `busy` lives around High, as usual; the others are calm until something is planned for them.
const LEVELS: [(&str, f64); 8] = [
    ("busy", 85.3),
    ("calm", 30.0),
    ("flicker", 30.0),
    ("gappy", 40.0),
    ("mild", 30.0),
    ("milder", 30.0),
    ("odd", 20.0),
    ("sick", 30.0),
];
/// What is planned for so long after the models are there.
const STORY: Duration = Duration::from_secs(34);

#[tokio::test(flavor = "multi_thread")]
async fn why_answers_for_moments_at_which_nothing_opened() {
    let dir = folder();
    let prometheus = Scripted::start(&LEVELS, 12 * HOUR).await;
    let config = config(&prometheus);
    let (mut bellwether, begin) = told(dir.path(), &prometheus, &config).await;
    let answers = drawn(&bellwether, begin).await;
    recomputed(
        dir.path(),
        &bellwether,
        &answers,
        ("a scrape at each tick", TICK),
    );
    a_wrong_answer_is_found(dir.path(), &bellwether, &answers, begin);

    an_incident_is_told(&bellwether).await;
    what_nobody_knows_is_refused(&bellwether);
    what_was_not_evaluated_is_said(&mut bellwether, &config, begin).await;
    after_a_stall_decisions_hold_again(&bellwether).await;
    drop(prometheus);
    until(
        "a tick without a source",
        Duration::from_secs(20),
        || async {
            let answer = answered(&bellwether, "calm", "cpu", "now");
            (answer["decision"]["gap"] == "source_down").then_some(())
        },
    )
    .await;
}

/// Most ticks see a scrape that was judged before, and none sees one of its own instant.
#[tokio::test(flavor = "multi_thread")]
async fn why_answers_where_scrapes_are_rarer_than_ticks() {
    let dir = folder();
    let scrapes = Some((SCRAPE, Duration::from_millis(400)));
    let prometheus = Scripted::scraped(&LEVELS, 12 * HOUR, scrapes).await;
    let config = config(&prometheus);
    let (bellwether, begin) = told(dir.path(), &prometheus, &config).await;
    let answers = drawn(&bellwether, begin).await;
    recomputed(
        dir.path(),
        &bellwether,
        &answers,
        ("a scrape at every third tick", SCRAPE),
    );
}

fn config(prometheus: &Scripted) -> String {
    format!(
        "prometheus: {{ url: '{}' }}\n{}",
        prometheus.url,
        scaled(TICK)
    )
}

/// Runs until the story is over; says when it began.
async fn told(dir: &Path, prometheus: &Scripted, config: &str) -> (Bellwether, Timestamp) {
    let bellwether = Bellwether::start(dir, config, &[]).await;
    let models = LEVELS.len() as u64;
    bellwether.models(models, Duration::from_secs(60)).await;
    let begin = (now() + 2 * SCRAPE).floor_to(SCRAPE);
    plan(prometheus, begin);
    until("the end of the story", 2 * STORY, || async {
        let (_, status) = bellwether.get("/api/v1/status").await;
        (time(&status["evaluated_at"])? > begin + STORY).then_some(())
    })
    .await;
    (bellwether, begin)
}

fn plan(prometheus: &Scripted, begin: Timestamp) {
    let at = |second: u64| begin + Duration::from_secs(second);
    // Shorter than open_after: two ticks with a scrape of their own, or one scrape.
    for second in (0..STORY.as_secs() - 2).step_by(6) {
        prometheus.plan("flicker", at(second), 90.0);
        prometheus.plan("flicker", at(second + 2), 30.0);
    }
    // What it crossed before its first tick, the script can't date.
    for (second, level) in [(0, 83.5), (4, 85.3)] {
        prometheus.plan("busy", at(second), level);
    }
    for (second, level) in [(3, f64::NAN), (10, 40.0), (20, f64::NAN), (25, 40.0)] {
        prometheus.plan("gappy", at(second), level);
    }
    // The noise is ±1, and the same for both: from 40 to 41 only the score makes an anomaly.
    for (service, level) in [("mild", 41.0), ("milder", 40.0)] {
        prometheus.plan(service, at(4), level);
        prometheus.plan(service, at(28), 39.0);
    }
    for (second, level) in [(4, 60.0), (18, 20.0), (24, 70.0)] {
        prometheus.plan("odd", at(second), level);
    }
    for (second, level) in [(6, 91.0), (16, 30.0)] {
        prometheus.plan("sick", at(second), level);
    }
}

type Moment = (String, String, Timestamp);

/// The answers for twenty moments.
async fn drawn(bellwether: &Bellwether, begin: Timestamp) -> Vec<Value> {
    let moments = draw(bellwether, begin).await.into_iter();
    let ask =
        |(service, metric, at): Moment| answered(bellwether, &service, &metric, &at.to_string());
    moments.map(ask).collect()
}

/// Instants within decisions by which nothing opened, drawn from each kind.
async fn draw(bellwether: &Bellwether, begin: Timestamp) -> Vec<Moment> {
    let mut kinds: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
    let end = begin + STORY - TICK;
    for (service, _) in LEVELS.iter().filter(|(service, _)| *service != "sick") {
        for metric in ["cpu", "lat"] {
            let path = format!(
                "/api/v1/decisions?service={service}&metric={metric}&from={begin}&to={end}&limit=1000"
            );
            let (status, page) = bellwether.get(&path).await;
            assert_eq!(status, 200, "{page}");
            for item in page["items"].as_array().unwrap() {
                assert_eq!(item["incident"], Value::Null, "{item}");
                let from = time(&item["from"]).unwrap().max(begin);
                let to = time(&item["to"]).unwrap_or(end).min(end);
                let kind = match (item["severity"].as_str(), item["prediction"].as_str()) {
                    (Some("High" | "Critical"), Some("Anomaly")) => "past High and anomalous",
                    (Some("High" | "Critical"), _) => "past High",
                    (_, Some("Anomaly")) if tells(item, "makes an anomaly") => {
                        "anomalous by its score"
                    }
                    (_, Some("Anomaly")) => "anomalous",
                    (Some("Unavailable"), _) => "a gap",
                    (_, Some("Unknown")) => "warming up",
                    _ if tells(item, "is never an anomaly") => "unusual without effect",
                    _ => "calm",
                };
                // Between ticks too.
                let mut instant = from;
                while instant < to {
                    let moment = ((*service).to_owned(), metric.to_owned(), instant);
                    kinds.entry(kind).or_default().push(moment);
                    instant = instant + Duration::from_millis(137);
                }
            }
        }
    }
    let mut random = Random(SEED);
    let mut drawn = Vec::new();
    for (kind, count) in DRAWN {
        let moments = kinds
            .get_mut(kind)
            .unwrap_or_else(|| panic!("none is {kind}"));
        assert!(moments.len() >= 3 * count, "{} are {kind}", moments.len());
        for _ in 0..count {
            let place = random.within(0, moments.len() as i64) as usize;
            drawn.push(moments.swap_remove(place));
        }
    }
    drawn
}

fn tells(decision: &Value, words: &str) -> bool {
    let mut sentences = decision["why"].as_array().unwrap().iter();
    sentences.any(|sentence| sentence.as_str().unwrap().contains(words))
}

/// What the binary prints, asked on the command line.
fn asked(bellwether: &Bellwether, service: &str, metric: &str, at: &str, more: &[&str]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_bellwether"));
    let mut arguments = vec!["why", service, metric, at, "--url", &bellwether.url];
    arguments.extend(more);
    run(binary, &arguments)
}

fn answered(bellwether: &Bellwether, service: &str, metric: &str, at: &str) -> Value {
    let output = asked(bellwether, service, metric, at, &["--json"]);
    assert!(
        output.status.success(),
        "{service} {metric} {at}: {output:?}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs the script on answers; whether it agrees, and what it says.
fn checked(
    dir: &Path,
    bellwether: &Bellwether,
    answers: &[Value],
    step: Duration,
) -> (bool, String) {
    let file = dir.join("answers.jsonl");
    let lines: Vec<String> = answers.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/check_why.py");
    let output = Command::new("python3")
        .args([script, bellwether.data_dir(), file])
        .args(SETTINGS)
        .arg(format!("--step={}", step.as_secs()))
        .output()
        .expect("python3 is installed (apt-get install python3)");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(complained.is_empty(), "{complained}");
    (output.status.success(), said)
}

fn recomputed(
    dir: &Path,
    bellwether: &Bellwether,
    answers: &[Value],
    (scrapes, step): (&str, Duration),
) {
    let (agrees, said) = checked(dir, bellwether, answers, step);
    println!("{said}");
    let counts = said.lines().rev().nth(1).unwrap();
    let words: Vec<&str> = counts.split(' ').collect();
    let (past_high, anomalous): (usize, usize) =
        (words[0].parse().unwrap(), words[3].parse().unwrap());
    let moments = answers.len();
    let says = |what: &str, value: &dyn std::fmt::Display, bar: &str, pass: bool| {
        figure(
            "incidents 3",
            &format!("{what} ({scrapes})"),
            value,
            bar,
            pass,
        );
    };
    says(
        "seeded moments at which nothing opened",
        &moments,
        "20",
        moments == 20,
    );
    says("of them past High", &past_high, "≥ 5", past_high >= 5);
    says("of them anomalous", &anomalous, "≥ 5", anomalous >= 5);
    let agree = said.lines().last().unwrap();
    says(
        "answers that a recomputation from the CSVs agrees with",
        &agree,
        "20 of 20",
        agrees,
    );
    assert!(moments == 20 && past_high >= 5 && anomalous >= 5, "{said}");
    assert!(agrees && agree == "20 of 20 agree", "{said}");
}

/// The recomputation would have noticed.
fn a_wrong_answer_is_found(
    dir: &Path,
    bellwether: &Bellwether,
    answers: &[Value],
    begin: Timestamp,
) {
    // With a score before the one that its components make.
    let crossing = |answer: &&Value| {
        let decision = &answer["decision"];
        decision["verdict"] == "crossing_without_anomaly"
            && time(&decision["components_ts"]).is_some_and(|time| time > begin)
    };
    let right = answers.iter().find(crossing).expect("one of them").clone();
    let nudged = |value: &Value| json!(value.as_f64().unwrap() * (1.0 + 1e-6));
    let more = |value: &Value| json!(value.as_f64().unwrap() + 1e-6);
    let earlier = |value: &Value| json!((time(value).unwrap() - TICK).to_string());
    let nothing = |_: &Value| Value::Null;
    let turned = |word: &'static str| move |_: &Value| json!(word);
    type Turn<'a> = &'a dyn Fn(&Value) -> Value;
    let turns: [(&str, Turn<'_>); 21] = [
        ("/decision/value", &nudged),
        ("/decision/high", &nudged),
        ("/decision/upper", &nudged),
        ("/decision/score", &nudged),
        ("/decision/score_limit", &nudged),
        ("/row/features/rolling_mean", &nudged),
        ("/row/features/zscore", &nudged),
        ("/row/score", &|_: &Value| json!(7.5)),
        ("/row/timestamp", &earlier),
        ("/decision/since", &earlier),
        ("/decision/severity", &turned("Normal")),
        ("/decision/prediction", &turned("Anomaly")),
        ("/decision/verdict", &turned("calm")),
        ("/decision/components/0/rarity", &more),
        ("/decision/components/1/rarity", &more),
        ("/decision/components/1/name", &turned("band")),
        ("/decision/components/1/speaks", &|_: &Value| json!(true)),
        ("/decision/why/3", &turned("the model says Normal")),
        ("/decision/why/4", &turned("its score is low")),
        ("/decision/model_age_seconds", &|_: &Value| json!(7)),
        ("/row", &nothing),
    ];
    let by_score = |answer: &&Value| {
        let decision = &answer["decision"];
        decision["prediction"] == "Anomaly" && tells(decision, "makes an anomaly")
    };
    let anomalous = answers.iter().find(by_score).expect("one of them");
    let of_anomalous: [(&str, Turn<'_>); 3] = [
        ("/decision/prediction", &turned("Normal")),
        ("/decision/score_limit", &nudged),
        (
            "/decision/why/3",
            &turned("model a of b says Anomaly: its score is 5 of 8, and 2.50 makes an anomaly"),
        ),
    ];
    let tampered = turns.len() + of_anomalous.len();
    let turns = turns.map(|(path, turn)| (&right, path, turn));
    let of_anomalous = of_anomalous.map(|(path, turn)| (anomalous, path, turn));
    for (right, path, turn) in turns.into_iter().chain(of_anomalous) {
        let mut wrong = right.clone();
        let field = wrong.pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
        *field = turn(field);
        let (agrees, said) = checked(dir, bellwether, &[wrong], TICK);
        assert!(
            !agrees && said.contains("DIFFERS"),
            "{path} was turned: {said}"
        );
    }
    figure(
        "incidents 3",
        "tampered answers that the recomputation finds",
        tampered,
        "all",
        true,
    );
}

/// What opened, was joined and went on is told as well, and its rows are found in `anomaly/`.
async fn an_incident_is_told(bellwether: &Bellwether) {
    let incidents = bellwether.incidents().await;
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let (id, opened) = (
        &incidents[0]["id"],
        time(&incidents[0]["opened_ts"]).unwrap(),
    );
    let at = |after: u64| {
        let at = opened + Duration::from_secs(after);
        answered(bellwether, "sick", "cpu", &at.to_string())
    };
    for (after, verdict, notification) in [
        (0, "opened", json!("due")),
        (3, "extended", Value::Null),
        (13, "calm_member", Value::Null),
    ] {
        let answer = at(after);
        let decision = &answer["decision"];
        assert_eq!(
            (
                &decision["verdict"],
                &decision["incident"],
                &decision["notification"]
            ),
            (&json!(verdict), id, &notification),
            "{after} s after: {answer}"
        );
        assert_eq!(answer["row"]["part"], "anomaly", "{answer}");
        assert_eq!(answer["row"]["value"], decision["value"], "{answer}");
    }
    let page = asked(bellwether, "sick", "cpu", &opened.to_string(), &[]);
    let page = String::from_utf8(page.stdout).unwrap();
    let mut lines = page.lines();
    assert!(lines.next().unwrap().starts_with("sick cpu at "), "{page}");
    assert_eq!(
        lines.next(),
        Some(format!("incident #{id} opened").as_str())
    );
    for says in [
        "thresholds   High 85 %",
        "components   isolation forest",
        "model        ",
    ] {
        assert!(page.contains(says), "{page}");
    }
}

fn what_nobody_knows_is_refused(bellwether: &Bellwether) {
    let elsewhere = PathBuf::from(env!("CARGO_BIN_EXE_bellwether"));
    for (service, metric, at, code, says) in [
        ("nobody", "cpu", "now", 1, "no service is named nobody"),
        (
            "calm",
            "cqu",
            "now",
            1,
            "no metric is named cqu; configured are",
        ),
        ("calm", "cpu", "yesterday", 2, "yesterday"),
    ] {
        let output = asked(bellwether, service, metric, at, &[]);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
    let nowhere = format!("http://127.0.0.1:{}", crate::harness::free_port());
    for (url, code, says) in [
        (nowhere.as_str(), 1, "start it with `bellwether serve`"),
        ("localhost", 2, "give it as http://127.0.0.1:9092"),
    ] {
        let output = run(&elsewhere, &["why", "calm", "cpu", "now", "--url", url]);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
}

/// Before the first run, in the future, between two runs, and right now.
async fn what_was_not_evaluated_is_said(
    bellwether: &mut Bellwether,
    config: &str,
    begin: Timestamp,
) {
    bellwether.kill();
    let killed = now();
    tokio::time::sleep(8 * TICK).await;
    bellwether.start_again(config).await;
    let lately = until(
        "a tick after the restart",
        Duration::from_secs(20),
        || async {
            let answer = answered(bellwether, "calm", "cpu", "now");
            (answer["decision"]["verdict"] == "calm").then_some(answer)
        },
    )
    .await;
    assert!(time(&lately["evaluated_at"]).unwrap() > killed, "{lately}");
    for (at, says) in [
        (
            begin - 24 * HOUR,
            "no tick was evaluated at that time; the next one was at",
        ),
        (
            killed + 4 * TICK,
            "no tick was evaluated at that time; the last one before",
        ),
        (now() + HOUR, "still to come; the newest tick was at"),
    ] {
        let answer = answered(bellwether, "calm", "cpu", &at.to_string());
        assert_eq!(
            (&answer["evaluated"], &answer["decision"]),
            (&json!(false), &Value::Null)
        );
        let text = answer["answer"].as_str().unwrap();
        assert!(text.contains(says), "{text}");
    }
    let (_, page) = bellwether
        .get("/api/v1/decisions?service=calm&metric=cpu&limit=1000")
        .await;
    let items = page["items"].as_array().unwrap();
    let of_the_first_run = |item: &&Value| time(&item["from"]).is_some_and(|from| from < killed);
    let ended = items.iter().rfind(of_the_first_run).expect("one of them");
    let to = time(&ended["to"]).expect("it ended with its process");
    assert!(to <= killed, "it doesn't outlive its process: {ended}");
    assert_eq!(
        items.last().unwrap()["to"],
        Value::Null,
        "the last still holds"
    );
    let (_, first) = bellwether
        .get("/api/v1/decisions?service=calm&metric=cpu&limit=1")
        .await;
    assert_eq!(first["items"][0], items[0], "also at the end of a page");
    assert_ne!(first["next_cursor"], Value::Null);
    let (status, refused) = bellwether
        .get("/api/v1/decisions?service=calm&metric=cpu&at=0&limit=1")
        .await;
    assert_eq!(status, 400, "{refused}");
}

/// A process that stood still for some ticks, on a machine that slept or was overloaded, goes on
/// with decisions that hold, though nothing about them changed.
async fn after_a_stall_decisions_hold_again(bellwether: &Bellwether) {
    let before = now();
    bellwether.stall(5 * TICK).await;
    let after = now();
    let answer = until("a tick after it", Duration::from_secs(20), || async {
        let answer = answered(bellwether, "calm", "cpu", "now");
        (time(&answer["evaluated_at"])? > after).then_some(answer)
    })
    .await;
    assert_eq!(answer["decision"]["verdict"], "calm", "{answer}");
    assert_eq!(answer["decision"]["to"], Value::Null, "{answer}");
    let within = before + 3 * TICK;
    let answer = answered(bellwether, "calm", "cpu", &within.to_string());
    assert_eq!(answer["evaluated"], false, "{answer}");
    // Of this series nothing at all changed.
    let answer = answered(bellwether, "calm", "lat", "now");
    assert_eq!(answer["decision"]["verdict"], "no_sample", "{answer}");
    let (_, page) = bellwether
        .get("/api/v1/decisions?service=calm&metric=cpu&limit=1000")
        .await;
    let items = page["items"].as_array().unwrap();
    let is_before = |item: &&Value| time(&item["from"]).is_some_and(|from| from < within);
    let held = items.iter().rfind(is_before).expect("one of them");
    assert!(time(&held["to"]).unwrap() < within, "{page}");
    let holds = items.last().unwrap();
    assert!(!is_before(&holds), "{page}");
    assert_eq!(holds["to"], Value::Null, "{page}");
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
