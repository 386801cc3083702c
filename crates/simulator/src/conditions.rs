//! The noise-free truth: what every service is like at an instant, given load, topology and faults.
//! Pure arithmetic; nothing here remembers, and nothing here detects.

use crate::faults::{Effects, ScheduledFault};
use crate::latency::LogNormal;
use crate::load;
use crate::noise::Noise;
use crate::topology::Topology;

/// A caller gives up after this.
pub(crate) const CLIENT_TIMEOUT_S: f64 = 5.0;
/// Request threads of one instance (Tomcat's default).
pub(crate) const REQUEST_THREADS: f64 = 200.0;
/// HikariCP's default.
pub(crate) const POOL_SIZE: f64 = 10.0;
/// How far eden swings the heap about its mean, in percent of the maximum.
pub(crate) const HEAP_SWING: f64 = 5.0;
/// Eden's floor, the survivors and half a swing: what lies above the old generation on average.
pub(crate) const YOUNG_MEAN: f64 = 8.0;

const IDLE_CPU: f64 = 12.0;
const CPU_HIGH: f64 = 85.0;
const HEAP_HIGH: f64 = 85.0;
const LATENCY_HIGH_S: f64 = 1.0;
const ERRORS_HIGH: f64 = 0.05;
const PENDING_HIGH: f64 = 5.0;
const BLOCKED_HIGH: f64 = 5.0;
/// Where waiting for connections or locks takes p99 at magnitude 1: past High, and still below it at 0.8.
const WAITING_P99_S: f64 = 1.15;
const LATENCY_MAX_S: f64 = 15.0;

/// One service at one instant, without noise. Percentages are 0..100, latency is in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Instances that answer.
    pub alive: usize,
    pub cpu: f64,
    pub mem: f64,
    pub heap_after_gc: f64,
    pub gc_overhead: f64,
    /// p99 of the server's requests in milliseconds.
    pub lat: f64,
    /// 5xx of all requests, in percent.
    pub error_ratio: f64,
    /// Completed requests per second over all instances.
    pub request_rate: f64,
    pub blocked_threads: f64,
    pub pool_pending: f64,
    pub executor_queue: f64,
    /// Request threads in use per instance.
    pub(crate) busy_threads: f64,
    pub(crate) latency: LogNormal,
    /// Shares of requests that fail, by cause.
    pub(crate) failing: [f64; Cause::COUNT],
    pub(crate) calls: Vec<CallCondition>,
    pub(crate) effects: Effects,
}

/// Why a request fails; each has its own exception, and so its own series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Own,
    Pool,
    /// The callee answered 5xx.
    CalleeFailed,
    /// The callee could not be reached, or not in time.
    CalleeSilent,
}

impl Cause {
    pub(crate) const COUNT: usize = 4;
    pub(crate) const ALL: [Cause; Self::COUNT] = [
        Cause::Own,
        Cause::Pool,
        Cause::CalleeFailed,
        Cause::CalleeSilent,
    ];
}

/// What a caller sees of one callee.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallCondition {
    pub(crate) callee: usize,
    /// Calls per second over all instances of the caller.
    pub(crate) rate: f64,
    pub(crate) latency: LogNormal,
    /// Share of calls answered with 5xx.
    pub(crate) failed: f64,
    /// Share of calls without an answer.
    pub(crate) silent: f64,
    pub(crate) refused: bool,
}

/// How the services of a fleet are when nothing is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Normals(Vec<Normal>);

#[derive(Debug, Clone, Copy)]
struct Normal {
    p99_s: f64,
    cpu_at_peak: f64,
    mem: f64,
    failing: f64,
}

impl Normals {
    /// Each service gets its own levels; those that call others are slower.
    pub(crate) fn new(topology: &Topology, seed: u64) -> Self {
        let normals = topology.services().iter().enumerate().map(|(i, service)| {
            let draw = Noise::new(seed, &service.name, 0, "normal");
            let height = topology.links(i).height as f64;
            Normal {
                p99_s: (0.08 + 0.045 * height + 0.07 * draw.uniform(0)).min(0.34),
                cpu_at_peak: 26.0 + 16.0 * draw.uniform(1),
                mem: 34.0 + 18.0 * draw.uniform(2),
                failing: if draw.uniform(3) < 0.5 {
                    0.0
                } else {
                    0.0005 + 0.001 * draw.uniform(4)
                },
            }
        });
        Normals(normals.collect())
    }
}

