//! Client for any server with the Prometheus HTTP API, or for a store in this process that answers
//! alike: instant and range queries, whole or not at all.
//!
//! Bounded in every direction: a total deadline for connecting and the whole body, a byte limit
//! counted after decompression, no redirects, no proxies of the environment. Retrying is left to
//! the caller, who learns of `Retry-After` as a value.

mod answer;
mod connection;
mod dates;
mod error;
mod evaluator;
mod matcher;
mod settings;
mod status;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;

pub use answer::{Labels, RangeSeries, VectorSample};
pub use error::QueryError;
pub use evaluator::Evaluator;
pub(crate) use matcher::is_label_name;
pub use matcher::matcher;
pub use settings::{PrometheusError, PrometheusSettings, Secret};
pub use status::{BuildInfo, TARGETS_MAX, Target, TargetHealth};

use answer::decode;
use evaluator::Local;
use transport::Transport;

/// Our clock: the one place where the client learns what time it is here.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Differences up to this are measuring error of `Date`, which has whole seconds.
pub const SKEW_IGNORED: SignedDuration = SignedDuration::from_secs(5);

/// The most points that a range query may ask for in one series; Prometheus refuses more.
pub const RANGE_POINTS_MAX: u64 = 11_000;

/// What a query brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    pub data: T,
    /// Problems that the server found; the data may be partial.
    pub warnings: Vec<String>,
    /// Hints of the server about the query.
    pub infos: Vec<String>,
    /// The server's clock minus ours, where the answer says it and to about one second.
    pub skew: Option<SignedDuration>,
}

impl<T> Answer<T> {
    /// The skew where it is large enough to be real: beyond [`SKEW_IGNORED`]; otherwise zero.
    pub fn applied_skew(&self) -> SignedDuration {
        match self.skew {
            Some(skew) if skew.abs() > SKEW_IGNORED => skew,
            _ => SignedDuration::ZERO,
        }
    }
}

/// A server with the Prometheus HTTP API, or a store in this process. Clones share connections.
#[derive(Clone)]
pub struct Prometheus(Behind);

#[derive(Clone)]
enum Behind {
    Server {
        transport: Arc<Transport>,
        /// Set once the server refused POST with 405.
        get_only: Arc<AtomicBool>,
    },
    Store(Local),
}

impl Prometheus {
    /// # Errors
    /// A URL that is not http(s), a header that can't be sent, a CA file that can't be read or
    /// holds no certificate, two ways of authentication at once.
    pub fn new(settings: PrometheusSettings, clock: Clock) -> Result<Prometheus, PrometheusError> {
        Ok(Prometheus(Behind::Server {
            transport: Arc::new(Transport::new(settings, clock)?),
            get_only: Arc::default(),
        }))
    }

    /// A store in this process, which shares our clock; `name` is said where a server's address
    /// would be.
    pub fn within(
        evaluator: Arc<dyn Evaluator>,
        name: impl Into<Arc<str>>,
        timeout: Duration,
    ) -> Prometheus {
        Prometheus(Behind::Store(Local {
            evaluator,
            name: name.into(),
            timeout,
        }))
    }

    /// The deadline that holds where none is given.
    pub fn timeout(&self) -> Duration {
        match &self.0 {
            Behind::Server { transport, .. } => transport.timeout(),
            Behind::Store(local) => local.timeout,
        }
    }

    /// The address without user information, for messages and links.
    pub fn address(&self) -> &str {
        match &self.0 {
            Behind::Server { transport, .. } => transport.address(),
            Behind::Store(local) => &local.name,
        }
    }

    /// The most bytes that an answer may have after decompression.
    pub fn answer_bytes_max(&self) -> usize {
        match &self.0 {
            Behind::Server { transport, .. } => transport.answer_bytes_max(),
            Behind::Store(_) => usize::MAX,
        }
    }

    /// Evaluates `query` at `time`, within the settings' timeout.
    ///
    /// # Errors
    /// See [`QueryError`]; an answer is taken whole or not at all.
    pub async fn instant(
        &self,
        query: &str,
        time: Timestamp,
    ) -> Result<Answer<Vec<VectorSample>>, QueryError> {
        self.instant_within(query, time, self.timeout()).await
    }

    /// As [`Prometheus::instant`], with a deadline of its own for connecting and the whole answer.
    ///
    /// # Errors
    /// As [`Prometheus::instant`].
    pub async fn instant_within(
        &self,
        query: &str,
        time: Timestamp,
        deadline: Duration,
    ) -> Result<Answer<Vec<VectorSample>>, QueryError> {
        let server = match &self.0 {
            Behind::Store(local) => return local.instant(query, time, deadline).await,
            Behind::Server {
                transport,
                get_only,
            } => (&**transport, &**get_only),
        };
        let form = [
            ("query", query.to_owned()),
            ("time", seconds(time)),
            ("timeout", milliseconds(deadline)),
        ];
        let (body, skew) = send(server, "api/v1/query", &form, deadline).await?;
        Ok(decode(body, answer::vector).await?.with_skew(skew))
    }

    /// Evaluates `query` at `from`, `from + step`, … up to and including `to`, within the
    /// settings' timeout. At most [`RANGE_POINTS_MAX`] points; a step of at least 1 ms.
    ///
    /// # Errors
    /// As [`Prometheus::instant`].
    pub async fn range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Answer<Vec<RangeSeries>>, QueryError> {
        self.range_within(query, from, to, step, self.timeout())
            .await
    }

    /// As [`Prometheus::range`], with a deadline of its own.
    ///
    /// # Errors
    /// As [`Prometheus::instant`].
    pub async fn range_within(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        deadline: Duration,
    ) -> Result<Answer<Vec<RangeSeries>>, QueryError> {
        let step = step.max(Duration::from_millis(1));
        let server = match &self.0 {
            Behind::Store(local) => return local.range(query, (from, to, step), deadline).await,
            Behind::Server {
                transport,
                get_only,
            } => (&**transport, &**get_only),
        };
        let form = [
            ("query", query.to_owned()),
            ("start", seconds(from)),
            ("end", seconds(to)),
            ("step", format!("{}", step.as_secs_f64())),
            ("timeout", milliseconds(deadline)),
        ];
        let (body, skew) = send(server, "api/v1/query_range", &form, deadline).await?;
        Ok(decode(body, answer::matrix).await?.with_skew(skew))
    }
}

/// POST, so that long queries fit; GET where the server doesn't take POST.
async fn send(
    (transport, get_only): (&Transport, &AtomicBool),
    route: &str,
    form: &[(&str, String)],
    deadline: Duration,
) -> Result<(Vec<u8>, Option<SignedDuration>), QueryError> {
    let exchange = async {
        if !get_only.load(Ordering::Relaxed) {
            match transport.post(route, form).await {
                Err(QueryError::Status { status: 405, .. }) => {
                    get_only.store(true, Ordering::Relaxed);
                }
                outcome => return outcome,
            }
        }
        transport.get(route, form).await
    };
    tokio::time::timeout(deadline, exchange)
        .await
        .unwrap_or(Err(QueryError::Timeout { after: deadline }))
}

impl std::fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prometheus")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// Epoch seconds with milliseconds, exactly.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millis();
    let sign = if millis < 0 { "-" } else { "" };
    let (whole, part) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
    format!("{sign}{whole}.{part:03}")
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sent_exactly() {
        for (millis, text) in [
            (0, "0.000"),
            (1_795_348_800_250, "1795348800.250"),
            (-1_500, "-1.500"),
        ] {
            assert_eq!(seconds(Timestamp::from_millis(millis)), text);
        }
    }
}
