//! The simulator: the same seed is the same run, everywhere; what a mode promises is kept, and what its docs admit is found.

mod command;
mod exhaustive;
mod holes;
mod promises;
mod support;
mod traces;
