//! Any bytes as a page of metrics.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/embedded/tests/exposition/harm.rs"]
mod harm;

fuzz_target!(|page: &[u8]| harm::read_all(page));
