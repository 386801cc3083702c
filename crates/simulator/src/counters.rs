//! What an instance counts: where each counter lives, and how much a stretch of time adds to it.

use crate::conditions::{CLIENT_TIMEOUT_S, Cause, Condition, POOL_SIZE};
use crate::latency::{Buckets, LogNormal};
use crate::topology::{Service, Topology};

/// How often a Prometheus and a load balancer look at an instance.
const SCRAPES_PER_SECOND: f64 = 1.0 / 15.0;
const HEALTH_CHECKS_PER_SECOND: f64 = 0.1;
/// A scrape takes long in real services; whoever forgets to exclude it sees that in p99.
const SCRAPE_P99_S: f64 = 1.8;
const HEALTH_P99_S: f64 = 0.02;
const NOT_FOUND_SHARE: f64 = 0.005;
/// More than this, and a service's log says no more.
const ERROR_LINES_MAX: f64 = 10.0;

/// From this percentage of the heap on, a cache complains.
pub(crate) const HEAP_IS_WORTH_A_LINE: f64 = 65.0;

/// Where the counters of an instance lie in its row of numbers; the same for all instances of a service.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) buckets: Buckets,
    pub(crate) server: Vec<ServerSeries>,
    pub(crate) client: Vec<ClientSeries>,
    tallies: usize,
    pub(crate) len: usize,
}

#[derive(Debug)]
pub(crate) struct ServerSeries {
    pub(crate) histogram: HistogramSlot,
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) status: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) exception: &'static str,
    pub(crate) flow: ServerFlow,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ServerFlow {
    /// This share of the successful requests.
    Succeeds(f64),
    NotFound,
    Fails(Cause),
    Scrape,
    HealthCheck,
}

#[derive(Debug)]
pub(crate) struct ClientSeries {
    pub(crate) histogram: HistogramSlot,
    /// Index into the caller's list of calls.
    pub(crate) call: usize,
    pub(crate) callee: String,
    pub(crate) uri: String,
    pub(crate) flow: ClientFlow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientFlow {
    Succeeds,
    Failed,
    Silent,
}

/// Cumulative buckets, then the count, then the sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistogramSlot {
    pub(crate) first: usize,
    pub(crate) bounds: usize,
}

impl HistogramSlot {
    pub(crate) fn count(self) -> usize {
        self.first + self.bounds
    }

    pub(crate) fn sum(self) -> usize {
        self.first + self.bounds + 1
    }
}

/// The counters that are no histogram.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tally {
    CpuSeconds,
    Allocated,
    Promoted,
    MinorPauses,
    MinorPauseSeconds,
    MajorPauses,
    MajorPauseSeconds,
    InfoLines,
    WarnLines,
    ErrorLines,
    ThreadsStarted,
    TasksCompleted,
    TicksCompleted,
    TickSeconds,
    ConnectionsAcquired,
    AcquireSeconds,
    UsageSeconds,
    AcquireTimeouts,
    Requests,
    RequestSeconds,
    RequestErrors,
    BytesReceived,
    BytesSent,
}

const TALLIES: usize = Tally::BytesSent as usize + 1;

/// What noise does to one instance during a stretch of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Factor on request rates.
    pub(crate) rate: f64,
    /// Added to ln(latency).
    pub(crate) ln_latency: f64,
    /// Factor on failing shares.
    pub(crate) failing: f64,
}

/// Lines per second that a whole service writes, which its logback counters count as well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogRates {
    pub(crate) info: f64,
    pub(crate) warn: f64,
    pub(crate) error: f64,
}

impl LogRates {
    pub(crate) fn of(condition: &Condition) -> Self {
        if condition.alive == 0 {
            return LogRates {
                info: 0.0,
                warn: 0.0,
                error: 0.0,
            };
        }
        let effects = &condition.effects;
        let slow_call = condition
            .calls
            .iter()
            .any(|call| !call.refused && call.latency.quantile(0.99) > 0.7);
        let troubled = effects.cpu_burn
            + effects.slow
            + effects.bad_release
            + effects.pool_exhausted
            + effects.deadlock;
        let heap = if condition.mem > HEAP_IS_WORTH_A_LINE {
            0.1
        } else {
            0.0
        };
        let warn = 0.002
            + heap
            + if troubled > 0.0 { 0.2 } else { 0.0 }
            + if slow_call { 0.15 } else { 0.0 };
        LogRates {
            info: (0.1 + 0.01 * condition.request_rate).min(1.0),
            warn,
            error: (condition.request_rate * condition.failing.iter().sum::<f64>())
                .min(ERROR_LINES_MAX),
        }
    }
}

