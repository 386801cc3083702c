//! Nothing is lost: SIGKILL at any moment, and incidents, datasets and models are whole after the
//! restart. `BELLWETHER_KILLS` says how often, `BELLWETHER_SEED` when.

mod disk;
pub mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{FaultKind, Span, Topology};
use tokio::task::JoinHandle;

use crate::harness::{
    Bellwether, PrometheusServer, SimulatedFleet, client, figure, folder, from_environment, scaled,
    until,
};
use disk::Series;
use source::{
    CRITICAL, Fault, HIGH, METRICS, Random, SERVICES, STEP_MS, Script, ScriptedPrometheus,
};

const TICK: Duration = Duration::from_secs(1);
/// Of [`scaled`] at this tick.
const QUIET_MS: i64 = 20_000;
const OPEN_AFTER_MS: i64 = 2_000;
const EVALUATION_DELAY_MS: i64 = 1_000;
/// Rows at the begin of a window, or after a gap, that have no features.
const WARM_UP: usize = 6;
const START_MAX: Duration = Duration::from_secs(5);
const MODELS: u64 = (SERVICES.len() * METRICS.len()) as u64;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whenever_it_is_killed() {
    let kills = from_environment("BELLWETHER_KILLS", 25);
    let mut random = Random(from_environment("BELLWETHER_SEED", 3));
    let first_starts = kills / 5;
    kill_first_starts(first_starts, &mut random).await;

    let dir = folder();
    let script = Arc::new(Script::new(random.clone(), now_ms()));
    let prometheus = ScriptedPrometheus::start(Arc::clone(&script)).await;
    let config = config(&prometheus.url);
    let mut story = Story::begin(dir.path(), config, script, random);
    for number in 0..kills - first_starts {
        story.live_and_die(number).await;
    }
    story.end_well().await;
    let figures = story.judge().await;

    // In a long run each metric has had its fault, and the check of each model must do.
    assert!(figures.masked_bystanders > 0 || kills > 50);
    let slowest = story.slowest_start.as_secs_f64();
    figure("3", "kills −9, seeded", kills, "≥ 25", true);
    figure(
        "3",
        "incidents compared after restarts",
        format!("{} looks at {}", story.incidents_checked, figures.incidents),
        "all whole",
        true,
    );
    figure(
        "3",
        "rows compared with the source",
        figures.rows,
        "all equal",
        true,
    );
    figure(
        "3",
        "rows of members from onset + 2 steps through quiet_period, in anomaly/",
        figures.member_rows,
        "all",
        true,
    );
    figure(
        "3",
        "slowest restart",
        format!("{slowest:.1} s"),
        "< 5 s",
        slowest < 5.0,
    );
}

/// In a long run incidents mask three quarters of the window, which must leave enough to learn.
fn config(prometheus: &str) -> String {
    let metrics: Vec<String> = METRICS
        .iter()
        .map(|metric| {
            format!(
                "{metric}: {{ query: 'max by ($identity, instance) (script_{metric})', unit: '%', high: {HIGH}, critical: {CRITICAL}, minimum_deviation: 10 }}"
            )
        })
        .collect();
    format!(
        "prometheus: {{ url: '{prometheus}' }}\n{}training: {{ window: 10m, window_min_samples: 300, min_samples: 100, max_age: 1m }}\nmetrics: {{ {} }}\n",
        scaled(TICK),
        metrics.join(", ")
    )
}

fn now_ms() -> i64 {
    simulator::system_clock()()
}

/// They have a source of their own: the faults of the story must not begin before it does.
async fn kill_first_starts(count: u64, random: &mut Random) {
    let script = Arc::new(Script::new(random.clone(), now_ms()));
    let prometheus = ScriptedPrometheus::start(script).await;
    let config = config(&prometheus.url);
    for _ in 0..count {
        kill_a_first_start(&config, random.within(0, 250) as u64).await;
    }
}

