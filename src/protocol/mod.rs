//! The protocol core: PURE. No tokio, no clock, no ambient randomness, no unordered iteration.

pub mod log;
pub mod message;

pub use log::{Entry, Run};
pub use message::{
    Action, Change, Input, Message, MessageKind, Record, Recovered, Reply, RequestId, Snapshot,
    Status,
};
