//! Typed HTTP clients: of a node's data API ([`data`]) and of a cluster's control API ([`control`]).

pub mod control;
pub mod data;
pub mod gather;