/// A data directory that is killed while it is made can be used afterwards.
async fn kill_a_first_start(config: &str, after_ms: u64) {
    let dir = folder();
    let mut bellwether = Bellwether::spawned(dir.path(), config);
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    bellwether.kill();
    bellwether.start_again(config).await;
    let (status, page) = bellwether.get("/api/v1/incidents").await;
    assert_eq!(
        (status, &page["items"]),
        (200, &json!([])),
        "killed after {after_ms} ms"
    );
    assert_eq!(
        disk::quarantine(&bellwether.data_dir()),
        Vec::<String>::new(),
        "killed after {after_ms} ms: {}",
        bellwether.log()
    );
}

/// What was seen of an incident, which can never be unseen.
struct Seen {
    incident: Value,
    status: usize,
}

/// The rank of a status; it never falls.
fn rank(status: &Value) -> usize {
    let statuses = ["OPEN", "ACKNOWLEDGED", "RESOLVED"];
    statuses
        .iter()
        .position(|s| status == s)
        .unwrap_or_else(|| panic!("{status} is no status"))
}

struct Story {
    script: Arc<Script>,
    random: Random,
    config: String,
    bellwether: Bellwether,
    client: reqwest::Client,
    seen: BTreeMap<u64, Seen>,
    /// The highest status that was asked for.
    asked: BTreeMap<u64, usize>,
    models: u64,
    slowest_start: Duration,
    rows_checked: usize,
    /// How often an incident was looked at after a restart.
    incidents_checked: usize,
}

impl Story {
    fn begin(dir: &Path, config: String, script: Arc<Script>, random: Random) -> Story {
        Story {
            script,
            random,
            bellwether: Bellwether::spawned(dir, &config),
            config,
            client: client(),
            seen: BTreeMap::new(),
            asked: BTreeMap::new(),
            models: 0,
            slowest_start: Duration::ZERO,
            rows_checked: 0,
            incidents_checked: 0,
        }
    }

    /// One life: from a start that is under way to the kill, and the next start.
    async fn live_and_die(&mut self, number: u64) {
        // The first lives end while there is nothing yet, then while the past is fetched.
        let kind = match number {
            0..2 => 0,
            2..5 => 1,
            _ => self.random.within(0, 7),
        };
        if kind == 0 {
            let moment = self.random.within(0, 300) as u64;
            tokio::time::sleep(Duration::from_millis(moment)).await;
        } else {
            self.come_up().await;
            match kind {
                1 => self.live(0, 400).await,
                2 => self.live(1_500, 4_000).await,
                3 => self.die_while_training().await,
                4 | 5 => self.die_while_an_incident_opens().await,
                _ => self.die_while_obeying().await,
            }
        }
        self.bellwether.kill();
        let down = match self.random.within(0, 3) {
            0 => self.random.within(500, 3_500),
            _ => 0,
        };
        tokio::time::sleep(Duration::from_millis(down as u64)).await;
        self.bellwether.spawn_again(&self.config);
    }

    /// Waits for the answer of a start, and looks at what it left of the last life.
    async fn come_up(&mut self) {
        let took = self.bellwether.up().await;
        assert!(
            took < START_MAX,
            "a start took {took:?}: {}",
            self.bellwether.log()
        );
        self.slowest_start = self.slowest_start.max(took);
        assert!(self.observe().await, "it answers");
        self.incidents_checked += self.seen.len();
        self.rows_checked += self.check_rows(&self.datasets().await);
        assert_eq!(
            disk::quarantine(&self.bellwether.data_dir()),
            Vec::<String>::new(),
            "{}",
            self.bellwether.log()
        );
    }

    async fn live(&mut self, least_ms: i64, most_ms: i64) {
        let lasts = self.random.within(least_ms, most_ms) as u64;
        self.live_for(Duration::from_millis(lasts)).await;
    }

    /// Observes and operates until the very moment.
    async fn live_for(&mut self, lasts: Duration) {
        let (pause, end) = (Duration::from_millis(100), Instant::now() + lasts);
        while Instant::now() + 3 * pause < end {
            tokio::time::sleep(pause).await;
            self.observe().await;
            if let Some((id, task)) = self.operate() {
                let answer = task.await.expect("a request is no panic");
                self.note_answer(id, answer);
            }
        }
        if lasts > Duration::from_secs(3) {
            self.see_models().await;
        }
        tokio::time::sleep_until(end.into()).await;
    }

