//! The JSON that servers and clients share: the data API of a node (the course's, exactly), the control API of a
//! cluster, and what nodes say to each other.

pub mod control;
pub mod data;
mod fault_fields;
pub mod fault_words;
pub mod faults;
mod link_fault;
mod map;
pub mod messages;
pub mod peer;
pub mod said;
pub mod sound;
pub mod struck;
pub mod units;
