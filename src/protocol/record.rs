//! What a disk is asked to keep, and what a node finds on it.

use std::sync::Arc;

use crate::planted::{Bug, is_planted};
use crate::protocol::history::Run;
use crate::protocol::log::Entry;
use crate::store::{Command, Store};
use crate::types::{Boot, EntryId, Index, Members, NodeId, Term};

/// The highest term seen, and whom the node voted for in it (Raft, figure 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ballot {
    /// The highest term seen. Never goes back.
    pub term: Term,
    /// Whom it voted for in that term: at most one, ever.
    pub vote: Option<NodeId>,
}

/// What a disk holds, as changes to it.
#[derive(Debug, Clone)]
pub enum Record {
    /// The highest term seen, and the vote in it.
    Ballot(Ballot),
    /// These entries stand in the log from the first one's index on; whatever stood there before is gone.
    Append(Vec<Entry>),
    /// Entries up to here are committed.
    Commit {
        /// The last of them.
        index: Index,
        /// In raft this is a hint that saves a restarted node from waiting to be told: what is committed stays, whether
        /// it knows so or not. Elsewhere it must not be lost: by it a node knows that what it gives up was promised.
        firm: bool,
    },
    /// The store as of `snapshot.last`. The entries up to `compacted` go; those behind it stay, though the snapshot
    /// holds what some of them did already, for followers that were away. Promises nothing: losing it costs time only.
    Compact {
        /// The store, as of the last entry applied.
        snapshot: Box<Snapshot>,
        /// The last entry to let go.
        compacted: EntryId,
        /// All entries behind the snapshot.
        tail: Vec<Entry>,
    },
    /// The store as of `snapshot.last`, from another node: nothing else is kept.
    Install(Box<Snapshot>),
    /// Whether the node must not vote, since it lost its disk and with it promises it had made.
    Recovering(bool),
}

impl Record {
    /// Whether something that leaves after it rests on it. What promises nothing need not be waited for.
    pub fn is_promise(&self) -> bool {
        match self {
            Record::Ballot(_) => !is_planted(Bug::BallotUnsynced),
            Record::Append(entries) => {
                let does_nothing = |entry: &Entry| entry.command == Command::Noop;
                let is_idle = is_planted(Bug::NoopUnsynced) && entries.iter().all(does_nothing);
                !is_idle && !is_planted(Bug::AppendUnsynced)
            }
            Record::Install(_) | Record::Recovering(_) => true,
            Record::Commit { firm, .. } => *firm,
            Record::Compact { .. } => false,
        }
    }
}

/// A store, and where in which history it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The last entry applied to it.
    pub last: Option<EntryId>,
    /// The runs of entries that led there.
    pub history: Arc<Vec<Run>>,
    /// The members as of that entry; `None` if no entry ever named any.
    pub members: Option<Members>,
    /// The state.
    pub store: Store,
}

/// What a disk holds when a node starts on it; the default, with a [`Boot`] drawn anew, is an empty one.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The life of the disk.
    pub boot: Boot,
    /// The highest term seen, and the vote in it.
    pub ballot: Ballot,
    /// Whether the disk was lost, and the node must not vote yet.
    pub recovering: bool,
    /// The store as of some entry.
    pub snapshot: Snapshot,
    /// The entry before the first of `entries`.
    pub compacted: Option<EntryId>,
    /// Entries in order; those behind `snapshot.last` are yet to be applied to the store.
    pub entries: Vec<Entry>,
    /// Entries up to here were known to be committed.
    pub commit: Index,
}