    async fn die_while_training(&mut self) {
        self.live(0, 1_200).await;
        let url = format!("{}/retrain", self.bellwether.url);
        let request = tokio::spawn(self.client.post(url).send());
        let moment = self.random.within(0, 250) as u64;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        self.bellwether.kill();
        let _ = request.await;
    }

    /// The tick that opens the next incident comes soon: dies in the middle of it.
    async fn die_while_an_incident_opens(&mut self) {
        let (now, jitter) = (now_ms(), self.random.within(0, 70));
        let moments = self.script.faults().into_iter().map(|fault| {
            self.script.crossing(&fault).0 + OPEN_AFTER_MS + EVALUATION_DELAY_MS + jitter
        });
        let soon = moments
            .filter(|moment| *moment > now && *moment < now + 5_000)
            .min();
        match soon {
            Some(moment) => {
                self.live_for(Duration::from_millis((moment - now) as u64))
                    .await
            }
            None => self.live(0, 1_500).await,
        }
    }

    /// Dies with a request of an operator under way.
    async fn die_while_obeying(&mut self) {
        self.live(0, 1_000).await;
        let Some((id, task)) = self.operate() else {
            return;
        };
        let moment = self.random.within(0, 25) as u64;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        self.bellwether.kill();
        self.note_answer(id, task.await.expect("a request is no panic"));
    }

    /// Acknowledges, now and then resolves, an incident that is not resolved; if there is one, and
    /// not always.
    fn operate(&mut self) -> Option<(u64, JoinHandle<Option<Value>>)> {
        let unresolved: Vec<u64> = self
            .seen
            .iter()
            .filter(|(_, seen)| seen.status < 2)
            .map(|(id, _)| *id)
            .collect();
        if unresolved.is_empty() || self.random.within(0, 12) > 0 {
            return None;
        }
        let id = unresolved[self.random.within(0, unresolved.len() as i64) as usize];
        let (verb, status) = match (self.seen[&id].status, self.random.within(0, 2)) {
            (0, 0) => ("ack", 1),
            _ => ("resolve", 2),
        };
        let asked = self.asked.entry(id).or_default();
        *asked = (*asked).max(status);
        let url = format!("{}/api/v1/incidents/{id}/{verb}", self.bellwether.url);
        let request = self
            .client
            .post(url)
            .json(&json!({ "note": "seen" }))
            .send();
        let task = tokio::spawn(async move {
            let answer = request.await.ok()?.error_for_status().ok()?;
            answer.json().await.ok()
        });
        Some((id, task))
    }

    /// What was answered holds; what was not may or may not have happened.
    fn note_answer(&mut self, id: u64, answer: Option<Value>) {
        if let Some(incident) = answer {
            let seen = self
                .seen
                .get_mut(&id)
                .expect("it was seen before it was changed");
            seen.status = seen.status.max(rank(&incident["status"]));
        }
    }

    /// Looks at the incidents, if there is an answer: nothing that was seen is gone or other.
    async fn observe(&mut self) -> bool {
        let url = format!("{}/api/v1/incidents?limit=1000", self.bellwether.url);
        let Ok(answer) = self.client.get(url).send().await else {
            return false;
        };
        let page: Value = answer.json().await.expect("an answer is whole");
        let items = page["items"].as_array().expect("a list");
        let ids: Vec<u64> = items
            .iter()
            .map(|i| i["id"].as_u64().expect("a number"))
            .collect();
        assert!(
            ids.is_sorted_by(|a, b| a > b),
            "newest first, each once: {ids:?}"
        );
        for id in self.seen.keys() {
            assert!(ids.contains(id), "#{id} is lost: {}", self.bellwether.log());
        }
        let newest = self.seen.keys().next_back().copied().unwrap_or(0);
        for (id, incident) in ids.into_iter().zip(items) {
            let status = rank(&incident["status"]);
            let asked = self.asked.get(&id).copied().unwrap_or(0);
            assert!(status <= asked, "nobody asked for {incident}");
            match self.seen.get_mut(&id) {
                Some(seen) => {
                    assert_unchanged(&seen.incident, incident);
                    assert!(
                        status >= seen.status,
                        "#{id} was {:?} and is {incident}",
                        seen.status
                    );
                    *seen = Seen {
                        incident: incident.clone(),
                        status,
                    };
                }
                None => {
                    assert!(id > newest, "#{id} came after #{newest}");
                    self.seen.insert(
                        id,
                        Seen {
                            incident: incident.clone(),
                            status,
                        },
                    );
                }
            }
        }
        true
    }

