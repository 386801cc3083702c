//! The text format in which targets say their metrics.
