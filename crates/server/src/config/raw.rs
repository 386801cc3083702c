//! The settings as they are written: every key optional, nothing checked but its type.
//!
//! The same types are written out again as the effective configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{Combine, Direction, MetricId, MetricSpec, ServiceId, Severity};
use incident::{AutoResolve, ResolveWhen};
use serde::{Deserialize, Serialize};
use sources::LogFields;

use super::connection::credentials;
use super::duration::{Size, Span};
use super::notify::{self, Address};
use super::{Config, LogFormat, LogLevel, LogSource, Schedule, Secret, Server, name_of_zone};

macro_rules! raw {
    ($($name:ident { $($field:ident: $type:ty,)* })*) => { $(
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $(
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        )* }
    )* };
}

raw! {
    Raw {
        prometheus: RawPrometheus,
        scrape: PathBuf,
        embedded: RawEmbedded,
        tick: Span,
        evaluation_delay: Span,
        identity: Vec<String>,
        scope: Vec<String>,
        packs: Vec<String>,
        metrics: BTreeMap<MetricId, RawMetric>,
        services: BTreeMap<ServiceId, RawService>,
        training: RawTraining,
        decide: RawDecide,
        auto_resolve: Vec<RawAutoResolve>,
        season: RawSeason,
        logs: Vec<RawLogSource>,
        listen: String,
        data_dir: PathBuf,
        retention: RawRetention,
        limits: RawLimits,
        notify: RawNotify,
        server: RawServer,
        log: RawLog,
    }
    RawPrometheus {
        url: String,
        timeout: Span,
        headers: BTreeMap<String, Secret>,
        basic_auth: RawBasicAuth,
        bearer_token: Secret,
        bearer_token_file: PathBuf,
        ca_file: PathBuf,
        external_url: String,
        answer_bytes_max: Size,
    }
    RawEmbedded {
        retention: Span,
        memory: Size,
    }
    RawBasicAuth {
        username: String,
        password: Secret,
        password_file: PathBuf,
    }
    RawMetric {
        title: String,
        unit: String,
        query: String,
        fallback: String,
        direction: Direction,
        high: f64,
        critical: f64,
        minimum_deviation: f64,
        valid: (f64, f64),
        combine: Combine,
        at_least_from: f64,
    }
    RawService {
        metrics: BTreeMap<MetricId, RawThresholds>,
    }
    RawThresholds {
        high: f64,
        critical: f64,
    }
    RawTraining {
        window: Span,
        window_min_samples: u64,
        min_samples: u64,
        contamination: f64,
        schedule: String,
        max_age: Span,
        trees: u64,
        sample_size: u64,
        seed: u64,
    }
    RawDecide {
        open_after: Span,
        critical_after: Span,
        quiet_period: Span,
        hysteresis: f64,
        down_after: Span,
        alarm_budget: f64,
        source_fault_share: f64,
    }
    RawAutoResolve {
        name: String,
        services: Vec<String>,
        severity_max: Severity,
        quiet_for: Span,
        gone_for: Span,
    }
    RawSeason {
        timezone: String,
    }
    RawLogSource {
        path: String,
        fields: RawLogFields,
        zone: String,
    }
    RawLogFields {
        time: String,
        level: String,
        logger: String,
        message: String,
        exception: String,
        stack_trace: String,
        trace_id: String,
        span_id: String,
        service: String,
    }
    RawRetention {
        datasets: Span,
        incidents: Span,
        ledger: Span,
        ledger_entries: u64,
        disk_max: Size,
    }
    RawLimits {
        services: u64,
        series: u64,
        streams: u64,
        connections: u64,
    }
    RawNotify {
        receivers: Vec<RawReceiver>,
        repeat_interval: Span,
        blind_after: Span,
        messages_per_minute: u64,
        notices_per_message: u64,
        heartbeat: RawHeartbeat,
    }
    RawReceiver {
        name: String,
        webhook: Address,
        webhook_file: PathBuf,
        alertmanager: String,
        severity: Severity,
        services: Vec<String>,
        headers: BTreeMap<String, Secret>,
        basic_auth: RawBasicAuth,
        bearer_token: Secret,
        bearer_token_file: PathBuf,
        ca_file: PathBuf,
    }
    RawHeartbeat {
        url: Address,
        interval: Span,
    }
    RawServer {
        hosts: Vec<String>,
        external_url: String,
        unsafe_listen: bool,
        auth: RawAccess,
        trusted_proxies: Vec<String>,
        base_path: String,
    }
    RawAccess {
        users_file: PathBuf,
        tokens_file: PathBuf,
        session_idle: Span,
        session_lifetime: Span,
    }
    RawLog {
        level: LogLevel,
        format: LogFormat,
    }
}

