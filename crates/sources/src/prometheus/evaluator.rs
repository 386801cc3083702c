//! A store in this process that answers as a Prometheus would.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;

use super::{Answer, QueryError, RangeSeries, VectorSample};

/// Evaluates PromQL. Called where it may block.
pub trait Evaluator: Send + Sync {
    /// The vector that `query` is at `time`.
    ///
    /// # Errors
    /// Why the query can't be evaluated, in words.
    fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String>;

    /// The matrix that `query` is at `from`, `from + step`, … up to and including `to`.
    ///
    /// # Errors
    /// Why the query can't be evaluated, in words.
    fn range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<RangeSeries>, String>;
}

#[derive(Clone)]
pub(super) struct Local {
    pub evaluator: Arc<dyn Evaluator>,
    /// What is said where a server's address would be.
    pub name: Arc<str>,
    pub timeout: Duration,
}

impl Local {
    pub async fn instant(
        &self,
        query: &str,
        time: Timestamp,
        deadline: Duration,
    ) -> Result<Answer<Vec<VectorSample>>, QueryError> {
        let (evaluator, query) = (Arc::clone(&self.evaluator), query.to_owned());
        within(deadline, move || evaluator.instant(&query, time)).await
    }

    pub async fn range(
        &self,
        query: &str,
        (from, to, step): (Timestamp, Timestamp, Duration),
        deadline: Duration,
    ) -> Result<Answer<Vec<RangeSeries>>, QueryError> {
        let (evaluator, query) = (Arc::clone(&self.evaluator), query.to_owned());
        within(deadline, move || evaluator.range(&query, from, to, step)).await
    }
}

/// Evaluates apart from the async threads; nobody waits longer than the deadline.
async fn within<T: Send + 'static>(
    deadline: Duration,
    evaluate: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<Answer<T>, QueryError> {
    let work = tokio::task::spawn_blocking(evaluate);
    let outcome = tokio::time::timeout(deadline, work)
        .await
        .map_err(|_| QueryError::Timeout { after: deadline })?;
    let refused = |error_type: &str, message| QueryError::BadQuery {
        error_type: error_type.to_owned(),
        message,
        retry_after: None,
    };
    let data = outcome
        .map_err(|error| refused("execution", error.to_string()))?
        .map_err(|why| refused("bad_data", why))?;
    Ok(Answer {
        data,
        warnings: Vec::new(),
        infos: Vec::new(),
        // One clock for both.
        skew: Some(SignedDuration::ZERO),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::Prometheus;

    /// Knows the time; a range takes until nobody holds the other end.
    struct Clockwork(Mutex<Receiver<()>>);

    fn clockwork() -> (Sender<()>, Arc<Clockwork>) {
        let (held, end) = channel();
        (held, Arc::new(Clockwork(Mutex::new(end))))
    }

    impl Evaluator for Clockwork {
        fn instant(&self, query: &str, time: Timestamp) -> Result<Vec<VectorSample>, String> {
            match query {
                "time()" => Ok(vec![VectorSample {
                    labels: BTreeMap::new(),
                    time,
                    value: time.as_seconds(),
                }]),
                other => Err(format!("{other} is not known")),
            }
        }

        fn range(
            &self,
            _: &str,
            from: Timestamp,
            _: Timestamp,
            _: Duration,
        ) -> Result<Vec<RangeSeries>, String> {
            let _ = self.0.lock().unwrap().recv();
            Ok(vec![RangeSeries {
                labels: BTreeMap::new(),
                points: vec![(from, 1.0)],
            }])
        }
    }

    #[tokio::test]
    async fn a_store_in_this_process_answers_like_a_server() {
        let (_held, clockwork) = clockwork();
        let prometheus =
            Prometheus::within(clockwork, "the embedded store", Duration::from_secs(5));
        let time = Timestamp::from_millis(1_795_348_800_000);
        let answer = prometheus.instant("time()", time).await.unwrap();
        assert_eq!(answer.data[0].value, 1_795_348_800.0);
        assert_eq!(answer.applied_skew(), SignedDuration::ZERO);
        assert_eq!(prometheus.address(), "the embedded store");

        let refused = prometheus.instant("nothing", time).await.unwrap_err();
        assert_eq!(refused.kind(), "bad_query");
        assert!(refused.to_string().contains("nothing is not known"));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_store_longer_than_the_deadline() {
        let (_held, clockwork) = clockwork();
        let prometheus = Prometheus::within(clockwork, "s", Duration::from_secs(5));
        let time = Timestamp::EPOCH;
        let (step, deadline) = (Duration::from_secs(1), Duration::from_millis(20));
        let outcome = prometheus.range_within("x", time, time, step, deadline);
        assert_eq!(outcome.await.unwrap_err().kind(), "timeout");
    }
}
