//! Asking targets for their metrics.
