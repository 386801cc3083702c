//! The first half of the tick: on a timer, look at Prometheus and hand the collection on.
//!
//! Evaluation instants lie on the epoch grid of the tick, `evaluation_delay` behind the source's
//! clock. A look that takes longer than a tick skips instants, never piles them up.

use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;
use sources::{Backfill, BackfillRequest, Collected, Collector};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;
use crate::stopping::stopped;
use crate::telemetry;
use crate::tick::Message;

/// A wish for a backfill, which only the collector can plan.
pub struct PlanRequest {
    pub request: BackfillRequest,
    pub reply: oneshot::Sender<Backfill>,
}

/// The task that owns the collector.
pub struct Collecting {
    pub collector: Collector,
    pub tick: Duration,
    pub evaluation_delay: Duration,
    pub engine: mpsc::Sender<Message>,
    pub plans: mpsc::Receiver<PlanRequest>,
    pub stop: watch::Receiver<bool>,
}

impl Collecting {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        let mut skew = SignedDuration::ZERO;
        let mut last: Option<Timestamp> = None;
        let mut stop = self.stop.clone();
        loop {
            let now = shifted(clock::now(), skew);
            let due = last.map_or(Duration::ZERO, |last| {
                (last + self.tick + self.evaluation_delay).since(now)
            });
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                Some(plan) = self.plans.recv() => {
                    let _ = plan.reply.send(self.collector.backfill(plan.request));
                }
                () = tokio::time::sleep(due) => {
                    let now = shifted(clock::now(), skew);
                    let at = (now - self.evaluation_delay).floor_to(self.tick);
                    if last.is_some_and(|last| at <= last) {
                        continue;
                    }
                    note_missed(last, at, self.tick);
                    last = Some(at);
                    let Some(collected) = self.collect(at).await else { return };
                    skew = collected.skew;
                    let pause = collected.retry_after;
                    if self.engine.send(Message::Collected(Box::new(collected))).await.is_err() {
                        return;
                    }
                    if let Some(pause) = pause {
                        last = Some(at + pause.min(Duration::from_secs(300)));
                    }
                }
            }
        }
    }

    /// One look; none if it is time to stop.
    async fn collect(&mut self, at: Timestamp) -> Option<Collected> {
        let began = tokio::time::Instant::now();
        let mut stop = self.stop.clone();
        let collected = tokio::select! {
            () = stopped(&mut stop) => return None,
            collected = self.collector.collect(at) => collected,
        };
        telemetry::collected(&collected, began.elapsed());
        Some(collected)
    }
}

/// An instant moved by the skew of the source's clock against ours.
pub fn shifted(time: Timestamp, skew: SignedDuration) -> Timestamp {
    let millis = i64::try_from(skew.as_millis()).unwrap_or(0);
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}

fn note_missed(last: Option<Timestamp>, at: Timestamp, tick: Duration) {
    let Some(last) = last else { return };
    let steps = at.since(last).as_millis() / tick.as_millis().max(1);
    if steps > 1 {
        let missed = u64::try_from(steps - 1).unwrap_or(u64::MAX);
        telemetry::missed(missed);
        tracing::warn!(missed, %at, "evaluation instants were skipped: the last look took too long");
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
