//! The declared subset of PromQL.