    /// As many models as ever, without a hand.
    async fn see_models(&mut self) {
        let (_, status) = self.bellwether.get("/api/v1/status").await;
        let models = status["models"].as_u64().expect("a number");
        assert!(
            models >= self.models,
            "{models} of {} models: {}",
            self.models,
            self.bellwether.log()
        );
        self.models = models;
    }

    /// What lies in the files. A write under way may look like damage, but not for long.
    async fn datasets(&self) -> BTreeMap<(String, String), Series> {
        let data_dir = self.bellwether.data_dir();
        let mut damage = String::new();
        for _ in 0..10 {
            match disk::datasets(&data_dir) {
                Ok(datasets) => return datasets,
                Err(what) => damage = what,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{damage}: {}", self.bellwether.log());
    }

    /// Every row says what the source said.
    fn check_rows(&self, datasets: &BTreeMap<(String, String), Series>) -> usize {
        let mut checked = 0;
        for ((service, metric), series) in datasets {
            for (time, row) in series.history.iter().chain(&series.anomaly) {
                let value = self.script.value(service, metric, *time);
                let severity = match value {
                    value if value >= CRITICAL => "Critical",
                    value if value >= HIGH => "High",
                    _ => "Normal",
                };
                assert_eq!(time % STEP_MS, 0, "{service}/{metric}: {row:?}");
                assert_eq!(
                    (row.value, row.severity.as_str()),
                    (value, severity),
                    "{service}/{metric} at {time}"
                );
                checked += 1;
            }
        }
        checked
    }

    /// The last start goes on until every fault is over and quiet and every row is there.
    async fn end_well(&mut self) {
        self.script.calm_from(now_ms());
        self.come_up().await;
        self.bellwether
            .models(MODELS, Duration::from_secs(60))
            .await;
        let last_end = self.script.faults().iter().map(|fault| fault.end_ms).max();
        until("quiet", Duration::from_secs(120), || async {
            let (_, status) = self.bellwether.get("/api/v1/status").await;
            let over = last_end.is_none_or(|end| now_ms() > end + 4_000);
            (over && status["incidents"]["firing"] == 0).then_some(())
        })
        .await;
        let mut holes = Vec::new();
        for _ in 0..300 {
            holes = holes_of(&self.datasets().await, &skipped(&self.bellwether.log()));
            if holes.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(
            holes.is_empty(),
            "rows were never filled: {holes:?}: {}",
            self.bellwether.log()
        );
        let (status, job) = self.bellwether.post("/retrain?wait=true", None).await;
        let outcomes = job["outcomes"].as_array().expect("outcomes");
        assert!(
            status == 200 && outcomes.iter().all(|o| o["outcome"] == "trained"),
            "{job}"
        );
        self.observe().await;
    }

    /// Each scripted fault against the incidents, the datasets and the models.
    async fn judge(&self) -> Figures {
        let datasets = self.datasets().await;
        let mut figures = Figures {
            rows: self.rows_checked + self.check_rows(&datasets),
            ..Figures::default()
        };
        let mut unexplained: BTreeSet<u64> = self.seen.keys().copied().collect();
        for fault in self.script.faults() {
            let incident = self.incident_of(&fault);
            unexplained.remove(&incident["id"].as_u64().expect("a number"));
            figures.incidents += 1;
            figures.member_rows += self.check_fault(&fault, incident, &datasets);
        }
        assert!(
            unexplained.is_empty(),
            "incidents without a fault: {unexplained:?}"
        );
        for ((service, metric), series) in &datasets {
            let masked = self.check_model(service, metric, series);
            figures.masked_bystanders += usize::from(masked && series.anomaly.is_empty());
        }
        assert_eq!(self.script.unscripted(), Vec::<String>::new());
        let log = self.bellwether.log();
        let errors: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(" ERROR "))
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        figures
    }

    /// The one incident of a fault.
    fn incident_of(&self, fault: &Fault) -> &Value {
        let (first, last) = self.script.crossing(fault);
        let about = |incident: &&Value| {
            let crossing = millis(&incident["first_crossing_ts"]);
            incident["service"] == fault.service && (first..=last).contains(&crossing)
        };
        let found: Vec<&Value> = self
            .seen
            .values()
            .map(|seen| &seen.incident)
            .filter(about)
            .collect();
        assert_eq!(
            found.len(),
            1,
            "{fault:?}: {found:?}: {}",
            self.bellwether.log()
        );
        found[0]
    }

    /// Rows of the member lie in `anomaly/`, those of the other metrics in `history/`.
    fn check_fault(
        &self,
        fault: &Fault,
        incident: &Value,
        datasets: &BTreeMap<(String, String), Series>,
    ) -> usize {
        let members = incident["members"].as_array().expect("members");
        assert_eq!(
            (members.len(), &members[0]["metric"]),
            (1, &json!(fault.metric)),
            "{incident}"
        );
        let last_firing = millis(&members[0]["last_firing_ts"]);
        let from = fault.onset_ms + 2 * STEP_MS;
        let times: Vec<i64> = (from..=last_firing + QUIET_MS)
            .step_by(STEP_MS as usize)
            .collect();
        for metric in METRICS {
            let series = &datasets[&(fault.service.to_owned(), metric.to_owned())];
            let (right, wrong) = match metric == fault.metric {
                true => (&series.anomaly, &series.history),
                false => (&series.history, &series.anomaly),
            };
            let astray: Vec<i64> = times
                .iter()
                .filter(|t| !right.contains_key(*t) || wrong.contains_key(*t))
                .map(|t| *t - fault.onset_ms)
                .collect();
            assert!(
                astray.is_empty(),
                "{}/{metric}: rows at onset + {astray:?} ms lie in the wrong part, or nowhere; {fault:?} {incident}: {}",
                fault.service,
                self.bellwether.log()
            );
        }
        times.len()
    }

    /// The model is of the rows of its window, without those that incidents mask; says whether
    /// there were such.
    fn check_model(&self, service: &str, metric: &str, series: &Series) -> bool {
        let header = disk::model_header(&self.bellwether.data_dir(), service, metric);
        let (from, to) = (millis(&header["window_from"]), millis(&header["window_to"]));
        let window: BTreeSet<i64> = series.times().range(from..=to).copied().collect();
        let incidents = self.seen.values().map(|seen| &seen.incident);
        let masks: Vec<(i64, i64)> = incidents
            .filter(|incident| incident["service"] == service)
            .map(|i| {
                (
                    millis(&i["onset_ts"]),
                    millis(&i["last_seen_ts"]) + QUIET_MS,
                )
            })
            .collect();
        let is_masked = |time: &&i64| {
            series.anomaly.contains_key(time)
                || masks.iter().any(|(from, to)| (*from..=*to).contains(*time))
        };
        let masked = window.iter().filter(is_masked).count();
        let said = |field: &str| header[field].as_u64().expect("a count") as usize;
        let near = |said: usize, counted: usize| said <= counted && counted <= said + WARM_UP;
        assert!(
            near(said("masked_rows"), masked)
                && near(said("rows") + said("masked_rows"), window.len()),
            "{service}/{metric}: {} rows, {masked} masked; {header}",
            window.len()
        );
        said("masked_rows") > 0
    }
}

#[derive(Default)]
struct Figures {
    incidents: usize,
    rows: usize,
    member_rows: usize,
    /// Series without an anomaly of their own whose models leave rows out.
    masked_bystanders: usize,
}

/// What is settled once an incident is seen.
fn assert_unchanged(before: &Value, after: &Value) {
    for field in [
        "id",
        "service",
        "kind",
        "opened_ts",
        "opened_because",
        "follows",
    ] {
        assert_eq!(
            before[field], after[field],
            "{field} of {before} is other in {after}"
        );
    }
    let members = |incident: &Value| -> BTreeSet<String> {
        let members = incident["members"].as_array().expect("members");
        members.iter().map(|m| m["metric"].to_string()).collect()
    };
    assert!(
        members(before).is_subset(&members(after)),
        "{before}, then {after}"
    );
    assert!(
        millis(&before["last_seen_ts"]) <= millis(&after["last_seen_ts"]),
        "{before}, then {after}"
    );
}

/// The instants of the grid, from the first row to the last, at which a series has no row; but for
/// those at which nothing was evaluated by a process that was alive.
fn holes_of(datasets: &BTreeMap<(String, String), Series>, skipped: &BTreeSet<i64>) -> Vec<String> {
    let mut holes = Vec::new();
    for ((service, metric), series) in datasets {
        let times = series.times();
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            continue;
        };
        let missing: Vec<i64> = (*first..*last)
            .step_by(STEP_MS as usize)
            .filter(|time| !times.contains(time) && !skipped.contains(time))
            .collect();
        if !missing.is_empty() {
            holes.push(format!("{service}/{metric}: {missing:?}"));
        }
    }
    holes
}

/// The instants that the log says were skipped.
fn skipped(log: &str) -> BTreeSet<i64> {
    let field = |line: &str, name: &str| -> Option<String> {
        let (_, rest) = line.split_once(&format!(" {name}="))?;
        rest.split(' ').next().map(str::to_owned)
    };
    let of = |line: &str| -> Option<Vec<i64>> {
        let missed: i64 = field(line, "missed")?.parse().ok()?;
        let at: domain::Timestamp = field(line, "at")?.parse().ok()?;
        Some(
            (1..=missed)
                .map(|back| at.as_millis() - back * STEP_MS)
                .collect(),
        )
    };
    let lines = log
        .lines()
        .filter(|line| line.contains("evaluation instants were skipped"));
    lines.filter_map(of).flatten().collect()
}

fn millis(time: &Value) -> i64 {
    let time = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    let time: domain::Timestamp = time.parse().expect("RFC 3339");
    time.as_millis()
}

/// Died after the incident was committed: its rows are still in history, or in both parts.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_crash_left_in_history_move_at_the_next_start() {
    let dir = folder();
    let script = Arc::new(Script::new(Random(7), now_ms()));
    let fault = script.faults().remove(0);
    script.calm_from(fault.onset_ms + 1);
    let prometheus = ScriptedPrometheus::start(Arc::clone(&script)).await;
    let config = config(&prometheus.url);
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    until("rows of an incident", Duration::from_secs(60), || async {
        let found = bellwether.incidents().await.len() == 1 && now_ms() > fault.end_ms;
        found.then_some(())
    })
    .await;
    bellwether.kill();
    // Nothing is evaluated or filled any more.
    drop(prometheus);