impl Raw {
    /// The whole of a configuration, as it would be written.
    pub fn of(config: &Config) -> Raw {
        Raw {
            prometheus: config.scrape.is_none().then(|| prometheus(config)),
            scrape: config.scrape.clone(),
            embedded: Some(RawEmbedded {
                retention: Some(Span(config.embedded.retention)),
                memory: Some(Size(config.embedded.memory_bytes_max)),
            }),
            tick: Some(Span(config.tick)),
            evaluation_delay: Some(Span(config.evaluation_delay)),
            identity: Some(config.identity.clone()),
            scope: Some(config.scope.clone()),
            packs: Some(config.packs.clone()),
            metrics: Some(
                config
                    .metrics
                    .iter()
                    .map(|spec| (spec.id.clone(), metric(spec)))
                    .collect(),
            ),
            services: Some(services(config)),
            training: Some(training(config)),
            decide: Some(RawDecide {
                open_after: Some(Span(config.decide.open_after)),
                critical_after: Some(Span(config.decide.critical_after)),
                quiet_period: Some(Span(config.decide.quiet_period)),
                hysteresis: Some(config.decide.hysteresis),
                down_after: Some(Span(config.decide.down_after)),
                alarm_budget: Some(config.decide.alarm_budget),
                source_fault_share: Some(config.decide.source_fault_share),
            }),
            auto_resolve: Some(config.auto_resolve.iter().map(auto_resolve).collect()),
            season: Some(RawSeason {
                timezone: Some(config.season.name().to_owned()),
            }),
            logs: Some(config.logs.iter().map(log_source).collect()),
            listen: Some(config.listen.to_string()),
            data_dir: Some(config.data_dir.clone()),
            retention: Some(RawRetention {
                datasets: Some(Span(config.retention.datasets)),
                incidents: Some(Span(config.retention.incidents)),
                ledger: Some(Span(config.retention.ledger)),
                ledger_entries: Some(whole(config.retention.ledger_entries)),
                disk_max: Some(Size(config.retention.disk_bytes_max)),
            }),
            limits: Some(RawLimits {
                services: Some(whole(config.limits.services)),
                series: Some(whole(config.limits.series)),
                streams: Some(whole(config.limits.streams)),
                connections: Some(whole(config.limits.connections)),
            }),
            notify: Some(notify::written(config)),
            server: Some(server(&config.server)),
            log: Some(RawLog {
                level: Some(config.log.level),
                format: Some(config.log.format),
            }),
        }
    }
}

fn server(server: &Server) -> RawServer {
    let networks = server.trusted_proxies.iter().map(ToString::to_string);
    RawServer {
        hosts: Some(server.hosts.clone()),
        external_url: server.external_url.as_ref().map(|u| u.to_string()),
        unsafe_listen: Some(server.unsafe_listen),
        auth: Some(RawAccess {
            users_file: server.auth.users_file.clone(),
            tokens_file: server.auth.tokens_file.clone(),
            session_idle: Some(Span(server.auth.session_idle)),
            session_lifetime: Some(Span(server.auth.session_lifetime)),
        }),
        trusted_proxies: Some(networks.collect()),
        base_path: Some(server.base_path.clone()),
    }
}

