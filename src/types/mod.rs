//! The words everything else is written in: who ([`NodeId`], [`Members`]), when ([`Time`], [`Term`]), where in the log
//! ([`Index`], [`EntryId`]), and under which rules ([`Mode`], [`Config`]).

mod config;
mod entry;
mod members;
mod mode;
mod node_id;
mod time;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use config::Config;
pub use entry::{EntryId, Leadership, index_of};
pub use members::Members;
pub use mode::{Election, Mode, Replication, Safeguards};
pub use node_id::{InvalidNodeId, NodeId};
pub use time::{Time, sooner};

/// A period with at most one rightful leader. It only ever grows. Always below [`TERM_LIMIT`].
pub type Term = u64;

/// A place in the log; the first entry has index 1, so 0 means "before everything".
pub type Index = u64;

/// The life of a disk: a number drawn anew whenever a node starts with an empty one (below 2^53, so that JSON readers
/// which know only doubles keep it exactly).
pub type Boot = u64;

/// Terms on the wire are integers below 2^53, the largest a JavaScript reader keeps exactly.
pub const TERM_LIMIT: Term = 1 << 53;

/// How far beyond its own term a node believes a stranger. No cluster holds a million elections while a node is away,
/// but one forged message could otherwise run every term to its maximum.
pub const TERM_JUMP: Term = 1_000_000;

/// What a node is just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes writes and sends them on.
    Leader,
    /// Obeys a leader, or waits for one.
    Follower,
    /// Is finding out whether it should lead.
    Candidate,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
        })
    }
}