    let home = bellwether.data_dir().join("datasets").join(fault.service);
    let file = |part: &str| home.join(part).join(format!("{}.csv", fault.metric));
    let moved = disk::rows(&file("anomaly")).expect("whole rows");
    assert!(moved.len() >= 10, "{moved:?}");
    let history = disk::rows(&file("history")).expect("whole rows");
    let mut unmoved = history.clone();
    unmoved.extend(moved.clone());
    for in_both in [0, moved.len() / 2, moved.len()] {
        disk::write_rows(&file("history"), &unmoved);
        let anomaly = moved.clone().into_iter().take(in_both).collect();
        disk::write_rows(&file("anomaly"), &anomaly);
        bellwether.start_again(&config).await;
        bellwether.kill();
        assert_eq!(
            disk::rows(&file("anomaly")).expect("whole rows"),
            moved,
            "{in_both} were in both"
        );
        assert_eq!(
            disk::rows(&file("history")).expect("whole rows"),
            history,
            "{in_both} were in both"
        );
    }
    assert!(
        bellwether
            .log()
            .contains("which the last run had not finished")
    );
}

/// Without a restart, too.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_could_not_be_written_are_filled_in_later() {
    let dir = folder();
    let script = Arc::new(Script::new(Random(7), now_ms()));
    script.calm_from(0);
    let prometheus = ScriptedPrometheus::start(Arc::clone(&script)).await;
    let config = config(&prometheus.url);
    let bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(MODELS, Duration::from_secs(60)).await;

    let home = bellwether.data_dir().join("datasets").join(SERVICES[0]);
    let aside = dir.path().join("aside");
    std::fs::rename(&home, &aside).expect("a folder can be moved");
    std::fs::write(&home, "in the way").expect("a file can be written");
    let unsaved = |ready: Value| {
        ready["reasons"]
            .to_string()
            .contains("rows are not written")
    };
    until(
        "rows that can't be written",
        Duration::from_secs(30),
        || async { unsaved(bellwether.get("/readyz").await.1).then_some(()) },
    )
    .await;
    tokio::time::sleep(3 * TICK).await;
    let failing_at = now_ms() - EVALUATION_DELAY_MS;
    std::fs::remove_file(&home).expect("a file can be removed");
    std::fs::rename(&aside, &home).expect("a folder can be moved");

    until("rows of that time", Duration::from_secs(30), || async {
        let datasets = disk::datasets(&bellwether.data_dir()).ok()?;
        let later = |series: &Series| series.times().last().is_some_and(|t| *t > failing_at);
        let whole = holes_of(&datasets, &skipped(&bellwether.log())).is_empty();
        (whole && datasets.values().all(later)).then_some(())
    })
    .await;
}

