//! Bellwether's server: configuration, wiring, the tick, training, HTTP API, own telemetry.
//!
//! The flow is discover, collect, featurise, score, decide, explain, notify: [`collecting`] looks
//! at Prometheus, [`tick`] steps the pure engine and stores what it decided, [`evidence`] gathers
//! logs, [`training`] and [`history`] run beside it, [`api`] shows the newest [`snapshot`].

pub mod app;
pub mod cli;
pub mod config;

pub mod live;

mod collecting;
pub mod delivering;
mod evidence;
mod following;
mod history;
mod hole;
mod housekeeping;
mod paging;
mod tick;
mod training;

mod recorder;
mod restore;
mod snapshot;
pub mod source;
mod storage;

mod api;
mod clock;
mod entrance;
mod listening;
mod open_files;
mod stopping;
mod stream;
mod telemetry;

pub mod backup;
pub mod credentials;
pub mod demo;
pub mod doctor;
pub mod incidents;
pub mod lab;
pub mod manual;
pub mod model;
pub mod notify_test;
pub mod offline;
pub mod remote;
pub mod replay;
pub mod terminal;
pub mod why;
