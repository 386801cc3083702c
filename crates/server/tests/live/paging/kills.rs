//! Paging survives kills: SIGKILL at any moment, receivers that refuse, and yet everybody hears
//! everything, once for each key but for what was on its way when it was killed.
//! `BELLWETHER_PAGING_KILLS` says how often, `BELLWETHER_SEED` when.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::{
    Actor, Evidence, Incident, IncidentId, IncidentKind, Member, MetricId, OpenedBecause,
    ServiceId, Severity, Status, Thresholds, TimelineEntry, TimelineEvent, Timestamp,
};
use serde_json::{Value, json};
use store::{DataDir, Database, TickCommit};

use super::receiver::Receiver;
use crate::durability::source::Random;
use crate::harness::{Bellwether, client, figure, folder, from_environment, until};
use crate::knobs::scripted::{Scripted, now};

const RECEIVERS: [&str; 4] = ["oncall", "team", "chat", "archive"];
const REFUSED_PER_MILLE: u64 = 300;
/// Receivers take their time to say that they took a message: kills must fall in between.
const ANSWERS_WITHIN_MS: u64 = 60;
/// Incidents for each kill; each makes a notice of every kind below at every receiver.
const INCIDENTS_A_KILL: u64 = 5;
const KINDS: [&str; 5] = [
    "opened",
    "severity_raised",
    "resolved",
    "reopened",
    "resolved",
];
/// What operators do with each incident, in this order: every kind but the first.
const ACTIONS: [&str; 4] = ["severity", "resolve", "reopen", "resolve"];
/// One kill in so many falls into the first ticks.
const EARLY: u64 = 10;
const EARLY_LIFE_MAX_MS: i64 = 1_500;
/// A refused message waits up to some seconds.
const PATIENCE: Duration = Duration::from_secs(120);
const LONG_AGO: Duration = Duration::from_secs(2 * 3600);

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_no_notice_is_lost_and_none_comes_twice_without_a_kill() {
    let kills = from_environment("BELLWETHER_PAGING_KILLS", 5);
    let random = Random(from_environment("BELLWETHER_SEED", 3));
    let dir = folder();
    let incidents = kills * INCIDENTS_A_KILL;
    lay_down(&dir.path().join("data"), incidents).await;
    let prometheus = Scripted::start(&[("calm", 20.0)], Duration::from_secs(600)).await;
    let mut story = Story::begin(dir.path(), &prometheus.url, incidents, random).await;

    story.all_are_opened(kills / EARLY).await;
    for number in kills / EARLY..kills {
        story.live_and_die(kills - number).await;
    }
    story.end_well().await;
    story.judge(kills).await;
}

/// A data directory with so many incidents that fire, each of a service of its own.
async fn lay_down(data: &Path, incidents: u64) {
    let now = now();
    let data_dir = DataDir::open(data, now).unwrap();
    let database = Database::open(data_dir.paths()).await.unwrap().database;
    let ids: Vec<u64> = (1..=incidents).collect();
    for ids in ids.chunks(250) {
        let tick = TickCommit {
            incidents: ids.iter().map(|id| incident(*id, now)).collect(),
            ..TickCommit::default()
        };
        database.commit_tick(tick).await.unwrap();
    }
    database.close().await;
}

