//! What people read: a line an event, a table of nodes.

pub mod intervals;
pub mod lanes;
pub mod lines;
pub mod page;
pub mod table;
mod wording;
