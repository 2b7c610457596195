//! The disk: what was promised is there after any crash, and nothing else is.

mod crashes;
mod nonsense;
mod promises;