impl Layout {
    pub(crate) fn new(topology: &Topology, position: usize) -> Self {
        let service = &topology.services()[position];
        let links = topology.links(position);
        let bounds = service.buckets.bounds().len();
        let mut next = 0;
        let mut slot = || {
            let histogram = HistogramSlot {
                first: next,
                bounds,
            };
            next += bounds + 2;
            histogram
        };
        let server = server_flows(service, links.is_root, !links.calls.is_empty())
            .into_iter()
            .map(
                |(method, uri, status, outcome, exception, flow)| ServerSeries {
                    histogram: slot(),
                    method,
                    uri,
                    status,
                    outcome,
                    exception,
                    flow,
                },
            )
            .collect();
        let mut client = Vec::new();
        for (call, link) in links.calls.iter().enumerate() {
            let callee = &topology.services()[link.callee].name;
            for flow in [ClientFlow::Succeeds, ClientFlow::Failed, ClientFlow::Silent] {
                client.push(ClientSeries {
                    histogram: slot(),
                    call,
                    callee: callee.clone(),
                    uri: format!("/{callee}/{{id}}"),
                    flow,
                });
            }
        }
        Layout {
            buckets: service.buckets,
            server,
            client,
            tallies: next,
            len: next + TALLIES,
        }
    }

    pub(crate) fn tally(&self, tally: Tally) -> usize {
        self.tallies + tally as usize
    }

    /// Writes what `seconds` of this condition add to one instance's counters.
    pub(crate) fn fill(
        &self,
        row: &mut [f64],
        service: &Service,
        condition: &Condition,
        seconds: f64,
        weather: Weather,
    ) {
        row.fill(0.0);
        let alive = condition.alive.max(1) as f64;
        let rate = condition.request_rate / alive * weather.rate;
        let failing = condition
            .failing
            .map(|share| (share * weather.failing).min(1.0));
        let fails = failing.iter().sum::<f64>().min(1.0);
        let latency = condition.latency.scaled(weather.ln_latency);
        let shares = self.shares(&latency);
        let mean = latency.mean();

        for series in &self.server {
            match series.flow {
                ServerFlow::Succeeds(share) => {
                    let n = rate * seconds * (1.0 - fails) * (1.0 - NOT_FOUND_SHARE) * share;
                    self.count(row, series.histogram, n, &shares, mean);
                }
                ServerFlow::NotFound => {
                    let n = rate * seconds * (1.0 - fails) * NOT_FOUND_SHARE;
                    self.count(row, series.histogram, n, &shares, mean);
                }
                ServerFlow::Fails(cause) => {
                    self.count(
                        row,
                        series.histogram,
                        rate * seconds * failing[cause as usize],
                        &shares,
                        mean,
                    );
                }
                ServerFlow::Scrape => self.count_constant(
                    row,
                    series.histogram,
                    SCRAPES_PER_SECOND * seconds,
                    SCRAPE_P99_S,
                ),
                ServerFlow::HealthCheck => {
                    self.count_constant(
                        row,
                        series.histogram,
                        HEALTH_CHECKS_PER_SECOND * seconds,
                        HEALTH_P99_S,
                    );
                }
            }
        }
        self.fill_calls(row, condition, seconds, weather);
        self.fill_tallies(row, service, condition, seconds, rate, mean);
    }

    fn fill_calls(&self, row: &mut [f64], condition: &Condition, seconds: f64, weather: Weather) {
        let alive = condition.alive.max(1) as f64;
        let mut current = usize::MAX;
        let (mut shares, mut mean) = (Vec::new(), 0.0);
        for series in &self.client {
            let call = &condition.calls[series.call];
            if current != series.call {
                let latency = if call.refused {
                    call.latency
                } else {
                    call.latency.scaled(weather.ln_latency)
                };
                let in_time = latency.share_below(libm::log(CLIENT_TIMEOUT_S)).max(1e-9);
                shares = self.shares(&latency);
                shares
                    .iter_mut()
                    .for_each(|share| *share = (*share / in_time).min(1.0));
                mean = latency.mean().min(CLIENT_TIMEOUT_S);
                current = series.call;
            }
            let n = call.rate / alive * weather.rate * seconds;
            match series.flow {
                ClientFlow::Succeeds => {
                    self.count(
                        row,
                        series.histogram,
                        n * (1.0 - call.failed - call.silent).max(0.0),
                        &shares,
                        mean,
                    );
                }
                ClientFlow::Failed => {
                    self.count(row, series.histogram, n * call.failed, &shares, mean)
                }
                ClientFlow::Silent if call.silent > 0.0 => {
                    let latency = if call.refused {
                        call.latency
                    } else {
                        LogNormal::narrow(CLIENT_TIMEOUT_S * 1.06)
                    };
                    let shares = self.shares(&latency);
                    self.count(
                        row,
                        series.histogram,
                        n * call.silent,
                        &shares,
                        latency.mean(),
                    );
                }
                ClientFlow::Silent => {}
            }
        }
    }

