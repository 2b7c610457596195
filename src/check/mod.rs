//! The judge: could a recorded history have come from one correct store?
//!
//! It has a model of a store of its own and shares nothing with the store that it judges: whoever judges by the code under
//! judgement acquits it. [`history`] says what is read, [`linear`] what linearizable means and how it is decided,
//! [`mod@sequential`] the same where time does not count, and [`mod@explain`] finds the few operations that show why not.
//! [`session`] judges weaker properties.

mod bits;
mod budget;
mod edn;
mod exact;
pub mod explain;
mod graph;
mod grown;
pub mod history;
mod knots;
pub mod linear;
mod memory;
mod origins;
mod plan;
mod precedence;
mod problem;
mod prospects;
mod quiet;
mod roots;
mod search;
pub mod sequential;
pub mod session;
mod values;
mod walk;
mod wanted;
mod weave;

pub use budget::Budget;
pub use explain::{Explanation, Stuck, explain, explain_sequential};
pub use history::{History, Unusable};
pub use linear::{Verdict, linearizable, linearizable_key};
pub use sequential::{Sequential, sequential};
pub use session::{Held, Property, holds};
