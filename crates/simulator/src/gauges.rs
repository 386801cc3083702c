//! What an instance's gauges show at an instant: the truth plus bounded noise.

use crate::conditions::{Condition, HEAP_SWING, POOL_SIZE};
use crate::counters::{CPU_COUNT, HEAP_MAX, heap_cycle_seconds};
use crate::noise::Noise;
use crate::topology::Service;

/// Names the gauges that change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gauge {
    StartTime,
    Uptime,
    ProcessCpu,
    SystemCpu,
    LoadAverage,
    OpenFiles,
    Eden,
    Survivor,
    OldGen,
    EdenCommitted,
    OldGenCommitted,
    UsageAfterGc,
    LiveData,
    GcOverhead,
    MinorPauseMax,
    MajorPauseMax,
    ThreadsLive,
    ThreadsDaemon,
    ThreadsPeak,
    ThreadsBlocked,
    ThreadsRunnable,
    ThreadsTimedWaiting,
    ThreadsWaiting,
    BusyThreads,
    PoolThreads,
    KeptAlive,
    ActiveRequests,
    ActiveSeconds,
    ActiveMax,
    ConnectionsActive,
    ConnectionsIdle,
    ConnectionsPending,
    AcquireMax,
    UsageMax,
    ExecutorActive,
    ExecutorQueued,
    ExecutorRemaining,
}

const GAUGES: usize = Gauge::ExecutorRemaining as usize + 1;

const EXECUTOR_CAPACITY: f64 = 1_000.0;

/// The gauges of one instance at one instant.
#[derive(Debug, Clone)]
pub(crate) struct Readings([f64; GAUGES]);

/// The noise sources of an instance, made once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstanceNoise {
    cpu: Noise,
    heap: Noise,
    threads: Noise,
    pool: Noise,
}

impl InstanceNoise {
    pub(crate) fn new(seed: u64, service: &str, instance: usize) -> Self {
        let of = |signal| Noise::new(seed, service, instance, signal);
        InstanceNoise {
            cpu: of("cpu"),
            heap: of("heap"),
            threads: of("threads"),
            pool: of("pool"),
        }
    }
}

const BUCKET_MS: i64 = 15_000;

impl Readings {
    pub(crate) fn get(&self, gauge: Gauge) -> f64 {
        self.0[gauge as usize]
    }

    pub(crate) fn take(
        service: &Service,
        condition: &Condition,
        noise: &InstanceNoise,
        started_ms: i64,
        now_ms: i64,
    ) -> Self {
        let mut readings = Readings([0.0; GAUGES]);
        let mut set =
            |gauge: Gauge, value: f64| readings.0[gauge as usize] = (value * 1e6).round() / 1e6;
        let bucket = now_ms.div_euclid(BUCKET_MS);

        set(Gauge::StartTime, started_ms as f64 / 1e3);
        set(Gauge::Uptime, (now_ms - started_ms) as f64 / 1e3);

        let wobble =
            1.0 + 0.04 * noise.cpu.bell(bucket) + 0.02 * noise.cpu.fork(1).smooth(now_ms, 300_000);
        let cpu = (condition.cpu / 100.0 * wobble).clamp(0.001, 1.0);
        set(Gauge::ProcessCpu, cpu);
        set(Gauge::SystemCpu, (cpu * 1.08 + 0.03).min(1.0));
        set(Gauge::LoadAverage, cpu * f64::from(CPU_COUNT) * 1.1 + 0.1);

        heap(&mut set, service, condition, noise, now_ms);
        threads(&mut set, condition, noise, bucket);
        if service.pool {
            let busy = condition.request_rate / condition.alive.max(1) as f64
                * 0.4
                * condition.latency.mean();
            let exhausted = condition.pool_pending > 0.0;
            let active = if exhausted {
                POOL_SIZE
            } else {
                noisy_whole(busy, noise.pool, bucket).min(POOL_SIZE - 1.0)
            };
            set(Gauge::ConnectionsActive, active);
            set(Gauge::ConnectionsIdle, POOL_SIZE - active);
            set(
                Gauge::ConnectionsPending,
                (condition.pool_pending * (1.0 + 0.05 * noise.pool.bell(bucket))).round(),
            );
            set(Gauge::AcquireMax, if exhausted { 3.0 } else { 0.0004 });
            set(Gauge::UsageMax, 0.8 * condition.latency.quantile(0.999));
        }
        readings
    }
}

