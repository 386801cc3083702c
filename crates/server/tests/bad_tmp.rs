#![allow(dead_code)]
#[path = "live/bad_input.rs"]
mod bad_input;
#[path = "live/fake.rs"]
mod fake;
#[path = "live/harness.rs"]
mod harness;