/// The condition of every service; `faults` holds a list per service.
pub(crate) fn conditions(
    topology: &Topology,
    normals: &Normals,
    faults: &[Vec<ScheduledFault>],
    t_ms: i64,
) -> Vec<Condition> {
    let load = load::share_of_peak(t_ms);
    let mut conditions: Vec<Condition> = normals
        .0
        .iter()
        .zip(faults)
        .map(|(normal, faults)| quiet(normal, load, Effects::at(faults, t_ms)))
        .collect();
    for &service in topology.callers_first().iter().rev() {
        answer(topology, normals, &mut conditions, service, load);
    }
    for &service in topology.callers_first() {
        carry_load(topology, &mut conditions, service, load);
    }
    for (service, normal) in normals.0.iter().enumerate() {
        settle(topology, normal, &mut conditions, service, load);
    }
    conditions
}

/// Latency of one's own work on a day without faults.
fn quiet_p99(normal: &Normal, load: f64) -> f64 {
    normal.p99_s * (0.85 + 0.25 * load)
}

fn quiet(normal: &Normal, load: f64, effects: Effects) -> Condition {
    let p99 = quiet_p99(normal, load);
    Condition {
        alive: 0,
        cpu: 0.0,
        mem: 0.0,
        heap_after_gc: 0.0,
        gc_overhead: 0.0,
        lat: p99 * 1e3,
        error_ratio: 0.0,
        request_rate: 0.0,
        blocked_threads: 0.0,
        pool_pending: 0.0,
        executor_queue: 0.0,
        busy_threads: 0.0,
        latency: LogNormal::from_p99(p99),
        failing: [0.0; Cause::COUNT],
        calls: Vec::new(),
        effects,
    }
}

/// Callees first: how slow and how wrong the answers are.
fn answer(
    topology: &Topology,
    normals: &Normals,
    conditions: &mut [Condition],
    service: usize,
    load: f64,
) {
    let links = topology.links(service);
    let normal = &normals.0[service];
    let effects = conditions[service].effects;
    let instances = topology.services()[service].instances;
    let alive = effects.alive(instances);

    let quiet_s = quiet_p99(normal, load);
    let toward = |target: f64, strength: f64| quiet_s + (target - quiet_s) * strength;
    let own_s = toward(LATENCY_HIGH_S, effects.slow.max(effects.bad_release))
        .max(toward(
            WAITING_P99_S,
            libm::pow(effects.pool_exhausted, 2.0),
        ))
        .max(
            toward(WAITING_P99_S, libm::pow(effects.deadlock, 4.0))
                .min(CLIENT_TIMEOUT_S.max(quiet_s)),
        );
    let per_instance = instances as f64 / alive.max(1) as f64;
    let cpu = cpu(normal, effects, load * per_instance);

    let mut p99 = own_s * congestion(cpu / 100.0);
    let mut failing = [0.0; Cause::COUNT];
    let mut calls = Vec::with_capacity(links.calls.len());
    for call in &links.calls {
        let callee = &conditions[call.callee];
        let refused = callee.alive == 0;
        let timed_out = 1.0 - callee.latency.share_below(libm::log(CLIENT_TIMEOUT_S));
        let failed = if refused {
            0.0
        } else {
            callee.error_ratio / 100.0
        };
        let silent = if refused { 1.0 } else { timed_out };
        if !refused && call.share > 0.02 {
            // The slowest 1 % of the caller's requests are the slowest 1 %/share of its calls.
            let q = 1.0 - 0.01 / call.share;
            let usual = LogNormal::from_p99(quiet_p99(&normals.0[call.callee], load)).quantile(q);
            p99 += (callee.latency.quantile(q).min(CLIENT_TIMEOUT_S) - usual).max(0.0);
        }
        failing[Cause::CalleeFailed as usize] += call.share * failed * (1.0 - silent);
        failing[Cause::CalleeSilent as usize] += call.share * silent;
        calls.push(CallCondition {
            callee: call.callee,
            rate: 0.0,
            latency: if refused {
                LogNormal::narrow(0.012)
            } else {
                callee.latency
            },
            failed: failed * (1.0 - silent),
            silent,
            refused,
        });
    }
    failing[Cause::Pool as usize] = (0.005 * effects.pool_exhausted).min(0.5);
    failing[Cause::Own as usize] = normal.failing;
    let otherwise: f64 = failing.iter().sum();
    failing[Cause::Own as usize] += (ERRORS_HIGH - otherwise).max(0.0) * effects.error_burst;
    let total: f64 = failing.iter().sum();
    if total > 1.0 {
        failing.iter_mut().for_each(|share| *share /= total);
    }

    // Little's law: beyond the request threads, requests wait for one and fewer complete.
    let offered = topology.services()[service].rps * load * per_instance / instances as f64;
    let latency = LogNormal::from_p99(p99.min(LATENCY_MAX_S));
    let crowding = (offered * latency.mean() / REQUEST_THREADS).max(1.0);
    let p99 = (p99 * crowding).min(LATENCY_MAX_S);

    let condition = &mut conditions[service];
    condition.alive = alive;
    condition.lat = p99 * 1e3;
    condition.latency = LogNormal::from_p99(p99);
    condition.error_ratio = failing.iter().sum::<f64>().min(1.0) * 100.0;
    condition.failing = failing;
    condition.calls = calls;
}

