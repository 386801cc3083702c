//! Logs as evidence: which statement printed a line, and how often each does.

pub(crate) mod template;

pub(crate) mod hash;
pub(crate) mod variants;

pub(crate) mod miner;

pub(crate) mod windows;

pub(crate) mod tally;
pub(crate) mod traces;

pub(crate) mod calls;
pub(crate) mod effect;
pub(crate) mod failures;

pub(crate) mod shift;
mod words;
