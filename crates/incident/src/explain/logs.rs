//! Logs as evidence: which statement printed a line, and how often each does.

pub(crate) mod template;

pub(crate) mod hash;
pub(crate) mod variants;

pub(crate) mod miner;