    fn fill_tallies(
        &self,
        row: &mut [f64],
        service: &Service,
        condition: &Condition,
        seconds: f64,
        rate: f64,
        mean: f64,
    ) {
        let alive = condition.alive.max(1) as f64;
        let logs = LogRates::of(condition);
        let overhead = condition.gc_overhead / 100.0;
        let strained = condition.mem > 75.0;
        let errors = rate * condition.error_ratio / 100.0;
        let allocated = allocation_rate(rate);
        let pending = condition.pool_pending;
        let tallies = &mut row[self.tallies..];
        let mut add =
            |tally: Tally, per_second: f64| tallies[tally as usize] = per_second * seconds;

        add(
            Tally::CpuSeconds,
            condition.cpu / 100.0 * f64::from(CPU_COUNT),
        );
        add(Tally::Allocated, allocated);
        add(Tally::Promoted, 0.01 * allocated);
        add(Tally::MinorPauses, 1.0 / heap_cycle_seconds(rate));
        add(
            Tally::MinorPauseSeconds,
            if strained { 0.5 * overhead } else { overhead },
        );
        if strained {
            add(Tally::MajorPauses, overhead / 0.4);
            add(Tally::MajorPauseSeconds, 0.5 * overhead);
        }
        add(Tally::InfoLines, logs.info / alive);
        add(Tally::WarnLines, logs.warn / alive);
        add(Tally::ErrorLines, logs.error / alive);
        add(Tally::ThreadsStarted, 0.002);
        add(Tally::TasksCompleted, 0.2 * rate);
        add(Tally::TicksCompleted, 0.2);
        add(Tally::TickSeconds, 0.0004);
        add(
            Tally::Requests,
            rate + SCRAPES_PER_SECOND + HEALTH_CHECKS_PER_SECOND,
        );
        add(Tally::RequestSeconds, rate * mean);
        add(Tally::RequestErrors, errors);
        add(Tally::BytesReceived, 380.0 * rate);
        add(Tally::BytesSent, 1_900.0 * rate + 4_000.0);
        if service.pool {
            add(Tally::ConnectionsAcquired, rate);
            add(Tally::AcquireSeconds, rate * 0.00004 + pending);
            add(Tally::UsageSeconds, (rate * 0.4 * mean).min(POOL_SIZE));
            add(
                Tally::AcquireTimeouts,
                rate * condition.failing[Cause::Pool as usize],
            );
        }
    }

    fn shares(&self, latency: &LogNormal) -> Vec<f64> {
        self.buckets
            .ln_bounds()
            .iter()
            .map(|&bound| latency.share_below(bound))
            .collect()
    }

    fn count(&self, row: &mut [f64], histogram: HistogramSlot, n: f64, shares: &[f64], mean: f64) {
        for (cell, share) in row[histogram.first..].iter_mut().zip(shares) {
            *cell = n * share;
        }
        row[histogram.count()] = n;
        row[histogram.sum()] = n * mean;
    }

    fn count_constant(&self, row: &mut [f64], histogram: HistogramSlot, n: f64, p99: f64) {
        let latency = LogNormal::from_p99(p99);
        let shares = self.shares(&latency);
        self.count(row, histogram, n, &shares, latency.mean());
    }
}

pub(crate) const CPU_COUNT: u8 = 2;
pub(crate) const HEAP_MAX: f64 = 536_870_912.0;

/// Bytes per second.
pub(crate) fn allocation_rate(rate: f64) -> f64 {
    200_000.0 + 500_000.0 * rate
}

/// How long eden takes to fill.
pub(crate) fn heap_cycle_seconds(rate: f64) -> f64 {
    (HEAP_MAX * 0.1 / allocation_rate(rate)).clamp(1.0, 300.0)
}

type Flow = (
    &'static str,
    String,
    &'static str,
    &'static str,
    &'static str,
    ServerFlow,
);

fn server_flows(service: &Service, is_root: bool, has_callees: bool) -> Vec<Flow> {
    let routes = service.routes(is_root);
    let (method, busiest) = (routes[0].0, routes[0].1.clone());
    let mut flows: Vec<Flow> = Vec::new();
    for (method, uri, share) in routes {
        let status = if method == "POST" { "201" } else { "200" };
        flows.push((
            method,
            uri,
            status,
            "SUCCESS",
            "none",
            ServerFlow::Succeeds(share),
        ));
    }
    flows.push((
        method,
        busiest.clone(),
        "404",
        "CLIENT_ERROR",
        "none",
        ServerFlow::NotFound,
    ));
    for cause in Cause::ALL {
        let (possible, exception) = match cause {
            Cause::Own => (true, "IllegalStateException"),
            Cause::Pool => (service.pool, "CannotGetJdbcConnectionException"),
            Cause::CalleeFailed => (has_callees, "InternalServerError"),
            Cause::CalleeSilent => (has_callees, "ResourceAccessException"),
        };
        if possible {
            flows.push((
                method,
                busiest.clone(),
                "500",
                "SERVER_ERROR",
                exception,
                ServerFlow::Fails(cause),
            ));
        }
    }
    for (uri, flow) in [
        ("/actuator/prometheus", ServerFlow::Scrape),
        ("/actuator/health", ServerFlow::HealthCheck),
    ] {
        flows.push(("GET", uri.to_owned(), "200", "SUCCESS", "none", flow));
    }
    flows
}
