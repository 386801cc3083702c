//! Asking for evidence: a few queries in flight, all within one budget of time.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{EvidenceAnswer, EvidenceFailure, EvidenceQueries};
use crate::prometheus::{Answer, QueryError};

/// Fewer than the tick's, which goes first.
const IN_FLIGHT_MAX: usize = 2;
/// All queries together may take so many deadlines of one.
const BUDGET_DEADLINES: u32 = 4;
const WARNINGS_MAX: usize = 20;

/// One query and what it is for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub purpose: String,
    pub query: String,
}

/// The questions of one gathering: what is left of the time, and what became of them.
pub(super) struct Round<'a> {
    queries: &'a EvidenceQueries,
    ends: Instant,
    /// Why nothing more is asked.
    closed: Mutex<Option<&'static str>>,
    sent: u32,
    unasked: Option<EvidenceFailure>,
    failures: Vec<EvidenceFailure>,
    warnings: Vec<String>,
}

enum Outcome<T> {
    Answered(Answer<T>),
    Failed(QueryError),
    NotAsked(&'static str),
}

impl<'a> Round<'a> {
    pub(super) fn new(queries: &'a EvidenceQueries) -> Round<'a> {
        Round {
            queries,
            ends: Instant::now() + queries.deadline.saturating_mul(BUDGET_DEADLINES),
            closed: Mutex::new(None),
            sent: 0,
            unasked: None,
            failures: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Asks all, and answers in their order; none where one failed.
    pub(super) async fn ask<T, F>(
        &mut self,
        questions: Vec<Question>,
        ask: impl Fn(String, Duration) -> F,
    ) -> Vec<Option<T>>
    where
        F: Future<Output = Result<Answer<T>, QueryError>>,
    {
        let (ends, deadline) = (self.ends, self.queries.deadline);
        let (closed, ask) = (&self.closed, &ask);
        let outcomes: Vec<(Question, Outcome<T>)> = stream::iter(questions)
            .map(|question| async move {
                let outcome = match left(closed, ends, deadline) {
                    Err(why) => Outcome::NotAsked(why),
                    Ok(left) => match ask(question.query.clone(), left).await {
                        Ok(answer) => Outcome::Answered(answer),
                        Err(error) => {
                            close(closed, &error);
                            Outcome::Failed(error)
                        }
                    },
                };
                (question, outcome)
            })
            .buffered(IN_FLIGHT_MAX)
            .collect()
            .await;
        let taken = outcomes.into_iter();
        taken
            .map(|(question, outcome)| self.take(question, outcome))
            .collect()
    }

    pub(super) fn fail(&mut self, failure: EvidenceFailure) {
        self.failures.push(failure);
    }

    pub(super) fn finish<F>(mut self, found: Vec<F>) -> EvidenceAnswer<F> {
        self.failures.extend(self.unasked);
        EvidenceAnswer {
            found,
            failures: self.failures,
            warnings: self.warnings,
            queries: self.sent,
        }
    }

    fn take<T>(&mut self, question: Question, outcome: Outcome<T>) -> Option<T> {
        let service = self.queries.service.clone();
        let purpose = question.purpose;
        self.sent += u32::from(!matches!(outcome, Outcome::NotAsked(_)));
        match outcome {
            Outcome::Answered(answer) => {
                for text in answer.warnings {
                    let warning = format!("{purpose}: {text}");
                    if self.warnings.len() < WARNINGS_MAX && !self.warnings.contains(&warning) {
                        self.warnings.push(warning);
                    }
                }
                Some(answer.data)
            }
            Outcome::Failed(cause) => {
                self.failures.push(EvidenceFailure::Query {
                    purpose,
                    service,
                    cause,
                });
                None
            }
            Outcome::NotAsked(why) => {
                match &mut self.unasked {
                    Some(EvidenceFailure::NotAsked { queries, .. }) => *queries += 1,
                    _ => {
                        self.unasked = Some(EvidenceFailure::NotAsked {
                            purpose,
                            service,
                            queries: 1,
                            why,
                        });
                    }
                }
                None
            }
        }
    }
}

/// How long the next query may take.
fn left(
    closed: &Mutex<Option<&'static str>>,
    ends: Instant,
    deadline: Duration,
) -> Result<Duration, &'static str> {
    if let Some(why) = *closed.lock().unwrap_or_else(|held| held.into_inner()) {
        return Err(why);
    }
    let left = ends.saturating_duration_since(Instant::now()).min(deadline);
    if left.is_zero() {
        Err("the queries before took all of the time")
    } else {
        Ok(left)
    }
}

/// A server that can't be reached, or asks to be left alone, isn't asked again.
fn close(closed: &Mutex<Option<&'static str>>, error: &QueryError) {
    let why = match error {
        error if error.retry_after().is_some() => "Prometheus asks to be left alone",
        QueryError::Connect { .. } | QueryError::Tls { .. } | QueryError::Credentials { .. } => {
            "Prometheus can't be asked"
        }
        _ => return,
    };
    closed
        .lock()
        .unwrap_or_else(|held| held.into_inner())
        .get_or_insert(why);
}
