//! Requests answered and requests made, and the connector that carries them.

use std::collections::BTreeSet;

use super::writer::Writer;
use super::{Value, Work};
use crate::conditions::REQUEST_THREADS;
use crate::counters::{ClientFlow, ClientSeries, Layout, ServerFlow, ServerSeries, Tally};
use crate::gauges::Gauge;

impl Writer<'_> {
    pub(super) fn server(&mut self, layout: &Layout) {
        let mut family = self.family("http_server_requests_seconds");
        for series in &layout.server {
            family.histogram(layout, series.histogram, &server_labels(series));
        }
        let mut family = self.family("http_server_requests_seconds_max");
        for series in &layout.server {
            let work = match series.flow {
                ServerFlow::Scrape => Work::Constant(1.8),
                ServerFlow::HealthCheck => Work::Constant(0.02),
                _ => Work::Requests,
            };
            let histogram = series.histogram;
            family.put(
                "",
                &server_labels(series),
                Value::Longest(histogram, work),
                Some(histogram.count()),
            );
        }
        // The histogram of requests under way is announced, and its buckets are left out.
        self.family("http_server_requests_active_seconds");
        let labels = [
            ("exception", "none"),
            ("method", "GET"),
            ("outcome", "SUCCESS"),
            ("status", "200"),
            ("uri", "UNKNOWN"),
        ];
        for (name, gauge) in [
            (
                "http_server_requests_active_seconds_gcount",
                Gauge::ActiveRequests,
            ),
            (
                "http_server_requests_active_seconds_gsum",
                Gauge::ActiveSeconds,
            ),
            ("http_server_requests_active_seconds_max", Gauge::ActiveMax),
        ] {
            self.family(name)
                .put("", &labels, Value::Gauge(gauge), None);
        }
    }

    pub(super) fn client(&mut self, layout: &Layout) {
        let labels = |series: &ClientSeries| {
            let (exception, outcome, status) = match series.flow {
                ClientFlow::Succeeds => ("none", "SUCCESS", "200"),
                ClientFlow::Failed => ("InternalServerError", "SERVER_ERROR", "500"),
                ClientFlow::Silent => ("ResourceAccessException", "UNKNOWN", "CLIENT_ERROR"),
            };
            [
                ("client_name", series.callee.clone()),
                ("error", exception.to_owned()),
                ("exception", exception.to_owned()),
                ("method", "GET".to_owned()),
                ("outcome", outcome.to_owned()),
                ("status", status.to_owned()),
                ("uri", series.uri.clone()),
            ]
        };
        let mut family = self.family("http_client_requests_seconds");
        for series in &layout.client {
            let labels = labels(series);
            family.histogram(
                layout,
                series.histogram,
                &labels
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str())),
            );
        }
        let mut family = self.family("http_client_requests_seconds_max");
        for series in &layout.client {
            let labels = labels(series);
            let work = match series.flow {
                ClientFlow::Silent => Work::Constant(5.3),
                _ => Work::Call(series.call),
            };
            family.put(
                "",
                &labels
                    .each_ref()
                    .map(|(name, value)| (*name, value.as_str())),
                Value::Longest(series.histogram, work),
                Some(series.histogram.count()),
            );
        }
        self.calls_under_way(layout);
    }

    /// Their labels are what an answer would have to bring; none is under way when a scrape comes by.
    fn calls_under_way(&mut self, layout: &Layout) {
        let places: BTreeSet<(&str, &str)> = layout
            .client
            .iter()
            .map(|series| (series.callee.as_str(), series.uri.as_str()))
            .collect();
        self.family("http_client_requests_active_seconds");
        for name in [
            "http_client_requests_active_seconds_gcount",
            "http_client_requests_active_seconds_gsum",
            "http_client_requests_active_seconds_max",
        ] {
            let mut family = self.family(name);
            for (callee, uri) in &places {
                let labels = [
                    ("client_name", *callee),
                    ("exception", "none"),
                    ("method", "GET"),
                    ("outcome", "UNKNOWN"),
                    ("status", "CLIENT_ERROR"),
                    ("uri", uri),
                ];
                family.put("", &labels, Value::Constant(0.0), None);
            }
        }
    }

    pub(super) fn tomcat(&mut self, layout: &Layout) {
        let connector = [("name", "http-nio-8080")];
        let slot = |tally| layout.tally(tally);
        for (name, value) in [
            (
                "tomcat_threads_busy_threads",
                Value::Gauge(Gauge::BusyThreads),
            ),
            (
                "tomcat_threads_current_threads",
                Value::Gauge(Gauge::PoolThreads),
            ),
            (
                "tomcat_threads_config_max_threads",
                Value::Constant(REQUEST_THREADS),
            ),
            (
                "tomcat_connections_current_connections",
                Value::Gauge(Gauge::PoolThreads),
            ),
            (
                "tomcat_connections_keepalive_current_connections",
                Value::Gauge(Gauge::KeptAlive),
            ),
            (
                "tomcat_connections_config_max_connections",
                Value::Constant(8_192.0),
            ),
            (
                "tomcat_global_error_total",
                Value::Events(slot(Tally::RequestErrors)),
            ),
            (
                "tomcat_global_received_bytes_total",
                Value::Events(slot(Tally::BytesReceived)),
            ),
            (
                "tomcat_global_sent_bytes_total",
                Value::Events(slot(Tally::BytesSent)),
            ),
        ] {
            self.family(name).put("", &connector, value, None);
        }
        self.family("tomcat_global_request_seconds").summary(
            &connector,
            slot(Tally::Requests),
            slot(Tally::RequestSeconds),
            None,
        );
        for name in [
            "tomcat_sessions_active_current_sessions",
            "tomcat_sessions_active_max_sessions",
            "tomcat_sessions_alive_max_seconds",
            "tomcat_sessions_created_sessions_total",
            "tomcat_sessions_expired_sessions_total",
            "tomcat_sessions_rejected_sessions_total",
        ] {
            self.constant(name, 0.0);
        }
    }
}

fn server_labels(series: &ServerSeries) -> [(&'static str, &str); 6] {
    [
        ("error", series.exception),
        ("exception", series.exception),
        ("method", series.method),
        ("outcome", series.outcome),
        ("status", series.status),
        ("uri", &series.uri),
    ]
}
