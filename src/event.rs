//! What happened: the events that the protocol reports and the launcher numbers, keeps, prints and serves.

use serde::{Deserialize, Serialize};

use crate::types::{EntryId, Index, NodeId, Term};
use crate::value::Key;

/// How many keys an event names at most; the count beside them is always whole.
pub const KEYS_NAMED: usize = 100;

/// Something that happened to one node. In JSON: an object with `"event"` beside its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// Its port takes requests.
    Listening {
        /// Where.
        url: String,
    },
    /// It heard no leader for an election timeout and asks who lives.
    Election {
        /// Its term so far.
        term: Term,
    },
    /// A node that should lead before it lives: it waits for that one.
    Waiting {
        /// The node waited for.
        leader: NodeId,
    },
    /// It leads now.
    Leader {
        /// The term it leads.
        term: Term,
    },
    /// It obeys a leader from now on.
    Following {
        /// Whom.
        leader: NodeId,
        /// In which term.
        term: Term,
    },
    /// It led, met a greater claim, and leads no more.
    SteppedDown {
        /// The term of the greater claim.
        term: Term,
        /// Who claims.
        leader: Option<NodeId>,
    },
    /// It led, heard no majority for an election timeout, and leads no more.
    NoQuorum {
        /// The term it led.
        term: Term,
        /// How many voters it heard, itself included.
        heard: usize,
        /// How many there are.
        of: usize,
    },
    /// It took back entries that were never applied nor promised, for its leader's.
    Discarded {
        /// How many.
        entries: u64,
        /// The leader whose entries replaced them.
        to: NodeId,
    },
    /// Its disk was lost, and it may vote again.
    Restored {
        /// The leader that it caught up with; none if somebody took the risk (`revive --bootstrap`).
        by: Option<NodeId>,
    },
    /// The members were changed, and that is committed.
    MembersChanged {
        /// Those who vote now.
        voters: Vec<NodeId>,
    },
    /// Its disk failed: it takes no part until it is killed and revived.
    DiskFailed {
        /// What the system said.
        why: String,
    },
    /// It stored entries from its leader. Under load one event stands for many appends.
    Replicated {
        /// How many entries.
        entries: u64,
        /// The leader.
        from: NodeId,
    },
    /// It replaced its store by a leader's snapshot.
    Snapshot {
        /// The leader.
        from: NodeId,
        /// How many keys it holds now.
        keys: u64,
        /// Where in the log it stands now.
        index: Index,
    },
    /// It took over the whole map of a leader that speaks the chapter's protocol.
    Merged {
        /// The leader.
        from: NodeId,
        /// How many keys the map had.
        keys: u64,
    },
    /// It discarded writes it had acknowledged or applied.
    Lost(Loss),
    /// A client's write, as the chapter's programs log it (only with `--course`).
    Set {
        /// The key.
        key: Key,
        /// The value, as JSON text.
        value: String,
    },
    /// A client's read (only with `--course`).
    Get {
        /// The key.
        key: Key,
        /// What was found, as JSON text.
        value: Option<String>,
    },
    /// A client's delete (only with `--course`).
    Delete {
        /// The key.
        key: Key,
        /// Whether the key was there.
        existed: bool,
    },
    /// A peer of another mode knocked and was refused. Said once a peer.
    Refused {
        /// Who.
        peer: NodeId,
        /// Why, as a sentence.
        why: String,
    },
    /// It was killed on request: its task is gone, its port refuses.
    Killed,
    /// Its disk was destroyed on request.
    Wiped,
    /// Its disk was last used in another mode.
    OtherMode {
        /// Which.
        was: String,
        /// The present one.
        is: String,
    },
    /// It is no member any more, and was ended.
    Removed,
    /// It was started again on request.
    Revived,
    /// A fault was set, or strikes other links than before.
    FaultSet {
        /// Its name.
        name: String,
        /// What it does, in words.
        what: String,
        /// When it is undone by itself.
        until: Option<String>,
        /// Who ordered it.
        by: String,
    },
    /// A fault was undone.
    FaultUndone {
        /// Its name.
        name: String,
        /// What it did, in words.
        what: String,
        /// Who undid it.
        by: String,
    },
    /// The whole cluster is going down.
    Stopping,
}

/// Writes that were discarded, though they had been acknowledged or applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// How many keys lost a write.
    pub count: u64,
    /// Which. The protocol names all; what the launcher serves is cut to the first [`KEYS_NAMED`].
    pub writes: Vec<LostWrite>,
    /// The leader whose history replaced this node's; none if its disk was destroyed.
    pub to: Option<NodeId>,
}

/// A key whose last write, or delete, is not part of the history that won.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LostWrite {
    /// The key.
    pub key: Key,
    /// The entry that is gone; `None` for a delete whose entry was compacted.
    pub entry: Option<EntryId>,
}
