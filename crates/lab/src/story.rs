//! Stories: what happens to a few services, told line by line, run through the real engine, and what
//! is expected of Bellwether. The language is described in `crates/lab/scenarios/README.md`.

mod script;
mod words;

mod parser;

mod clauses;
mod happenings;

mod logbook;
mod world;

mod runner;
mod vocabulary;
mod witness;

mod expectations;
mod report;

pub use parser::parse;
pub use report::{Failure, Report};
pub use runner::{RunError, run};
pub use script::Story;
pub use words::ParseError;
