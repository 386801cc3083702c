//! What the logs say: which statement printed a line, how often each does, and how that moved.

pub(crate) mod template;

pub(crate) mod hash;
pub(crate) mod variants;

pub(crate) mod miner;

pub(crate) mod around;

mod counted;

pub(crate) use counted::counted;
