//! Indexes, paths and frames.
