//! The real binary against a real Prometheus, the simulated fleet, and scripted fakes of both.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod deployed;
mod fake;
mod harness;

mod attacks;
mod backup;
mod bad_input;
mod contract;
mod demo;
mod doctor;
mod durability;
mod end_to_end;
mod explained;
mod incidents;
mod knobs;
mod nginx;
mod node;
mod operators;
mod pages;
mod paging;
mod recordings;
mod reload;
mod routes;
mod scraped_here;
mod stream;
mod why;