/// So old that no evidence is gathered any more.
fn incident(id: u64, now: Timestamp) -> Incident {
    let opened = now - LONG_AGO;
    let service = ServiceId::new(&format!("service-{id}")).unwrap();
    let summary = format!("{service}: CPU is 91 %, past High 80 %");
    let because = OpenedBecause::CrossingAndAnomaly;
    let text = summary.clone();
    Incident {
        id: IncidentId(id),
        service,
        kind: IncidentKind::Metrics,
        status: Status::Open,
        firing: true,
        severity: Severity::High,
        worst_severity: Severity::High,
        operator_severity: None,
        owner: None,
        snooze: None,
        resolution: None,
        opened_because: because,
        summary,
        onset: opened,
        first_crossing: opened,
        opened,
        last_seen: now,
        ended: None,
        members: vec![Member {
            metric: MetricId::new("cpu").unwrap(),
            onset: opened,
            onset_between: (opened, opened),
            first_crossing: opened,
            last_firing: now,
            worst: 91.0,
            worst_at: opened,
            severity: Severity::High,
            thresholds: Thresholds {
                high: Some(80.0),
                critical: Some(95.0),
            },
        }],
        follows: None,
        logs: None,
        evidence: Arc::new(Evidence::default()),
        timeline: vec![TimelineEntry {
            at: opened,
            actor: Actor::Bellwether,
            what: TimelineEvent::Opened { because, text },
        }],
    }
}

/// What operators still have to do; shared with the task that does it.
#[derive(Clone)]
struct Work(Arc<Mutex<BTreeMap<u64, usize>>>);

impl Work {
    fn new(incidents: u64) -> Work {
        let nothing_done = (1..=incidents).map(|id| (id, 0)).collect();
        Work(Arc::new(Mutex::new(nothing_done)))
    }

    /// An action and the incidents that wait for it: one, or where it can be asked for many, some.
    fn next(&self) -> Option<(&'static str, Vec<u64>)> {
        let done = self.0.lock().unwrap();
        let group: Vec<(u64, usize)> = done
            .iter()
            .filter(|(_, done)| **done < ACTIONS.len())
            .take(INCIDENTS_A_KILL as usize)
            .map(|(id, done)| (*id, *done))
            .collect();
        let least = group.iter().map(|(_, done)| *done).min()?;
        let mut ids: Vec<u64> = group
            .iter()
            .filter(|(_, done)| *done == least)
            .map(|(id, _)| *id)
            .collect();
        if least != 1 {
            ids.truncate(1);
        }
        Some((ACTIONS[least], ids))
    }

    fn acknowledge(&self, ids: &[u64]) {
        let mut done = self.0.lock().unwrap();
        for id in ids {
            *done.get_mut(id).unwrap() += 1;
        }
    }

    /// Actions that were acknowledged, and those that are left.
    fn count(&self) -> (usize, usize) {
        let done = self.0.lock().unwrap();
        let acknowledged = done.values().sum();
        (acknowledged, done.len() * ACTIONS.len() - acknowledged)
    }

    /// Does one thing after the other until there is no answer, or nothing left.
    async fn go_on(self, url: String) {
        let client = client();
        while let Some((action, ids)) = self.next() {
            let (path, body) = match ids[..] {
                [id] => {
                    let body = match action {
                        "severity" => json!({ "severity": "Critical" }),
                        _ => json!({ "note": "seen to" }),
                    };
                    (format!("{id}/{action}"), body)
                }
                _ => ("bulk".to_owned(), json!({ "ids": ids, "action": action })),
            };
            let request = client.post(format!("{url}/api/v1/incidents/{path}"));
            let Ok(answer) = request.json(&body).send().await else {
                return;
            };
            let status = answer.status();
            let Ok(answer) = answer.json::<Value>().await else {
                return;
            };
            assert_eq!(status, 200, "{path} {body}: {answer}");
            assert!(answer["done"].is_null() || answer["done"] == ids.len());
            self.acknowledge(&ids);
        }
    }
}

/// A Bellwether that lives and dies, and what was asked of it.
struct Story {
    bellwether: Bellwether,
    config: String,
    receivers: Vec<Receiver>,
    random: Random,
    incidents: u64,
    work: Work,
    began: Instant,
    /// Kills right after a receiver had taken a message.
    in_flight: u64,
}

