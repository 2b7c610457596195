//! The protocol core, driven without sockets or time.

mod properties;
mod scripts;
mod trace;
mod world;
