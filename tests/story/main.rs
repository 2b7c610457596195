//! Runs of the simulator, told in sentences and drawn as a page.

mod page;
mod plans;
mod told;
