//! The judge: could a recorded history have come from one correct store?
//!
//! It has a model of a store of its own and shares nothing with the store that it judges: whoever judges by the code under
//! judgement acquits it. [`history`] says what is read, [`linear`] what linearizable means and how it is decided, and
//! [`mod@explain`] finds the few operations that show why not. [`session`] judges weaker properties.

mod edn;
pub mod explain;
pub mod history;
pub mod linear;
mod problem;
mod prospects;
mod search;
pub mod session;
mod values;

pub use explain::{Explanation, explain};
pub use history::{History, Unusable};
pub use linear::{Verdict, linearizable};
pub use session::{Held, Property, holds};
