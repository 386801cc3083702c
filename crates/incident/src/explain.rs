//! Explain: from facts that were gathered and frozen to answers with numbers. Pure functions.

pub(crate) mod breakdown;
pub(crate) mod logs;
pub(crate) mod precedent;
pub(crate) mod shifts;
pub(crate) mod similar;
pub(crate) mod unusual;

mod median;
