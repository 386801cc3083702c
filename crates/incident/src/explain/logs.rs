//! What the logs say.

mod counted;

pub(crate) use counted::counted;
