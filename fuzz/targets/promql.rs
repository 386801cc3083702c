//! Any text as an expression, over a few series.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/embedded/tests/promql/harm.rs"]
mod harm;
#[path = "../../crates/embedded/tests/promql/memory.rs"]
mod memory;

fuzz_target!(|text: &str| harm::evaluate(&harm::small_source(), text));
