//! The protocol core: PURE. No tokio, no clock, no ambient randomness, no unordered iteration. What runs on ports is
//! this code, and what a simulator runs is this code: something happens, [`Node::step`] says what is to be done.
//!
//! # The rules
//!
//! **Claims** (`claims`). Whoever leads claims a *(term, leader)*. Claims are ordered by term, then by the lower id. A
//! node obeys the greatest claim it has met, and says which that is in every answer; a leader that reads of a greater
//! one than its own steps down. A node takes a term above all it has seen when it begins to lead, on its disk before
//! anything said in it leaves, so the same leader never leads the same term twice.
//!
//! **Elections** (`election`). A follower that hears no leader for an election timeout T stands. In `lowest-id` it asks
//! every lower id whether it lives, and leads if none does. In `bully` it asks everybody, and leads if a majority of the
//! cluster votes for it and no higher id lives. In `raft` a majority votes for it that has nothing it lacks. Everything
//! from Raft is Ongaro's dissertation ("Consensus: bridging theory and practice", 2014); § and figures are its.
//!
//! **The log** ([`log`], [`history`]). A leader writes entries; each is identified by *(index, term, leader, boot)*, and
//! equal identity means equal prefix. A follower is sent the entries behind the last one it shares with its leader. The
//! log is compacted to a window as long as the store, so memory is bounded by live data; what is too old is caught up
//! by a snapshot (`install`).
//!
//! **Commitment** (`apply`, `acks`). With `async` an entry is applied when it is in the log. With `quorum` and `sync` it
//! is applied when it is *committed*: a majority holds it on disk, and an entry of the present leadership with it. For
//! that a leader begins with an entry that does nothing. A leader tells its followers what is committed by naming the
//! entry; whoever holds that very entry holds the same log before it.
//!
//! **Replies** (`clients`). A write is answered with `async` once it is applied on the leader, with `quorum` once it is
//! committed, with `sync` once every voter holds it besides (the reply waits, not the entry: a timed-out write may be
//! visible). Until then it can end as *unknown*: at the write timeout, or at once when the leadership is lost. What was
//! refused with *not the leader* is in no log and never will be.
//!
//! **Reads** (`reads`) are from the store as it is, or, in raft with commits, linearizable by read index.
//!
//! **Loss** (`loss`). What was applied is not undone entry by entry: a node whose applied entries conflict with its
//! leader's history takes the leader's snapshot and reports, by key and entry, what it had that the snapshot does not
//! know. Entries that were never applied are overwritten, and called *discarded*.
//!
//! **Members** (`membership`), **transfer**, **recovery** of a lost disk: in raft only, where they can be safe.
//!
//! # What each pair promises
//!
//! | | `async` | `quorum` | `sync` |
//! |---|---|---|---|
//! | `lowest-id` | after quiet, one leader and equal stores; what was acknowledged and is gone is reported | each of a majority has held it when it is acknowledged | every node held it: it is lost only with disks |
//! | `bully` | the same, and one leader a term | the same | the same |
//! | `raft` | the same, and one leader a term, the one that knows most of a majority | **linearizable**; an acknowledged write is lost only with a majority of the disks | the same, and every node holds it |
//!
//! # What they do not promise
//!
//! - **`async`: acknowledged writes can vanish.** A leader that dies before its last writes are copied takes them with it:
//!   its successor goes on without them, and when the old leader returns it discards (and reports) them.
//! - **`lowest-id`: two leaders.** Without a majority, each side of a partition has one. Afterwards the lesser claim's
//!   writes go. With `quorum` only one of them can acknowledge, but the next leader need not be on its side.
//! - **`lowest-id`, `bully`: the id leads, not the log.** A follower that holds later entries gives them up, also those that
//!   a majority held: what is committed can go back. It can have gone back on some while the last of a majority is still
//!   to say that it holds it.
//! - **`sync`: a dead member blocks all writes**, each until its timeout.
//! - **Reads from the store may be stale**, from any node, the leader included.
//! - A node that was killed while it alone knew of a loss reports it when it returns, not before; if its disk is lost as well,
//!   nobody does.
//! - `recovery` has a caveat of its own.

pub mod door;
pub mod fingerprint;
pub mod history;
pub mod log;
pub mod message;
pub mod record;
pub mod status;

mod acks;
mod apply;
mod claims;
mod clients;
mod copies;
mod duties;
mod election;
mod follower;
mod install;
mod loss;
mod membership;
mod node;
mod peers;
mod progress;
mod reads;
mod recovery;
mod replication;
mod transfer;

pub use door::{Action, Change, Input, MemberChange, Refusal, Reply, RequestId};
pub use history::Run;
pub use log::Entry;
pub use message::{Message, MessageKind};
pub use node::Node;
pub use record::{Ballot, Record, Recovered, Snapshot};
pub use status::{FollowerStatus, Status};
