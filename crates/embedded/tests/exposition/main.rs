//! Pages of metrics, as targets write them and as nobody should.

mod agreement;
mod corpus;
mod fixtures;
mod harm;
mod lines;
mod pages;
