//! The protocol core: PURE. No tokio, no clock, no ambient randomness, no unordered iteration. What runs on ports is
//! this code, and what a simulator runs is this code: something happens, [`Node::step`] says what is to be done.
//!
//! # The rules
//!
//! **Claims.** Whoever leads claims a *(term, leader)*. Claims are ordered by term, then by the lower id. A node obeys
//! the greatest claim it has met, and says which that is in every answer; a leader that reads of a greater one than its
//! own steps down. A node takes a term above all it has seen when it begins to lead, on its disk before anything said
//! in it leaves, so the same leader never leads the same term twice.
//!
//! **Elections** (`election`). A follower that hears no leader for an election timeout T stands. In `lowest-id` it asks
//! every lower id whether it lives, and leads if none does.
//!
//! **The log** ([`log`]). A leader writes entries; each is identified by *(index, term, leader, boot)*, and equal
//! identity means equal prefix. A follower is sent the entries behind the last one it shares with its leader. The log
//! is compacted to a window as long as the store, so memory is bounded by live data; what is too old is caught up by a
//! snapshot.
//!
//! **Replies.** In `async` a write is answered once it is on the leader's disk and in its store. Copies follow.
//!
//! **Loss** (`loss`). What was applied is not undone entry by entry: a node whose log conflicts with its leader's takes
//! the leader's snapshot and reports, by key and entry, what it had that the snapshot does not know.
//!
//! # What `lowest-id` + `async` promises
//!
//! - While a leader lives and is reached, a new write is on every reachable follower within a few milliseconds.
//! - After quiet, all nodes that can reach each other obey one leader and hold the same store.
//! - A write that was acknowledged and is discarded is reported `lost` by the node that discards it.
//!
//! # What it does not promise
//!
//! - **Acknowledged writes can vanish.** A leader that dies before its last writes are copied takes them with it: its
//!   successor goes on without them, and when the old leader returns it discards (and reports) them.
//! - **Two leaders.** Without a majority, each side of a partition has one. Afterwards the lesser claim's writes go.
//! - **The lowest id leads, not the most complete log.** A follower that holds later entries gives them up.
//! - **Reads may be stale**, from any node, the leader included.
//! - Nobody votes, so a node that is reached by nobody leads itself.
//! - A node that was killed while it alone knew of a loss reports it when it returns, not before.

pub mod door;
pub mod log;
pub mod message;

mod claims;
mod election;
mod follower;
mod loss;
mod node;
mod progress;
mod replication;

pub use door::{Action, Change, Input, Record, Recovered, Reply, RequestId, Snapshot, Status};
pub use log::{Entry, Run};
pub use message::{Message, MessageKind};
pub use node::Node;
