//! The disk: what a node's promises rest on.

pub mod memory;