/// Eden fills and empties; the old generation carries the rest.
fn heap(
    set: &mut impl FnMut(Gauge, f64),
    service: &Service,
    condition: &Condition,
    noise: &InstanceNoise,
    now_ms: i64,
) {
    let rate_at_peak = service.rps / service.instances as f64;
    let cycle_ms = (heap_cycle_seconds(rate_at_peak) * 1e3) as i64;
    let offset = (noise.heap.uniform(0) * cycle_ms as f64) as i64;
    let filled = (now_ms + offset).rem_euclid(cycle_ms) as f64 / cycle_ms as f64;
    let drift = 0.8 * noise.heap.smooth(now_ms, 900_000);
    let mean = (condition.mem + drift).clamp(5.0, 100.0 - HEAP_SWING - 0.5);
    let total = (mean + HEAP_SWING * (2.0 * filled - 1.0)) / 100.0 * HEAP_MAX;
    let eden = (0.02 + 2.0 * HEAP_SWING / 100.0 * filled) * HEAP_MAX;
    let survivor = 0.01 * HEAP_MAX;
    let old = total - eden - survivor;
    set(Gauge::Eden, eden.round());
    set(Gauge::Survivor, survivor.round());
    set(Gauge::OldGen, old.round());
    set(Gauge::EdenCommitted, (0.15 * HEAP_MAX).round());
    set(
        Gauge::OldGenCommitted,
        (old * 1.15).clamp(0.4 * HEAP_MAX, 0.85 * HEAP_MAX).round(),
    );
    set(Gauge::UsageAfterGc, old / HEAP_MAX);
    set(Gauge::LiveData, (0.95 * old).round());
    let overhead = condition.gc_overhead / 100.0 * (1.0 + 0.1 * noise.heap.smooth(now_ms, 120_000));
    set(Gauge::GcOverhead, overhead.clamp(0.0, 1.0));
    set(Gauge::MinorPauseMax, 0.012 + 0.2 * overhead);
    set(
        Gauge::MajorPauseMax,
        if condition.mem > 75.0 {
            0.4 + overhead
        } else {
            0.0
        },
    );
}

fn threads(
    set: &mut impl FnMut(Gauge, f64),
    condition: &Condition,
    noise: &InstanceNoise,
    bucket: i64,
) {
    let busy = noisy_whole(condition.busy_threads, noise.threads, bucket);
    let workers = (busy + 3.0).max(10.0);
    let stray = f64::from(u8::from(noise.threads.fork(2).uniform(bucket) < 0.03));
    let blocked = condition.blocked_threads.round().max(stray);
    let runnable = 7.0 + (busy * 0.25).round();
    let timed_waiting = 8.0 + (busy * 0.75).round();
    let waiting = 11.0 + workers - busy;
    let live = blocked + runnable + timed_waiting + waiting;
    set(Gauge::ThreadsBlocked, blocked);
    set(Gauge::ThreadsRunnable, runnable);
    set(Gauge::ThreadsTimedWaiting, timed_waiting);
    set(Gauge::ThreadsWaiting, waiting);
    set(Gauge::ThreadsLive, live);
    set(Gauge::ThreadsDaemon, live - 7.0);
    set(Gauge::ThreadsPeak, live + 4.0);
    set(Gauge::BusyThreads, busy + 1.0);
    set(Gauge::PoolThreads, workers);
    set(Gauge::KeptAlive, (workers * 0.5).floor());
    set(Gauge::OpenFiles, 24.0 + workers + busy);

    let mean = condition.latency.mean();
    set(Gauge::ActiveRequests, busy + 1.0);
    set(Gauge::ActiveSeconds, busy * mean * 0.5 + 0.01);
    set(Gauge::ActiveMax, if busy > 0.0 { mean } else { 0.01 });

    let queued =
        (condition.executor_queue * (1.0 + 0.05 * noise.threads.fork(3).bell(bucket))).round();
    let idle = noisy_whole(0.6, noise.threads.fork(4), bucket).min(4.0);
    set(Gauge::ExecutorActive, if queued > 0.0 { 4.0 } else { idle });
    set(Gauge::ExecutorQueued, queued);
    set(Gauge::ExecutorRemaining, EXECUTOR_CAPACITY - queued);
}

/// A count that fluctuates like arrivals do: by the root of its mean.
fn noisy_whole(mean: f64, noise: Noise, bucket: i64) -> f64 {
    (mean + 0.5 * libm::sqrt(mean.max(0.0)) * noise.bell(bucket))
        .round()
        .max(0.0)
}
