//! What the logs say.

mod counted;

mod windows;

pub(crate) use counted::counted;
