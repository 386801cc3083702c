//! What the logs say: which statement printed a line, how often each does, and how that moved.

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

pub(crate) mod around;

mod counted;

pub(crate) use counted::counted;
