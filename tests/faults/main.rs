//! Every fault on a live cluster: a story each, which would end otherwise if the fault did nothing.

#[path = "../support/mod.rs"]
mod support;

mod api;
mod cuts;
mod disks;
mod lasting;
mod links;
mod nodes;
mod refusals;
mod tale;
