//! What people read: a line an event, a table of nodes, a run of the simulator as a story and as a picture, a judged history
//! as a page.

pub mod chaos;
pub mod compare;
pub mod faults;
pub mod intervals;
pub mod lanes;
pub mod lines;
pub mod page;
pub mod spacetime;
pub mod story;
pub mod table;
mod wording;
