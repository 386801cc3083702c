//! Any text as a scrape configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/embedded/tests/scrape/harm.rs"]
mod harm;

fuzz_target!(|file: &[u8]| harm::read_all(file));
