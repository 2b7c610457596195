//! What goes through the protocol's one door: [`Input`]s in, [`Action`]s out.

use std::sync::Arc;

use crate::event::Event;
use crate::protocol::message::{Message, MessageKind};
use crate::protocol::record::Record;
use crate::store::Proviso;
use crate::types::{EntryId, NodeId, Role};
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
        /// On what terms.
        proviso: Option<Arc<Proviso>>,
    },
    /// A client wants to read what was committed before it asked (§6.4: read index). Answered by [`Reply::Readable`]
    /// once the store holds at least that.
    Read {
        /// Handed back with the reply.
        request: RequestId,
    },
    /// Somebody wants the members changed, one at a time (§4.1).
    Members {
        /// Handed back with the reply.
        request: RequestId,
        /// How.
        change: MemberChange,
    },
    /// Somebody wants another leader (§3.10).
    Transfer {
        /// Handed back with the reply.
        request: RequestId,
        /// Whom; `None`: whoever has most.
        to: Option<NodeId>,
    },
    /// An operator says that this node, though its disk was lost, is to vote again. Unsafe: whatever only lost disks
    /// held is given up.
    Trust,
}

/// A change of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// It is sent everything as a learner, and votes once it has caught up.
    Add(NodeId),
    /// It counts no more.
    Remove(NodeId),
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

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It happened, as the mode promises.
    Done {
        /// Who took it: this node.
        leader: NodeId,
        /// The entry that did it: the key's version now, if it was a put.
        version: EntryId,
    },
    /// The key to delete was not there.
    NoSuchKey,
    /// The condition did not hold, so nothing happened; the key's version.
    Unmet {
        /// The key's version; `None`: there is no such key.
        version: Option<EntryId>,
    },
    /// The token named another write before: nothing happened.
    Mistaken,
    /// This node does not lead: the write is in no log and never will be.
    NotLeader {
        /// What it is instead.
        role: Role,
        /// Who leads, as far as it knows.
        leader: Option<NodeId>,
    },
    /// It leads, but the value was unusable ([`Change::Unusable`]).
    Unusable,
    /// It is in a log, and nobody can know whether it will be kept.
    Unknown {
        /// Why, as a sentence.
        reason: String,
    },
    /// What the store holds now may be read.
    Readable,
    /// What was committed could not be found out: nothing was read or done.
    Unavailable {
        /// Why, as a sentence.
        reason: String,
    },
    /// The mode cannot promise that.
    Unsupported,
    /// The members are changed; or the leadership has ended while it was handed over, most likely by that: who leads then
    /// is to be seen.
    Changed,
    /// The change is refused: nothing happened.
    Refused {
        /// What asking again would bring.
        refusal: Refusal,
        /// Why, as a sentence.
        reason: String,
    },
    /// The leader leads on and waits for the change no longer: it is in the log, and may be made yet.
    GivenUp {
        /// Why, as a sentence.
        reason: String,
    },
}

/// Why a change of members or leaders is refused, as whoever asked must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is against it; it is not its time yet.
    NotYet,
    /// It is so already. A change whose answer was lost may have made it so.
    Settled,
    /// It cannot be done as things are.
    Denied,
}
