//! Asking: the queries of one tick, a few in flight, each with its deadline.

use std::time::Duration;

use domain::{MetricId, SourceState, Timestamp};
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::remarks::Remarks;
use crate::prometheus::{Answer, Prometheus, QueryError, RangeSeries, VectorSample};

const IN_FLIGHT_MAX: usize = 4;

/// How one query went.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryTiming {
    /// `cpu`, `lat fallback`, `scraped`, `started`, `up`, `spacing`.
    pub name: String,
    pub took: Duration,
    /// The kind of error, as of [`QueryError::kind`].
    pub failure: Option<&'static str>,
}

/// What a query is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Metric(MetricId),
    Fallback(MetricId),
    Scraped,
    Started,
    Up,
    Spacing { from: Timestamp, step: Duration },
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Subject::Metric(id) => id.to_string(),
            Subject::Fallback(id) => format!("{id} fallback"),
            Subject::Scraped => "scraped".into(),
            Subject::Started => "started".into(),
            Subject::Up => "up".into(),
            Subject::Spacing { .. } => "spacing".into(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub subject: Subject,
    pub query: String,
}

#[derive(Debug)]
enum Data {
    Vector(Vec<VectorSample>),
    Matrix(Vec<RangeSeries>),
    /// Taken out already.
    Taken,
}

/// The replies of one tick, in the order of asking.
#[derive(Debug)]
pub(super) struct Replies {
    replies: Vec<(Subject, Result<Answer<Data>, QueryError>)>,
    pub timings: Vec<QueryTiming>,
}

pub(super) async fn all(
    prometheus: &Prometheus,
    plan: Vec<Asked>,
    at: Timestamp,
    deadline: Duration,
) -> Replies {
    let mut replies: Vec<_> = stream::iter(plan.into_iter().enumerate())
        .map(|(i, asked)| {
            let prometheus = prometheus.clone();
            async move {
                let begun = tokio::time::Instant::now();
                let reply = one(&prometheus, &asked, at, deadline).await;
                let timing = QueryTiming {
                    name: asked.subject.name(),
                    took: begun.elapsed(),
                    failure: reply.as_ref().err().map(QueryError::kind),
                };
                (i, asked.subject, reply, timing)
            }
        })
        .buffer_unordered(IN_FLIGHT_MAX)
        .collect()
        .await;
    replies.sort_by_key(|(i, ..)| *i);
    let mut timings = Vec::with_capacity(replies.len());
    let replies = replies
        .into_iter()
        .map(|(_, subject, reply, timing)| {
            timings.push(timing);
            (subject, reply)
        })
        .collect();
    Replies { replies, timings }
}

async fn one(
    prometheus: &Prometheus,
    asked: &Asked,
    at: Timestamp,
    deadline: Duration,
) -> Result<Answer<Data>, QueryError> {
    match asked.subject {
        Subject::Spacing { from, step } => prometheus
            .range_within(&asked.query, from, at, step, deadline)
            .await
            .map(|answer| with(answer, Data::Matrix)),
        _ => prometheus
            .instant_within(&asked.query, at, deadline)
            .await
            .map(|answer| with(answer, Data::Vector)),
    }
}

fn with<T>(answer: Answer<T>, data: impl Fn(T) -> Data) -> Answer<Data> {
    Answer {
        data: data(answer.data),
        warnings: answer.warnings,
        infos: answer.infos,
        skew: answer.skew,
    }
}

