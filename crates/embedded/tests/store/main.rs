//! The sample store through its public face.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod damage;
mod expiry;
mod matchers;
mod model;
mod plain;
