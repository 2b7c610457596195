//! The protocol core, driven without sockets or time.

mod properties;
mod safety;
mod scripts;
mod trace;
mod world;
