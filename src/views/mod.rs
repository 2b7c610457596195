//! What people read: a line an event, a table of nodes.

pub mod intervals;
pub mod lines;
pub mod table;
mod wording;
