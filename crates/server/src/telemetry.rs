//! What Bellwether says of itself, in Prometheus text format.

pub mod since_start;

use std::time::Duration;

use domain::{Gap, Severity};
use engine::TickOutput;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sources::Collected;

const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
const RARITIES: &[f64] = &[0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

/// Installs the recorder for the process; a second call gives a handle of its own that stays empty.
pub fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("bellwether_score".into()), RARITIES)
        })
        .expect("the bucket lists are not empty");
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    let _ = metrics::set_global_recorder(recorder);
    describe();
    gauge!("bellwether_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for gap in Gap::ALL {
        counter!("bellwether_gaps_total", "reason" => gap.as_str()).absolute(0);
    }
    counter!("bellwether_ticks_total").absolute(0);
    counter!("bellwether_ticks_missed_total").absolute(0);
    handle
}

fn describe() {
    describe_gauge!("bellwether_build_info", "The version that runs; always 1.");
    describe_counter!(
        "bellwether_ticks_total",
        "Evaluation instants that were judged."
    );
    describe_counter!(
        "bellwether_ticks_missed_total",
        "Evaluation instants that were skipped."
    );
    describe_histogram!(
        "bellwether_tick_duration_seconds",
        "From the collection to the published snapshot."
    );
    describe_histogram!(
        "bellwether_collect_duration_seconds",
        "One look at Prometheus, all its queries."
    );
    describe_histogram!(
        "bellwether_query_duration_seconds",
        "One query to Prometheus."
    );
    describe_gauge!(
        "bellwether_embedded_series",
        "Series that the embedded store holds."
    );
    describe_gauge!(
        "bellwether_embedded_samples",
        "Samples that the embedded store holds."
    );
    describe_gauge!(
        "bellwether_embedded_memory_bytes",
        "Memory that samples of the embedded store take."
    );
    describe_gauge!(
        "bellwether_embedded_disk_bytes",
        "Disk that samples of the embedded store take."
    );
    describe_gauge!(
        "bellwether_embedded_dropped_samples",
        "Samples of the embedded store that went early because of embedded.memory."
    );
    describe_counter!("bellwether_queries_total", "Queries sent to Prometheus.");
    describe_counter!(
        "bellwether_evidence_queries_total",
        "Queries sent to Prometheus for the evidence of incidents."
    );
    describe_counter!(
        "bellwether_evidence_failures_total",
        "Pieces of evidence that could not be gathered."
    );
    describe_counter!(
        "bellwether_query_failures_total",
        "Queries to Prometheus that failed, by kind."
    );
    describe_counter!(
        "bellwether_gaps_total",
        "Series without a usable sample at an instant, by reason."
    );
    describe_counter!(
        "bellwether_entrance_refused_total",
        "Wrong passwords and tokens."
    );
    describe_counter!(
        "bellwether_audit_left_out_total",
        "Refusals of strangers that were too many to note in the audit trail."
    );
    describe_histogram!(
        "bellwether_score",
        "Rarity of judged samples: -log10 of their tail probability."
    );
    describe_gauge!(
        "bellwether_services",
        "Services that are known, by presence."
    );
    describe_gauge!(
        "bellwether_series",
        "Series at the last instant, by severity."
    );
    describe_gauge!("bellwether_models", "Models in use.");
    describe_gauge!("bellwether_incidents_firing", "Incidents that fire now.");
    describe_counter!(
        "bellwether_incidents_opened_total",
        "Incidents that were opened."
    );
    describe_gauge!(
        "bellwether_source_up",
        "1 while Prometheus answers all queries, 0.5 some, 0 none."
    );
    describe_gauge!(
        "bellwether_source_skew_seconds",
        "The clock of Prometheus minus ours."
    );
    describe_counter!(
        "bellwether_trainings_total",
        "Trainings of single models, by outcome."
    );
    describe_histogram!(
        "bellwether_training_duration_seconds",
        "One training job, all its models."
    );
    describe_counter!(
        "bellwether_store_failures_total",
        "Writes that failed, by store."
    );
    describe_counter!(
        "bellwether_dataset_rows_total",
        "Rows written to the datasets."
    );
    describe_counter!(
        "bellwether_http_requests_total",
        "HTTP requests answered, by status class."
    );
    describe_counter!(
        "bellwether_log_reads_total",
        "Log windows read for incidents, by outcome."
    );
    describe_gauge!("bellwether_log_files", "Log files that are followed.");
    describe_gauge!(
        "bellwether_log_bytes_behind",
        "Bytes of log files that are not indexed yet."
    );
    describe_counter!(
        "bellwether_log_bytes_indexed_total",
        "Bytes of log files that were indexed."
    );
    describe_gauge!(
        "bellwether_config_last_reload_successful",
        "1 while the newest configuration is in force, else 0."
    );
    describe_gauge!(
        "bellwether_config_last_reload_success_timestamp_seconds",
        "When the configuration in force was loaded."
    );
    describe_counter!(
        "bellwether_notifications_total",
        "Attempts to send a message to a receiver, by outcome."
    );
    describe_counter!(
        "bellwether_notification_failures_total",
        "Attempts to send a message that failed, by kind."
    );
    describe_counter!(
        "bellwether_notices_total",
        "Notices in messages that were delivered or given up."
    );
}