/// Callers first: how many requests come, and how many of them complete.
fn carry_load(topology: &Topology, conditions: &mut [Condition], service: usize, load: f64) {
    let links = topology.links(service);
    let condition = &mut conditions[service];
    // Callers before this one left their calls here.
    let offered =
        condition.request_rate + topology.services()[service].rps * load * links.external_share;
    let per_instance = offered / condition.alive.max(1) as f64;
    let threads = (REQUEST_THREADS / (per_instance * condition.latency.mean()).max(1e-9)).min(1.0);
    let locked = (1.0 - 0.5 * condition.effects.deadlock).max(0.1);
    let completed = if condition.alive == 0 {
        0.0
    } else {
        offered * threads * locked
    };
    condition.request_rate = completed;
    condition.busy_threads = (per_instance * condition.latency.mean()).min(REQUEST_THREADS);
    for (call, link) in condition.calls.iter_mut().zip(&links.calls) {
        call.rate = completed * link.share;
    }
    for link in &links.calls {
        conditions[link.callee].request_rate += completed * link.share;
    }
}

/// What follows from the load that was really carried: processor, heap, threads, pools.
fn settle(
    topology: &Topology,
    normal: &Normal,
    conditions: &mut [Condition],
    service: usize,
    load: f64,
) {
    let spec = &topology.services()[service];
    let condition = &mut conditions[service];
    let effects = condition.effects;
    let rate_at_peak = spec.rps / spec.instances as f64;
    let share = condition.request_rate / condition.alive.max(1) as f64 / rate_at_peak;

    let quiet_mem = normal.mem + 6.0 * (load - 0.7);
    condition.mem = (quiet_mem + (HEAP_HIGH - quiet_mem) * effects.heap_leak).min(99.0);
    condition.heap_after_gc = condition.mem - YOUNG_MEAN;
    condition.gc_overhead =
        0.6 + 0.4 * (condition.mem - 70.0).max(0.0) + 3.0 * (condition.mem - 92.0).max(0.0);
    condition.cpu = cpu(normal, effects, share);
    condition.blocked_threads = BLOCKED_HIGH * effects.deadlock;
    condition.pool_pending = PENDING_HIGH * effects.pool_exhausted;
    condition.executor_queue = 30.0 * effects.deadlock;
}

fn cpu(normal: &Normal, effects: Effects, share_of_peak: f64) -> f64 {
    let quiet = IDLE_CPU + (normal.cpu_at_peak - IDLE_CPU) * share_of_peak;
    (quiet + (CPU_HIGH - quiet) * effects.cpu_burn).clamp(0.5, 99.5)
}

/// What a busy processor adds to latency: nothing below 70 %, 1.4 times at 85 %, seven times when full.
fn congestion(busy: f64) -> f64 {
    1.0 + 0.5 * (busy - 0.7).max(0.0) / (1.02 - busy)
}