impl Story {
    async fn begin(dir: &Path, prometheus: &str, incidents: u64, random: Random) -> Story {
        let mut receivers = Vec::new();
        let mut named = Vec::new();
        for name in RECEIVERS {
            let receiver = Receiver::start().await;
            receiver.refuse(REFUSED_PER_MILLE);
            receiver.answer_within(ANSWERS_WITHIN_MS);
            named.push(format!("{{ name: {name}, webhook: '{}' }}", receiver.url));
            receivers.push(receiver);
        }
        // Every notice is told in full, so that it can be read what it is about.
        let notify = format!(
            "  receivers: [ {} ]\n  messages_per_minute: 10000\n  notices_per_message: 1000",
            named.join(", ")
        );
        let config = super::config(prometheus, &notify);
        Story {
            bellwether: Bellwether::start(dir, &config, &[]).await,
            config,
            receivers,
            random,
            incidents,
            work: Work::new(incidents),
            began: Instant::now(),
            in_flight: 0,
        }
    }

    /// The first tick makes a notice of each incident for each receiver; it is killed meanwhile, too.
    async fn all_are_opened(&mut self, kills: u64) {
        for _ in 0..kills {
            let life = self.random.within(0, EARLY_LIFE_MAX_MS);
            tokio::time::sleep(Duration::from_millis(life as u64)).await;
            self.bellwether.kill();
            self.bellwether.start_again(&self.config).await;
        }
        let incidents = self.incidents;
        until("a notice of each incident", PATIENCE, || async {
            let (_, page) = self.bellwether.get("/api/v1/receivers").await;
            let items = page["items"].as_array()?;
            let known = |item: &Value| {
                item["pending"]
                    .as_u64()?
                    .checked_add(item["delivered"].as_u64()?)
            };
            let all = items.iter().all(|item| known(item) == Some(incidents));
            (items.len() == RECEIVERS.len() && all).then_some(())
        })
        .await;
    }

    /// Operators do some more, and it is killed: after any of their actions, or when a receiver has
    /// just taken a message.
    async fn live_and_die(&mut self, kills_left: u64) {
        let (before, left) = self.work.count();
        let most = 2 * left as i64 / kills_left as i64 + 1;
        let enough = before + self.random.within(0, most) as usize;
        let working = tokio::spawn(self.work.clone().go_on(self.bellwether.url.clone()));
        until("some actions", PATIENCE, || async {
            (self.work.count().0 >= enough || working.is_finished()).then_some(())
        })
        .await;
        if kills_left.is_multiple_of(2) {
            self.next_message_taken().await;
        }
        let after = self.random.within(0, ANSWERS_WITHIN_MS as i64 / 2);
        tokio::time::sleep(Duration::from_millis(after as u64)).await;
        self.bellwether.kill();
        working.await.unwrap();
        self.bellwether.start_again(&self.config).await;
    }

    async fn next_message_taken(&mut self) {
        let taken = || -> usize { self.receivers.iter().map(Receiver::count).sum() };
        let before = taken();
        let began = Instant::now();
        while taken() == before && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.in_flight += u64::from(taken() > before);
    }

    /// What is left is done, and everybody hears all that waits.
    async fn end_well(&mut self) {
        self.work.clone().go_on(self.bellwether.url.clone()).await;
        assert_eq!(self.work.count().1, 0, "{}", self.bellwether.log());
        until("everything is told", PATIENCE, || async {
            let (_, page) = self.bellwether.get("/api/v1/receivers").await;
            let pending = page["items"]
                .as_array()?
                .iter()
                .map(|item| item["pending"].as_u64());
            (pending.sum::<Option<u64>>()? == 0).then_some(())
        })
        .await;
    }