/// One look at the source.
pub fn collected(collected: &Collected, took: Duration) {
    histogram!("bellwether_collect_duration_seconds").record(took.as_secs_f64());
    counter!("bellwether_queries_total").increment(u64::from(collected.queries));
    for timing in &collected.timings {
        histogram!("bellwether_query_duration_seconds").record(timing.took.as_secs_f64());
        if let Some(kind) = timing.failure {
            counter!("bellwether_query_failures_total", "kind" => kind).increment(1);
        }
    }
    for (gap, count) in &collected.gaps {
        counter!("bellwether_gaps_total", "reason" => gap.as_str()).increment(u64::from(*count));
        since_start::note_gaps(*gap, u64::from(*count));
    }
    if let Some(skew) = collected.skew {
        gauge!("bellwether_source_skew_seconds").set(skew.as_secs_f64());
    }
    let up = match collected.collection.source {
        domain::SourceState::Healthy => 1.0,
        domain::SourceState::Partial(_) => 0.5,
        domain::SourceState::Down(_) => 0.0,
    };
    gauge!("bellwether_source_up").set(up);
    let present = |presence| {
        collected
            .collection
            .services
            .iter()
            .filter(|s| s.presence == presence)
            .count() as f64
    };
    gauge!("bellwether_services", "presence" => "up").set(present(domain::Presence::Up));
    gauge!("bellwether_services", "presence" => "gone").set(present(domain::Presence::Gone));
}

pub fn missed(instants: u64) {
    counter!("bellwether_ticks_missed_total").increment(instants);
    since_start::missed(instants);
}

/// One evaluated instant.
pub fn ticked(output: &TickOutput, firing: usize, models: usize, took: Duration) {
    counter!("bellwether_ticks_total").increment(1);
    since_start::ticked(took);
    histogram!("bellwether_tick_duration_seconds").record(took.as_secs_f64());
    let scores = histogram!("bellwether_score");
    for score in output
        .findings
        .iter()
        .filter(|f| f.sample.is_ok())
        .filter_map(|f| f.score)
    {
        scores.record(score);
    }
    for severity in [
        Severity::Unavailable,
        Severity::Normal,
        Severity::High,
        Severity::Critical,
    ] {
        let count = output
            .findings
            .iter()
            .filter(|f| f.severity == severity)
            .count();
        gauge!("bellwether_series", "severity" => severity.as_str().to_lowercase())
            .set(count as f64);
    }
    gauge!("bellwether_models").set(models as f64);
    gauge!("bellwether_incidents_firing").set(firing as f64);
}

pub fn opened() {
    counter!("bellwether_incidents_opened_total").increment(1);
}

pub fn rows_written(rows: usize) {
    counter!("bellwether_dataset_rows_total").increment(rows as u64);
}

pub fn store_failed(store: &'static str) {
    counter!("bellwether_store_failures_total", "store" => store).increment(1);
}

pub fn trained(outcome: &'static str) {
    counter!("bellwether_trainings_total", "outcome" => outcome).increment(1);
}

pub fn training_took(took: Duration) {
    histogram!("bellwether_training_duration_seconds").record(took.as_secs_f64());
}

pub fn answered(status: u16) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    counter!("bellwether_http_requests_total", "class" => class).increment(1);
}

/// A password or token was wrong.
pub fn entrance_refused() {
    counter!("bellwether_entrance_refused_total").increment(1);
}

/// The audit trail doesn't have it.
pub fn audit_left_out() {
    counter!("bellwether_audit_left_out_total").increment(1);
}

/// Queries that were asked for evidence, and how many of what was wanted is missing.
pub fn evidence_asked(queries: u32, failures: usize) {
    counter!("bellwether_evidence_queries_total").increment(queries.into());
    counter!("bellwether_evidence_failures_total").increment(failures as u64);
}

/// One pass over the log files.
pub fn logs_followed(files: usize, bytes_indexed: u64, bytes_behind: u64) {
    gauge!("bellwether_log_files").set(files as f64);
    gauge!("bellwether_log_bytes_behind").set(bytes_behind as f64);
    counter!("bellwether_log_bytes_indexed_total").increment(bytes_indexed);
}

/// Whether the newest configuration is in force, and since when the one in force is.
pub fn configured(successful: bool, at: domain::Timestamp) {
    gauge!("bellwether_config_last_reload_successful").set(f64::from(u8::from(successful)));
    if successful {
        let seconds = at.as_millis() as f64 / 1e3;
        gauge!("bellwether_config_last_reload_success_timestamp_seconds").set(seconds);
    }
}

/// What became of an attempt to tell a receiver of so many notices.
pub fn notified(outcome: &notify::Outcome, notices: usize) {
    let (outcome, failure) = match outcome {
        notify::Outcome::Delivered => ("delivered", None),
        notify::Outcome::Retry { kind, .. } => ("failed", Some(kind)),
        notify::Outcome::GaveUp { kind, .. } => ("given_up", Some(kind)),
    };
    counter!("bellwether_notifications_total", "outcome" => outcome).increment(1);
    if let Some(kind) = failure {
        counter!("bellwether_notification_failures_total", "kind" => kind.clone()).increment(1);
    }
    if outcome != "failed" {
        counter!("bellwether_notices_total", "outcome" => outcome).increment(notices as u64);
    }
}

/// What the embedded store holds.
pub fn embedded(status: &embedded::store::StoreStatus) {
    gauge!("bellwether_embedded_series").set(status.series as f64);
    gauge!("bellwether_embedded_samples").set(status.samples as f64);
    gauge!("bellwether_embedded_memory_bytes").set(status.memory_bytes as f64);
    gauge!("bellwether_embedded_disk_bytes").set(status.disk_bytes as f64);
    gauge!("bellwether_embedded_dropped_samples").set(status.dropped_samples as f64);
}

pub fn logs_read(outcome: &'static str) {
    counter!("bellwether_log_reads_total", "outcome" => outcome).increment(1);
}
