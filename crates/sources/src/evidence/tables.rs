//! Label tables: which values of a label a metric's numbers belong to, so that each can be removed
//! by subtraction.

use domain::{Catalogue, LabelTable, MetricSpec, TableStatistic, Timestamp};

use super::questions::{Question, Round};
use super::rows::Rows;
use super::templates::{self, ANSWERED_5XX, CALL_FAILED, CLIENT_NAME, OWN_REQUESTS, SERVER_NAME};
use super::{EvidenceAnswer, EvidenceFailure, EvidenceQueries};
use crate::prometheus::VectorSample;

const SERVER_LABELS: [&str; 5] = ["uri", "status", "exception", "instance", "method"];
const FAILED_LABELS: [&str; 3] = ["uri", "exception", "instance"];
/// The first is always asked; the others where there are buckets.
const CLIENT_LABELS: [&str; 3] = ["client_name", "uri", "outcome"];

const LATENCY: TableStatistic = TableStatistic::Quantile {
    q: 0.99,
    scale: 1000.0,
};
const MEAN: TableStatistic = TableStatistic::Ratio { scale: 1000.0 };
const SHARE: TableStatistic = TableStatistic::Ratio { scale: 100.0 };

/// How a metric can be taken apart.
enum Breakable {
    Latency,
    ErrorRatio,
    /// Its query is the user's.
    Own,
    /// It counts nothing that has labels.
    No,
}

impl EvidenceQueries {
    /// `metric` of the service at `at` by each of its labels, for `lat` and `error_ratio` as they
    /// are built in, and of the outgoing calls beside it; none for other metrics.
    ///
    /// Latency as a quantile of merged buckets, in ms; outgoing calls without buckets as their mean;
    /// errors as a share in percent of the requests, with the first event of new counters counted.
    /// Values without traffic are left out, and so is a table of a label that nothing has. At most
    /// eight instant queries, two in flight, each within the deadline of a metric and all within four
    /// of them. [`LabelTable::query_but`] fills in the templates.
    ///
    /// Sources: one dimension at a time, as in Adtributor (Bhagwan et al., NSDI 2014); instead of its
    /// measures of surprise, each value is removed, which cumulative buckets allow by subtraction.
    pub async fn label_tables(
        &self,
        metric: &MetricSpec,
        at: Timestamp,
    ) -> EvidenceAnswer<LabelTable> {
        let mut round = Round::new(self);
        let tables = match breakable(metric) {
            Breakable::Latency => self.latency(metric, at, &mut round).await,
            Breakable::ErrorRatio => {
                let mut forms: Vec<Form> = FAILED_LABELS.map(failed_requests).into();
                forms.push(failed_calls(CLIENT_LABELS[0]));
                self.tables(forms, at, &mut round).await
            }
            Breakable::Own => {
                round.fail(EvidenceFailure::OwnQuery {
                    metric: metric.id.clone(),
                    service: self.service.clone(),
                });
                Vec::new()
            }
            Breakable::No => Vec::new(),
        };
        let tables = tables.into_iter().flatten();
        let tables = tables.filter(Answered::says_something);
        let tables = tables.map(|answered| answered.table).collect();
        round.finish(tables)
    }

    /// The service's own requests; and its calls, by more labels where these have buckets, else by
    /// their mean.
    async fn latency(
        &self,
        metric: &MetricSpec,
        at: Timestamp,
        round: &mut Round<'_>,
    ) -> Vec<Option<Answered>> {
        let mut forms: Vec<Form> = SERVER_LABELS.map(slow_requests).into();
        forms.push(slow_calls(CLIENT_LABELS[0]));
        let mut tables = self.tables(forms, at, round).await;
        let has_none = |table: &Option<Answered>| table.as_ref().is_some_and(|t| !t.has_series);
        if tables[..SERVER_LABELS.len()].iter().all(has_none) {
            round.fail(EvidenceFailure::NoBuckets {
                metric: metric.id.clone(),
                service: self.service.clone(),
            });
        }
        let more = match tables.last() {
            Some(Some(calls)) if !calls.has_series => vec![mean_calls(CLIENT_LABELS[0])],
            Some(Some(calls)) if !calls.table.rows.is_empty() => {
                CLIENT_LABELS[1..].iter().copied().map(slow_calls).collect()
            }
            _ => Vec::new(),
        };
        let more = self.tables(more, at, round).await;
        tables.extend(more);
        tables
    }

    /// One table for each form; none where a query of it failed.
    async fn tables(
        &self,
        forms: Vec<Form>,
        at: Timestamp,
        round: &mut Round<'_>,
    ) -> Vec<Option<Answered>> {
        let questions = forms.iter().flat_map(|form| {
            form.rows.iter().map(|(purpose, template)| Question {
                purpose: format!("{purpose} by {}", form.label),
                query: self.selection.fill(template),
            })
        });
        let ask = |query: String, deadline| async move {
            self.prometheus.instant_within(&query, at, deadline).await
        };
        let mut answers = round.ask(questions.collect(), ask).await.into_iter();
        let table = |form: Form| {
            let answers: Vec<Option<Vec<VectorSample>>> =
                answers.by_ref().take(form.rows.len()).collect();
            let answers: Vec<Vec<VectorSample>> = answers.into_iter().collect::<Option<_>>()?;
            let rows = match answers.as_slice() {
                [first, second] => Rows::of_pairs(form.label, first, second),
                [buckets] => Rows::of_buckets(form.label, buckets),
                _ => return None,
            };
            Some(Answered {
                has_series: answers.iter().flatten().any(is_no_last_bucket),
                table: LabelTable {
                    of: form.of.to_owned(),
                    label: form.label.to_owned(),
                    at,
                    statistic: form.statistic,
                    query_without: self.selection.fill(&form.without),
                    rows: rows.rows,
                    omitted: rows.omitted,
                },
            })
        };
        forms.into_iter().map(table).collect()
    }
}