impl Replies {
    pub(super) fn extend(&mut self, more: Replies) {
        self.replies.extend(more.replies);
        self.timings.extend(more.timings);
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.timings.len()).unwrap_or(u32::MAX)
    }

    /// Makes the end of the range that was asked for spacings the answer to when targets were
    /// scraped. Whether that must be asked for by itself, as the range says nothing about `at`; a
    /// server that answers nothing isn't asked again.
    pub(super) fn lacks_scrape_times(&mut self, at: Timestamp) -> bool {
        if !self.asked_spacing() || self.source_state().is_down() {
            return false;
        }
        let mut answers = self.replies.iter().filter_map(|(_, r)| r.as_ref().ok());
        let matrix = answers.find_map(|answer| match &answer.data {
            Data::Matrix(series) => Some(series),
            _ => None,
        });
        let newest = |series: &RangeSeries| {
            let (time, value) = series.points.last().copied()?;
            let labels = series.labels.clone();
            (time == at).then_some(VectorSample {
                labels,
                time,
                value,
            })
        };
        let newest: Vec<VectorSample> = matrix.into_iter().flatten().filter_map(newest).collect();
        if newest.is_empty() {
            return true;
        }
        let answer = Answer {
            data: Data::Vector(newest),
            warnings: Vec::new(),
            infos: Vec::new(),
            skew: None,
        };
        self.replies.push((Subject::Scraped, Ok(answer)));
        false
    }

    fn reply(&self, subject: &Subject) -> Option<&Result<Answer<Data>, QueryError>> {
        let found = self.replies.iter().find(|(s, _)| s == subject);
        found.map(|(_, reply)| reply)
    }

    pub(super) fn asked(&self, subject: &Subject) -> bool {
        self.reply(subject).is_some()
    }

    pub(super) fn asked_spacing(&self) -> bool {
        let spacing = |subject: &Subject| matches!(subject, Subject::Spacing { .. });
        self.replies.iter().any(|(subject, _)| spacing(subject))
    }

    pub(super) fn answered(&self, subject: &Subject) -> bool {
        self.reply(subject).is_some_and(Result::is_ok)
    }

    pub(super) fn vector(&self, subject: &Subject) -> Option<&[VectorSample]> {
        match self.reply(subject)? {
            Ok(Answer {
                data: Data::Vector(samples),
                ..
            }) => Some(samples),
            _ => None,
        }
    }

    /// None where the query failed.
    pub(super) fn take_vector(&mut self, subject: &Subject) -> Option<Vec<VectorSample>> {
        let (_, reply) = self.replies.iter_mut().find(|(s, _)| s == subject)?;
        let answer = reply.as_mut().ok()?;
        match std::mem::replace(&mut answer.data, Data::Taken) {
            Data::Vector(samples) => Some(samples),
            _ => None,
        }
    }

    pub(super) fn take_matrix(&mut self) -> Option<Vec<RangeSeries>> {
        self.replies.iter_mut().find_map(|(_, reply)| {
            let answer = reply.as_mut().ok()?;
            matches!(answer.data, Data::Matrix(_))
                .then(|| match std::mem::replace(&mut answer.data, Data::Taken) {
                    Data::Matrix(series) => Some(series),
                    _ => None,
                })
                .flatten()
        })
    }

    /// Down where nothing was answered; partial where something wasn't. That scrape intervals
    /// couldn't be asked is only remarked.
    pub(super) fn source_state(&self) -> SourceState {
        let failures: Vec<(&Subject, &QueryError)> = self
            .replies
            .iter()
            .filter_map(|(subject, reply)| Some((subject, reply.as_ref().err()?)))
            .collect();
        if failures.len() == self.replies.len()
            && let Some((_, error)) = failures.first()
        {
            return SourceState::Down(error.to_string());
        }
        let needed = |subject: &Subject| !matches!(subject, Subject::Spacing { .. });
        match failures.iter().find(|(subject, _)| needed(subject)) {
            Some((subject, error)) => SourceState::Partial(format!(
                "{}: {error}{}",
                subject.name(),
                match failures.len() - 1 {
                    0 => String::new(),
                    more => format!(" (and {more} more)"),
                }
            )),
            None => SourceState::Healthy,
        }
    }

    /// The skew of the first answer that says one.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        let mut answers = self.replies.iter().filter_map(|(_, r)| r.as_ref().ok());
        answers
            .find(|answer| answer.skew.is_some())
            .map(Answer::applied_skew)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        let errors = self.replies.iter().filter_map(|(_, r)| r.as_ref().err());
        errors.filter_map(QueryError::retry_after).max()
    }

    pub(super) fn remark_messages(&self, remarks: &mut Remarks) {
        for (subject, reply) in &self.replies {
            match reply {
                Ok(answer) => {
                    for text in answer.warnings.iter().chain(&answer.infos) {
                        remarks.add(format!("{}: {text}", subject.name()));
                    }
                }
                Err(error) if matches!(subject, Subject::Spacing { .. }) => {
                    remarks.add(format!("scrape intervals can't be asked: {error}"));
                }
                Err(_) => {}
            }
        }
    }
}
