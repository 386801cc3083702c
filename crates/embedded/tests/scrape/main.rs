//! What is scraped, and what comes of it.

mod config;
mod corpus;
mod harm;
mod scraping;
mod server;
mod targets;