fn prometheus(config: &Config) -> RawPrometheus {
    let source = &config.prometheus;
    let (basic_auth, bearer_token, bearer_token_file) = credentials(source.auth.as_ref());
    RawPrometheus {
        url: Some(source.url.to_string()),
        timeout: Some(Span(source.timeout)),
        headers: Some(source.headers.clone()),
        ca_file: source.ca_file.clone(),
        external_url: source.external_url.as_ref().map(|url| url.to_string()),
        answer_bytes_max: Some(Size(source.answer_bytes_max)),
        basic_auth,
        bearer_token,
        bearer_token_file,
    }
}

fn metric(spec: &MetricSpec) -> RawMetric {
    RawMetric {
        title: Some(spec.title.clone()),
        unit: Some(spec.unit.clone()),
        query: Some(spec.query.clone()),
        fallback: spec.fallback.clone(),
        direction: Some(spec.direction),
        high: spec.thresholds.high,
        critical: spec.thresholds.critical,
        minimum_deviation: Some(spec.minimum_deviation),
        valid: Some((unbounded(spec.valid.0), unbounded(spec.valid.1))),
        combine: Some(spec.combine),
        at_least_from: spec.at_least_from,
    }
}

/// "No bound" is the largest float inside, so that it survives JSON, and `.inf` in YAML.
fn unbounded(bound: f64) -> f64 {
    if bound.abs() < f64::MAX {
        bound
    } else {
        f64::INFINITY.copysign(bound)
    }
}

fn services(config: &Config) -> BTreeMap<ServiceId, RawService> {
    let mut services: BTreeMap<ServiceId, RawService> = BTreeMap::new();
    for spec in config.metrics.iter() {
        for (service, thresholds) in &spec.of_service {
            let raw = services.entry(service.clone()).or_default();
            raw.metrics.get_or_insert_default().insert(
                spec.id.clone(),
                RawThresholds {
                    high: thresholds.high,
                    critical: thresholds.critical,
                },
            );
        }
    }
    services
}

fn auto_resolve(rule: &AutoResolve) -> RawAutoResolve {
    let (quiet_for, gone_for) = match rule.when {
        ResolveWhen::QuietFor(time) => (Some(Span(time)), None),
        ResolveWhen::GoneFor(time) => (None, Some(Span(time))),
    };
    RawAutoResolve {
        name: Some(rule.name.clone()),
        services: Some(rule.services.clone()),
        severity_max: Some(rule.severity_max),
        quiet_for,
        gone_for,
    }
}

fn log_source(source: &LogSource) -> RawLogSource {
    let fields = source.fields.clone();
    let is_default = fields == LogFields::default();
    let raw = RawLogFields {
        time: fields.time,
        level: fields.level,
        logger: fields.logger,
        message: fields.message,
        exception: fields.exception,
        stack_trace: fields.stack_trace,
        trace_id: fields.trace_id,
        span_id: fields.span_id,
        service: fields.service,
    };
    RawLogSource {
        path: Some(source.path.clone()),
        fields: (!is_default).then_some(raw),
        zone: Some(name_of_zone(&source.zone).to_owned()),
    }
}

fn training(config: &Config) -> RawTraining {
    let training = &config.training;
    RawTraining {
        window: Some(Span(training.window)),
        window_min_samples: Some(whole(training.window_min_samples)),
        min_samples: Some(whole(training.min_samples)),
        contamination: Some(training.contamination),
        schedule: Some(match &training.schedule {
            Schedule::Every(period) => Span(*period).to_string(),
            Schedule::Cron { text, .. } => text.clone(),
        }),
        max_age: Some(Span(training.max_age)),
        trees: Some(whole(training.trees)),
        sample_size: Some(whole(training.sample_size)),
        seed: Some(training.seed),
    }
}

pub(super) fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
