//! The sample store through its public face.

mod damage;
mod expiry;
mod matchers;
mod model;
mod plain;