/// The same on a real Prometheus, whose truth is less exact.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_a_real_prometheus_survives_kills() {
    const KILLS: usize = 3;
    let dir = folder();
    let blocks = dir.path().join("prometheus");
    let history = (Span::from_secs(6 * 3_600), Span::from_secs(60), &*blocks);
    let fleet = SimulatedFleet::start(Topology::shop(), 5, dir.path(), Some(history));
    let prometheus = PrometheusServer::start(&fleet, dir.path(), Span::from_secs(1)).await;
    let config = format!(
        "prometheus: {{ url: '{}' }}\n{}training: {{ window_min_samples: 300, min_samples: 100 }}\n",
        prometheus.url,
        scaled(TICK)
    );
    let mut bellwether = Bellwether::start(dir.path(), &config, &[]).await;
    bellwether.models(18, Duration::from_secs(120)).await;
    fleet.fault(FaultKind::BadRelease, "inventory", 60, 2.0);
    let mut random = Random(from_environment("BELLWETHER_SEED", 3));
    for number in 0..KILLS {
        let before = until("an incident", Duration::from_secs(90), || async {
            let all = bellwether.incidents().await;
            all.iter()
                .any(|i| i["service"] == "inventory")
                .then_some(all)
        })
        .await;
        let moment = random.within(0, 3_000) as u64;
        tokio::time::sleep(Duration::from_millis(moment)).await;
        bellwether.kill_and_restart(&config).await;
        let after = bellwether.incidents().await;
        for incident in before {
            let same = after.iter().find(|i| i["id"] == incident["id"]);
            assert_unchanged(&incident, same.expect("nothing is lost"));
        }
        assert_eq!(
            after.iter().filter(|i| i["service"] == "inventory").count(),
            1,
            "after kill {number}: {after:?}"
        );
        bellwether.models(18, Duration::from_secs(30)).await;
    }
    let incident = bellwether
        .incidents()
        .await
        .into_iter()
        .find(|i| i["service"] == "inventory")
        .expect("an incident");
    let datasets = until("whole datasets", Duration::from_secs(10), || async {
        disk::datasets(&bellwether.data_dir()).ok()
    })
    .await;
    for member in incident["members"].as_array().expect("members") {
        let metric = member["metric"].as_str().expect("a name");
        let series = &datasets[&("inventory".to_owned(), metric.to_owned())];
        let (from, to) = (
            millis(&member["onset_ts"]),
            millis(&incident["last_seen_ts"]),
        );
        let astray = series.history.range(from..=to).count();
        assert_eq!(astray, 0, "{metric}: {incident}");
        let rows = series.anomaly.range(from..=to).count() as i64;
        assert!(
            rows + 5 >= (to - from) / STEP_MS,
            "{metric}: {rows} rows of {incident}"
        );
    }
    assert_eq!(
        disk::quarantine(&bellwether.data_dir()),
        Vec::<String>::new()
    );
    figure("3", "kills −9 on a real Prometheus", KILLS, "whole", true);
}