/// The templates of the rows of all tables, with their purposes.
pub(super) fn templates() -> impl Iterator<Item = (String, String)> {
    let forms = SERVER_LABELS.into_iter().map(slow_requests);
    let forms = forms.chain(CLIENT_LABELS.into_iter().map(slow_calls));
    let forms = forms.chain([mean_calls(CLIENT_LABELS[0])]);
    let forms = forms.chain(FAILED_LABELS.into_iter().map(failed_requests));
    let forms = forms.chain([failed_calls(CLIENT_LABELS[0])]);
    forms.flat_map(|form| {
        let rows = form.rows.into_iter();
        rows.map(move |(purpose, template)| (format!("{purpose} by {}", form.label), template))
    })
}

/// The form of one table: templates of [`crate::selection::Selection::fill`].
struct Form {
    of: &'static str,
    label: &'static str,
    statistic: TableStatistic,
    /// What rows are made of, and what for: buckets, or the first and the second number of a ratio.
    rows: Vec<(&'static str, String)>,
    without: String,
}

struct Answered {
    table: LabelTable,
    /// Any series that can say something, be it of the value zero.
    has_series: bool,
}

impl Answered {
    /// Not where no series has the label.
    fn says_something(&self) -> bool {
        self.has_series && self.table.rows.iter().any(|row| !row.value.is_empty())
    }
}

fn breakable(metric: &MetricSpec) -> Breakable {
    let built_in = Catalogue::default_three();
    let built_in = built_in.get(&metric.id);
    let is_built_in = built_in.map(|built_in| built_in.query == metric.query);
    match (metric.id.as_str(), is_built_in) {
        ("lat", Some(true)) => Breakable::Latency,
        ("error_ratio", Some(true)) => Breakable::ErrorRatio,
        // Where it isn't built in, its query says whether it counts what is counted here.
        ("error_ratio", None) if counts_5xx(&metric.query) => Breakable::ErrorRatio,
        ("lat" | "error_ratio", _) => Breakable::Own,
        _ => Breakable::No,
    }
}

fn counts_5xx(query: &str) -> bool {
    query.contains("http_server_requests_seconds_count")
        && (query.contains("status=~\"5") || query.contains("outcome=\"SERVER_ERROR\""))
}

fn slow_requests(label: &'static str) -> Form {
    quantile(
        LabelTable::SERVER,
        "latency",
        (SERVER_NAME, OWN_REQUESTS),
        label,
    )
}

fn slow_calls(label: &'static str) -> Form {
    quantile(
        LabelTable::OUTGOING,
        "latency of outgoing calls",
        (CLIENT_NAME, ""),
        label,
    )
}

fn quantile(
    of: &'static str,
    purpose: &'static str,
    (name, only): (&str, &str),
    label: &'static str,
) -> Form {
    let buckets = templates::rate(&format!("{name}_bucket"), &[only]);
    Form {
        of,
        label,
        statistic: LATENCY,
        rows: vec![(purpose, format!("sum by ({label}, le) {buckets}"))],
        without: templates::p99_ms(name, &[only, &not_the_value(label)]),
    }
}

fn mean_calls(label: &'static str) -> Form {
    let by = |what| {
        let rate = templates::rate(&format!("{CLIENT_NAME}_{what}"), &[]);
        format!("sum by ({label}) {rate}")
    };
    Form {
        of: LabelTable::OUTGOING,
        label,
        statistic: MEAN,
        rows: vec![
            ("seconds of outgoing calls", by("sum")),
            ("outgoing calls", by("count")),
        ],
        without: templates::mean_ms(CLIENT_NAME, &[&not_the_value(label)]),
    }
}

fn failed_requests(label: &'static str) -> Form {
    let purposes = ("failed requests", "requests");
    share(
        LabelTable::SERVER,
        purposes,
        (SERVER_NAME, OWN_REQUESTS, ANSWERED_5XX),
        label,
    )
}

fn failed_calls(label: &'static str) -> Form {
    let purposes = ("failed outgoing calls", "outgoing calls");
    share(
        LabelTable::OUTGOING,
        purposes,
        (CLIENT_NAME, "", CALL_FAILED),
        label,
    )
}

fn share(
    of: &'static str,
    (failed, all): (&'static str, &'static str),
    (name, only, failing): (&str, &str, &str),
    label: &'static str,
) -> Form {
    let count = format!("{name}_count");
    let by = |conditions: &[&str]| {
        let counted = templates::counted(&count, conditions);
        format!("sum by ({label}) {counted}")
    };
    Form {
        of,
        label,
        statistic: SHARE,
        rows: vec![(failed, by(&[only, failing])), (all, by(&[only]))],
        without: templates::percentage(&count, failing, &[only, &not_the_value(label)]),
    }
}

fn not_the_value(label: &str) -> String {
    format!("{label}!=\"$value\"")
}

/// A histogram may have nothing but its infinite bucket, which says nothing.
fn is_no_last_bucket(sample: &VectorSample) -> bool {
    sample.labels.get("le").is_none_or(|le| le != "+Inf")
}
