//! What a tick of 600 and of 6,000 series and the memory of 600 models cost, as one line of JSON.

use std::time::Instant;

use fleet::Fleet;

#[path = "../tests/fleet/mod.rs"]
#[allow(dead_code, reason = "the rest is for the tests")]
mod fleet;

const SERVICES: [usize; 2] = [200, 2_000];
const MODELS: usize = 600;
const TICKS: i64 = 40;

fn main() {
    let resident_mib = resident_mib_of_models();
    print!(
        "{{\"resident_mib_{MODELS}_models\":{}",
        resident_mib.map_or("null".into(), |mib| format!("{mib:.1}")),
    );
    for services in SERVICES {
        let step_ms = step_times_ms(services);
        let series = 3 * services;
        print!(
            ",\"step_{series}_ms_mean\":{:.2},\"step_{series}_ms_max\":{:.2}",
            step_ms.iter().sum::<f64>() / TICKS as f64,
            step_ms.iter().copied().fold(0.0, f64::max),
        );
    }
    println!("}}");
}

/// What a state with 600 models and their memories adds to the process; none where the system
/// doesn't say.
fn resident_mib_of_models() -> Option<f64> {
    let fleet = Fleet::of(MODELS / 3);
    // The bytes stay where they are, so that what is freed of them doesn't hide what is taken.
    let swaps = fleet.swaps();
    let before = resident_kib()?;
    let mut state = engine::State::new(fleet::config()).expect("UTC is known");
    for swap in &swaps {
        let input = engine::TickInput {
            swaps: vec![swap.clone()],
            ..engine::TickInput::between(fleet::at(-1))
        };
        engine::step(&mut state, &input);
    }
    let after = resident_kib()?;
    assert_eq!(state.models().count(), MODELS);
    Some((after - before) / 1024.0)
}

/// The time of each of the ticks, on one thread: that of the processor where the system says it.
fn step_times_ms(services: usize) -> Vec<f64> {
    let fleet = Fleet::of(services);
    let mut state = fleet.state();
    let start = Instant::now();
    let now = || processor_ms().unwrap_or_else(|| start.elapsed().as_secs_f64() * 1000.0);
    let timed = |tick| {
        let input = fleet.calm(tick);
        let before = now();
        let output = engine::step(&mut state, &input);
        let took = now() - before;
        assert_eq!(output.rows.len(), 3 * services);
        took
    };
    (0..TICKS).map(timed).collect()
}

/// Time that this thread has run, whatever else the machine does. It is counted at the clock ticks
/// of the system, so a single difference is right to some milliseconds only; their mean is better.
fn processor_ms() -> Option<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = times.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}

fn resident_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
