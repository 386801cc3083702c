//! The first half of the tick: on a timer, look at Prometheus and hand the collection on.
//!
//! Evaluation instants lie on the epoch grid of the tick, `evaluation_delay` behind the source's
//! clock, wherever that goes. A look that takes longer than a tick skips instants, never piles
//! them up.

use std::time::Duration;

use domain::{ServiceId, SourceState, Timestamp};
use jiff::SignedDuration;
use sources::{Backfill, BackfillRequest, Collected, Collector, EvidenceQueries};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::clock;
use crate::live::Live;
use crate::stopping::stopped;
use crate::telemetry;
use crate::tick::Message;

/// A measured skew this near to the last one is the same: `Date` has whole seconds.
const SAME_SKEW: SignedDuration = SignedDuration::from_secs(2);
/// The longest rest that Prometheus may ask for.
const REST_MAX: Duration = Duration::from_secs(300);

/// What only the collector can give, for it knows the services and how they are named.
pub enum Wish {
    /// A backfill, planned.
    Backfill {
        request: BackfillRequest,
        reply: oneshot::Sender<Backfill>,
    },
    /// The further queries about one service.
    Evidence {
        service: ServiceId,
        reply: oneshot::Sender<EvidenceQueries>,
    },
}

/// The task that owns the collector.
pub struct Collecting {
    pub collector: Collector,
    /// The address of Prometheus, without credentials.
    pub source: String,
    pub tick: Duration,
    pub evaluation_delay: Duration,
    pub engine: mpsc::Sender<Message>,
    pub wishes: mpsc::Receiver<Wish>,
    /// Whose metrics are collected.
    pub live: Live,
    pub stop: watch::Receiver<bool>,
    /// The source's clock minus ours.
    pub skew: SignedDuration,
    /// How the source was at the last look, so that a change is said once.
    pub said: Option<Said>,
}

/// The kind of a source's state and of its first failure.
pub type Said = (std::mem::Discriminant<SourceState>, Option<&'static str>);

impl Collecting {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        let mut last: Option<Timestamp> = None;
        let mut rest: Option<Instant> = None;
        let mut stop = self.stop.clone();
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = self.ask_skew() => {}
        }
        loop {
            let due = self.due(last, rest);
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                Some(wish) = self.wishes.recv() => self.grant(wish),
                () = self.live.changed() => {
                    self.collector.collect_metrics(self.live.config().metrics.clone());
                }
                () = tokio::time::sleep_until(due) => {
                    if last.is_some_and(|last| self.instant() < last) {
                        tokio::select! {
                            () = stopped(&mut stop) => return,
                            () = self.ask_skew() => {}
                        }
                    }
                    let at = self.instant();
                    if last == Some(at) {
                        continue;
                    }
                    note_missed(last, at, self.tick, rest.take().is_some());
                    last = Some(at);
                    let Some(collected) = self.collect(at).await else { return };
                    rest = collected.retry_after.map(|rest| Instant::now() + rest.min(REST_MAX));
                    if self.engine.send(Message::Collected(Box::new(collected))).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn grant(&self, wish: Wish) {
        match wish {
            Wish::Backfill { request, reply } => {
                let _ = reply.send(self.collector.backfill(request));
            }
            Wish::Evidence { service, reply } => {
                let _ = reply.send(self.collector.evidence(&service));
            }
        }
    }

    /// The newest evaluation instant.
    fn instant(&self) -> Timestamp {
        (shifted(clock::now(), self.skew) - self.evaluation_delay).floor_to(self.tick)
    }

    /// When to look again: at the next instant, at most a tick from now even where a clock went
    /// back; and not before a rest that Prometheus asked for is over.
    fn due(&self, last: Option<Timestamp>, rest: Option<Instant>) -> Instant {
        let now = shifted(clock::now(), self.skew);
        let next = last.map_or(Duration::ZERO, |last| {
            (last + self.tick + self.evaluation_delay).since(now)
        });
        let next = Instant::now() + next.min(self.tick);
        rest.map_or(next, |rest| rest.max(next))
    }

    async fn ask_skew(&mut self) {
        let skew = self.collector.skew(self.instant()).await;
        self.learn_skew(skew);
    }

    /// Nothing is learned where no answer says the time: the clock goes on as it was.
    fn learn_skew(&mut self, skew: Option<SignedDuration>) {
        let Some(skew) = skew else { return };
        if (skew - self.skew).abs() <= SAME_SKEW {
            return;
        }
        self.skew = skew;
        let seconds = skew.as_secs();
        if skew.is_zero() {
            tracing::info!(source = %self.source, "the clock of Prometheus agrees with ours again");
        } else {
            tracing::warn!(source = %self.source, seconds, "the clock of Prometheus differs from ours; evaluation follows it; set both by the same time server");
        }
    }

    /// Says once when the source fails, fails otherwise, or answers again.
    fn say(&mut self, collected: &Collected) {
        let state = &collected.collection.source;
        let failure = collected.timings.iter().find_map(|timing| timing.failure);
        let said = (std::mem::discriminant(state), failure);
        if self.said.replace(said) == Some(said) {
            return;
        }
        let source = &self.source;
        match state {
            SourceState::Healthy => tracing::info!(%source, "Prometheus answers"),
            SourceState::Partial(why) => {
                tracing::warn!(%source, why, "a part of Prometheus' answers is missing; the rest is judged");
            }
            SourceState::Down(why) => {
                tracing::warn!(%source, why, "Prometheus can't be read; the last state stays until it answers");
            }
        }
    }

    /// One look; none if it is time to stop.
    async fn collect(&mut self, at: Timestamp) -> Option<Collected> {
        let began = Instant::now();
        let mut stop = self.stop.clone();
        let collected = tokio::select! {
            () = stopped(&mut stop) => return None,
            collected = self.collector.collect(at) => collected,
        };
        telemetry::collected(&collected, began.elapsed());
        self.learn_skew(collected.skew);
        self.say(&collected);
        Some(collected)
    }
}

/// An instant moved by the skew of the source's clock against ours.
pub fn shifted(time: Timestamp, skew: SignedDuration) -> Timestamp {
    let millis = i64::try_from(skew.as_millis()).unwrap_or(0);
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}

fn note_missed(last: Option<Timestamp>, at: Timestamp, tick: Duration, rested: bool) {
    let Some(last) = last else { return };
    let steps = at.since(last).as_millis() / tick.as_millis().max(1);
    if steps > 1 {
        let missed = u64::try_from(steps - 1).unwrap_or(u64::MAX);
        telemetry::missed(missed);
        let why = if rested {
            "Prometheus asked to be left alone"
        } else {
            "the last look took too long, or a clock was set"
        };
        tracing::warn!(missed, %at, why, "evaluation instants were skipped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_clock_is_ours_plus_the_skew() {
        let now = Timestamp::from_millis(1_000_000);
        assert_eq!(
            shifted(now, SignedDuration::from_secs(-600)).as_millis(),
            400_000
        );
        assert_eq!(
            shifted(now, SignedDuration::from_secs(6)).as_millis(),
            1_006_000
        );
    }
}
