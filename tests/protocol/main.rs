//! The protocol core, driven without sockets or time.

mod figures;
mod late;
mod properties;
mod safety;
mod scripts;
mod world;
