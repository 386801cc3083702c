//! One tick of a calm fleet with models: three metrics for 200 and 2,000 services, one thread.

use divan::Bencher;
use fleet::Fleet;

#[path = "../tests/fleet/mod.rs"]
#[allow(dead_code, reason = "the rest is for the tests")]
mod fleet;

fn main() {
    divan::main();
}

#[divan::bench(args = [200, 2_000], sample_count = 20, sample_size = 1)]
fn step_of_three_metrics(bencher: Bencher, services: usize) {
    let fleet = Fleet::of(services);
    let mut state = fleet.state();
    let mut tick = 0;
    bencher
        .with_inputs(|| {
            tick += 1;
            fleet.calm(tick)
        })
        .bench_local_refs(|input| engine::step(&mut state, input));
}
