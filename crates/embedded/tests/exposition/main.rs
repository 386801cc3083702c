//! Pages of metrics, as targets write them and as nobody should.

mod agreement;
mod fixtures;
mod lines;
mod pages;
