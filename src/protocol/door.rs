//! What goes through the protocol's one door: [`Input`]s in, [`Action`]s out.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::protocol::log::{Entry, Run};
use crate::protocol::message::{Message, MessageKind};
use crate::store::Store;
use crate::types::{Boot, EntryId, Index, Mode, NodeId, Role, Term};
use crate::value::{Key, Value};

/// A client's request, as its driver numbers it. The protocol only hands the number back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Something that happens to a node.
#[derive(Debug, Clone)]
pub enum Input {
    /// The node may take part from now on. With `bootstrap` every node of the cluster is known to start now, and the
    /// first deadline is short and by rank; without, the node listens for a whole election timeout before it stands.
    Start {
        /// Granted by `up` only, once every port is bound.
        bootstrap: bool,
    },
    /// Time passed: `now` may have reached `next_deadline()`. Harmless if it has not.
    Tick,
    /// The node itself stood still (a suspended process, a stopped clock). What it did not hear meanwhile proves
    /// nothing, so it listens for a whole election timeout again.
    Resumed,
    /// A peer's message arrived.
    Message {
        /// Who sent it. For an answer: who was asked.
        from: NodeId,
        /// What it says.
        message: Message,
    },
    /// The peer's port refused the connection, so this message surely was not delivered, and nobody lives there.
    /// (Silence proves nothing and is not reported: whoever waits for an answer has a deadline.)
    Refused {
        /// Whose port.
        peer: NodeId,
        /// The message that is gone.
        message: MessageKind,
    },
    /// The peer known by an address turned out to be the node `id`.
    Identified {
        /// What it was called until now.
        address: NodeId,
        /// Its real id.
        id: NodeId,
    },
    /// A client wants a change.
    Write {
        /// Handed back with the reply.
        request: RequestId,
        /// The key.
        key: Key,
        /// What to do to it. A put whose body was unusable arrives as [`Change::Unusable`], because only a leader may
        /// say so: a follower's refusal comes first, as in the chapter.
        change: Change,
    },
}

/// What a client wants to do to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Set it.
    Put(Value),
    /// Remove it.
    Delete,
    /// Set it to something that could not be read; never enters a log.
    Unusable,
}

/// What a node asks its driver to do. The order is the contract: everything persisted before a `Send` or a `Reply` must
/// be on the disk before that leaves; several `Persist`s may become one write.
#[derive(Debug, Clone)]
pub enum Action {
    /// Put this on the disk.
    Persist(Record),
    /// Send this to a peer. An answer (`message.is_answer()`) belongs to the message being stepped and may travel back
    /// on its connection. Delivery may fail, be late, doubled or out of order.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Answer a client.
    Reply {
        /// Which request.
        request: RequestId,
        /// The answer, which is a promise.
        reply: Reply,
    },
    /// Tell whoever watches.
    Report(Event),
}

/// What a disk holds, as changes to it.
#[derive(Debug, Clone)]
pub enum Record {
    /// The highest term seen. Never goes back.
    Term(Term),
    /// These entries stand behind the last one.
    Append(Vec<Entry>),
    /// The store as of `snapshot.last`. The entries up to `compacted` go; those behind it stay, though the snapshot
    /// holds what they did already, for followers that were away.
    Compact {
        /// The store, as of the last entry.
        snapshot: Snapshot,
        /// The last entry to let go.
        compacted: EntryId,
    },
    /// The store as of `snapshot.last`, from another node: nothing else is kept.
    Install(Snapshot),
}

/// A store, and where in which history it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The last entry applied to it.
    pub last: Option<EntryId>,
    /// The runs of entries that led there.
    pub history: Arc<Vec<Run>>,
    /// The state.
    pub store: Store,
}

/// What a disk holds when a node starts on it; the default, with a [`Boot`] drawn anew, is an empty one.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// The life of the disk.
    pub boot: Boot,
    /// The highest term seen.
    pub term: Term,
    /// The store as of some entry.
    pub snapshot: Snapshot,
    /// The entry before the first of `entries`.
    pub compacted: Option<EntryId>,
    /// Entries in order; those behind `snapshot.last` are yet to be applied to the store.
    pub entries: Vec<Entry>,
}

/// The answer to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It happened, as the mode promises.
    Done {
        /// Who took it: this node.
        leader: NodeId,
    },
    /// The key to delete was not there.
    NoSuchKey,
    /// This node does not lead: the write is in no log and never will be.
    NotLeader {
        /// What it is instead.
        role: Role,
        /// Who leads, as far as it knows.
        leader: Option<NodeId>,
    },
    /// It leads, but the value was unusable ([`Change::Unusable`]).
    Unusable,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its id.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// The highest term it has seen.
    pub term: Term,
    /// The leader it obeys; itself if it leads.
    pub leader: Option<NodeId>,
    /// How long ago it heard that leader; zero if it leads; `None` if it knows none.
    pub heard_ago: Option<Duration>,
    /// The rules it plays by.
    pub mode: Mode,
    /// How many keys it holds.
    pub keys: usize,
    /// Where its log ends.
    pub last: Option<EntryId>,
    /// The last index applied to the store.
    pub applied: Index,
    /// The first index still in the log is the one behind this.
    pub compacted: Index,
    /// The life of its disk.
    pub boot: Boot,
}