    async fn judge(&self, kills: u64) {
        let mut all = Heard::default();
        for receiver in &self.receivers {
            let heard = Heard::of(receiver);
            heard.check(self.incidents, kills);
            all.add(&heard);
        }
        let (refused, asked) = (
            self.receivers.iter().map(Receiver::refused).sum::<u64>(),
            self.receivers.iter().map(Receiver::asked).sum::<u64>(),
        );
        let due = self.incidents * (KINDS.len() * RECEIVERS.len()) as u64;
        let lost = due - all.notices;
        figure(
            "3",
            &format!(
                "notices to {} receivers, {kills} kills, {} of them right after a message was taken",
                RECEIVERS.len(),
                self.in_flight
            ),
            format!(
                "{} in {} messages, {refused} of {asked} attempts refused, {lost} lost, {:.0} s",
                all.notices,
                all.messages,
                self.began.elapsed().as_secs_f64()
            ),
            "0 lost",
            lost == 0,
        );
        figure(
            "3",
            "messages that came again under their key, at one receiver; those of a second key for the same notices",
            format!(
                "{} at most, {kills} kills; {}",
                all.messages_again, all.notices_elsewhere
            ),
            "≤ 1 for each kill; 0",
            all.messages_again <= kills && all.notices_elsewhere == 0,
        );
        figure(
            "3",
            "notices that came again, by their own keys",
            format!(
                "{}; one of them {} times at most",
                all.notices_again, all.one_notice_again_max
            ),
            "each ≤ 1 for each kill",
            all.one_notice_again_max <= kills,
        );
    }
}

/// What one receiver was told, or several.
#[derive(Default)]
struct Heard {
    /// Keys that came at least once.
    messages: u64,
    notices: u64,
    /// Comings beyond the first; of several receivers, at the one with the most.
    messages_again: u64,
    notices_again: u64,
    one_notice_again_max: u64,
    /// Notices that came under a second message key.
    notices_elsewhere: u64,
    /// What was told of each incident, by the order of first coming: kinds.
    kinds: BTreeMap<u64, Vec<String>>,
}

impl Heard {
    fn of(receiver: &Receiver) -> Heard {
        let mut messages: BTreeMap<String, u64> = BTreeMap::new();
        // How often each notice came, and in which messages.
        let mut notices: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
        let mut kinds: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for taken in receiver.taken() {
            *messages.entry(taken.key.clone()).or_default() += 1;
            for notice in taken.body["notices"].as_array().unwrap() {
                let key = notice["key"].as_str().unwrap().to_owned();
                let (times, within) = notices.entry(key).or_default();
                *times += 1;
                within.insert(taken.key.clone());
                if *times == 1 {
                    let kind = notice["kind"].as_str().unwrap().to_owned();
                    let id = notice["incident"].as_u64().unwrap();
                    kinds.entry(id).or_default().push(kind);
                }
            }
        }
        Heard {
            messages: messages.len() as u64,
            notices: notices.len() as u64,
            messages_again: messages.values().map(|times| times - 1).sum(),
            notices_again: notices.values().map(|(times, _)| times - 1).sum(),
            one_notice_again_max: notices
                .values()
                .map(|(times, _)| times - 1)
                .max()
                .unwrap_or(0),
            notices_elsewhere: notices
                .values()
                .filter(|(_, within)| within.len() > 1)
                .count() as u64,
            kinds,
        }
    }

    /// Of each incident every kind, once by key and in this order.
    fn check(&self, incidents: u64, kills: u64) {
        for id in 1..=incidents {
            let kinds = self.kinds.get(&id);
            assert_eq!(
                kinds.map(Vec::as_slice),
                Some(KINDS.map(str::to_owned).as_slice()),
                "#{id}"
            );
        }
        let again = self.messages_again;
        assert!(again <= kills, "{again} messages came again");
        assert!(self.one_notice_again_max <= kills);
        assert_eq!(self.notices_elsewhere, 0, "a batch was made anew");
    }

    fn add(&mut self, other: &Heard) {
        self.messages += other.messages;
        self.notices += other.notices;
        self.messages_again = self.messages_again.max(other.messages_again);
        self.notices_again += other.notices_again;
        self.one_notice_again_max = self.one_notice_again_max.max(other.one_notice_again_max);
        self.notices_elsewhere += other.notices_elsewhere;
    }
}
