//! Paging survives kills: SIGKILL at any moment, receivers that refuse, and yet everybody hears
//! everything, once for each key but for what was on its way when it was killed.
//! `BELLWETHER_PAGING_KILLS` says how often, `BELLWETHER_SEED` when.

mod heard;
mod laid_down;
mod work;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::receiver::Receiver;
use crate::durability::source::Random;
use crate::harness::{Bellwether, figure, folder, from_environment, until};
use crate::knobs::scripted::Scripted;
use heard::Heard;
use laid_down::lay_down;
use work::Work;

const RECEIVERS: [&str; 4] = ["oncall", "team", "chat", "archive"];
const REFUSED_PER_MILLE: u64 = 300;
/// Receivers take their time to say that they took a message: kills must fall in between.
const ANSWERS_WITHIN_MS: u64 = 60;
/// Incidents for each kill.
const INCIDENTS_A_KILL: u64 = 5;
/// What every receiver is told of each incident, in this order.
const KINDS: [&str; 5] = [
    "opened",
    "severity_raised",
    "resolved",
    "reopened",
    "resolved",
];
/// One kill in so many falls into the first ticks.
const EARLY: u64 = 10;
const EARLY_LIFE_MAX_MS: i64 = 1_500;
/// A refused message waits up to some seconds.
const PATIENCE: Duration = Duration::from_secs(120);

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
        let refused: u64 = self.receivers.iter().map(Receiver::refused).sum();
        let asked: u64 = self.receivers.iter().map(Receiver::asked).sum();
        let due = self.incidents * (KINDS.len() * RECEIVERS.len()) as u64;
        let lost = due - all.notices;
        figure(
            "api 3",
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
            "api 3",
            "messages that came again under their key, at one receiver; those of a second key for the same notices",
            format!(
                "{} at most, {kills} kills; {}",
                all.messages_again, all.notices_elsewhere
            ),
            "≤ 1 for each kill; 0",
            all.messages_again <= kills && all.notices_elsewhere == 0,
        );
        figure(
            "api 3",
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
