//! Any bytes as a stored forest.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/forest/tests/all/harm.rs"]
mod harm;

fuzz_target!(|bytes: &[u8]| harm::read_all(bytes));
